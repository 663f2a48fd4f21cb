//! Security types and SecurityResult ([RFC 6143, 7.1.2 and 7.1.3]).
//!
//! [RFC 6143, 7.1.2 and 7.1.3]: https://www.rfc-editor.org/rfc/rfc6143#section-7.1.2

use std::fmt;

/// A security type by its number; one that has no name here is data like any other.
///
/// On the wire it is a u8, except in version 3.3, where the server dictates a u32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecurityType(pub u32);

impl SecurityType {
    /// No type at all: a reason follows ([RFC 6143, 7.1.2](https://www.rfc-editor.org/rfc/rfc6143#section-7.1.2)).
    pub const INVALID: Self = Self(0);
    /// No authentication ([7.2.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.2.1)).
    pub const NONE: Self = Self(1);
    /// A challenge encrypted with the password ([7.2.2](https://www.rfc-editor.org/rfc/rfc6143#section-7.2.2)).
    pub const VNC_AUTHENTICATION: Self = Self(2);

    /// RSA and AES with keys of 128 bits, to the end of the session.
    pub const RA2: Self = Self(5);
    /// RSA and AES with keys of 128 bits, for the login alone.
    pub const RA2NE: Self = Self(6);
    /// RSA and AES with keys of 256 bits, to the end of the session.
    pub const RA2_256: Self = Self(129);
    /// RSA and AES with keys of 256 bits, for the login alone.
    pub const RA2NE_256: Self = Self(130);

    /// A list of tunnels and a list of ways to log in.
    pub const TIGHT: Self = Self(16);
    /// A list of SASL mechanisms.
    pub const SASL: Self = Self(20);
    /// A list of sub-types, most of them inside TLS.
    pub const VENCRYPT: Self = Self(19);
    /// User and target, then VNC authentication.
    pub const XVP: Self = Self(22);
    /// Diffie-Hellman, then user and password.
    pub const ARD: Self = Self(30);
    /// Diffie-Hellman with 64 bits, then user and password.
    pub const MS_LOGON_II: Self = Self(113);

    /// VeNCrypt's sub-type with user and password in the clear.
    pub const PLAIN: Self = Self(256);
    /// VeNCrypt's sub-type with a certificate and nothing else.
    pub const X509_NONE: Self = Self(260);
    /// VeNCrypt's sub-type with a certificate and VNC authentication.
    pub const X509_VNC: Self = Self(261);
    /// VeNCrypt's sub-type with a certificate, user and password.
    pub const X509_PLAIN: Self = Self(262);
    /// VeNCrypt's sub-type with a certificate and SASL, as QEMU numbers it.
    pub const X509_SASL: Self = Self(263);

    /// Tight's own way with user and password in the clear. Its code on the wire, 129, is RA2-256 in
    /// every other list; this number is in none.
    pub const TIGHT_LOGIN: Self = Self(16_129);

    /// Whether it is TLS without a certificate, which proves nobody's identity and which rustls
    /// does not speak: the type TLS, and VeNCrypt's sub-types of that kind as QEMU numbers them.
    #[must_use]
    pub const fn is_anonymous_tls(self) -> bool {
        matches!(self.0, 18 | 257..=259 | 264)
    }

    /// The name in the registry of [rfbproto], where the type is known there.
    ///
    /// [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#security-types
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "Invalid",
            1 => "None",
            2 => "VNC Authentication",
            5 => "RA2",
            6 => "RA2ne",
            16 => "Tight",
            17 => "Ultra",
            18 => "TLS",
            19 => "VeNCrypt",
            20 => "SASL",
            21 => "MD5 hash",
            22 => "xvp",
            30 => "Apple Remote Desktop",
            113 => "MS-Logon II",
            129 => "RA2-256",
            130 => "RA2ne-256",
            256 => "Plain",
            257 => "TLSNone",
            258 => "TLSVnc",
            259 => "TLSPlain",
            260 => "X509None",
            261 => "X509Vnc",
            262 => "X509Plain",
            263 => "X509SASL",
            264 => "TLSSASL",
            16_129 => "Tight login",
            _ => return None,
        })
    }
}

impl fmt::Display for SecurityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// SecurityResult, a u32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityResult(pub u32);

impl SecurityResult {
    /// The handshake goes on.
    pub const OK: Self = Self(0);
    /// The credentials were refused.
    pub const FAILED: Self = Self(1);
    /// Too many attempts (Tight and rfbproto; not in the RFC).
    pub const TOO_MANY: Self = Self(2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_with_their_names() {
        assert_eq!(
            SecurityType::VNC_AUTHENTICATION.to_string(),
            "2 (VNC Authentication)"
        );
        assert_eq!(SecurityType(77).to_string(), "77");
    }
}
