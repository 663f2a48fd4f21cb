//! What we write of spans, as OpenTelemetry reads it.

use fanlight::id::{ConsoleId, SessionId};
use fanlight::otlp::message;
use fanlight::reason::Reason;
use fanlight::rfb::security::SecurityType;
use fanlight::traces::{Context, Span, SpanId, Step};
use serde_json::json;

use crate::collector::spans_of;

/// A span of each step and each reason, with numbers and lengths of all sizes.
fn all() -> Vec<Span> {
    let reasons = Reason::ALL.into_iter().map(Some).chain([None]);
    let each = reasons.enumerate().flat_map(|(index, failed)| {
        let steps = [Step::Mint, Step::Page, Step::Connect, Step::FirstFrame];
        steps.into_iter().enumerate().map(move |(at, step)| {
            let console = ConsoleId::from_random([index as u8 + 1; 16]);
            let start = u64::MAX >> (index * 4 + at).min(63);
            let session = SessionId::from_random([at as u8; 16]);
            Span {
                link: (index % 2 == 0).then_some(Context {
                    trace: [index as u8; 16],
                    span: SpanId::random(),
                }),
                parent: (step != Step::Mint).then(SpanId::random),
                session: (at >= 2).then_some((session, at == 3)),
                security: (at >= 2).then_some(SecurityType(index as u32)),
                failed,
                ..Span::new(console, step, start, start / 2)
            }
        })
    });
    each.collect()
}

#[test]
fn every_span_is_read_as_it_was_written() {
    let spans = all();
    let gateway = "g\u{e4}te ".repeat(100);
    let read = spans_of(&[message::request(&gateway, &spans)]);
    assert_eq!(read.len(), spans.len());
    for (span, read) in spans.iter().zip(&read) {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let mut attributes = json!({});
        if let Some((session, resumed)) = span.session {
            attributes["fanlight.session"] = session.to_string().into();
            attributes["fanlight.resumed"] = resumed.into();
        }
        if let Some(security) = span.security {
            attributes["fanlight.host_security"] = security.to_string().into();
        }
        let links = span.link.iter();
        let links: Vec<_> = links
            .map(|it| json!([hex(&it.trace), hex(it.span.as_bytes())]))
            .collect();
        let mut status = json!({});
        if let Some(reason) = span.failed {
            attributes["error.type"] = reason.code().into();
            status = json!({ "code": "STATUS_CODE_ERROR", "message": reason.words() });
        }
        let expected = json!({
            "trace": hex(span.console.as_bytes()),
            "id": hex(span.id.as_bytes()),
            "parent": span.parent.map_or(String::new(), |it| hex(it.as_bytes())),
            "name": span.step.as_str(),
            "kind": if span.step == Step::FirstFrame { "SPAN_KIND_INTERNAL" } else { "SPAN_KIND_SERVER" },
            "start": span.start,
            "end": span.end,
            "attributes": attributes,
            "links": links,
            "status": status,
            "resource": {
                "service.name": "fanlight",
                "service.version": env!("CARGO_PKG_VERSION"),
                "service.instance.id": gateway,
            },
        });
        assert_eq!(*read, expected);
    }
}
