//! ProtocolVersion ([RFC 6143, 7.1.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.1.1)).

use std::fmt;

/// Length of a version line in bytes: `RFB 003.008\n`.
pub const LINE_LEN: usize = 12;

/// The version line that Fanlight offers to browsers.
pub const LINE_3_8: &[u8; LINE_LEN] = b"RFB 003.008\n";

/// The version that a peer announced, as it stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolVersion {
    /// The three digits before the dot.
    pub major: u16,
    /// The three digits after the dot.
    pub minor: u16,
}

/// The three sets of rules that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// The server chooses the security type; no reasons after a failure.
    V3_3,
    /// The client chooses; no SecurityResult after None.
    V3_7,
    /// As in RFC 6143.
    V3_8,
}

impl ProtocolVersion {
    /// Reads a version line.
    #[must_use]
    pub fn parse(line: &[u8; LINE_LEN]) -> Option<Self> {
        let [b'R', b'F', b'B', b' ', major @ .., b'\n'] = line else {
            return None;
        };
        let [a, b, c, b'.', d, e, f] = major else {
            return None;
        };
        Some(Self {
            major: number([a, b, c])?,
            minor: number([d, e, f])?,
        })
    }

    /// Whether bytes may be the start of a version line.
    #[must_use]
    pub fn may_begin(bytes: &[u8]) -> bool {
        LINE_3_8.iter().zip(bytes).all(|(pattern, byte)| {
            if pattern.is_ascii_digit() {
                byte.is_ascii_digit()
            } else {
                byte == pattern
            }
        })
    }

    /// Whether it is the version by which UltraVNC's repeater announces itself.
    #[must_use]
    pub const fn is_repeater(self) -> bool {
        self.major == 0 && self.minor == 0
    }

    /// The rules to follow with a server that announced this version; none for those before 3.3
    /// and for a repeater's 0.0.
    ///
    /// Odd versions of the field: 3.4 and 3.6 (UltraVNC) and 3.5 are 3.3; 3.14 and 3.16 (UltraVNC),
    /// 3.889 (Apple), 4.0 (AMT), 4.1 and 5.0 (RealVNC) understand 3.8.
    #[must_use]
    pub fn dialect(self) -> Option<Dialect> {
        match (self.major, self.minor) {
            (..3, _) | (3, ..3) => None,
            (3, 3..7) => Some(Dialect::V3_3),
            (3, 7) => Some(Dialect::V3_7),
            _ => Some(Dialect::V3_8),
        }
    }
}

impl Dialect {
    /// The line that answers a server.
    #[must_use]
    pub const fn line(self) -> &'static [u8; LINE_LEN] {
        match self {
            Self::V3_3 => b"RFB 003.003\n",
            Self::V3_7 => b"RFB 003.007\n",
            Self::V3_8 => LINE_3_8,
        }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

fn number(digits: [&u8; 3]) -> Option<u16> {
    digits.into_iter().try_fold(0, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u16::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_the_field_has_its_dialect() {
        for (line, dialect) in [
            (b"RFB 000.000\n", None),
            (b"RFB 003.002\n", None),
            (b"RFB 003.003\n", Some(Dialect::V3_3)),
            (b"RFB 003.004\n", Some(Dialect::V3_3)),
            (b"RFB 003.005\n", Some(Dialect::V3_3)),
            (b"RFB 003.006\n", Some(Dialect::V3_3)),
            (b"RFB 003.007\n", Some(Dialect::V3_7)),
            (b"RFB 003.008\n", Some(Dialect::V3_8)),
            (b"RFB 003.014\n", Some(Dialect::V3_8)),
            (b"RFB 003.889\n", Some(Dialect::V3_8)),
            (b"RFB 004.000\n", Some(Dialect::V3_8)),
            (b"RFB 004.001\n", Some(Dialect::V3_8)),
            (b"RFB 005.000\n", Some(Dialect::V3_8)),
        ] {
            let version = ProtocolVersion::parse(line).expect("a version line");
            assert_eq!(version.dialect(), dialect, "{version}");
        }
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            b"HTTP/1.1 400",
            b"RFB 003.008\r",
            b"RFB 3.8\n\n\n\n\n",
            b"RFB 003,008\n",
            b"RFB +03.008\n",
        ] {
            assert_eq!(ProtocolVersion::parse(line), None);
            assert!(!ProtocolVersion::may_begin(line));
        }
        assert!(ProtocolVersion::may_begin(b""));
        assert!(ProtocolVersion::may_begin(b"RFB 9"));
        assert!(!ProtocolVersion::may_begin(b"RFC"));
    }
}
