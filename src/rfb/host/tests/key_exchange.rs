//! ARD and MS-Logon II, against answers that were calculated with Python's integers and OpenSSL's
//! ciphers; and xvp, which has no keys but the same kind of login.

use super::talk::{clear_text, feed, user};
use super::*;
use crate::rfb::policy::SecurityMethod;

/// The group of 1024 bits from RFC 2409, 6.2, and a public value in it.
const ARD_HOST: &str = include_str!("vectors/ard_host.hex");
/// What `operator` with `s3cret12` answers whose every random byte is [`RANDOM`].
const ARD_ANSWER: &str = include_str!("vectors/ard_answer.hex");
/// A modulus of 31 bits, as UltraVNC's are.
const MS_LOGON_HOST: &str = include_str!("vectors/ms_logon_host.hex");
const MS_LOGON_ANSWER: &str = include_str!("vectors/ms_logon_answer.hex");

const OK: &[u8] = &[0; 4];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

/// A host that offers one type, says `said` and what follows a login.
fn host(kind: u8, said: &[u8], then: &[&[u8]]) -> Vec<u8> {
    [b"RFB 003.008\n\x01", &[kind][..], said, &then.concat()].concat()
}

#[test]
fn what_is_answered_is_what_others_calculate() {
    let xvp = [
        b"\x08\x06operatorweb-01",
        &vnc::response(b"s3cret12", &CHALLENGE)[..],
    ];
    for (kind, said, answer) in [
        (30, bytes(ARD_HOST), bytes(ARD_ANSWER)),
        (113, bytes(MS_LOGON_HOST), bytes(MS_LOGON_ANSWER)),
        (22, CHALLENGE.to_vec(), xvp.concat()),
    ] {
        let whole = host(kind, &said, &[OK, &server_init()]);
        let (sent, swaps, end) = feed(user(), clear_text(), &whole);
        assert_eq!((swaps, end), (0, Ok(qemu())), "{kind}");
        assert_eq!(
            sent,
            [b"RFB 003.008\n", &[kind][..], &answer, &[1]].concat()
        );

        let refused = host(kind, &said, &[b"\0\0\0\x01\0\0\0\x02no"]);
        let (_, _, end) = feed(user(), clear_text(), &refused);
        assert_eq!(end, Err(HostError::AuthFailed(PeerText::clean(b"no"))));
    }
}

#[test]
fn a_key_exchange_that_hides_nothing_is_refused() {
    let good = bytes(ARD_HOST);
    let (prime, public) = (4..132, 132..260);
    let with = |range: std::ops::Range<usize>, new: &[u8]| {
        let mut bad = good.clone();
        bad.splice(range, new.iter().copied());
        bad
    };
    let number = |least: u8| [&[0; 127][..], &[least]].concat();
    let mut last = good[prime.clone()].to_vec();
    last[127] -= 1;
    let ard = [
        ("an even modulus", with(131..132, &[0x80])),
        ("a modulus with a leading zero", with(4..5, &[0])),
        ("a generator of 0", with(0..2, &[0, 0])),
        ("a generator of 1", with(0..2, &[0, 1])),
        ("a public value of 0", with(public.clone(), &number(0))),
        ("a public value of 1", with(public.clone(), &number(1))),
        ("a public value of p - 1", with(public.clone(), &last)),
        ("a public value of p", with(public, &good[prime])),
        ("1016 bits", [&[0, 2, 0, 127][..], &[0xff; 254]].concat()),
        ("no bits", vec![0, 2, 0, 0]),
        ("8192 bits, before they are there", vec![0, 2, 4, 0]),
    ];
    let least = |a: u64, b: u64, c: u64| [a, b, c].map(u64::to_be_bytes).concat();
    let ms_logon = [
        ("an even modulus", least(2, 1 << 31, 9)),
        ("no modulus", least(2, 0, 9)),
        ("a modulus of 1", least(2, 1, 1)),
        ("a modulus of 3", least(2, 3, 2)),
        ("a generator of 1", least(1, 2_147_483_647, 9)),
        ("a public value of 0", least(2, 2_147_483_647, 0)),
        (
            "a public value of p - 1",
            least(2, 2_147_483_647, 2_147_483_646),
        ),
        ("a public value over p", least(2, 2_147_483_647, u64::MAX)),
    ];
    let rows = ard.map(|row| (30, row)).into_iter();
    for (kind, (name, said)) in rows.chain(ms_logon.map(|row| (113, row))) {
        let (sent, _, end) = feed(user(), clear_text(), &host(kind, &said, &[]));
        assert_eq!(end, Err(HostError::WeakKeyExchange), "{name}");
        assert_eq!(sent, [b"RFB 003.008\n", &[kind][..]].concat(), "{name}");
    }
}

