use super::talk::{clear_text, feed, user};
use super::*;

const V38: &[u8] = b"RFB 003.008\n";
const NO_TUNNEL: &[u8] = b"\0\0\0\0TGHTNOTUNNEL";
const NONE: &[u8] = b"\0\0\0\x01STDVNOAUTH__";
const VNC: &[u8] = b"\0\0\0\x02STDVVNCAUTH_";
const VENCRYPT: &[u8] = b"\0\0\0\x13VENCVENCRYPT";
const LOGIN: &[u8] = b"\0\0\0\x81TGHTULGNAUTH";
const EXTERNAL: &[u8] = b"\0\0\0\x82TGHTXTRNAUTH";
const OK: &[u8] = &[0; 4];

/// A list behind its number.
fn list(capabilities: &[&[u8]]) -> Vec<u8> {
    let mut bytes = (capabilities.len() as u32).to_be_bytes().to_vec();
    bytes.extend(capabilities.concat());
    bytes
}

/// A ServerInit that goes on as Tight's does: a message of each side and two encodings.
fn extended() -> Vec<u8> {
    let mut bytes = server_init();
    bytes.extend(b"\0\x01\0\x01\0\x02\0\0");
    for capability in 0..4 {
        bytes.extend([capability; 16]);
    }
    bytes
}

/// A host that offers Tight alone, up to the end of its list.
fn offers(version: &[u8], tunnels: &[&[u8]], ways: &[&[u8]]) -> Vec<u8> {
    [version, b"\x01\x10", &list(tunnels), &list(ways)].concat()
}

#[test]
fn what_is_listed_is_spoken_and_the_rest_passed_over() {
    let response: &[u8] = &vnc::response(b"s3cret12", &CHALLENGE);
    let login: &[u8] = b"\0\0\0\x08\0\0\0\x08operators3cret12";
    let silent: &[u8] = b"";
    let one_tunnel = [NO_TUNNEL];
    let panel: [&[u8]; 1] = [b"\0\0\0\x01SICRSCHANNEL"];
    let two: [&[u8]; 2] = [b"\0\0\0\x07ACMETUNNEL__", NO_TUNNEL];
    for (name, tunnels, ways, said, answer) in [
        ("nothing", &[][..], &[][..], silent, silent),
        ("None", &[], &[NONE], silent, &[0, 0, 0, 1]),
        (
            "VNC",
            &[],
            &[EXTERNAL, VNC, NONE],
            &CHALLENGE,
            &[&[0, 0, 0, 2], response].concat(),
        ),
        (
            "a tunnel",
            &one_tunnel,
            &[VNC],
            &CHALLENGE,
            &[&[0; 4], &[0, 0, 0, 2], response].concat(),
        ),
        (
            "two tunnels",
            &two,
            &[NONE],
            silent,
            &[0, 0, 0, 0, 0, 0, 0, 1],
        ),
        (
            "a panel",
            &panel,
            &[NONE],
            silent,
            &[0, 0, 0, 0, 0, 0, 0, 1],
        ),
        (
            "login",
            &[],
            &[LOGIN],
            silent,
            &[&[0, 0, 0, 129], login].concat(),
        ),
    ] {
        let host = [&offers(V38, tunnels, ways), said, OK, &extended()].concat();
        let (sent, _, end) = feed(user(), clear_text(), &host);
        assert_eq!(end, Ok(qemu()), "{name}");
        assert_eq!(sent, [V38, &[16], answer, &[1]].concat(), "{name}");
    }
}

#[test]
fn the_end_of_server_init_is_stripped_and_nothing_behind_it() {
    let host = [&offers(V38, &[], &[]), OK, &extended(), b"pixels"].concat();
    let mut machine = HostHandshake::new(params(None));
    let mut reader = Reader::new(&host);
    while !matches!(
        machine.step(&mut reader, &mut Vec::new()),
        Ok(Step::Done(_))
    ) {}
    assert_eq!(reader.rest(), b"pixels");

    // Without Tight a ServerInit ends with its name.
    let host = [V38, &[1, 1], OK, &extended()].concat();
    let mut machine = HostHandshake::new(params(None));
    let mut reader = Reader::new(&host);
    while !matches!(
        machine.step(&mut reader, &mut Vec::new()),
        Ok(Step::Done(_))
    ) {}
    assert_eq!(reader.rest().len(), 8 + 4 * 16);
}

#[test]
fn before_3_8_no_result_follows_no_authentication() {
    let v37: &[u8] = b"RFB 003.007\n";
    let response: &[u8] = &vnc::response(b"s3cret12", &CHALLENGE);
    for (ways, said, answer) in [
        (&[][..], &[][..], &[][..]),
        (&[NONE], &[], &[0, 0, 0, 1]),
        (
            &[VNC],
            &[&CHALLENGE[..], OK].concat(),
            &[&[0, 0, 0, 2], response].concat(),
        ),
    ] {
        let host = [&offers(v37, &[], ways), said, &extended()].concat();
        let (sent, _, end) = feed(user(), Policy::default(), &host);
        assert_eq!(end, Ok(qemu()));
        assert_eq!(sent, [v37, &[16], answer, &[1]].concat());
    }
}

