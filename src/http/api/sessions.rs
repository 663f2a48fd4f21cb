//! `GET /api/v1/sessions` and one of them: who is in, on all gateways.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

use crate::http::api::Api;
use crate::http::api::document::SessionDocument;
use crate::http::api::keys::Caller;
use crate::http::api::scope::Scope;
use crate::http::api::selection::{PathId, Selection};
use crate::http::console::Parameters;
use crate::http::problem::Problem;
use crate::id::SessionId;
use crate::store::Entry;

/// A part of the list.
#[derive(Serialize)]
struct PageDocument<'p> {
    sessions: Vec<SessionDocument<'p>>,
    /// What the next request says as `cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<SessionId>,
}

/// Sessions in the order of their ids.
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Query(parameters): Parameters,
) -> Result<Response, Problem> {
    let Selection {
        filter,
        after,
        limit,
    } = Selection::read(&parameters)?;
    let page = api.store.sessions(&filter, after, limit).await?;
    let with_target = caller.scopes.allow(Scope::SessionsTarget);
    let entries = page.entries.iter();
    let document = PageDocument {
        sessions: entries
            .map(|entry| SessionDocument::new(entry, with_target))
            .collect(),
        next: page.next,
    };
    Ok(Json(document).into_response())
}

/// One session.
pub(super) async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathId(id): PathId<SessionId>,
) -> Result<Response, Problem> {
    let entry = find(&api, id).await?;
    let with_target = caller.scopes.allow(Scope::SessionsTarget);
    Ok(Json(SessionDocument::new(&entry, with_target)).into_response())
}

/// The session that a path names.
///
/// # Errors
/// [`Problem::SessionNotFound`], and where the store cannot be asked.
pub(super) async fn find(api: &Api, id: SessionId) -> Result<Entry, Problem> {
    let session = api.store.session(id).await?;
    session.ok_or(Problem::SessionNotFound)
}
