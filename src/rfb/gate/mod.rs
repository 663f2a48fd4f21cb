//! What passes from a viewer to its host.
//!
//! Every byte of the viewer goes through here, in the buffer that it was received into. Heads of
//! messages are looked at whole: the part of one that lies at the end of a buffer is held back, at
//! most [`ROOM`] bytes, and put in front of what comes next. So the host never has half a head,
//! and releases of keys find a place between two messages. Bodies pass as they come and are not
//! touched; where nothing is dropped, nothing is moved.
//!
//! One body is gathered: compressed text for the machine, which is inflated before it passes.
//!
//! Where the other direction is looked at as well, its [`HostGate`] is told what passes here and
//! decides over what the host may say; and it takes what a viewer says about updates that are paced.

mod encodings;
mod held_back;
mod provide;
mod verdict;

use std::ops::Range;

use crate::rfb::chord::Chord;
use crate::rfb::client_message::{Head, Kind, MAX_HEAD, Misuse, Part, Splitter};
use crate::rfb::encoding::Encoding;
use crate::rfb::held_keys::{HeldKeys, Key};
use crate::rfb::host_gate::{Denied, HostGate};
use crate::rfb::init::PixelFormat;
use crate::rfb::permissions::Permissions;
use crate::wire::Reader;
use encodings::Encodings;
use held_back::HeldBack;
use provide::Provide;

/// How many bytes a buffer must have free in front of what was received.
pub const ROOM: usize = MAX_HEAD;

/// The gate of one session.
#[derive(Debug)]
pub struct Gate {
    splitter: Splitter,
    permissions: Permissions,
    /// What happens to the body of the message that began last.
    fate: Fate,
    gathered: Provide,
    held_back: HeldBack,
    held_keys: HeldKeys,
    encodings: Encodings,
    /// Whether the viewer sends keys by their place, which it does when the host asked for it.
    places: bool,
    active: bool,
    denied: Denied,
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    Drop,
    /// It is a list of encodings, of which some may be hidden from the host.
    Hide,
    /// It passes if what it contains may.
    Gather,
    /// It is a fence, and for the one who looks at the other direction.
    Hear,
}

impl Gate {
    /// A gate at the beginning of a viewer's stream, behind ClientInit.
    #[must_use]
    pub fn new(permissions: Permissions) -> Self {
        Self {
            splitter: Splitter::default(),
            permissions: permissions.effective(),
            fate: Fate::Pass,
            gathered: Provide::default(),
            held_back: HeldBack::default(),
            held_keys: HeldKeys::default(),
            encodings: Encodings::default(),
            places: false,
            active: false,
            denied: Denied::default(),
        }
    }

    /// Lets what was received pass: `received` bytes, [`ROOM`] behind the front of `buffer`.
    ///
    /// Returns where in the buffer that lies which goes to the host; what has to go before it is
    /// appended to `ahead`. `host` is told what the host will be.
    ///
    /// # Errors
    /// [`Misuse`] besides, when what follows cannot be understood any more.
    pub fn pass(
        &mut self,
        buffer: &mut [u8],
        received: usize,
        ahead: &mut Vec<u8>,
        mut host: Option<&mut HostGate>,
    ) -> (Range<usize>, Result<(), Misuse>) {
        let end = (ROOM + received).min(buffer.len());
        let start = self.held_back.restore(buffer);
        let (mut at, mut kept) = (start, start);
        let outcome = loop {
            let rest = buffer.get_mut(at..end).unwrap_or_default();
            let part = match self.splitter.next(rest) {
                Ok(part) => part,
                Err(misuse) => break Err(misuse),
            };
            let (len, passes) = match part {
                Part::NotWhole => {
                    self.held_back.keep(rest);
                    break Ok(());
                }
                Part::Head(head) => match self.begin(head, rest, host.as_deref_mut()) {
                    Ok(passes) => (head.len, passes),
                    Err(misuse) => break Err(misuse),
                },
                Part::Body(here) => match self.go_on(rest, here, ahead, host.as_deref_mut()) {
                    Ok(whole) => whole,
                    Err(misuse) => break Err(misuse),
                },
            };
            if passes {
                if kept != at {
                    buffer.copy_within(at..at + len, kept);
                }
                kept += len;
            }
            at += len;
            // A part of an encoding.
            if self.fate == Fate::Hide && self.splitter.body_left() > 0 && at + 4 > end {
                self.held_back.keep(buffer.get(at..end).unwrap_or_default());
                break Ok(());
            }
        };
        (start..kept, outcome)
    }

