//! The payload of a close frame ([RFC 6455, 5.5.1] and [7.4]).
//!
//! [RFC 6455, 5.5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
//! [7.4]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4

use super::frame::MAX_CONTROL;
use super::violation::Violation;

/// Bytes left for the reason: a control frame's 125 less 2 for the code.
const MAX_REASON: usize = MAX_CONTROL - 2;

/// Why the peer closes: what its close frame says, when it says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999.
    pub code: u16,
    /// The peer's own words, at most 123 bytes and often empty. Whoever shows or logs them
    /// escapes them first.
    pub reason: String,
}

impl CloseFrame {
    /// Reads a close frame's payload, already unmasked. An empty one is `None`: the peer gives
    /// no reason.
    ///
    /// # Errors
    ///
    /// [`Violation::HalfCloseCode`], [`Violation::CloseCode`] or [`Violation::CloseReasonUtf8`].
    pub(super) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(Violation::HalfCloseCode),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !may_be_sent(code) {
            return Err(Violation::CloseCode(code));
        }
        let reason = str::from_utf8(reason).map_err(|_| Violation::CloseReasonUtf8)?;
        Ok(Some(Self {
            code,
            reason: reason.to_owned(),
        }))
    }
}

/// Whether a close code may stand in a frame.
///
/// 1004 was never given a meaning; 1005, 1006 and 1015 are what an endpoint tells itself; 1012 to
/// 1014 were registered with IANA after the RFC; 3000 to 4999 belong to libraries and
/// applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The payload of a close frame that says `code` and `reason`: 2 to 125 bytes.
///
/// A reason over 123 bytes is cut at the last character that fits whole.
#[must_use]
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let end = (0..=reason.len().min(MAX_REASON))
        .rev()
        .find(|&end| reason.is_char_boundary(end))
        .unwrap_or(0);
    let (reason, _) = reason.split_at(end);
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (code, reason) in [(1000, ""), (1001, "bye"), (4999, "Grüße")] {
            let read = CloseFrame::parse(&close_payload(code, reason))
                .unwrap()
                .unwrap();
            assert_eq!((read.code, read.reason.as_str()), (code, reason));
        }
    }

    #[test]
    fn a_close_may_say_nothing_but_not_half_a_code() {
        assert_eq!(CloseFrame::parse(&[]), Ok(None));
        assert_eq!(CloseFrame::parse(&[3]), Err(Violation::HalfCloseCode));
    }

    #[test]
    fn codes_that_must_not_be_sent_are_refused() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            let payload = close_payload(code, "");
            assert_eq!(CloseFrame::parse(&payload), Err(Violation::CloseCode(code)));
        }
        for code in [1000, 1003, 1007, 1011, 1012, 1014, 3000, 4999] {
            assert!(
                CloseFrame::parse(&close_payload(code, "")).is_ok(),
                "{code}"
            );
        }
    }

    #[test]
    fn a_reason_must_be_utf8() {
        assert_eq!(
            CloseFrame::parse(b"\x03\xe8\xff"),
            Err(Violation::CloseReasonUtf8)
        );
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(close_payload(1000, &"x".repeat(200)).len(), MAX_CONTROL);
        // 61 two-byte characters are 122 bytes, and the 62nd would end at 124.
        let cut = close_payload(1000, &"ü".repeat(100));
        assert_eq!(cut.len(), 2 + 122);
        assert!(CloseFrame::parse(&cut).is_ok());
    }
}
