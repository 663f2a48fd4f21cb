//! Until when a certificate holds ([RFC 5280, 4.1.2.5]).
//!
//! [RFC 5280, 4.1.2.5]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5

use crate::clock::UnixTime;
use crate::tls::der::{SEQUENCE, element, inside};
use crate::wire::Reader;

/// The tags of DER that lie on the way.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A two-digit year from here on belongs to the twentieth century.
const TURN: u32 = 50;

/// The last moment at which a certificate holds; `None` where it cannot be read.
#[must_use]
pub fn not_after(certificate: &[u8]) -> Option<UnixTime> {
    let certificate = inside(&mut Reader::new(certificate), SEQUENCE)?;
    let mut fields = Reader::new(inside(&mut Reader::new(certificate), SEQUENCE)?);
    // Version, which may be left out, serial number, signature algorithm, issuer.
    let (tag, _) = element(&mut fields)?;
    for _ in 0..if tag == VERSION { 3 } else { 2 } {
        element(&mut fields)?;
    }
    let mut validity = Reader::new(inside(&mut fields, SEQUENCE)?);
    element(&mut validity)?;
    let (tag, text) = element(&mut validity)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<UnixTime> {
    let year_digits = match tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    };
    let text = text.strip_suffix('Z')?;
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = text.split_at_checked(year_digits)?;
    let year: u32 = year.parse().ok().filter(|_| all_digits)?;
    let year = match tag {
        UTC_TIME if year < TURN => 2000 + year,
        UTC_TIME => 1900 + year,
        _ => year,
    };
    let part = |at: usize| rest.get(at..at + 2);
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
    if rest.len() != 10 {
        return None;
    }
    format!("{year:04}-{month}-{day}T{hour}:{minute}:{second}Z")
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 2, 3);
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_spellings() {
        for year in [1999, 2026, 2049, 2050, 4096] {
            let end = not_after(&certificate(year)).map(|it| it.to_string());
            assert_eq!(end, Some(format!("{year}-02-03T00:00:00Z")));
        }
    }

    #[test]
    fn what_is_cut_short_has_no_end() {
        let whole = certificate(2026);
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = not_after(&bytes);
        }

        #[test]
        fn any_byte_may_be_wrong(at in 0_usize..300, byte in any::<u8>()) {
            let mut bytes = certificate(2026);
            if let Some(it) = bytes.get_mut(at) {
                *it = byte;
            }
            let _ = not_after(&bytes);
        }
    }
}
