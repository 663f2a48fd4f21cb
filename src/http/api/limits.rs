//! `limits` in the API: how often a console may be opened, and for how long.

use std::num::NonZeroU16;

use serde::Deserialize;

use crate::http::api::time::Time;
use crate::http::api::whole::Whole;
use crate::mint::LimitsOrder;

/// In place of what is configured.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsRequest {
    uses: Option<Whole<NonZeroU16>>,
    session_max: Option<Time>,
    idle_max: Option<Time>,
}

impl LimitsRequest {
    /// The limits of the order; whether they are within their bounds is the minter's to say.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(super) fn into_order(self) -> Result<LimitsOrder, (&'static str, String)> {
        Ok(LimitsOrder {
            uses: self.uses.map(|Whole(uses)| uses),
            session_max: Time::read(self.session_max.as_ref(), "limits.session_max")?,
            idle_max: Time::read(self.idle_max.as_ref(), "limits.idle_max")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_seconds_or_have_a_unit() {
        let read = |json| serde_json::from_str::<LimitsRequest>(json).map(|it| it.into_order());
        assert_eq!(read("{}").unwrap(), Ok(LimitsOrder::default()));
        let order = read(r#"{"uses": 2, "session_max": "2h", "idle_max": 90.0}"#).unwrap();
        let expected = LimitsOrder {
            uses: NonZeroU16::new(2),
            session_max: Some(Duration::from_secs(7200)),
            idle_max: Some(Duration::from_secs(90)),
        };
        assert_eq!(order, Ok(expected));
        let (field, _) = read(r#"{"idle_max": "soon"}"#).unwrap().unwrap_err();
        assert_eq!(field, "limits.idle_max");
        assert!(read(r#"{"uses": 0}"#).is_err());
    }
}
