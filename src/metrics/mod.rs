//! What the gateway counts, in the words of OpenMetrics.
//!
//! Labels are bounded: reasons, codes, security types and the store's operations are closed lists, and
//! keys are those of the ring. Nothing is labelled by machine, person or token.

mod api;
mod keys;
mod process;
mod reading;
mod sessions;
mod store;
mod webhook;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Semaphore;

use crate::clock::UnixTime;
use reading::Reading;

pub use api::Api;
pub use keys::Keys;
pub use sessions::Sessions;
pub use store::Store;
pub use webhook::{Fate, Webhook};

/// All counters and gauges of a gateway.
pub struct Metrics {
    registry: Mutex<Registry>,
    /// What every process is asked, by the names that it has everywhere.
    process: Registry,
    /// Of sessions.
    pub sessions: Sessions,
    /// Of the key ring.
    pub keys: Keys,
    /// Of what gateways share.
    pub store: Store,
    /// Of the webhook.
    pub webhook: Webhook,
    /// Of the API.
    pub api: Api,
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("fanlight");
        let r = &mut registry;
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        r.register("build", "What was built", Info::new(version));
        let (sessions, keys) = (Sessions::new(), Keys::default());
        let (store, webhook) = (Store::new(), Webhook::default());
        let api = Api::default();
        sessions.register(r);
        keys.register(r);
        store.register(r);
        webhook.register(r);
        api.register(r);
        Self {
            registry: Mutex::new(registry),
            process: process::registry(),
            sessions,
            keys,
            store,
            webhook,
            api,
        }
    }

    /// Something that rises and falls is looked up when somebody asks. Each name is there once.
    pub fn level(
        &self,
        name: &'static str,
        help: &'static str,
        look: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let level = Reading::Level(Box::new(look));
        self.registry().register(name, help, level);
    }

    /// The same, of something that only rises.
    pub fn count(
        &self,
        name: &'static str,
        help: &'static str,
        look: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let count = Reading::Count(Box::new(look));
        self.registry().register(name, help, count);
    }

    /// The same, of places: how many of the `most` are taken.
    pub fn places(
        &self,
        name: &'static str,
        help: &'static str,
        places: Arc<Semaphore>,
        most: usize,
    ) {
        let taken = move || most.saturating_sub(places.available_permits()) as u64;
        self.level(name, help, taken);
    }

    /// The same, of a point in time that may not be known.
    pub fn time(
        &self,
        name: &'static str,
        help: &'static str,
        look: impl Fn() -> Option<UnixTime> + Send + Sync + 'static,
    ) {
        let time = Reading::Time(Box::new(look));
        self.registry()
            .register_with_unit(name, help, Unit::Seconds, time);
    }

    /// All of it, as OpenMetrics writes it. Waits for the system's word about this process.
    ///
    /// # Errors
    /// None that is known: it is written to memory.
    pub fn to_text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry())?;
        encode_registry(&mut text, &self.process)?;
        encode_eof(&mut text)?;
        Ok(text)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// A point in time as a gauge has it. No time of ours is too late for it.
fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::id::KeyId;
    use crate::reason::Reason;
    use crate::rfb::security::SecurityType;

    #[test]
    fn the_life_of_sessions_as_a_scraper_sees_it() {
        let metrics = Metrics::new();
        let key = KeyId::from_random([7; 4]);
        metrics.keys.added(key, UnixTime::from_secs(1_795_249_800));
        metrics.keys.sealed(key);
        metrics.time(
            "certificate_expiry_timestamp",
            "When the first of the certificates ends",
            || Some(UnixTime::from_secs(1_800_000_000)),
        );
        let sessions = &metrics.sessions;
        for _ in 0..2 {
            sessions.started(Duration::from_millis(30), Some(SecurityType::X509_VNC));
        }
        sessions.first_frame(Duration::from_millis(60));
        sessions.round_trip(Duration::from_millis(15));
        sessions.ended(Reason::HostClosed, Duration::from_secs(90), 10, 2000);
        sessions.refused(Reason::TokenExpired, None);
        sessions.refused(Reason::HostAuthFailed, Some(SecurityType(77)));
        metrics.store.operation("renew");
        metrics
            .store
            .called("admit", Duration::from_millis(3), true);
        metrics.store.called("admit", Duration::from_secs(2), false);
        metrics.webhook.queued();
        metrics.webhook.queued();
        metrics.webhook.settled(Fate::GivenUp);
        for _ in 0..3 {
            metrics.webhook.dropped();
        }
        metrics.api.code("internal");
        metrics.api.refused("unauthorized");
        metrics.level("places", "How many there are", || 7);
        metrics.count("knocks", "How often somebody knocked", || 8);
        let text = metrics.to_text().unwrap();
        for reason in Reason::ALL {
            let zero = format!("{{reason=\"{reason}\"}} ");
            assert_eq!(
                text.matches(&zero).count(),
                2,
                "{reason} is there from the start"
            );
        }
        // What is still at zero stands in no order, and what the process needs is not the same twice.
        let mut moved: Vec<&str> = text
            .lines()
            .filter(|it| !it.ends_with("} 0") && !it.starts_with("process_"))
            .collect();
        // Lines of one name stand in no order either.
        moved.sort_by_key(|line| (!line.starts_with('#'), *line));
        insta::assert_snapshot!(moved.join("\n"));
    }

    #[test]
    fn a_retired_key_is_counted_no_more() {
        let metrics = Metrics::new();
        let (old, new) = (KeyId::from_random([7; 4]), KeyId::from_random([8; 4]));
        for key in [old, new] {
            metrics.keys.added(key, UnixTime::from_secs(1_795_249_800));
            metrics.keys.sealed(key);
        }
        metrics.keys.retired(old);
        let text = metrics.to_text().unwrap();
        assert!(!text.contains(&old.to_string()), "{text}");
        assert_eq!(text.matches(&new.to_string()).count(), 2, "{text}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_is_told_of_by_the_names_that_it_has_everywhere() {
        let told = |name: &str| {
            let text = Metrics::new().to_text().unwrap();
            let line = text.lines().find_map(|it| it.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} in {text}"))
                .trim()
                .parse::<f64>()
                .unwrap()
        };
        let before = told("process_open_fds ");
        let files: Vec<_> = (0..20)
            .map(|_| std::fs::File::open("/dev/null").unwrap())
            .collect();
        assert!(told("process_open_fds ") >= before, "others close theirs");
        assert!(told("process_open_fds ") >= files.len() as f64);
        assert!(told("process_max_fds ") >= told("process_open_fds "));
        assert!(told("process_resident_memory_bytes ") > 1e6);
    }
}
