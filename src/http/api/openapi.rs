//! `GET /api/openapi.json`: the API as [OpenAPI 3.1].
//!
//! `openapi.json` beside this file says what each operation takes and gives. What stands in tables
//! of the code is filled in from there: scopes and problems of each route, codes, reasons.
//!
//! [OpenAPI 3.1]: https://spec.openapis.org/oas/v3.1.0

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::http::api::routes::{ROUTES, Route};
use crate::http::problem::Problem;
use crate::reason::Reason;

/// The path of the document, below the base path. It asks for no key: it says nothing of anybody.
pub const PATH: &str = "/api/openapi.json";

/// What every route may answer.
const COMMON: &[&str] = &[
    "api_off",
    "internal",
    "invalid_parameter",
    "missing_scope",
    "request_timeout",
    "unauthorized",
];

/// The document of a gateway that is reached at `public_url`.
#[must_use]
pub fn document(public_url: &str) -> Value {
    // The text is ours; a test reads it.
    let mut document: Value =
        serde_json::from_str(include_str!("openapi.json")).unwrap_or_default();
    set(
        &mut document,
        "/info/version",
        env!("CARGO_PKG_VERSION").into(),
    );
    set(&mut document, "/servers", json!([{ "url": public_url }]));
    let reasons = Reason::ALL.map(Reason::code).to_vec();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        let codes: Vec<_> = Problem::all().iter().map(Problem::code).collect();
        schemas.insert("ProblemCode".to_owned(), json!({ "enum": codes }));
        let reason = json!({
            "description": "Why a session was refused or ended.",
            "enum": reasons,
        });
        schemas.insert("Reason".to_owned(), reason);
    }
    for route in ROUTES {
        let paths = document.get_mut("paths");
        let path = paths.and_then(|paths| paths.get_mut(route.path));
        let operation = path.and_then(|path| path.get_mut(route.method));
        if let Some(Value::Object(operation)) = operation {
            complete(operation, route);
        }
    }
    document
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = document.pointer_mut(pointer) {
        *place = value;
    }
}

/// Says what the key has to be good for, and what may be wrong.
fn complete(operation: &mut Map<String, Value>, route: &Route) {
    operation.insert(
        "security".to_owned(),
        json!([{ "key": [] }, { "certificate": [] }]),
    );
    operation.insert("x-scope".to_owned(), route.scope.as_str().into());
    let Some(Value::Object(responses)) = operation.get_mut("responses") else {
        return;
    };
    let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for problem in Problem::all() {
        let code = problem.code();
        if COMMON.contains(&code) || route.problems.contains(&code) {
            let problem = match problem {
                Problem::MissingScope(_) => Problem::MissingScope(route.scope),
                other => other,
            };
            let status = problem.status().as_u16();
            by_status.entry(status).or_default().push(problem);
        }
    }
    for (status, problems) in by_status {
        let titles: Vec<_> = problems.iter().map(Problem::title).collect();
        let examples: Map<_, _> = problems
            .iter()
            .map(|problem| (problem.code().to_owned(), json!({ "value": problem })))
            .collect();
        let response = json!({
            "description": format!("{}.", titles.join(", or: ")),
            "content": { "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
                "examples": examples,
            } },
        });
        responses.insert(status.to_string(), response);
    }
}

#[cfg(test)]
mod tests;
