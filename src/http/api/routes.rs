//! Every route of the API, declared once: the router and the OpenAPI document follow this table.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::Uri;
use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::http::api::scope::Scope;
use crate::http::api::selection::unknown;
use crate::http::api::{Api, consoles, control, ends, events, reload, sessions};
use crate::http::console::Parameters;
use crate::http::problem::Problem;

/// A method of a path.
#[derive(Debug)]
pub struct Route {
    /// The method, in lower case as OpenAPI has it.
    pub method: &'static str,
    /// The path below the base path, parameters in braces.
    pub path: &'static str,
    /// What the key has to be good for.
    pub scope: Scope,
    /// The names of the parameters that its query may have.
    pub query: &'static [&'static str],
    /// The codes of what may be wrong, beside what may be with every route.
    pub problems: &'static [&'static str],
    /// What answers.
    pub(super) handler: fn() -> MethodRouter<Arc<Api>>,
}

impl Route {
    /// Whether a query has no parameter but the route's own.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`]: whoever mistypes one is told, and not understood otherwise.
    pub(super) fn check_query(&self, uri: &Uri) -> Result<(), Problem> {
        let query: Parameters = Query::try_from_uri(uri).map_err(|_| unknown())?;
        let mut names = query.iter().map(|(name, _)| name.as_str());
        if names.all(|name| self.query.contains(&name)) {
            Ok(())
        } else {
            Err(unknown())
        }
    }
}

/// Of a route that asks the store.
const STORE: &[&str] = &["store_unavailable"];

/// Of a route that is about one session.
const ONE: &[&str] = &["session_not_found", "store_unavailable"];

/// Of a route with a body.
const BODY: &[&str] = &[
    "body_too_large",
    "invalid_request",
    "store_unavailable",
    "unsupported_media_type",
];

/// All of them.
pub const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/api/v1/consoles",
        scope: Scope::Mint,
        query: &[],
        problems: &[
            "audit_unavailable",
            "body_too_large",
            "invalid_request",
            "rate_limited",
            "unsupported_media_type",
        ],
        handler: || post(consoles::create),
    },
    Route {
        method: "delete",
        path: "/api/v1/consoles/{id}",
        scope: Scope::SessionsEnd,
        query: &[],
        problems: STORE,
        handler: || delete(ends::revoke_console),
    },
    Route {
        method: "post",
        path: "/api/v1/reload",
        scope: Scope::Admin,
        query: &[],
        problems: &[
            "body_too_large",
            "config_invalid",
            "invalid_request",
            "reload_unavailable",
        ],
        handler: || post(reload::reload),
    },
    Route {
        method: "post",
        path: "/api/v1/revocations",
        scope: Scope::SessionsEnd,
        query: &[],
        problems: BODY,
        handler: || post(ends::revoke_label),
    },
    Route {
        method: "get",
        path: "/api/v1/sessions",
        scope: Scope::SessionsRead,
        query: &["label", "console", "limit", "cursor"],
        problems: STORE,
        handler: || get(sessions::list),
    },
    Route {
        method: "get",
        path: "/api/v1/sessions/events",
        scope: Scope::SessionsRead,
        query: &["label", "console"],
        problems: &["too_many_listeners"],
        handler: || get(events::listen),
    },
    Route {
        method: "get",
        path: "/api/v1/sessions/{id}",
        scope: Scope::SessionsRead,
        query: &[],
        problems: ONE,
        handler: || get(sessions::one),
    },
    Route {
        method: "delete",
        path: "/api/v1/sessions/{id}",
        scope: Scope::SessionsEnd,
        query: &["message"],
        problems: ONE,
        handler: || delete(ends::terminate),
    },
    Route {
        method: "patch",
        path: "/api/v1/sessions/{id}",
        scope: Scope::SessionsControl,
        query: &[],
        problems: &[
            "audit_unavailable",
            "body_too_large",
            "invalid_request",
            "session_not_found",
            "store_unavailable",
            "unsupported_media_type",
        ],
        handler: || patch(control::permit),
    },
    Route {
        method: "post",
        path: "/api/v1/sessions/{id}/keys",
        scope: Scope::SessionsControl,
        query: &[],
        problems: &[
            "audit_unavailable",
            "body_too_large",
            "invalid_request",
            "session_not_found",
            "session_not_live",
            "store_unavailable",
            "unsupported_media_type",
        ],
        handler: || post(control::press),
    },
];