#[test]
fn what_has_no_room_is_not_cut_short() {
    let long = |user: usize, password: usize, target: usize| Login {
        username: Some("u".repeat(user)),
        xvp_target: Some("t".repeat(target)),
        password: Some(Secret::new("p".repeat(password))),
        ..Login::default()
    };
    let answered = |kind, said: &[u8], login| {
        let host = host(kind, said, &[OK, &server_init()]);
        feed(login, clear_text(), &host).2.map(drop)
    };
    let (ard, ms_logon) = (bytes(ARD_HOST), bytes(MS_LOGON_HOST));
    for (kind, said, login, expected) in [
        (30, &ard[..], long(63, 63, 1), Ok(())),
        (30, &ard, long(64, 1, 1), Err(63)),
        (30, &ard, long(1, 64, 1), Err(63)),
        (113, &ms_logon, long(255, 63, 1), Ok(())),
        (113, &ms_logon, long(256, 1, 1), Err(255)),
        (113, &ms_logon, long(1, 64, 1), Err(63)),
        (22, &CHALLENGE, long(255, 300, 255), Ok(())),
        (22, &CHALLENGE, long(256, 1, 1), Err(255)),
        (22, &CHALLENGE, long(1, 1, 256), Err(255)),
    ] {
        let expected = expected.map_err(HostError::LoginUnfit);
        assert_eq!(answered(kind, said, login), expected, "{kind}");
    }
    let mut with_nul = user();
    with_nul.username = Some("root\0".to_owned());
    let unfit = HostError::LoginUnfit(63);
    assert_eq!(answered(30, &ard, with_nul), Err(unfit));
}

#[test]
fn each_is_taken_only_where_it_may_and_can_be() {
    let all = b"RFB 003.008\n\x05\x02\x71\x1e\x16\x01";
    let chosen = |login: Login, policy: Policy| {
        let (sent, _, _) = feed(login, policy, all);
        sent.get(12).copied()
    };
    let without = |part: fn(&mut Login)| {
        let mut login = user();
        part(&mut login);
        login
    };
    let only = |method| Policy {
        methods: vec![method],
        ..clear_text()
    };
    assert_eq!(chosen(user(), Policy::default()), Some(30));
    assert_eq!(
        chosen(without(|l| l.username = None), clear_text()),
        Some(2)
    );
    assert_eq!(
        chosen(without(|l| l.password = None), clear_text()),
        Some(1)
    );
    assert_eq!(chosen(user(), only(SecurityMethod::Xvp)), Some(22));
    assert_eq!(chosen(user(), only(SecurityMethod::MsLogonII)), Some(113));
    let no_target = without(|l| l.xvp_target = None);
    assert_eq!(chosen(no_target, only(SecurityMethod::Xvp)), None);

    // UltraVNC with Windows users has nothing else to offer.
    let ultra = host(113, &bytes(MS_LOGON_HOST), &[OK, &server_init()]);
    let (sent, _, end) = feed(user(), Policy::default(), &ultra);
    assert_eq!(end, Err(HostError::Forbidden(vec![SecurityType(113)])));
    assert_eq!(sent, b"RFB 003.008\n");
}
