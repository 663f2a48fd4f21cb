//! `DELETE` of a session or a console, and `POST /api/v1/revocations`: what ends sessions, wherever
//! they are.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::audit::{Act, Event};
use crate::clock::UnixTime;
use crate::http::Client;
use crate::http::api::Api;
use crate::http::api::body::JsonBody;
use crate::http::api::keys::Caller;
use crate::http::api::object::Object;
use crate::http::api::selection::{self, PathId, invalid, once};
use crate::http::console::Parameters;
use crate::http::problem::Problem;
use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::rfb::peer_text::{MAX_CHARS, PeerText};
use crate::store::{Sentence, Whom};
use crate::token::Labels;

/// The body of a revocation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RevocationRequest {
    label: Object<LabelRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelRequest {
    key: String,
    value: String,
}

/// What a revocation did.
#[derive(Serialize)]
struct RevocationResponse {
    /// How many sessions it ended.
    sessions_ended: usize,
    /// Tokens that were minted later are not meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    minted_by: Option<UnixTime>,
}

/// Ends one session, with a message that its page shows.
pub(super) async fn terminate(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    PathId(id): PathId<SessionId>,
    Query(parameters): Parameters,
) -> Result<Response, Problem> {
    let mut message = None;
    for (name, value) in &parameters {
        match name.as_str() {
            "message" => once(name, &mut message, read_message(value)?)?,
            _ => return Err(selection::unknown()),
        }
    }
    let note = message.flatten();
    // For the audit alone: one that the store has lost sight of may run at a gateway, which hears of
    // its end all the same.
    let entry = api.store.session(id).await?;
    let sentence = Sentence {
        reason: Reason::Terminated,
        note,
    };
    let ended = api.store.end(&Whom::Session(id), &sentence).await?;
    api.audit.record(Event {
        session: Some(id),
        console: entry.as_ref().map(|entry| entry.console),
        labels: entry
            .map(|entry| Arc::unwrap_or_clone(entry.labels))
            .unwrap_or_default(),
        reason: Some(sentence.reason),
        detail: sentence.note,
        ..caller.does(Act::Terminate, &client)
    });
    if ended == 0 {
        return Err(Problem::SessionNotFound);
    }
    info!(session = %id, key = caller.key, "session ended by the API");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends a console's sessions and voids its token.
pub(super) async fn revoke_console(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    PathId(id): PathId<ConsoleId>,
) -> Result<Response, Problem> {
    let event = Event {
        console: Some(id),
        ..caller.does(Act::Revoke, &client)
    };
    revoke(&api, &Whom::Console(id), event).await
}

/// Ends all sessions with a label and voids the tokens that were minted with it up to now.
pub(super) async fn revoke_label(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    JsonBody(request): JsonBody<RevocationRequest>,
) -> Result<Response, Problem> {
    let Object(LabelRequest { key, value }) = request.label;
    let mut labels = Labels::default();
    labels
        .insert(&key, &value)
        .map_err(|error| Problem::InvalidRequest(format!("label: {error}")))?;
    let whom = Whom::Label {
        key,
        value,
        minted_by: UnixTime::from(SystemTime::now()),
    };
    let event = Event {
        labels,
        ..caller.does(Act::Revoke, &client)
    };
    revoke(&api, &whom, event).await
}

/// Ends all sessions that are meant, voids their tokens, and writes down `event`, which says of what.
async fn revoke(api: &Api, whom: &Whom, event: Event) -> Result<Response, Problem> {
    let sentence = Sentence::plain(Reason::TokenRevoked);
    let sessions_ended = api.store.end(whom, &sentence).await?;
    let console = event.console.map(tracing::field::display);
    info!(console, labels = %event.labels, key = event.key, sessions_ended, "revoked");
    api.audit.record(Event {
        reason: Some(sentence.reason),
        detail: Some(format!("{sessions_ended} sessions ended")),
        ..event
    });
    let minted_by = match whom {
        Whom::Label { minted_by, .. } => Some(*minted_by),
        _ => None,
    };
    Ok(Json(RevocationResponse {
        sessions_ended,
        minted_by,
    })
    .into_response())
}

/// One line, without what could disguise it; `None` when nothing is left.
fn read_message(text: &str) -> Result<Option<String>, Problem> {
    if text.chars().count() > MAX_CHARS {
        let why = format!("expected at most {MAX_CHARS} characters");
        return Err(invalid("message", &why));
    }
    let clean = PeerText::clean(text.as_bytes());
    Ok(clean.map(|clean| clean.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_bounded_and_one_line() {
        let read = |text: &str| read_message(text);
        let clean = Ok(Some("Back at five".to_owned()));
        assert_eq!(read(" Back\r\n\u{202e}at\tfive\0"), clean);
        assert_eq!(read(" \n"), Ok(None));
        let longest = "é".repeat(MAX_CHARS);
        assert_eq!(read(&longest), Ok(Some(longest.clone())));
        let problem = read(&format!("{longest}x")).unwrap_err();
        assert!(matches!(problem, Problem::InvalidParameter(_)));
    }
}
