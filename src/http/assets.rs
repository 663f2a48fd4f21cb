//! The console page's scripts, styles and notices: embedded, hashed by name, kept for ever.
//!
//! `make assets` writes them to `static/dist/assets`, each also in the packed forms that are
//! smaller. A file's name holds a hash of its content, so a browser never asks twice
//! ([RFC 8246](https://www.rfc-editor.org/rfc/rfc8246)), and two versions of the gateway behind
//! one address never mix their files.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::content_coding::{Accepted, Coding};

/// File name of the page's own script.
pub const CONSOLE_JS: &str = env!("ASSET_CONSOLE_JS");
/// File name of the style sheet of all pages.
pub const CONSOLE_CSS: &str = env!("ASSET_CONSOLE_CSS");
/// File name of noVNC, in one bundle.
pub const NOVNC_JS: &str = env!("ASSET_NOVNC_JS");
/// File name of the notices of everything in the bundles.
pub const LICENSES_TXT: &str = env!("ASSET_LICENSES_TXT");

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const VARY_CODING: HeaderValue = HeaderValue::from_static("accept-encoding");

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static/dist/assets"]
struct Assets;

/// Answers `GET` and `HEAD /assets/{file}`.
///
/// `200` or `304` for a file, in the best coding that the client takes; `404` for an unknown name,
/// `406` when the client takes no coding that there is. Packed forms have no address of their own.
pub async fn serve(Path(file): Path<String>, request: HeaderMap) -> Response<Body> {
    let Some(content_type) = content_type(&file) else {
        return plain(StatusCode::NOT_FOUND);
    };
    let stored = |coding: Coding| Assets::get(&format!("{file}{}", coding.suffix()));
    if stored(Coding::Identity).is_none() {
        return plain(StatusCode::NOT_FOUND);
    }
    let best = Accepted::of(&request).best(|coding| stored(coding).is_some());
    let Some((coding, file)) = best.and_then(|coding| Some((coding, stored(coding)?))) else {
        let mut response = plain(StatusCode::NOT_ACCEPTABLE);
        response.headers_mut().insert(VARY, VARY_CODING);
        return response;
    };

    let etag = etag(&file);
    let fresh = is_named(&request, &etag);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, IMMUTABLE);
    headers.insert(VARY, VARY_CODING);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, etag);
    }
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(name) = coding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    *response.body_mut() = Body::from(bytes_of(file));
    response
}

