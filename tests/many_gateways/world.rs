//! Two gateways, what they share, and a host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight::store::{Filter, State, Store};
use serde_json::{Value, json};

use crate::ANSWERED;
use crate::common::fake_host::FakeHost;
use crate::common::gateway::{Builder, Minted, TestGateway, target};
use crate::common::net::Family;
use crate::common::redis::RedisServer;
use crate::common::rfb_server::Manners;
use crate::common::wait::until;

/// Two gateways, what they share, and a host.
pub(crate) struct World {
    pub(crate) one: Arc<TestGateway>,
    pub(crate) two: Arc<TestGateway>,
    pub(crate) redis: RedisServer,
    pub(crate) host: FakeHost,
    ring: PathBuf,
    _dir: tempfile::TempDir,
}

fn builder(redis: &RedisServer) -> Builder {
    TestGateway::builder()
        .set("store.kind", "redis")
        .set("store.url", format!("redis://127.0.0.1:{}", redis.port))
        .set("store.timeout", "1s")
}

/// One more, with the key ring of the first.
fn another(redis: &RedisServer, name: &str, ring: &Path) -> Builder {
    let builder = builder(redis).set("name", name);
    builder.set("tokens.keyring_file", ring.to_str().unwrap())
}

impl World {
    /// Settings of one more gateway.
    pub(crate) fn another(&self, name: &str) -> Builder {
        another(&self.redis, name, &self.ring)
    }

    pub(crate) async fn start(of_two: impl FnOnce(Builder) -> Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let redis = RedisServer::start(&[]).await;
        // The first makes the key ring.
        let state = dir.path().join("state");
        let one = builder(&redis).set("name", "one");
        let one = one.set("state_dir", state.to_str().unwrap()).start().await;
        let ring = state.join("keyring");
        Self {
            two: Arc::new(of_two(another(&redis, "two", &ring)).start().await),
            one: Arc::new(one),
            ring,
            redis,
            host: Manners::default().host(Family::V4).await,
            _dir: dir,
        }
    }

    /// Mints at the first gateway.
    pub(crate) async fn mint(&self, more: Value) -> Minted {
        let mut body = json!({ "target": target(self.host.address) });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        self.one.mint(&body).await
    }

    /// Mints at one of them.
    pub(crate) async fn mint_at(&self, gateway: &TestGateway) -> Minted {
        gateway.mint_open(self.host.address).await
    }

    /// Waits until the store knows of exactly one live session, at a gateway.
    pub(crate) async fn one_is_live_at(&self, gateway: &str) {
        let store = self.redis.store().await;
        until("the one session", ANSWERED, async || {
            let page = store.sessions(&Filter::default(), None, 10).await.unwrap();
            let live = page.entries.iter().filter(|it| it.state == State::Live);
            let gateways: Vec<_> = live.map(|it| &*it.gateway).collect();
            if gateways == [gateway] {
                Ok(())
            } else {
                Err(format!("{gateways:?}"))
            }
        })
        .await;
    }
}
