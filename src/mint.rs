//! Minting: from an order to a sealed token and the URLs that carry it.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::current::Current;
use crate::entropy;
use crate::http1::connect::{self, BadRequest};
use crate::http1::request::Extra;
use crate::id::ConsoleId;
use crate::metrics::Metrics;
use crate::rfb::identity::Identity;
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::Permissions;
use crate::rfb::terms::Terms;
use crate::target::{ProfileName, Target, Way};
use crate::token::binding::Binding;
use crate::token::credentials::Credentials;
use crate::token::grant::{BadGrant, Grant};
use crate::token::labels::{Labels, Name};
use crate::token::limits::{BadLimit, Limits, MAX_CONNECT_WITHIN};
use crate::token::sharing::{Role, Sharing};
use crate::token::{KeyRing, Token, seal};

/// Where the page and its WebSocket are, below the public URL.
pub const PAGE_PATH: &str = "/novnc";
/// The WebSocket of the page, below the public URL.
pub const SOCKET_PATH: &str = "/novnc/websocket";
/// What the token is put behind to become a WebSocket subprotocol.
pub const TOKEN_PROTOCOL: &str = "fanlight.token.";

/// Makes tokens and URLs.
#[derive(Clone, Debug)]
pub struct Minter {
    ring: Arc<Current<KeyRing>>,
    public_url: String,
    usual: Usual,
    profiles: BTreeSet<ProfileName>,
    metrics: Option<Arc<Metrics>>,
}

/// What holds for orders that do not say.
#[derive(Clone, Copy, Debug)]
pub struct Usual {
    /// How long a token may wait to be used.
    pub connect_within: Duration,
    /// How often and for how long.
    pub limits: Limits,
    /// Whether updates are paced.
    pub pacing: Pacing,
}

impl Default for Usual {
    /// A minute to connect, the usual limits, and updates paced where that helps.
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(60),
            limits: Limits::default(),
            pacing: Pacing::default(),
        }
    }
}

/// What a console is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The RFB server.
    pub target: Target,
    /// What opens the way there, and the server itself.
    pub credentials: Credentials,
    /// What is demanded and permitted of the login.
    pub terms: Terms,
    /// What the viewer may do.
    pub permissions: Permissions,
    /// Whether updates are paced. What is configured when absent.
    pub pacing: Option<Pacing>,
    /// What the machine must be.
    pub identity: Identity,
    /// How often and for how long; what is configured where an order does not say.
    pub limits: LimitsOrder,
    /// From where it may be opened.
    pub binding: Binding,
    /// Who else may be at the machine.
    pub sharing: Sharing,
    /// What the viewer is there for.
    pub role: Role,
    /// What the viewer calls the machine.
    pub name: Option<Name>,
    /// For the audit.
    pub labels: Labels,
    /// How long the token may wait to be used: whole seconds, at least one and at most
    /// [`MAX_CONNECT_WITHIN`]. The configured time when absent.
    pub expires_in: Option<Duration>,
}

impl Order {
    /// A console of `target` with `credentials`, and nothing said beyond that.
    #[must_use]
    pub fn new(target: Target, credentials: Credentials) -> Self {
        Self {
            target,
            credentials,
            terms: Terms::default(),
            permissions: Permissions::default(),
            pacing: None,
            identity: Identity::default(),
            limits: LimitsOrder::default(),
            binding: Binding::default(),
            sharing: Sharing::default(),
            role: Role::default(),
            name: None,
            labels: Labels::default(),
            expires_in: None,
        }
    }
}

/// The limits that an order sets itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsOrder {
    /// How many sessions the token may open.
    pub uses: Option<NonZeroU16>,
    /// How long a session may last.
    pub session_max: Option<Duration>,
    /// How long the person may do nothing.
    pub idle_max: Option<Duration>,
}

impl LimitsOrder {
    /// What holds in the end.
    const fn over(self, usual: Limits) -> Limits {
        const fn or(ordered: Option<Duration>, usual: Duration) -> Duration {
            match ordered {
                Some(ordered) => ordered,
                None => usual,
            }
        }
        Limits {
            uses: match self.uses {
                Some(uses) => uses,
                None => usual.uses,
            },
            session_max: or(self.session_max, usual.session_max),
            idle_max: or(self.idle_max, usual.idle_max),
        }
    }
}

