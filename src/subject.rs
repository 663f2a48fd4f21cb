//! What a task is about: the request that it answers, the session that it runs. The log says it on every
//! line of the task, and so does the audit log.
//!
//! It is kept with the task and costs some words: a span of `tracing` would cost a session at rest
//! hundreds of bytes.

use std::cell::RefCell;
use std::future::Future;

use tokio::task::futures::TaskLocalFuture;

use crate::id::{RequestId, SessionId};

tokio::task_local! {
    static SUBJECT: RefCell<Subject>;
}

/// What is known of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The request that it answers, or that began it.
    pub request: Option<RequestId>,
    /// The session that it runs.
    pub session: Option<SessionId>,
}

/// A task or a part of one.
pub type About<F> = TaskLocalFuture<RefCell<Subject>, F>;

impl Subject {
    /// A request, and no session yet.
    #[must_use]
    pub const fn of_request(request: RequestId) -> Self {
        Self {
            request: Some(request),
            session: None,
        }
    }

    /// What runs right now is about this; nothing where nobody said so.
    #[must_use]
    pub fn now() -> Self {
        SUBJECT
            .try_with(|subject| subject.borrow().clone())
            .unwrap_or_default()
    }

    /// Whatever the future does is about this. Other tasks that it starts are not.
    pub fn of<F: Future>(self, future: F) -> About<F> {
        SUBJECT.scope(RefCell::new(self), future)
    }

    /// The same of what runs on a thread of its own.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        SUBJECT.sync_scope(RefCell::new(self), work)
    }
}

/// From now on the task runs this session.
pub fn runs(session: SessionId) {
    change(|subject| subject.session = Some(session));
}

/// The request that began the task is over: what comes is not its doing any more.
pub fn outlives_request() {
    change(|subject| subject.request = None);
}

fn change(change: impl FnOnce(&mut Subject)) {
    // Whoever runs it without saying what it is about, such as a test, has nothing to change.
    let _ = SUBJECT.try_with(|subject| change(&mut subject.borrow_mut()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_knows_what_it_is_about_and_others_do_not() {
        let request = RequestId::from_random([1; 16]);
        let session = SessionId::from_random([2; 16]);
        let about = Subject::of_request(request.clone());
        let within = about.clone().of(async move {
            assert_eq!(Subject::now(), about);
            runs(session);
            tokio::task::yield_now().await;
            let both = Subject {
                request: Some(request),
                session: Some(session),
            };
            assert_eq!(Subject::now(), both);
            outlives_request();
            Subject::now()
        });
        let beside = async {
            tokio::task::yield_now().await;
            Subject::now()
        };
        let (within, beside) = tokio::join!(within, beside);
        assert_eq!((within.request, within.session), (None, Some(session)));
        assert_eq!(beside, Subject::default());
    }
}
