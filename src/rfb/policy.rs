//! Which ways of logging in are spoken with a host, in which order, and under which conditions.

use std::fmt;
use std::str::FromStr;

use crate::rfb::login::Login;
use crate::rfb::security::SecurityType;

/// A way of logging in that Fanlight speaks, whichever security types carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityMethod {
    /// TLS with a certificate, then SASL with user and password.
    X509Sasl,
    /// TLS with a certificate, then user and password.
    X509Plain,
    /// TLS with a certificate, then VNC authentication.
    X509Vnc,
    /// TLS with a certificate, then nothing.
    X509None,
    /// RSA, then AES with keys of 256 bits to the end of the session; a password, and a user where
    /// the host wants one.
    Ra2_256,
    /// The same with keys of 128 bits.
    Ra2,
    /// As [`Self::Ra2_256`], and after the login everything is in the clear.
    Ra2ne256,
    /// As [`Self::Ra2`], and after the login everything is in the clear.
    Ra2ne,
    /// Apple Remote Desktop's: user and password, against listening alone.
    Ard,
    /// xvp: a user, which machine is wanted, and then VNC authentication.
    Xvp,
    /// VNC authentication: a challenge encrypted with the password.
    Vnc,
    /// SASL with user and password, where it is not known to be inside TLS.
    Sasl,
    /// MS-Logon II: user and password under keys that are no obstacle.
    MsLogonII,
    /// User and password in the clear.
    Plain,
    /// User and password in the clear, as Tight has it.
    TightLogin,
    /// No authentication.
    None,
}

/// Why a text names no [`SecurityMethod`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a way of logging in that is known")]
pub struct UnknownMethod;

impl SecurityMethod {
    /// Every method, the strongest first.
    pub const ALL: [Self; 16] = [
        Self::X509Sasl,
        Self::X509Plain,
        Self::X509Vnc,
        Self::X509None,
        Self::Ra2_256,
        Self::Ra2,
        Self::Ra2ne256,
        Self::Ra2ne,
        Self::Ard,
        Self::Xvp,
        Self::Vnc,
        Self::Sasl,
        Self::MsLogonII,
        Self::Plain,
        Self::TightLogin,
        Self::None,
    ];

    /// The name in configuration, log and API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509Sasl => "x509-sasl",
            Self::X509Plain => "x509-plain",
            Self::X509Vnc => "x509-vnc",
            Self::X509None => "x509-none",
            Self::Ra2_256 => "ra2-256",
            Self::Ra2 => "ra2",
            Self::Ra2ne256 => "ra2ne-256",
            Self::Ra2ne => "ra2ne",
            Self::Ard => "ard",
            Self::Xvp => "xvp",
            Self::Vnc => "vnc",
            Self::Sasl => "sasl",
            Self::MsLogonII => "ms-logon-ii",
            Self::Plain => "plain",
            Self::TightLogin => "tight-login",
            Self::None => "none",
        }
    }

    /// The security types that it is reached by, the most direct first. A type that only wraps
    /// others brings a list of its own, from which is chosen again.
    #[must_use]
    pub const fn carriers(self) -> &'static [SecurityType] {
        match self {
            Self::X509Sasl => &[
                SecurityType::X509_SASL,
                SecurityType::VENCRYPT,
                SecurityType::TIGHT,
            ],
            Self::X509Plain => &[
                SecurityType::X509_PLAIN,
                SecurityType::VENCRYPT,
                SecurityType::TIGHT,
            ],
            Self::X509Vnc => &[
                SecurityType::X509_VNC,
                SecurityType::VENCRYPT,
                SecurityType::TIGHT,
            ],
            Self::X509None => &[
                SecurityType::X509_NONE,
                SecurityType::VENCRYPT,
                SecurityType::TIGHT,
            ],
            Self::Ra2_256 => &[SecurityType::RA2_256],
            Self::Ra2 => &[SecurityType::RA2],
            Self::Ra2ne256 => &[SecurityType::RA2NE_256],
            Self::Ra2ne => &[SecurityType::RA2NE],
            Self::Ard => &[SecurityType::ARD],
            Self::Xvp => &[SecurityType::XVP],
            Self::Vnc => &[SecurityType::VNC_AUTHENTICATION, SecurityType::TIGHT],
            Self::Sasl => &[SecurityType::SASL, SecurityType::TIGHT],
            Self::MsLogonII => &[SecurityType::MS_LOGON_II],
            Self::Plain => &[
                SecurityType::PLAIN,
                SecurityType::VENCRYPT,
                SecurityType::TIGHT,
            ],
            Self::TightLogin => &[SecurityType::TIGHT_LOGIN, SecurityType::TIGHT],
            Self::None => &[SecurityType::NONE, SecurityType::TIGHT],
        }
    }

    /// Whether a login has all that this needs. Of RA2 only the host knows whether it wants a user
    /// as well, and says so when both have shown their keys.
    #[must_use]
    pub const fn has_its_credentials(self, login: &Login) -> bool {
        match self {
            Self::X509Sasl
            | Self::X509Plain
            | Self::Ard
            | Self::Sasl
            | Self::MsLogonII
            | Self::Plain
            | Self::TightLogin => login.username.is_some() && login.password.is_some(),
            Self::Xvp => {
                login.username.is_some() && login.xvp_target.is_some() && login.password.is_some()
            }
            Self::X509Vnc | Self::Vnc => login.password.is_some() || login.relay,
            Self::Ra2_256 | Self::Ra2 | Self::Ra2ne256 | Self::Ra2ne => login.password.is_some(),
            Self::X509None | Self::None => true,
        }
    }

    /// Whether all of it happens inside TLS with a certificate.
    #[must_use]
    pub const fn is_inside_tls(self) -> bool {
        matches!(
            self,
            Self::X509Sasl | Self::X509Plain | Self::X509Vnc | Self::X509None
        )
    }

    /// Whether it is of the RA2 family, in which both sides show an RSA key.
    #[must_use]
    pub const fn is_ra2(self) -> bool {
        matches!(
            self,
            Self::Ra2_256 | Self::Ra2 | Self::Ra2ne256 | Self::Ra2ne
        )
    }

    /// Whether somebody on the way can read the password, or as good as that. Of SASL's mechanisms
    /// some show it, and whoever is on the way can take the others off the list.
    #[must_use]
    pub const fn shows_the_password(self) -> bool {
        matches!(
            self,
            Self::Sasl | Self::MsLogonII | Self::Plain | Self::TightLogin
        )
    }
}

