use super::*;
use crate::rfb::auth::vnc::{Challenge, Response};

const ANSWER: Response = Response(*b"fedcba9876543210");

/// A handshake without a password, whose viewer may be asked.
fn machine() -> HostHandshake {
    let login = Login {
        relay: true,
        ..Login::default()
    };
    HostHandshake::new(with_login(login, Policy::default()))
}

/// How a handshake went whose viewer answers each question.
struct Went {
    asked: Vec<Challenge>,
    swaps: usize,
    sent: Vec<u8>,
    end: Result<ServerInit, HostError>,
}

/// Feeds `host` in pieces of `size` bytes, answering what is asked, then closes.
fn feed(host: &[u8], size: usize) -> Went {
    let mut machine = machine();
    let (mut asked, mut swaps, mut sent) = (Vec::new(), 0, Vec::new());
    let (mut at, mut there) = (0, 0);
    let end = loop {
        let mut reader = Reader::new(&host[at..there]);
        let step = Relayed(&mut machine).step(&mut reader, &mut sent);
        at = there - reader.rest().len();
        match step {
            Ok(Step::Again) => {}
            Ok(Step::Swap(_)) => swaps += 1,
            Ok(Step::NeedMore) if there == host.len() => {
                break Err(machine.interrupted(Interruption::Closed, &host[at..]));
            }
            Ok(Step::NeedMore) => there = host.len().min(there + size),
            Ok(Step::Done(Progress::Asked(challenge))) => {
                asked.push(challenge);
                assert_eq!(machine.stage(), Stage::Security);
                machine.respond(ANSWER);
            }
            Ok(Step::Done(Progress::Done(init))) => break Ok(init),
            Err(error) => break Err(error),
        }
    };
    Went {
        asked,
        swaps,
        sent,
        end,
    }
}

#[test]
fn the_viewers_answer_goes_to_the_host_in_every_version() {
    let init = server_init();
    let [v33, v37, v38]: [&[u8]; 3] = [b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"];
    let dictated: &[u8] = &[0, 0, 0, 2];
    for (version, types, choice) in [
        (v33, dictated, &[][..]),
        (v37, &[2, 1, 2], &[2]),
        (v38, &[2, 2, 1], &[2]),
    ] {
        let host = [version, types, &CHALLENGE, &[0; 4], &init].concat();
        for size in [1, 7, host.len()] {
            let went = feed(&host, size);
            assert_eq!(went.end, Ok(qemu()));
            assert_eq!(went.asked, [Challenge(CHALLENGE)]);
            assert_eq!(went.sent, [version, choice, &ANSWER.0, &[1]].concat());
        }
    }
}

#[test]
fn inside_vencrypt_as_well() {
    let host = [
        &b"RFB 003.008\n\x01\x13\x00\x02\x00\x02\0\0\x01\x05\0\0\x01\x06\x01"[..],
        &CHALLENGE,
        &[0; 4],
        &server_init(),
    ]
    .concat();
    for size in [1, 7, host.len()] {
        let went = feed(&host, size);
        assert_eq!(went.end, Ok(qemu()));
        assert_eq!((went.asked.len(), went.swaps), (1, 1));
        let sent = [
            b"RFB 003.008\n\x13\x00\x02\0\0\x01\x05",
            &ANSWER.0[..],
            &[1],
        ]
        .concat();
        assert_eq!(went.sent, sent, "X509Vnc, inside TLS");
    }
}

#[test]
fn the_hosts_result_decides_and_none_asks_nobody() {
    let words: &[u8] = b"\0\0\0\x05wrong";
    let wrong = [
        b"RFB 003.008\n\x01\x02",
        &CHALLENGE[..],
        &[0, 0, 0, 1],
        words,
    ]
    .concat();
    let went = feed(&wrong, 5);
    let said = PeerText::clean(b"wrong");
    assert_eq!(went.end, Err(HostError::AuthFailed(said)));

    let none = [&b"RFB 003.008\n\x01\x01\0\0\0\0"[..], &server_init()].concat();
    let went = feed(&none, 5);
    assert_eq!((went.end, went.asked.len()), (Ok(qemu()), 0));
}

#[test]
fn where_nobody_can_be_asked_the_credentials_are_missing() {
    let host = [b"RFB 003.008\n\x01\x02", &CHALLENGE[..]].concat();
    let (mut machine, mut reader) = (machine(), Reader::new(&host));
    let end = loop {
        match machine.step(&mut reader, &mut Vec::new()) {
            Ok(Step::Again) => {}
            end => break end,
        }
    };
    assert_eq!(end.unwrap_err(), HostError::CredentialsMissing);
    // What needs a user cannot be relayed.
    let plain = feed(b"RFB 003.008\n\x01\x13\x00\x02\x00\x01\0\0\x01\x06", 99);
    assert_eq!(plain.end.unwrap_err(), HostError::CredentialsMissing);
}
