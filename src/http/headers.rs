//! The security headers that every response carries.

use axum::http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// All of the policy but `frame-ancestors`.
///
/// noVNC draws JPEG and PNG rectangles and its cursor through `data:` images. `connect-src 'self'`
/// covers the WebSocket of the same host. Styles are set through the CSSOM, which `style-src
/// 'self'` allows. Nothing on the pages turns a string into markup or code, and
/// `require-trusted-types-for` makes the browser hold them to it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; media-src 'self'; connect-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; frame-ancestors";

/// What the page may ask the browser for; for what is not listed the browser's default holds.
const PERMISSIONS: &str = "clipboard-read=(self), clipboard-write=(self), fullscreen=(self), \
    keyboard-map=(self), screen-wake-lock=(self), camera=(), microphone=(), geolocation=()";

const COEP: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");
const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What the configuration says about the headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageHeaders {
    /// Who may show the page in a frame: `frame-ancestors` sources such as
    /// `https://portal.example`. Empty: nobody.
    pub frame_ancestors: Vec<String>,
    /// Whether the gateway is reached by TLS: then browsers are told to come by TLS for a year.
    pub hsts: bool,
}

impl PageHeaders {
    /// Puts the headers on a response, in place of any of the same name.
    ///
    /// The two headers that keep other origins at a distance must not keep out the portals that
    /// may frame the page:
    ///
    /// - `Cross-Origin-Opener-Policy` counts only for a page at the top of its tab, so it stays
    ///   `same-origin`. A portal that opens the console in a new tab keeps no handle on that tab.
    /// - `Cross-Origin-Resource-Policy` is looked at for a framed page only when the portal
    ///   isolates itself (`Cross-Origin-Embedder-Policy`). Such a portal frames nothing that is
    ///   not as strict and open to it. So with portals configured it is `cross-origin`, together
    ///   with an embedder policy of our own, which the page satisfies because everything it loads
    ///   is its own. What this opens are the pages and assets, and they hold nothing of anybody.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let fixed = [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (COOP, "same-origin"),
            (PERMISSIONS_POLICY, PERMISSIONS),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let sources = self.sources();
        if sources.is_empty() {
            headers.insert(CORP, HeaderValue::from_static("same-origin"));
        } else {
            headers.insert(CORP, HeaderValue::from_static("cross-origin"));
            headers.insert(COEP, HeaderValue::from_static("require-corp"));
        }
        headers.insert(CONTENT_SECURITY_POLICY, policy(&sources));
        if self.hsts {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(STRICT_TRANSPORT_SECURITY, year);
        }
    }

    /// The sources that are one word each. Anything else could end the directive and begin
    /// another, so it is left out, which only ever forbids.
    fn sources(&self) -> Vec<&str> {
        let one_word = |source: &&str| {
            let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b';' && byte != b',';
            !source.is_empty() && source.bytes().all(allowed)
        };
        let sources = self.frame_ancestors.iter().map(String::as_str);
        sources.filter(one_word).collect()
    }
}

/// The policy with its last directive filled in.
fn policy(sources: &[&str]) -> HeaderValue {
    let ancestors = match sources {
        [] => "'none'".to_owned(),
        some => some.join(" "),
    };
    // Never falls back: every byte was checked. If it did, nobody could frame or load anything.
    HeaderValue::try_from(format!("{POLICY} {ancestors}"))
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(frame_ancestors: &[&str], hsts: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let frame_ancestors = frame_ancestors.iter().map(ToString::to_string).collect();
        PageHeaders {
            frame_ancestors,
            hsts,
        }
        .apply(&mut headers);
        headers
    }

    fn as_text(headers: &HeaderMap) -> String {
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines.join("\n")
    }

    #[test]
    fn nobody_frames_the_page() {
        insta::assert_snapshot!(as_text(&applied(&[], false)));
    }

    #[test]
    fn two_portals_and_tls() {
        let portals = ["https://portal.example", "https://*.cloud.example:8443"];
        insta::assert_snapshot!(as_text(&applied(&portals, true)));
    }

    #[test]
    fn a_source_cannot_smuggle_a_directive() {
        let hostile = [
            "https://a.example; script-src *",
            "https://b.example,*",
            "two words",
            "line\r\nbreak",
            "ünicode",
            "",
        ];
        assert_eq!(applied(&hostile, false), applied(&[], false));
    }
}
