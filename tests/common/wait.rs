//! Waiting for an event, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pause between two looks. Short enough not to be felt, long enough not to be a busy wait.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until `look` has what is waited for, or panics at the deadline with what it last saw.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let started = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if started.elapsed() >= deadline => {
                panic!("{what}: not within {deadline:?}; last seen: {seen}")
            }
            Err(_) => sleep(LOOK_EVERY).await,
        }
    }
}

/// Waits for a future, or panics at the deadline.
pub async fn within<T>(what: &str, deadline: Duration, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(deadline, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {deadline:?}"),
    }
}
