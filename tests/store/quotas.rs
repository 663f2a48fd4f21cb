//! How many sessions there may be.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use fanlight::store::{Claim, Denied, Entry, Leaving, Quotas, Store};
use fanlight::token::Sharing;

use crate::common::wait::until;
use crate::sample::{DEADLINE, LONG, at, claim, entry, labels, live, open};

fn quota(in_all: Option<usize>, per_client: Option<usize>, per_label: &[(&str, usize)]) -> Quotas {
    let per_label = per_label
        .iter()
        .map(|(key, most)| ((*key).to_owned(), *most));
    Quotas {
        in_all,
        per_client,
        per_label: per_label.collect(),
    }
}

async fn come(store: &dyn Store, entry: &Entry, quotas: &Quotas) -> Result<usize, Denied> {
    let claim = Claim {
        quotas: quotas.clone(),
        ..claim(entry)
    };
    store.admit(&claim).await.unwrap().map(|out| out.len())
}

fn from(client: [u8; 4], tenant: &str) -> Entry {
    Entry {
        client: IpAddr::from(client),
        labels: labels(&[("tenant", tenant), ("user", "u")]).into(),
        ..entry()
    }
}

pub(crate) async fn there_are_as_many_sessions_as_there_may_be(store: Arc<dyn Store>) {
    let store = &*store;
    let (here, there) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let first = from(here, "a");
    let all = quota(Some(4), Some(3), &[("tenant", 2), ("absent", 1)]);
    for entry in [&first, &from(here, "a")] {
        assert_eq!(come(store, entry, &all).await, Ok(0));
    }
    let full = |of: &str| Err(Denied::Quota(of.to_owned()));
    let third = from(there, "a");
    assert_eq!(come(store, &third, &all).await, full("for one tenant"));
    assert_eq!(come(store, &from(here, "b"), &all).await, Ok(0));
    let fourth = from(here, "b");
    assert_eq!(come(store, &fourth, &all).await, full("from one address"));
    assert_eq!(come(store, &from(there, "b"), &all).await, Ok(0));
    let fifth = from([192, 0, 2, 3], "c");
    assert_eq!(come(store, &fifth, &all).await, full("in all"));

    // A seat that is given up is free, for the same token too.
    store.leave(&first, Leaving::Unserved).await.unwrap();
    assert_eq!(come(store, &third, &all).await, Ok(0));
    assert_eq!(come(store, &fifth, &all).await, full("in all"));
}

pub(crate) async fn those_that_are_put_out_make_room(store: Arc<dyn Store>) {
    let store = &*store;
    let one = quota(Some(1), Some(1), &[("tenant", 1)]);
    let tenant = labels(&[("tenant", "a")]);
    let take_over = || Entry {
        labels: tenant.clone().into(),
        ..at("desk", Sharing::TakeOver)
    };
    assert_eq!(come(store, &take_over(), &one).await, Ok(0));
    assert_eq!(come(store, &take_over(), &one).await, Ok(1));
    // Somebody elsewhere is not in the way, and keeps the seat.
    let elsewhere = Entry {
        machine: "elsewhere".into(),
        ..take_over()
    };
    let refused = come(store, &elsewhere, &one).await;
    assert!(matches!(refused, Err(Denied::Quota(_))), "{refused:?}");
    assert_eq!(come(store, &take_over(), &one).await, Ok(1));
}

pub(crate) async fn those_that_are_lost_keep_their_seat_until_their_grace_is_over(
    store: Arc<dyn Store>,
) {
    let store = &*store;
    let one = quota(Some(1), None, &[]);
    let kept = open(store, &entry(), 1, LONG).await;
    store.leave(&kept, Leaving::Lost).await.unwrap();
    let refused = come(store, &entry(), &one).await;
    assert!(matches!(refused, Err(Denied::Quota(_))), "{refused:?}");
    store.leave(&kept, Leaving::Over).await.unwrap();

    let short = open(store, &entry(), 1, Duration::from_millis(50)).await;
    store.leave(&short, Leaving::Lost).await.unwrap();
    let comes = entry();
    until("the seat is free", DEADLINE, async || {
        let answer = come(store, &comes, &one).await;
        answer.map_err(|denied| denied.to_string())
    })
    .await;
}

pub(crate) async fn a_browser_that_moves_takes_its_seat_along(store: Arc<dyn Store>) {
    let store = &*store;
    let one = quota(None, Some(1), &[]);
    let (here, there) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let first = from(here, "a");
    assert_eq!(come(store, &first, &one).await, Ok(0));
    let moved = Entry {
        client: there.into(),
        ..live(&first)
    };
    store.connected(&moved, None).await.unwrap();
    let refused = come(store, &from(there, "a"), &one).await;
    assert!(matches!(refused, Err(Denied::Quota(_))), "{refused:?}");
    assert_eq!(come(store, &from(here, "a"), &one).await, Ok(0));
    store.leave(&moved, Leaving::Over).await.unwrap();
    assert_eq!(come(store, &from(there, "a"), &one).await, Ok(0));
}
