//! What a request says of the trace that it belongs to.

use data_encoding::HEXLOWER;

use super::SpanId;

/// A span of somebody else's ([W3C Trace Context, 3.2](https://www.w3.org/TR/trace-context/#traceparent-header)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The id of its trace.
    pub trace: [u8; 16],
    /// Its own id.
    pub span: SpanId,
}

impl Context {
    /// Reads a `traceparent`, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. Of
    /// versions to come what is known is read; what is none says nothing.
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let [version] = hex(parts.next()?)?;
        let trace: [u8; 16] = hex(parts.next()?)?;
        let span: [u8; 8] = hex(parts.next()?)?;
        let [_flags] = hex(parts.next()?)?;
        let known = match version {
            0 => parts.next().is_none(),
            255 => false,
            _ => true,
        };
        (known && trace != [0; 16] && span != [0; 8]).then(|| Self {
            trace,
            span: span.into(),
        })
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (text.len() == 2 * N).then_some(())?;
    HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}
