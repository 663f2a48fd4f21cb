//! xvp, security type 22: user and the machine that is wanted, then VNC authentication
//! ([rfbproto, XVP Authentication]).
//!
//! [rfbproto, XVP Authentication]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#xvp-authentication

use bytes::BufMut;

use crate::rfb::host::HostError;
use crate::rfb::login::Login;

/// Appends the lengths (u8 each) of user and target, and both.
///
/// The client says this first, whatever rfbproto's prose has: so do all that speak it.
pub(super) fn user_and_target(login: &Login, out: &mut Vec<u8>) -> Result<(), HostError> {
    let (Some(user), Some(target)) = (&login.username, &login.xvp_target) else {
        return Err(HostError::CredentialsMissing);
    };
    let most = usize::from(u8::MAX);
    let len = |text: &str| u8::try_from(text.len()).map_err(|_| HostError::LoginUnfit(most));
    out.put_slice(&[len(user)?, len(target)?]);
    out.put_slice(user.as_bytes());
    out.put_slice(target.as_bytes());
    Ok(())
}
