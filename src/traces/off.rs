//! Traces in a build without the feature `otel`: the face of `mod.rs`, and nothing behind it.

use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::rfb::security::SecurityType;

/// Nothing is traced.
#[derive(Clone, Debug, Default)]
pub struct Traces;

impl Traces {
    /// Nothing is traced.
    #[must_use]
    pub const fn off() -> Self {
        Self
    }

    /// A request that leaves no trace.
    #[must_use]
    pub const fn request(&self) -> Request {
        Request
    }

    /// An arrival that leaves no trace.
    #[must_use]
    pub const fn arrival(&self, _session: SessionId) -> Opening {
        Opening
    }
}

/// A span of somebody else's, which nobody asks for here.
#[derive(Clone, Copy, Debug)]
pub enum Context {}

impl Context {
    /// Nothing is read.
    #[must_use]
    pub const fn parse(_traceparent: &str) -> Option<Self> {
        None
    }
}

/// A request.
#[derive(Debug)]
pub struct Request;

impl Request {
    /// It has minted this console.
    pub const fn minted(self, _console: ConsoleId, _caller: Option<Context>) {}

    /// It got this console's page.
    pub const fn page(self, _console: ConsoleId) {}
}

/// An arrival.
#[derive(Clone, Debug, Default)]
pub struct Opening;

impl Opening {
    /// It is a session that comes back.
    pub const fn resumes(&self, _session: SessionId) {}

    /// What was presented opens this console.
    pub const fn opens(&self, _console: ConsoleId) {}

    /// The relay begins.
    pub const fn connected(&self, _security: Option<SecurityType>) {}

    /// The first of the picture is on its way to the browser.
    pub const fn framed(&self) {}

    /// The session is over.
    pub const fn ended(&self, _reason: Reason, _security: Option<SecurityType>) {}
}
