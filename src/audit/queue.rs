//! The face of the audit log: events are taken over at once, and written by a thread of its own.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::warn;

use crate::audit::chain::Chain;
use crate::audit::event::{Act, Event};
use crate::audit::file::{LogFile, Stream};
use crate::audit::writer::{Out, Writer};
use crate::clock::UnixTime;

/// How many events may wait to be written.
const QUEUE: usize = 4096;

/// How an audit log is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Where to. Without it nothing is written down.
    pub to: Option<Destination>,
    /// What happens when it cannot be written.
    pub when_full: WhenFull,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Behind what is in this file.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What happens when the log cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Nothing new is begun.
    #[default]
    Refuse,
    /// The gateway goes on, and a line tells later how many are missing.
    Continue,
}

/// Why a log cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system does not let us.
    #[error("the audit log {path} cannot be opened (setting audit.to): {error}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Two writers would break each other's chain.
    #[error("the audit log {0} is written by another process (setting audit.to)")]
    Locked(PathBuf),
    /// There is something else in the file, which is left alone.
    #[error("{0} does not end like an audit log (setting audit.to): move it away")]
    NotALog(PathBuf),
    /// There is no thread or no stream for it.
    #[error("the audit log cannot be started: {0}")]
    Start(#[from] io::Error),
}

/// The audit log, or none. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct Audit(Option<Arc<Inner>>);

struct Inner {
    events: SyncSender<Entry>,
    when_full: WhenFull,
    state: Arc<State>,
    /// Ends when everything is written.
    done: Mutex<Option<oneshot::Receiver<()>>>,
}

/// What waits to be written.
#[derive(Debug)]
pub(super) enum Entry {
    /// An event and its time.
    Event(UnixTime, Box<Event>),
    /// Nothing more will come.
    Close,
}

/// What both sides of the queue know.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Whether lines are lost, or were and it is not told yet, or wait for room.
    pub(super) failing: AtomicBool,
    /// How many events were lost since it was last told.
    pub(super) lost: AtomicU64,
    /// How many events were lost in all.
    lost_in_all: AtomicU64,
    /// How many events wait to be written.
    pub(super) waiting: AtomicU64,
    /// Whether to give up rather than wait for room.
    pub(super) closing: AtomicBool,
}

impl Audit {
    /// No log: nothing is written, and nothing is held up.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// Opens the log and writes its first line, which goes on from where the file ends. That the
    /// disk is full is no reason not to start.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(params: &Params) -> Result<Self, StartError> {
        let Some(to) = &params.to else {
            return Ok(Self::off());
        };
        let mut first = Event::new(Act::Start);
        let (out, chain): (Box<dyn Out>, _) = match to {
            Destination::File(path) => {
                let (file, chain, cut) = LogFile::open(path)?;
                if cut > 0 {
                    first.detail = Some(format!("{cut} bytes of an unfinished line were cut off"));
                }
                (Box::new(file), chain)
            }
            Destination::Stdout => (Box::new(Stream::stdout()?), Chain::default()),
            Destination::Stderr => (Box::new(Stream::stderr()?), Chain::default()),
        };
        Ok(Self::to(out, chain, first, params.when_full, QUEUE)?)
    }

    pub(super) fn to(
        out: Box<dyn Out>,
        chain: Chain,
        first: Event,
        when_full: WhenFull,
        queue: usize,
    ) -> io::Result<Self> {
        let (events, waiting) = sync_channel(queue);
        let (finished, done) = oneshot::channel::<()>();
        let state = Arc::new(State::default());
        let mut writer = Writer::new(out, chain, Arc::clone(&state));
        let name = std::thread::Builder::new().name("audit".to_owned());
        name.spawn(move || {
            writer.run(&waiting, now(), &first);
            // The file is let go of first, so that another log can be opened then.
            drop(writer);
            drop(finished);
        })?;
        Ok(Self(Some(Arc::new(Inner {
            events,
            when_full,
            state,
            done: Mutex::new(Some(done)),
        }))))
    }

    /// Writes an event down. Never waits: where there is no room it is counted as lost, which a
    /// later line tells.
    pub fn record(&self, event: Event) {
        let Some(inner) = &self.0 else {
            return;
        };
        let entry = Entry::Event(now(), Box::new(event));
        // Before it can be taken out.
        inner.state.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            inner.events.try_send(entry)
        {
            inner.state.waiting.fetch_sub(1, Ordering::Relaxed);
            inner.state.lost.fetch_add(1, Ordering::Relaxed);
            inner.state.lost_in_all.fetch_add(1, Ordering::Relaxed);
            if !inner.state.failing.swap(true, Ordering::Relaxed) {
                warn!("the audit log is behind: events are lost");
            }
        }
    }

    /// Whether something may be begun: the log can be written, or that is no condition.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| {
            inner.when_full == WhenFull::Continue || !inner.state.failing.load(Ordering::Relaxed)
        })
    }

    /// How many events wait to be written, of the 4096 that may.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let inner = self.0.as_ref();
        inner.map_or(0, |it| it.state.waiting.load(Ordering::Relaxed))
    }

    /// How many events were lost since the start, because there was no room for them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let inner = self.0.as_ref();
        inner.map_or(0, |it| it.state.lost_in_all.load(Ordering::Relaxed))
    }

    /// Writes the last line and waits until everything is written, for `within` at most. What cannot
    /// be written is given up. Nothing is recorded afterwards.
    ///
    /// # Cancel safety
    /// Cancel safe: the thread goes on writing.
    pub async fn close(&self, within: Duration) {
        let Some(inner) = &self.0 else {
            return;
        };
        self.record(Event::new(Act::Stop));
        inner.state.closing.store(true, Ordering::Relaxed);
        // Where the queue is full, the flag does it.
        let _ = inner.events.try_send(Entry::Close);
        let done = inner
            .done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(done) = done
            && timeout(within, done).await.is_err()
        {
            warn!("the audit log was not written to its end");
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("when_full", &self.when_full)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn now() -> UnixTime {
    SystemTime::now().into()
}

#[cfg(test)]
mod tests;
