//! Grants written and read back.

use std::time::Duration;

use super::*;
use crate::rfb::login::{Login, MAX_PASSWORD};
use crate::rfb::permissions::Clipboard;
use crate::secret::Secret;
use crate::target::{Endpoint, Way};
use crate::token::credentials::{Header, MAX_COOKIE, MAX_HEADER_VALUE};
use crate::token::labels::MAX_LABELS;

/// A grant for a console of a hypervisor, as most are.
pub(crate) fn usual() -> Grant {
    let mut labels = Labels::default();
    labels.insert("vm", "web-01").unwrap();
    labels.insert("empty", "").unwrap();
    Grant {
        target: Target::tcp("2001:db8::5".parse().unwrap(), 5901.try_into().unwrap()),
        credentials: Credentials::with_password(Some(Secret::new("s3cret12"))),
        name: Some(Name::new("web-01").unwrap()),
        labels,
        ..bare()
    }
}

/// A grant with what has to be there.
fn bare() -> Grant {
    Grant {
        id: ConsoleId::from_random([7; 16]),
        minted_at: UnixTime::from_secs(1_795_249_800),
        connect_by: UnixTime::from_secs(1_795_249_860),
        target: Target::tcp("10.0.0.5".parse().unwrap(), 5900.try_into().unwrap()),
        credentials: Credentials::default(),
        terms: Terms::default(),
        permissions: Permissions::default(),
        pacing: Pacing::default(),
        identity: Identity::default(),
        limits: Limits::default(),
        binding: Binding::default(),
        sharing: Sharing::default(),
        role: Role::default(),
        name: None,
        labels: Labels::default(),
    }
}

/// A grant with a value in every field.
fn full() -> Grant {
    let text = |text: &str| Some(text.to_owned());
    let key = |n| crate::rfb::identity::Fingerprint::from_bytes([n; 32]);
    Grant {
        target: Target {
            way: Way::Tls(Endpoint {
                host: "a.example".parse().unwrap(),
                port: 5900.try_into().unwrap(),
            }),
            profile: Some("libvirt".parse().unwrap()),
        },
        credentials: Credentials {
            login: Login {
                username: text("operator"),
                password: Some(Secret::new("s3cret12")),
                xvp_target: text("web-01"),
                repeater_id: text("ID:1234"),
                relay: false,
            },
            cookie: Some(Secret::new("session_id=OpaqueRef:1")),
            headers: ["Authorization", "X-Auth"]
                .map(|name| Header::new(name, Secret::new("Bearer s3cret")).unwrap())
                .into(),
        },
        terms: Terms {
            require_tls: true,
            allow_clear_text: true,
            refuse_none: true,
        },
        pacing: Pacing::On,
        identity: Identity {
            certificates: vec![key(1), key(2)],
            ra2_key: Some(key(3)),
            desktop_name: text("QEMU (web-01)"),
            machine_uuid: "123e4567-e89b-12d3-a456-426614174000".parse().ok(),
        },
        limits: Limits {
            uses: 3.try_into().unwrap(),
            session_max: Duration::from_secs(3600),
            idle_max: Duration::from_secs(60),
        },
        binding: Binding {
            clients: vec!["192.0.2.0/24".parse().unwrap()],
            origins: vec!["https://cloud.example".parse().unwrap()],
        },
        sharing: Sharing::Exclusive,
        role: Role::Watcher,
        ..usual()
    }
}

/// All that `Debug` does not show.
fn secrets(grant: &Grant) -> Vec<Option<&[u8]>> {
    let credentials = &grant.credentials;
    let single = [&credentials.login.password, &credentials.cookie];
    let single = single.map(|secret| secret.as_ref().map(Secret::expose));
    let headers = credentials.headers.iter();
    let headers = headers.map(|header| Some(header.value().expose()));
    single.into_iter().chain(headers).collect()
}

fn assert_same(a: &Grant, b: &Grant) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    assert_eq!(secrets(a), secrets(b));
}

#[test]
fn a_grant_round_trips_with_and_without_its_optional_fields() {
    for grant in [bare(), usual(), full()] {
        assert_same(&grant, &Grant::decode(&grant.encode().unwrap()).unwrap());
    }
}

