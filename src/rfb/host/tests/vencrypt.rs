use super::talk::{feed, user};
use super::*;

/// VeNCrypt up to the sub-types, as QEMU and TigerVNC begin.
pub(super) fn vencrypt(sub_types: &[u32]) -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x13\x00\x02\x00".to_vec();
    bytes.push(sub_types.len() as u8);
    bytes.extend(sub_types.iter().flat_map(|sub_type| sub_type.to_be_bytes()));
    bytes
}

#[test]
fn vencrypt_takes_the_strongest_sub_type_into_tls() {
    let start: &[u8] = b"RFB 003.008\n\x13\x00\x02";
    let plain: &[u8] = b"\0\0\0\x08\0\0\0\x08operators3cret12";
    let vnc: &[u8] = &vnc::response(b"s3cret12", &CHALLENGE);
    let ok: &[u8] = &[0; 4];
    let password = || params(Some("s3cret12")).login;
    for (login, offered, chosen, inside, answer) in [
        (user(), &[257, 261, 260, 262][..], 262_u32, &[][..], plain),
        (password(), &[260, 262, 261, 999], 261, &CHALLENGE[..], vnc),
        (Login::default(), &[261, 260], 260, &[], &[]),
    ] {
        let host = [&vencrypt(offered), &[1][..], inside, ok, &server_init()].concat();
        let (sent, swaps, end) = feed(login, Policy::default(), &host);
        assert_eq!(end, Ok(qemu()));
        assert_eq!(swaps, 1);
        assert_eq!(sent, [start, &chosen.to_be_bytes(), answer, &[1]].concat());
    }
}

#[test]
fn a_password_in_the_clear_has_to_be_allowed() {
    let host = [&vencrypt(&[256]), &[0; 4][..], &server_init()].concat();
    let (_, _, end) = feed(user(), Policy::default(), &host);
    assert_eq!(end, Err(HostError::Forbidden(vec![SecurityType::PLAIN])));
    let clear_text = Policy {
        clear_text: true,
        ..Policy::default()
    };
    let (sent, swaps, end) = feed(user(), clear_text, &host);
    assert_eq!((swaps, end), (0, Ok(qemu())));
    assert!(sent.ends_with(b"operators3cret12\x01"));
}

#[test]
fn downgrades_are_refused() {
    let tls = || Policy {
        require_tls: true,
        ..Policy::default()
    };
    for types in [&[1_u8, 2][..], &[2], &[1]] {
        let host = [b"RFB 003.008\n", &[types.len() as u8][..], types].concat();
        let (sent, _, end) = feed(user(), tls(), &host);
        assert!(matches!(end, Err(HostError::Forbidden(_))), "{end:?}");
        assert_eq!(sent, b"RFB 003.008\n", "nothing is chosen");
    }
    let (_, _, end) = feed(user(), tls(), &vencrypt(&[257, 258, 264]));
    let error = end.unwrap_err();
    assert_eq!(Reason::from(&error), Reason::HostTlsAnonymousOnly);
    let refuse_none = Policy {
        refuse_none: true,
        ..Policy::default()
    };
    let (_, _, end) = feed(user(), refuse_none, b"RFB 003.008\n\x01\x01");
    assert_eq!(end, Err(HostError::Forbidden(vec![SecurityType::NONE])));
}

#[test]
fn what_vencrypt_takes_back_is_an_error() {
    for (bytes, expected) in [
        (&b"\x00\x01"[..], HostError::VeNCryptVersion([0, 1])),
        (b"\x00\x02\xff", HostError::VeNCryptRefused),
        (
            b"\x00\x02\x00\x01\x00\x00\x01\x05\x00",
            HostError::VeNCryptRefused,
        ),
        (b"\x00\x02\x00\x00", HostError::NoCommonSecurity(Vec::new())),
    ] {
        let host = [b"RFB 003.008\n\x01\x13", bytes].concat();
        let (_, _, end) = feed(user(), Policy::default(), &host);
        assert_eq!(end, Err(expected));
    }
}

#[test]
fn what_belongs_inside_tls_is_not_taken_from_outside() {
    let clear_text = || Policy {
        clear_text: true,
        ..Policy::default()
    };
    for number in [256_u32, 260, 261, 262] {
        let host = [b"RFB 003.003\n", &number.to_be_bytes()[..], &CHALLENGE].concat();
        let (sent, swaps, end) = feed(user(), clear_text(), &host);
        let kind = SecurityType(number);
        assert_eq!(end, Err(HostError::NoCommonSecurity(vec![kind])));
        assert_eq!((sent, swaps), (b"RFB 003.003\n".to_vec(), 0), "{kind}");
    }
}

#[test]
fn vencrypt_holds_no_vencrypt() {
    let (sent, _, end) = feed(user(), Policy::default(), &vencrypt(&[19]));
    assert_eq!(
        end,
        Err(HostError::NoCommonSecurity(vec![SecurityType::VENCRYPT]))
    );
    assert_eq!(sent, b"RFB 003.008\n\x13\x00\x02");
}
