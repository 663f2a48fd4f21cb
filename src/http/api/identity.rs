//! `identity` in the API: what the machine must be.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;

use crate::rfb::identity::{Fingerprint, Identity};

/// Pins; what is absent is not looked at.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IdentityRequest {
    /// One fingerprint or several.
    certificate_sha256: Fingerprints,
    ra2_key_sha256: Option<String>,
    desktop_name: Option<String>,
    machine_uuid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a fingerprint, or a list of fingerprints")]
enum Fingerprints {
    One(String),
    Some(Vec<String>),
}

impl Default for Fingerprints {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl IdentityRequest {
    /// # Errors
    /// The field that is wrong and what is wrong with it.
    pub(super) fn into_identity(self) -> Result<Identity, (&'static str, String)> {
        let certificates = match self.certificate_sha256 {
            Fingerprints::One(one) => vec![one],
            Fingerprints::Some(some) => some,
        };
        let certificates = certificates
            .into_iter()
            .map(|key| parse("identity.certificate_sha256", &key))
            .collect::<Result<Vec<Fingerprint>, _>>()?;
        let ra2_key = self.ra2_key_sha256.as_deref();
        let uuid = self.machine_uuid.as_deref();
        let identity = Identity {
            certificates,
            ra2_key: ra2_key
                .map(|key| parse("identity.ra2_key_sha256", key))
                .transpose()?,
            desktop_name: self.desktop_name,
            machine_uuid: uuid
                .map(|uuid| parse("identity.machine_uuid", uuid))
                .transpose()?,
        };
        identity
            .check()
            .map_err(|error| ("identity", error.to_string()))?;
        Ok(identity)
    }
}

fn parse<T>(field: &'static str, text: &str) -> Result<T, (&'static str, String)>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse()
        .map_err(|error: T::Err| (field, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Identity, (&'static str, String)> {
        serde_json::from_str::<IdentityRequest>(json)
            .unwrap()
            .into_identity()
    }

    #[test]
    fn pins_are_read_by_their_names() {
        let (a, b) = (Fingerprint::of(b"a"), Fingerprint::of(b"b"));
        assert_eq!(read("{}"), Ok(Identity::default()));
        let one = read(&format!(r#"{{"certificate_sha256": "{a}"}}"#)).unwrap();
        assert_eq!(one.certificates, [a]);
        let all = read(&format!(
            r#"{{"certificate_sha256": ["{a}", "{b}"], "ra2_key_sha256": "{b}",
                "desktop_name": "QEMU (web-01)",
                "machine_uuid": "123e4567-e89b-12d3-a456-426614174000"}}"#
        ));
        let identity = Identity {
            certificates: vec![a, b],
            ra2_key: Some(b),
            desktop_name: Some("QEMU (web-01)".to_owned()),
            machine_uuid: "123e4567-e89b-12d3-a456-426614174000".parse().ok(),
        };
        assert_eq!(all, Ok(identity));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field() {
        for (json, field) in [
            (
                r#"{"certificate_sha256": "x"}"#,
                "identity.certificate_sha256",
            ),
            (
                r#"{"certificate_sha256": [""]}"#,
                "identity.certificate_sha256",
            ),
            (r#"{"ra2_key_sha256": "x"}"#, "identity.ra2_key_sha256"),
            (r#"{"machine_uuid": "x"}"#, "identity.machine_uuid"),
            (r#"{"desktop_name": ""}"#, "identity"),
        ] {
            assert_eq!(read(json).unwrap_err().0, field, "{json}");
        }
    }
}
