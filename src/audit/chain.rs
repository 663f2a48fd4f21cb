//! The chain: each line has a hash over itself and the hash of the line before.
//!
//! ```text
//! {"seq":1,"time":"…","act":"start","prev":"000…","hash":"H1"}
//! {"seq":2,"time":"…","act":"mint",…,"hash":"H2"}      H2 = SHA-256(H1 || {"seq":2,…)
//! ```
//!
//! A line that starts a process or a file repeats in `prev` the hash that it goes on from.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::audit::event::Event;
use crate::clock::UnixTime;

/// What stands between a line's text and its hash.
const HASH: &str = ",\"hash\":\"";

/// What stands behind the hash.
const END: &str = "\"}";

/// The hash of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of a line's text in its place behind another line.
    fn of(previous: Self, text: &str) -> Self {
        let hash = Sha256::new().chain_update(previous.0);
        Self(hash.chain_update(text.as_bytes()).finalize().into())
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().map(Self).ok()
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

/// How far a log has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of the last line; 0 before the first.
    pub seq: u64,
    /// Its hash; zeros before the first.
    pub hash: Digest,
}

/// A line, without its hash.
#[derive(Serialize)]
struct Line<'e> {
    seq: u64,
    time: UnixTime,
    #[serde(flatten)]
    event: &'e Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
}

/// What of a line has to be known to go on behind it.
#[derive(Deserialize)]
struct Head {
    seq: u64,
    #[serde(default)]
    prev: Option<String>,
}

/// A line as it was read, not yet compared with the line before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'l> {
    text: &'l str,
    pub(super) seq: u64,
    /// What it says that it goes on from, where it says so.
    pub(super) prev: Option<Digest>,
    hash: Digest,
}

impl Chain {
    /// The next line, without its line break. An `anchor` repeats what it goes on from.
    pub fn link(&mut self, time: UnixTime, event: &Event, anchor: bool) -> String {
        let line = Line {
            seq: self.seq + 1,
            time,
            event,
            prev: anchor.then(|| self.hash.to_string()),
        };
        // Strings and numbers cannot fail to become JSON.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        // The brace at the end comes behind the hash.
        text.pop();
        self.hash = Digest::of(self.hash, &text);
        self.seq += 1;
        format!("{text}{HASH}{}{END}", self.hash)
    }

    /// How far a log is whose last line is `line`. Whether the line is right cannot be told from it
    /// alone, unless it is an anchor.
    #[must_use]
    pub fn behind(line: &str) -> Option<Self> {
        let link = Link::read(line)?;
        Some(Self {
            seq: link.seq,
            hash: link.hash,
        })
    }
}

impl<'l> Link<'l> {
    pub(super) fn read(line: &'l str) -> Option<Self> {
        let (text, hash) = line.strip_suffix(END)?.rsplit_once(HASH)?;
        let head: Head = serde_json::from_str(line).ok()?;
        let prev = match head.prev {
            Some(prev) => Some(Digest::parse(&prev)?),
            None => None,
        };
        Some(Self {
            text,
            seq: head.seq,
            prev,
            hash: Digest::parse(hash)?,
        })
    }

    /// How far the log is behind this line, if the line belongs behind `chain`.
    pub(super) fn follows(&self, chain: Chain) -> Option<Chain> {
        let fits = self.seq == chain.seq.checked_add(1)?
            && self.prev.is_none_or(|prev| prev == chain.hash)
            && Digest::of(chain.hash, self.text) == self.hash;
        fits.then_some(Chain {
            seq: self.seq,
            hash: self.hash,
        })
    }
}
