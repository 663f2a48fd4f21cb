//! Bringing something to a receiver that may be away: tried again for a while, then given up.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::fetch::{Fetcher, Question, Url};

/// How long until the second attempt; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a delivery is worth.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How many attempts, at least one.
    pub attempts: u32,
    /// Whether an answer other than 2xx would be the same another time.
    pub is_final: fn(StatusCode) -> bool,
}

/// Why something did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Whether the receiver will never take it.
    pub refused: bool,
    /// The attempt that was the last.
    pub attempt: u32,
    /// What it came to.
    pub error: String,
}

/// Asks until an answer is of 2xx, whatever its body, and says with which attempt. Once `stop` is cancelled there is one
/// last attempt, at once.
///
/// # Errors
/// [`Undelivered`].
///
/// # Cancel safety
/// Cancel safe: the attempt is given up; it may have arrived.
pub async fn deliver(
    fetcher: &Fetcher,
    url: &Url,
    question: impl Fn() -> Question,
    patience: Patience,
    stop: &CancellationToken,
) -> Result<u32, Undelivered> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        let (refused, error) = match fetcher.status(url, question()).await {
            Ok(status) if status.is_success() => return Ok(attempt),
            Ok(status) => ((patience.is_final)(status), format!("it answered {status}")),
            Err(error) => (false, error.to_string()),
        };
        debug!(to = %url, attempt, error, "not delivered");
        if refused || attempt >= patience.attempts || stop.is_cancelled() {
            return Err(Undelivered {
                refused,
                attempt,
                error,
            });
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        pause = LONGEST_PAUSE.min(pause * 2);
        attempt += 1;
    }
}
