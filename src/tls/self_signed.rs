//! A certificate that nobody vouches for, for a gateway that has no other.

use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::tls::certificates::Certificates;
use crate::tls::pem::TlsError;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What it calls its owner.
const NAME: &str = "Fanlight (self-signed)";

/// Makes one for `names`, DNS names and addresses, that holds from the day before `now` for about a
/// year, and gives its SHA-256 as browsers show it. Its key is in memory alone.
///
/// # Errors
/// [`TlsError`] when one of the names cannot be in a certificate, or the library refuses.
pub fn self_signed(names: Vec<String>, now: UnixTime) -> Result<(Certificates, String), TlsError> {
    let key = KeyPair::generate().map_err(TlsError::SelfSigned)?;
    let mut params = CertificateParams::new(names).map_err(TlsError::SelfSigned)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.as_secs());
    (params.not_before, params.not_after) = (now - DAY, now + 366 * DAY);
    let certificate = params.self_signed(&key).map_err(TlsError::SelfSigned)?;
    let certificate = certificate.der().clone();
    let fingerprint: Vec<String> = Sha256::digest(&certificate)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let certificates = Certificates::fixed(certificate, key.into())?;
    Ok((certificates, fingerprint.join(":")))
}
