//! The extended clipboard on its way to a viewer ([rfbproto]).
//!
//! [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#extended-clipboard-pseudo-encoding

use flate2::{Decompress, FlushDecompress, Status};

use super::Fate;
use crate::rfb::extended_clipboard::{Flags, longest_body};
use crate::rfb::permissions::Clipboard;

/// What happens to a message with these flags and so many bytes behind them, of which `there` are
/// there.
///
/// noVNC 1.7.0 reads some forms wrongly or not to their end: several actions in one, flags with more
/// behind them, text that is none. No server needs them, and they are dropped.
pub(super) fn verdict(permitted: Clipboard, flags: Flags, len: u32, there: &[u8]) -> Fate {
    let (to, from) = (permitted.to_machine > 0, permitted.from_machine > 0);
    let passes = match flags.actions() {
        // A size for each format.
        _ if flags.is_caps() => (to || from) && len == flags.formats().count_ones() * 4,
        Flags::REQUEST | Flags::PEEK => to && len == 0,
        Flags::NOTIFY => from && len == 0,
        Flags::PROVIDE if flags.formats() == Flags::TEXT && from => {
            let most = permitted.from_machine;
            if most == Clipboard::UNBOUNDED {
                return Fate::Pass;
            }
            if len > longest_body(most) {
                return Fate::Drop;
            }
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let Some(body) = there.get(..len) else {
                return Fate::Gather(Vec::new());
            };
            fits(body, most)
        }
        _ => false,
    };
    if passes { Fate::Pass } else { Fate::Drop }
}

/// Whether `body` inflates to a text of at most `most` bytes and the NUL behind it. It stops where
/// that is exceeded, and keeps nothing of what it inflates.
pub(super) fn fits(body: &[u8], most: u32) -> bool {
    text_len(body, u64::from(most) + 1).is_some()
}

/// The length that a text announces, if it is at most `most` and the text is there.
fn text_len(mut body: &[u8], most: u64) -> Option<u64> {
    /// The text's length stands before it.
    const LEN: usize = 4;
    let mut inflate = Decompress::new(true);
    let mut scratch = [0; 4096];
    // The length first, alone, and then as much text as it says.
    let mut announced = None;
    loop {
        let read = inflate.total_in();
        let written = inflate.total_out();
        let space = match announced {
            None => scratch.get_mut(usize::try_from(written).ok()?..LEN)?,
            Some(_) => &mut scratch[..],
        };
        let status = inflate
            .decompress(body, space, FlushDecompress::None)
            .ok()?;
        body = body.get(usize::try_from(inflate.total_in() - read).ok()?..)?;
        let total = inflate.total_out();
        if announced.is_none() && total == LEN as u64 {
            let len = u64::from(u32::from_be_bytes(*scratch.first_chunk()?));
            announced = Some(len).filter(|len| *len <= most);
            announced?;
        }
        let whole = announced.filter(|len| total >= LEN as u64 + len);
        // Servers flush the stream and need not end it.
        let stuck = inflate.total_in() == read && total == written;
        if whole.is_some() || status == Status::StreamEnd || stuck {
            return whole;
        }
    }
}
