//! What of a viewer's stream passes to its host, in a form that does not depend on how it was cut.

use fanlight::rfb::client_message::{Kind, Misuse, Part, Splitter};
use fanlight::rfb::gate::{Gate, ROOM};
use fanlight::rfb::held_keys::MAX_HELD;
use fanlight::rfb::permissions::Permissions;

/// A stream from its beginning to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// What the host gets.
    got: Vec<u8>,
    /// How it was broken, if it was.
    misuse: Option<Misuse>,
    /// Whether somebody is there.
    active: bool,
    /// How much of a message the host waits for.
    owed: u32,
    /// What releases everything.
    releases: Vec<u8>,
}

/// Lets `stream` pass in chunks of the given sizes, none of them zero.
pub(crate) fn passage(
    permissions: Permissions,
    stream: &[u8],
    sizes: &mut dyn Iterator<Item = usize>,
) -> Passage {
    let mut gate = Gate::new(permissions);
    let (mut got, mut misuse, mut coming) = (Vec::new(), None, stream);
    while !coming.is_empty() && misuse.is_none() {
        let size = sizes.next().unwrap_or(usize::MAX).min(coming.len());
        let (chunk, later) = coming.split_at(size);
        coming = later;
        let mut buffer = [&[0; ROOM], chunk].concat();
        let (range, outcome) = gate.pass(&mut buffer, size, &mut got, None);
        got.extend_from_slice(&buffer[range]);
        misuse = outcome.err();
    }
    let (active, owed) = (gate.take_activity(), gate.owed());
    let mut releases = Vec::new();
    gate.release(&mut releases);
    assert!(releases.len() <= MAX_HELD * 12 + 6);
    Passage {
        got,
        misuse,
        active,
        owed,
        releases,
    }
}

/// The host understands everything that it gets, and may get it.
pub(crate) fn nothing_forbidden(passage: &Passage, permissions: Permissions) {
    let permissions = permissions.effective();
    let (mut splitter, mut rest) = (Splitter::default(), &passage.got[..]);
    loop {
        let len = match splitter.next(rest) {
            Err(misuse) => panic!("the host would be sent {misuse}"),
            Ok(Part::NotWhole) => break,
            Ok(Part::Body(len)) => len,
            Ok(Part::Head(head)) => {
                let looks_on = matches!(
                    head.kind,
                    Kind::SetPixelFormat
                        | Kind::SetEncodings
                        | Kind::FramebufferUpdateRequest
                        | Kind::EnableContinuousUpdates
                        | Kind::Fence
                        | Kind::QemuAudio
                );
                assert!(looks_on || !permissions.view_only, "{:?}", head.kind);
                assert!(permissions.power || head.kind != Kind::Xvp);
                assert!(permissions.resize || head.kind != Kind::SetDesktopSize);
                if head.kind == Kind::CutText {
                    assert!(head.body <= permissions.clipboard.to_machine);
                }
                head.len
            }
        };
        rest = &rest[len..];
    }
    assert!(rest.is_empty(), "half a head");
    assert_eq!(splitter.body_left(), passage.owed);
}
