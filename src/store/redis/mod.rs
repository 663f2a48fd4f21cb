//! The store of gateways that stand together: one Redis or Valkey.
//!
//! Every decision is one script, so it is atomic and costs one round trip (`lua/`; `prelude.lua`
//! says which keys there are). Every key begins with a prefix and has a time to live, and no
//! command looks at all keys. Redis holds entries, SHA-256 hashes of resume secrets, and grants
//! sealed with the key ring, which Redis never sees.
//!
//! A session costs five calls: admit, connected, leave, and the messages that it was opened and has
//! ended; a resume is one more of each. At rest a gateway renews all its sessions at once, a call
//! for each [`CHUNK`] of them, so a session costs 1/[`CHUNK`] call each time, some microseconds of
//! Redis's one thread.
//!
//! Whoever is not renewed for the length of a lease has lost its gateway: it counts as lost from
//! then on, and has its grace, if it may come back. Redis's clock says so, and no other. The script
//! that finds it tells all ([`Event::Ended`](crate::store::Event::Ended)), once.
//!
//! A call that Redis does not answer in time is [`Unavailable`]. Connections come back by
//! themselves; what was missed meanwhile comes out with the next renewal.

mod call;
mod link;
mod listen;
mod reply;

use std::time::Duration;

use ::redis::ConnectionInfo;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use crate::id::SessionId;
use crate::secret::Secret;
use crate::store::audience::Audience;
use crate::store::{
    Answer, Claim, Denied, Entry, Filter, Keep, Knock, Leaving, Message, Order, Page, Permit,
    Permitted, Resumed, Sentence, State, Store, Unavailable, Verdict, Whom,
};

use call::{Call, Told};
use link::Link;
use listen::Listening;

/// How many sessions one call renews at most.
pub const CHUNK: usize = 100;

/// How many sessions one call looks at for a list.
const LOOKED_AT: usize = 200;

/// How many admissions are remembered that were not answered.
const UNANSWERED: usize = 256;

/// Where Redis is and how it is talked to.
#[derive(Clone, Debug)]
pub struct Params {
    /// `redis://HOST:PORT/DB`, or `rediss://` for TLS. It holds no password.
    pub url: String,
    /// Who we are there. Without it Redis's default user.
    pub username: Option<String>,
    /// What proves it.
    pub password: Option<Secret>,
    /// PEM: the authorities that are believed about its certificate. Without it the system's.
    pub ca: Option<Vec<u8>>,
    /// How all keys and channels begin.
    pub prefix: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// For how long a session lives without being renewed.
    pub lease: Duration,
    /// What this gateway is called, among those that share it.
    pub gateway: String,
}

impl Params {
    /// Whether these can be used, as far as that can be told without Redis.
    ///
    /// # Errors
    /// [`BadParams`].
    pub fn check(&self) -> Result<(), BadParams> {
        client(self).map(drop)
    }
}

/// Why Redis cannot be used as it is configured. The words hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("store.url, store.username or store.ca_file cannot be used: {0}")]
pub struct BadParams(String);

/// Redis, and what it says to all.
pub struct Redis {
    link: Link,
    channel: String,
    audience: Audience,
    listening: Listening,
    unanswered: std::sync::Mutex<Vec<(Entry, tokio::time::Instant)>>,
    /// Ends with this.
    _tasks: JoinSet<()>,
}

