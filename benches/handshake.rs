//! What both RFB handshakes cost, without the sockets: everything up to ServerInit.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that meets something unexpected stops and says where"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fanlight::rfb::auth::vnc;
use fanlight::rfb::browser::{Admission, Greeting};
use fanlight::rfb::host::{HostHandshake, HostParams};
use fanlight::rfb::init::ServerInit;
use fanlight::rfb::login::Login;
use fanlight::rfb::policy::Policy;
use fanlight::rfb::{Handshake, Step};
use fanlight::secret::Secret;
use fanlight::wire::Reader;

const VERSION: &[u8; 12] = b"RFB 003.008\n";
const CHALLENGE: [u8; 16] = *b"sixteen octets..";

/// ServerInit of a host: 1920x1080, 32 bits a pixel, with a name.
const SERVER_INIT: &[u8] = b"\x07\x80\x04\x38\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\
      \0\0\0\x0dQEMU (web-01)";

/// Steps through all of `input`, to the end of the handshake.
fn run<M: Handshake>(machine: &mut M, input: &[u8]) -> Option<M::Done> {
    let (mut reader, mut out) = (Reader::new(input), Vec::new());
    loop {
        match machine.step(&mut reader, &mut out) {
            Ok(Step::Done(done)) => return Some(done),
            Ok(Step::Again) => {}
            Ok(Step::NeedMore | Step::Swap(_)) | Err(_) => return None,
        }
    }
}

fn challenge(criterion: &mut Criterion) {
    criterion.bench_function("VNC challenge answered", |bencher| {
        bencher.iter(|| vnc::response(black_box(b"hunter2!"), black_box(&CHALLENGE)));
    });
}

fn host(criterion: &mut Criterion) {
    let said = [
        &VERSION[..],
        &[1, 2],
        &CHALLENGE,
        &[0, 0, 0, 0],
        SERVER_INIT,
    ]
    .concat();
    criterion.bench_function("host handshake", |bencher| {
        bencher.iter(|| {
            let mut machine = HostHandshake::new(HostParams {
                login: Login::with_password(Some(Secret::new("hunter2!"))),
                policy: Policy::default(),
                entropy: |bytes| bytes.fill(7),
                ra2_key: None,
                ra2_pin: None,
            });
            run(&mut machine, black_box(&said)).unwrap()
        });
    });
}

fn browser(criterion: &mut Criterion) {
    let said = [&VERSION[..], &[1]].concat();
    let init = ServerInit::decode(&mut Reader::new(SERVER_INIT)).unwrap();
    criterion.bench_function("browser handshake", |bencher| {
        bencher.iter(|| {
            let greeted = run(&mut Greeting::default(), black_box(&said)).unwrap();
            run(
                &mut Admission::new(greeted, init.clone()),
                black_box(&[1][..]),
            )
            .unwrap();
        });
    });
}

criterion_group!(benches, challenge, host, browser);
criterion_main!(benches);
