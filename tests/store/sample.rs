//! Sessions, claims and words that the cases start from.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use fanlight::clock::UnixTime;
use fanlight::id::{ConsoleId, SessionId};
use fanlight::reason::Reason;
use fanlight::rfb::permissions::Permissions;
use fanlight::store::{
    Claim, Denied, Entry, Keep, Knock, Message, Permit, Quotas, Resumed, Sentence, State, Store,
    Verdict, Word,
};
use fanlight::token::{Labels, Role, Sharing};
use tokio::sync::broadcast;

use crate::common::wait::within;

/// How long whatever is waited for may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

/// A grace that nothing here outlasts.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// Sixteen bytes that were not there before, in no order.
pub(crate) fn unique() -> [u8; 16] {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0x5a; 16];
    bytes[..8].copy_from_slice(&count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from(SystemTime::now())
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    let mut labels = Labels::default();
    for (key, value) in pairs {
        labels.insert(key, value).unwrap();
    }
    labels
}

/// A session that is to be, of a console and at a machine of its own.
pub(crate) fn entry() -> Entry {
    let id = SessionId::from_random(unique());
    Entry {
        id,
        leg: 1,
        console: ConsoleId::from_random(unique()),
        minted_at: now(),
        labels: Arc::default(),
        target: "tcp:192.0.2.1:5900".into(),
        machine: id.to_string().into(),
        client: [192, 0, 2, 7].into(),
        role: Role::Driver,
        sharing: Sharing::Shared,
        permit: Permit::first(Permissions::default()),
        gateway: "one".into(),
        state: State::Connecting,
        started: now(),
        ends_by: now().plus(Duration::from_secs(3600)),
        active: now(),
        bytes_up: 0,
        bytes_down: 0,
        security: None,
    }
}

/// Why a session may not go on.
pub(crate) fn reason(verdict: &Verdict) -> Reason {
    match &verdict.word {
        Word::End(sentence) => sentence.reason,
        Word::Permit(permit) => panic!("it goes on: {permit:?}"),
    }
}

/// A session at a machine.
pub(crate) fn at(machine: &str, sharing: Sharing) -> Entry {
    Entry {
        machine: machine.into(),
        sharing,
        ..entry()
    }
}

/// Another session of the same token.
pub(crate) fn another(entry: &Entry) -> Entry {
    Entry {
        id: SessionId::from_random(unique()),
        ..entry.clone()
    }
}

pub(crate) fn live(entry: &Entry) -> Entry {
    Entry {
        state: State::Live,
        ..entry.clone()
    }
}

/// A token for one session, with no quotas.
pub(crate) fn claim(entry: &Entry) -> Claim {
    Claim {
        entry: entry.clone(),
        uses: NonZeroU16::MIN,
        usable_for: LONG,
        quotas: Quotas::default(),
    }
}

pub(crate) async fn admit(store: &dyn Store, entry: &Entry) -> Result<Vec<SessionId>, Denied> {
    store.admit(&claim(entry)).await.unwrap()
}

/// Lets a session in and gives it its picture, to come back with a secret.
pub(crate) async fn open(store: &dyn Store, entry: &Entry, secret: u8, grace: Duration) -> Entry {
    admit(store, entry).await.unwrap();
    let entry = live(entry);
    let keep = keep(secret, grace);
    store.connected(&entry, Some(&keep)).await.unwrap();
    entry
}

pub(crate) fn keep(secret: u8, grace: Duration) -> Keep {
    Keep {
        secret: [secret; 32],
        sealed_grant: "fl1.sealed".to_owned(),
        grace,
    }
}

/// Comes back with a secret, and gets the next.
pub(crate) async fn resume(
    store: &dyn Store,
    session: SessionId,
    secret: u8,
    next: u8,
) -> Result<Resumed, Denied> {
    let knock = Knock {
        session,
        secret: [secret; 32],
        next: [next; 32],
        gateway: "two".into(),
        now: now(),
    };
    store.resume(&knock).await.unwrap()
}

pub(crate) fn sentence() -> Sentence {
    Sentence {
        reason: Reason::Terminated,
        note: Some("maintenance \"tonight\"".to_owned()),
    }
}

/// The next message, which has to come.
pub(crate) async fn heard(messages: &mut broadcast::Receiver<Message>) -> Message {
    within("a message", DEADLINE, messages.recv())
        .await
        .unwrap()
}
