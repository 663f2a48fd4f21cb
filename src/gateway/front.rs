//! One listener at work: takes connections, and lets each meet what is in use then.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::edge::Edge;
use crate::current::Current;
use crate::http::client::Place;
use crate::http::limiter::Sparing;
use crate::http::serve::serve;
use crate::http::{Client, http2};
use crate::listener::{Accepted, Socket};
use crate::tls::clients::ClientNames;
use crate::tls::listen::Acceptor;
use crate::workers::Workers;

/// How long accepting pauses when the system has no descriptors or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a connection meets.
#[derive(Debug)]
pub(super) struct Face {
    pub(super) edge: Arc<Edge>,
    /// Whether trusted proxies begin with a header of the PROXY protocol.
    pub(super) proxy_protocol: bool,
    pub(super) router: Router,
    pub(super) http2: http2::Params,
}

/// What a listener's connections are given.
#[derive(Debug)]
pub(super) struct Front {
    /// What they meet at this moment.
    pub(super) face: Current<Face>,
    pub(super) acceptor: Option<Acceptor>,
    /// How many there may be at once; listeners may share them.
    pub(super) places: Arc<Semaphore>,
    /// Where it is said that all are taken; what scrapers are told of needs no line.
    pub(super) full: Option<Sparing>,
    pub(super) tasks: TaskTracker,
    /// Where they live.
    pub(super) workers: Workers,
    /// From here on there are no more connections.
    pub(super) closing: CancellationToken,
}

/// Takes connections until the gateway closes the listener, and no more at once than there are places.
/// When all are taken, new ones wait in the kernel's queue.
pub(super) async fn accept(socket: Socket, front: Arc<Front>) {
    loop {
        if let Some(full) = &front.full
            && front.places.available_permits() == 0
            && full.line().is_some()
        {
            warn!(address = %socket, "this listener has no place left: whoever comes now waits");
        }
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&front.places)
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            let accepted = socket.accept().await;
            accepted.map(|(connection, address)| (connection, address, place))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = front.closing.cancelled() => return,
        };
        match accepted {
            Ok((accepted, address, place)) => {
                let face = front.face.get();
                if let Err(why) = face.edge.take(address) {
                    face.edge.refuse(Some(accepted.as_fd()), address, &why);
                    continue;
                }
                let (thread, lodger) = front.workers.lodge();
                let client = Client {
                    address,
                    place: Arc::new(Place::new(place, lodger)),
                    certificate: None,
                };
                let connection = connection(accepted, client, face, Arc::clone(&front));
                front.tasks.spawn_on(connection, thread);
            }
            // Whoever hung up before we came is no reason to wait; anything else is a shortage,
            // which asking again at once would only make worse.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(accepted: Accepted, mut client: Client, face: Arc<Face>, front: Arc<Front>) {
    let address = client.address;
    let mut stream = match accepted.lodged() {
        Ok(stream) => stream,
        Err(error) => return warn!(client = %address, %error, "cannot take up a connection"),
    };
    let identified = tokio::select! {
        identified = face.edge.client(&mut stream, address, face.proxy_protocol) => identified,
        () = front.closing.cancelled() => return,
    };
    client.address = match identified {
        Ok(client) => client,
        Err(error) => return debug!(client = %address, %error, "turned away"),
    };
    let stream = match &front.acceptor {
        None => stream,
        Some(acceptor) => {
            let accepted = tokio::select! {
                accepted = acceptor.accept(stream) => accepted,
                () = front.closing.cancelled() => return,
            };
            match accepted {
                Ok(stream) => {
                    let certificate = stream.peer_certificate().map(ClientNames::of);
                    client.certificate = certificate.map(Arc::new);
                    stream
                }
                Err(error) => return debug!(client = %address, %error, "TLS handshake failed"),
            }
        }
    };
    let http2 = face.http2.clone();
    drop(face);
    // Each request meets what there is then.
    let router = || front.face.get().router.clone();
    serve(stream, client, router, &http2, &front.closing).await;
}
