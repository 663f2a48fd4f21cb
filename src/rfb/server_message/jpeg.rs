//! A JPEG file without a length: its own markers say where it ends.

use super::MAX_PART;
use super::body::Next;
use super::field::Field;
use super::violation::Violation;
use crate::wire::Reader;

/// Every marker begins with it.
const MARKER: u8 = 0xff;

/// Second bytes of markers.
mod marker {
    pub(super) const STUFFING: u8 = 0x00;
    /// A marker alone, without a length, beside the range of the next two.
    pub(super) const TEMPORARY: u8 = 0x01;
    pub(super) const RESTART: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    pub(super) const START_OF_IMAGE: u8 = 0xd8;
    pub(super) const END_OF_IMAGE: u8 = 0xd9;
    pub(super) const START_OF_SCAN: u8 = 0xda;
}

/// The segments of a file, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Jpeg {
    part: Part,
    /// Bytes walked so far.
    len: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default)]
enum Part {
    /// A marker of two bytes.
    #[default]
    Marker,
    /// The length of a segment, itself included, and whether a scan's data follows it.
    Length { scan: bool },
    /// Data up to the next marker.
    Scan,
    /// The byte behind 0xff in a scan's data.
    Escaped,
}

impl Jpeg {
    pub(super) fn walk(
        &mut self,
        input: &mut Reader<'_>,
        field: &mut Field,
    ) -> Result<Next, Violation> {
        loop {
            if self.len > MAX_PART {
                return Err(Violation::TooLong {
                    field: "a JPEG file",
                    len: self.len,
                    max: MAX_PART,
                });
            }
            match self.part {
                Part::Marker => {
                    let Some([first, kind]) = field.take(input) else {
                        return Ok(Next::Wait);
                    };
                    self.len += 2;
                    if first != MARKER {
                        return Err(Violation::Jpeg);
                    }
                    if !self.begin_segment(kind) {
                        return Ok(Next::Last(0));
                    }
                }
                Part::Length { scan } => {
                    let Some(len) = field.take(input) else {
                        return Ok(Next::Wait);
                    };
                    let len = u64::from(u16::from_be_bytes(len));
                    let rest = len.checked_sub(2).ok_or(Violation::Jpeg)?;
                    self.len += len;
                    self.part = if scan { Part::Scan } else { Part::Marker };
                    return Ok(Next::Skip(rest));
                }
                Part::Scan => {
                    let there = input.rest();
                    let marker = there.iter().position(|byte| *byte == MARKER);
                    let len = marker.map_or(there.len(), |at| at + 1);
                    if input.bytes(len, "scan").is_ok() {
                        self.len += len as u64;
                    }
                    if marker.is_none() {
                        return Ok(Next::Wait);
                    }
                    self.part = Part::Escaped;
                }
                Part::Escaped => {
                    let Some([kind]) = field.take(input) else {
                        return Ok(Next::Wait);
                    };
                    self.len += 1;
                    if kind == marker::STUFFING || marker::RESTART.contains(&kind) {
                        self.part = Part::Scan;
                    } else if !self.begin_segment(kind) {
                        return Ok(Next::Last(0));
                    }
                }
            }
        }
    }

    /// What follows a marker; whether anything does.
    fn begin_segment(&mut self, kind: u8) -> bool {
        self.part = match kind {
            marker::END_OF_IMAGE => return false,
            marker::START_OF_IMAGE | marker::TEMPORARY => Part::Marker,
            kind if marker::RESTART.contains(&kind) => Part::Marker,
            kind => Part::Length {
                scan: kind == marker::START_OF_SCAN,
            },
        };
        true
    }
}
