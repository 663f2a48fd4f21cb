//! Whether the gateway lives (`/healthz`) and whether it should be given new consoles (`/readyz`).
//!
//! Both stand at the root, whatever the base path is: who asks is a supervisor or a load balancer,
//! and not a browser behind a proxy. An answer names what is checked and says nothing of machines,
//! people or keys.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use crate::http::Service;

/// Where a supervisor asks whether the process has to be restarted.
pub const LIVE_PATH: &str = "/healthz";

/// Where a load balancer asks whether new consoles should come here.
pub const READY_PATH: &str = "/readyz";

/// What a check says that finds nothing wrong.
const OK: &str = "ok";

/// Says what keeps the gateway from taking new consoles, in words for the operator. It tells what is
/// known and waits for nothing.
type Ask = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What has to be well for new consoles, each by its name.
#[derive(Default)]
pub struct Readiness(BTreeMap<&'static str, Ask>);

impl Readiness {
    /// The same, with one check more.
    #[must_use]
    pub fn with(
        mut self,
        name: &'static str,
        ask: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(name, Box::new(ask));
        self
    }

    fn report(&self) -> Report {
        let checks = self.0.iter().map(|(name, ask)| (*name, ask()));
        let checks: Vec<_> = checks.collect();
        Report {
            ready: checks.iter().all(|(_, result)| result.is_ok()),
            checks: checks
                .into_iter()
                .map(|(name, result)| (name, result.err().unwrap_or_else(|| OK.to_owned())))
                .collect(),
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The answer of `/readyz`.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Report {
    ready: bool,
    checks: BTreeMap<&'static str, String>,
}

/// The answer of `/healthz`. That there is one is the news.
#[derive(Serialize)]
struct Alive {
    alive: bool,
}

/// The two routes.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route(
            LIVE_PATH,
            get(async || answer(StatusCode::OK, Alive { alive: true })),
        )
        .route(READY_PATH, get(ready))
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    let report = service.readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(status, report)
}

fn answer(status: StatusCode, body: impl Serialize) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failing_check_is_named_and_one_is_enough() {
        let good = Readiness::default().with("drain", || Ok(()));
        assert!(good.report().ready);
        let bad = good
            .with("store", || Err("no answer".to_owned()))
            .with("certificate", || Err("expired".to_owned()));
        let json = serde_json::to_string(&bad.report()).unwrap();
        assert_eq!(
            json,
            r#"{"ready":false,"checks":{"certificate":"expired","drain":"ok","store":"no answer"}}"#
        );
    }
}
