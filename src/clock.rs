//! Points in time as they stand in tokens and answers.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whole seconds since 1970-01-01T00:00:00Z.
///
/// This floor reads no clock: whoever needs "now" is given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

/// 9999-12-30T22:00:00Z, the last instant that prints as RFC 3339 everywhere.
const LATEST: u64 = 253_402_207_200;

impl UnixTime {
    /// From whole seconds since 1970, as a token carries them; what lies beyond the year 9999 is
    /// taken as its end.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        if secs > LATEST {
            Self(LATEST)
        } else {
            Self(secs)
        }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The instant `after` this one, whole seconds, never beyond the year 9999.
    #[must_use]
    pub const fn plus(self, after: Duration) -> Self {
        Self::from_secs(self.0.saturating_add(after.as_secs()))
    }
}

impl From<SystemTime> for UnixTime {
    /// A clock set before 1970 counts as 1970.
    fn from(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self::from_secs(since.as_secs())
    }
}

impl fmt::Display for UnixTime {
    /// [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) in UTC: `2026-11-21T08:30:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = i64::try_from(self.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_second(secs) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

impl Serialize for UnixTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnixTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Why a text is not a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2026-11-21T08:30:00Z")]
pub struct BadTime;

impl FromStr for UnixTime {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| BadTime)?;
        u64::try_from(timestamp.as_second())
            .map(Self::from_secs)
            .map_err(|_| BadTime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_rfc_3339_up_to_the_last_instant() {
        assert_eq!(UnixTime::from_secs(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(
            UnixTime::from_secs(1_795_249_800).to_string(),
            "2026-11-21T08:30:00Z"
        );
        assert_eq!(
            UnixTime::from_secs(u64::MAX).to_string(),
            "9999-12-30T22:00:00Z"
        );
    }

    #[test]
    fn reads_what_it_prints() {
        for secs in [0, 1_795_249_800, LATEST] {
            let time = UnixTime::from_secs(secs);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2026-11-21"] {
            assert_eq!(text.parse::<UnixTime>(), Err(BadTime), "{text:?}");
        }
    }

    #[test]
    fn sums_saturate() {
        let late = UnixTime::from_secs(u64::MAX).plus(Duration::MAX);
        assert_eq!(late, UnixTime::from_secs(LATEST));
        assert_eq!(
            UnixTime::from(SystemTime::UNIX_EPOCH)
                .plus(Duration::from_millis(1999))
                .as_secs(),
            1
        );
    }
}
