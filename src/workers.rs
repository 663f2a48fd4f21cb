//! The threads that connections live on.
//!
//! Each has a runtime of its own, and a connection stays where it was put with all that it begins: its
//! session, the way to its host. What wakes it wakes that thread alone, and runs through less code than
//! where threads take work from each other.

use std::convert::Infallible;
use std::io;
use std::iter;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// While connections come, a timer of their thread is never further away than this. Handshakes set many
/// timers, and one that becomes the nearest of all wakes the reactor by a system call.
const NEAR_TIMER: Duration = Duration::from_millis(100);

/// After how many tasks that can run a thread looks at its sockets. A task moves up to some hundred KiB in
/// one go, and a key is not to wait for many of them.
const TASKS_BETWEEN_LOOKS: u32 = 2;

/// How long a thread that waits for disks stays where there is nothing to wait for: through the pause
/// between two looks at files, each of which would begin and end one, and little longer, or the looks
/// would keep all that were ever needed at once.
pub const IDLE_DISK_THREAD: Duration = Duration::from_secs(3);

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

/// The threads, of which there is one at least. All of them end when this is dropped.
#[derive(Debug)]
pub struct Threads {
    workers: Workers,
    stop: DropGuard,
    /// Nobody says anything: the last that ends lets go of the other side.
    ended: Receiver<Infallible>,
}

impl Threads {
    /// Starts one for each processor that this process may use.
    ///
    /// # Errors
    /// What the system says.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let stopping = CancellationToken::new();
        let stop = stopping.clone().drop_guard();
        let (running, ended) = mpsc::channel();
        let begin = || {
            let runtime = runtime()?;
            let worker = Worker {
                runtime: runtime.handle().clone(),
                load: Arc::default(),
            };
            let load = Arc::clone(&worker.load);
            let (running, stop) = (running.clone(), stopping.clone());
            let thread = thread::Builder::new().name("connections".to_owned());
            thread.spawn(move || {
                runtime.block_on(stop.run_until_cancelled(load.keep_a_timer_near()));
                // A file that hangs must not keep the process.
                runtime.shutdown_background();
                drop(running);
            })?;
            io::Result::Ok(worker)
        };
        let first = begin()?;
        let others = iter::repeat_with(begin).take(count - 1);
        let workers = All {
            first,
            others: others.collect::<io::Result<_>>()?,
        };
        Ok(Self {
            workers: Workers(Arc::new(workers)),
            stop,
            ended,
        })
    }

    /// Where connections can be put.
    #[must_use]
    pub fn workers(&self) -> Workers {
        self.workers.clone()
    }

    /// Ends them, and what still runs on them where it waits. Returns when they are gone, or after
    /// `grace`.
    pub fn end(self, grace: Duration) {
        drop(self.stop);
        let _ = self.ended.recv_timeout(grace);
    }
}

/// Where connections can be put.
#[derive(Clone, Debug)]
pub struct Workers(Arc<All>);

#[derive(Debug)]
struct All {
    first: Worker,
    others: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    load: Arc<Load>,
}

/// What is there on a thread.
#[derive(Debug, Default)]
struct Load {
    lodgers: Count,
    sessions: Count,
    arrived: Notify,
}

/// How many there are that hold one.
#[derive(Clone, Debug, Default)]
struct Count(Arc<()>);

