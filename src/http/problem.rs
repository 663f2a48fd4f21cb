//! Problem documents ([RFC 9457]): what HTTP clients are told when something is wrong.
//!
//! [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457

use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use tokio::time::timeout;
use tracing::warn;

use crate::http::api::MAX_BODY;
use crate::http::api::reload::ConfigError;
use crate::http::api::scope::Scope;
use crate::rate::TooOften;
use crate::reason::Reason;
use crate::store::Unavailable;
use crate::ws::BadUpgrade;

/// How long the rest of a request that is refused is waited for.
const TO_THE_END: Duration = Duration::from_secs(1);

/// Something wrong with a request, or with us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nothing is at that path.
    NotFound,
    /// The path is there, but not for that method.
    MethodNotAllowed,
    /// The WebSocket's path was asked for without an upgrade to the one version there is.
    UpgradeRequired(BadUpgrade),
    /// The upgrade to a WebSocket is broken.
    BadUpgrade(BadUpgrade),
    /// The API has no keys and is off.
    ApiOff,
    /// No API key, or an unknown one, and no certificate that stands in for one.
    Unauthorized,
    /// The API key is good for other things.
    MissingScope(Scope),
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body is longer than the limit.
    BodyTooLarge,
    /// The body did not arrive in time, or what it asks for takes too long.
    RequestTimeout,
    /// The body is not JSON of the form that is asked for. The words say where.
    InvalidRequest(String),
    /// The API key mints more often than it may.
    RateLimited(TooOften),
    /// A parameter of the path or the query is not what is asked for. The words say which.
    InvalidParameter(String),
    /// There is no session of that id, or no more.
    SessionNotFound,
    /// The session has no picture right now.
    SessionNotLive,
    /// As many listen to events as may.
    TooManyListeners,
    /// What gateways share cannot be asked right now.
    StoreUnavailable,
    /// Nothing is done that could not be written to the audit log.
    AuditUnavailable,
    /// The configuration that was to be reloaded is not valid.
    ConfigInvalid(Vec<ConfigError>),
    /// Nobody can read the configuration again.
    ReloadUnavailable,
    /// Fanlight itself failed.
    Internal,
}

/// The code of a problem, beside the answer that is made of it.
#[derive(Clone, Copy, Debug)]
pub struct Code(pub &'static str);

/// The document's members.
#[derive(Serialize)]
struct Document<'p> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'p [ConfigError],
}

