//! Plain: user and password as they are, VeNCrypt's sub-type 256 and what X509Plain holds
//! ([rfbproto, VeNCrypt]).
//!
//! [rfbproto, VeNCrypt]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#vencrypt

use bytes::BufMut;

use crate::rfb::host::HostError;
use crate::rfb::login::Login;

/// Appends the lengths (u32 each) of user and password, and both.
pub(super) fn credentials(login: &Login, out: &mut Vec<u8>) -> Result<(), HostError> {
    let (Some(user), Some(password)) = (&login.username, &login.password) else {
        return Err(HostError::CredentialsMissing);
    };
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| HostError::CredentialsMissing);
    out.put_u32(len(user.as_bytes())?);
    out.put_u32(len(password.expose())?);
    out.put_slice(user.as_bytes());
    out.put_slice(password.expose());
    Ok(())
}
