//! What the steps of a console become, without a gateway around them.

use fanlight::id::{ConsoleId, SessionId};
use fanlight::reason::Reason;
use fanlight::rfb::security::SecurityType;
use fanlight::traces::{Context, Opening, Span, SpanId, Step, Traces};

fn console() -> ConsoleId {
    ConsoleId::from_random([7; 16])
}

fn session() -> SessionId {
    SessionId::from_random([8; 16])
}

/// The spans of an arrival of which `story` tells.
fn spans(story: impl FnOnce(&Opening)) -> Vec<Span> {
    let (traces, mut waiting) = Traces::queue(10);
    story(&traces.arrival(session()));
    std::iter::from_fn(|| waiting.try_recv().ok()).collect()
}

#[test]
fn the_first_frame_begins_where_the_connect_ended() {
    let [connect, frame] = &spans(|opening| {
        opening.opens(console());
        opening.connected(Some(SecurityType::VNC_AUTHENTICATION));
        opening.framed();
        opening.framed();
        opening.ended(Reason::HostClosed, None);
    })[..] else {
        panic!("two spans");
    };
    assert_eq!(
        (connect.step, frame.step),
        (Step::Connect, Step::FirstFrame)
    );
    assert_eq!(connect.parent, Some(SpanId::of_mint(console())));
    assert_eq!(frame.parent, Some(connect.id));
    assert!(connect.start <= connect.end && connect.end == frame.start);
    assert!(frame.start <= frame.end);
    for span in [connect, frame] {
        assert_eq!(span.session, Some((session(), false)));
        assert_eq!(span.security, Some(SecurityType::VNC_AUTHENTICATION));
        assert_eq!(span.failed, None);
    }
}

#[test]
fn an_end_fails_what_is_under_way() {
    let [refused] = &spans(|opening| {
        opening.resumes(SessionId::from_random([9; 16]));
        opening.opens(console());
        opening.ended(
            Reason::HostAuthFailed,
            Some(SecurityType::VNC_AUTHENTICATION),
        );
    })[..] else {
        panic!("one span");
    };
    assert_eq!(refused.step, Step::Connect);
    assert_eq!(refused.failed, Some(Reason::HostAuthFailed));
    assert_eq!(refused.security, Some(SecurityType::VNC_AUTHENTICATION));
    assert_eq!(
        refused.session,
        Some((SessionId::from_random([9; 16]), true))
    );

    let [connect, frame] = &spans(|opening| {
        opening.opens(console());
        opening.connected(None);
        opening.ended(Reason::HostClosed, None);
    })[..] else {
        panic!("two spans");
    };
    assert_eq!(
        (connect.failed, frame.failed),
        (None, Some(Reason::HostClosed))
    );
}

#[test]
fn who_opens_no_console_is_in_no_trace() {
    let none = spans(|opening| opening.ended(Reason::TokenInvalid, None));
    assert_eq!(none, []);
}

#[test]
fn what_does_not_fit_is_counted() {
    let (traces, waiting) = Traces::queue(2);
    for _ in 0..5 {
        traces.request().minted(console(), None);
    }
    assert_eq!((traces.waiting(), traces.lost()), (2, 3));
    drop(waiting);
    traces.request().minted(console(), None);
    assert_eq!(traces.lost(), 4);
}

#[test]
fn pages_leave_half_of_the_queue_to_the_other_steps() {
    let (traces, mut waiting) = Traces::queue(4);
    for _ in 0..5 {
        traces.request().page(console());
    }
    assert_eq!((traces.waiting(), traces.lost()), (2, 3));
    traces.request().minted(console(), None);
    let opening = traces.arrival(session());
    opening.opens(console());
    opening.connected(None);
    assert_eq!((traces.waiting(), traces.lost()), (4, 3));
    let taken = std::iter::from_fn(|| waiting.try_recv().ok());
    let steps: Vec<_> = taken.map(|it| it.step).collect();
    assert_eq!(steps, [Step::Page, Step::Page, Step::Mint, Step::Connect]);
    traces.request().page(console());
    assert_eq!((traces.waiting(), traces.lost()), (1, 3));
}

#[test]
fn the_first_span_is_known_to_whoever_knows_the_console_and_never_zero() {
    let mut bytes = [7; 16];
    bytes[8..].fill(9);
    let id = SpanId::of_mint(ConsoleId::from_random(bytes));
    assert_eq!(id.as_bytes(), &[7; 8]);
    bytes[..8].fill(0);
    let id = SpanId::of_mint(ConsoleId::from_random(bytes));
    assert_eq!(id.as_bytes(), &[0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn a_callers_span_is_read_as_the_header_has_it() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let context = Context::parse(good).unwrap();
    assert_eq!(context.trace[..2], [0x0a, 0xf7]);
    assert_eq!(context.span.as_bytes()[..2], [0xb7, 0xad]);
    let later = format!("01{}-and-more", &good[2..]);
    assert_eq!(Context::parse(&later), Some(context));
    for bad in [
        String::new(),
        good[..54].to_owned(),
        good.to_uppercase(),
        format!("ff{}", &good[2..]),
        format!("{good}-more"),
        good.replace("-01", ""),
        good.replace("b7ad6b7169203331", "0000000000000000"),
        good.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
        good.replace('-', ""),
        good.replace("0af7", "0a\u{e9}"),
    ] {
        assert_eq!(Context::parse(&bad), None, "{bad}");
    }
}