/// The type of the files that are served; `None` for every other ending.
fn content_type(file: &str) -> Option<&'static str> {
    let (_, extension) = file.rsplit_once('.')?;
    match extension {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// A strong entity tag ([RFC 9110, 8.8.3]): each stored form has its own bytes, so its own tag.
///
/// [RFC 9110, 8.8.3]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
fn etag(file: &EmbeddedFile) -> String {
    let hash = BASE64URL_NOPAD.encode(&file.metadata.sha256_hash());
    format!("\"{hash}\"")
}

/// Whether `If-None-Match` names this tag, compared weakly ([RFC 9110, 13.1.2]).
///
/// Our tags hold no comma, so splitting at commas cannot make one out of another's pieces.
///
/// [RFC 9110, 13.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
fn is_named(request: &HeaderMap, etag: &str) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The file without copying what is embedded.
fn bytes_of(file: EmbeddedFile) -> Bytes {
    match file.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

/// A status in words, for a person who typed the address.
fn plain(status: StatusCode) -> Response<Body> {
    let words = status.canonical_reason().unwrap_or("error");
    let mut response = Response::new(Body::from(format!("{words}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(method: &str, file: &str, headers: &[(&str, &str)]) -> (Response<()>, Bytes) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/assets/{file}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router: Router = Router::new().route("/assets/{file}", get(serve));
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (Response::from_parts(parts, ()), body)
    }

    fn header<'a>(response: &'a Response<()>, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn every_file_with_its_type_and_for_ever() {
        for (file, content_type) in [
            (CONSOLE_JS, "text/javascript; charset=utf-8"),
            (NOVNC_JS, "text/javascript; charset=utf-8"),
            (CONSOLE_CSS, "text/css; charset=utf-8"),
            (LICENSES_TXT, "text/plain; charset=utf-8"),
        ] {
            let (response, body) = ask("GET", file, &[]).await;
            assert_eq!(response.status(), 200, "{file}");
            assert_eq!(header(&response, "content-type"), content_type);
            assert_eq!(
                header(&response, "cache-control"),
                "public, max-age=31536000, immutable"
            );
            assert_eq!(header(&response, "vary"), "accept-encoding");
            assert_eq!(header(&response, "content-encoding"), "");
            assert_eq!(body, bytes_of(Assets::get(file).unwrap()));
        }
    }

    #[tokio::test]
    async fn each_form_has_its_own_bytes_and_tag() {
        let mut tags = std::collections::BTreeSet::new();
        for (accept, encoding, suffix) in [
            ("gzip, br", "br", ".br"),
            ("gzip", "gzip", ".gz"),
            ("", "", ""),
        ] {
            let (response, body) = ask("GET", NOVNC_JS, &[("accept-encoding", accept)]).await;
            assert_eq!(response.status(), 200);
            assert_eq!(header(&response, "content-encoding"), encoding);
            let stored = Assets::get(&format!("{NOVNC_JS}{suffix}")).unwrap();
            assert_eq!(body, bytes_of(stored));
            tags.insert(header(&response, "etag").to_owned());
        }
        assert_eq!(tags.len(), 3);
        assert!(
            tags.iter()
                .all(|tag| tag.starts_with('"') && tag.len() == 45)
        );
    }

    #[tokio::test]
    async fn a_known_tag_is_304_and_an_unknown_one_is_not() {
        let (response, _) = ask("GET", CONSOLE_JS, &[("accept-encoding", "br")]).await;
        let tag = header(&response, "etag").to_owned();
        let weak = format!("W/{tag}");
        let list = format!("\"a\", {weak} , \"b\"");
        for (tag, status) in [
            (tag.as_str(), 304),
            (&weak, 304),
            (&list, 304),
            ("*", 304),
            ("\"other\"", 200),
            (tag.trim_matches('"'), 200),
        ] {
            let headers = [("accept-encoding", "br"), ("if-none-match", tag)];
            let (response, body) = ask("GET", CONSOLE_JS, &headers).await;
            assert_eq!(response.status(), status, "{tag}");
            assert_eq!(body.is_empty(), status == 304);
            assert_ne!(header(&response, "etag"), "");
            assert_ne!(header(&response, "cache-control"), "");
            assert_eq!(header(&response, "vary"), "accept-encoding");
        }
        let plain = [("if-none-match", tag.as_str())];
        let (response, _) = ask("GET", CONSOLE_JS, &plain).await;
        assert_eq!(response.status(), 200, "the tag of another form");
    }

    #[tokio::test]
    async fn head_is_get_without_the_body() {
        let (get, body) = ask("GET", CONSOLE_CSS, &[]).await;
        let (head, nothing) = ask("HEAD", CONSOLE_CSS, &[]).await;
        assert_eq!(head.status(), 200);
        assert!(nothing.is_empty());
        assert_eq!(header(&head, "content-length"), body.len().to_string());
        assert_eq!(header(&head, "etag"), header(&get, "etag"));
    }

    #[tokio::test]
    async fn unknown_names_and_packed_forms_are_404() {
        let packed = format!("{NOVNC_JS}.br");
        for file in [
            "nothing.js",
            "console.js",
            "manifest.json",
            "..%2fmanifest.json",
            "%2e%2e%2f%2e%2e%2fpackage.json",
            packed.as_str(),
        ] {
            let (response, _) = ask("GET", file, &[]).await;
            assert_eq!(response.status(), 404, "{file}");
            assert_eq!(header(&response, "cache-control"), "no-store");
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_gets_406() {
        let headers = [("accept-encoding", "identity;q=0")];
        let (response, _) = ask("GET", CONSOLE_JS, &headers).await;
        assert_eq!(response.status(), 406);
        assert_eq!(header(&response, "vary"), "accept-encoding");
    }

    #[tokio::test]
    async fn only_get_and_head() {
        let (response, _) = ask("POST", CONSOLE_JS, &[]).await;
        assert_eq!(response.status(), 405);
    }
}