impl Redis {
    /// Begins to connect. It need not be there yet.
    ///
    /// # Errors
    /// [`BadParams`].
    pub fn open(params: &Params) -> Result<Self, BadParams> {
        let client = client(params)?;
        let link = Link::new(client.clone(), params)?;
        let channel = format!("{}messages", params.prefix);
        let audience = Audience::default();
        let listening = Listening::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(listen::listen(
            client,
            channel.clone(),
            params.timeout,
            audience.clone(),
            listening.clone(),
        ));
        Ok(Self {
            link,
            channel,
            audience,
            listening,
            unanswered: std::sync::Mutex::default(),
            _tasks: tasks,
        })
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

fn client(params: &Params) -> Result<::redis::Client, BadParams> {
    let bad = |error: ::redis::RedisError| BadParams(error.category().to_owned());
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(10))
        .with_interval(Duration::from_secs(5));
    let tcp = ::redis::io::tcp::TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
        .set_user_timeout(Duration::from_secs(20));
    let parsed = ::redis::parse_redis_url(&params.url).ok_or("no redis:// or rediss:// URL");
    let parsed = parsed.map_err(|why| BadParams(why.to_owned()))?;
    let info = ::redis::IntoConnectionInfo::into_connection_info(parsed).map_err(bad)?;
    let mut login = info.redis_settings().clone().set_skip_set_lib_name();
    if let Some(username) = &params.username {
        login = login.set_username(username);
    }
    if let Some(password) = &params.password {
        let text = std::str::from_utf8(password.expose());
        let text = text.map_err(|_| BadParams("the password is not UTF-8".to_owned()))?;
        login = login.set_password(text);
    }
    let info: ConnectionInfo = info.set_redis_settings(login).set_tcp_settings(tcp);
    match (&params.ca, info.addr()) {
        (Some(ca), ::redis::ConnectionAddr::TcpTls { .. }) => {
            let certificates = ::redis::TlsCertificates {
                client_tls: None,
                root_cert: Some(ca.clone()),
            };
            ::redis::Client::build_with_tls(info, certificates).map_err(bad)
        }
        _ => ::redis::Client::open(info).map_err(bad),
    }
}

impl Redis {
    /// An admission that was not answered may have been carried out all the same: as soon as Redis
    /// answers again, it is undone, unless the session runs.
    fn remember(&self, entry: &Entry) {
        let mut unanswered = self.unanswered();
        if unanswered.len() < UNANSWERED {
            unanswered.push((entry.clone(), tokio::time::Instant::now()));
        }
    }

    fn unanswered(&self) -> std::sync::MutexGuard<'_, Vec<(Entry, tokio::time::Instant)>> {
        let unanswered = self.unanswered.lock();
        unanswered.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn undo(&self, running: &[Entry]) -> Result<(), Unavailable> {
        let next = |unanswered: &mut Vec<(Entry, tokio::time::Instant)>| {
            unanswered.retain(|(entry, _)| !running.iter().any(|it| it.id == entry.id));
            // Whoever asked may just be about to say that it runs.
            let settled = |(_, since): &(Entry, tokio::time::Instant)| {
                since.elapsed() >= Duration::from_secs(1)
            };
            let at = unanswered.iter().position(settled)?;
            unanswered.get(at).map(|(entry, _)| entry.clone())
        };
        while let Some(entry) = { next(&mut self.unanswered()) } {
            let call = Call::LEAVE.told(&Told::new(&entry)?).arg("undone");
            self.link.ask::<()>(call).await?;
            self.unanswered().retain(|(it, _)| it.id != entry.id);
        }
        Ok(())
    }

    /// Looks at some sessions behind `after`; says where it goes on, if it does.
    async fn some(
        &self,
        filter: &Filter,
        after: Option<SessionId>,
    ) -> Result<(Vec<Entry>, Option<SessionId>), Unavailable> {
        let mut call = Call::SESSIONS
            .arg(after.map_or_else(String::new, |id| id.to_string()))
            .arg(LOOKED_AT.to_string());
        if let Some(console) = filter.console {
            call = call.arg(format!("k:{console}"));
        }
        for (key, value) in filter.labels.iter() {
            call = call.arg(format!("l:{key}={value}"));
        }
        if filter == &Filter::default() {
            call = call.arg("ids");
        }
        reply::some(&self.link.ask::<Vec<String>>(call).await?)
    }
}

impl Store for Redis {
    fn admit<'a>(&'a self, claim: &'a Claim) -> Answer<'a, Result<Vec<SessionId>, Denied>> {
        Box::pin(async move {
            let call = Call::ADMIT
                .told(&Told::new(&claim.entry)?)
                .arg(claim.uses.to_string())
                .arg(call::quotas(&claim.quotas))
                .json(&claim.ousting())?
                .arg(claim.usable_for.as_millis().to_string());
            match self.link.ask::<Vec<String>>(call).await {
                Ok(answer) => reply::admitted(&answer),
                Err(away) => {
                    self.remember(&claim.entry);
                    Err(away)
                }
            }
        })
    }

