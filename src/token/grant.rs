//! What an opened token says.
//!
//! Inside a token a grant is a version byte and then fields, each a tag (u8), a length (u16) and
//! that many bytes. A field that this version does not know is an error and never skipped: it may
//! be a restriction.

use std::num::NonZeroU16;

use bytes::BufMut;
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::id::ConsoleId;
use crate::secret::Secret;
use crate::target::{HostName, Target};
use crate::token::labels::{
    BadLabel, Labels, MAX_LABEL_KEY, MAX_LABEL_VALUE, MAX_LABELS, MAX_NAME, Name,
};
use crate::wire::{Reader, Short};

/// The version byte that a grant starts with.
const VERSION: u8 = 1;

/// The longest password, in bytes. VNC authentication uses the first 8.
pub const MAX_PASSWORD: usize = 256;

/// The longest encoded grant, in bytes: with a field of each kind at its largest.
pub const MAX_ENCODED: usize = 1 // version
    + 8 * 3 // tags and lengths of the fields that stand once
    + ConsoleId::LEN
    + 8 + 8 // minted_at, connect_by
    + crate::target::MAX_DNS_NAME
    + 2 // port
    + MAX_PASSWORD
    + MAX_NAME
    + MAX_LABELS * (3 + 1 + MAX_LABEL_KEY + MAX_LABEL_VALUE);

/// Permission to open one console: data, no behaviour.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The console's name in audit and API.
    pub id: ConsoleId,
    /// When the token was made.
    pub minted_at: UnixTime,
    /// Until when the token may be used to connect. A running session is not ended by it.
    pub connect_by: UnixTime,
    /// The RFB server.
    pub target: Target,
    /// The password for VNC authentication, at most [`MAX_PASSWORD`] bytes.
    pub password: Option<Secret>,
    /// What the viewer calls the machine, in place of the name that the host gives.
    pub name: Option<Name>,
    /// The minter's labels.
    pub labels: Labels,
}

/// Why bytes are not a grant. Nobody outside can cause this: the bytes were sealed by a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGrant {
    /// The bytes end early.
    #[error(transparent)]
    Short(#[from] Short),
    /// Another version of Fanlight made it.
    #[error("grant format {0} is not known")]
    Version(u8),
    /// Another version of Fanlight made it, with a field that this one does not know.
    #[error("grant field {0} is not known")]
    UnknownField(u8),
    /// A field that stands once stands twice.
    #[error("grant field {0} stands twice")]
    Twice(u8),
    /// A mandatory field is not there.
    #[error("grant has no {0}")]
    Missing(&'static str),
    /// A field's value is not of its kind.
    #[error("grant has a bad {0}")]
    Bad(&'static str),
}

impl From<BadLabel> for BadGrant {
    fn from(_: BadLabel) -> Self {
        Self::Bad("label")
    }
}

/// Field tags. Their numbers are the format: append, never renumber.
mod tag {
    pub(super) const ID: u8 = 1;
    pub(super) const MINTED_AT: u8 = 2;
    pub(super) const CONNECT_BY: u8 = 3;
    pub(super) const HOST: u8 = 4;
    pub(super) const PORT: u8 = 5;
    pub(super) const PASSWORD: u8 = 6;
    pub(super) const NAME: u8 = 7;
    pub(super) const LABEL: u8 = 8;
}

impl Grant {
    /// The bytes that are sealed: at most [`MAX_ENCODED`], in one allocation that is zeroised.
    ///
    /// # Errors
    /// [`BadGrant::Bad`] when the password is over [`MAX_PASSWORD`] bytes.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BadGrant> {
        let mut out = Zeroizing::new(Vec::with_capacity(MAX_ENCODED));
        out.put_u8(VERSION);
        put(&mut out, tag::ID, &[self.id.as_bytes()]);
        put(
            &mut out,
            tag::MINTED_AT,
            &[&self.minted_at.as_secs().to_be_bytes()],
        );
        put(
            &mut out,
            tag::CONNECT_BY,
            &[&self.connect_by.as_secs().to_be_bytes()],
        );
        put(
            &mut out,
            tag::HOST,
            &[self.target.host.to_string().as_bytes()],
        );
        put(
            &mut out,
            tag::PORT,
            &[&self.target.port.get().to_be_bytes()],
        );
        if let Some(password) = &self.password {
            if password.len() > MAX_PASSWORD {
                return Err(BadGrant::Bad("password"));
            }
            put(&mut out, tag::PASSWORD, &[password.expose()]);
        }
        if let Some(name) = &self.name {
            put(&mut out, tag::NAME, &[name.as_str().as_bytes()]);
        }
        for (key, value) in self.labels.iter() {
            let key_len = [u8::try_from(key.len()).unwrap_or(u8::MAX)];
            put(
                &mut out,
                tag::LABEL,
                &[&key_len, key.as_bytes(), value.as_bytes()],
            );
        }
        Ok(out)
    }

    /// Reads what [`Grant::encode`] wrote.
    ///
    /// # Errors
    /// [`BadGrant`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadGrant> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8("grant version")?;
        if version != VERSION {
            return Err(BadGrant::Version(version));
        }
        let mut fields = Fields::default();
        while !reader.is_empty() {
            let tag = reader.u8("field tag")?;
            let len = reader.u16("field length")?;
            fields.take(tag, reader.bytes(len.into(), "field")?)?;
        }
        fields.finish()
    }
}

