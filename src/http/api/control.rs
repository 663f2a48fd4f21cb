//! `PATCH` of a session and `POST` of keys to it: what is done to a session that goes on, wherever
//! it is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use tracing::info;

use crate::audit::{Act, Event};
use crate::http::Client;
use crate::http::api::Api;
use crate::http::api::body::JsonBody;
use crate::http::api::document::SessionDocument;
use crate::http::api::keys::Caller;
use crate::http::api::object::Object;
use crate::http::api::permissions::PermissionsRequest;
use crate::http::api::scope::Scope;
use crate::http::api::selection::PathId;
use crate::http::api::sessions::find;
use crate::http::problem::Problem;
use crate::id::SessionId;
use crate::rfb::chord::Chord;
use crate::store::{self, Entry, Message, Order, Permit, Permitted};
use crate::token::Labels;

/// The body of a change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeRequest {
    permissions: Object<PermissionsRequest>,
}

/// The body of keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysRequest {
    keys: String,
}

/// Changes what the viewer may do, and answers with the session as it is then.
pub(super) async fn permit(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    path: Result<PathId<SessionId>, Problem>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Response, Problem> {
    let PathId(id) = path?;
    let Object(change) = request.permissions;
    let with_target = caller.scopes.allow(Scope::SessionsTarget);
    let entry = loop {
        let entry = find(&api, id).await?;
        let permissions = change
            .over(entry.permit.permissions)
            .map_err(|(field, why)| Problem::InvalidRequest(format!("{field}: {why}")))?;
        if permissions == entry.permit.permissions {
            return Ok(Json(SessionDocument::new(&entry, with_target)).into_response());
        }
        if !api.audit.healthy() {
            return Err(Problem::AuditUnavailable);
        }
        let permit = Permit {
            permissions,
            revision: entry.permit.revision.saturating_add(1),
        };
        match api.store.permit(id, &permit).await? {
            Permitted::Done => break Entry { permit, ..entry },
            Permitted::Gone => return Err(Problem::SessionNotFound),
            // Somebody else was quicker: this change goes on top of theirs.
            Permitted::Outdated => {}
        }
    };
    let permissions = entry.permit.permissions;
    info!(session = %id, key = caller.key, %permissions, "permissions changed by the API");
    api.audit.record(Event {
        detail: Some(permissions.to_string()),
        ..about(&entry, &caller, &client, Act::Permit)
    });
    Ok(Json(SessionDocument::new(&entry, with_target)).into_response())
}

/// Has keys pressed and released at the machine.
pub(super) async fn press(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    path: Result<PathId<SessionId>, Problem>,
    JsonBody(KeysRequest { keys }): JsonBody<KeysRequest>,
) -> Result<Response, Problem> {
    let PathId(session) = path?;
    let chord: Chord = keys
        .parse()
        .map_err(|error| Problem::InvalidRequest(format!("keys: {error}")))?;
    let entry = find(&api, session).await?;
    if entry.state != store::State::Live {
        return Err(Problem::SessionNotLive);
    }
    if !api.audit.healthy() {
        return Err(Problem::AuditUnavailable);
    }
    let order = Order::Press(chord);
    let message = Message::Order { session, order };
    api.store.publish(&message).await?;
    // It was a chord, so it is names of keys and nothing else.
    let keys = keys.to_ascii_lowercase();
    info!(%session, key = caller.key, keys, "keys pressed by the API");
    api.audit.record(Event {
        detail: Some(keys),
        ..about(&entry, &caller, &client, Act::Press)
    });
    Ok(StatusCode::ACCEPTED.into_response())
}

fn about(entry: &Entry, caller: &Caller, client: &Client, act: Act) -> Event {
    Event {
        session: Some(entry.id),
        console: Some(entry.console),
        labels: Labels::clone(&entry.labels),
        ..caller.does(act, client)
    }
}
