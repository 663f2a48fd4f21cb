//! What Redis answers. None of it is taken for granted.

use std::str::FromStr;

use serde::de::DeserializeOwned;

use crate::clock::UnixTime;
use crate::id::SessionId;
use crate::store::{Denied, Entry, Permitted, Resumed, State, Unavailable, Verdict, Word};

/// The words for it.
pub(super) const UNREADABLE: &str = "an answer that cannot be read";

fn odd() -> Unavailable {
    Unavailable(UNREADABLE.to_owned())
}

fn parsed<T: FromStr>(text: &str) -> Result<T, Unavailable> {
    text.parse().map_err(|_| odd())
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Unavailable> {
    serde_json::from_str(text).map_err(|_| odd())
}

/// What `admit.lua` says.
pub(super) fn admitted(answer: &[String]) -> Result<Result<Vec<SessionId>, Denied>, Unavailable> {
    match answer {
        [said, out @ ..] if said == "in" => {
            let out: Result<_, _> = out.iter().map(|id| parsed(id)).collect();
            Ok(Ok(out?))
        }
        other => denied(other).map(Err),
    }
}

/// What `resume.lua` says.
pub(super) fn resumed(answer: &[String]) -> Result<Result<Resumed, Denied>, Unavailable> {
    match answer {
        [said, entry @ .., sealed_grant] if said == "in" => Ok(Ok(Resumed {
            entry: one(entry)?.ok_or_else(odd)?,
            sealed_grant: sealed_grant.clone(),
        })),
        other => denied(other).map(Err),
    }
}

fn denied(answer: &[String]) -> Result<Denied, Unavailable> {
    let (said, more) = answer.split_first().ok_or_else(odd)?;
    let more = more.first().map(String::as_str).unwrap_or_default();
    let time = || parsed::<UnixTime>(more);
    Ok(match said.as_str() {
        "used" => Denied::Used,
        "revoked" => Denied::Revoked,
        "in_use" => Denied::InUse { since: time()? },
        "quota" => Denied::Quota(more.to_owned()),
        "gone" => Denied::Gone,
        "over" => Denied::Over(time()?),
        _ => return Err(odd()),
    })
}

/// What `renew.lua` says.
pub(super) fn verdicts(answer: &[Heard]) -> Result<Vec<Verdict>, Unavailable> {
    let verdict = |(session, leg, kind, words): &Heard| {
        Ok(Verdict {
            session: parsed(session)?,
            leg: *leg,
            word: match kind.as_str() {
                "end" => Word::End(from_json(words)?),
                "permit" => Word::Permit(from_json(words)?),
                _ => return Err(odd()),
            },
        })
    };
    answer.iter().map(verdict).collect()
}

/// A session, its leg, what kind of word, and the word.
pub(super) type Heard = (String, u32, String, String);

/// What `permit.lua` says.
pub(super) fn permitted(answer: &str) -> Result<Permitted, Unavailable> {
    match answer {
        "done" => Ok(Permitted::Done),
        "outdated" => Ok(Permitted::Outdated),
        "gone" => Ok(Permitted::Gone),
        _ => Err(odd()),
    }
}

/// One session: its entry as its gateway told it, and what others have changed of it since.
pub(super) fn one(answer: &[String]) -> Result<Option<Entry>, Unavailable> {
    let [entry, leg, state, gateway, permit] = answer else {
        return if answer.is_empty() {
            Ok(None)
        } else {
            Err(odd())
        };
    };
    let mut entry: Entry = from_json(entry)?;
    entry.leg = parsed(leg)?;
    entry.state = match state.as_str() {
        "connecting" => State::Connecting,
        "live" => State::Live,
        "lost" => State::Lost,
        _ => return Err(odd()),
    };
    if !gateway.is_empty() {
        entry.gateway = gateway.as_str().into();
    }
    if !permit.is_empty() {
        entry.permit = entry.permit.newer(from_json(permit)?);
    }
    Ok(Some(entry))
}

/// What `sessions.lua` says: some sessions, and where the list goes on, if it does.
pub(super) fn some(answer: &[String]) -> Result<(Vec<Entry>, Option<SessionId>), Unavailable> {
    let (next, rest) = answer.split_first().ok_or_else(odd)?;
    let mut entries = Vec::new();
    for row in rest.chunks(5) {
        // One that a newer gateway tells otherwise must not hide all others.
        entries.extend(one(row).ok().flatten());
    }
    let next = if next.is_empty() {
        None
    } else {
        Some(parsed(next)?)
    };
    Ok((entries, next))
}
