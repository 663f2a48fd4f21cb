//! What is taken up while the gateway runs: each part when its files change, and all of them when
//! somebody says so (SIGHUP).

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::file_stamp::FileStamp;
use crate::http::api::reload::Kept;
use crate::subject::Subject;
use crate::workers::IDLE_DISK_THREAD;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const _: () = assert!(LOOK_EVERY.as_millis() < IDLE_DISK_THREAD.as_millis());

/// The files of a part, as they look from outside: one for each, always in the same order.
pub(super) type Stamps = Vec<Option<FileStamp>>;

/// How long a part's files are waited for before others have their turn, and before somebody who asked is
/// told of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A part of the gateway that is made of files. Its calls wait for a disk.
pub(super) trait Part: Debug + Send + Sync {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Its files as they are now.
    fn stamps(&self) -> Stamps;

    /// Reads its files again, and says in the log what came of it.
    ///
    /// # Errors
    /// What is wrong: they are of no use, and it stays as it was.
    fn take_up(&self) -> Result<(), String>;
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
    /// Held while they are read, which a disk that hangs makes long.
    seen: Arc<Mutex<Stamps>>,
    /// Whether it was said that they do not answer.
    hangs: AtomicBool,
}

impl Reload {
    pub(super) fn new(parts: Vec<Read>) -> Self {
        let watched = parts.into_iter().map(|(part, seen)| Watched {
            part,
            seen: Arc::new(Mutex::new(seen)),
            hangs: AtomicBool::new(false),
        });
        Self(Arc::new(watched.collect()))
    }

    /// Takes up all parts, whether their files have changed or not, and says which stay as they were.
    ///
    /// # Cancel safety
    /// Cancel safe: what has begun goes on.
    pub(super) async fn all(&self) -> Vec<Kept> {
        let parts = self.0.iter().map(|it| it.look(|_, _| true));
        let looks = futures_util::future::join_all(parts).await;
        looks.into_iter().filter_map(Result::err).collect()
    }

    /// Takes up each part whose files have changed, until the gateway stops.
    pub(super) async fn watch(self, stop: CancellationToken) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watching = async {
            loop {
                looks.tick().await;
                // One after the other, which a single thread is enough for.
                for watched in self.0.iter() {
                    // It has said in the log what it came to.
                    let _ = watched.look(|seen, now| seen != now).await;
                }
            }
        };
        stop.run_until_cancelled(watching).await;
    }
}

impl Watched {
    /// Takes the part up if that is wanted of its files as they were seen and are now.
    async fn look(&self, wanted: fn(&Stamps, &Stamps) -> bool) -> Result<(), Kept> {
        let name = self.part.name();
        let looking = async {
            let mut seen = Arc::clone(&self.seen).lock_owned().await;
            let (part, subject) = (Arc::clone(&self.part), Subject::now());
            let taken_up = spawn_blocking(move || {
                subject.during(|| {
                    // From before they are read: what changes meanwhile is seen at the next look.
                    let now = part.stamps();
                    if !wanted(&seen, &now) {
                        return Ok(());
                    }
                    let taken_up = part.take_up();
                    *seen = now;
                    taken_up
                })
            });
            // A part that panics has said so in the log, and has its turn at the next look.
            let taken_up = taken_up.await;
            taken_up.unwrap_or_else(|_| Err("it could not be read".to_owned()))
        };
        let looked = timeout(PATIENCE, looking).await;
        let hung = self.hangs.swap(looked.is_err(), Ordering::Relaxed);
        match looked {
            Ok(taken_up) => taken_up.map_err(|message| Kept::new(name, message)),
            Err(_) => {
                let message = format!("its files have not answered for {PATIENCE:?}");
                if !hung {
                    warn!(part = name, "stays as it is meanwhile: {message}");
                }
                Err(Kept::new(name, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    use super::*;

    /// A part that is there another time at each look, after as long as `hangs` is held.
    #[derive(Debug)]
    struct Looked {
        name: &'static str,
        hangs: std::sync::Mutex<Option<mpsc::Receiver<()>>>,
        taken_up: Arc<AtomicUsize>,
    }

    impl Part for Looked {
        fn name(&self) -> &'static str {
            self.name
        }

        fn stamps(&self) -> Stamps {
            if let Some(hangs) = self.hangs.lock().unwrap().take() {
                hangs.recv().unwrap_err();
            }
            vec![None]
        }

        fn take_up(&self) -> Result<(), String> {
            self.taken_up.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    /// A part that panics while it is read.
    #[derive(Debug)]
    struct Broken;

    impl Part for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }

        fn stamps(&self) -> Stamps {
            Stamps::new()
        }

        fn take_up(&self) -> Result<(), String> {
            panic!("this part is broken")
        }
    }

    #[tokio::test]
    async fn a_part_that_panics_is_not_said_to_be_taken_up() {
        let reload = Reload::new(vec![(Arc::new(Broken), Stamps::new())]);
        let kept = Kept::new("broken", "it could not be read".to_owned());
        assert_eq!(reload.all().await, [kept]);
    }

    #[tokio::test]
    async fn a_part_whose_files_hang_keeps_nobody() {
        let count = || Arc::new(AtomicUsize::new(0));
        let (stuck, well) = (count(), count());
        let (held, hangs) = mpsc::channel();
        let part = |name, hangs, taken_up: &Arc<AtomicUsize>| -> Read {
            let taken_up = Arc::clone(taken_up);
            let hangs = std::sync::Mutex::new(hangs);
            let part = Looked {
                name,
                hangs,
                taken_up,
            };
            (Arc::new(part), Stamps::new())
        };
        let reload = Reload::new(vec![
            part("stuck", Some(hangs), &stuck),
            part("well", None, &well),
        ]);
        let kept = reload.all().await;
        let [kept] = &kept[..] else {
            panic!("{kept:?}");
        };
        assert_eq!(kept.part, "stuck");
        let times = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        assert_eq!((times(&stuck), times(&well)), (0, 1));

        // The watch neither waits for it when the gateway stops.
        let stop = CancellationToken::new();
        let watch = reload.clone().watch(stop.clone());
        let stopping = async { stop.cancel() };
        tokio::join!(watch, stopping);
        drop(held);
        assert_eq!(reload.all().await, []);
        assert!(times(&stuck) > 0);
    }
}
