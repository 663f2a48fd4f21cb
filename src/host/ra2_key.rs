//! Our RSA key for RA2: one a process, made when the first session may need it.
//!
//! To make one takes between 50 and 150 milliseconds of a processor, so it happens on a thread for
//! blocking work, once. A gateway whose sessions never log in with a password makes none. The key
//! proves nothing about us and is never written down: hosts are shown another after each start.

use std::sync::Arc;

use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::rfb::auth::ra2::ClientKey;
use crate::rfb::login::Login;
use crate::rfb::policy::{Policy, SecurityMethod};

/// A key that is made at its first use; its clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ra2Key(Arc<OnceCell<Arc<ClientKey>>>);

impl Ra2Key {
    /// The key, where a handshake with `login` under `policy` may come to need it.
    ///
    /// Nothing when no key can be made, which is logged: RA2 is then not spoken.
    ///
    /// # Cancel safety
    /// Cancel safe: what was being made is thrown away, and the next use makes another.
    pub async fn for_login(&self, login: &Login, policy: &Policy) -> Option<Arc<ClientKey>> {
        let needs_it = |&method: &SecurityMethod| {
            method.is_ra2() && policy.allows(method) && method.has_its_credentials(login)
        };
        if policy.methods.iter().any(needs_it) {
            self.get().await
        } else {
            None
        }
    }

    async fn get(&self) -> Option<Arc<ClientKey>> {
        let made = self.0.get_or_try_init(|| async {
            let making = spawn_blocking(|| {
                let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?;
                ClientKey::new(private).ok()
            });
            making.await.ok().flatten().map(Arc::new).ok_or(())
        });
        let key = made.await.ok().cloned();
        if key.is_none() {
            warn!("no RSA key can be made: hosts that want RA2 cannot be logged in to");
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[tokio::test]
    async fn one_key_is_made_for_all_who_may_need_it_and_none_for_others() {
        let (key, policy) = (Ra2Key::default(), Policy::default());
        let password = Login::with_password(Some(Secret::new("s3cret12")));
        let tls = Policy {
            require_tls: true,
            ..Policy::default()
        };
        assert!(key.for_login(&Login::default(), &policy).await.is_none());
        assert!(key.for_login(&password, &tls).await.is_none());
        assert!(!key.0.initialized());

        let other = key.clone();
        let (one, two) = tokio::join!(
            key.for_login(&password, &policy),
            other.for_login(&password, &policy)
        );
        assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    }
}
