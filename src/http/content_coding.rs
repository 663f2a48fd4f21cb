//! Which content coding a client gets ([RFC 9110, 12.5.3]).
//!
//! [RFC 9110, 12.5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// A form in which a file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Brotli ([RFC 7932](https://www.rfc-editor.org/rfc/rfc7932)).
    Brotli,
    /// gzip ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)).
    Gzip,
    /// As it is.
    Identity,
}

impl Coding {
    /// All, the most welcome first: it decides between codings that the client weighs the same.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// The name in `Content-Encoding`, which says nothing about a file as it is.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What a stored file's name ends in.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// Whether `name`, as a client writes it, means this coding.
    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Brotli => name.eq_ignore_ascii_case("br"),
            Self::Gzip => name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip"),
            Self::Identity => name.eq_ignore_ascii_case("identity"),
        }
    }
}

/// What a client accepts, in thousandths of a weight per coding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    brotli: u16,
    gzip: u16,
    identity: u16,
    /// Named by nobody: acceptable, and liked less than anything that is named.
    identity_unnamed: bool,
}

impl Accepted {
    /// Reads every `Accept-Encoding` line of a request. Without one the file goes out as it is.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut named = [None; Coding::ALL.len()];
        let mut rest = None;
        let lines = headers.get_all(ACCEPT_ENCODING).iter();
        for item in lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
        {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let weight = parts.find_map(weight).unwrap_or(1000);
            if name == "*" {
                rest = Some(weight);
            }
            for (coding, slot) in Coding::ALL.into_iter().zip(&mut named) {
                if coding.is_called(name) {
                    *slot = Some(weight);
                }
            }
        }
        let [brotli, gzip, identity] = named;
        Self {
            brotli: brotli.or(rest).unwrap_or(0),
            gzip: gzip.or(rest).unwrap_or(0),
            identity: identity.or(rest).unwrap_or(0),
            identity_unnamed: identity.or(rest).is_none(),
        }
    }

    /// The best of the stored forms, or `None` when the client takes none of them.
    #[must_use]
    pub fn best(self, stored: impl Fn(Coding) -> bool) -> Option<Coding> {
        let mut best = None;
        for coding in Coding::ALL.into_iter().filter(|coding| stored(*coding)) {
            let weight = match coding {
                Coding::Brotli => self.brotli,
                Coding::Gzip => self.gzip,
                Coding::Identity => self.identity,
            };
            if weight > best.map_or(0, |(_, most)| most) {
                best = Some((coding, weight));
            }
        }
        match best {
            Some((coding, _)) => Some(coding),
            None if self.identity_unnamed && stored(Coding::Identity) => Some(Coding::Identity),
            None => None,
        }
    }
}

/// The thousandths in `q=0.5`; `None` for another parameter. A weight that is none counts as 0,
/// so that nobody gets a coding by a slip of the pen.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits_only = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > 3 || !digits_only {
        return Some(0);
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().unwrap_or(0);
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn choice(lines: &[&'static str]) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        Accepted::of(&headers).best(|_| true)
    }

    #[test]
    fn the_best_that_both_sides_know() {
        use Coding::{Brotli, Gzip, Identity};
        let rows: &[(&[&'static str], Option<Coding>)] = &[
            (&[], Some(Identity)),
            (&[""], Some(Identity)),
            (&["gzip, deflate, br, zstd"], Some(Brotli)),
            (&["gzip", "br"], Some(Brotli)),
            (&["gzip"], Some(Gzip)),
            (&["X-GZIP"], Some(Gzip)),
            (&["deflate"], Some(Identity)),
            (&["br;q=0.5, gzip"], Some(Gzip)),
            (&["br; q=0.5 , gzip ; Q=0.501"], Some(Gzip)),
            (&["br;q=0, gzip;q=0"], Some(Identity)),
            (&["identity, br;q=0.9"], Some(Identity)),
            (&["identity;q=0.1, br;q=0.001"], Some(Identity)),
            (&["*"], Some(Brotli)),
            (&["*;q=0.3, br;q=0"], Some(Gzip)),
            (&["identity;q=0"], None),
            (&["identity;q=0, gzip;q=0.001"], Some(Gzip)),
            (&["*;q=0"], None),
            (&["*;q=0, identity"], Some(Identity)),
            (&["br;q=2, gzip;q=x"], Some(Identity)),
            (&["br;q=0.1234"], Some(Identity)),
            (&["br;q=1.000"], Some(Brotli)),
            (&["br;q=1.001"], Some(Identity)),
        ];
        for (lines, expected) in rows {
            assert_eq!(choice(lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn only_what_is_stored() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"));
        let accepted = Accepted::of(&headers);
        assert_eq!(accepted.best(|c| c != Coding::Brotli), Some(Coding::Gzip));
        assert_eq!(
            accepted.best(|c| c == Coding::Identity),
            Some(Coding::Identity)
        );
    }
}
