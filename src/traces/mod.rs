//! Traces: a console's way from its minting to its first picture, as OpenTelemetry tells it.
//!
//! ```text
//!   console.mint ─┬─ console.page
//!                 └─ console.connect ─── console.first_frame      for each WebSocket
//! ```
//!
//! The trace's id is the console's own, and the id of its first span begins it: so steps at different
//! gateways are one trace, and no token has to carry anything for it. What opens no console, such as a
//! token that is none, belongs to no trace: whoever is not let in fills nobody's store of traces. Who
//! has a link can ask for its page as often as they like: pages take half of the queue and no more, so
//! that they push out none of the other steps, which rates and places keep few.
//!
//! Spans wait in a queue for [`otlp`](crate::otlp) to send them. In a build without the feature `otel`
//! the file `off.rs` stands in for this folder: nothing is kept there, and nothing is done.

mod context;
mod opening;
mod span;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Instant, SystemTime};

use tokio::sync::mpsc;

use crate::id::{ConsoleId, SessionId};

pub use context::Context;
pub use opening::Opening;
pub use span::{Span, SpanId, Step};

/// Where spans go, or nowhere. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Queue>>);

#[derive(Debug)]
struct Queue {
    spans: mpsc::Sender<Span>,
    lost: AtomicU64,
}

impl Queue {
    /// Whether there was room for it.
    fn take(&self, span: Span) -> bool {
        let room = self.spans.max_capacity() / 2;
        // The half that is left is for steps that nobody can repeat at will.
        let has_room = span.step != Step::Page || self.spans.capacity() > room;
        has_room && self.spans.try_send(span).is_ok()
    }
}

impl Traces {
    /// Nothing is traced.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// Spans wait to be taken out at the other end, `room` at most.
    #[must_use]
    pub fn queue(room: usize) -> (Self, mpsc::Receiver<Span>) {
        let (spans, waiting) = mpsc::channel(room);
        let lost = AtomicU64::new(0);
        (Self(Some(Arc::new(Queue { spans, lost }))), waiting)
    }

    /// A request arrives that may mint or show a console.
    #[must_use]
    pub fn request(&self) -> Request {
        Request(self.0.as_ref().map(|_| (self.clone(), Clock::start())))
    }

    /// Somebody is at the WebSocket, who has this session unless an earlier one continues.
    #[must_use]
    pub fn arrival(&self, session: SessionId) -> Opening {
        if self.0.is_none() {
            return Opening::default();
        }
        Opening::begins(self.clone(), session)
    }

    /// How many spans were lost since the start, because there was no room for them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.as_ref().map_or(0, |queue| queue.lost.load(Relaxed))
    }

    /// How many spans wait to be taken out.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let spans = self.0.as_ref().map(|queue| &queue.spans);
        spans.map_or(0, |it| (it.max_capacity() - it.capacity()) as u64)
    }

    /// Never waits: where there is no room the span is counted as lost.
    fn ended(&self, span: Span) {
        if let Some(queue) = &self.0
            && !queue.take(span)
        {
            queue.lost.fetch_add(1, Relaxed);
        }
    }
}

/// A request under way, if anything is traced.
#[derive(Debug)]
pub struct Request(Option<(Traces, Clock)>);

impl Request {
    /// It has minted this console, for a caller who may have said a span of theirs.
    pub fn minted(self, console: ConsoleId, caller: Option<Context>) {
        self.ends(|start, end| Span {
            id: SpanId::of_mint(console),
            parent: None,
            link: caller,
            ..Span::new(console, Step::Mint, start, end)
        });
    }

    /// It got this console's page. That is lost where half of the queue is taken.
    pub fn page(self, console: ConsoleId) {
        self.ends(|start, end| Span::new(console, Step::Page, start, end));
    }

    fn ends(self, span: impl FnOnce(u64, u64) -> Span) {
        if let Some((traces, clock)) = self.0 {
            traces.ended(span(clock.started, clock.now()));
        }
    }
}

/// Times that are the wall's at the start and never go back from there, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Clock {
    started: u64,
    at: Instant,
}

impl Clock {
    fn start() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            started: nanos(since.unwrap_or_default()),
            at: Instant::now(),
        }
    }

    fn now(&self) -> u64 {
        self.started.saturating_add(nanos(self.at.elapsed()))
    }
}

/// Enough for five centuries.
fn nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
