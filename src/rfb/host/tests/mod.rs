mod dead_end;
mod key_exchange;
mod relayed;
mod repeater;
mod sasl;
mod talk;
mod tight;
mod vencrypt;

use super::*;
use crate::reason::Reason;
use crate::rfb::auth::vnc;
use crate::rfb::init::tests::qemu;
use crate::secret::Secret;

/// A whole conversation of a host, what Fanlight must have sent, and how it ends.
struct Row {
    name: &'static str,
    password: Option<&'static str>,
    host: Vec<u8>,
    sent: Vec<u8>,
    end: Result<(), Reason>,
}

const CHALLENGE: [u8; 16] = *b"0123456789abcdef";

/// Every byte that the random source of these tests gives.
const RANDOM: u8 = 0x5a;

fn params(password: Option<&str>) -> HostParams {
    with_login(
        Login::with_password(password.map(Secret::new)),
        Policy::default(),
    )
}

fn with_login(login: Login, policy: Policy) -> HostParams {
    HostParams {
        login,
        policy,
        entropy: |bytes| bytes.fill(RANDOM),
        ra2_key: None,
        ra2_pin: None,
    }
}

fn server_init() -> Vec<u8> {
    let mut bytes = Vec::new();
    qemu().encode(&mut bytes);
    bytes
}

