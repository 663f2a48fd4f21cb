//! The key ring in use, which is exchanged while tokens are made and opened.

use std::sync::{Arc, PoisonError, RwLock};

use crate::token::KeyRing;

/// A place for a ring: whoever seals or opens takes the one that is there at that moment.
#[derive(Debug)]
pub struct CurrentRing(RwLock<Arc<KeyRing>>);

impl CurrentRing {
    /// The ring as it is now. A token is sealed or opened with one ring, whatever comes meanwhile.
    #[must_use]
    pub fn get(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place, and gives back the one that was there.
    pub fn replace(&self, ring: KeyRing) -> Arc<KeyRing> {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place, Arc::new(ring))
    }
}

impl From<KeyRing> for CurrentRing {
    fn from(ring: KeyRing) -> Self {
        Self(RwLock::new(Arc::new(ring)))
    }
}
