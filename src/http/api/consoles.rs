//! `POST /api/v1/consoles`: minting a console URL.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::audit::{Act, Event};
use crate::clock::UnixTime;
use crate::http::Client;
use crate::http::api::Api;
use crate::http::api::binding::BindingRequest;
use crate::http::api::body::JsonBody;
use crate::http::api::identity::IdentityRequest;
use crate::http::api::keys::Caller;
use crate::http::api::limits::LimitsRequest;
use crate::http::api::object::{Object, Texts};
use crate::http::api::permissions::PermissionsRequest;
use crate::http::api::security::SecurityRequest;
use crate::http::api::target::TargetRequest;
use crate::http::api::time::Time;
use crate::http::api::traceparent::Traceparent;
use crate::http::problem::Problem;
use crate::mint::{Minted, Order};
use crate::rfb::login::Login;
use crate::rfb::pacing::Pacing;
use crate::secret::Secret;
use crate::token::credentials::Header;
use crate::token::labels::{Labels, Name};
use crate::token::{Credentials, Role, Sharing};

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsoleRequest {
    target: Object<TargetRequest>,
    #[serde(default)]
    credentials: Object<CredentialsRequest>,
    #[serde(default)]
    security: Object<SecurityRequest>,
    #[serde(default)]
    permissions: Object<PermissionsRequest>,
    pacing: Option<Pacing>,
    #[serde(default)]
    identity: Object<IdentityRequest>,
    name: Option<String>,
    expires_in: Option<Time>,
    #[serde(default)]
    limits: Object<LimitsRequest>,
    #[serde(default)]
    binding: Object<BindingRequest>,
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
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    Traceparent(caused_by): Traceparent,
    body: Result<JsonBody<ConsoleRequest>, Problem>,
) -> Result<Response, Problem> {
    let traced = api.traces.request();
    let mints = api.mints.spend(caller.key.clone());
    mints.map_err(Problem::RateLimited)?;
    let JsonBody(request) = body?;
    let order = request.into_order()?;
    if !api.audit.healthy() {
        return Err(Problem::AuditUnavailable);
    }
    let (labels, target) = (order.labels.clone(), order.target.to_string());
    let minted = api
        .minter
        .mint(order, UnixTime::from(SystemTime::now()))
        .map_err(|error| Problem::InvalidRequest(error.to_string()))?;
    api.audit.record(Event {
        console: Some(minted.id),
        labels,
        target: Some(target),
        ..caller.does(Act::Mint, &client)
    });
    let key = caller.key;
    info!(console = %minted.id, key, client = %client.address, expires_at = %minted.expires_at, "console minted");
    traced.minted(minted.id, caused_by);
    Ok(created(&minted))
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
        let Object(binding) = self.binding;
        Ok(Order {
            target,
            credentials,
            terms: security.into_terms(),
            permissions: permissions.into_permissions().map_err(at)?,
            pacing: self.pacing,
            identity,
            limits: limits.into_order().map_err(at)?,
            binding: binding.into_binding().map_err(at)?,
            sharing: self.sharing,
            role: self.role,
            name,
            labels,
            expires_in,
        })
    }
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
    (StatusCode::CREATED, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serde names the fields that it knows when it meets one that it does not.
    #[test]
    fn the_openapi_document_has_every_field() {
        let document = crate::http::api::openapi::document("https://console.example");
        let schema = &document["components"]["schemas"]["ConsoleRequest"]["properties"];
        let credentials = &document["components"]["schemas"]["Credentials"]["properties"];
        for (inside, properties) in [
            ("", schema),
            ("credentials", credentials),
            ("security", &schema["security"]["properties"]),
            ("identity", &schema["identity"]["properties"]),
            ("limits", &schema["limits"]["properties"]),
            ("permissions", &schema["permissions"]["properties"]),
        ] {
            let body = match inside {
                "" => r#"{"?": 1}"#.to_owned(),
                inside => format!(r#"{{"{inside}": {{"?": 1}}}}"#),
            };
            let error = serde_json::from_str::<Object<ConsoleRequest>>(&body).err();
            let error = error.unwrap().to_string();
            let (_, known) = error.split_once("expected ").unwrap();
            let mut known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
            let properties = properties.as_object().unwrap();
            let mut documented: Vec<_> = properties.keys().map(String::as_str).collect();
            known.sort_unstable();
            documented.sort_unstable();
            assert_eq!(documented, known, "{inside}");
        }
    }

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
            let words = crate::http::api::body::without_values(&error.to_string());
            assert!(!words.contains("hunter2!"), "{words}");
            assert!(words.contains("line 1 column"), "{words}");
        }
    }
}
