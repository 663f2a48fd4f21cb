//! What a machine must be: pins that a grant carries, against ports that were given to another
//! machine in the meantime.

mod fingerprint;
mod machine_uuid;

use std::fmt;

pub use fingerprint::{BadFingerprint, Fingerprint};
pub use machine_uuid::{BadUuid, MachineUuid};

use crate::rfb::host::HostError;
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

    /// What a handshake came to, when its end is held against the pins. `certificate` and
    /// `ra2_key` are the keys that the host showed.
    ///
    /// # Errors
    /// The handshake's own, or [`HostError::Identity`].
    pub fn judge(
        &self,
        end: Result<ServerInit, HostError>,
        certificate: Option<Fingerprint>,
        ra2_key: Option<Fingerprint>,
    ) -> Result<ServerInit, HostError> {
        let init = end.map_err(|error| match error {
            // With a pinned certificate only logins inside TLS are allowed, and it offers none.
            HostError::Forbidden(_) if certificate.is_none() && !self.certificates.is_empty() => {
                Mismatch::NoCertificate.into()
            }
            error => error,
        })?;
        self.check_certificate(certificate)?;
        self.check_ra2_key(ra2_key)?;
        self.check_desktop(&init)?;
        Ok(init)
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

    const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

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
    fn a_host_that_lets_in_but_is_another_is_refused() {
        let key = Fingerprint::of(b"key");
        let pinned = Identity {
            certificates: vec![key],
            ..Identity::default()
        };
        let judge = |end, certificate| pinned.judge(end, certificate, None);
        assert_eq!(judge(Ok(qemu()), Some(key)), Ok(qemu()));
        let refused = Err(HostError::Identity(Mismatch::NoCertificate));
        assert_eq!(judge(Ok(qemu()), None), refused);
        let forbidden = || Err(HostError::Forbidden(Vec::new()));
        assert_eq!(judge(forbidden(), None), refused);
        assert_eq!(judge(forbidden(), Some(key)), forbidden());
        assert_eq!(
            Identity::default().judge(forbidden(), None, None),
            forbidden()
        );

        let named = Identity {
            desktop_name: Some("QEMU (web-02)".to_owned()),
            ..Identity::default()
        };
        let error = named.judge(Ok(qemu()), None, None).unwrap_err();
        assert!(matches!(
            error,
            HostError::Identity(Mismatch::DesktopName(_))
        ));
        let ra2 = Identity {
            ra2_key: Some(key),
            ..Identity::default()
        };
        assert!(ra2.judge(Ok(qemu()), None, None).is_err());
        assert!(ra2.judge(Ok(qemu()), None, Some(key)).is_ok());
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