impl Count {
    fn held(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// A connection that lives on a thread, counted as long as this is held.
#[derive(Debug, Default)]
pub struct Lodger {
    load: Arc<Load>,
    _counted: Count,
}

/// A session of one, counted as long as this is held.
#[derive(Debug)]
pub struct Settled {
    _counted: Count,
}

impl Workers {
    /// The runtime of the thread with the least, and what makes one more of its connections. A session
    /// counts twice, and a connection once from the moment it comes: of many at once that are still in
    /// their handshakes the slower thread would get more otherwise.
    #[must_use]
    pub fn lodge(&self) -> (&Handle, Lodger) {
        let load = |load: &Load| load.sessions.held() + load.lodgers.held();
        let emptiest = self.all().min_by_key(|worker| load(&worker.load));
        let Worker { runtime, load } = emptiest.unwrap_or(&self.0.first);
        load.arrived.notify_one();
        let lodger = Lodger {
            load: Arc::clone(load),
            _counted: load.lodgers.clone(),
        };
        (runtime, lodger)
    }

    /// Whether every thread comes to something new within this time.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn all_answer(&self, within: Duration) -> bool {
        let asked = self
            .all()
            .map(|worker| TaskTracker::new().spawn_on(async {}, &worker.runtime));
        let answers = join_all(asked.collect::<Vec<_>>());
        let answers = timeout(within, answers).await;
        answers.is_ok_and(|all| all.iter().all(Result::is_ok))
    }

    fn all(&self) -> impl Iterator<Item = &Worker> {
        iter::once(&self.0.first).chain(&self.0.others)
    }
}

impl Lodger {
    /// It has become a session, or has one more of them.
    #[must_use]
    pub fn settle(&self) -> Settled {
        Settled {
            _counted: self.load.sessions.clone(),
        }
    }
}

impl Load {
    async fn keep_a_timer_near(&self) {
        loop {
            self.arrived.notified().await;
            sleep(NEAR_TIMER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    #[test]
    fn connections_are_spread_and_stay_with_all_that_they_begin() {
        let threads = Threads::start().unwrap();
        // However many listeners there are.
        let listeners = [threads.workers(), threads.workers(), threads.workers()];
        let count = listeners[0].all().count();
        let main = runtime().unwrap();
        let mut lodging = Vec::new();
        let mut seen = HashMap::new();
        for turn in 0..3 * count {
            let (runtime, lodger) = listeners[turn % 3].lodge();
            lodging.push(lodger);
            let connection = async {
                let begun = TaskTracker::new().spawn(async { thread::current().id() });
                (thread::current().id(), begun.await.unwrap())
            };
            let connection = TaskTracker::new().spawn_on(connection, runtime);
            let (thread, begun) = main.block_on(connection).unwrap();
            assert_eq!(thread, begun);
            assert_ne!(thread, thread::current().id());
            *seen.entry(thread).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), count);
        assert!(seen.values().all(|&on_one| on_one == 3), "{seen:?}");
        assert!(main.block_on(listeners[0].all_answer(GRACE)));
        threads.end(GRACE);
        assert!(!main.block_on(listeners[0].all_answer(GRACE)));
    }

    #[test]
    fn a_crowd_in_its_handshakes_is_spread() {
        let threads = Threads::start().unwrap();
        let workers = threads.workers();
        let (_, first) = workers.lodge();
        let _session = first.settle();
        let count = workers.all().count();
        let crowd: Vec<_> = (0..10 * count).map(|_| workers.lodge().1).collect();
        let beside_it = crowd.iter().filter(|it| Arc::ptr_eq(&it.load, &first.load));
        // The session and its connection are as much as two.
        let beside_it = beside_it.count();
        assert!((8..=10).contains(&beside_it), "{beside_it}");
        threads.end(GRACE);
    }

    #[test]
    fn sessions_weigh_more_than_connections() {
        let threads = Threads::start().unwrap();
        let workers = threads.workers();
        let (_, page) = workers.lodge();
        let session = page.settle();
        let rest = workers.all().count() - 1;
        // Everybody else has two connections, and comes first all the same.
        let others: Vec<_> = (0..2 * rest).map(|_| workers.lodge().1).collect();
        assert!(others.iter().all(|it| !Arc::ptr_eq(&it.load, &page.load)));
        drop(session);
        let next = workers.lodge().1;
        assert!(Arc::ptr_eq(&next.load, &page.load));
        threads.end(GRACE);
    }

    #[test]
    fn a_thread_that_hangs_is_noticed_and_not_waited_for() {
        let threads = Threads::start().unwrap();
        let workers = threads.workers();
        let (runtime, _lodger) = workers.lodge();
        let (go_on, waits) = mpsc::channel::<()>();
        let hangs = async move { waits.recv().is_ok() };
        let hanging = TaskTracker::new().spawn_on(hangs, runtime);
        let main = super::runtime().unwrap();
        let brief = Duration::from_millis(50);
        assert!(!main.block_on(workers.all_answer(brief)));
        threads.end(brief);
        assert!(!hanging.is_finished());
        drop(go_on);
        let _ = main.block_on(hanging);
    }
}
