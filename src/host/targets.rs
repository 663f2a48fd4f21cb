//! Which of a host's addresses may be dialled.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::target::{TargetRefused, TargetRules};

/// The rules of the configuration, and what no configuration allows.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Where hosts may be.
    pub rules: TargetRules,
    /// Where this gateway listens: a console of the gateway itself would only go round in circles.
    pub own_listeners: Vec<SocketAddr>,
}

impl Targets {
    /// Those of a name's addresses that may be dialled, in their order.
    ///
    /// # Errors
    /// Why the first may not, when none may.
    pub(super) fn allowed(
        &self,
        addresses: &[IpAddr],
        port: u16,
    ) -> Result<Vec<IpAddr>, TargetRefused> {
        let mut allowed = Vec::new();
        let mut refused = None;
        for ip in addresses {
            match self.check(*ip, port) {
                Ok(()) => allowed.push(*ip),
                Err(why) => {
                    tracing::debug!(%why, "not dialled");
                    refused = refused.or(Some(why));
                }
            }
        }
        match refused {
            Some(why) if allowed.is_empty() => Err(why),
            _ => Ok(allowed),
        }
    }

    fn check(&self, ip: IpAddr, port: u16) -> Result<(), TargetRefused> {
        self.rules.check(ip, port)?;
        if self.own_listeners.iter().any(|own| is_at(*own, ip, port)) {
            return Err(TargetRefused::OwnListener(SocketAddr::new(ip, port)));
        }
        Ok(())
    }
}

/// Whether a connection to an address would arrive at a listener of this machine.
fn is_at(listener: SocketAddr, ip: IpAddr, port: u16) -> bool {
    let ip = ip.to_canonical();
    port == listener.port()
        && (listener.ip().to_canonical() == ip || listener.ip().is_unspecified() && is_ours(ip))
}

/// Whether an address is one of this machine's: only to those can a socket be bound. Nothing is
/// sent.
fn is_ours(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests;
