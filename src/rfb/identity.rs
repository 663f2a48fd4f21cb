//! What a machine must be: pins that a grant carries, against ports that were given to another
//! machine in the meantime.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

use crate::rfb::init::ServerInit;
use crate::rfb::peer_text::PeerText;

/// The most certificates that a pin may name: one in use, and some to come.
pub const MAX_CERTIFICATES: usize = 4;

/// The longest desktop name that can be pinned, in bytes.
pub const MAX_DESKTOP_NAME: usize = 256;

/// What the machine behind a grant must be. Empty: anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The public key of its certificate is one of these: SHA-256 of the SubjectPublicKeyInfo
    /// ([RFC 5280, 4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)). At most
    /// [`MAX_CERTIFICATES`].
    pub certificates: Vec<Fingerprint>,
    /// The public key that it shows in RA2 and its kin.
    pub ra2_key: Option<Fingerprint>,
    /// Its desktop is named exactly so: 1 to [`MAX_DESKTOP_NAME`] bytes.
    pub desktop_name: Option<String>,
    /// Its desktop's name has this in it.
    pub machine_uuid: Option<MachineUuid>,
}

/// Why an [`Identity`] cannot stand in a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// Too many certificates.
    #[error("at most {MAX_CERTIFICATES} certificates can be pinned")]
    Certificates,
    /// The desktop's name is empty or too long.
    #[error("a desktop name has 1 to {MAX_DESKTOP_NAME} bytes")]
    DesktopName,
}

/// A SHA-256 hash of a public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 fingerprint: 64 hexadecimal digits, or 44 characters of base64")]
pub struct BadFingerprint;

/// The UUID of a machine, as management gives it to QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MachineUuid([u8; 16]);

/// Why a text is not a [`MachineUuid`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID such as 123e4567-e89b-12d3-a456-426614174000")]
pub struct BadUuid;

/// How a host turned out to be another than it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Its certificate has another key.
    #[error("the certificate's key {0} is not a pinned one")]
    Certificate(Fingerprint),
    /// A certificate is pinned, and the host showed none.
    #[error("a certificate is pinned, and the host showed none")]
    NoCertificate,
    /// Its RA2 key is another.
    #[error("the RA2 key {0} is not the pinned one")]
    Ra2Key(Fingerprint),
    /// An RA2 key is pinned, and the host showed none.
    #[error("an RA2 key is pinned, and the host showed none")]
    NoRa2Key,
    /// Its desktop has another name.
    #[error("the desktop is not named as pinned, but {}", Named(.0.as_ref()))]
    DesktopName(Option<PeerText>),
    /// Its desktop's name has not the UUID in it.
    #[error("the desktop's name has not the pinned UUID in it: {}", Named(.0.as_ref()))]
    MachineUuid(Option<PeerText>),
}

impl Identity {
    /// Whether it keeps its bounds.
    ///
    /// # Errors
    /// [`BadIdentity`].
    pub fn check(&self) -> Result<(), BadIdentity> {
        let name_len = self.desktop_name.as_ref().map(String::len);
        if self.certificates.len() > MAX_CERTIFICATES {
            return Err(BadIdentity::Certificates);
        }
        if name_len.is_some_and(|len| !(1..=MAX_DESKTOP_NAME).contains(&len)) {
            return Err(BadIdentity::DesktopName);
        }
        Ok(())
    }

    /// Holds the key of a certificate against the pins; `None` for a host that showed none.
    ///
    /// # Errors
    /// [`Mismatch::Certificate`], [`Mismatch::NoCertificate`].
    pub fn check_certificate(&self, shown: Option<Fingerprint>) -> Result<(), Mismatch> {
        match shown {
            _ if self.certificates.is_empty() => Ok(()),
            Some(shown) if self.certificates.contains(&shown) => Ok(()),
            Some(shown) => Err(Mismatch::Certificate(shown)),
            None => Err(Mismatch::NoCertificate),
        }
    }

