//! What a token costs: sealing when it is minted, opening when somebody comes with it.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that meets something unexpected stops and says where"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use fanlight::clock::UnixTime;
use fanlight::id::KeyId;
use fanlight::mint::{Minter, Order, Usual};
use fanlight::secret::Secret;
use fanlight::target::{Endpoint, Target, Way};
use fanlight::token::{self, Credentials, Key, KeyRing};

/// Any time will do, since a token is opened when it was made.
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn sealing_and_opening(criterion: &mut Criterion) {
    let key = Key::new(KeyId::from_random([1; KeyId::LEN]), NOW, [2; 32]);
    let ring = KeyRing::new(key);
    let public_url = "https://console.example".to_owned();
    let minter = Minter::new(Arc::new(ring.clone().into()), public_url, Usual::default());
    let endpoint = Endpoint {
        host: "192.0.2.17".parse().unwrap(),
        port: 5901.try_into().unwrap(),
    };
    let target = Target {
        way: Way::Tcp(endpoint),
        profile: None,
    };
    let order = Order::new(
        target,
        Credentials::with_password(Some(Secret::new("hunter2!"))),
    );
    let minted = minter.mint(order.clone(), NOW).unwrap();
    let grant = token::open(minted.token.as_str(), &ring, NOW).unwrap();

    criterion.bench_function("token seal", |bencher| {
        bencher.iter(|| token::seal(black_box(&grant), &ring, [3; 12]).unwrap());
    });
    criterion.bench_function("token open", |bencher| {
        bencher.iter(|| token::open(black_box(minted.token.as_str()), &ring, NOW).unwrap());
    });
    criterion.bench_function("token mint", |bencher| {
        bencher.iter(|| minter.mint(black_box(order.clone()), NOW).unwrap());
    });
}

criterion_group!(benches, sealing_and_opening);
criterion_main!(benches);
