//! Where traces go.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StartError;
use super::params::name;
use crate::config::Config;
use crate::host::resolve::Resolver;
use crate::metrics::Metrics;
use crate::otlp::Exporter;
use crate::tls::connect::{Connector, Trust};
use crate::traces::Traces;

/// What takes spans, and in `tasks` what sends them until it is told to stop.
pub(super) fn start(
    config: &Config,
    resolver: &Resolver,
    metrics: &Metrics,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Traces, StartError> {
    let Some(to) = &config.traces else {
        return Ok(Traces::off());
    };
    let (traces, exporter) = Exporter::new(
        to.url.clone(),
        to.headers_file.as_deref(),
        name(config),
        resolver.clone(),
        Connector::new(&Trust::default())?,
        metrics,
    )?;
    tasks.spawn(exporter.run(stop.clone()));
    Ok(traces)
}
