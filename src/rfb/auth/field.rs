//! Fields of fixed length that hold a user or a password, as ARD and MS-Logon II send them.

use crate::rfb::host::HostError;
use crate::rfb::login::Login;

/// What the login has to fill the fields with.
pub(super) fn user_and_password(login: &Login) -> Result<(&[u8], &[u8]), HostError> {
    match (&login.username, &login.password) {
        (Some(user), Some(password)) => Ok((user.as_bytes(), password.expose())),
        _ => Err(HostError::CredentialsMissing),
    }
}

/// Writes `text` and its final NUL to the front of `field`; what is behind stays as it is, which
/// should be random.
///
/// A text that is too long, or that the host would take to end at a NUL of its own, is an error:
/// cut short it would be another one.
pub(super) fn padded(field: &mut [u8], text: &[u8]) -> Result<(), HostError> {
    let most = field.len().saturating_sub(1);
    if text.contains(&0) {
        return Err(HostError::LoginUnfit(most));
    }
    let (front, behind) = field
        .split_at_mut_checked(text.len())
        .ok_or(HostError::LoginUnfit(most))?;
    let end = behind.first_mut().ok_or(HostError::LoginUnfit(most))?;
    front.copy_from_slice(text);
    *end = 0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_holds_a_text_its_end_and_what_was_there() {
        let mut field = [b'x'; 8];
        assert_eq!(padded(&mut field, b"root"), Ok(()));
        assert_eq!(&field, b"root\0xxx");
        assert_eq!(padded(&mut field, b"seventy"), Ok(()));
        assert_eq!(&field, b"seventy\0");
        assert_eq!(padded(&mut field, b""), Ok(()));
        assert_eq!(&field, b"\0eventy\0");
        for unfit in [&b"eighteen"[..], b"eighteen and more", b"a\0b"] {
            assert_eq!(padded(&mut field, unfit), Err(HostError::LoginUnfit(7)));
        }
    }
}
