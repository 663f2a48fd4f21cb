//! `fanlight health`: asks the running gateway how it is, for supervisors that can only run a command.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::load_config;
use crate::cli::HealthArgs;
use crate::client_addr::ClientAddr;
use crate::config::{Config, ListenAddress, Listener};
use crate::host::dial::dial;
use crate::http::health::{LIVE_PATH, READY_PATH};
use crate::http::roles::Role;
use crate::http1::head::HeadReader;
use crate::listener::unix;
use crate::proxy::protocol;
use crate::rfb::peer_text::PeerText;
use crate::target::HostName;
use crate::tls::connect::{Connector, Trust};
use crate::tls::verify::Verify;
use crate::wire::Reader;

/// How long the gateway may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// The status of an answer that says that all is well.
const OK: u16 = 200;

pub(super) fn run(args: HealthArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    super::runtime()?.block_on(health(args, out))
}

async fn health(args: HealthArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let flags = args.listen.map(|listen| ("--listen", listen));
    let config = load_config(&args.config, flags.into_iter().collect())?.config;
    // The setting listen stands first; a listener that leads elsewhere does not say how it is.
    let mut listeners = config.listeners.iter();
    let answers = |it: &&Listener| !it.roles.has(Role::Redirect) && is_known(&it.address);
    let listener = listeners.find(answers);
    let listener = listener.context("no listener has an address that is known beforehand")?;
    let address = &listener.address;
    let path = if args.ready { READY_PATH } else { LIVE_PATH };
    let (status, body) = timeout(WITHIN, ask(&config, listener, path))
        .await
        .with_context(|| format!("no answer from {address} within {WITHIN:?}"))?
        .with_context(|| format!("no answer from {address}"))?;
    writeln!(out, "{body}")?;
    if status != OK {
        bail!("the gateway at {address} answers {path} with status {status}");
    }
    Ok(())
}

/// Whether an address is known before the gateway listens there.
const fn is_known(address: &ListenAddress) -> bool {
    match address {
        ListenAddress::Tcp(address) => address.port() != 0,
        ListenAddress::Unix(_) => true,
        ListenAddress::Systemd(_) => false,
    }
}

/// Status and body of a listener's answer.
async fn ask(config: &Config, listener: &Listener, path: &str) -> anyhow::Result<(u16, String)> {
    match &listener.address {
        ListenAddress::Tcp(listen) => {
            let address = from_here(*listen);
            let tls = config.speaks_tls(listener, Some(*listen));
            let (mut stream, _) = dial(&[address.ip()], address.port()).await?;
            let us = stream.local_addr()?.into();
            introduce(&mut stream, config, listener, us).await?;
            talk(stream, tls, &HostName::Ip(address.ip()), path).await
        }
        ListenAddress::Unix(socket) => {
            let tls = config.speaks_tls(listener, None);
            let host = HostName::Ip(Ipv4Addr::LOCALHOST.into());
            let mut stream = unix::connect(socket).await?;
            introduce(&mut stream, config, listener, ClientAddr::THIS_MACHINE).await?;
            talk(stream, tls, &host, path).await
        }
        ListenAddress::Systemd(_) => bail!("what systemd hands over is not known"),
    }
}

/// Where trusted proxies begin with a header of the PROXY protocol, and `us` is taken for one of them,
/// the same is expected here.
async fn introduce<S>(
    stream: &mut S,
    config: &Config,
    listener: &Listener,
    us: ClientAddr,
) -> anyhow::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let begins = listener.proxy_protocol.unwrap_or(config.proxies.protocol);
    if begins && config.proxies.trusted.has(us) {
        stream.write_all(&protocol::OWN).await?;
    }
    Ok(())
}

/// Where a gateway that listens at `listen` is reached from its own machine.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The certificate is not looked at: nothing secret is sent, and who could pose as this machine to
/// itself could lie to whoever reads the result as well.
async fn talk<S>(stream: S, tls: bool, host: &HostName, path: &str) -> anyhow::Result<(u16, String)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if !tls {
        return exchange(stream, path).await;
    }
    let trust = Trust {
        verify: Some(Verify::None),
        ..Trust::default()
    };
    let (stream, _) = Connector::new(&trust)?.connect(host, stream).await?;
    exchange(stream, path).await
}

async fn exchange<S>(mut stream: S, path: &str) -> anyhow::Result<(u16, String)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    let mut bytes = Reader::new(&answer);
    let head = HeadReader::default().step(&mut bytes)?;
    let head = head.context("the answer ends in its head")?;
    let body = PeerText::clean(bytes.rest());
    Ok((
        head.status,
        body.map(|it| it.to_string()).unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_on_every_address_is_on_the_loopback_one() {
        for (listen, here) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            let [listen, here] = [listen, here].map(|it| it.parse().unwrap());
            assert_eq!(from_here(listen), here);
        }
    }
}
