//! Who we say that we are, towards a host.

use crate::secret::Secret;

/// The longest password, in bytes. VNC authentication uses the first 8.
pub const MAX_PASSWORD: usize = 256;

/// The longest name of a user, in bytes: xvp has one byte for its length.
pub const MAX_USERNAME: usize = 255;

/// The longest name of a machine behind xvp, in bytes.
pub const MAX_XVP_TARGET: usize = 255;

/// The longest ID for a repeater, in bytes: its block has 250, the last of them NUL.
pub const MAX_REPEATER_ID: usize = 249;

/// What proves to a host that we may come in. Each security type takes of it what it needs.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// A user of the host: for Plain, RA2, ARD, MS-Logon II, SASL and xvp.
    pub username: Option<String>,
    /// The password; VNC authentication uses its first 8 bytes.
    pub password: Option<Secret>,
    /// Which machine is meant, where the host is an xvp proxy.
    pub xvp_target: Option<String>,
    /// What an UltraVNC repeater is told: `ID:1234`, or `host:port`. Without it, a repeater is not
    /// spoken with.
    pub repeater_id: Option<String>,
    /// Whether the viewer answers the challenge of VNC authentication, in place of a password.
    pub relay: bool,
}

/// Why a login is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLogin {
    /// The user is empty, too long, or has a NUL.
    #[error("a username has 1 to {MAX_USERNAME} bytes and no NUL")]
    Username,
    /// The password is too long.
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    Password,
    /// The machine behind xvp is empty, too long, or has a NUL.
    #[error("an xvp target has 1 to {MAX_XVP_TARGET} bytes and no NUL")]
    XvpTarget,
    /// The repeater's ID is empty, too long, or has more than printable ASCII.
    #[error("a repeater ID has 1 to {MAX_REPEATER_ID} printable ASCII characters")]
    RepeaterId,
    /// There is a password already.
    #[error("a password that the viewer gives goes without one here")]
    Relay,
}

impl Login {
    /// A password without a user, as VNC authentication wants it.
    #[must_use]
    pub fn with_password(password: Option<Secret>) -> Self {
        Self {
            password,
            ..Self::default()
        }
    }

    /// Whether all parts can stand in a token and on the wire.
    ///
    /// # Errors
    /// [`BadLogin`] for the first that cannot.
    pub fn check(&self) -> Result<(), BadLogin> {
        let fits = |text: &Option<String>, max: usize| {
            text.as_ref()
                .is_none_or(|text| (1..=max).contains(&text.len()) && !text.contains('\0'))
        };
        let printable = |text: &Option<String>| {
            text.as_ref()
                .is_none_or(|text| text.bytes().all(is_graphic))
        };
        if !fits(&self.username, MAX_USERNAME) {
            return Err(BadLogin::Username);
        }
        if self.password.as_ref().map_or(0, Secret::len) > MAX_PASSWORD {
            return Err(BadLogin::Password);
        }
        if !fits(&self.xvp_target, MAX_XVP_TARGET) {
            return Err(BadLogin::XvpTarget);
        }
        if !fits(&self.repeater_id, MAX_REPEATER_ID) || !printable(&self.repeater_id) {
            return Err(BadLogin::RepeaterId);
        }
        if self.relay && self.password.is_some() {
            return Err(BadLogin::Relay);
        }
        Ok(())
    }
}

const fn is_graphic(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' '
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_bounds() {
        let text = |len: usize| Some("x".repeat(len));
        let login = Login {
            username: text(MAX_USERNAME),
            password: Some(Secret::new(vec![0; MAX_PASSWORD])),
            xvp_target: text(MAX_XVP_TARGET),
            repeater_id: text(MAX_REPEATER_ID),
            relay: false,
        };
        assert_eq!(login.check(), Ok(()));
        for username in [text(0), text(MAX_USERNAME + 1), Some("a\0b".to_owned())] {
            let login = Login {
                username,
                ..login.clone()
            };
            assert_eq!(login.check(), Err(BadLogin::Username));
        }
        let long = Login::with_password(Some(Secret::new(vec![0; MAX_PASSWORD + 1])));
        assert_eq!(long.check(), Err(BadLogin::Password));
        for xvp_target in [text(0), text(MAX_XVP_TARGET + 1)] {
            let login = Login {
                xvp_target,
                ..login.clone()
            };
            assert_eq!(login.check(), Err(BadLogin::XvpTarget));
        }
        for repeater_id in [text(0), text(MAX_REPEATER_ID + 1), Some("ID:ü".to_owned())] {
            let login = Login {
                repeater_id,
                ..login.clone()
            };
            assert_eq!(login.check(), Err(BadLogin::RepeaterId));
        }
        let both = Login {
            relay: true,
            ..login
        };
        assert_eq!(both.check(), Err(BadLogin::Relay));
    }
}
