//! One step of a console, with its beginning and its end.

use super::Context;
use crate::entropy;
use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::rfb::security::SecurityType;

/// The id of a span: eight bytes, of which not all are zero
/// ([W3C Trace Context, 3.2.2.4](https://www.w3.org/TR/trace-context/#parent-id)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl SpanId {
    /// That of the first span of a console's trace, which whoever knows the console knows.
    #[must_use]
    pub fn of_mint(console: ConsoleId) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *console.as_bytes();
        Self::from([a, b, c, d, e, f, g, h])
    }

    /// One that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        Self::from(entropy::random())
    }

    /// The bytes as they are sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl From<[u8; 8]> for SpanId {
    /// All zeros would be no id.
    fn from(bytes: [u8; 8]) -> Self {
        match u64::from_be_bytes(bytes) {
            0 => Self(1_u64.to_be_bytes()),
            _ => Self(bytes),
        }
    }
}

/// What a span tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request to the API, which made the console.
    Mint,
    /// A request for the console's page.
    Page,
    /// From the WebSocket to the relay, or to a refusal.
    Connect,
    /// From there to the first FramebufferUpdate for the browser, or to an end without one.
    FirstFrame,
}

impl Step {
    /// The span's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mint => "console.mint",
            Self::Page => "console.page",
            Self::Connect => "console.connect",
            Self::FirstFrame => "console.first_frame",
        }
    }

    /// Whether it answers somebody outside: SERVER, or else INTERNAL.
    #[must_use]
    pub const fn is_server(self) -> bool {
        !matches!(self, Self::FirstFrame)
    }
}

/// A step that is over. It holds nothing of the machine, of the person or of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The console, whose id the trace has.
    pub console: ConsoleId,
    /// Its own id.
    pub id: SpanId,
    /// The span that it belongs below.
    pub parent: Option<SpanId>,
    /// A span of another trace that led to it.
    pub link: Option<Context>,
    /// What it tells of.
    pub step: Step,
    /// When it began, in nanoseconds since 1970.
    pub start: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end: u64,
    /// The session, and whether it came back from a loss.
    pub session: Option<(SessionId, bool)>,
    /// What was chosen at the host.
    pub security: Option<SecurityType>,
    /// Why it came to nothing, if it did.
    pub failed: Option<Reason>,
}

impl Span {
    /// One below the mint of its console.
    #[must_use]
    pub fn new(console: ConsoleId, step: Step, start: u64, end: u64) -> Self {
        Self {
            console,
            id: SpanId::random(),
            parent: Some(SpanId::of_mint(console)),
            link: None,
            step,
            start,
            end,
            session: None,
            security: None,
            failed: None,
        }
    }
}
