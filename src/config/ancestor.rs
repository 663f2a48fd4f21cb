//! Who may show the console in a frame.

use super::raw::{Typed, Value};
use super::url::Authority;
use super::value::{Item, Wrong, quote};
use crate::target::HostName;

/// One source of the `frame-ancestors` directive ([CSP, 2.3.1]): safe to stand in the header.
///
/// [CSP, 2.3.1]: https://www.w3.org/TR/CSP3/#framework-directive-source-list
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameAncestor(String);

impl FrameAncestor {
    /// As it stands in the header: `'self'`, `https://cloud.example`, `https://*.cloud.example:8443`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Strict, because a `;`, a comma or a space here would write other directives.
    fn parse(text: &str) -> Option<Self> {
        if text == "'self'" {
            return Some(Self(text.to_owned()));
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = Some(scheme).filter(|s| matches!(*s, "https" | "http"))?;
        let (wildcard, rest) = match rest.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", rest),
        };
        let authority = Authority::parse(rest)?;
        let name = matches!(authority.host, HostName::Dns(_));
        (name || wildcard.is_empty()).then(|| Self(format!("{scheme}://{wildcard}{authority}")))
    }
}

impl Item for FrameAncestor {
    const LIST: &'static str = "a list of origins such as [\"https://cloud.example\"]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        const EXPECTED: &str =
            "'self' or an origin such as https://cloud.example or https://*.cloud.example";
        match &typed.value {
            Value::Text(text) => Self::parse(text),
            _ => None,
        }
        .ok_or_else(|| Wrong::not(typed, EXPECTED))
    }

    fn clash(_: &[Self]) -> Option<String> {
        None
    }

    fn item_to_toml(&self) -> String {
        quote(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_for_the_header() {
        for (typed, header) in [
            ("'self'", "'self'"),
            ("https://Cloud.example", "https://cloud.example"),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            (
                "https://*.cloud.example:8443",
                "https://*.cloud.example:8443",
            ),
        ] {
            let source = FrameAncestor::parse(typed);
            assert_eq!(source.as_ref().map(FrameAncestor::as_str), Some(header));
        }
    }

    #[test]
    fn nothing_else_gets_into_the_header() {
        for text in [
            "",
            "*",
            "self",
            "'none'",
            "https:",
            "cloud.example",
            "https://*",
            "https://*.10.0.0.1",
            "https://a.*.example",
            "https://cloud.example/",
            "https://cloud.example/path",
            "https://cloud.example; script-src *",
            "https://cloud.example, https://evil.example",
            "https://cloud.example\r\nX: y",
            "https://user@cloud.example",
            "javascript://cloud.example",
            "https://cloud.example:*",
        ] {
            assert_eq!(FrameAncestor::parse(text), None, "{text:?}");
        }
    }
}
