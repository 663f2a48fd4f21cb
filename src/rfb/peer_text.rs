//! Words that a peer sent, made fit to be shown.

use std::fmt;

/// The longest text that is shown of a peer, in characters.
pub const MAX_CHARS: usize = 256;

/// A peer's words after cleaning: no control characters, one line, at most [`MAX_CHARS`] characters,
/// never empty.
///
/// RFB does not say in which encoding reasons are: what is UTF-8 is read so, all else as Latin-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerText(Box<str>);

impl PeerText {
    /// Cleans a peer's bytes; nothing is left of blanks and control characters alone.
    ///
    /// QEMU counts a final NUL into its reasons; it goes with the other control characters.
    #[must_use]
    pub fn clean(bytes: &[u8]) -> Option<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        };
        let spaced = text.replace(|c: char| c.is_control() || is_unseen(c), " ");
        let words: Vec<_> = spaced.split_whitespace().collect();
        let line: String = words.join(" ").chars().take(MAX_CHARS).collect();
        if line.is_empty() {
            None
        } else {
            Some(Self(line.into()))
        }
    }

    /// Words of our own, where a peer speaks in numbers. They are one line, and never empty.
    #[must_use]
    pub fn ours(words: &'static str) -> Self {
        Self(words.into())
    }

    /// The start of something that is not RFB, with its bytes escaped.
    #[must_use]
    pub fn escape(bytes: &[u8]) -> Self {
        Self(
            bytes
                .escape_ascii()
                .to_string()
                .chars()
                .take(MAX_CHARS)
                .collect(),
        )
    }

    /// The cleaned text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that nobody sees and that change the direction or the look of what is around them, in
/// logs and pages alike: Unicode's format characters (Cf) that stand alone, and its line and
/// paragraph separators.
#[must_use]
pub const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

impl fmt::Display for PeerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(bytes: &[u8]) -> Option<String> {
        PeerText::clean(bytes).map(|text| text.to_string())
    }

    #[test]
    fn text_is_made_fit_to_be_shown() {
        assert_eq!(
            clean(b"Authentication failed\0").as_deref(),
            Some("Authentication failed")
        );
        assert_eq!(clean(b"a\r\n\tb\x1b[31mc").as_deref(), Some("a b [31mc"));
        assert_eq!(
            clean("z\u{fc}rich \u{202e}x".as_bytes()).as_deref(),
            Some("z\u{fc}rich x")
        );
        assert_eq!(
            clean(b"z\xfcrich").as_deref(),
            Some("z\u{fc}rich"),
            "Latin-1"
        );
        assert_eq!(clean(b" \0\n"), None);
        assert_eq!(clean(b""), None);
        assert_eq!(clean(&[b'x'; 5000]).map(|text| text.len()), Some(MAX_CHARS));
    }

    #[test]
    fn other_protocols_are_escaped() {
        assert_eq!(
            PeerText::escape(b"HTTP/1.1 \r\n\x16").as_str(),
            "HTTP/1.1 \\r\\n\\x16"
        );
    }
}