#[test]
fn tight_is_opened_only_when_nothing_stands_beside_it() {
    let chosen = |login: Login, policy: Policy, types: &[u8]| {
        let host = [V38, &[types.len() as u8], types].concat();
        feed(login, policy, &host).0.get(12).copied()
    };
    let strict = || Policy {
        require_tls: true,
        ..Policy::default()
    };
    let no_none = || Policy {
        refuse_none: true,
        ..Policy::default()
    };
    assert_eq!(chosen(user(), Policy::default(), &[16, 2]), Some(2));
    assert_eq!(chosen(user(), Policy::default(), &[16, 1]), Some(1));
    assert_eq!(chosen(user(), Policy::default(), &[16, 19]), Some(19));
    assert_eq!(chosen(user(), Policy::default(), &[16]), Some(16));
    assert_eq!(chosen(user(), strict(), &[2, 16]), Some(16));
    assert_eq!(chosen(user(), no_none(), &[1, 16]), Some(16));
}

#[test]
fn vencrypt_inside_tight_keeps_its_tls_and_the_long_server_init() {
    let vencrypt = b"\x00\x02\x00\x01\x00\x00\x01\x06\x01";
    let host = [
        &offers(V38, &[], &[VNC, VENCRYPT]),
        &vencrypt[..],
        OK,
        &extended(),
    ]
    .concat();
    let strict = Policy {
        require_tls: true,
        ..Policy::default()
    };
    let (sent, swaps, end) = feed(user(), strict, &host);
    assert_eq!((swaps, end), (1, Ok(qemu())));
    let answer = b"\0\0\0\x13\x00\x02\x00\x00\x01\x06\0\0\0\x08\0\0\0\x08operators3cret12\x01";
    assert_eq!(sent, [V38, &[16], &answer[..]].concat());
}

#[test]
fn policy_holds_inside_tight_too() {
    let kinds = |numbers: &[u32]| {
        numbers
            .iter()
            .copied()
            .map(SecurityType)
            .collect::<Vec<_>>()
    };
    let refuse_none = || Policy {
        refuse_none: true,
        ..Policy::default()
    };
    let require_tls = || Policy {
        require_tls: true,
        ..clear_text()
    };
    let missing = HostError::CredentialsMissing;
    let ra2: &[u8] = b"\0\0\0\x81RLVNRA2_256_";
    // Sub-types of VeNCrypt, Tight in Tight and our own number for its login have no place here.
    let foreign: &[&[u8]] = &[
        b"\0\0\x01\x06VENCX509PLAI",
        b"\0\0\0\x10TGHTTIGHT___",
        b"\0\0\x3f\x01TGHTULGNAUTH",
        b"\xff\xff\xff\xffTGHTULGNAUTH",
    ];
    for (login, policy, ways, expected) in [
        (
            user(),
            Policy::default(),
            &[LOGIN][..],
            HostError::Forbidden(kinds(&[16_129])),
        ),
        (
            user(),
            require_tls(),
            &[LOGIN, VNC],
            HostError::Forbidden(kinds(&[16_129, 2])),
        ),
        (
            user(),
            refuse_none(),
            &[NONE],
            HostError::Forbidden(kinds(&[1])),
        ),
        (
            user(),
            refuse_none(),
            &[],
            HostError::Forbidden(kinds(&[1])),
        ),
        (params(None).login, Policy::default(), &[VNC], missing),
        (
            user(),
            clear_text(),
            &[ra2],
            HostError::NoCommonSecurity(kinds(&[129])),
        ),
        (
            user(),
            clear_text(),
            foreign,
            HostError::NoCommonSecurity(kinds(&[16])),
        ),
    ] {
        let (sent, _, end) = feed(login, policy, &offers(V38, &[], ways));
        assert_eq!(end, Err(expected));
        assert_eq!(sent, [V38, &[16]].concat(), "nothing is chosen");
    }
}

#[test]
fn lists_have_bounds_that_hold_before_they_arrive() {
    let start = [V38, b"\x01\x10"].concat();
    let end = |rest: &[u8]| feed(user(), clear_text(), &[&start, rest].concat()).2;
    let too_many = |count| Err(HostError::TightCapabilities(count));
    assert_eq!(end(b"\0\0\0\x41"), too_many(65));
    assert_eq!(end(b"\xff\xff\xff\xff"), too_many(u32::MAX));
    assert_eq!(end(b"\0\0\0\0\0\0\0\x41"), too_many(65));
    let most = [
        list(&[NO_TUNNEL; 64]),
        list(&[NONE; 64]),
        OK.to_vec(),
        extended(),
    ]
    .concat();
    assert_eq!(end(&most), Ok(qemu()));
    let tunnels = list(&[b"\0\0\0\x07ACMETUNNEL__"]);
    assert_eq!(end(&tunnels), Err(HostError::TightTunnel));

    let mut long = [list(&[]), list(&[]), OK.to_vec(), server_init()].concat();
    long.extend(b"\x04\0\0\0\0\x01\0\0");
    assert_eq!(end(&long), too_many(1025));
    let at = long.len() - 8;
    long[at..].copy_from_slice(b"\x02\0\x01\0\x01\0\0\0");
    long.extend([0; 16 * 1024]);
    assert_eq!(end(&long), Ok(qemu()));
    long.pop();
    assert_eq!(end(&long), Err(HostError::Closed(Stage::Init)));
}
