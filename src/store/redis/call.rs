//! What Redis is asked: a script and its arguments.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use redis::Script;
use serde::Serialize;

use crate::clock::UnixTime;
use crate::store::{Entry, Quotas, State, Unavailable};

/// A key outlives the session by that much, since clocks may differ.
const SLACK: Duration = Duration::from_secs(60 * 60);

macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("lua/prelude.lua"),
                "\n",
                include_str!($file)
            ))
        });
    };
}

script!(ADMIT, "lua/admit.lua");
script!(CONNECTED, "lua/connected.lua");
script!(RESUME, "lua/resume.lua");
script!(RENEW, "lua/renew.lua");
script!(LEAVE, "lua/leave.lua");
script!(END, "lua/end.lua");
script!(PERMIT, "lua/permit.lua");
script!(SESSION, "lua/session.lua");
script!(SESSIONS, "lua/sessions.lua");

/// A script with its arguments, those that all have left out.
pub(super) struct Call {
    pub(super) script: &'static LazyLock<Script>,
    pub(super) arguments: Vec<String>,
}

impl Call {
    pub(super) const ADMIT: Self = Self::of(&ADMIT);
    pub(super) const CONNECTED: Self = Self::of(&CONNECTED);
    pub(super) const RESUME: Self = Self::of(&RESUME);
    pub(super) const RENEW: Self = Self::of(&RENEW);
    pub(super) const LEAVE: Self = Self::of(&LEAVE);
    pub(super) const END: Self = Self::of(&END);
    pub(super) const PERMIT: Self = Self::of(&PERMIT);
    pub(super) const SESSION: Self = Self::of(&SESSION);
    pub(super) const SESSIONS: Self = Self::of(&SESSIONS);

    const fn of(script: &'static LazyLock<Script>) -> Self {
        Self {
            script,
            arguments: Vec::new(),
        }
    }

    pub(super) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn hash(self, hash: &[u8; 32]) -> Self {
        self.arg(HEXLOWER.encode(hash))
    }

    pub(super) fn json(self, value: &impl Serialize) -> Result<Self, Unavailable> {
        Ok(self.arg(to_json(value)?))
    }

    pub(super) fn told(mut self, told: &Told) -> Self {
        self.arguments.extend(told.0.iter().cloned());
        self
    }
}

/// What a gateway says of a session, as `said` in the prelude reads it.
pub(super) struct Told([String; 6]);

impl Told {
    pub(super) fn new(entry: &Entry) -> Result<Self, Unavailable> {
        let now = UnixTime::from(SystemTime::now());
        let left = entry.ends_by.as_secs().saturating_sub(now.as_secs());
        let live_for = Duration::from_secs(left).saturating_add(SLACK);
        Ok(Self([
            entry.id.to_string(),
            entry.leg.to_string(),
            state(entry.state).to_owned(),
            entry.client.to_string(),
            live_for.as_millis().to_string(),
            to_json(entry)?,
        ]))
    }
}

pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Connecting => "connecting",
        State::Live => "live",
        State::Lost => "lost",
    }
}

/// Quotas as `admit.lua` reads them: -1 is none.
pub(super) fn quotas(quotas: &Quotas) -> String {
    let number = |most: Option<usize>| most.and_then(|most| i64::try_from(most).ok());
    serde_json::json!({
        "in_all": number(quotas.in_all).unwrap_or(-1),
        "per_client": number(quotas.per_client).unwrap_or(-1),
        "per_label": quotas.per_label,
    })
    .to_string()
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, Unavailable> {
    serde_json::to_string(value).map_err(|_| Unavailable("not JSON".to_owned()))
}
