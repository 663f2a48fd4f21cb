//! What passes of a host's stream.

use fanlight::rfb::encoding::Encoding;
use fanlight::rfb::host_gate::{HostGate, ROOM};
use fanlight::rfb::init::ServerInit;
use fanlight::rfb::permissions::{Clipboard, Permissions};
use fanlight::rfb::server_message::Violation;

/// What passed, and how the host broke the protocol if it did.
pub(crate) type Passed = (Vec<u8>, Result<(), Violation>);

/// What noVNC lists.
const LISTED: [Encoding; 21] = [
    Encoding::COPY_RECT,
    Encoding::H264,
    Encoding::TIGHT,
    Encoding::TIGHT_PNG,
    Encoding::ZRLE,
    Encoding::JPEG,
    Encoding::HEXTILE,
    Encoding::RRE,
    Encoding::ZLIB,
    Encoding::RAW,
    Encoding::QEMU_EXTENDED_KEY_EVENT,
    Encoding::QEMU_LED_STATE,
    Encoding::EXTENDED_DESKTOP_SIZE,
    Encoding::XVP,
    Encoding::FENCE,
    Encoding::CONTINUOUS_UPDATES,
    Encoding::DESKTOP_NAME,
    Encoding::EXTENDED_CLIPBOARD,
    Encoding::EXTENDED_MOUSE_BUTTONS,
    Encoding::VMWARE_CURSOR,
    Encoding::CURSOR,
];

/// Lets a stream pass in chunks of the given sizes, none of them zero.
pub(crate) fn passed(
    init: &ServerInit,
    from_machine: u32,
    stream: &[u8],
    sizes: &mut dyn Iterator<Item = usize>,
) -> Passed {
    let permissions = Permissions {
        clipboard: Clipboard {
            to_machine: 100,
            from_machine,
        },
        power: true,
        ..Permissions::default()
    };
    let mut gate = match HostGate::new(init, permissions) {
        Ok(gate) => gate,
        Err(violation) => return (Vec::new(), Err(violation)),
    };
    LISTED.iter().for_each(|encoding| gate.list(*encoding));
    let (mut rest, mut out) = (stream, Vec::new());
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(rest.len());
        let (chunk, behind) = rest.split_at(size);
        rest = behind;
        let mut buffer = [&[0; ROOM][..], chunk].concat();
        let (range, outcome) = gate.pass(&mut buffer, chunk.len(), &mut out);
        out.extend_from_slice(&buffer[range]);
        if outcome.is_err() {
            return (out, outcome);
        }
    }
    (out, Ok(()))
}
