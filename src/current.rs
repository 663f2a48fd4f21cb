//! What is in use at the moment, and is exchanged while others use it.

use std::sync::{Arc, PoisonError, RwLock};

/// A place for a value: whoever needs one takes the one that is there, and goes on with it whatever
/// comes meanwhile.
#[derive(Debug)]
pub struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    /// What is in use now.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on this is.
    pub fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> From<T> for Current<T> {
    fn from(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }
}