    fn connected<'a>(&'a self, entry: &'a Entry, keep: Option<&'a Keep>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut call = Call::CONNECTED.told(&Told::new(entry)?);
            if let Some(keep) = keep {
                call = call
                    .hash(&keep.secret)
                    .arg(keep.sealed_grant.clone())
                    .arg(keep.grace.as_millis().to_string());
            }
            self.link.ask::<()>(call).await
        })
    }

    fn resume<'a>(&'a self, knock: &'a Knock) -> Answer<'a, Result<Resumed, Denied>> {
        Box::pin(async move {
            let call = Call::RESUME
                .arg(knock.session.to_string())
                .hash(&knock.secret)
                .hash(&knock.next)
                .arg(&*knock.gateway)
                .arg(knock.now.to_string());
            reply::resumed(&self.link.ask::<Vec<String>>(call).await?)
        })
    }

    fn renew<'a>(&'a self, entries: &'a [Entry]) -> Answer<'a, Vec<Verdict>> {
        Box::pin(async move {
            let mut verdicts = Vec::new();
            // Who has none to speak for looks all the same for those that nobody speaks for.
            let nobody = entries.is_empty().then_some(entries);
            for chunk in entries.chunks(CHUNK).chain(nobody) {
                let mut call = Call::RENEW;
                for entry in chunk.iter().filter(|entry| entry.state != State::Lost) {
                    call = call.told(&Told::new(entry)?);
                }
                verdicts.extend(reply::verdicts(&self.link.ask::<Vec<_>>(call).await?)?);
            }
            self.undo(entries).await?;
            Ok(verdicts)
        })
    }

    fn leave<'a>(&'a self, entry: &'a Entry, leaving: Leaving) -> Answer<'a, ()> {
        Box::pin(async move {
            let leaving = match leaving {
                Leaving::Unserved => "unserved",
                Leaving::Lost => "lost",
                Leaving::Over => "over",
            };
            let call = Call::LEAVE.told(&Told::new(entry)?).arg(leaving);
            self.link.ask::<()>(call).await
        })
    }

    fn end<'a>(&'a self, whom: &'a Whom, sentence: &'a Sentence) -> Answer<'a, usize> {
        Box::pin(async move {
            let (kind, which, limit) = match whom {
                Whom::Session(session) => ("session", session.to_string(), String::new()),
                Whom::Legs { session, below } => ("legs", session.to_string(), below.to_string()),
                Whom::Console(console) => ("console", console.to_string(), String::new()),
                Whom::Label {
                    key,
                    value,
                    minted_by,
                } => ("label", format!("{key}={value}"), minted_by.to_string()),
            };
            let message = Message::End {
                whom: whom.clone(),
                sentence: sentence.clone(),
            };
            let call = Call::END.arg(kind).arg(which).arg(limit);
            self.link.ask(call.json(sentence)?.json(&message)?).await
        })
    }

    fn permit<'a>(&'a self, session: SessionId, permit: &'a Permit) -> Answer<'a, Permitted> {
        Box::pin(async move {
            let order = Order::Permit(*permit);
            let call = Call::PERMIT
                .arg(session.to_string())
                .arg(permit.revision.to_string())
                .json(permit)?
                .json(&Message::Order { session, order })?;
            reply::permitted(&self.link.ask::<String>(call).await?)
        })
    }

    fn session(&self, id: SessionId) -> Answer<'_, Option<Entry>> {
        Box::pin(async move {
            let call = Call::SESSION.arg(id.to_string());
            reply::one(&self.link.ask::<Vec<String>>(call).await?)
        })
    }

    fn sessions<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<SessionId>,
        limit: usize,
    ) -> Answer<'a, Page> {
        Box::pin(async move {
            let mut entries = Vec::new();
            let mut behind = after;
            loop {
                let (some, next) = self.some(filter, behind).await?;
                entries.extend(some.into_iter().filter(|entry| filter.takes(entry)));
                if next.is_none() || entries.len() > limit {
                    break;
                }
                behind = next;
            }
            let more = entries.len() > limit;
            entries.truncate(limit);
            let next = entries.last().map(|entry| entry.id).filter(|_| more);
            Ok(Page { entries, next })
        })
    }

    fn publish<'a>(&'a self, message: &'a Message) -> Answer<'a, ()> {
        Box::pin(async move {
            let text = call::to_json(message)?;
            self.link.publish(&self.channel, &text).await
        })
    }

    fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.audience.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<Message> {
        self.audience.events()
    }

    fn check(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.link.ping().await?;
            if self.listening.now() {
                Ok(())
            } else {
                let words = "messages of other gateways do not arrive";
                Err(Unavailable(words.to_owned()))
            }
        })
    }

    fn away(&self) -> Option<Unavailable> {
        self.link.away()
    }
}
