//! From addresses to a connection: all of them are tried, the families in turn and a quarter of a
//! second apart ([RFC 8305]), and the first to answer wins.
//!
//! [RFC 8305]: https://www.rfc-editor.org/rfc/rfc8305

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustix::io::Errno;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until};

/// How long an address has before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// After so long without a byte the kernel asks whether the host is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// How often it asks then.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// After so long with bytes that the host does not acknowledge the connection is lost.
const USER_TIMEOUT: Duration = Duration::from_secs(60);

/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 16;

/// No address took the connection.
#[derive(Debug, thiserror::Error)]
pub struct DialError(Vec<(SocketAddr, io::Error)>);

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no address took the connection")?;
        for (index, (address, error)) in self.0.iter().enumerate() {
            let sign = if index == 0 { ":" } else { ";" };
            write!(f, "{sign} {address}: {error}")?;
        }
        Ok(())
    }
}

impl DialError {
    /// Whether it is our machine that had nothing to connect with: no descriptor, memory or port.
    #[must_use]
    pub fn is_shortage(&self) -> bool {
        let short = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOBUFS,
            Errno::NOMEM,
            Errno::ADDRNOTAVAIL,
        ];
        let short = short.map(|errno| Some(errno.raw_os_error()));
        self.0
            .iter()
            .any(|(_, error)| short.contains(&error.raw_os_error()))
    }
}

/// Connects to the first of the addresses that answers.
///
/// The connection has no Nagle delay, and the kernel notices when the host is gone.
///
/// # Errors
/// [`DialError`] with what each address said.
///
/// # Cancel safety
/// Cancel safe: the attempts are closed.
pub async fn dial(addresses: &[IpAddr], port: u16) -> Result<(TcpStream, SocketAddr), DialError> {
    let addresses = in_turn(addresses).map(|ip| SocketAddr::new(ip, port));
    let mut waiting = addresses.take(MAX_ADDRESSES).peekable();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    let mut next_start = Instant::now();
    loop {
        if (attempts.is_empty() || Instant::now() >= next_start)
            && let Some(address) = waiting.next()
        {
            attempts.push(async move { (address, connect(address).await) });
            next_start = Instant::now() + STAGGER;
        }
        if attempts.is_empty() {
            return Err(DialError(failures));
        }
        tokio::select! {
            Some((address, result)) = attempts.next() => match result {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => {
                    failures.push((address, error));
                    next_start = Instant::now();
                }
            },
            () = sleep_until(next_start), if waiting.peek().is_some() => {}
        }
    }
}

/// The addresses with the families in turn, in the resolver's order otherwise.
fn in_turn(addresses: &[IpAddr]) -> impl Iterator<Item = IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let of_family = move |v6: bool| {
        addresses
            .iter()
            .copied()
            .filter(move |ip| ip.is_ipv6() == v6)
    };
    let (mut first, mut second) = (of_family(first_is_v6), of_family(!first_is_v6));
    std::iter::from_fn(move || {
        let turn = [first.next(), second.next()];
        turn.iter().any(Option::is_some).then_some(turn)
    })
    .flatten()
    .flatten()
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()
    } else {
        TcpSocket::new_v4()
    }?;
    let options = SockRef::from(&socket);
    options.set_tcp_nodelay(true)?;
    options.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_EVERY),
    )?;
    options.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    socket.connect(address).await
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hide_one_that_answers() {
        // Nobody listens on the other loopback addresses.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let addresses = ["127.0.0.9", "::1", "127.0.0.1"].map(|ip| ip.parse().unwrap());
        let (stream, address) = dial(&addresses, port).await.unwrap();
        assert_eq!(address, listener.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn when_all_refuse_each_is_named() {
        let free = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let addresses = ["127.0.0.1", "::1"].map(|ip| ip.parse().unwrap());
        let error = dial(&addresses, free).await.unwrap_err().to_string();
        assert!(error.contains(&format!("127.0.0.1:{free}: ")), "{error}");
        assert!(error.contains(&format!("[::1]:{free}: ")), "{error}");
        assert!(dial(&[], free).await.is_err());
    }

    #[test]
    fn families_take_turns() {
        let v4 = |n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n));
        let v6 = |n| IpAddr::V6(Ipv6Addr::from(n));
        let turns: Vec<_> = in_turn(&[v6(1), v6(2), v6(3), v4(1)]).collect();
        assert_eq!(turns, [v6(1), v4(1), v6(2), v6(3)]);
        assert_eq!(in_turn(&[v4(1), v4(2)]).collect::<Vec<_>>(), [v4(1), v4(2)]);
    }
}
