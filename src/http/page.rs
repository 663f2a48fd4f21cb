//! The HTML pages: the console, the one for an address without a token, the one for a refusal.
//!
//! The templates hold no inline script or style, and every address in them is relative, so the
//! pages work under any prefix that a reverse proxy puts before `/novnc`. None is ever stored:
//! the address that it was fetched from held a token.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::reason::Reason;

/// What the page's script knows of one reason.
#[derive(Serialize)]
struct Row {
    code: &'static str,
    close: u16,
    retry: bool,
    words: &'static str,
}

/// The reason table as JSON, for `data-reasons`.
static REASONS: LazyLock<String> = LazyLock::new(|| {
    let rows = Reason::ALL.map(|reason| Row {
        code: reason.code(),
        close: reason.close_code(),
        retry: reason.may_retry(),
        words: reason.words(),
    });
    // Numbers, booleans and strings cannot fail; a page without the table would still work.
    serde_json::to_string(&rows[..]).unwrap_or_else(|_| "[]".to_owned())
});

#[derive(Template)]
#[template(path = "console.html")]
struct Console<'a> {
    reasons: &'a str,
    password: Password,
}

/// Who has the machine's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// The grant, or the machine wants none.
    Known,
    /// The person, who is asked.
    Asked,
    /// What the page has kept of its session says it.
    PageKnows,
}

#[derive(Template)]
#[template(path = "landing.html")]
struct Landing;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    code: &'static str,
    words: &'static str,
    retry: bool,
}

/// The page that shows a console: `200`. Its script finds the token in the address, or the session
/// that is to go on.
#[must_use]
pub fn console(password: Password) -> Response<Body> {
    let reasons = REASONS.as_str();
    html(StatusCode::OK, &Console { reasons, password })
}

/// The page for an address that names no console: `200`, and how to get one.
#[must_use]
pub fn landing() -> Response<Body> {
    html(StatusCode::OK, &Landing)
}

/// The page for a token that opens no console, with the reason's status and words.
#[must_use]
pub fn refused(reason: Reason) -> Response<Body> {
    let page = Refused {
        code: reason.code(),
        words: reason.words(),
        retry: reason.may_retry(),
    };
    let status = StatusCode::from_u16(reason.http_status());
    html(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &page)
}

fn html(status: StatusCode, page: &impl Template) -> Response<Body> {
    // Rendering into a string fails only if a template's own values do, and ours are all strings.
    let (status, text) = match page.render() {
        Ok(text) => (status, text),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assets::{CONSOLE_CSS, CONSOLE_JS, LICENSES_TXT, NOVNC_JS};

    async fn text(response: Response<Body>) -> String {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        String::from_utf8(body.unwrap().to_vec()).unwrap()
    }

    /// The value of an attribute that `escape` below can undo.
    fn attribute<'a>(page: &'a str, name: &str) -> &'a str {
        let (_, rest) = page.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0
    }

    #[tokio::test]
    async fn the_console_page_carries_the_reason_table() {
        let page = text(console(Password::Known)).await;
        let json = attribute(&page, "data-reasons")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), Reason::ALL.len());
        let failed = rows.iter().find(|row| row["code"] == "host_auth_failed");
        let failed = failed.unwrap();
        assert_eq!(failed["close"], 4106);
        assert_eq!(failed["retry"], false);
        assert_eq!(failed["words"], Reason::HostAuthFailed.words());
    }

    #[tokio::test]
    async fn a_console_without_a_password_asks_for_it() {
        for (password, asks, can_ask) in [
            (Password::Known, false, false),
            (Password::Asked, true, true),
            (Password::PageKnows, false, true),
        ] {
            let page = text(console(password)).await;
            assert_eq!(page.contains(" data-password=\"ask\""), asks, "{page}");
            assert_eq!(page.contains("type=\"password\""), can_ask, "{page}");
        }
    }

    #[tokio::test]
    async fn the_console_page_loads_three_files() {
        let page = text(console(Password::Known)).await;
        for file in [CONSOLE_JS, CONSOLE_CSS, NOVNC_JS] {
            assert!(page.contains(&format!("\"assets/{file}\"")), "{file}");
        }
        let scripts = page.matches("<script").count();
        let links = page.matches("<link").count();
        assert_eq!(
            (scripts, links),
            (1, 3),
            "script; style, icon as data, preload"
        );
    }

    #[tokio::test]
    async fn no_page_has_inline_script_or_style_or_an_absolute_address() {
        for response in [
            console(Password::Asked),
            landing(),
            refused(Reason::TokenExpired),
        ] {
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            let page = text(response).await;
            assert!(page.starts_with("<!doctype html>"));
            for forbidden in [
                "<style",
                " style=",
                "<script>",
                " onclick=",
                "=\"/",
                "=\"http",
            ] {
                assert!(!page.contains(forbidden), "{forbidden} in {page}");
            }
            assert!(page.contains(&format!("href=\"assets/{LICENSES_TXT}\"")));
        }
    }

    #[tokio::test]
    async fn a_refusal_has_the_status_and_words_of_its_reason() {
        for reason in Reason::ALL {
            let response = refused(reason);
            assert_eq!(response.status(), reason.http_status());
            let page = text(response).await.replace("&#39;", "'");
            assert!(page.contains(reason.words()), "{reason}");
            assert_eq!(attribute(&page, "data-reason"), reason.code());
            assert_eq!(page.contains(CONSOLE_JS), !reason.may_retry(), "{reason}");
        }
    }

    #[tokio::test]
    async fn without_a_token_it_is_200_and_says_how_to_get_one() {
        let response = landing();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(text(response).await.contains("fanlight mint"));
    }
}