fn rows() -> Vec<Row> {
    let response = vnc::response(b"s3cret12", &CHALLENGE);
    let row = |name, password, host: &[&[u8]], sent: &[&[u8]], end| Row {
        name,
        password,
        host: host.concat(),
        sent: sent.concat(),
        end,
    };
    let pw = Some("s3cret12");
    let init = server_init();
    let [v33, v37, v38]: [&[u8]; 3] = [b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"];
    let [ok, failed, too_many]: [&[u8]; 3] = [&[0, 0, 0, 0], &[0, 0, 0, 1], &[0, 0, 0, 2]];
    let words: &[u8] = b"\0\0\0\x16Authentication failed\0";
    vec![
        row(
            "3.8 None",
            None,
            &[v38, &[1, 1], ok, &init],
            &[v38, &[1], &[1]],
            Ok(()),
        ),
        row(
            "3.8 VNC",
            pw,
            &[v38, &[1, 2], &CHALLENGE, ok, &init],
            &[v38, &[2], &response, &[1]],
            Ok(()),
        ),
        row(
            "3.7 None",
            pw,
            &[v37, &[1, 1], &init],
            &[v37, &[1], &[1]],
            Ok(()),
        ),
        row(
            "3.7 VNC",
            pw,
            &[v37, &[1, 2], &CHALLENGE, ok, &init],
            &[v37, &[2], &response, &[1]],
            Ok(()),
        ),
        row(
            "3.3 None",
            None,
            &[v33, &[0, 0, 0, 1], &init],
            &[v33, &[1]],
            Ok(()),
        ),
        row(
            "3.3 VNC",
            pw,
            &[v33, &[0, 0, 0, 2], &CHALLENGE, ok, &init],
            &[v33, &response, &[1]],
            Ok(()),
        ),
        row(
            "Apple, its order is not ours",
            pw,
            &[b"RFB 003.889\n", &[4, 30, 1, 35, 2], &CHALLENGE, ok, &init],
            &[v38, &[2], &response, &[1]],
            Ok(()),
        ),
        row(
            "None beside VNC without a password",
            None,
            &[v38, &[2, 2, 1], ok, &init],
            &[v38, &[1], &[1]],
            Ok(()),
        ),
        row(
            "password missing",
            None,
            &[v38, &[1, 2]],
            &[v38],
            Err(Reason::HostCredentialsMissing),
        ),
        row(
            "only types we lack",
            pw,
            &[v38, &[2, 17, 77]],
            &[v38],
            Err(Reason::HostNoCommonSecurity),
        ),
        row(
            "3.3 type we lack",
            pw,
            &[v33, &[0, 0, 0, 17]],
            &[v33],
            Err(Reason::HostNoCommonSecurity),
        ),
        row(
            "wrong password, 3.8",
            pw,
            &[v38, &[1, 2], &CHALLENGE, failed, words],
            &[v38, &[2], &response],
            Err(Reason::HostAuthFailed),
        ),
        row(
            "wrong password, 3.7 has no words",
            pw,
            &[v37, &[1, 2], &CHALLENGE, failed],
            &[v37, &[2], &response],
            Err(Reason::HostAuthFailed),
        ),
        row(
            "too many, 3.3",
            pw,
            &[v33, &[0, 0, 0, 2], &CHALLENGE, too_many],
            &[v33, &response],
            Err(Reason::HostTooManyAttempts),
        ),
        row(
            "too many, 3.8",
            pw,
            &[v38, &[1, 2], &CHALLENGE, too_many, &[0; 4]],
            &[v38, &[2], &response],
            Err(Reason::HostTooManyAttempts),
        ),
        row(
            "locked out by TigerVNC",
            pw,
            &[v33, &[0; 4], b"\0\0\0\x1aToo many security failures"],
            &[v33],
            Err(Reason::HostTooManyAttempts),
        ),
        row(
            "locked out by TigerVNC, in other words",
            pw,
            &[v33, &[0; 4], b"\0\0\0\x04nope"],
            &[v33],
            Err(Reason::HostTooManyAttempts),
        ),
        row(
            "refused by an UltraVNC of old",
            pw,
            &[b"RFB 003.006\n", &[0; 4], b"\0\0\0\x04busy"],
            &[v33],
            Err(Reason::HostRefused),
        ),
        row(
            "refused before authentication",
            pw,
            &[v38, &[0], b"\0\0\0\x04busy"],
            &[v38],
            Err(Reason::HostRefused),
        ),
        row(
            "a result that means nothing",
            pw,
            &[v38, &[1, 1], &[9; 4]],
            &[v38, &[1]],
            Err(Reason::HostProtocol),
        ),
        row(
            "a name of 4 GiB",
            pw,
            &[v38, &[1, 1], ok, &init[..20], &[0xff; 4]],
            &[v38, &[1], &[1]],
            Err(Reason::HostProtocol),
        ),
        row(
            "HTTP",
            pw,
            &[b"HTTP/1.1 400 Bad Request\r\n"],
            &[],
            Err(Reason::HostNotRfb),
        ),
        row(
            "a TLS alert",
            pw,
            &[&[0x15, 3, 3, 0, 2, 2, 10]],
            &[],
            Err(Reason::HostNotRfb),
        ),
        row(
            "too old",
            pw,
            &[b"RFB 003.002\n"],
            &[],
            Err(Reason::HostVersion),
        ),
        row(
            "a repeater",
            pw,
            &[b"RFB 000.000\n"],
            &[],
            Err(Reason::HostVersion),
        ),
    ]
}

/// Feeds `host` in pieces that end at `cuts`, then closes.
fn converse(
    row: &Row,
    cuts: impl Iterator<Item = usize>,
) -> (Vec<u8>, Result<ServerInit, HostError>, Vec<u8>) {
    let mut machine = HostHandshake::new(params(row.password));
    let (mut sent, mut at) = (Vec::new(), 0);
    for end in cuts.chain([row.host.len()]) {
        loop {
            let mut reader = Reader::new(&row.host[at..end]);
            let step = machine.step(&mut reader, &mut sent);
            at = end - reader.rest().len();
            match step {
                Ok(Step::Again) => {}
                Ok(Step::NeedMore) => break,
                Ok(Step::Swap(swap)) => panic!("{swap:?}"),
                Ok(Step::Done(init)) => return (sent, Ok(init), row.host[at..].to_vec()),
                Err(error) => return (sent, Err(error), Vec::new()),
            }
        }
    }
    let error = machine.interrupted(Interruption::Closed, &row.host[at..]);
    (sent, Err(error), Vec::new())
}

#[test]
fn conversations_end_as_they_should_whole_and_byte_by_byte() {
    for row in rows() {
        let pieces: [Box<dyn Iterator<Item = usize>>; 3] = [
            Box::new(std::iter::empty()),
            Box::new(0..row.host.len()),
            Box::new((0..row.host.len()).step_by(7)),
        ];
        for cuts in pieces {
            let (sent, end, _) = converse(&row, cuts);
            assert_eq!(sent, row.sent, "{}", row.name);
            match (&end, row.end) {
                (Ok(init), Ok(())) => assert_eq!(*init, qemu(), "{}", row.name),
                (Err(error), Err(reason)) => {
                    assert_eq!(Reason::from(error), reason, "{}: {error}", row.name)
                }
                _ => panic!("{}: {end:?}", row.name),
            }
        }
    }
}

#[test]
fn a_host_that_closes_anywhere_is_told_apart_from_one_that_refuses() {
    for row in rows().into_iter().filter(|row| row.end.is_ok()) {
        for len in 0..row.host.len() {
            let cut = Row {
                host: row.host[..len].to_vec(),
                ..Row {
                    name: row.name,
                    password: row.password,
                    host: Vec::new(),
                    sent: Vec::new(),
                    end: Ok(()),
                }
            };
            let (_, end, _) = converse(&cut, std::iter::empty());
            assert!(
                matches!(end, Err(HostError::Closed(_))),
                "{} cut at {len}: {end:?}",
                row.name
            );
        }
    }
}

#[test]
fn a_refusal_survives_when_its_words_never_come() {
    let refused: &[u8] = b"RFB 003.008\n\0";
    for words in [
        &b""[..],
        b"\0\0",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xffgo away",
    ] {
        let mut machine = HostHandshake::new(params(None));
        let bytes = [refused, words].concat();
        let mut reader = Reader::new(&bytes);
        while matches!(machine.step(&mut reader, &mut Vec::new()), Ok(Step::Again)) {}
        assert_eq!(machine.stage(), Stage::RefusalReason);
        let error = machine.interrupted(Interruption::TimedOut, reader.rest());
        let said = words.get(4..).and_then(PeerText::clean);
        assert_eq!(error, HostError::Refused(said));
    }
}

#[test]
fn of_a_reason_of_four_gigabytes_only_the_start_is_read() {
    let mut bytes = b"RFB 003.008\n\0\xff\xff\xff\xff".to_vec();
    bytes.extend(vec![b'x'; MAX_REASON as usize]);
    let mut machine = HostHandshake::new(params(None));
    let mut reader = Reader::new(&bytes);
    let end = loop {
        match machine.step(&mut reader, &mut Vec::new()) {
            Ok(Step::Again) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Err(HostError::Refused(Some(_)))), "{end:?}");
}

#[test]
fn what_follows_server_init_is_left_for_the_relay() {
    let mut row = rows().swap_remove(1);
    row.host.extend(b"\0\0\0\x01first update");
    let (_, end, rest) = converse(&row, std::iter::empty());
    assert_eq!(end, Ok(qemu()));
    assert_eq!(rest, b"\0\0\0\x01first update");
}

#[test]
fn what_was_seen_is_kept_for_a_dry_run() {
    let row = Row {
        host: b"RFB 003.889\n\x03\x1e\x23\x02".to_vec(),
        ..rows().swap_remove(0)
    };
    let mut machine = HostHandshake::new(params(None));
    let mut reader = Reader::new(&row.host);
    while matches!(machine.step(&mut reader, &mut Vec::new()), Ok(Step::Again)) {}
    assert_eq!(
        machine.seen().version.map(|v| v.to_string()).as_deref(),
        Some("3.889")
    );
    assert_eq!(machine.seen().offered, [30, 35, 2].map(SecurityType));
    assert_eq!(machine.seen().chosen, None);
}

#[test]
fn errors_read_well_and_hold_no_raw_bytes() {
    let said = PeerText::clean(b"no\r\nway\x1b");
    assert_eq!(
        HostError::AuthFailed(said).to_string(),
        "authentication failed: \"no way\""
    );
    assert_eq!(HostError::TooMany(None).to_string(), "too many attempts");
    let listed = HostError::NoCommonSecurity(vec![SecurityType(18), SecurityType(77)]);
    assert_eq!(
        listed.to_string(),
        "offers only the security types 18 (TLS), 77"
    );
    assert_eq!(
        HostError::TimedOut(Stage::Security).to_string(),
        "timed out at stage security"
    );
}
