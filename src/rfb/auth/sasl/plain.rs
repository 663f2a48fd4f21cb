//! PLAIN: user and password in one message ([RFC 4616](https://www.rfc-editor.org/rfc/rfc4616)).

use zeroize::Zeroizing;

use crate::rfb::auth::sasl::{Mechanism, Message};
use crate::rfb::host::HostError;

/// The one message: nobody else to act for, the user, the password, each after a NUL.
pub(super) fn message(user: &str, password: &[u8]) -> Result<Message, HostError> {
    if user.is_empty() || user.contains('\0') || password.contains(&0) {
        return Err(HostError::CredentialsUnfit);
    }
    Ok(Zeroizing::new(
        [b"\0", user.as_bytes(), b"\0", password].concat(),
    ))
}

/// PLAIN after its message: the host has nothing to say but whether it goes on.
#[derive(Debug)]
pub(super) struct Plain;

impl Mechanism for Plain {
    fn answer(&mut self, _: &[u8]) -> Result<Option<Message>, HostError> {
        Ok(None)
    }

    fn is_satisfied(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let sent = message("tim", b"tanstaaftanstaaf").unwrap();
        assert_eq!(**sent, *b"\0tim\0tanstaaftanstaaf");
        for (user, password) in [("", "x"), ("a\0b", "x"), ("a", "x\0y")] {
            let refused = message(user, password.as_bytes()).unwrap_err();
            assert_eq!(refused, HostError::CredentialsUnfit);
        }
    }
}
