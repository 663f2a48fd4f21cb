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
pub(super) const USERNAME: u8 = 11;
pub(super) const XVP_TARGET: u8 = 12;
pub(super) const REPEATER_ID: u8 = 13;
pub(super) const COOKIE: u8 = 14;
pub(super) const HEADER: u8 = 15;
pub(super) const TERMS: u8 = 16;
pub(super) const CERTIFICATE: u8 = 17;
pub(super) const RA2_KEY: u8 = 18;
pub(super) const DESKTOP_NAME: u8 = 19;
pub(super) const MACHINE_UUID: u8 = 20;
pub(super) const SOCKET_PATH: u8 = 21;
pub(super) const REQUEST_PATH: u8 = 22;
pub(super) const SUBPROTOCOL: u8 = 23;
pub(super) const USES: u8 = 24;
pub(super) const SESSION_MAX: u8 = 25;
pub(super) const IDLE_MAX: u8 = 26;
pub(super) const SHARING: u8 = 27;
pub(super) const ROLE: u8 = 28;
pub(super) const RELAY: u8 = 40;
pub(super) const PERMISSIONS: u8 = 41;
pub(super) const CLIENT: u8 = 42;
pub(super) const ORIGIN: u8 = 43;
pub(super) const PACING: u8 = 44;

// The bits of the field TERMS: append, never renumber.
pub(super) const REQUIRE_TLS: u8 = 1;
pub(super) const ALLOW_CLEAR_TEXT: u8 = 2;
pub(super) const REFUSE_NONE: u8 = 4;

// The first byte of the field PERMISSIONS: append, never renumber. Behind it are the two bounds of
// the clipboard, to the machine and from it (u32).
pub(super) const VIEW_ONLY: u8 = 1;
pub(super) const RESIZE: u8 = 2;
pub(super) const POWER: u8 = 4;

/// The value of the field [`WAY`]. Where the field is missing the way is RFB over TCP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub(super) u8);

impl Kind {
    pub(super) const TLS: Self = Self(1);
    pub(super) const UNIX: Self = Self(2);
    pub(super) const TUNNEL: Self = Self(3);
    pub(super) const TUNNEL_TLS: Self = Self(4);
    pub(super) const WEBSOCKET: Self = Self(5);
    pub(super) const WEBSOCKET_TLS: Self = Self(6);

    pub(super) const fn tunnel(tls: bool) -> Self {
        if tls { Self::TUNNEL_TLS } else { Self::TUNNEL }
    }

    pub(super) const fn websocket(tls: bool) -> Self {
        if tls {
            Self::WEBSOCKET_TLS
        } else {
            Self::WEBSOCKET
        }
    }
}
