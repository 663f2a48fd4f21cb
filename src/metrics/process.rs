//! What any process is asked, by [Prometheus' names] for it.
//!
//! [Prometheus' names]: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics

use prometheus_client::registry::{Registry, Unit};
use rustix::process::{Resource, getrlimit};

use super::reading::Reading;

/// Readings of this process.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    let r = &mut registry;
    r.register(
        "process_open_fds",
        "Descriptors that are open",
        Reading::Level(Box::new(open_descriptors)),
    );
    r.register(
        "process_max_fds",
        "Descriptors that there may be",
        Reading::Level(Box::new(|| {
            getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
        })),
    );
    r.register_with_unit(
        "process_resident_memory",
        "Memory that is there for the process",
        Unit::Bytes,
        Reading::Level(Box::new(resident)),
    );
    registry
}

/// How many there are; 0 where the system does not say.
fn open_descriptors() -> u64 {
    // One is that of the folder itself.
    std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count().saturating_sub(1) as u64)
}

/// In bytes; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|it| it.trim().strip_suffix(" kB"));
    kibibytes.and_then(|it| it.parse().ok()).unwrap_or(0_u64) * 1024
}
