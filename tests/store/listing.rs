//! What there is.

use std::sync::Arc;

use fanlight::id::SessionId;
use fanlight::store::{Entry, Filter, Page, Store};

use crate::sample::{LONG, entry, labels, open};

async fn list(
    store: &dyn Store,
    filter: &Filter,
    after: Option<SessionId>,
    limit: usize,
) -> (Vec<SessionId>, Option<SessionId>) {
    let Page { entries, next } = store.sessions(filter, after, limit).await.unwrap();
    (entries.iter().map(|entry| entry.id).collect(), next)
}

async fn labelled(store: &dyn Store, pairs: &[(&str, &str)]) -> Entry {
    let entry = Entry {
        labels: labels(pairs).into(),
        ..entry()
    };
    open(store, &entry, 1, LONG).await
}

pub(crate) async fn pages_follow_each_other_in_order(store: Arc<dyn Store>) {
    let store = &*store;
    let all = Filter::default();
    assert_eq!(list(store, &all, None, 10).await, (Vec::new(), None));
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(open(store, &entry(), 1, LONG).await.id);
    }
    ids.sort();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let (page, next) = list(store, &all, after, 7).await;
        assert!((1..=7).contains(&page.len()));
        seen.extend(page);
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    assert_eq!(list(store, &all, None, 30).await, (ids.clone(), None));
    let (page, next) = list(store, &all, None, 29).await;
    assert_eq!((page.len(), next), (29, Some(ids[28])));
    assert_eq!(list(store, &all, Some(ids[29]), 5).await, (vec![], None));
}

pub(crate) async fn a_filter_takes_what_fits_it_whole(store: Arc<dyn Store>) {
    let store = &*store;
    let web = labelled(store, &[("tenant", "a"), ("vm", "web")]).await;
    let mail = labelled(store, &[("tenant", "a"), ("vm", "mail")]).await;
    let other = labelled(store, &[("tenant", "b"), ("vm", "web")]).await;
    labelled(store, &[]).await;
    let filter = |pairs: &[(&str, &str)]| Filter {
        labels: labels(pairs),
        console: None,
    };
    let sorted = |entries: &[&Entry]| {
        let mut ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        ids.sort();
        (ids, None)
    };
    for (pairs, fits) in [
        (&[("tenant", "a")][..], sorted(&[&web, &mail])),
        (&[("vm", "web")], sorted(&[&web, &other])),
        (&[("tenant", "b"), ("vm", "web")], sorted(&[&other])),
        (&[("tenant", "b"), ("vm", "mail")], sorted(&[])),
        (&[("tenant", "a=b")], sorted(&[])),
        (&[("nothing", "a")], sorted(&[])),
    ] {
        assert_eq!(
            list(store, &filter(pairs), None, 10).await,
            fits,
            "{pairs:?}"
        );
    }
    let (page, next) = list(store, &filter(&[("tenant", "a")]), None, 1).await;
    assert_eq!(next.as_ref(), page.first());
    let (rest, end) = list(store, &filter(&[("tenant", "a")]), next, 1).await;
    assert_eq!(([page, rest].concat(), end), sorted(&[&web, &mail]));

    let console = |entry: &Entry, pairs| Filter {
        labels: labels(pairs),
        console: Some(entry.console),
    };
    let found = list(store, &console(&web, &[]), None, 10).await;
    assert_eq!(found, sorted(&[&web]));
    let found = list(store, &console(&web, &[("vm", "mail")]), None, 10).await;
    assert_eq!(found, sorted(&[]));
}

pub(crate) async fn one_session_is_found_by_its_id(store: Arc<dyn Store>) {
    let entry = labelled(&*store, &[("vm", "web")]).await;
    let found = store.session(entry.id).await.unwrap();
    assert_eq!(found, Some(entry));
    let unknown = SessionId::from_random([0; 16]);
    assert_eq!(store.session(unknown).await.unwrap(), None);
}
