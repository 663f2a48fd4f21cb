//! A conversation that may change its transport, fed whole and in pieces.

use super::*;

/// What the machine sent, how often its transport changed, and how it ended.
pub(super) type Talk = (Vec<u8>, usize, Result<ServerInit, HostError>);

/// Somebody with everything that a host may ask for.
pub(super) fn user() -> Login {
    Login {
        username: Some("operator".to_owned()),
        password: Some(Secret::new("s3cret12")),
        xvp_target: Some("web-01".to_owned()),
        ..Login::default()
    }
}

/// Whoever may show the password.
pub(super) fn clear_text() -> Policy {
    Policy {
        clear_text: true,
        ..Policy::default()
    }
}

/// Feeds a stream and then closes; what comes behind a change of the transport is taken as said
/// inside. The same must come of it whole, byte by byte, and in pieces of seven.
pub(super) fn feed(login: Login, policy: Policy, host: &[u8]) -> Talk {
    let params = with_login(login, policy);
    let whole = in_pieces(params.clone(), host, usize::MAX);
    for size in [1, 7] {
        assert_eq!(in_pieces(params.clone(), host, size), whole, "by {size}");
    }
    whole
}

fn in_pieces(params: HostParams, host: &[u8], size: usize) -> Talk {
    let mut machine = HostHandshake::new(params);
    let (mut sent, mut swaps) = (Vec::new(), 0);
    let (mut unread, mut pieces) = (Vec::new(), host.chunks(size.min(host.len().max(1))));
    loop {
        let mut reader = Reader::new(&unread);
        let step = machine.step(&mut reader, &mut sent);
        let read = unread.len() - reader.rest().len();
        unread.drain(..read);
        match step {
            Ok(Step::Again) => {}
            Ok(Step::Swap(_)) => swaps += 1,
            Ok(Step::NeedMore) => match pieces.next() {
                Some(piece) => unread.extend_from_slice(piece),
                None => {
                    let error = machine.interrupted(Interruption::Closed, &unread);
                    return (sent, swaps, Err(error));
                }
            },
            Ok(Step::Done(init)) => return (sent, swaps, Ok(init)),
            Err(error) => return (sent, swaps, Err(error)),
        }
    }
}
