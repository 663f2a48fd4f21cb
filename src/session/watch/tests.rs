use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::timeout;

use super::*;
use crate::clock::UnixTime;
use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::rfb::permissions::Permissions;
use crate::store::memory::Memory;
use crate::store::{
    Answer, Claim, Denied, Filter, Keep, Knock, Leaving, Page, Permit, Permitted, Resumed,
    Sentence, State, Verdict, Whom,
};
use crate::token::{Role, Sharing};

/// A store whose messages arrive, and that never answers a renewal.
#[derive(Debug, Default)]
struct Hanging(Memory);

impl Store for Hanging {
    fn renew<'a>(&'a self, _: &'a [Entry]) -> Answer<'a, Vec<Verdict>> {
        Box::pin(std::future::pending())
    }

    fn admit<'a>(&'a self, claim: &'a Claim) -> Answer<'a, Result<Vec<SessionId>, Denied>> {
        self.0.admit(claim)
    }
    fn connected<'a>(&'a self, entry: &'a Entry, keep: Option<&'a Keep>) -> Answer<'a, ()> {
        self.0.connected(entry, keep)
    }
    fn resume<'a>(&'a self, knock: &'a Knock) -> Answer<'a, Result<Resumed, Denied>> {
        self.0.resume(knock)
    }
    fn leave<'a>(&'a self, entry: &'a Entry, leaving: Leaving) -> Answer<'a, ()> {
        self.0.leave(entry, leaving)
    }
    fn end<'a>(&'a self, whom: &'a Whom, sentence: &'a Sentence) -> Answer<'a, usize> {
        self.0.end(whom, sentence)
    }
    fn permit<'a>(&'a self, session: SessionId, permit: &'a Permit) -> Answer<'a, Permitted> {
        self.0.permit(session, permit)
    }
    fn session(&self, id: SessionId) -> Answer<'_, Option<Entry>> {
        self.0.session(id)
    }
    fn sessions<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<SessionId>,
        limit: usize,
    ) -> Answer<'a, Page> {
        self.0.sessions(filter, after, limit)
    }
    fn publish<'a>(&'a self, message: &'a Message) -> Answer<'a, ()> {
        self.0.publish(message)
    }
    fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.0.subscribe()
    }
    fn events(&self) -> broadcast::Receiver<Message> {
        self.0.events()
    }
    fn check(&self) -> Answer<'_, ()> {
        self.0.check()
    }
}

fn entry() -> Entry {
    let then = UnixTime::from_secs(1_795_249_800);
    Entry {
        id: SessionId::from_random([7; 16]),
        leg: 1,
        console: ConsoleId::from_random([8; 16]),
        minted_at: then,
        labels: Arc::default(),
        target: "192.0.2.1:5900".into(),
        machine: "192.0.2.1:5900".into(),
        client: Ipv4Addr::LOCALHOST.into(),
        role: Role::Driver,
        sharing: Sharing::Shared,
        permit: Permit::first(Permissions::default()),
        gateway: "one".into(),
        state: State::Live,
        started: then,
        ends_by: then.plus(Duration::from_secs(3600)),
        active: then,
        bytes_up: 0,
        bytes_down: 0,
        security: None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_arrives_while_the_store_does_not_answer() {
    let (store, registry) = (Arc::new(Hanging::default()), Arc::<Registry>::default());
    let mut place = registry.take(entry(), Arc::default());
    place.admitted();
    let watch = Watch {
        store: store.clone(),
        registry: Arc::clone(&registry),
        audit: Audit::off(),
        gateway: "one".into(),
    };
    let mut inbox = place.inbox().unwrap();
    let told = async {
        // The first renewal hangs by now.
        tokio::time::sleep(2 * BEAT).await;
        let whom = Whom::Console(entry().console);
        let revoked = Sentence::plain(Reason::TokenRevoked);
        store.end(&whom, &revoked).await.unwrap();
        let told = timeout(BEAT, inbox.sentence()).await;
        assert_eq!(told.expect("told at once"), revoked);
    };
    select! {
        () = watch.run() => panic!("it watches as long as it is there"),
        () = told => {}
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_the_gateway_has_stopped_is_told_as_well() {
    let registry = Registry::default();
    let mut early = registry.take(entry(), Arc::default());
    registry.close();
    let mut late = registry.take(Entry { leg: 2, ..entry() }, Arc::default());
    for place in [&mut early, &mut late] {
        let told = timeout(BEAT, place.inbox().unwrap().sentence()).await;
        assert_eq!(told.unwrap(), Sentence::plain(Reason::Draining));
    }
}

#[test]
fn one_gateway_tells_of_an_end() {
    let ended = |found_by: Option<&str>| Event::Ended {
        session: entry(),
        reason: Reason::GatewayLost,
        found_by: found_by.map(str::to_owned),
    };
    assert_eq!(ended(None).gateway(), "one");
    assert_eq!(ended(Some("two")).gateway(), "two");
    assert_eq!(ended(Some("two")).session().gateway.as_ref(), "one");
}
