//! What each fuzz target does with its input.
//!
//! The targets in `fuzz_targets/` call these under libFuzzer; `tests/fuzz_corpus.rs` calls them on
//! stable with every file of the corpus of the same name.

mod conversation;
mod host_gate;
mod passage;
mod transcript;
mod walk;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use aws_lc_rs::rsa::PrivateDecryptingKey;
use conversation::{Conversation, conversation};
use fanlight::client_addr::ClientAddr;
use fanlight::clock::UnixTime;
use fanlight::http1::head::{HeadReader, MAX_HEAD};
use fanlight::id::KeyId;
use fanlight::proxy::protocol;
use fanlight::proxy::{ForwardedHeader, TrustedProxies};
use fanlight::rfb::auth::ra2::ClientKey;
use fanlight::rfb::auth::vnc::Response;
use fanlight::rfb::browser::Greeting;
use fanlight::rfb::host::{HostError, HostHandshake, HostParams, HostSwap};
use fanlight::rfb::host_gate::ROOM;
use fanlight::rfb::init::ServerInit;
use fanlight::rfb::login::Login;
use fanlight::rfb::permissions::{Clipboard, Permissions};
use fanlight::rfb::policy::Policy;
use fanlight::rfb::{Handshake, Interruption, Stage, Step};
use fanlight::secret::Secret;
use fanlight::token::grant::BadGrant;
use fanlight::token::keyring::KEY_LEN;
use fanlight::token::{self, Grant, Key, KeyRing};
use fanlight::wire::Reader;
use fanlight::ws::Decoder;
use host_gate::passed;
use passage::{Passage, nothing_forbidden, passage};
use transcript::{bytewise, chunked, transcript, transcript_of, whole};
use walk::{init, walked};

/// The handshake with a browser, up to where the host's outcome matters: the same however the
/// browser's bytes are cut. The first byte of the input cuts, the rest is what the browser sends.
pub fn browser_greeting(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    same_at_any_cut(*seed, |sizes| {
        conversation(Greeting::default(), stream, sizes, |error| {
            format!("{error:?}")
        })
    });
}

/// What proxies say of a client: a header of the PROXY protocol, the same wherever it is cut, and
/// never asking for more than it has announced; and the input as a line of the headers that name
/// addresses, of which what stands left of the client changes nothing.
pub fn proxy_header(data: &[u8]) {
    let whole = protocol::parse(data);
    for end in 0..data.len().min(protocol::FIXED + protocol::MAX_VARIABLE) {
        match (protocol::parse(&data[..end]), whole) {
            (Ok(protocol::Step::NeedMore(more)), Ok(protocol::Step::Done { length, .. })) => {
                assert!(more > 0 && end + more <= length);
            }
            (Ok(protocol::Step::NeedMore(more)), _) => {
                assert!(more > 0 && end + more <= protocol::FIXED + protocol::MAX_VARIABLE);
            }
            (decided, whole) => assert_eq!(decided, whole),
        }
    }
    let peer = ClientAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), None);
    for header in ForwardedHeader::ALL {
        let proxies = TrustedProxies {
            networks: vec!["127.0.0.0/8".parse().unwrap()],
            header,
        };
        let behind = match header {
            ForwardedHeader::XForwardedFor => "203.0.113.5, 127.0.0.2",
            ForwardedHeader::Forwarded => "for=203.0.113.5;by=127.0.0.1, for=127.0.0.2",
        };
        let expected = ClientAddr::new("203.0.113.5".parse().unwrap(), None);
        let appended = [data, b",", behind.as_bytes()].concat();
        assert_eq!(proxies.client(peer, &[&appended]), Ok(expected));
        assert_eq!(
            proxies.client(peer, &[data, behind.as_bytes()]),
            Ok(expected)
        );
        // A line before it changes who the client is only where this one ends among proxies.
        let client = proxies.client(peer, &[data]);
        if client.is_ok_and(|client| !proxies.has(client)) {
            assert_eq!(proxies.client(peer, &[b"192.0.2.1", data]), client);
        }
    }
}

