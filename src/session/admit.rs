//! Admission: from what somebody presents to a seat, or to the reason why there is none.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;
use tracing::{debug, warn};

use crate::clock::UnixTime;
use crate::entropy;
use crate::id::SessionId;
use crate::origin::Presented;
use crate::reason::Reason;
use crate::rfb::host::Seen;
use crate::rfb::permissions::Permissions;
use crate::session::end::End;
use crate::session::record::Record;
use crate::session::registry::Place;
use crate::session::resume::ResumeSecret;
use crate::session::{Arrival, Pass, Sessions};
use crate::store::{
    Claim, Denied, Entry, Event, Keep, Knock, Leaving, Message, Permit, Resumed, State, Unavailable,
};
use crate::subject;
use crate::target::{Target, Way};
use crate::token::{self, Grant, Purpose, Role};

/// What an admitted session holds until its end.
#[derive(Debug)]
pub(super) struct Seat<'s> {
    /// Its place among those that may run here.
    _slot: SemaphorePermit<'s>,
    /// Its place among those that are on their way to the picture.
    on_the_way: Option<SemaphorePermit<'s>>,
    /// When the session is over in any case: that was set when it began.
    ends_by: UnixTime,
    /// Where words of others reach it.
    pub(super) place: Place<'s>,
    /// What its page comes back with, should it be lost.
    pub(super) secret: Option<ResumeSecret>,
    /// Whether it had its picture on an earlier leg.
    pub(super) resumed: bool,
    /// Whether it has its picture on this one.
    pub(super) connected: bool,
}

impl Seat<'_> {
    /// How long the session may last from now on.
    pub(super) fn time_left(&self) -> Duration {
        let now = UnixTime::from(SystemTime::now());
        Duration::from_secs(self.ends_by.as_secs().saturating_sub(now.as_secs()))
    }
}

impl Sessions {
    /// The decision whether this arrival may open a session, and for what. It uses the token up.
    pub(super) async fn admit(
        &self,
        arrival: &mut Arrival,
        record: &mut Record,
    ) -> Result<(Grant, Seat<'_>), End> {
        let on_the_way = self.at_the_edge(arrival)?;
        if !self.params.audit.healthy() {
            return Err(End::plain(Reason::AuditUnavailable));
        }
        // Nobody needs it again, and a session may last for days.
        let (grant, mut seat) = match std::mem::take(&mut arrival.pass) {
            Pass::None => return Err(End::plain(Reason::TokenMissing)),
            Pass::Token(token) => {
                let grant = self
                    .open_token(&token)
                    .map_err(|error| End::because(&error))?;
                record.grant(&grant);
                bound(&grant, arrival)?;
                self.admit_grant(grant, arrival, record).await?
            }
            Pass::Resume(secret) => self.readmit(&secret, arrival, record).await?,
        };
        seat.on_the_way = Some(on_the_way);
        Ok((grant, seat))
    }

    async fn admit_grant(
        &self,
        grant: Grant,
        arrival: &Arrival,
        record: &Record,
    ) -> Result<(Grant, Seat<'_>), End> {
        let (session, traffic) = (record.session(), Arc::clone(&record.traffic));
        let slot = self.slot()?;
        let claim = Claim {
            entry: self.entry(&grant, arrival, session),
            uses: grant.limits.uses,
            usable_for: usable_for(&grant),
            quotas: self.params.quotas.clone(),
        };
        // In the registry first: whoever revokes from here on ends it.
        let place = self.registry.take(claim.entry.clone(), traffic);
        match self.store.admit(&claim).await {
            Ok(admitted) => {
                admitted.map_err(|denied| End::denied(&denied))?;
            }
            Err(away) => self.without_store(&away)?,
        }
        place.admitted();
        let secret = arrival
            .page
            .then(|| ResumeSecret::new(session, entropy::random()));
        let seat = Seat {
            _slot: slot,
            on_the_way: None,
            ends_by: claim.entry.ends_by,
            place,
            secret,
            resumed: false,
            connected: false,
        };
        Ok((grant, seat))
    }

