//! What is counted of sessions, from their arrival to their end.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::reason::Reason;
use crate::rfb::security::SecurityType;

/// The upper bounds of how long it takes to the relay, and to the first frame, in seconds.
const OPENING: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// The upper bounds of how far browsers are, in seconds: the same house to a satellite.
const ROUND_TRIP: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

/// The upper bounds of how long sessions last, in seconds: a second to a day.
const DURATION: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0];

/// The result of a handshake that led to a relay.
const OK: &str = "ok";

/// A security type that has no name. None of those that are spoken is one.
const NAMELESS: &str = "other";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
    /// Empty where none was chosen.
    security: &'static str,
}

/// Counters and gauges of sessions.
pub struct Sessions {
    open: Gauge,
    refused: Family<ByReason, Counter>,
    ended: Family<ByReason, Counter>,
    handshakes: Family<ByResult, Counter>,
    handshake: Histogram,
    first_frame: Histogram,
    round_trip: Histogram,
    duration: Histogram,
    up: Counter,
    down: Counter,
}

impl Sessions {
    /// All at zero; each reason is there from the start, so that its first one is seen as a rise.
    pub(super) fn new() -> Self {
        let sessions = Self {
            open: Gauge::default(),
            refused: Family::default(),
            ended: Family::default(),
            handshakes: Family::default(),
            handshake: Histogram::new(OPENING),
            first_frame: Histogram::new(OPENING),
            round_trip: Histogram::new(ROUND_TRIP),
            duration: Histogram::new(DURATION),
            up: Counter::default(),
            down: Counter::default(),
        };
        for reason in Reason::ALL {
            let reason = reason.code();
            drop(sessions.refused.get_or_create(&ByReason { reason }));
            drop(sessions.ended.get_or_create(&ByReason { reason }));
        }
        sessions
    }

    pub(super) fn register(&self, r: &mut Registry) {
        r.register("sessions", "Consoles that are open", self.open.clone());
        r.register(
            "sessions_refused",
            "Arrivals that got no picture, by why",
            self.refused.clone(),
        );
        r.register(
            "sessions_ended",
            "Consoles that were open, by why they ended",
            self.ended.clone(),
        );
        r.register(
            "handshakes",
            "Arrivals, by what they came to (ok, or the reason) and the security type that was chosen at the host, if one was",
            self.handshakes.clone(),
        );
        r.register_with_unit(
            "handshake",
            "From the WebSocket to the relay, where it came to that",
            Unit::Seconds,
            self.handshake.clone(),
        );
        r.register_with_unit(
            "first_frame",
            "From the WebSocket to the first FramebufferUpdate for the browser",
            Unit::Seconds,
            self.first_frame.clone(),
        );
        r.register_with_unit(
            "browser_round_trip",
            "How long browsers took to answer a ping",
            Unit::Seconds,
            self.round_trip.clone(),
        );
        r.register_with_unit(
            "session",
            "How long consoles that ended were open",
            Unit::Seconds,
            self.duration.clone(),
        );
        r.register_with_unit(
            "up",
            "From browsers to machines, of sessions that ended",
            Unit::Bytes,
            self.up.clone(),
        );
        r.register_with_unit(
            "down",
            "From machines to browsers, of sessions that ended",
            Unit::Bytes,
            self.down.clone(),
        );
    }

    /// A session got to its relay, so long after it arrived.
    pub fn started(&self, after: Duration, security: Option<SecurityType>) {
        self.open.inc();
        self.handshake.observe(after.as_secs_f64());
        self.handshake_ended(OK, security);
    }

    /// A browser got the first of a picture, so long after it arrived.
    pub fn first_frame(&self, after: Duration) {
        self.first_frame.observe(after.as_secs_f64());
    }

    /// A browser answered a ping.
    pub fn round_trip(&self, trip: Duration) {
        self.round_trip.observe(trip.as_secs_f64());
    }

    /// A session that had got to its relay ended, so long after it arrived.
    pub fn ended(&self, reason: Reason, lasted: Duration, up: u64, down: u64) {
        let reason = reason.code();
        self.open.dec();
        self.ended.get_or_create(&ByReason { reason }).inc();
        self.duration.observe(lasted.as_secs_f64());
        self.up.inc_by(up);
        self.down.inc_by(down);
    }

    /// An arrival did not get to a relay. The host had chosen `security` by then, or was not so far.
    pub fn refused(&self, reason: Reason, security: Option<SecurityType>) {
        let reason = reason.code();
        self.refused.get_or_create(&ByReason { reason }).inc();
        self.handshake_ended(reason, security);
    }

    fn handshake_ended(&self, result: &'static str, security: Option<SecurityType>) {
        let security = security.map_or("", |chosen| chosen.name().unwrap_or(NAMELESS));
        let result = ByResult { result, security };
        self.handshakes.get_or_create(&result).inc();
    }
}
