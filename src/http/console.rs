//! `GET /novnc`: which page somebody gets.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use tracing::info;

use crate::http::{Client, Service, page};
use crate::reason::Reason;

/// The parameters of a query, in their order; whatever is not valid percent-encoding or UTF-8 is
/// replaced, so that this cannot fail.
pub(super) type Parameters = Query<Vec<(String, String)>>;

/// The console page for a token that opens, a page that says why for one that does not, and how to
/// get one where there is none. Fetching it uses nothing up.
pub(super) async fn page(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    Query(parameters): Parameters,
) -> Response {
    let Some(token) = token(parameters) else {
        return page::landing();
    };
    match service.sessions.open_token(&token) {
        Ok(grant) => page::console(grant.credentials.login.relay),
        Err(error) => {
            let reason = Reason::from(&error);
            info!(client = %client.address, reason = reason.code(), detail = %error, "page refused");
            page::refused(reason)
        }
    }
}

/// The parameter `token`, unless it is missing or empty.
pub(super) fn token(parameters: Vec<(String, String)>) -> Option<String> {
    let (_, token) = parameters.into_iter().find(|(name, _)| name == "token")?;
    (!token.is_empty()).then_some(token)
}
