//! Reading a grant field by field.

use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;

use super::tag::{self, Kind};
use super::way::Parts;
use super::{BadGrant, Grant};
use crate::clock::UnixTime;
use crate::id::ConsoleId;
use crate::rfb::identity::{Fingerprint, Identity, MachineUuid};
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::{Clipboard, MAX_TO_MACHINE, Permissions};
use crate::rfb::terms::Terms;
use crate::secret::Secret;
use crate::target::{ProfileName, Target};
use crate::token::binding::Binding;
use crate::token::credentials::{Credentials, Header};
use crate::token::labels::{Labels, Name};
use crate::token::limits::Limits;
use crate::token::sharing::{Role, Sharing};
use crate::wire::Reader;

/// A grant while its fields come in.
#[derive(Default)]
pub(super) struct Fields {
    id: Option<ConsoleId>,
    minted_at: Option<UnixTime>,
    connect_by: Option<UnixTime>,
    way: Parts,
    profile: Option<ProfileName>,
    credentials: Credentials,
    terms: Option<Terms>,
    permissions: Option<Permissions>,
    pacing: Option<Pacing>,
    identity: Identity,
    uses: Option<NonZeroU16>,
    session_max: Option<Duration>,
    idle_max: Option<Duration>,
    binding: Binding,
    sharing: Option<Sharing>,
    role: Option<Role>,
    name: Option<Name>,
    labels: Labels,
}

impl Fields {
    pub(super) fn take(&mut self, tag: u8, value: &[u8]) -> Result<(), BadGrant> {
        let Self {
            credentials: Credentials { login, .. },
            identity,
            ..
        } = self;
        match tag {
            tag::ID => {
                let id = ConsoleId::from_random(exact(value, "id")?);
                once(&mut self.id, tag, id)
            }
            tag::MINTED_AT => once(&mut self.minted_at, tag, instant(value, "minting time")?),
            tag::CONNECT_BY => once(&mut self.connect_by, tag, instant(value, "expiry")?),
            tag::WAY => {
                let [kind] = exact(value, "way")?;
                once(&mut self.way.kind, tag, Kind(kind))
            }
            tag::HOST => once(&mut self.way.host, tag, parsed(value, "host")?),
            tag::PORT => {
                let port = NonZeroU16::new(u16::from_be_bytes(exact(value, "port")?));
                once(&mut self.way.port, tag, port.ok_or(BadGrant::Bad("port"))?)
            }
            tag::SOCKET_PATH => {
                let path = parsed(value, "socket path")?;
                once(&mut self.way.socket_path, tag, path)
            }
            tag::REQUEST_PATH => {
                let path = parsed(value, "request path")?;
                once(&mut self.way.request_path, tag, path)
            }
            tag::SUBPROTOCOL => {
                self.way.protocols.push(parsed(value, "subprotocol")?);
                Ok(())
            }
            tag::PROFILE => once(&mut self.profile, tag, parsed(value, "profile")?),
            tag::USERNAME => once(&mut login.username, tag, owned(value, "username")?),
            tag::PASSWORD => once(&mut login.password, tag, Secret::new(value)),
            tag::RELAY => {
                exact::<0>(value, "relay")?;
                match std::mem::replace(&mut login.relay, true) {
                    false => Ok(()),
                    true => Err(BadGrant::Twice(tag)),
                }
            }
            tag::XVP_TARGET => once(&mut login.xvp_target, tag, owned(value, "xvp target")?),
            tag::REPEATER_ID => once(&mut login.repeater_id, tag, owned(value, "repeater ID")?),
            tag::COOKIE => once(&mut self.credentials.cookie, tag, Secret::new(value)),
            tag::HEADER => {
                let (name, value) = pair(value, "header")?;
                let header = Header::new(name, Secret::new(value))?;
                self.credentials.headers.push(header);
                Ok(())
            }
            tag::TERMS => once(&mut self.terms, tag, terms(value)?),
            tag::PERMISSIONS => once(&mut self.permissions, tag, permissions(value)?),
            tag::PACING => once(&mut self.pacing, tag, parsed(value, "pacing")?),
            tag::CERTIFICATE => {
                let certificate = Fingerprint::from_bytes(exact(value, "certificate")?);
                identity.certificates.push(certificate);
                Ok(())
            }
            tag::RA2_KEY => {
                let key = Fingerprint::from_bytes(exact(value, "RA2 key")?);
                once(&mut identity.ra2_key, tag, key)
            }
            tag::DESKTOP_NAME => {
                let name = owned(value, "desktop name")?;
                once(&mut identity.desktop_name, tag, name)
            }
            tag::MACHINE_UUID => {
                let uuid = MachineUuid::from_bytes(exact(value, "machine UUID")?);
                once(&mut identity.machine_uuid, tag, uuid)
            }
            tag::USES => {
                let uses = NonZeroU16::new(u16::from_be_bytes(exact(value, "uses")?));
                once(&mut self.uses, tag, uses.ok_or(BadGrant::Bad("uses"))?)
            }
            tag::SESSION_MAX => once(&mut self.session_max, tag, duration(value, "session_max")?),
            tag::IDLE_MAX => once(&mut self.idle_max, tag, duration(value, "idle_max")?),
            tag::CLIENT => {
                self.binding.clients.push(parsed(value, "client")?);
                Ok(())
            }
            tag::ORIGIN => {
                self.binding.origins.push(parsed(value, "origin")?);
                Ok(())
            }
            tag::SHARING => once(&mut self.sharing, tag, parsed(value, "sharing")?),
            tag::ROLE => once(&mut self.role, tag, parsed(value, "role")?),
            tag::NAME => {
                let name = Name::new(text(value, "name")?).map_err(|_| BadGrant::Bad("name"))?;
                once(&mut self.name, tag, name)
            }
            tag::LABEL => {
                let (key, value) = pair(value, "label")?;
                Ok(self.labels.insert(key, text(value, "label")?)?)
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
                way: self.way.finish()?,
                profile: self.profile,
            },
            credentials: self.credentials,
            terms: self.terms.unwrap_or_default(),
            permissions: self.permissions.unwrap_or_default(),
            pacing: self.pacing.unwrap_or_default(),
            identity: self.identity,
            limits: Limits {
                uses: self.uses.ok_or(BadGrant::Missing("uses"))?,
                session_max: self.session_max.ok_or(BadGrant::Missing("session_max"))?,
                idle_max: self.idle_max.ok_or(BadGrant::Missing("idle_max"))?,
            },
            binding: self.binding,
            sharing: self.sharing.unwrap_or_default(),
            role: self.role.unwrap_or_default(),
            name: self.name,
            labels: self.labels,
        })
    }
}