    /// Judges the message whose head lies at the front of `rest`.
    fn begin(
        &mut self,
        head: Head,
        rest: &[u8],
        host: Option<&mut HostGate>,
    ) -> Result<bool, Misuse> {
        let bytes = rest.get(..head.len).unwrap_or_default();
        self.active |= head.kind.is_activity();
        // Viewers send these where the host has asked for them, permitted or not.
        self.places |= head.kind == Kind::QemuKey;
        // Should it be misuse, the host is owed nothing of it.
        self.fate = Fate::Drop;
        self.fate = self.verdict(head, rest)?;
        if head.kind == Kind::SetEncodings {
            self.encodings.begin();
        }
        match self.fate {
            Fate::Pass => {
                self.note_input(head.kind, bytes)?;
                let gets = host.map_or(Ok(true), |host| tell(host, head.kind, bytes))?;
                if !gets {
                    self.fate = Fate::Hear;
                }
                Ok(gets)
            }
            Fate::Hide => Ok(true),
            Fate::Gather => {
                self.gathered = Provide::new(head);
                self.gathered.add(bytes);
                Ok(false)
            }
            Fate::Hear | Fate::Drop => {
                self.note_denied(head.kind);
                Ok(false)
            }
        }
    }

    /// Goes on with a body, of which `here` bytes lie at the front of `rest`: how many of them were
    /// used, and whether they pass.
    fn go_on(
        &mut self,
        rest: &mut [u8],
        here: usize,
        ahead: &mut Vec<u8>,
        host: Option<&mut HostGate>,
    ) -> Result<(usize, bool), Misuse> {
        match self.fate {
            Fate::Pass => Ok((here, true)),
            Fate::Drop => Ok((here, false)),
            Fate::Hear => {
                if let Some(host) = host {
                    host.go_on_fence(rest.get(..here).unwrap_or_default());
                }
                Ok((here, false))
            }
            Fate::Hide => {
                let cut = here % 4;
                self.splitter.put_back(u32::try_from(cut).unwrap_or(0));
                let whole = rest.get_mut(..here - cut).unwrap_or_default();
                self.encodings.hide(whole, self.permissions, host);
                Ok((here - cut, true))
            }
            Fate::Gather => {
                self.gathered.add(rest.get(..here).unwrap_or_default());
                if self.splitter.body_left() == 0 {
                    let provide = std::mem::take(&mut self.gathered);
                    // It may have been forbidden since the message began.
                    let most = self.permissions.clipboard.to_machine;
                    if most > 0 && provide.fits(most)? {
                        ahead.extend_from_slice(provide.bytes());
                    }
                }
                Ok((here, false))
            }
        }
    }

    /// Keeps the account of what is down at the host.
    fn note_input(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), Misuse> {
        let down = match (kind, bytes) {
            (Kind::KeyEvent, &[_, down, _, _, a, b, c, d]) => {
                let key = Key::Symbol(u32::from_be_bytes([a, b, c, d]));
                self.held_keys.key(key, down != 0)
            }
            (Kind::QemuKey, &[_, _, high, low, a, b, c, d, e, f, g, h]) => {
                let key = Key::Place {
                    symbol: u32::from_be_bytes([a, b, c, d]),
                    code: u32::from_be_bytes([e, f, g, h]),
                };
                self.held_keys.key(key, high | low != 0)
            }
            (Kind::PointerEvent, &[_, buttons, a, b, c, d]) => {
                self.held_keys.pointer(buttons, [a, b, c, d]);
                Ok(())
            }
            _ => Ok(()),
        };
        down.map_err(|_| Misuse::TooManyKeys(crate::rfb::held_keys::MAX_HELD))
    }