    /// Lets a session continue that was lost, or is not yet known to be.
    async fn readmit(
        &self,
        secret: &ResumeSecret,
        arrival: &Arrival,
        record: &mut Record,
    ) -> Result<(Grant, Seat<'_>), End> {
        let slot = self.slot()?;
        let next = ResumeSecret::new(secret.session(), entropy::random());
        let knock = Knock {
            session: secret.session(),
            secret: secret.hash(),
            next: next.hash(),
            gateway: self.params.gateway.clone(),
            now: UnixTime::from(SystemTime::now()),
        };
        let resumed = self.store.resume(&knock).await;
        let resumed = resumed.map_err(|away| End::because(&away))?;
        let Resumed {
            entry,
            sealed_grant,
        } = resumed.map_err(|denied| End::denied(&denied))?;
        record.resume(entry.id);
        subject::runs(entry.id);
        let ends_by = entry.ends_by;
        let client = arrival.client.ip();
        let entry = Entry { client, ..entry };
        let place = self.registry.take(entry, Arc::clone(&record.traffic));
        place.admitted();
        let seat = Seat {
            _slot: slot,
            on_the_way: None,
            ends_by,
            place,
            secret: arrival.page.then_some(next),
            resumed: true,
            connected: false,
        };
        match self.reopen(&sealed_grant, arrival, record) {
            Ok(grant) => Ok((grant, seat)),
            // The store has it on its way already, and nobody is.
            Err(end) => {
                self.leave(&seat, &end).await;
                Err(end)
            }
        }
    }

    /// The grant of a session that continues, if it may be used from there.
    fn reopen(&self, sealed: &str, arrival: &Arrival, record: &mut Record) -> Result<Grant, End> {
        let grant = token::read_for(Purpose::Resume, sealed, &self.ring.get());
        let grant = grant.map_err(|error| End::detailed(Reason::ResumeExpired, &error))?;
        record.grant(&grant);
        bound(&grant, arrival)?;
        Ok(grant)
    }

    /// The session has its picture.
    pub(super) async fn connected(&self, seat: &mut Seat<'_>, grant: &Grant, seen: &Seen) {
        seat.connected = true;
        seat.on_the_way = None;
        let Some(entry) = seat.place.update(|entry| {
            entry.state = State::Live;
            entry.security = seen.chosen.map(|chosen| chosen.to_string().into());
        }) else {
            return;
        };
        let keep = self.keep(seat, grant);
        if let Err(away) = self.store.connected(&entry, keep.as_ref()).await {
            warn!(session = %entry.id, %away, "the session cannot be resumed");
        }
        let event = match seat.resumed {
            false => Event::Opened(entry),
            true => Event::Resumed(entry),
        };
        self.tell(event).await;
    }

    /// How a session may come back. One that came back already is kept.
    fn keep(&self, seat: &Seat<'_>, grant: &Grant) -> Option<Keep> {
        let secret = seat.secret.as_ref().filter(|_| !seat.resumed)?;
        let ring = self.ring.get();
        let sealed = token::seal_for(Purpose::Resume, grant, &ring, entropy::random()).ok()?;
        self.params.metrics.keys.sealed(ring.sealing_key().id);
        Some(Keep {
            secret: secret.hash(),
            sealed_grant: sealed.as_str().to_owned(),
            grace: self.params.resume_grace,
        })
    }

