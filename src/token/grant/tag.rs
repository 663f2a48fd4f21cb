//! Field tags. Their numbers are the format: append, never renumber.

pub(super) const ID: u8 = 1;
pub(super) const MINTED_AT: u8 = 2;
pub(super) const CONNECT_BY: u8 = 3;
pub(super) const HOST: u8 = 4;
pub(super) const PORT: u8 = 5;
pub(super) const PASSWORD: u8 = 6;
pub(super) const NAME: u8 = 7;
pub(super) const LABEL: u8 = 8;
pub(super) const WAY: u8 = 9;
pub(super) const PROFILE: u8 = 10;

/// The value of the field [`WAY`]. Where the field is missing the way is RFB over TCP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub(super) u8);

impl Kind {
    pub(super) const TLS: Self = Self(1);
}
