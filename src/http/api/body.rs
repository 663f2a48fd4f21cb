//! The body of a request: a JSON object and nothing else, or nothing at all.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::http::api::object::Object;
use crate::http::problem::Problem;

/// What was sent. Where it is wrong, the [`Problem`] with it repeats no value.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        // Whole, whatever it is, so that the connection can go on.
        let body = whole(request, state).await;
        if !json {
            return Err(Problem::UnsupportedMediaType);
        }
        let Object(sent) = serde_json::from_slice(&body?)
            .map_err(|error| Problem::InvalidRequest(without_values(&error.to_string())))?;
        Ok(Self(sent))
    }
}

/// No body: whoever sends one means something that is not done here.
pub(super) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !whole(request, state).await?.is_empty() {
            let words = "expected no body".to_owned();
            return Err(Problem::InvalidRequest(words));
        }
        Ok(Self)
    }
}

async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, state).await;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge,
        _ => Problem::InvalidRequest("the body did not arrive whole".to_owned()),
    })
}

/// `application/json`, whatever parameters follow.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// The parser's words without the value that it found, which may be a password out of its place.
pub(super) fn without_values(error: &str) -> String {
    let found = ["invalid type: ", "invalid value: ", "invalid length "];
    match error.rsplit_once(", expected ") {
        Some((start, expected)) if found.iter().any(|words| start.starts_with(words)) => {
            format!("expected {expected}")
        }
        _ => error.to_owned(),
    }
}
