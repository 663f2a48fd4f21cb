//! The head of an answer: status line and headers ([RFC 9112, 4 and 5]).
//!
//! ```text
//!            12 bytes or a line            a line                    an empty line
//!   Begin ───────────────────> Status ─────────────> Fields ──────────────────────> the head
//!                                                       └─ interim (1xx): back to Begin
//! ```
//!
//! [RFC 9112, 4 and 5]: https://www.rfc-editor.org/rfc/rfc9112#section-4

use crate::rfb::peer_text::PeerText;
use crate::wire::Reader;

/// The longest head that is read, in bytes, with all interim ones before it.
pub const MAX_HEAD: usize = 16 * 1024;

/// The most headers in it.
const MAX_FIELDS: usize = 128;

/// After so many bytes it can be said whether it is HTTP: `HTTP/1.1 200`.
const START: usize = 12;

/// The status of an answer that changes the protocol, which is final though it begins with 1.
const SWITCHING: u16 = 101;

/// An answer without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whether it is HTTP/1.1 or a later 1.x.
    pub http_1_1: bool,
    /// 101, or 200 to 599.
    pub status: u16,
    /// Names in lower case, and values.
    fields: Vec<(Box<str>, Box<str>)>,
}

impl Head {
    /// The values of all headers of that name (in lower case), joined with `", "`; empty when there
    /// is none. Whoever shows them cleans them first.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let values = self.fields.iter().filter(|(it, _)| &**it == name);
        let values: Vec<&str> = values.map(|(_, value)| &**value).collect();
        values.join(", ")
    }
}

/// Why bytes are not the head of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHead {
    /// What was received is no status line. Another protocol may be spoken there.
    #[error("not an HTTP answer: it began with \"{0}\"")]
    NotHttp(PeerText),
    /// It does not end.
    #[error("an HTTP head of over {MAX_HEAD} bytes or {MAX_FIELDS} headers")]
    TooLong,
    /// A line of it is no header.
    #[error("an HTTP head with a line that is no header")]
    Field,
}

/// Reads the head of an answer in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// The line that is coming in.
    line: Vec<u8>,
    /// Bytes so far.
    taken: usize,
    /// The head whose headers are coming in.
    head: Option<Head>,
}

impl HeadReader {
    /// Takes bytes off the front of `input`: all of them for `None`, or up to the end of the head.
    ///
    /// Interim answers are read over.
    ///
    /// # Errors
    /// [`BadHead`]; the reader is of no use any more.
    pub fn step(&mut self, input: &mut Reader<'_>) -> Result<Option<Head>, BadHead> {
        while let Ok(byte) = input.u8("head") {
            self.taken += 1;
            if self.taken > MAX_HEAD {
                return Err(BadHead::TooLong);
            }
            if byte != b'\n' {
                self.line.push(byte);
                if self.head.is_none() && self.line.len() == START {
                    status(&self.line)?;
                }
                continue;
            }
            // A line feed alone ends a line as well (RFC 9112, 2.2).
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            match &mut self.head {
                None => self.head = Some(status_line(line)?),
                Some(head) if !line.is_empty() => {
                    if head.fields.len() == MAX_FIELDS {
                        return Err(BadHead::TooLong);
                    }
                    head.fields.push(field(line)?);
                }
                Some(_) => {
                    let whole = self.head.take();
                    let whole = whole.filter(|it| it.status >= 200 || it.status == SWITCHING);
                    if whole.is_some() {
                        return Ok(whole);
                    }
                }
            }
        }
        Ok(None)
    }
}

/// `HTTP/1.x nnn`, of 12 bytes: whether it is 1.1 at least, and the status.
fn status(start: &[u8]) -> Result<(bool, u16), BadHead> {
    let parsed = start.strip_prefix(b"HTTP/1.").and_then(|rest| match rest {
        [
            minor @ b'0'..=b'9',
            b' ',
            first @ b'1'..=b'5',
            second,
            third,
        ] => {
            let digits = [*first, *second, *third].map(|digit| char::from(digit).to_digit(10));
            let [Some(a), Some(b), Some(c)] = digits else {
                return None;
            };
            let status = u16::try_from(a * 100 + b * 10 + c).ok()?;
            Some((*minor > b'0', status))
        }
        _ => None,
    });
    parsed.ok_or_else(|| BadHead::NotHttp(PeerText::escape(start)))
}

/// A status line without its end. The phrase is nobody's business ([RFC 9112, 4]).
///
/// [RFC 9112, 4]: https://www.rfc-editor.org/rfc/rfc9112#section-4
fn status_line(line: &[u8]) -> Result<Head, BadHead> {
    let (start, phrase) = line.split_at_checked(START).unwrap_or((line, b""));
    let (http_1_1, status) = status(start)?;
    if !matches!(phrase, [] | [b' ', ..]) || !is_text(phrase) {
        return Err(BadHead::NotHttp(PeerText::escape(line)));
    }
    Ok(Head {
        http_1_1,
        status,
        fields: Vec::new(),
    })
}

/// A header's line. One that goes on with a blank would belong to the line before, which has not
/// been allowed for long ([RFC 9112, 5.2]).
///
/// [RFC 9112, 5.2]: https://www.rfc-editor.org/rfc/rfc9112#section-5.2
fn field(line: &[u8]) -> Result<(Box<str>, Box<str>), BadHead> {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = colon
        .and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?)))
        .ok_or(BadHead::Field)?;
    let name = std::str::from_utf8(name).map_err(|_| BadHead::Field)?;
    let graphic = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || !graphic || !is_text(value) {
        return Err(BadHead::Field);
    }
    let value = String::from_utf8_lossy(value);
    let value = value.trim_matches([' ', '\t']);
    Ok((name.to_ascii_lowercase().into(), value.into()))
}

