//! Elements of DER ([X.690]), as far as certificates are looked into here.
//!
//! [X.690]: https://www.itu.int/rec/T-REC-X.690

use crate::wire::Reader;

/// The tag of a sequence.
pub(super) const SEQUENCE: u8 = 0x30;

/// The contents of the next element, which has this tag.
pub(super) fn inside<'a>(bytes: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    let (found, contents) = element(bytes)?;
    (found == tag).then_some(contents)
}

/// Tag and contents of the next element.
pub(super) fn element<'a>(bytes: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let tag = bytes.u8("tag").ok()?;
    let length = match bytes.u8("length").ok()? {
        short @ 0..0x80 => usize::from(short),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = bytes.bytes(count, "length").ok()?;
            let digits = digits.iter().map(|digit| usize::from(*digit));
            // A length of more than four bytes is of nothing that is a certificate.
            let length = digits.fold(0_usize, |sum, digit| (sum << 8) | digit);
            (1..=4).contains(&count).then_some(length)?
        }
    };
    Some((tag, bytes.bytes(length, "contents").ok()?))
}