/// The handshake with a host: the same however its bytes are cut, and it keeps no more of them
/// than a message may have. The first byte of the input cuts, and its three lowest bits say
/// whether there is a password, a user, and a viewer to ask; the rest is what the host sends.
///
/// All randomness is one byte and our RSA key never changes, so that the corpus can hold streams of
/// RA2.
pub fn rfb_host(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    same_at_any_cut(*seed, |sizes| {
        let login = Login {
            username: (seed & 2 == 2).then(|| "operator".to_owned()),
            repeater_id: Some("ID:1234".to_owned()),
            xvp_target: (seed & 2 == 2).then(|| "web-01".to_owned()),
            password: (seed & 1 == 1).then(|| Secret::new("s3cret12")),
            relay: seed & 5 == 4,
        };
        let policy = Policy {
            clear_text: true,
            ..Policy::default()
        };
        let params = HostParams {
            login,
            policy,
            entropy: |bytes| bytes.fill(0x5a),
            ra2_key: OUR_KEY.clone(),
            ra2_pin: None,
        };
        conversation(
            Answering(HostHandshake::new(params)),
            stream,
            sizes,
            |error| match error {
                // It shows as much as was there when it could be told.
                HostError::NotRfb(_) => "not RFB".to_owned(),
                other => format!("{other:?}"),
            },
        )
    });
}

/// Our RSA key, always the same: streams of the corpus are encrypted to it.
static OUR_KEY: LazyLock<Option<Arc<ClientKey>>> = LazyLock::new(|| {
    let private = PrivateDecryptingKey::from_pkcs8(include_bytes!("ra2_key.der")).ok()?;
    ClientKey::new(private).ok().map(Arc::new)
});

/// A handshake whose viewer answers at once.
struct Answering(HostHandshake);

impl Handshake for Answering {
    type Done = ServerInit;
    type Error = HostError;
    type Swap = HostSwap;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<ServerInit, HostSwap>, HostError> {
        if self.0.challenge().is_some() {
            self.0.respond(Response([7; 16]));
        }
        self.0.step(input, out)
    }

    fn stage(&self) -> Stage {
        self.0.stage()
    }

    fn interrupted(&self, by: Interruption, unread: &[u8]) -> HostError {
        self.0.interrupted(by, unread)
    }
}

fn same_at_any_cut(seed: u8, run: impl Fn(&mut dyn Iterator<Item = usize>) -> Conversation) {
    let expected = run(&mut whole());
    assert_eq!(run(&mut bytewise()), expected);
    assert_eq!(run(&mut chunked(seed)), expected);
}

/// Tokens: no text makes opening panic, and a grant that can be read says the same when it is
/// written and read again. The input is taken for both, a token and a grant.
pub fn token(data: &[u8]) {
    let id = KeyId::from_random([0x9f, 0x3a, 0x12, 0xbc]);
    let ring = KeyRing::new(Key::new(id, UnixTime::from_secs(0), [0x42; KEY_LEN]));
    if let Ok(text) = std::str::from_utf8(data) {
        let opened = token::read(text, &ring);
        // Whoever can make one that opens has the key: the corpus holds some that do.
        if let Ok(grant) = opened {
            same_when_written(&grant);
        }
    }
    if let Ok(grant) = Grant::decode(data) {
        same_when_written(&grant);
    }
}

/// All that [`fmt::Debug`](std::fmt::Debug) does not show.
fn secrets(grant: &Grant) -> Vec<Vec<u8>> {
    let credentials = &grant.credentials;
    let headers = credentials.headers.iter().map(|header| header.value());
    let single = [&credentials.login.password, &credentials.cookie];
    headers
        .chain(single.into_iter().flatten())
        .map(|secret| secret.expose().to_vec())
        .collect()
}

fn same_when_written(grant: &Grant) {
    let written = match grant.encode() {
        Ok(written) => written,
        // Longer than any token can be.
        Err(BadGrant::TooLong) => return,
        Err(error) => panic!("what was read cannot be written: {error}"),
    };
    let Ok(again) = Grant::decode(&written) else {
        panic!("what was written cannot be read");
    };
    assert_eq!(format!("{again:?}"), format!("{grant:?}"));
    assert_eq!(secrets(&again), secrets(grant));
}

/// The WebSocket decoder: it never panics, takes in whatever it is given, and says the same
/// however the stream is cut. The first byte of the input cuts, the rest is the stream.
pub fn websocket(data: &[u8]) {
    /// Small, so that an input of the fuzzer's usual size can exceed it.
    const MAX_FRAME: u64 = 300;

    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let expected = transcript(stream, whole(), MAX_FRAME);
    assert_eq!(transcript(stream, bytewise(), MAX_FRAME), expected);
    assert_eq!(transcript(stream, chunked(*seed), MAX_FRAME), expected);

    let server =
        |sizes: &mut dyn Iterator<Item = usize>| transcript_of(Decoder::of_server(), stream, sizes);
    let expected = server(&mut whole());
    assert_eq!(server(&mut bytewise()), expected);
    assert_eq!(server(&mut chunked(*seed)), expected);
}

