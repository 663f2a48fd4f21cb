//! What an opened token says.
//!
//! Inside a token a grant is a version byte and then fields, each a tag (u8), a length (u16) and
//! that many bytes. A field that this version does not know is an error and never skipped: it may
//! be a restriction.

mod fields;
mod tag;
mod way;
mod writer;

use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::id::ConsoleId;
use crate::rfb::identity::{BadIdentity, Identity};
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::{MAX_TO_MACHINE, Permissions};
use crate::rfb::terms::Terms;
use crate::target::Target;
use crate::token::binding::{BadBinding, Binding};
use crate::token::credentials::{BadCredentials, Credentials};
use crate::token::labels::{BadLabel, Labels, Name};
use crate::token::limits::{BadLimit, Limits};
use crate::token::sharing::{Role, Sharing};
use crate::wire::{Reader, Short};

use fields::Fields;
use writer::Writer;

/// The version byte that a grant starts with.
const VERSION: u8 = 1;

/// The longest encoded grant, in bytes: three quarters of the longest token.
pub const MAX_ENCODED: usize = 3072;

/// Permission to open one console: data, no behaviour.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The console's name in audit and API.
    pub id: ConsoleId,
    /// When the token was made.
    pub minted_at: UnixTime,
    /// Until when the token may be used to connect. A running session is not ended by it.
    pub connect_by: UnixTime,
    /// The RFB server.
    pub target: Target,
    /// What opens the way there, and the server itself.
    pub credentials: Credentials,
    /// What is demanded and permitted of the login.
    pub terms: Terms,
    /// What the viewer may do.
    pub permissions: Permissions,
    /// Whether updates are paced.
    pub pacing: Pacing,
    /// What the machine must be.
    pub identity: Identity,
    /// How often and for how long.
    pub limits: Limits,
    /// From where it may be opened.
    pub binding: Binding,
    /// Who else may be at the machine.
    pub sharing: Sharing,
    /// What the viewer is there for.
    pub role: Role,
    /// What the viewer calls the machine, in place of the name that the host gives.
    pub name: Option<Name>,
    /// The minter's labels.
    pub labels: Labels,
}

/// Why bytes are not a grant, or a grant cannot be written. Nobody outside can cause it: the bytes
/// were sealed by a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGrant {
    /// The bytes end early.
    #[error(transparent)]
    Short(#[from] Short),
    /// Another version of Fanlight made it.
    #[error("grant format {0} is not known")]
    Version(u8),
    /// Another version of Fanlight made it, with a field that this one does not know.
    #[error("grant field {0} is not known")]
    UnknownField(u8),
    /// A field that stands once stands twice.
    #[error("grant field {0} stands twice")]
    Twice(u8),
    /// A mandatory field is not there.
    #[error("grant has no {0}")]
    Missing(&'static str),
    /// A field's value is not of its kind.
    #[error("grant has a bad {0}")]
    Bad(&'static str),
    /// The credentials are over their bounds.
    #[error(transparent)]
    Credentials(#[from] BadCredentials),
    /// The identity is over its bounds.
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    /// The binding is over its bounds.
    #[error(transparent)]
    Binding(#[from] BadBinding),
    /// The limits are out of their bounds.
    #[error(transparent)]
    Limit(#[from] BadLimit),
    /// All of it together is over [`MAX_ENCODED`].
    #[error("all its parts together are longer than {MAX_ENCODED} bytes")]
    TooLong,
}

impl From<BadLabel> for BadGrant {
    fn from(_: BadLabel) -> Self {
        Self::Bad("label")
    }
}

impl Grant {
    /// The bytes that are sealed: at most [`MAX_ENCODED`], in one allocation that is zeroised.
    ///
    /// # Errors
    /// [`BadGrant::Credentials`], [`BadGrant::Identity`], [`BadGrant::Limit`] and
    /// [`BadGrant::TooLong`].
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BadGrant> {
        self.check()?;
        let mut writer = Writer::new(VERSION);
        writer.grant(self)?;
        Ok(writer.finish())
    }

    /// Reads what [`Grant::encode`] wrote.
    ///
    /// # Errors
    /// [`BadGrant`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadGrant> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8("grant version")?;
        if version != VERSION {
            return Err(BadGrant::Version(version));
        }
        let mut fields = Fields::default();
        while !reader.is_empty() {
            let tag = reader.u8("field tag")?;
            let len = reader.u16("field length")?;
            fields.take(tag, reader.bytes(len.into(), "field")?)?;
        }
        let grant = fields.finish()?;
        grant.check()?;
        Ok(grant)
    }

    /// Bounds that the types of the parts do not keep by themselves.
    fn check(&self) -> Result<(), BadGrant> {
        self.credentials.check()?;
        self.identity.check()?;
        self.limits.check()?;
        self.binding.check()?;
        if self.permissions.clipboard.to_machine > MAX_TO_MACHINE {
            return Err(BadGrant::Bad("permissions"));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