impl Problem {
    /// One of each, for whoever lists them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let words =
            "limits.uses: expected a whole number from 1 to 65535 at line 1 column 70".to_owned();
        vec![
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::UpgradeRequired(BadUpgrade::NotWebSocket),
            Self::BadUpgrade(BadUpgrade::Key),
            Self::ApiOff,
            Self::Unauthorized,
            Self::MissingScope(Scope::SessionsEnd),
            Self::UnsupportedMediaType,
            Self::BodyTooLarge,
            Self::RequestTimeout,
            Self::InvalidRequest(words),
            Self::RateLimited(TooOften {
                wait: Duration::from_secs(2),
            }),
            Self::InvalidParameter("limit: expected 1 to 500".to_owned()),
            Self::SessionNotFound,
            Self::SessionNotLive,
            Self::TooManyListeners,
            Self::StoreUnavailable,
            Self::AuditUnavailable,
            Self::ConfigInvalid(vec![ConfigError {
                place: Some("fanlight.toml:12:12".to_owned()),
                setting: Some("limits.sessions".to_owned()),
                message: "must be 1 to 1000000".to_owned(),
            }]),
            Self::ReloadUnavailable,
            Self::Internal,
        ]
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.row().0
    }

    /// The status that it is answered with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.row().1
    }

    /// What it is called.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.row().2
    }

    /// The stable code, the status, and what it is called.
    const fn row(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::NotFound => (
                "not_found",
                StatusCode::NOT_FOUND,
                "There is nothing at this path",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not take that method",
            ),
            Self::UpgradeRequired(_) => (
                "upgrade_required",
                StatusCode::UPGRADE_REQUIRED,
                "This path wants a WebSocket",
            ),
            Self::BadUpgrade(_) => (
                "bad_upgrade",
                StatusCode::BAD_REQUEST,
                "This is not a WebSocket upgrade",
            ),
            Self::ApiOff => (
                "api_off",
                StatusCode::SERVICE_UNAVAILABLE,
                "The API is off, because no API key is configured",
            ),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "The API wants a known key as a bearer token, or a known certificate",
            ),
            Self::MissingScope(_) => (
                "missing_scope",
                StatusCode::FORBIDDEN,
                "The API key is not good for this",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body has to be application/json",
            ),
            Self::BodyTooLarge => (
                "body_too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too long",
            ),
            Self::RequestTimeout => (
                "request_timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The request was not done in time",
            ),
            Self::InvalidRequest(_) => (
                "invalid_request",
                StatusCode::BAD_REQUEST,
                "The body does not have the form that is asked for",
            ),
            Self::RateLimited(_) => (
                Reason::RateLimited.code(),
                StatusCode::TOO_MANY_REQUESTS,
                "This API key mints more often than it may",
            ),
            Self::InvalidParameter(_) => (
                "invalid_parameter",
                StatusCode::BAD_REQUEST,
                "A parameter is not what is asked for",
            ),
            Self::SessionNotFound => (
                "session_not_found",
                StatusCode::NOT_FOUND,
                "There is no such session, or no more",
            ),
            Self::SessionNotLive => (
                "session_not_live",
                StatusCode::CONFLICT,
                "The session has no picture right now, so there is no machine to act on",
            ),
            Self::TooManyListeners => (
                "too_many_listeners",
                StatusCode::SERVICE_UNAVAILABLE,
                "As many listen to events as may",
            ),
            Self::StoreUnavailable => (
                "store_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "What gateways share cannot be asked right now",
            ),
            Self::AuditUnavailable => (
                "audit_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The audit log cannot be written right now",
            ),
            Self::ConfigInvalid(_) => (
                "config_invalid",
                StatusCode::CONFLICT,
                "The configuration is not valid, and everything stays as it was",
            ),
            Self::ReloadUnavailable => (
                "reload_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "This gateway stops",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The gateway had a problem of its own",
            ),
        }
    }

    /// The answer to a request of which nobody has read the body. Over HTTP/2 an answer before the
    /// request's end resets it, which curl takes for a failure; who does not come to that end soon has
    /// the answer all the same.
    pub async fn instead_of(self, request: Request) -> Response {
        if request.version() == Version::HTTP_2 {
            let _ = timeout(TO_THE_END, to_bytes(request.into_body(), MAX_BODY)).await;
        }
        self.into_response()
    }

    /// What this one is about, beyond its title.
    fn detail(&self) -> Option<String> {
        match self {
            Self::InvalidRequest(detail) | Self::InvalidParameter(detail) => Some(detail.clone()),
            Self::MissingScope(scope) => Some(format!("the key needs the scope {scope}")),
            Self::UpgradeRequired(bad) | Self::BadUpgrade(bad) => Some(bad.to_string()),
            Self::RateLimited(_) => Some("setting limits.mints_per_key".to_owned()),
            _ => None,
        }
    }

    /// All that is wrong, where that is many things.
    fn errors(&self) -> &[ConfigError] {
        match self {
            Self::ConfigInvalid(errors) => errors,
            _ => &[],
        }
    }

    /// Headers that the status asks for.
    fn add_headers(&self, headers: &mut HeaderMap) {
        match self {
            Self::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::RateLimited(TooOften { wait }) => {
                let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                headers.insert(RETRY_AFTER, HeaderValue::from(whole));
            }
            // RFC 6750, 3.1.
            Self::MissingScope(scope) => {
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                if let Ok(challenge) = HeaderValue::try_from(challenge) {
                    headers.insert(WWW_AUTHENTICATE, challenge);
                }
            }
            Self::UpgradeRequired(_) => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            _ => {}
        }
    }
}

impl From<BadUpgrade> for Problem {
    /// Whoever asked for no WebSocket, or for another version of it, is told what there is.
    fn from(bad: BadUpgrade) -> Self {
        match bad {
            BadUpgrade::NotWebSocket | BadUpgrade::NotUpgrade | BadUpgrade::Version => {
                Self::UpgradeRequired(bad)
            }
            _ => Self::BadUpgrade(bad),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (code, status, title) = self.row();
        let document = Document {
            r#type: format!("urn:fanlight:problem:{code}"),
            title,
            status: status.as_u16(),
            code,
            detail: self.detail(),
            errors: self.errors(),
        };
        document.serialize(serializer)
    }
}

impl From<Unavailable> for Problem {
    /// Why is for the log alone.
    fn from(error: Unavailable) -> Self {
        warn!(%error, "an API request could not be answered");
        Self::StoreUnavailable
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Strings and numbers cannot fail to become JSON.
        let json = serde_json::to_vec(&self).unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.add_headers(&mut headers);
        let code = Extension(Code(self.code()));
        (self.status(), headers, code, Body::from(json)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_is_a_document_with_its_code() {
        let response = Problem::InvalidRequest("target.port: missing".to_owned()).into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .unwrap();
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            r#"{"type":"urn:fanlight:problem:invalid_request","title":"The body does not have the form that is asked for","status":400,"code":"invalid_request","detail":"target.port: missing"}"#
        );
        let challenge = Problem::Unauthorized.into_response();
        assert_eq!(challenge.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
