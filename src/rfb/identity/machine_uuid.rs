//! What a machine is called by management.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;

/// The UUID of a machine, as management gives it to QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MachineUuid([u8; 16]);

/// Why a text is not a [`MachineUuid`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID such as 123e4567-e89b-12d3-a456-426614174000")]
pub struct BadUuid;

impl MachineUuid {
    /// A UUID out of its bytes, in the order of its digits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, in the order of the digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether a desktop's name has it in it, in upper or lower case.
    pub(super) fn is_in(self, name: &[u8]) -> bool {
        let text = self.to_string();
        name.windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
    }
}

impl FromStr for MachineUuid {
    type Err = BadUuid;

    fn from_str(text: &str) -> Result<Self, BadUuid> {
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        if lengths != [8, 4, 4, 4, 12] {
            return Err(BadUuid);
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(groups.concat().as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(BadUuid)
    }
}

impl fmt::Display for MachineUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let group = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            group(96, 8),
            group(80, 4),
            group(64, 4),
            group(48, 4),
            group(0, 12)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

    #[test]
    fn uuids_read_back_and_nothing_else_is_one() {
        let uuid: MachineUuid = UUID.to_uppercase().parse().unwrap();
        assert_eq!(uuid.to_string(), UUID);
        for text in [
            "",
            &UUID.replace('-', ""),
            &UUID.replace('e', "x"),
            &UUID[1..],
        ] {
            assert_eq!(text.parse::<MachineUuid>(), Err(BadUuid), "{text}");
        }
    }
}
