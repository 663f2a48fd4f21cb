//! Who may come in, and where they may be taken: origins, proxies, rates, targets.

use ipnet::IpNet;

use super::raw::{Typed, Value};
use super::reader::Reader;
use super::setting as s;
use super::value::{Item, Setable, Wrong, quote};
use crate::network;
use crate::origin::Origin;
use crate::proxy::{ForwardedHeader, TrustedProxies};
use crate::rate::Rate;
use crate::target::{TargetRange, TargetRules};

/// What stands in front of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    /// Whose word about clients counts. Default: nobody's, and `X-Forwarded-For` for those who are
    /// named. Costs a look at one header with each request.
    pub trusted: TrustedProxies,
    /// Whether their connections start with a header of the PROXY protocol. Default: false.
    pub protocol: bool,
}

pub(super) fn proxies(r: &mut Reader) -> Option<Proxies> {
    let networks: Option<Vec<IpNet>> = r.take(&s::TRUSTED_PROXIES);
    let header = r.take(&s::FORWARDED_HEADER);
    let protocol: Option<bool> = r.take(&s::PROXY_PROTOCOL);
    if protocol == Some(true) && networks.as_ref().is_some_and(Vec::is_empty) {
        r.refuse(&s::PROXY_PROTOCOL, "needs trusted_proxies as well");
    }
    Some(Proxies {
        trusted: TrustedProxies {
            networks: networks?,
            header: header?,
        },
        protocol: protocol?,
    })
}

pub(super) fn targets(r: &mut Reader) -> Option<TargetRules> {
    let (allow, deny) = (r.take(&s::TARGETS_ALLOW), r.take(&s::TARGETS_DENY));
    Some(TargetRules {
        allow: allow?,
        deny: deny?,
    })
}

/// An item that is typed as one string.
fn item<T>(typed: &Typed, expected: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Wrong> {
    match &typed.value {
        Value::Text(text) => read(text),
        _ => None,
    }
    .ok_or_else(|| Wrong::not(typed, expected))
}

impl Item for Origin {
    const LIST: &'static str = "a list of origins such as [\"https://cloud.example\"]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        const EXPECTED: &str = "an origin such as https://cloud.example or http://10.0.0.1:8080";
        item(typed, EXPECTED, |text| text.parse().ok())
    }

    fn clash(_: &[Self]) -> Option<String> {
        None
    }

    fn item_to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Item for IpNet {
    const LIST: &'static str = "a list of addresses and networks such as [\"10.0.0.0/24\"]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        const EXPECTED: &str = "an address or a network such as 10.0.0.1 or 10.0.0.0/24";
        item(typed, EXPECTED, network::parse_exact)
    }

    fn clash(_: &[Self]) -> Option<String> {
        None
    }

    fn item_to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Item for TargetRange {
    const LIST: &'static str = "a list of ranges such as [\"10.0.0.0/8:5900-5999\"]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        const EXPECTED: &str =
            "a range such as 10.0.0.0/8, 10.0.0.0/8:5900-5999 or [fd00::/8]:5900";
        item(typed, EXPECTED, |text| text.parse().ok())
    }

    fn clash(_: &[Self]) -> Option<String> {
        None
    }

    fn item_to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Setable for ForwardedHeader {
    const EXPECTED: &'static str = "x-forwarded-for or forwarded";

    fn from_text(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|header| header.name().eq_ignore_ascii_case(text))
    }

    fn to_toml(&self) -> String {
        quote(self.name())
    }
}

impl Setable for Rate {
    const EXPECTED: &'static str = "a number of times in a second, minute or hour such as 600/m";

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}
