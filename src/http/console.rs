//! `GET /novnc`: which page somebody gets.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use tracing::info;

use crate::http::page::Password;
use crate::http::{Client, Service, page};
use crate::id::SessionId;
use crate::reason::Reason;

/// The parameters of a query, in their order; whatever is not valid percent-encoding or UTF-8 is
/// replaced, so that this cannot fail.
pub(super) type Parameters = Query<Vec<(String, String)>>;

/// The console page for a token that opens, a page that says why for one that does not, and how to
/// get one where there is none. Fetching it uses nothing up.
///
/// An address that names a session is that of a console page after a reload: whether it may go on
/// is for its WebSocket to say, since the secret for that never reaches an address.
pub(super) async fn page(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    Query(parameters): Parameters,
) -> Response {
    let request = service.traces.request();
    let names_session = names_session(&parameters);
    let Some(token) = token(parameters) else {
        return if names_session {
            page::console(Password::PageKnows)
        } else {
            page::landing()
        };
    };
    match service.sessions.open_token(&token) {
        Ok(grant) => {
            let page = page::console(match grant.credentials.login.relay {
                true => Password::Asked,
                false => Password::Known,
            });
            request.page(grant.id);
            page
        }
        Err(error) => {
            let reason = Reason::from(&error);
            info!(client = %client.address, reason = reason.code(), detail = %error, "page refused");
            page::refused(reason)
        }
    }
}

/// Whether the parameter `session` is the id of one, running or not.
fn names_session(parameters: &[(String, String)]) -> bool {
    let mut named = parameters.iter().filter(|(name, _)| name == "session");
    named.any(|(_, id)| id.parse::<SessionId>().is_ok())
}

/// The parameter `token`, unless it is missing or empty.
pub(super) fn token(parameters: Vec<(String, String)>) -> Option<String> {
    let (_, token) = parameters.into_iter().find(|(name, _)| name == "token")?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_session_by_its_id_alone() {
        let id = SessionId::from_random([7; 16]).to_string();
        let named = |name: &str, id: &str| names_session(&[(name.to_owned(), id.to_owned())]);
        assert!(named("session", &id));
        assert!(!named("sessions", &id));
        for other in ["", "07", &format!("{id}.A"), &id[1..], "../../etc"] {
            assert!(!named("session", other), "{other}");
        }
        assert!(!names_session(&[]));
    }
}