    /// Gives the seat up. What the store cannot be told it finds out by itself.
    pub(super) async fn leave(&self, seat: &Seat<'_>, end: &End) {
        let Some(entry) = seat.place.close() else {
            return;
        };
        let leaving = match (seat.connected, end.reason.may_resume()) {
            (false, _) => Leaving::Unserved,
            (true, true) => Leaving::Lost,
            (true, false) => Leaving::Over,
        };
        if let Err(away) = self.store.leave(&entry, leaving).await {
            debug!(session = %entry.id, %away, "the store does not know of the end");
        }
        if seat.connected {
            let reason = end.reason;
            let session = entry;
            let found_by = None;
            let event = Event::Ended {
                session,
                reason,
                found_by,
            };
            self.tell(event).await;
        }
    }

    /// Tells whoever listens, on all gateways.
    async fn tell(&self, event: Event) {
        if let Err(away) = self.store.publish(&Message::Event(event)).await {
            debug!(%away, "nobody was told of an event");
        }
    }

    fn slot(&self) -> Result<SemaphorePermit<'_>, End> {
        let slot = self.slots.try_acquire();
        slot.map_err(|_| End::plain(Reason::LimitReached))
    }

    fn without_store(&self, away: &Unavailable) -> Result<(), End> {
        if self.params.admit_without_store {
            warn!(%away, "admitted unchecked");
            return Ok(());
        }
        Err(End::because(away))
    }

    fn entry(&self, grant: &Grant, arrival: &Arrival, session: SessionId) -> Entry {
        let now = UnixTime::from(SystemTime::now());
        Entry {
            id: session,
            leg: 1,
            console: grant.id,
            minted_at: grant.minted_at,
            labels: Arc::new(grant.labels.clone()),
            target: grant.target.to_string().into(),
            machine: machine(&grant.target).into(),
            client: arrival.client.ip(),
            role: grant.role,
            sharing: grant.sharing,
            permit: Permit::first(permitted(grant)),
            gateway: self.params.gateway.clone(),
            state: State::Connecting,
            started: now,
            ends_by: now.plus(grant.limits.session_max),
            active: now,
            bytes_up: 0,
            bytes_down: 0,
            security: None,
        }
    }
}

impl End {
    fn denied(denied: &Denied) -> Self {
        let note = match denied {
            Denied::InUse { since } => Some(format!("Since {since}.")),
            _ => None,
        };
        Self {
            note,
            ..Self::because(denied)
        }
    }
}

/// What the viewer may do at first.
const fn permitted(grant: &Grant) -> Permissions {
    match grant.role {
        Role::Driver => grant.permissions,
        Role::Watcher => grant.permissions.looking_on(),
    }
}

/// For how long a token can still be used.
fn usable_for(grant: &Grant) -> Duration {
    let now = UnixTime::from(SystemTime::now());
    let left = grant.connect_by.as_secs().saturating_sub(now.as_secs());
    Duration::from_secs(left)
}

/// Whether the grant may be used from there.
fn bound(grant: &Grant, arrival: &Arrival) -> Result<(), End> {
    let origin = match &arrival.origin {
        Presented::Origin(origin) => Some(origin),
        Presented::None | Presented::Other => None,
    };
    if !grant.binding.admits_client(arrival.client.ip()) {
        return Err(End::plain(Reason::ClientRefused));
    }
    if !grant.binding.admits_origin(origin) {
        return Err(End::plain(Reason::OriginRefused));
    }
    Ok(())
}

/// The machine as one text: the way to it, hashed, since the path of a tunnel may be a secret.
fn machine(target: &Target) -> String {
    let (endpoint, path): (String, &[u8]) = match &target.way {
        Way::Tcp(endpoint) | Way::Tls(endpoint) => (endpoint.to_string(), &[]),
        Way::Unix(path) => (String::new(), path.as_bytes()),
        Way::Tunnel(tunnel) => (tunnel.endpoint.to_string(), tunnel.path.expose()),
        Way::WebSocket(target) => (target.endpoint.to_string(), target.path.expose()),
    };
    let mut hash = Sha256::new();
    hash.update(endpoint.as_bytes());
    hash.update([0]);
    hash.update(path);
    data_encoding::HEXLOWER.encode(&hash.finalize()[..16])
}
