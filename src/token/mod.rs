//! Tokens: what they say ([`grant`]), how they are sealed and opened ([`seal`]) and with which keys
//! ([`keyring`]).
//!
//! A token looks like `fl1.9f3a12bc.q1w2…`: the version of the format, the name of the key, and
//! base64url of nonce, ciphertext and tag. It is opaque to everybody else.

pub mod binding;
pub mod credentials;
pub mod grant;
pub mod keyring;
pub mod labels;
pub mod limits;
pub mod seal;
pub mod sharing;

pub use binding::Binding;
pub use credentials::Credentials;
pub use grant::Grant;
pub use keyring::{Key, KeyRing};
pub use labels::Labels;
pub use limits::Limits;
pub use seal::{OpenError, Purpose, Token, open, read, read_for, seal, seal_for};
pub use sharing::{Role, Sharing};
