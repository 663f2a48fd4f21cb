//! The threads that connections live on.
//!
//! Each has a runtime of its own, and a connection stays where it was put with all that it begins: its
//! session, the way to its host. What wakes it wakes that thread alone, and runs through less code than
//! where threads take work from each other.

use std::io;
use std::iter;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// While connections come, a timer of their thread is never further away than this. Handshakes set many
/// timers, and one that becomes the nearest of all wakes the reactor by a system call.
const NEAR_TIMER: Duration = Duration::from_millis(100);

/// After how many tasks that can run a thread looks at its sockets. A task moves up to some hundred KiB in
/// one go, and a key is not to wait for many of them.
const TASKS_BETWEEN_LOOKS: u32 = 2;

/// How long a thread that waits for disks stays where there is nothing to wait for: files are looked at so
/// often that some would stay for ever.
const IDLE_DISK_THREAD: Duration = Duration::from_secs(1);

/// A runtime for the thread that blocks on it.
///
/// # Errors
/// What the system says.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .event_interval(TASKS_BETWEEN_LOOKS)
        .thread_keep_alive(IDLE_DISK_THREAD)
        .build()
}

/// The threads, of which there is one at least. All of them end when this is [ended](Self::end).
#[derive(Debug)]
pub struct Threads {
    workers: Workers,
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts one for each processor that this process may use.
    ///
    /// # Errors
    /// What the system says.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let stop = CancellationToken::new();
        let mut running = Vec::new();
        let mut begin = || {
            let runtime = runtime()?;
            let worker = Worker {
                runtime: runtime.handle().clone(),
                lodgers: Lodger::default(),
            };
            let (lodgers, stop) = (worker.lodgers.clone(), stop.clone());
            let thread = thread::Builder::new().name("connections".to_owned());
            running.push(thread.spawn(move || {
                runtime.block_on(stop.run_until_cancelled(lodgers.keep_a_timer_near()));
                // A file that hangs must not keep the process.
                runtime.shutdown_background();
            })?);
            io::Result::Ok(worker)
        };
        let first = begin()?;
        let others = iter::repeat_with(begin).take(count - 1);
        let workers = Workers {
            first,
            others: others.collect::<io::Result<_>>()?,
        };
        Ok(Self {
            workers,
            stop,
            running,
        })
    }

    /// Where connections can be put.
    #[must_use]
    pub fn workers(&self) -> Workers {
        self.workers.clone()
    }

    /// Ends them, and what still runs on them where it waits.
    pub fn end(self) {
        self.stop.cancel();
        for thread in self.running {
            // One that has panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Where connections can be put.
#[derive(Clone, Debug)]
pub struct Workers {
    first: Worker,
    others: Arc<[Worker]>,
}

#[derive(Clone, Debug)]
struct Worker {
    runtime: Handle,
    lodgers: Lodger,
}

/// One of those that live on a thread, counted as long as this is held; and by whom the thread hears that
/// they come.
#[derive(Clone, Debug, Default)]
pub struct Lodger(Arc<Notify>);

impl Workers {
    /// The runtime of the thread with the fewest connections, and what makes one more of them.
    #[must_use]
    pub fn lodge(&self) -> (&Handle, Lodger) {
        let workers = iter::once(&self.first).chain(self.others.iter());
        let emptiest = workers.min_by_key(|worker| Arc::strong_count(&worker.lodgers.0));
        let Worker { runtime, lodgers } = emptiest.unwrap_or(&self.first);
        lodgers.0.notify_one();
        (runtime, lodgers.clone())
    }
}

impl Lodger {
    async fn keep_a_timer_near(&self) {
        loop {
            self.0.notified().await;
            sleep(NEAR_TIMER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tokio_util::task::TaskTracker;

    use super::*;

    #[test]
    fn connections_go_where_the_fewest_are_and_stay_there() {
        let threads = Threads::start().unwrap();
        let workers = threads.workers();
        let count = 1 + workers.others.len();
        let main = runtime().unwrap();
        let mut lodging = Vec::new();
        let mut seen = HashMap::new();
        for _ in 0..3 * count {
            let (runtime, lodger) = workers.lodge();
            lodging.push(lodger);
            let here = runtime.spawn(async {
                let begun = TaskTracker::new().spawn(async { thread::current().id() });
                (thread::current().id(), begun.await.unwrap())
            });
            let (thread, begun) = main.block_on(here).unwrap();
            assert_eq!(thread, begun);
            assert_ne!(thread, thread::current().id());
            *seen.entry(thread).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), count);
        assert!(seen.values().all(|&on_one| on_one == 3));

        // Whose place was left gets the next one.
        let Lodger(emptier) = lodging.pop().unwrap();
        let known = Arc::as_ptr(&emptier);
        drop(emptier);
        let (_, Lodger(next)) = workers.lodge();
        assert_eq!(Arc::as_ptr(&next), known);
        threads.end();
    }
}