    /// Holds the key of RA2 against the pin; `None` for a host that showed none.
    ///
    /// # Errors
    /// [`Mismatch::Ra2Key`], [`Mismatch::NoRa2Key`].
    pub fn check_ra2_key(&self, shown: Option<Fingerprint>) -> Result<(), Mismatch> {
        match (self.ra2_key, shown) {
            (None, _) => Ok(()),
            (Some(pinned), Some(shown)) if pinned == shown => Ok(()),
            (Some(_), Some(shown)) => Err(Mismatch::Ra2Key(shown)),
            (Some(_), None) => Err(Mismatch::NoRa2Key),
        }
    }

    /// Holds the desktop's name against the pins.
    ///
    /// # Errors
    /// [`Mismatch::DesktopName`], [`Mismatch::MachineUuid`].
    pub fn check_desktop(&self, init: &ServerInit) -> Result<(), Mismatch> {
        let pinned = self.desktop_name.as_ref().map(String::as_bytes);
        if pinned.is_some_and(|pinned| pinned != init.name) {
            return Err(Mismatch::DesktopName(PeerText::clean(&init.name)));
        }
        if self.machine_uuid.is_some_and(|it| !it.is_in(&init.name)) {
            return Err(Mismatch::MachineUuid(PeerText::clean(&init.name)));
        }
        Ok(())
    }
}

impl Fingerprint {
    /// A hash that was taken before.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a key.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Takes hexadecimal digits, also with colons between the bytes as OpenSSL prints them, and
    /// base64 as `curl --pinnedpubkey` takes it; in front `sha256:` or `sha256//`, or nothing.
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let hash = text
            .strip_prefix("sha256//")
            .or_else(|| text.strip_prefix("sha256:"))
            .unwrap_or(text);
        let hex = if hash.len() == 95 {
            let bytes: Vec<&str> = hash.split(':').collect();
            bytes
                .iter()
                .all(|byte| byte.len() == 2)
                .then(|| bytes.concat())
        } else {
            Some(hash.to_owned()).filter(|hash| hash.len() == 64)
        };
        let bytes = match hex {
            Some(hex) => HEXLOWER_PERMISSIVE.decode(hex.as_bytes()),
            None => BASE64.decode(hash.as_bytes()),
        };
        bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(BadFingerprint)
    }
}

/// `sha256:` and 64 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl MachineUuid {
    /// A UUID out of its bytes, in the order of its digits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, in the order of the digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether a desktop's name has it in it, in upper or lower case.
    fn is_in(self, name: &[u8]) -> bool {
        let text = self.to_string();
        name.windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
    }
}

impl FromStr for MachineUuid {
    type Err = BadUuid;

    fn from_str(text: &str) -> Result<Self, BadUuid> {
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        if lengths != [8, 4, 4, 4, 12] {
            return Err(BadUuid);
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(groups.concat().as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(BadUuid)
    }
}

impl fmt::Display for MachineUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let group = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            group(96, 8),
            group(80, 4),
            group(64, 4),
            group(48, 4),
            group(0, 12)
        )
    }
}

