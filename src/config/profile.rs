//! Target profiles: what is verified about hosts of one kind, and what is allowed with them.

use std::collections::BTreeMap;

use super::raw::{Typed, Value};
use super::reader::Reader;
use super::setting as s;
use super::value::{Item, Setable, Wrong, quote};
use crate::rfb::identity::Fingerprint;
use crate::rfb::policy::{Policy, SecurityMethod};
use crate::target::{HostName, ProfileName};
use crate::tls::connect::{ClientCertificate, Trust};
use crate::tls::verify::{Remedy, Verify};

/// One profile. It costs nothing per session; its authorities are held once per profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What is verified, and what hosts are shown.
    pub trust: Trust,
    /// What hosts may be logged in with.
    pub policy: Policy,
}

/// All profiles; `None` when the reader has noted a problem with one.
pub(super) fn all(r: &mut Reader) -> Option<BTreeMap<ProfileName, Profile>> {
    let mut profiles = Vec::new();
    for name in r.profiles() {
        r.enter(Some(name.clone()));
        profiles.push(profile(r).map(|profile| (name, profile)));
    }
    r.enter(None);
    profiles.into_iter().collect()
}

fn profile(r: &mut Reader) -> Option<Profile> {
    let ca_file = r.take(&s::PROFILE_CA_FILE);
    let server_name = r.take(&s::PROFILE_SERVER_NAME);
    let verify = r.take(&s::PROFILE_VERIFY);
    let pins: Option<Vec<Fingerprint>> = r.take(&s::PROFILE_PIN_SHA256);
    let client = client(r);
    let require_tls = r.take(&s::PROFILE_REQUIRE_TLS);
    let clear_text = r.take(&s::PROFILE_ALLOW_CLEAR_TEXT);
    let refuse_none = r.take(&s::PROFILE_REFUSE_NONE);
    let methods: Option<Vec<SecurityMethod>> = r.take(&s::PROFILE_METHODS).or_else(|| {
        let all = SecurityMethod::ALL.to_vec();
        if r.is_set(&s::PROFILE_METHODS) {
            return None;
        }
        r.derived(&s::PROFILE_METHODS, &all);
        Some(all)
    });
    if methods.as_ref().is_some_and(Vec::is_empty) {
        r.refuse(&s::PROFILE_METHODS, "needs at least one way of logging in");
    }
    if verify == Some(Verify::None) {
        if r.is_set(&s::PROFILE_CA_FILE) {
            r.refuse(
                &s::PROFILE_CA_FILE,
                "is not looked at with verify = \"none\"",
            );
        }
        if pins.as_ref().is_some_and(|pins| !pins.is_empty()) {
            let message = "goes without verify = \"none\": then the pin alone decides";
            r.refuse(&s::PROFILE_PIN_SHA256, message);
        }
    }
    Some(Profile {
        trust: Trust {
            ca_file,
            server_name,
            verify,
            pins: pins?,
            client,
            remedy: Remedy::Profile,
        },
        policy: Policy {
            methods: methods?,
            require_tls: require_tls?,
            clear_text: clear_text?,
            refuse_none: refuse_none?,
        },
    })
}

fn client(r: &mut Reader) -> Option<ClientCertificate> {
    let certificate_file = r.take(&s::PROFILE_CERTIFICATE_FILE);
    let key_file = r.take(&s::PROFILE_KEY_FILE);
    match (
        r.is_set(&s::PROFILE_CERTIFICATE_FILE),
        r.is_set(&s::PROFILE_KEY_FILE),
    ) {
        (true, false) => r.refuse(&s::PROFILE_CERTIFICATE_FILE, "needs key_file as well"),
        (false, true) => r.refuse(&s::PROFILE_KEY_FILE, "needs certificate_file as well"),
        (true, true) | (false, false) => {}
    }
    Some(ClientCertificate {
        certificate_file: certificate_file?,
        key_file: key_file?,
    })
}

impl Setable for HostName {
    const EXPECTED: &'static str = "an IP address or a DNS name";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Setable for Verify {
    const EXPECTED: &'static str = "full, chain or none";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_toml(&self) -> String {
        quote(self.name())
    }
}

impl Item for Fingerprint {
    const LIST: &'static str = "a list of SHA-256 fingerprints of public keys";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        const EXPECTED: &str =
            "the SHA-256 of a public key: 64 hexadecimal digits, or 44 characters of base64";
        match &typed.value {
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| Wrong::not(typed, EXPECTED))
    }

    fn clash(_: &[Self]) -> Option<String> {
        None
    }

    fn item_to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Item for SecurityMethod {
    const LIST: &'static str = "a list such as [\"x509-vnc\", \"vnc\"]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        let known = Self::ALL.map(Self::name).join(", ");
        match &typed.value {
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| Wrong::not(typed, &format!("one of {known}")))
    }

    fn clash(items: &[Self]) -> Option<String> {
        items.iter().enumerate().find_map(|(index, method)| {
            let before = items.get(..index)?;
            before
                .contains(method)
                .then(|| format!("{method} stands twice"))
        })
    }

    fn item_to_toml(&self) -> String {
        quote(self.name())
    }
}
