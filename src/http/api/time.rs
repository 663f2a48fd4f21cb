//! Lengths of time in the API.

use std::time::Duration;

use serde::Deserialize;

use crate::http::api::whole::Whole;
use crate::unit;

/// Seconds as a number, or a time with its unit such as `"90s"`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a number of seconds, or a time with its unit such as \"60s\""
)]
pub(super) enum Time {
    Seconds(Whole<u64>),
    Text(String),
}

impl Time {
    /// The time that stands in `field`, if any does.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(super) fn read<'f>(
        time: Option<&Self>,
        field: &'f str,
    ) -> Result<Option<Duration>, (&'f str, String)> {
        let Some(time) = time else {
            return Ok(None);
        };
        let duration = match time {
            Self::Seconds(Whole(seconds)) => Some(Duration::from_secs(*seconds)),
            Self::Text(text) => unit::parse_duration(text),
        };
        let words = "expected seconds, or a time with its unit such as \"60s\"";
        duration.map(Some).ok_or((field, words.to_owned()))
    }
}