/// `"name"`, or that it has none.
struct Named<'a>(Option<&'a PeerText>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "\"{name}\""),
            None => f.write_str("not at all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfb::init::tests::qemu;

    /// SHA-256 of "abc": FIPS 180-2, B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

    #[test]
    fn fingerprints_are_read_in_all_their_spellings() {
        let colons: Vec<_> = ABC
            .as_bytes()
            .chunks(2)
            .map(|b| str::from_utf8(b).unwrap())
            .collect();
        for text in [
            ABC.to_owned(),
            format!("sha256:{}", ABC.to_uppercase()),
            colons.join(":"),
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".to_owned(),
        ] {
            assert_eq!(text.parse(), Ok(Fingerprint::of(b"abc")), "{text}");
        }
        assert_eq!(Fingerprint::of(b"abc").to_string(), format!("sha256:{ABC}"));
        for text in [
            "",
            "abc",
            &ABC[1..],
            &ABC.replace('b', "g"),
            &ABC.replace("ba", "b:"),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(BadFingerprint), "{text}");
        }
    }

    #[test]
    fn uuids_read_back_and_nothing_else_is_one() {
        let uuid: MachineUuid = UUID.to_uppercase().parse().unwrap();
        assert_eq!(uuid.to_string(), UUID);
        for text in [
            "",
            &UUID.replace('-', ""),
            &UUID.replace('e', "x"),
            &UUID[1..],
        ] {
            assert_eq!(text.parse::<MachineUuid>(), Err(BadUuid), "{text}");
        }
    }

    #[test]
    fn a_certificate_is_one_of_the_pinned_or_refused() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|key| Fingerprint::of(key));
        let pinned = Identity {
            certificates: vec![a, b],
            ..Identity::default()
        };
        assert_eq!(pinned.check_certificate(Some(b)), Ok(()));
        assert_eq!(
            pinned.check_certificate(Some(c)),
            Err(Mismatch::Certificate(c))
        );
        assert_eq!(pinned.check_certificate(None), Err(Mismatch::NoCertificate));
        assert_eq!(Identity::default().check_certificate(None), Ok(()));
    }

    #[test]
    fn an_ra2_key_is_the_pinned_one_or_refused() {
        let [a, b] = [b"a", b"b"].map(|key| Fingerprint::of(key));
        let pinned = Identity {
            ra2_key: Some(a),
            ..Identity::default()
        };
        assert_eq!(pinned.check_ra2_key(Some(a)), Ok(()));
        assert_eq!(pinned.check_ra2_key(Some(b)), Err(Mismatch::Ra2Key(b)));
        assert_eq!(pinned.check_ra2_key(None), Err(Mismatch::NoRa2Key));
        assert_eq!(Identity::default().check_ra2_key(Some(b)), Ok(()));
    }

    #[test]
    fn a_desktop_has_the_pinned_name_and_the_uuid_in_it() {
        let init = |name: &str| {
            let mut init = qemu();
            init.name = name.as_bytes().to_vec();
            init
        };
        let named = Identity {
            desktop_name: Some("QEMU (web-01)".to_owned()),
            ..Identity::default()
        };
        assert_eq!(named.check_desktop(&init("QEMU (web-01)")), Ok(()));
        let error = named.check_desktop(&init("QEMU (web-011)")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the desktop is not named as pinned, but \"QEMU (web-011)\""
        );
        assert_eq!(
            named.check_desktop(&init("")),
            Err(Mismatch::DesktopName(None))
        );

        let known = Identity {
            machine_uuid: Some(UUID.parse().unwrap()),
            ..Identity::default()
        };
        assert_eq!(
            known.check_desktop(&init(&format!("QEMU ({UUID})"))),
            Ok(())
        );
        assert_eq!(known.check_desktop(&init(&UUID.to_uppercase())), Ok(()));
        let other = UUID.replace("426", "427");
        assert!(known.check_desktop(&init(&other)).is_err());
        assert_eq!(Identity::default().check_desktop(&init("x")), Ok(()));
    }

    #[test]
    fn an_identity_has_bounds() {
        let named = |len: usize| Identity {
            desktop_name: Some("n".repeat(len)),
            ..Identity::default()
        };
        assert_eq!(named(MAX_DESKTOP_NAME).check(), Ok(()));
        for len in [0, MAX_DESKTOP_NAME + 1] {
            assert_eq!(named(len).check(), Err(BadIdentity::DesktopName));
        }
        let pinned = |count| Identity {
            certificates: vec![Fingerprint::of(b""); count],
            ..Identity::default()
        };
        assert_eq!(pinned(MAX_CERTIFICATES).check(), Ok(()));
        let many = pinned(MAX_CERTIFICATES + 1);
        assert_eq!(many.check(), Err(BadIdentity::Certificates));
    }
}
