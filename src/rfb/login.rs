//! Who we say that we are, towards a host.

use crate::secret::Secret;

/// What proves to a host that we may come in. Each security type takes of it what it needs.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// A user of the host: for Plain, RA2, ARD, MS-Logon II, SASL and xvp.
    pub username: Option<String>,
    /// The password; VNC authentication uses its first 8 bytes.
    pub password: Option<Secret>,
}

impl Login {
    /// A password without a user, as VNC authentication wants it.
    #[must_use]
    pub const fn with_password(password: Option<Secret>) -> Self {
        Self {
            username: None,
            password,
        }
    }
}
