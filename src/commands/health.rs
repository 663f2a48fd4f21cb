//! `fanlight health`: asks the running gateway how it is, for supervisors that can only run a command.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::load_config;
use crate::cli::HealthArgs;
use crate::host::dial::dial;
use crate::http::health::{LIVE_PATH, READY_PATH};
use crate::http1::head::HeadReader;
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
    let address = from_here(config.listen);
    if address.port() == 0 {
        bail!("the port is not known: the setting listen leaves it to the system");
    }
    let path = if args.ready { READY_PATH } else { LIVE_PATH };
    let asked = timeout(
        WITHIN,
        ask(address, config.tls.is_on_at(config.listen), path),
    )
    .await;
    let (status, body) = asked
        .with_context(|| format!("no answer from {address} within {WITHIN:?}"))?
        .with_context(|| format!("no answer from {address}"))?;
    writeln!(out, "{body}")?;
    if status != OK {
        bail!("the gateway at {address} answers {path} with status {status}");
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

/// Status and body of an answer. The certificate is not looked at: nothing secret is sent, and who
/// could pose as this machine to itself could lie to whoever reads the result as well.
async fn ask(address: SocketAddr, tls: bool, path: &str) -> anyhow::Result<(u16, String)> {
    let (stream, _) = dial(&[address.ip()], address.port()).await?;
    if !tls {
        return exchange(stream, address, path).await;
    }
    let trust = Trust {
        verify: Some(Verify::None),
        ..Trust::default()
    };
    let host = HostName::Ip(address.ip());
    let (stream, _) = Connector::new(&trust)?.connect(&host, stream).await?;
    exchange(stream, address, path).await
}

async fn exchange<S>(
    mut stream: S,
    address: SocketAddr,
    path: &str,
) -> anyhow::Result<(u16, String)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
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
