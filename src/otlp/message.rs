//! Spans as OTLP sends them: messages of Protocol Buffers, written by hand.
//!
//! The numbers of the fields are those of [opentelemetry-proto], version 1: `collector/trace/v1/trace_service.proto`,
//! `trace/v1/trace.proto`, `resource/v1/resource.proto` and `common/v1/common.proto`. Numbers and lengths
//! are written as [Protocol Buffers' encoding] says.
//!
//! [opentelemetry-proto]: https://github.com/open-telemetry/opentelemetry-proto/tree/v1.5.0/opentelemetry/proto
//! [Protocol Buffers' encoding]: https://protobuf.dev/programming-guides/encoding/

use crate::reason::Reason;
use crate::traces::{Context, Span};

/// The name of the program that traces, as backends list it.
const SERVICE: &str = "fanlight";

/// `Status.StatusCode.STATUS_CODE_ERROR`.
const STATUS_ERROR: u64 = 2;

/// `Span.SpanKind.SPAN_KIND_INTERNAL`.
const KIND_INTERNAL: u64 = 1;

/// `Span.SpanKind.SPAN_KIND_SERVER`.
const KIND_SERVER: u64 = 2;

/// A message in the making.
#[derive(Default)]
struct Message(Vec<u8>);

/// How the value of a field is written.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
}

impl Message {
    fn number(mut self, field: u32, value: u64) -> Self {
        self.tag(field, Wire::Varint);
        self.varint(value);
        self
    }

    fn fixed64(mut self, field: u32, value: u64) -> Self {
        self.tag(field, Wire::Fixed64);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.tag(field, Wire::Length);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u32, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Adds what there is of something that may be missing.
    fn with<T>(self, some: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        match some {
            Some(value) => add(self, value),
            None => self,
        }
    }

    fn tag(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field << 3) | wire as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    /// One `KeyValue`, in the field of a message that has attributes.
    fn attribute(self, field: u32, key: &str, value: &Self) -> Self {
        let attribute = Self::default()
            .text(1, key) // key
            .message(2, value); // value
        self.message(field, &attribute)
    }
}

/// `AnyValue.string_value`.
fn string(text: &str) -> Message {
    Message::default().text(1, text)
}

/// `AnyValue.bool_value`.
fn boolean(value: bool) -> Message {
    Message::default().number(2, u64::from(value))
}

/// An `ExportTraceServiceRequest` with spans of the gateway of this name.
#[must_use]
pub fn request(gateway: &str, spans: &[Span]) -> Vec<u8> {
    let resource = Message::default() // attributes
        .attribute(1, "service.name", &string(SERVICE))
        .attribute(1, "service.version", &string(env!("CARGO_PKG_VERSION")))
        .attribute(1, "service.instance.id", &string(gateway));
    let scope = Message::default().text(1, SERVICE); // name
    let scope_spans = Message::default().message(1, &scope); // scope
    let scope_spans = spans.iter().fold(scope_spans, |scope_spans, it| {
        scope_spans.message(2, &span(it)) // spans
    });
    let resource_spans = Message::default()
        .message(1, &resource) // resource
        .message(2, &scope_spans); // scope_spans
    Message::default().message(1, &resource_spans).0 // resource_spans
}

fn span(span: &Span) -> Message {
    const ATTRIBUTES: u32 = 9;
    let kind = match span.step.is_server() {
        true => KIND_SERVER,
        false => KIND_INTERNAL,
    };
    Message::default()
        .bytes(1, span.console.as_bytes()) // trace_id
        .bytes(2, span.id.as_bytes()) // span_id
        .with(span.parent, |it, parent| it.bytes(4, parent.as_bytes())) // parent_span_id
        .text(5, span.step.as_str()) // name
        .number(6, kind) // kind
        .fixed64(7, span.start) // start_time_unix_nano
        .fixed64(8, span.end) // end_time_unix_nano
        .with(span.session, |it, (session, resumed)| {
            it.attribute(
                ATTRIBUTES,
                "fanlight.session",
                &string(&session.to_string()),
            )
            .attribute(ATTRIBUTES, "fanlight.resumed", &boolean(resumed))
        })
        .with(span.security, |it, chosen| {
            let chosen = string(&chosen.to_string());
            it.attribute(ATTRIBUTES, "fanlight.host_security", &chosen)
        })
        .with(span.link, |it, to| it.message(13, &link(to))) // links
        .with(span.failed, |it, reason| {
            it.attribute(ATTRIBUTES, "error.type", &string(reason.code()))
                .message(15, &status(reason)) // status
        })
}

/// A `Link`.
fn link(to: Context) -> Message {
    Message::default()
        .bytes(1, &to.trace) // trace_id
        .bytes(2, to.span.as_bytes()) // span_id
}

/// The `Status` of a span that came to nothing.
fn status(reason: Reason) -> Message {
    Message::default()
        .text(2, reason.words()) // message
        .number(3, STATUS_ERROR) // code
}
