//! From a host's name to its addresses.

use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;

use crate::target::HostName;

/// Asks the hosts file and the name servers of `/etc/resolv.conf`.
///
/// It is not the C library's resolver, which blocks threads and cannot be linked statically: mDNS
/// and `nsswitch.conf` have no say.
#[derive(Clone, Debug)]
pub struct Resolver(TokioResolver);

/// Why a name has no addresses. The words hold the name, which is no secret.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The configuration of the system cannot be used.
    #[error("the name servers of this system cannot be used: {0}")]
    System(String),
    /// The name does not exist, or the name servers did not answer.
    #[error("{name} does not resolve: {why}")]
    Name {
        /// The name that was asked for.
        name: String,
        /// The resolver's words.
        why: String,
    },
}

impl Resolver {
    /// Reads the system's configuration. Without one there is still the hosts file.
    ///
    /// # Errors
    /// [`ResolveError::System`].
    pub fn from_system() -> Result<Self, ResolveError> {
        let builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
            tracing::warn!(%error, "no name servers are configured: only the hosts file is used");
            TokioResolver::builder_with_config(
                ResolverConfig::default(),
                TokioRuntimeProvider::default(),
            )
        });
        builder
            .build()
            .map(Self)
            .map_err(|error| ResolveError::System(error.to_string()))
    }

    /// One that asks a name server of a test's own.
    #[cfg(test)]
    pub(super) fn asking(server: std::net::SocketAddr) -> Self {
        let mut config = hickory_resolver::config::NameServerConfig::udp(server.ip());
        for connection in &mut config.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider);
        Self(builder.build().unwrap())
    }

    /// All addresses of a host, at least one.
    ///
    /// # Errors
    /// [`ResolveError::Name`].
    ///
    /// # Cancel safety
    /// Cancel safe: the query is given up.
    pub async fn resolve(&self, host: &HostName) -> Result<Vec<IpAddr>, ResolveError> {
        let name = match host {
            HostName::Ip(ip) => return Ok(vec![*ip]),
            HostName::Dns(name) => &**name,
        };
        let failed = |why: String| ResolveError::Name {
            name: name.to_owned(),
            why,
        };
        let found = self
            .0
            .lookup_ip(name)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let addresses: Vec<_> = found.iter().collect();
        if addresses.is_empty() {
            Err(failed("it has no address".to_owned()))
        } else {
            Ok(addresses)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_comes_from_the_hosts_file_and_addresses_are_themselves() {
        let resolver = Resolver::from_system().unwrap();
        let found = resolver
            .resolve(&"localhost".parse().unwrap())
            .await
            .unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        let literal = resolver
            .resolve(&"2001:db8::1".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(literal, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
    }

    #[tokio::test]
    async fn an_unknown_name_is_named() {
        let resolver = Resolver::from_system().unwrap();
        let error = resolver
            .resolve(&"no-such-host.invalid".parse().unwrap())
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no-such-host.invalid does not resolve: "),
            "{error}"
        );
    }
}