/// A minted console. Its URL and its protocols contain the token.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The console's name.
    pub id: ConsoleId,
    /// The token itself.
    pub token: Token,
    /// Until when the token may be used.
    pub expires_at: UnixTime,
    public_url: String,
}

/// Why an order cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// No gateway of this configuration could open it.
    #[error("there is no target profile {0} in this gateway's configuration")]
    Profile(ProfileName),
    /// The time to connect is zero or too long.
    #[error("a console may wait 1 second to 24 hours to be opened")]
    ExpiresIn,
    /// The request for the tunnel cannot be made of it.
    #[error(transparent)]
    Tunnel(#[from] BadRequest),
    /// A limit is out of its bounds.
    #[error(transparent)]
    Limit(#[from] BadLimit),
    /// A field or all of them together are too long for a token.
    #[error("the console does not fit into a token: {0}")]
    TooBig(#[from] BadGrant),
}

impl Minter {
    /// `public_url` is the gateway as browsers see it, without a slash at its end;
    /// `usual` is what holds when an order does not say. Orders may name no target profile.
    #[must_use]
    pub const fn new(ring: Arc<Current<KeyRing>>, public_url: String, usual: Usual) -> Self {
        Self {
            ring,
            public_url,
            usual,
            profiles: BTreeSet::new(),
            metrics: None,
        }
    }

    /// The same, and what it seals is counted.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        let metrics = Some(metrics);
        Self { metrics, ..self }
    }

    /// The same, for orders that may name these target profiles.
    #[must_use]
    pub fn with_profiles(self, profiles: BTreeSet<ProfileName>) -> Self {
        Self { profiles, ..self }
    }

    /// The gateway as browsers see it, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Seals an order.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn mint(&self, order: Order, now: UnixTime) -> Result<Minted, MintError> {
        let expires_in = order.expires_in.unwrap_or(self.usual.connect_within);
        if expires_in < Duration::from_secs(1) || expires_in > MAX_CONNECT_WITHIN {
            return Err(MintError::ExpiresIn);
        }
        let limits = order.limits.over(self.usual.limits);
        limits.check()?;
        // Whoever mints is told, and not the person who opens the console.
        if let Way::Tunnel(tunnel) = &order.target.way {
            let extra = Extra {
                cookie: order.credentials.cookie.as_ref(),
                headers: &order.credentials.headers,
            };
            connect::request(&tunnel.endpoint, &tunnel.path, extra)?;
        }
        if let Some(profile) = &order.target.profile
            && !self.profiles.contains(profile)
        {
            return Err(MintError::Profile(profile.clone()));
        }
        let grant = Grant {
            id: ConsoleId::from_random(entropy::random()),
            minted_at: now,
            connect_by: now.plus(expires_in),
            target: order.target,
            credentials: order.credentials,
            terms: order.terms,
            permissions: order.permissions,
            pacing: order.pacing.unwrap_or(self.usual.pacing),
            identity: order.identity,
            limits,
            binding: order.binding,
            sharing: order.sharing,
            role: order.role,
            name: order.name,
            labels: order.labels,
        };
        let ring = self.ring.get();
        let token = seal(&grant, &ring, entropy::random())?;
        if let Some(metrics) = &self.metrics {
            metrics.keys.sealed(ring.sealing_key().id);
        }
        let public_url = self.public_url.clone();
        Ok(Minted {
            id: grant.id,
            token,
            expires_at: grant.connect_by,
            public_url,
        })
    }
}

impl Minted {
    /// The address that a person opens.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "{}{PAGE_PATH}?token={}",
            self.public_url,
            self.token.as_str()
        )
    }

    /// The address of the WebSocket, for viewers other than our page.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        let (_, rest) = self.public_url.split_once("://").unwrap_or_default();
        let scheme = if self.public_url.starts_with("https:") {
            "wss"
        } else {
            "ws"
        };
        format!("{scheme}://{rest}{SOCKET_PATH}")
    }

    /// The subprotocols to offer there: one of them is the token.
    #[must_use]
    pub fn protocols(&self) -> [String; 2] {
        [
            "binary".to_owned(),
            format!("{TOKEN_PROTOCOL}{}", self.token.as_str()),
        ]
    }
}

#[cfg(test)]
mod tests;
