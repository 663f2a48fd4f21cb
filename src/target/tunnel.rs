//! Tunnels that HTTP's CONNECT opens.

use super::{Endpoint, RequestPath};

/// RFB behind a tunnel of XAPI (XenServer, XCP-ng). What opens it is among the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// The host that opens it.
    pub endpoint: Endpoint,
    /// Whether that host speaks TLS there, usually at port 443.
    pub tls: bool,
    /// Which console: `/console?uuid=…` or `/console?ref=…`, without a session.
    pub path: RequestPath,
}
