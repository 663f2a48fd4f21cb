//! What has to be right about a host's certificate.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::rfb::SwapError;
use crate::rfb::identity::{Fingerprint, Mismatch};
use crate::rfb::peer_text::PeerText;

/// How much of a certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// An authority that is believed has issued it, for the host's name.
    Full,
    /// An authority that is believed has issued it, for whomever.
    Chain,
    /// Nothing.
    None,
}

/// Which settings a refusal names, as whoever reads it can change them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remedy {
    /// Those of the target's profile.
    #[default]
    Profile,
    /// The flags of a command that asks the API.
    Flags,
    /// None.
    Nothing,
}

/// Why a text is not a [`Verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither full nor chain nor none")]
pub struct UnknownVerify;

impl Verify {
    /// The word in configuration and log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Chain => "chain",
            Self::None => "none",
        }
    }
}

impl FromStr for Verify {
    type Err = UnknownVerify;

    fn from_str(text: &str) -> Result<Self, UnknownVerify> {
        [Self::Full, Self::Chain, Self::None]
            .into_iter()
            .find(|verify| verify.name() == text)
            .ok_or(UnknownVerify)
    }
}

/// What proved that a host inside TLS is who it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An authority, for the host's name.
    Full,
    /// An authority, for whomever.
    Chain,
    /// The pin of its key.
    Pin,
    /// Nothing: the configuration says `verify = "none"`.
    Nothing,
}

impl Proof {
    /// The word in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Chain => "chain",
            Self::Pin => "pin",
            Self::Nothing => "unverified",
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What holds for all connections of a profile.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) roots: RootCertStore,
    /// Not said: the pins alone where there are some, else all of it.
    pub(super) verify: Option<Verify>,
    /// The key of the certificate is one of these; empty: any.
    pub(super) pins: Vec<Fingerprint>,
    pub(super) remedy: Remedy,
}

/// The check of one connection's certificate.
#[derive(Debug)]
pub(super) struct Check {
    rules: Arc<Rules>,
    /// What the grant pins, beside what the rules do.
    pins: Arc<[Fingerprint]>,
    algorithms: WebPkiSupportedAlgorithms,
    shown: OnceLock<Fingerprint>,
    refused: OnceLock<PinRefused>,
}

#[derive(Clone, Copy, Debug)]
enum PinRefused {
    ByRules,
    ByGrant,
}

impl Check {
    pub(super) fn new(rules: Arc<Rules>, pins: Arc<[Fingerprint]>) -> Self {
        Self {
            rules,
            pins,
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
            shown: OnceLock::new(),
            refused: OnceLock::new(),
        }
    }

    /// What the check proves when it passes.
    pub(super) fn proof(&self) -> Proof {
        let pinned = !self.rules.pins.is_empty() || !self.pins.is_empty();
        match self.rules.verify {
            Some(Verify::Full) => Proof::Full,
            Some(Verify::Chain) => Proof::Chain,
            _ if pinned => Proof::Pin,
            None => Proof::Full,
            Some(Verify::None) => Proof::Nothing,
        }
    }

    /// The key that the host showed, once it has.
    pub(super) fn shown(&self) -> Option<Fingerprint> {
        self.shown.get().copied()
    }

    /// What a refusal is called, and which setting helps.
    pub(super) fn explain(&self, why: &CertificateError) -> SwapError {
        let shown = self.shown();
        if let (Some(refused), Some(shown)) = (self.refused.get(), shown) {
            let mismatch = Mismatch::Certificate(shown);
            return match refused {
                PinRefused::ByGrant => SwapError::Identity(mismatch),
                PinRefused::ByRules => SwapError::Certificate(mismatch.to_string()),
            };
        }
        let key = shown.map_or_else(String::new, |shown| format!(" (its key is {shown})"));
        SwapError::Certificate(format!("{}{key}", words(why, self.rules.remedy)))
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let key = Fingerprint::of(certificate.subject_public_key_info().as_ref());
        let _ = self.shown.set(key);
        let proof = self.proof();
        if matches!(proof, Proof::Full | Proof::Chain) {
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &self.rules.roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        if proof == Proof::Full {
            verify_server_name(&certificate, name)?;
        }
        let pins = [
            (&*self.rules.pins, PinRefused::ByRules),
            (&*self.pins, PinRefused::ByGrant),
        ];
        for (pins, by) in pins {
            if !pins.is_empty() && !pins.contains(&key) {
                let _ = self.refused.set(by);
                return Err(CertificateError::ApplicationVerificationFailure.into());
            }
        }
        Ok(())
    }
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, name, now)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What is wrong, and which setting helps.
fn words(why: &CertificateError, remedy: Remedy) -> String {
    let (wrong, profile, flags) = match why {
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            "it names nobody in subjectAltName, and a name in its subject alone does not count"
                .to_owned(),
            "; a new certificate helps, or verify = \"chain\" or pin_sha256 in the target's profile",
            "; a new certificate helps",
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let presented = PeerText::clean(presented.join(", ").as_bytes());
            let presented = presented.map_or_else(String::new, |names| names.to_string());
            (
                format!("it is for {presented} and not for {}", expected.to_str()),
                "; server_name in the target's profile says for whom it should be",
                "",
            )
        }
        // A bad signature is that of another authority with the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "no certificate authority that is believed has issued it".to_owned(),
            "; ca_file or pin_sha256 in the target's profile helps",
            "; --ca-file names the one that has",
        ),
        // What `openssl req -x509` makes: an authority that shows itself. The library has no
        // variant of its own for it.
        CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => (
            "it is that of an authority and not of a host".to_owned(),
            "; pin_sha256 in the target's profile takes it",
            "",
        ),
        why => (why.to_string(), "", ""),
    };
    let helps = match remedy {
        Remedy::Profile => profile,
        Remedy::Flags => flags,
        Remedy::Nothing => "",
    };
    format!("{wrong}{helps}")
}
