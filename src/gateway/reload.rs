//! What is taken up while the gateway runs: each part when its files change, and all of them when
//! somebody says so (SIGHUP).

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::file_stamp::FileStamp;
use crate::http::api::reload::Kept;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The files of a part, as they look from outside: one for each, always in the same order.
pub(super) type Stamps = Vec<Option<FileStamp>>;

/// A part of the gateway that is made of files. Its calls wait for a disk.
pub(super) trait Part: Debug + Send + Sync {
    /// Its files as they are now.
    fn stamps(&self) -> Stamps;

    /// Reads its files again, and says in the log what came of it.
    ///
    /// # Errors
    /// [`Kept`]: they are of no use, and it stays as it was.
    fn take_up(&self) -> Result<(), Kept>;
}

/// A part with its files as they were right before what is in use was read.
pub(super) type Read = (Arc<dyn Part>, Stamps);

/// All parts that can be taken up. Clones are the same parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Reload(Arc<Vec<Watched>>);

#[derive(Debug)]
struct Watched {
    part: Arc<dyn Part>,
    /// As the files were at the last attempt: those that are of no use are not read again and again.
    seen: Mutex<Stamps>,
}

impl Reload {
    pub(super) fn new(parts: Vec<Read>) -> Self {
        let watched = parts.into_iter().map(|(part, seen)| Watched {
            part,
            seen: Mutex::new(seen),
        });
        Self(Arc::new(watched.collect()))
    }

    /// Takes up all parts, whether their files have changed or not, and says which stay as they were.
    ///
    /// # Cancel safety
    /// Cancel safe: what has begun goes on.
    pub(super) async fn all(&self) -> Vec<Kept> {
        self.each(|_, _| true).await
    }

    /// Takes up each part whose files have changed, until the gateway stops.
    pub(super) async fn watch(self, stop: CancellationToken) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            self.each(|seen, now| seen != now).await;
        }
    }

    async fn each(&self, wanted: fn(&Stamps, &Stamps) -> bool) -> Vec<Kept> {
        let parts = Arc::clone(&self.0);
        let taken_up = spawn_blocking(move || {
            let mut kept = Vec::new();
            for Watched { part, seen } in parts.iter() {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                // From before they are read: what changes meanwhile is seen at the next look.
                let now = part.stamps();
                if wanted(&seen, &now) {
                    kept.extend(part.take_up().err());
                    *seen = now;
                }
            }
            kept
        });
        // A part that panics has said so; the others have their turn at the next look.
        taken_up.await.unwrap_or_default()
    }
}
