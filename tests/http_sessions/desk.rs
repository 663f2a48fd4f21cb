//! The API's router over a store of the test's own, and somebody to ask it.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, Request};
use axum::response::Response;
use fanlight::audit::{Audit, Destination, Params, WhenFull};
use fanlight::client_addr::ClientAddr;
use fanlight::clock::UnixTime;
use fanlight::http::Client;
use fanlight::http::api::events::Followers;
use fanlight::http::api::keys::{ApiKey, ApiKeys, Proof};
use fanlight::http::api::refusals::Refusals;
use fanlight::http::api::reload::Reloads;
use fanlight::http::api::scope::{Scope, Scopes};
use fanlight::http::api::{self, Api};
use fanlight::http::client::Place;
use fanlight::http::limiter::Limiter;
use fanlight::http::serve::Lasting;
use fanlight::id::{ConsoleId, SessionId};
use fanlight::keyring_file;
use fanlight::metrics::Metrics;
use fanlight::mint::{Minter, Usual};
use fanlight::rate::Rate;
use fanlight::rfb::permissions::Permissions;
use fanlight::store::memory::Memory;
use fanlight::store::{Claim, Denied, Entry, Permit, Quotas, State, Store};
use fanlight::token::{Labels, Role, Sharing};
use fanlight::traces::Traces;
use fanlight::workers::Lodger;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The API, with a key for each scope that is called like it.
pub(crate) struct Desk {
    pub(crate) store: Arc<Memory>,
    pub(crate) stop: CancellationToken,
    pub(crate) metrics: Arc<Metrics>,
    api: Arc<Api>,
    dir: TempDir,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) challenge: String,
    pub(crate) cache_control: String,
}

impl Answer {
    /// A problem's code.
    pub(crate) fn code(&self) -> String {
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, stop) = (Arc::new(Memory::default()), CancellationToken::new());
        let key = |scope: Scope| ApiKey {
            name: scope.to_string(),
            proof: Proof::Key(Sha256::digest(scope.as_str()).into()),
            scopes: Scopes::from_iter([scope]),
        };
        let now = UnixTime::from_secs(1_795_249_800);
        let ring = keyring_file::make(&dir.path().join("keyring"), now).unwrap();
        let audit = Params {
            to: Some(Destination::File(dir.path().join("audit.log"))),
            when_full: WhenFull::Refuse,
        };
        let url = "https://console.example".to_owned();
        let metrics = Arc::new(Metrics::new());
        let api = Arc::new(Api {
            keys: ApiKeys::new(Scope::ALL.map(key).into()),
            minter: Minter::new(Arc::new(ring.into()), url, Usual::default()),
            mints: Limiter::new(Rate::parse("100/s").unwrap()),
            store: Arc::<Memory>::clone(&store),
            audit: Audit::start(&audit).unwrap(),
            followers: Followers::new(stop.clone()),
            reloads: Reloads::queue(stop.clone()).0,
            refusals: Arc::new(Refusals::new(Arc::clone(&metrics))),
            traces: Traces::off(),
        });
        Self {
            store,
            stop,
            metrics,
            api,
            dir,
        }
    }

    /// Lets a session in.
    pub(crate) async fn admit(&self, entry: &Entry) -> Result<Vec<SessionId>, Denied> {
        let claim = Claim {
            entry: entry.clone(),
            uses: NonZeroU16::MAX,
            usable_for: Duration::from_secs(60),
            quotas: Quotas::default(),
        };
        self.store.admit(&claim).await.unwrap()
    }

    /// Lets a session in, with its picture.
    pub(crate) async fn enter(&self, entry: &Entry) {
        self.admit(entry).await.unwrap();
        self.store.connected(entry, None).await.unwrap();
    }

    /// Asks, and gives the answer before its body is read.
    pub(crate) async fn open(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        let places = Arc::new(Semaphore::new(1));
        let client = Client {
            address: ClientAddr::from("198.51.100.9:4711".parse::<SocketAddr>().unwrap()),
            place: Arc::new(Place::new(
                places.try_acquire_owned().unwrap(),
                Lodger::default(),
            )),
            certificate: None,
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(Lasting::default());
        api::router::<()>(&self.api).oneshot(request).await.unwrap()
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Answer {
        let response = self.open(method, path, key, body).await;
        let header = |name: HeaderName| {
            let value = response.headers().get(name);
            value
                .map(|it| it.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        let (challenge, cache_control) = (header(WWW_AUTHENTICATE), header(CACHE_CONTROL));
        let status = response.status().as_u16();
        if header(CONTENT_TYPE) == "text/event-stream" {
            return Answer {
                status,
                body: Value::Null,
                challenge,
                cache_control,
            };
        }
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            challenge,
            cache_control,
        }
    }

    /// Asks with a key that may read sessions.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "sessions:read", None).await
    }

    /// Ends something.
    pub(crate) async fn end(&self, path: &str) -> Answer {
        self.ask("DELETE", path, "sessions:end", None).await
    }

    /// Closes the audit log, and gives what is in it.
    pub(crate) async fn audit_log(&self) -> String {
        self.api.audit.close(Duration::from_secs(10)).await;
        let path: PathBuf = self.dir.path().join("audit.log");
        std::fs::read_to_string(path).unwrap()
    }
}

/// A session that is live.
pub(crate) fn entry(number: u8, labels: &[(&str, &str)]) -> Entry {
    let mut all = Labels::default();
    for (key, value) in labels {
        all.insert(key, value).unwrap();
    }
    let mut id = [0; 16];
    id[15] = number;
    let started = UnixTime::from_secs(1_795_249_800);
    Entry {
        id: SessionId::from_random(id),
        leg: 1,
        console: ConsoleId::from_random(id),
        minted_at: started,
        labels: all.into(),
        target: "10.0.0.5:5901".into(),
        machine: "10.0.0.5:5901".into(),
        client: "192.0.2.7".parse().unwrap(),
        role: Role::Driver,
        sharing: Sharing::Shared,
        permit: Permit::first(Permissions::default()),
        gateway: "a".into(),
        state: State::Live,
        started,
        ends_by: started.plus(Duration::from_secs(8 * 3600)),
        active: started.plus(Duration::from_secs(5)),
        bytes_up: 12,
        bytes_down: 3456,
        security: None,
    }
}
