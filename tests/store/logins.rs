//! TLS and ACL users.

use fanlight::secret::Secret;
use fanlight::store::redis::{Params, Redis};
use fanlight::store::{Event, Leaving, Message, Store, Whom};

use crate::common::pki::Pki;
use crate::common::redis::{RedisServer, open as store};
use crate::common::wait::within;
use crate::sample::{DEADLINE, LONG, entry, heard, open, resume, sentence};

/// What docs/scaling.md says that a user needs.
const RIGHTS: &str = "~fanlight:* &fanlight:* -@all +@connection +@read +@write +@scripting +@pubsub +time -@dangerous";

/// Every kind of call.
async fn use_it(store: &Redis) {
    let (mut messages, mut events) = (store.subscribe(), store.events());
    let session = open(store, &entry(), 1, LONG).await;
    assert_eq!(
        store.renew(std::slice::from_ref(&session)).await.unwrap(),
        []
    );
    store.leave(&session, Leaving::Lost).await.unwrap();
    let resumed = resume(store, session.id, 1, 2).await.unwrap().entry;
    heard(&mut messages).await;
    let page = store.sessions(&Default::default(), None, 10).await.unwrap();
    assert_eq!(page.entries, std::slice::from_ref(&resumed));
    let event = Message::Event(Event::Resumed(resumed.clone()));
    store.publish(&event).await.unwrap();
    assert_eq!(heard(&mut events).await, event);
    let whom = Whom::Console(resumed.console);
    assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 1);
}

/// The words of a store that does not answer.
async fn words(params: &Params) -> String {
    let store = Redis::open(params).unwrap();
    let answer = within("an answer", DEADLINE, store.check()).await;
    answer.unwrap_err().to_string()
}

#[tokio::test]
async fn a_user_with_a_password_and_few_rights_is_enough() {
    let user = format!("fanlight on >s3cr3t-of-redis {RIGHTS}");
    let user: Vec<&str> = user.split(' ').collect();
    let options = [&["--requirepass", "of-somebody-else", "--user"], &user[..]].concat();
    let server = RedisServer::start(&options).await;
    let params = Params {
        username: Some("fanlight".to_owned()),
        password: Some(Secret::new("s3cr3t-of-redis")),
        ..server.params()
    };
    use_it(&*store(&params).await).await;

    let wrong = Params {
        password: Some(Secret::new("wrong-s3cr3t")),
        ..params
    };
    for params in [wrong, server.params()] {
        let words = words(&params).await;
        assert!(!words.contains("s3cr3t"), "{words}");
    }
}

#[tokio::test]
async fn tls_is_checked_against_the_configured_authority() {
    let pki = Pki::new();
    let dir = tempfile::tempdir().unwrap();
    pki.write(&pki.server, dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (ca, certificate, key) = (
        file("ca-cert.pem"),
        file("server-cert.pem"),
        file("server-key.pem"),
    );
    let server = RedisServer::start(&[
        "--port",
        "0",
        "--tls-port",
        "PORT",
        "--tls-auth-clients",
        "no",
        "--tls-ca-cert-file",
        &ca,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
    ])
    .await;
    let params = Params {
        url: format!("rediss://127.0.0.1:{}", server.port),
        ca: Some(std::fs::read(&pki.ca_file).unwrap()),
        ..server.params()
    };
    use_it(&*store(&params).await).await;

    let strange = Params {
        ca: Some(std::fs::read(&pki.other_ca_file).unwrap()),
        ..params.clone()
    };
    let system = Params { ca: None, ..params };
    for params in [strange, system, server.params()] {
        words(&params).await;
    }
}
