//! Reading a grant field by field.

use std::num::NonZeroU16;

use super::tag::{self, Kind};
use super::{BadGrant, Grant, MAX_PASSWORD};
use crate::clock::UnixTime;
use crate::id::ConsoleId;
use crate::secret::Secret;
use crate::target::{Endpoint, HostName, ProfileName, Target, Way};
use crate::token::labels::{Labels, Name};
use crate::wire::Reader;

/// A grant while its fields come in.
#[derive(Default)]
pub(super) struct Fields {
    id: Option<ConsoleId>,
    minted_at: Option<UnixTime>,
    connect_by: Option<UnixTime>,
    way: Option<Kind>,
    host: Option<HostName>,
    port: Option<NonZeroU16>,
    profile: Option<ProfileName>,
    password: Option<Secret>,
    name: Option<Name>,
    labels: Labels,
}

impl Fields {
    pub(super) fn take(&mut self, tag: u8, value: &[u8]) -> Result<(), BadGrant> {
        match tag {
            tag::ID => once(
                &mut self.id,
                tag,
                ConsoleId::from_random(exact(value, "id")?),
            ),
            tag::MINTED_AT => once(&mut self.minted_at, tag, instant(value, "minting time")?),
            tag::CONNECT_BY => once(&mut self.connect_by, tag, instant(value, "expiry")?),
            tag::WAY => once(
                &mut self.way,
                tag,
                Kind(u8::from_be_bytes(exact(value, "way")?)),
            ),
            tag::HOST => {
                let host = text(value, "host")?
                    .parse()
                    .map_err(|_| BadGrant::Bad("host"))?;
                once(&mut self.host, tag, host)
            }
            tag::PORT => {
                let port = u16::from_be_bytes(exact(value, "port")?);
                once(
                    &mut self.port,
                    tag,
                    NonZeroU16::new(port).ok_or(BadGrant::Bad("port"))?,
                )
            }
            tag::PROFILE => {
                let profile = text(value, "profile")?.parse();
                once(
                    &mut self.profile,
                    tag,
                    profile.map_err(|_| BadGrant::Bad("profile"))?,
                )
            }
            tag::PASSWORD if value.len() > MAX_PASSWORD => Err(BadGrant::Bad("password")),
            tag::PASSWORD => once(&mut self.password, tag, Secret::new(value)),
            tag::NAME => {
                let name = Name::new(text(value, "name")?).map_err(|_| BadGrant::Bad("name"))?;
                once(&mut self.name, tag, name)
            }
            tag::LABEL => {
                let mut reader = Reader::new(value);
                let key_len = reader.u8("label key length")?;
                let key = text(reader.bytes(key_len.into(), "label key")?, "label")?;
                Ok(self.labels.insert(key, text(reader.rest(), "label")?)?)
            }
            unknown => Err(BadGrant::UnknownField(unknown)),
        }
    }

    pub(super) fn finish(self) -> Result<Grant, BadGrant> {
        Ok(Grant {
            id: self.id.ok_or(BadGrant::Missing("id"))?,
            minted_at: self.minted_at.ok_or(BadGrant::Missing("minting time"))?,
            connect_by: self.connect_by.ok_or(BadGrant::Missing("expiry"))?,
            target: Target {
                way: way(self.way, self.host, self.port)?,
                profile: self.profile,
            },
            password: self.password,
            name: self.name,
            labels: self.labels,
        })
    }
}

fn way(
    kind: Option<Kind>,
    host: Option<HostName>,
    port: Option<NonZeroU16>,
) -> Result<Way, BadGrant> {
    let endpoint = Endpoint {
        host: host.ok_or(BadGrant::Missing("host"))?,
        port: port.ok_or(BadGrant::Missing("port"))?,
    };
    match kind {
        None => Ok(Way::Tcp(endpoint)),
        Some(Kind::TLS) => Ok(Way::Tls(endpoint)),
        Some(_) => Err(BadGrant::Bad("way")),
    }
}

fn once<T>(slot: &mut Option<T>, tag: u8, value: T) -> Result<(), BadGrant> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(BadGrant::Twice(tag)),
    }
}

fn exact<const N: usize>(value: &[u8], what: &'static str) -> Result<[u8; N], BadGrant> {
    value.try_into().map_err(|_| BadGrant::Bad(what))
}

fn instant(value: &[u8], what: &'static str) -> Result<UnixTime, BadGrant> {
    exact(value, what).map(|bytes| UnixTime::from_secs(u64::from_be_bytes(bytes)))
}

fn text<'a>(value: &'a [u8], what: &'static str) -> Result<&'a str, BadGrant> {
    std::str::from_utf8(value).map_err(|_| BadGrant::Bad(what))
}
