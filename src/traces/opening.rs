//! What becomes of one WebSocket: its connect, then its first frame.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Clock, Span, SpanId, Step, Traces};
use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::rfb::security::SecurityType;

/// The steps of one arrival, if anything is traced. Clones are the same arrival.
#[derive(Clone, Debug, Default)]
pub struct Opening(Option<Arc<Mutex<UnderWay>>>);

#[derive(Debug)]
struct UnderWay {
    traces: Traces,
    clock: Clock,
    session: (SessionId, bool),
    console: Option<ConsoleId>,
    security: Option<SecurityType>,
    /// The step that is not over.
    step: Option<Begun>,
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    step: Step,
    id: SpanId,
    /// That of its console's mint where there is none.
    parent: Option<SpanId>,
    start: u64,
}

impl Opening {
    pub(super) fn begins(traces: Traces, session: SessionId) -> Self {
        let clock = Clock::start();
        Self(Some(Arc::new(Mutex::new(UnderWay {
            traces,
            clock,
            session: (session, false),
            console: None,
            security: None,
            step: Some(Begun {
                step: Step::Connect,
                id: SpanId::random(),
                parent: None,
                start: clock.started,
            }),
        }))))
    }

    /// It is a session that comes back.
    pub fn resumes(&self, session: SessionId) {
        self.with(|it| it.session = (session, true));
    }

    /// What was presented opens this console.
    pub fn opens(&self, console: ConsoleId) {
        self.with(|it| it.console = Some(console));
    }

    /// The relay begins.
    pub fn connected(&self, security: Option<SecurityType>) {
        self.with(|it| {
            it.security = security;
            let Some((connect, end)) = it.over(None) else {
                return;
            };
            it.step = Some(Begun {
                step: Step::FirstFrame,
                id: SpanId::random(),
                parent: Some(connect),
                start: end,
            });
        });
    }

    /// The first of the picture is on its way to the browser.
    pub fn framed(&self) {
        self.with(|it| {
            it.over(None);
        });
    }

    /// The session is over: what is under way has come to nothing.
    pub fn ended(&self, reason: Reason, security: Option<SecurityType>) {
        self.with(|it| {
            it.security = it.security.or(security);
            it.over(Some(reason));
        });
    }

    fn with(&self, change: impl FnOnce(&mut UnderWay)) {
        if let Some(under_way) = &self.0 {
            change(&mut under_way.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl UnderWay {
    /// Ends the step that is under way, and says which span it is and when it ended.
    fn over(&mut self, failed: Option<Reason>) -> Option<(SpanId, u64)> {
        let begun = self.step.take()?;
        let end = self.clock.now();
        let span = Span::new(self.console?, begun.step, begun.start, end);
        self.traces.ended(Span {
            id: begun.id,
            parent: begun.parent.or(span.parent),
            session: Some(self.session),
            security: self.security,
            failed,
            ..span
        });
        Some((begun.id, end))
    }
}
