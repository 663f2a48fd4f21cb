//! What an opened token says.
//!
//! Inside a token a grant is a version byte and then fields, each a tag (u8), a length (u16) and
//! that many bytes. A field that this version does not know is an error and never skipped: it may
//! be a restriction.

mod fields;
mod tag;

use bytes::BufMut;
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::id::ConsoleId;
use crate::secret::Secret;
use crate::target::{Endpoint, MAX_DNS_NAME, MAX_PROFILE_NAME, Target, Way};
use crate::token::labels::{
    BadLabel, Labels, MAX_LABEL_KEY, MAX_LABEL_VALUE, MAX_LABELS, MAX_NAME, Name,
};
use crate::wire::{Reader, Short};

use fields::Fields;
use tag::Kind;

/// The version byte that a grant starts with.
const VERSION: u8 = 1;

/// The longest password, in bytes. VNC authentication uses the first 8.
pub const MAX_PASSWORD: usize = 256;

/// The longest encoded grant, in bytes: with a field of each kind at its largest.
pub const MAX_ENCODED: usize = 1 // version
    + 10 * 3 // tags and lengths of the fields that stand once
    + ConsoleId::LEN
    + 8 + 8 // minted_at, connect_by
    + 1 // way
    + MAX_DNS_NAME
    + 2 // port
    + MAX_PROFILE_NAME
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
        put_way(&mut out, &self.target.way);
        if let Some(profile) = &self.target.profile {
            put(&mut out, tag::PROFILE, &[profile.as_str().as_bytes()]);
        }
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

/// RFB over TCP, which most grants mean, needs no kind.
fn put_way(out: &mut Vec<u8>, way: &Way) {
    match way {
        Way::Tcp(endpoint) => put_endpoint(out, endpoint),
        Way::Tls(endpoint) => {
            put(out, tag::WAY, &[&[Kind::TLS.0]]);
            put_endpoint(out, endpoint);
        }
    }
}

fn put_endpoint(out: &mut Vec<u8>, endpoint: &Endpoint) {
    put(out, tag::HOST, &[endpoint.host.to_string().as_bytes()]);
    put(out, tag::PORT, &[&endpoint.port.get().to_be_bytes()]);
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
            target: Target::tcp("2001:db8::5".parse().unwrap(), 5901.try_into().unwrap()),
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
        let way = Way::Tls(Endpoint {
            host: "a.example".parse().unwrap(),
            port: 5900.try_into().unwrap(),
        });
        let tls = Grant {
            target: Target {
                way,
                profile: Some("libvirt".parse().unwrap()),
            },
            ..bare.clone()
        };
        for grant in [full, bare, tls] {
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
        grant.target = Target {
            way: Way::Tls(Endpoint {
                host: host.parse().unwrap(),
                port: 1.try_into().unwrap(),
            }),
            profile: Some("p".repeat(MAX_PROFILE_NAME).parse().unwrap()),
        };
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