/// No control characters but tabs. What is not ASCII is old, and allowed.
fn is_text(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The outcome, and what is left behind the head.
    fn read(pieces: &[&[u8]]) -> (Result<Option<Head>, BadHead>, Vec<u8>) {
        let mut machine = HeadReader::default();
        for (index, piece) in pieces.iter().enumerate() {
            let mut input = Reader::new(piece);
            let step = machine.step(&mut input);
            let left = [&[input.rest()], pieces.get(index + 1..).unwrap()].concat();
            match step {
                Ok(None) => assert!(input.is_empty()),
                Ok(head) => return (Ok(head), left.concat()),
                Err(error) => return (Err(error), Vec::new()),
            }
        }
        (Ok(None), Vec::new())
    }

    fn whole(bytes: &[u8]) -> Head {
        read(&[bytes]).0.unwrap().unwrap()
    }

    #[test]
    fn xapi_lets_us_through_and_the_hosts_bytes_stay() {
        let bytes = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nCache-Control: no-cache, no-store\r\n\r\nRFB 003.003\n";
        let (head, left) = read(&[bytes]);
        let head = head.unwrap().unwrap();
        assert_eq!((head.http_1_1, head.status), (true, 200));
        assert_eq!(head.field("cache-control"), "no-cache, no-store");
        assert_eq!(left, b"RFB 003.003\n");
    }

    #[test]
    fn what_servers_write_is_read() {
        assert_eq!(whole(b"HTTP/1.0 401\n\n").status, 401);
        assert!(!whole(b"HTTP/1.0 401\n\n").http_1_1);
        assert_eq!(whole(b"HTTP/1.1 503 \r\n\r\n").status, 503);
        assert_eq!(
            whole(b"HTTP/1.1 500 Erreur g\xe9n\xe9rale\r\n\r\n").status,
            500
        );
        let joined = whole(b"HTTP/1.1 101 x\r\nA:1\r\nb: \r\na:\t2 \r\n\r\n");
        assert_eq!(
            (joined.field("a").as_str(), joined.field("b").as_str()),
            ("1, 2", "")
        );
        assert_eq!(joined.field("c"), "");
        // Interim answers are no answers.
        let interim =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(
            (whole(interim).status, whole(interim).field("a").as_str()),
            (200, "")
        );
    }

    #[test]
    fn what_is_not_http_is_told_at_once() {
        let began = |bytes: &[u8]| match read(&[bytes]).0 {
            Err(BadHead::NotHttp(text)) => text.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(began(b"RFB 003.008\n"), "RFB 003.008");
        assert_eq!(
            began(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x00\x11"),
            r"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00"
        );
        assert_eq!(began(b"\n"), "");
        for line in [
            "HTTP/1.1 2x0 OK",
            "HTTP/1.1  200 OK",
            "HTTP/2.0 200 OK",
            "http/1.1 200 OK",
            "HTTP/1.1 099 OK",
            "HTTP/1.1 600 OK",
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 200\tOK",
            "HTTP/1.1 20",
            " HTTP/1.1 200 OK",
            "HTTP/1.1 200 O\rK",
            "HTTP/1.1 200 O\0K",
        ] {
            began(format!("{line}\r\n\r\n").as_bytes());
        }
    }

    #[test]
    fn lines_that_are_no_headers_are_refused() {
        for line in [
            "a",
            ":b",
            "a b: c",
            "a : b",
            " folded: x",
            "\tfolded",
            "a: b\rc: d",
            "a: b\0",
            "\u{e9}: b",
        ] {
            let bytes = format!("HTTP/1.1 200 OK\r\nx: y\r\n{line}\r\n\r\n");
            assert_eq!(read(&[bytes.as_bytes()]).0, Err(BadHead::Field), "{line:?}");
        }
    }

    #[test]
    fn a_head_without_end_is_given_up() {
        let one_line = [b"HTTP/1.1 200 OK\r\na: ".to_vec(), vec![b'x'; MAX_HEAD]].concat();
        let many_lines = format!("HTTP/1.1 200 OK\r\n{}", "a:\n".repeat(MAX_FIELDS + 1));
        let interim = "HTTP/1.1 100 x\r\n\r\n".repeat(MAX_HEAD / 18 + 1);
        for bytes in [&one_line[..], many_lines.as_bytes(), interim.as_bytes()] {
            assert_eq!(read(&[bytes]).0, Err(BadHead::TooLong));
        }
        let mut fits = b"HTTP/1.1 200 OK\r\na: ".to_vec();
        fits.resize(MAX_HEAD - 4, b'x');
        fits.extend(b"\r\n\r\n");
        assert_eq!(whole(&fits).status, 200);
        fits.insert(20, b'x');
        assert_eq!(read(&[&fits]).0, Err(BadHead::TooLong));
    }

    proptest! {
        #[test]
        fn the_outcome_does_not_depend_on_the_cut(
            bytes in "(HTTP/1\\.1 (100|101|200|302|503) .{0,5}\r?\n([a-z]{0,3}: ?[ -~]{0,8}\r?\n){0,3}\r?\n){0,2}.{0,20}",
            cuts in proptest::collection::vec(1..9_usize, 0..80),
        ) {
            let bytes = bytes.as_bytes();
            let (mut pieces, mut rest) = (Vec::new(), bytes);
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces.push(rest);
            prop_assert_eq!(read(&pieces), read(&[bytes]));
        }
    }
}
