//! What gateways have to agree on: which tokens are used up or revoked, who is in, and who may come
//! back.
//!
//! ```text
//!              admit                connected              leave: lost
//!   (nobody) ────────> connecting ────────────> live ─────────────────────> lost
//!                 │                              │  ^                        │
//!                 │ leave: unserved              │  └── connected <── resume ┤
//!                 v                              v                           v
//!             (nobody, the use given back)   leave: over, end           end, grace over
//! ```
//!
//! Every decision is one call, and atomic: of two hundred that come with one token at once, one is
//! admitted. [`memory`] serves one gateway by itself, [`redis`] several.
//!
//! Whoever ends somebody else's session tells the store ([`Store::end`]), which forgets the session
//! and passes the word on to all gateways ([`Message`]). A gateway that missed the word learns it
//! from its next [`Store::renew`].

mod audience;
pub mod claim;
pub mod entry;
pub mod memory;
pub mod message;
pub mod redis;
pub mod timed;

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::id::SessionId;
use crate::reason::Reason;

pub use claim::{Claim, Denied, Keep, Knock, Leaving, Quotas, Resumed};
pub use entry::{Entry, Filter, Page, State};
pub use message::{Event, Message, Order, Permit, Permitted, Sentence, Verdict, Whom, Word};
pub use timed::Timed;

/// How many messages a gateway may be behind; one that is further behind has missed some.
pub const BACKLOG: usize = 1024;

/// For how long a session counts as there without a word of its gateway.
pub const LEASE: Duration = Duration::from_secs(20);

/// How often a gateway says that its sessions go on: three such words may be late or lost.
pub const BEAT: Duration = match LEASE.checked_div(4) {
    Some(beat) => beat,
    None => LEASE,
};

/// The store cannot be asked right now. The words are for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer: {0}")]
pub struct Unavailable(pub String);

impl From<&Unavailable> for Reason {
    fn from(_: &Unavailable) -> Self {
        Self::StoreUnavailable
    }
}

/// Which store, and where it is.
#[derive(Clone, Debug)]
pub enum Params {
    /// In this process.
    Memory,
    /// In a Redis that gateways share.
    Redis(redis::Params),
}

/// Opens a store. One that is elsewhere need not be there yet.
///
/// # Errors
/// [`redis::BadParams`].
pub fn open(params: &Params) -> Result<Arc<dyn Store>, redis::BadParams> {
    Ok(match params {
        Params::Memory => Arc::new(memory::Memory::default()),
        Params::Redis(params) => Arc::new(redis::Redis::open(params)?),
    })
}

/// Whether a store can be opened, as far as that can be told without asking it.
///
/// # Errors
/// [`redis::BadParams`].
pub fn check(params: &Params) -> Result<(), redis::BadParams> {
    match params {
        Params::Memory => Ok(()),
        Params::Redis(params) => params.check(),
    }
}

/// What a store comes to, in time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// What gateways share. Every call is one atomic step; when its future is dropped, it was done
/// whole or not at all.
pub trait Store: Debug + Send + Sync {
    /// Lets a session in, or says why not: the token's uses, revocations, who else is at the
    /// machine, quotas. The answer is the sessions that were put out by it; their gateways have
    /// been told.
    fn admit<'a>(&'a self, claim: &'a Claim) -> Answer<'a, Result<Vec<SessionId>, Denied>>;

    /// The session has its picture: from now on it may be lost and come back, if `keep` says how.
    fn connected<'a>(&'a self, entry: &'a Entry, keep: Option<&'a Keep>) -> Answer<'a, ()>;

    /// Lets a session that was lost, or is not yet known to be, continue on a new leg. The leg that
    /// it had is told to end. It puts nobody out, whatever its sharing: pages come back by
    /// themselves, and two of them would do so for ever.
    fn resume<'a>(&'a self, knock: &'a Knock) -> Answer<'a, Result<Resumed, Denied>>;

    /// Says that sessions of a gateway go on, and how. The answer is those that may not, and those
    /// whose permissions have changed without their gateway's having heard of it.
    ///
    /// A session that the store has not heard of runs all the same: it is taken in, and its token
    /// is used. It is not where its console or label was revoked, or where somebody is at the
    /// machine by now beside whom it cannot be (`taken_over`). Words about a leg that has left come
    /// late and change nothing.
    fn renew<'a>(&'a self, entries: &'a [Entry]) -> Answer<'a, Vec<Verdict>>;

    /// A leg is over. One that is not its session's newest changes nothing.
    fn leave<'a>(&'a self, entry: &'a Entry, leaving: Leaving) -> Answer<'a, ()>;

    /// Ends sessions, wherever they are, and lets nobody resume them; of consoles and labels, their
    /// unused tokens die too. The answer is how many sessions there were.
    fn end<'a>(&'a self, whom: &'a Whom, sentence: &'a Sentence) -> Answer<'a, usize>;

    /// Says what a session's viewer may do from now on, also when it comes back, and tells its
    /// gateway. `permit` counts one more change than the permissions that it was made from.
    fn permit<'a>(&'a self, session: SessionId, permit: &'a Permit) -> Answer<'a, Permitted>;

    /// One session.
    fn session(&self, id: SessionId) -> Answer<'_, Option<Entry>>;

    /// Sessions in the order of their ids, behind `after`, `limit` at most.
    fn sessions<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<SessionId>,
        limit: usize,
    ) -> Answer<'a, Page>;

    /// Tells all gateways, this one too.
    fn publish<'a>(&'a self, message: &'a Message) -> Answer<'a, ()>;

    /// What is to be carried out from now on: ends and orders, and the events that a gateway found
    /// out of another's session. A receiver that lags behind misses the oldest.
    fn subscribe(&self) -> broadcast::Receiver<Message>;

    /// What happens from now on: all events and nothing else. A receiver that lags behind misses the
    /// oldest.
    fn events(&self) -> broadcast::Receiver<Message>;

    /// Whether the store can be asked.
    fn check(&self) -> Answer<'_, ()>;

    /// Why the last call had no answer, if it had none. Asks nobody: gateways call at every [`BEAT`].
    fn away(&self) -> Option<Unavailable> {
        None
    }
}