/// The answer to a CONNECT or to the opening of a WebSocket: the same head, or the same complaint,
/// however it is cut, and the same bytes left behind it. The first byte of the input cuts, the rest
/// is what the server sends.
pub fn connect_answer(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let read = |sizes: &mut dyn Iterator<Item = usize>| {
        let (mut machine, mut rest) = (HeadReader::default(), stream);
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(usize::MAX).min(rest.len());
            let (chunk, behind) = rest.split_at(size);
            let mut input = Reader::new(chunk);
            let step = machine.step(&mut input);
            rest = behind;
            match step {
                Ok(None) => assert!(input.is_empty(), "the reader takes in all it is given"),
                Ok(Some(head)) => return Ok((head, input.rest().len() + rest.len())),
                Err(error) => return Err(Some(error)),
            }
        }
        Err(None)
    };
    let expected = read(&mut whole());
    assert_eq!(read(&mut bytewise()), expected);
    assert_eq!(read(&mut chunked(*seed)), expected);
    if let Ok((head, left)) = expected {
        assert!(head.status == 101 || (200..600).contains(&head.status));
        assert!(stream.len() - left <= MAX_HEAD);
    }
}

/// The walk along what a host says after ServerInit: the same messages and rectangles however the
/// stream is cut, one after the other the stream itself, and next to nothing kept back. The first
/// byte of the input cuts and, by its two lowest bits, chooses the pixel format.
pub fn server_message(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let init = init(*seed);
    let expected = walked(&init, stream, &mut whole());
    assert_eq!(walked(&init, stream, &mut bytewise()), expected);
    assert_eq!(walked(&init, stream, &mut chunked(*seed)), expected);
}

/// What passes of a host's stream: the same however it is cut, never more than came, and what has
/// passed once passes again as it is; and all of it where nobody has to look. The first byte of the
/// input cuts and chooses, by its lowest bits, the pixel format and whether text may pass.
pub fn host_gate(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let init = init(*seed);
    let from_machine = if seed & 4 == 0 { 100 } else { 0 };
    let pass = |stream: &[u8], sizes: &mut dyn Iterator<Item = usize>| {
        passed(&init, from_machine, stream, sizes)
    };
    let (out, outcome) = pass(stream, &mut whole());
    assert!(out.len() <= stream.len());
    for sizes in [
        &mut bytewise() as &mut dyn Iterator<Item = usize>,
        &mut chunked(*seed),
    ] {
        let cut = pass(stream, sizes);
        assert_eq!(cut.1, outcome);
        // How much goes before a violation shows depends on the cut.
        assert!(cut.0.starts_with(&out) || out.starts_with(&cut.0));
        assert!(outcome.is_err() || cut.0 == out);
    }
    if outcome.is_ok() {
        assert_eq!(pass(&out, &mut whole()), (out, Ok(())));
    }
    // Where nobody has to look, everything is as it came, but for a head that is not whole yet.
    for sizes in [
        &mut whole() as &mut dyn Iterator<Item = usize>,
        &mut bytewise(),
        &mut chunked(*seed),
    ] {
        let (out, outcome) = passed(&init, Clipboard::UNBOUNDED, stream, sizes);
        assert_eq!(outcome, Ok(()));
        assert!(stream.starts_with(&out) && stream.len() - out.len() < ROOM);
    }
}

/// What a viewer sends once it is in: the same passes to the host however it is cut, and nothing
/// of that is forbidden. The first byte of the input cuts, and its lowest bits are permissions; the
/// rest is the stream.
pub fn client_message(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let clipboard = Clipboard {
        to_machine: if seed & 8 == 0 { 300 } else { 0 },
        from_machine: if seed & 16 == 0 { u32::MAX } else { 0 },
    };
    let permissions = Permissions {
        view_only: seed & 1 == 1,
        clipboard,
        resize: seed & 2 == 2,
        power: seed & 4 == 4,
    };
    let run = |sizes: &mut dyn Iterator<Item = usize>| passage(permissions, stream, sizes);
    let expected: Passage = run(&mut whole());
    assert_eq!(run(&mut bytewise()), expected);
    assert_eq!(run(&mut chunked(*seed)), expected);
    nothing_forbidden(&expected, permissions);
}
