use super::talk::{clear_text, user};
use super::vencrypt::vencrypt;
use super::*;
use crate::rfb::policy::SecurityMethod;

/// Feeds what a host says, up to its failure, and asks what led nowhere.
fn dead_end(
    login: Login,
    policy: Policy,
    host: &[u8],
) -> (Reason, Option<&'static [SecurityMethod]>) {
    let mut machine = HostHandshake::new(with_login(login, policy));
    let (mut input, mut sent) = (Reader::new(host), Vec::new());
    let error = loop {
        match machine.step(&mut input, &mut sent) {
            Ok(Step::NeedMore) => break machine.interrupted(Interruption::Closed, input.rest()),
            Ok(Step::Done(_)) => panic!("it was let in"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    ((&error).into(), machine.dead_end(&error))
}

/// A host with VeNCrypt and these beside it.
fn beside(types: &[u8], sub_types: &[u32]) -> Vec<u8> {
    let alone = vencrypt(sub_types);
    let (version, rest) = alone.split_at(12);
    let count = 1 + u8::try_from(types.len()).unwrap();
    // Behind the version line stand a count of one and VeNCrypt.
    [version, &[count, 19], types, &rest[2..]].concat()
}

fn password() -> Login {
    params(Some("s3cret12")).login
}

fn tls_only() -> Policy {
    Policy {
        require_tls: true,
        ..Policy::default()
    }
}

#[test]
fn vencrypt_without_anything_for_us_leads_elsewhere_where_that_is_allowed() {
    for (sub_types, reason) in [
        (&[257, 258][..], Reason::HostTlsAnonymousOnly),
        (&[999], Reason::HostNoCommonSecurity),
        (&[], Reason::HostNoCommonSecurity),
        (&[262], Reason::HostCredentialsMissing),
    ] {
        let (found, methods) = dead_end(password(), Policy::default(), &beside(&[2], sub_types));
        assert_eq!(found, reason, "{sub_types:?}");
        let methods = methods.unwrap();
        assert!(methods.contains(&SecurityMethod::X509Vnc));
        assert!(!methods.contains(&SecurityMethod::Vnc));
    }
    // A password in the clear is not allowed, a challenge is.
    let (_, methods) = dead_end(user(), Policy::default(), &beside(&[2], &[256]));
    assert!(methods.is_some());
}

#[test]
fn nothing_leads_to_what_the_policy_forbids_or_nobody_offers() {
    let anonymous = Reason::HostTlsAnonymousOnly;
    let refuse_none = || Policy {
        refuse_none: true,
        ..Policy::default()
    };
    for (login, policy, types) in [
        (password(), tls_only(), &[2][..]),
        (password(), Policy::default(), &[]),
        (password(), Policy::default(), &[30, 113, 77]),
        (Login::default(), Policy::default(), &[2]),
        (password(), refuse_none(), &[1]),
        (user(), Policy::default(), &[20]),
    ] {
        let found = dead_end(login, policy, &beside(types, &[258]));
        assert_eq!(found, (anonymous, None), "{types:?}");
    }
    // SASL outside of TLS is for those who allow clear text.
    let (_, methods) = dead_end(user(), clear_text(), &beside(&[20], &[258]));
    assert!(methods.is_some());
}

#[test]
fn a_refusal_is_no_dead_end() {
    let refused = [0, 0, 0, 1, 0, 0, 0, 0];
    for (sub_types, then) in [
        (&[261][..], [&[1][..], &CHALLENGE, &refused].concat()),
        (&[261], vec![0]),
        (&[261], vec![1]),
        (&[2], [&CHALLENGE[..], &refused].concat()),
    ] {
        let host = [beside(&[2], sub_types), then].concat();
        let (_, methods) = dead_end(password(), Policy::default(), &host);
        assert_eq!(methods, None, "{sub_types:?}");
    }
    let interrupted = |by| {
        let mut machine = HostHandshake::new(with_login(password(), Policy::default()));
        let host = [beside(&[2], &[261]), vec![1]].concat();
        let (mut input, mut sent) = (Reader::new(&host), Vec::new());
        while !matches!(machine.step(&mut input, &mut sent), Ok(Step::Swap(_))) {}
        let error = machine.interrupted(by, &[]);
        machine.dead_end(&error)
    };
    for error in [
        SwapError::Certificate("of another authority".to_owned()),
        SwapError::Failed("no cipher in common".to_owned()),
    ] {
        assert_eq!(interrupted(Interruption::Swap(error)), None);
    }
}

#[test]
fn sasl_without_a_mechanism_for_us_leads_to_the_next_sub_type() {
    let list = b"\0\0\0\x0aDIGEST-MD5";
    let host = [&beside(&[2], &[263, 261])[..], &[1], list].concat();
    let (reason, methods) = dead_end(user(), tls_only(), &host);
    assert_eq!(reason, Reason::HostNoCommonSecurity);
    // The rest of VeNCrypt stays, and so does the demand for TLS.
    assert!(!methods.unwrap().contains(&SecurityMethod::X509Vnc));
    // With nothing beside it, all of VeNCrypt is passed over, where that is allowed.
    let host = [&beside(&[2], &[263])[..], &[1], list].concat();
    let (_, methods) = dead_end(user(), Policy::default(), &host);
    assert!(methods.unwrap().contains(&SecurityMethod::X509Vnc));
    assert_eq!(dead_end(user(), tls_only(), &host).1, None);
    let alone = [&vencrypt(&[263])[..], &[1], list].concat();
    assert_eq!(dead_end(user(), Policy::default(), &alone).1, None);
}
