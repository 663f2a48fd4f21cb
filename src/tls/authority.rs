//! Whether a certificate is an authority's ([RFC 5280, 4.2.1.9]).
//!
//! Who is in a list of authorities is believed whatever its certificate says of itself, so that a client's
//! own certificate there could issue others.
//!
//! [RFC 5280, 4.2.1.9]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.9

use crate::tls::der::{SEQUENCE, element, inside};
use crate::wire::Reader;

const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const EXTENSIONS: u8 = 0xa3;

/// id-ce-basicConstraints, 2.5.29.19.
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];

/// Whether its basic constraints say that it is one.
#[must_use]
pub fn is_authority(certificate: &[u8]) -> bool {
    constraints(certificate).is_some_and(|constraints| {
        let said = element(&mut Reader::new(constraints));
        said.is_some_and(|(tag, value)| tag == BOOLEAN && value != [0])
    })
}

/// What is inside the basic constraints, if there are any.
fn constraints(certificate: &[u8]) -> Option<&[u8]> {
    let certificate = inside(&mut Reader::new(certificate), SEQUENCE)?;
    let mut fields = Reader::new(inside(&mut Reader::new(certificate), SEQUENCE)?);
    let extensions = loop {
        let (tag, contents) = element(&mut fields)?;
        if tag == EXTENSIONS {
            break contents;
        }
    };
    let mut extensions = Reader::new(inside(&mut Reader::new(extensions), SEQUENCE)?);
    loop {
        let mut extension = Reader::new(inside(&mut extensions, SEQUENCE)?);
        let (_, id) = element(&mut extension)?;
        if id == BASIC_CONSTRAINTS {
            // Whether it is critical may stand between.
            let (mut tag, mut value) = element(&mut extension)?;
            if tag == BOOLEAN {
                (tag, value) = element(&mut extension)?;
            }
            return (tag == OCTET_STRING).then(|| inside(&mut Reader::new(value), SEQUENCE))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    fn made(is_ca: IsCa) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn an_authority_says_that_it_is_one() {
        let authority = made(IsCa::Ca(BasicConstraints::Unconstrained));
        assert!(is_authority(&authority));
        assert!(is_authority(&made(IsCa::Ca(
            BasicConstraints::Constrained(0)
        ))));
        for other in [made(IsCa::NoCa), made(IsCa::ExplicitNoCa)] {
            assert!(!is_authority(&other));
        }
        // However much of it is there, it is read without a panic.
        for end in 0..authority.len() {
            assert!(!is_authority(&authority[..end]));
        }
    }
}
