//! `POST /api/v1/consoles`: minting a console URL.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::clock::UnixTime;
use crate::http::api::identity::IdentityRequest;
use crate::http::api::limits::LimitsRequest;
use crate::http::api::object::{Object, Texts};
use crate::http::api::permissions::PermissionsRequest;
use crate::http::api::security::SecurityRequest;
use crate::http::api::target::TargetRequest;
use crate::http::api::time::Time;
use crate::http::problem::Problem;
use crate::http::{Client, Service};
use crate::mint::{Minted, Order};
use crate::rfb::login::Login;
use crate::secret::Secret;
use crate::token::credentials::Header;
use crate::token::labels::{Labels, Name};
use crate::token::{Credentials, Role, Sharing};

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleRequest {
    target: Object<TargetRequest>,
    #[serde(default)]
    credentials: Object<CredentialsRequest>,
    #[serde(default)]
    security: Object<SecurityRequest>,
    #[serde(default)]
    permissions: Object<PermissionsRequest>,
    #[serde(default)]
    identity: Object<IdentityRequest>,
    name: Option<String>,
    expires_in: Option<Time>,
    #[serde(default)]
    limits: Object<LimitsRequest>,
    #[serde(default)]
    sharing: Sharing,
    #[serde(default)]
    role: Role,
    #[serde(default)]
    labels: Texts,
}

/// What the RFB server wants to know, and what opens the way to it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsRequest {
    username: Option<String>,
    password: Option<Secret>,
    xvp_target: Option<String>,
    repeater_id: Option<String>,
    /// For a tunnel or a WebSocket: the value of the Cookie header.
    cookie: Option<Secret>,
    /// For a tunnel or a WebSocket: more headers.
    #[serde(default)]
    headers: Texts<Secret>,
    #[serde(default)]
    relay: bool,
}

/// The answer.
#[derive(Serialize)]
struct ConsoleResponse {
    id: String,
    url: String,
    websocket: WebSocketResponse,
    expires_at: String,
}

/// How a viewer other than our page connects.
#[derive(Serialize)]
struct WebSocketResponse {
    url: String,
    protocols: [String; 2],
}

/// Mints a console: 201 with its URL, or a problem document.
pub(super) async fn create(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let key = match service.api_keys.authenticate(&headers) {
        Ok(key) => key,
        Err(problem) => return problem.into_response(),
    };
    if let Err(too_often) = service.mints.spend(key.to_owned()) {
        info!(key, client = %client.address, %too_often, "not minted");
        return Problem::RateLimited(too_often).into_response();
    }
    match mint(&service, &headers, body) {
        Ok(minted) => {
            info!(console = %minted.id, key, client = %client.address, expires_at = %minted.expires_at, "console minted");
            created(&minted)
        }
        Err(problem) => problem.into_response(),
    }
}

fn mint(
    service: &Service,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Minted, Problem> {
    if !is_json(headers) {
        return Err(Problem::UnsupportedMediaType);
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge,
        _ => Problem::InvalidRequest("the body did not arrive whole".to_owned()),
    })?;
    let Object::<ConsoleRequest>(request) = serde_json::from_slice(&body)
        .map_err(|error| Problem::InvalidRequest(without_values(&error.to_string())))?;
    let order = request.into_order()?;
    let now = UnixTime::from(SystemTime::now());
    service
        .minter
        .mint(order, now)
        .map_err(|error| Problem::InvalidRequest(error.to_string()))
}

impl ConsoleRequest {
    fn into_order(self) -> Result<Order, Problem> {
        let wrong = |field: &str, error: &dyn std::fmt::Display| {
            Problem::InvalidRequest(format!("{field}: {error}"))
        };
        let at = |(field, error): (&str, String)| wrong(field, &error);
        let (Object(target), Object(credentials)) = (self.target, self.credentials);
        let target = target.into_target().map_err(at)?;
        let headers = credentials.headers.0.into_iter();
        let headers = headers.map(|(name, value)| Header::new(&name, value));
        let headers: Result<Vec<_>, _> = headers.collect();
        let headers = headers.map_err(|error| wrong("credentials.headers", &error))?;
        let credentials = Credentials {
            login: Login {
                username: credentials.username,
                password: credentials.password,
                xvp_target: credentials.xvp_target,
                repeater_id: credentials.repeater_id,
                relay: credentials.relay,
            },
            cookie: credentials.cookie,
            headers,
        };
        credentials
            .check()
            .map_err(|error| wrong("credentials", &error))?;
        let (Object(security), Object(identity)) = (self.security, self.identity);
        let identity = identity.into_identity().map_err(at)?;
        let mut labels = Labels::default();
        for (key, value) in &self.labels.0 {
            labels
                .insert(key, value)
                .map_err(|error| wrong("labels", &error))?;
        }
        let name = self
            .name
            .map(Name::new)
            .transpose()
            .map_err(|error| wrong("name", &error))?;
        let (Object(limits), Object(permissions)) = (self.limits, self.permissions);
        let expires_in = Time::read(self.expires_in.as_ref(), "expires_in").map_err(at)?;
        Ok(Order {
            target,
            credentials,
            terms: security.into_terms(),
            permissions: permissions.into_permissions().map_err(at)?,
            identity,
            limits: limits.into_order().map_err(at)?,
            sharing: self.sharing,
            role: self.role,
            name,
            labels,
            expires_in,
        })
    }
}

/// The parser's words without the value that it found, which may be a password out of its place.
fn without_values(error: &str) -> String {
    let found = ["invalid type: ", "invalid value: ", "invalid length "];
    match error.rsplit_once(", expected ") {
        Some((start, expected)) if found.iter().any(|words| start.starts_with(words)) => {
            format!("expected {expected}")
        }
        _ => error.to_owned(),
    }
}

/// `application/json`, whatever parameters follow.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn created(minted: &Minted) -> Response {
    let body = ConsoleResponse {
        id: minted.id.to_string(),
        url: minted.url(),
        websocket: WebSocketResponse {
            url: minted.websocket_url(),
            protocols: minted.protocols(),
        },
        expires_at: minted.expires_at.to_string(),
    };
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::CREATED, no_store, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_repeats_a_value() {
        for body in [
            r#"{"target": {"host": "a", "port": 1}, "credentials": "hunter2!"}"#,
            r#"{"target": {"host": "a", "port": 1}, "credentials": {"password": ["hunter2!, expected x"]}}"#,
            r#"{"target": {"host": "a", "port": "hunter2!"}}"#,
            r#"{"target": "hunter2!"}"#,
            r#"["hunter2!"]"#,
            r#"{"target": {"host": "a", "port": 1}, "expires_in": {"hunter2!": 1}}"#,
        ] {
            let error = serde_json::from_str::<Object<ConsoleRequest>>(body)
                .err()
                .unwrap();
            let words = without_values(&error.to_string());
            assert!(!words.contains("hunter2!"), "{words}");
            assert!(words.contains("line 1 column"), "{words}");
        }
    }
}