    /// Takes note of what is dropped and has an answer, where the viewer has said that it knows it.
    fn note_denied(&mut self, kind: Kind) {
        match kind {
            Kind::SetDesktopSize => {
                self.denied.resize |= self.encodings.know(Encoding::EXTENDED_DESKTOP_SIZE);
            }
            Kind::Xvp => self.denied.power |= self.encodings.know(Encoding::XVP),
            _ => {}
        }
    }

    /// What was denied since this was last asked, and may be answered.
    pub const fn take_denied(&mut self) -> Denied {
        std::mem::replace(&mut self.denied, Denied::NOTHING)
    }

    /// Whether a person has done something since this was last asked.
    pub const fn take_activity(&mut self) -> bool {
        std::mem::replace(&mut self.active, false)
    }

    /// How many bytes the host waits for before the next message can begin.
    #[must_use]
    pub const fn owed(&self) -> u32 {
        match self.fate {
            Fate::Pass | Fate::Hide => self.splitter.body_left(),
            Fate::Drop | Fate::Gather | Fate::Hear => 0,
        }
    }

    /// Whether something is down at the host.
    #[must_use]
    pub fn holds_keys(&self) -> bool {
        !self.held_keys.is_empty()
    }

    /// Writes what releases every key and button that is down at the host. It may go there when
    /// nothing is [owed](Self::owed).
    pub fn release(&mut self, out: &mut Vec<u8>) {
        self.held_keys.release(out);
    }

    /// Other permissions, from the next message on. What was negotiated under the ones before is
    /// negotiated again: that and the release of keys is what
    /// [`settle`](Self::settle) writes.
    pub fn permit(&mut self, permissions: Permissions) {
        self.permissions = permissions.effective();
    }

    /// Writes what the host has to hear after a change of permissions. It may go there when nothing
    /// is [owed](Self::owed). `host` is told what the host will be.
    pub fn settle(&mut self, out: &mut Vec<u8>, host: Option<&mut HostGate>) {
        if self.permissions.view_only {
            self.release(out);
        }
        self.encodings.say_again(self.permissions, out, host);
    }

    /// Writes a chord, pressed and released. What the person holds down already stays down. It may
    /// go to the host when nothing is [owed](Self::owed).
    ///
    /// Whether the host knows keys by their place is said by itself, where somebody looks at that, and
    /// shows in what the viewer sends; as long as neither is the case, keys go by their meaning.
    pub fn press(&self, chord: &Chord, host: Option<&HostGate>, out: &mut Vec<u8>) {
        let places = self.places || host.is_some_and(HostGate::knows_places);
        let keys = chord.keys().iter().map(|key| key.named(places));
        let keys: Vec<Key> = keys.filter(|key| !self.held_keys.holds(*key)).collect();
        for key in &keys {
            key.encode(true, out);
        }
        for key in keys.iter().rev() {
            key.encode(false, out);
        }
    }
}

/// Tells the other direction of a message that may pass; whether it does.
fn tell(host: &mut HostGate, kind: Kind, bytes: &[u8]) -> Result<bool, Misuse> {
    /// Type and padding.
    const BEFORE_FORMAT: usize = 1 + 3;
    // Behind the type; both say yes with anything but zero.
    let flag = bytes.get(1).is_some_and(|flag| *flag != 0);
    Ok(match kind {
        Kind::SetPixelFormat => {
            let format = bytes.get(BEFORE_FORMAT..).unwrap_or_default();
            if let Ok(format) = PixelFormat::decode(&mut Reader::new(format)) {
                host.set_pixel_format(&format)?;
            }
            true
        }
        Kind::FramebufferUpdateRequest => host.note_request(flag),
        Kind::EnableContinuousUpdates => host.note_enable(flag),
        Kind::Fence => host.begin_fence(bytes),
        _ => true,
    })
}

#[cfg(test)]
mod tests;
