//! As far as a viewer is greeted: its version, and the security type None.

use std::convert::Infallible;

use bytes::BufMut;

use super::{BrowserError, Greeted, Versed, interrupted};
use crate::rfb::peer_text::PeerText;
use crate::rfb::security::SecurityType;
use crate::rfb::version::{self, LINE_3_8};
use crate::rfb::{Handshake, Interruption, Stage, Step};
use crate::wire::Reader;

/// The version.
#[derive(Debug, Default)]
pub struct Hello {
    said: bool,
}

impl Handshake for Hello {
    type Done = Versed;
    type Error = BrowserError;
    type Swap = Infallible;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Versed, Infallible>, BrowserError> {
        // The version line leaves alone: noVNC 1.7.0 does not look at what follows it in the
        // same frame until another frame arrives.
        if !self.said {
            out.put_slice(LINE_3_8);
            self.said = true;
            return Ok(Step::Again);
        }
        let Ok(line) = input.array::<{ version::LINE_LEN }>("ProtocolVersion") else {
            return Ok(Step::NeedMore);
        };
        if line == *LINE_3_8 {
            Ok(Step::Done(Versed(())))
        } else {
            Err(BrowserError::Version(PeerText::escape(&line)))
        }
    }

    fn stage(&self) -> Stage {
        Stage::Version
    }

    fn interrupted(&self, by: Interruption, _unread: &[u8]) -> BrowserError {
        interrupted(self.stage(), &by)
    }
}

/// The security type None, for a viewer that speaks our version.
#[derive(Debug)]
pub struct Offer {
    made: bool,
}

impl Offer {
    /// Offers None and nothing else.
    #[must_use]
    pub const fn none(_: Versed) -> Self {
        Self { made: false }
    }
}

impl Handshake for Offer {
    type Done = Greeted;
    type Error = BrowserError;
    type Swap = Infallible;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Greeted, Infallible>, BrowserError> {
        if !self.made {
            out.put_slice(&only(SecurityType::NONE));
            self.made = true;
            return Ok(Step::Again);
        }
        Ok(match chosen(SecurityType::NONE, input)? {
            Some(()) => Step::Done(Greeted(())),
            None => Step::NeedMore,
        })
    }

    fn stage(&self) -> Stage {
        Stage::Security
    }

    fn interrupted(&self, by: Interruption, _unread: &[u8]) -> BrowserError {
        interrupted(self.stage(), &by)
    }
}

/// Version and security type None at once, as far as it goes without the host.
#[derive(Debug)]
pub struct Greeting(GreetingState);

#[derive(Debug)]
enum GreetingState {
    Hello(Hello),
    Offer(Offer),
}

impl Default for Greeting {
    fn default() -> Self {
        Self(GreetingState::Hello(Hello::default()))
    }
}

impl Handshake for Greeting {
    type Done = Greeted;
    type Error = BrowserError;
    type Swap = Infallible;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Greeted, Infallible>, BrowserError> {
        match &mut self.0 {
            GreetingState::Hello(hello) => match hello.step(input, out)? {
                Step::Done(versed) => {
                    self.0 = GreetingState::Offer(Offer::none(versed));
                    Ok(Step::Again)
                }
                Step::NeedMore => Ok(Step::NeedMore),
                Step::Again => Ok(Step::Again),
                Step::Swap(never) => match never {},
            },
            GreetingState::Offer(offer) => offer.step(input, out),
        }
    }

    fn stage(&self) -> Stage {
        match &self.0 {
            GreetingState::Hello(hello) => hello.stage(),
            GreetingState::Offer(offer) => offer.stage(),
        }
    }

    fn interrupted(&self, by: Interruption, _unread: &[u8]) -> BrowserError {
        interrupted(self.stage(), &by)
    }
}

/// A list of one security type.
pub(super) const fn only(kind: SecurityType) -> [u8; 2] {
    [1, kind.0 as u8]
}

/// Reads the viewer's choice from a list of one.
pub(super) fn chosen(
    kind: SecurityType,
    input: &mut Reader<'_>,
) -> Result<Option<()>, BrowserError> {
    match input.u8("security-type") {
        Ok(chosen) if u32::from(chosen) == kind.0 => Ok(Some(())),
        Ok(chosen) => Err(BrowserError::SecurityType(chosen)),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::run;
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn the_version_line_leaves_alone_and_only_none_is_offered() {
        let whole: &[u8] = b"RFB 003.008\n\x01";
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        for pieces in [vec![whole], bytes] {
            let (sent, end) = run(&mut Greeting::default(), &pieces);
            assert_eq!(sent, [LINE_3_8.to_vec(), vec![1, 1]]);
            assert!(matches!(end, Some(Ok(Greeted(())))));
        }
    }

    #[test]
    fn another_version_or_choice_is_the_viewers_fault() {
        let (_, end) = run(&mut Greeting::default(), &[b"RFB 003.003\n"]);
        let error = end.unwrap().unwrap_err();
        assert!(matches!(error, BrowserError::Version(_)));
        assert_eq!(Reason::from(&error), Reason::BrowserProtocol);
        let (_, end) = run(&mut Greeting::default(), &[b"RFB 003.008\n\x02"]);
        assert_eq!(end.unwrap().unwrap_err(), BrowserError::SecurityType(2));
    }
}