/// Writes one field out of its parts. Every part is bounded far below 64 KiB by its type.
fn put(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    out.put_u8(tag);
    out.put_u16(u16::try_from(len).unwrap_or(u16::MAX));
    for part in parts {
        out.put_slice(part);
    }
}

/// A grant while its fields come in.
#[derive(Default)]
struct Fields {
    id: Option<ConsoleId>,
    minted_at: Option<UnixTime>,
    connect_by: Option<UnixTime>,
    host: Option<HostName>,
    port: Option<NonZeroU16>,
    password: Option<Secret>,
    name: Option<Name>,
    labels: Labels,
}

impl Fields {
    fn take(&mut self, tag: u8, value: &[u8]) -> Result<(), BadGrant> {
        match tag {
            tag::ID => once(
                &mut self.id,
                tag,
                ConsoleId::from_random(exact(value, "id")?),
            ),
            tag::MINTED_AT => once(&mut self.minted_at, tag, instant(value, "minting time")?),
            tag::CONNECT_BY => once(&mut self.connect_by, tag, instant(value, "expiry")?),
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

    fn finish(self) -> Result<Grant, BadGrant> {
        Ok(Grant {
            id: self.id.ok_or(BadGrant::Missing("id"))?,
            minted_at: self.minted_at.ok_or(BadGrant::Missing("minting time"))?,
            connect_by: self.connect_by.ok_or(BadGrant::Missing("expiry"))?,
            target: Target {
                host: self.host.ok_or(BadGrant::Missing("host"))?,
                port: self.port.ok_or(BadGrant::Missing("port"))?,
            },
            password: self.password,
            name: self.name,
            labels: self.labels,
        })
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A grant with a value in every field.
    pub(crate) fn full() -> Grant {
        let mut labels = Labels::default();
        labels.insert("vm", "web-01").unwrap();
        labels.insert("empty", "").unwrap();
        Grant {
            id: ConsoleId::from_random([7; 16]),
            minted_at: UnixTime::from_secs(1_795_249_800),
            connect_by: UnixTime::from_secs(1_795_249_860),
            target: Target {
                host: "2001:db8::5".parse().unwrap(),
                port: 5901.try_into().unwrap(),
            },
            password: Some(Secret::new("s3cret12")),
            name: Some(Name::new("web-01").unwrap()),
            labels,
        }
    }

    fn assert_same(a: &Grant, b: &Grant) {
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
        let password = |grant: &Grant| grant.password.as_ref().map(|p| p.expose().to_vec());
        assert_eq!(password(a), password(b));
    }

    #[test]
    fn a_grant_round_trips_with_and_without_its_optional_fields() {
        let full = full();
        let bare = Grant {
            password: None,
            name: None,
            labels: Labels::default(),
            ..full.clone()
        };
        for grant in [full, bare] {
            assert_same(&grant, &Grant::decode(&grant.encode().unwrap()).unwrap());
        }
    }

    #[test]
    fn the_largest_grant_fits_its_bound() {
        let host = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(61),
        ]
        .join(".");
        let mut grant = full();
        grant.target.host = host.parse().unwrap();
        grant.password = Some(Secret::new(vec![0; MAX_PASSWORD]));
        grant.name = Some(Name::new("n".repeat(MAX_NAME)).unwrap());
        grant.labels = Labels::default();
        for n in 0..MAX_LABELS {
            let key = format!("{n:0>width$}", width = MAX_LABEL_KEY);
            grant
                .labels
                .insert(&key, &"v".repeat(MAX_LABEL_VALUE))
                .unwrap();
        }
        let encoded = grant.encode().unwrap();
        assert!(encoded.len() <= MAX_ENCODED, "{} bytes", encoded.len());
        assert_same(&grant, &Grant::decode(&encoded).unwrap());

        grant.password = Some(Secret::new(vec![0; MAX_PASSWORD + 1]));
        assert_eq!(grant.encode().unwrap_err(), BadGrant::Bad("password"));
    }

    #[test]
    fn every_cut_is_an_error() {
        let encoded = full().encode().unwrap();
        for len in 0..encoded.len() {
            let cut = Grant::decode(&encoded[..len]);
            // A cut between two labels leaves a whole grant with fewer labels; the seal's tag is
            // what keeps anybody from making that cut.
            if let Ok(grant) = cut {
                assert!(grant.labels.iter().count() < 2, "cut at {len}");
            }
        }
    }

    #[test]
    fn what_this_version_does_not_know_is_refused() {
        let encoded = full().encode().unwrap();
        let mut other = encoded.to_vec();
        other[0] = 2;
        assert_eq!(Grant::decode(&other).unwrap_err(), BadGrant::Version(2));

        let mut more = encoded.to_vec();
        more.extend([200, 0, 1, 9]);
        assert_eq!(
            Grant::decode(&more).unwrap_err(),
            BadGrant::UnknownField(200)
        );

        let mut twice = encoded.to_vec();
        twice.extend([tag::PORT, 0, 2, 1, 1]);
        assert_eq!(
            Grant::decode(&twice).unwrap_err(),
            BadGrant::Twice(tag::PORT)
        );
        assert_eq!(
            Grant::decode(&[VERSION]).unwrap_err(),
            BadGrant::Missing("id")
        );
    }
}
