//! Listeners beside the main one: each answers plain HTTP with one thing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::drain::Phases;
use super::edge::Edge;
use super::serving::Face;
use super::{Front, StartError, accept, bind};
use crate::config::Config;
use crate::descriptors;
use crate::http::http2;
use crate::http::metrics::{self, Scrape};
use crate::http::redirect;

/// Those that are configured.
pub(super) struct Beside {
    redirect: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Beside {
    pub(super) async fn bind(config: &Config) -> Result<Self, StartError> {
        let dead_after = config.browser.dead_after;
        let redirect = config.tls.redirect_from;
        Ok(Self {
            redirect: bind_some("tls.redirect_from", redirect, dead_after).await?,
            metrics: bind_some("metrics.listen", config.metrics_listen, dead_after).await?,
        })
    }

    /// Answers until the gateway drains, and about how it is until it stops.
    pub(super) fn serve(
        self,
        config: &Config,
        public_url: &str,
        scrape: Scrape,
        tasks: &TaskTracker,
        phases: &Phases,
    ) {
        let spawn = |listener: TcpListener, router: Router, closing: &CancellationToken| {
            let face = Arc::new(Face {
                edge: Edge::new(config),
                router,
                http2: http2::Params {
                    tasks: tasks.clone(),
                    websockets: false,
                },
            });
            let front = Front {
                face: Box::new(move || Arc::clone(&face)),
                acceptor: None,
                tasks: tasks.clone(),
                closing: closing.clone(),
            };
            tasks.spawn(accept(listener, Arc::new(front), descriptors::BESIDE));
        };
        if let Some(listener) = self.redirect {
            spawn(
                listener,
                redirect::router(public_url, config.base_path.as_str()),
                &phases.drain,
            );
        }
        if let Some(listener) = self.metrics {
            if let Ok(address) = listener.local_addr() {
                info!(%address, "metrics");
            }
            spawn(listener, metrics::router(scrape), &phases.stop);
        }
    }
}

async fn bind_some(
    setting: &'static str,
    address: Option<SocketAddr>,
    dead_after: Duration,
) -> Result<Option<TcpListener>, StartError> {
    match address {
        Some(address) => bind(setting, address, dead_after).await.map(Some),
        None => Ok(None),
    }
}
