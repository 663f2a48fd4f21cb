//! What plain HTTP is answered with where HTTPS is spoken: the way there, and nothing else.

use axum::Router;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::IntoResponse;

use crate::http::problem::Problem;

/// Leads every page to the same path below `public_url`, which has no slash at its end.
///
/// The host is never the one that the request names, so that this leads nowhere else. Parameters stay
/// behind: a token that was sent in the clear is one that somebody may have read. What is no page,
/// such as a request with an API key, is refused, so that the mistake is seen.
pub fn router(public_url: &str, base_path: &str) -> Router {
    let (public_url, base_path) = (public_url.to_owned(), base_path.to_owned());
    Router::new().fallback(move |method: Method, uri: Uri| {
        let to = location(&public_url, &base_path, &uri);
        async move {
            match to {
                Some(to) if method == Method::GET || method == Method::HEAD => {
                    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, to)]).into_response()
                }
                Some(_) => Problem::MethodNotAllowed.into_response(),
                None => Problem::NotFound.into_response(),
            }
        }
    })
}

/// The path is what stands behind the base path, which the public URL has in front of it anyway.
fn location(public_url: &str, base_path: &str, uri: &Uri) -> Option<HeaderValue> {
    let path = uri.path().strip_prefix(base_path)?;
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    HeaderValue::try_from(format!("{public_url}{path}")).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::Response;
    use tower::ServiceExt;

    use super::*;

    async fn answer(method: &str, target: &str) -> Response {
        let request = Request::builder().method(method).uri(target);
        let request = request.header("host", "evil.example");
        let router = router("https://console.example/vms", "/vms");
        router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn it_leads_to_the_public_url_alone() {
        for (target, location) in [
            ("/vms/novnc", "https://console.example/vms/novnc"),
            ("/vms", "https://console.example/vms"),
            (
                "/vms/novnc?token=secret",
                "https://console.example/vms/novnc",
            ),
            (
                "/vms//evil.example/..",
                "https://console.example/vms//evil.example/..",
            ),
            ("http://evil.example/vms/a", "https://console.example/vms/a"),
        ] {
            let answer = answer("GET", target).await;
            assert_eq!(answer.status(), 308, "{target}");
            assert_eq!(answer.headers()[LOCATION], location, "{target}");
        }
    }

    #[tokio::test]
    async fn what_is_no_page_of_ours_is_refused() {
        for (method, target, status) in [
            ("POST", "/vms/api/v1/consoles", 405),
            ("GET", "/other", 404),
            ("GET", "//evil.example/vms", 404),
            ("GET", "/vms.evil.example", 404),
            ("OPTIONS", "*", 404),
        ] {
            let answer = answer(method, target).await;
            assert_eq!(answer.status(), status, "{method} {target}");
            assert!(!answer.headers().contains_key(LOCATION));
        }
    }
}
