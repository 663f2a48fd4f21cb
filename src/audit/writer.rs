//! The thread that writes lines, and waits for room where there is none.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use crate::audit::chain::Chain;
use crate::audit::event::{Act, Event};
use crate::audit::queue::{Entry, State};
use crate::clock::UnixTime;

/// How long until what could not be written is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How many bytes are gathered before they are written.
const BATCH: usize = 64 * 1024;

/// Where lines go.
pub(super) trait Out: Send {
    /// Writes some of the bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Goes over to a new file where the old one was moved away, and says whether it did.
    fn turn(&mut self) -> io::Result<bool>;
}

pub(super) struct Writer {
    out: Box<dyn Out>,
    chain: Chain,
    /// Lines that are not written yet, the first of them maybe in part.
    pending: Vec<u8>,
    state: Arc<State>,
    retry: Duration,
}

impl Writer {
    pub(super) fn new(out: Box<dyn Out>, chain: Chain, state: Arc<State>) -> Self {
        Self {
            out,
            chain,
            pending: Vec::new(),
            state,
            retry: RETRY,
        }
    }

    /// Writes what comes until nothing more will.
    pub(super) fn run(&mut self, events: &Receiver<Entry>, now: UnixTime, first: &Event) {
        self.add(now, first, true);
        self.write();
        if !self.pending.is_empty() {
            return;
        }
        info!(seq = self.chain.seq, hash = %self.chain.hash, "audit log started");
        let mut open = true;
        while open {
            let Ok(next) = events.recv() else {
                break;
            };
            self.turn();
            open = self.take(next);
            while open && self.pending.len() < BATCH {
                let Ok(next) = events.try_recv() else {
                    break;
                };
                open = self.take(next);
            }
            self.write();
            if !self.pending.is_empty() {
                return;
            }
        }
        // The hash is the one witness that the log's end was not cut off afterwards.
        info!(seq = self.chain.seq, hash = %self.chain.hash, "audit log closed");
    }

    /// Adds an entry's line. Says whether more may come.
    fn take(&mut self, entry: Entry) -> bool {
        let Entry::Event(time, event) = entry else {
            return false;
        };
        self.state.waiting.fetch_sub(1, Ordering::Relaxed);
        self.add(time, &event, false);
        true
    }

    fn add(&mut self, time: UnixTime, event: &Event, anchor: bool) {
        let line = self.chain.link(time, event, anchor);
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
    }

    /// Begins a new file where the old one was moved away. Only between lines.
    fn turn(&mut self) {
        loop {
            match self.out.turn() {
                Ok(true) => {
                    let now = SystemTime::now().into();
                    return self.add(now, &Event::new(Act::Start), true);
                }
                Ok(false) => return,
                Err(error) if self.waits(&error) => {}
                Err(_) => return,
            }
        }
    }

    /// Writes all that is pending, and how many events were lost meanwhile.
    fn write(&mut self) {
        self.write_pending();
        let lost = self.state.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let gap = Event {
                lines: Some(lost),
                ..Event::new(Act::Lost)
            };
            self.add(SystemTime::now().into(), &gap, false);
            self.write_pending();
        }
        // Whoever lost one since then found the queue full, so that this is come to again.
        if self.pending.is_empty() && self.state.failing.swap(false, Ordering::Relaxed) {
            info!("the audit log is written again");
        }
    }

    /// However long it takes, unless the log is being closed.
    fn write_pending(&mut self) {
        while !self.pending.is_empty() {
            let written = match self.out.write(&self.pending) {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                written => written,
            };
            match written {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.waits(&error) => {}
                Err(_) => return,
            }
        }
    }

    /// Waits until another attempt makes sense, or says that none does.
    fn waits(&self, error: &io::Error) -> bool {
        if !self.state.failing.swap(true, Ordering::Relaxed) {
            warn!(%error, "the audit log cannot be written");
        }
        if self.state.closing.load(Ordering::Relaxed) {
            warn!(%error, "the end of the audit log was not written");
            return false;
        }
        thread::park_timeout(self.retry);
        true
    }
}