/// A bit that this version does not know may be a restriction.
fn terms(value: &[u8]) -> Result<Terms, BadGrant> {
    let [bits] = exact(value, "terms")?;
    if bits & !(tag::REQUIRE_TLS | tag::ALLOW_CLEAR_TEXT | tag::REFUSE_NONE) != 0 {
        return Err(BadGrant::Bad("terms"));
    }
    Ok(Terms {
        require_tls: bits & tag::REQUIRE_TLS != 0,
        allow_clear_text: bits & tag::ALLOW_CLEAR_TEXT != 0,
        refuse_none: bits & tag::REFUSE_NONE != 0,
    })
}

/// A bit that this version does not know may be a restriction.
fn permissions(value: &[u8]) -> Result<Permissions, BadGrant> {
    let mut reader = Reader::new(value);
    let bits = reader.u8("permissions")?;
    let clipboard = Clipboard {
        to_machine: reader.u32("permissions")?,
        from_machine: reader.u32("permissions")?,
    };
    let known = tag::VIEW_ONLY | tag::RESIZE | tag::POWER;
    if bits & !known != 0 || !reader.is_empty() || clipboard.to_machine > MAX_TO_MACHINE {
        return Err(BadGrant::Bad("permissions"));
    }
    Ok(Permissions {
        view_only: bits & tag::VIEW_ONLY != 0,
        clipboard,
        resize: bits & tag::RESIZE != 0,
        power: bits & tag::POWER != 0,
    })
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

fn duration(value: &[u8], what: &'static str) -> Result<Duration, BadGrant> {
    exact(value, what).map(|bytes| Duration::from_secs(u64::from_be_bytes(bytes)))
}

fn text<'a>(value: &'a [u8], what: &'static str) -> Result<&'a str, BadGrant> {
    std::str::from_utf8(value).map_err(|_| BadGrant::Bad(what))
}

fn owned(value: &[u8], what: &'static str) -> Result<String, BadGrant> {
    text(value, what).map(str::to_owned)
}

fn parsed<T: FromStr>(value: &[u8], what: &'static str) -> Result<T, BadGrant> {
    text(value, what)?.parse().map_err(|_| BadGrant::Bad(what))
}

/// A field of two parts, the first with a byte for its length.
fn pair<'a>(value: &'a [u8], what: &'static str) -> Result<(&'a str, &'a [u8]), BadGrant> {
    let mut reader = Reader::new(value);
    let len = reader.u8(what)?;
    let first = text(reader.bytes(len.into(), what)?, what)?;
    Ok((first, reader.rest()))
}