impl fmt::Display for SecurityMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SecurityMethod {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == text)
            .ok_or(UnknownMethod)
    }
}

/// What a host may be logged in with. The choice is made in this order, never in the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The methods that may be used, the preferred first. Default: all, the strongest first.
    pub methods: Vec<SecurityMethod>,
    /// Whether only methods inside TLS may be used. Default: no.
    pub require_tls: bool,
    /// Whether methods that show the password on the way may be used. Default: no.
    pub clear_text: bool,
    /// Whether a host that asks for no authentication, outside of TLS, is refused. Default: no.
    pub refuse_none: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            methods: SecurityMethod::ALL.to_vec(),
            require_tls: false,
            clear_text: false,
            refuse_none: false,
        }
    }
}

impl Policy {
    /// The same policy, less some methods.
    #[must_use]
    pub fn without(mut self, methods: &[SecurityMethod]) -> Self {
        self.methods.retain(|method| !methods.contains(method));
        self
    }

    /// The policy for a login of which everything is inside TLS already.
    #[must_use]
    pub fn inside_tls(self) -> Self {
        Self {
            require_tls: false,
            clear_text: true,
            refuse_none: false,
            ..self
        }
    }

    /// Whether a method may be used, its credentials aside.
    #[must_use]
    pub const fn allows(&self, method: SecurityMethod) -> bool {
        (method.is_inside_tls() || !self.require_tls)
            && (!method.shows_the_password() || self.clear_text)
            && !(self.refuse_none && matches!(method, SecurityMethod::None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_the_password_is_for_the_inside_of_tls_or_for_those_who_allow_it() {
        let shown = [
            SecurityMethod::Sasl,
            SecurityMethod::MsLogonII,
            SecurityMethod::Plain,
            SecurityMethod::TightLogin,
        ];
        let by_default = Policy::default();
        let allowed = Policy {
            clear_text: true,
            ..Policy::default()
        };
        let strict = Policy {
            require_tls: true,
            ..allowed.clone()
        };
        for method in SecurityMethod::ALL {
            let bare = shown.contains(&method);
            assert_eq!(by_default.allows(method), !bare, "{method}");
            assert!(allowed.allows(method), "{method}");
            // Allowing clear text takes nothing from the demand for TLS.
            assert_eq!(strict.allows(method), method.is_inside_tls(), "{method}");
            assert!(strict.clone().inside_tls().allows(method), "{method}");
        }
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for method in SecurityMethod::ALL {
            assert_eq!(method.name().parse(), Ok(method));
        }
        assert_eq!("VNC".parse::<SecurityMethod>(), Err(UnknownMethod));
    }
}