#[test]
fn a_viewer_may_be_asked_in_place_of_a_password() {
    let mut grant = bare();
    grant.credentials.login.relay = true;
    let written = grant.encode().unwrap();
    assert_same(&grant, &Grant::decode(&written).unwrap());
    let twice = [&written[..], &[tag::RELAY, 0, 0]].concat();
    assert_eq!(
        Grant::decode(&twice).unwrap_err(),
        BadGrant::Twice(tag::RELAY)
    );
    let filled = [&bare().encode().unwrap()[..], &[tag::RELAY, 0, 1, 1]].concat();
    assert_eq!(Grant::decode(&filled).unwrap_err(), BadGrant::Bad("relay"));
    grant.credentials.login.password = Some(Secret::new("s3cret12"));
    assert!(matches!(grant.encode(), Err(BadGrant::Credentials(_))));
}

#[test]
fn a_debug_print_has_no_secret() {
    let printed = format!("{:?}", full());
    assert!(!printed.contains("s3cret"), "{printed}");
    assert!(!printed.contains("OpaqueRef"), "{printed}");
}

#[test]
fn each_term_is_kept_by_itself() {
    for bit in 0..3 {
        let terms = Terms {
            require_tls: bit == 0,
            allow_clear_text: bit == 1,
            refuse_none: bit == 2,
        };
        let grant = Grant { terms, ..bare() };
        let read = Grant::decode(&grant.encode().unwrap()).unwrap();
        assert_eq!(read.terms, terms);
    }
}

#[test]
fn long_parts_fit_and_all_of_them_together_do_not() {
    let mut grant = full();
    grant.credentials.login.password = Some(Secret::new(vec![0; MAX_PASSWORD]));
    grant.credentials.headers =
        vec![Header::new("Authorization", Secret::new("v".repeat(MAX_HEADER_VALUE))).unwrap()];
    let encoded = grant.encode().unwrap();
    assert!(encoded.len() <= MAX_ENCODED, "{} bytes", encoded.len());
    assert_same(&grant, &Grant::decode(&encoded).unwrap());

    grant.credentials.cookie = Some(Secret::new("c".repeat(MAX_COOKIE)));
    assert_eq!(grant.encode().unwrap_err(), BadGrant::TooLong);
}

#[test]
fn parts_over_their_bounds_are_not_written() {
    let mut grant = bare();
    grant.credentials.login.username = Some(String::new());
    let error = grant.encode().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a username has 1 to 255 bytes and no NUL"
    );
    let mut grant = bare();
    grant.identity.desktop_name = Some(String::new());
    assert_eq!(
        grant.encode().unwrap_err(),
        BadGrant::Identity(BadIdentity::DesktopName)
    );
}

#[test]
fn many_labels_fit() {
    let mut grant = bare();
    for n in 0..MAX_LABELS {
        let value = "v".repeat(100);
        grant.labels.insert(&n.to_string(), &value).unwrap();
    }
    assert_same(&grant, &Grant::decode(&grant.encode().unwrap()).unwrap());
}

#[test]
fn every_cut_is_an_error() {
    let encoded = usual().encode().unwrap();
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
    let encoded = usual().encode().unwrap();
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

#[test]
fn values_of_another_version_are_refused() {
    let start = bare().encode().unwrap().to_vec();
    for (tag, value, what) in [
        (tag::WAY, 200, "way"),
        (tag::TERMS, 8, "terms"),
        (tag::TERMS, 255, "terms"),
    ] {
        let more = [start.clone(), vec![tag, 0, 1, value]].concat();
        assert_eq!(Grant::decode(&more).unwrap_err(), BadGrant::Bad(what));
    }
}

#[test]
fn each_permission_is_kept_by_itself() {
    for bit in 0..5 {
        let permissions = Permissions {
            view_only: bit == 0,
            resize: bit == 1,
            power: bit == 2,
            clipboard: Clipboard {
                to_machine: if bit == 3 { MAX_TO_MACHINE } else { 0 },
                from_machine: if bit == 4 { 7 } else { 0 },
            },
        };
        let grant = Grant {
            permissions,
            ..bare()
        };
        let read = Grant::decode(&grant.encode().unwrap()).unwrap();
        assert_eq!(read.permissions, permissions);
    }
    let mut grant = bare();
    grant.permissions.clipboard.to_machine = MAX_TO_MACHINE + 1;
    let bad = BadGrant::Bad("permissions");
    assert_eq!(grant.encode().map(drop), Err(bad));
    let start = bare().encode().unwrap().to_vec();
    for value in [[8, 0, 0, 0, 0, 0, 0, 0, 0], [1, 255, 0, 0, 0, 0, 0, 0, 0]] {
        let more = [&start[..], &[tag::PERMISSIONS, 0, 9], &value].concat();
        assert_eq!(Grant::decode(&more).map(drop), Err(bad));
    }
}
