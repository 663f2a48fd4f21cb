//! Every route of the API, declared once: the router and the OpenAPI document follow this table.

use std::sync::Arc;

use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::http::api::scope::Scope;
use crate::http::api::{Api, consoles, control, ends, events, reload, sessions};

/// A method of a path.
#[derive(Debug)]
pub struct Route {
    /// The method, in lower case as OpenAPI has it.
    pub method: &'static str,
    /// The path below the base path, parameters in braces.
    pub path: &'static str,
    /// What the key has to be good for.
    pub scope: Scope,
    /// The codes of what may be wrong, beside what may be with every route.
    pub problems: &'static [&'static str],
    /// What answers.
    pub(super) handler: fn() -> MethodRouter<Arc<Api>>,
}

/// Of a route that asks the store by parameters.
const PARAMETERS: &[&str] = &["invalid_parameter", "store_unavailable"];

/// Of a route that is about one session.
const ONE: &[&str] = &[
    "invalid_parameter",
    "session_not_found",
    "store_unavailable",
];

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
        problems: PARAMETERS,
        handler: || delete(ends::revoke_console),
    },
    Route {
        method: "post",
        path: "/api/v1/reload",
        scope: Scope::Admin,
        problems: &["config_invalid", "reload_unavailable"],
        handler: || post(reload::reload),
    },
    Route {
        method: "post",
        path: "/api/v1/revocations",
        scope: Scope::SessionsEnd,
        problems: BODY,
        handler: || post(ends::revoke_label),
    },
    Route {
        method: "get",
        path: "/api/v1/sessions",
        scope: Scope::SessionsRead,
        problems: PARAMETERS,
        handler: || get(sessions::list),
    },
    Route {
        method: "get",
        path: "/api/v1/sessions/events",
        scope: Scope::SessionsRead,
        problems: &["invalid_parameter", "too_many_listeners"],
        handler: || get(events::listen),
    },
    Route {
        method: "get",
        path: "/api/v1/sessions/{id}",
        scope: Scope::SessionsRead,
        problems: ONE,
        handler: || get(sessions::one),
    },
    Route {
        method: "delete",
        path: "/api/v1/sessions/{id}",
        scope: Scope::SessionsEnd,
        problems: ONE,
        handler: || delete(ends::terminate),
    },
    Route {
        method: "patch",
        path: "/api/v1/sessions/{id}",
        scope: Scope::SessionsControl,
        problems: &[
            "audit_unavailable",
            "body_too_large",
            "invalid_parameter",
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
        problems: &[
            "audit_unavailable",
            "body_too_large",
            "invalid_parameter",
            "invalid_request",
            "session_not_found",
            "session_not_live",
            "store_unavailable",
            "unsupported_media_type",
        ],
        handler: || post(control::press),
    },
];
