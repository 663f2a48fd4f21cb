//! What is not counted but looked up, each time that somebody asks.

use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::seconds;
use crate::clock::UnixTime;

type Look = Box<dyn Fn() -> u64 + Send + Sync>;

/// A number as it is at the moment of a scrape.
pub(super) enum Reading {
    /// One that rises and falls.
    Level(Look),
    /// One that only rises.
    Count(Look),
    /// A point in time, while it is known.
    Time(Box<dyn Fn() -> Option<UnixTime> + Send + Sync>),
}

impl EncodeMetric for Reading {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        match self {
            Self::Level(look) => ConstGauge::new(look()).encode(encoder),
            Self::Count(look) => ConstCounter::new(look()).encode(encoder),
            Self::Time(look) => match look() {
                Some(time) => ConstGauge::new(seconds(time)).encode(encoder),
                None => Ok(()),
            },
        }
    }

    fn metric_type(&self) -> MetricType {
        match self {
            Self::Level(_) | Self::Time(_) => MetricType::Gauge,
            Self::Count(_) => MetricType::Counter,
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading")
    }
}
