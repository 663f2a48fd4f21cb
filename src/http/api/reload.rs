//! `POST /api/v1/reload`: the configuration is read again, as it is at SIGHUP.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::audit::{Act, Audit, Event};
use crate::http::Client;
use crate::http::api::Api;
use crate::http::api::body::NoBody;
use crate::http::api::keys::Caller;
use crate::http::problem::Problem;
use crate::subject::Subject;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reloaded {
    /// The settings that are others than before and hold from now on, by their paths.
    pub changed: Vec<String>,
    /// The settings that are others in the configuration than in use, and need a restart.
    pub needs_restart: Vec<String>,
    /// What stays as it was by itself, because its files are no good.
    pub kept: Vec<Kept>,
}

/// A part of the gateway that stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Which: `certificates`, `client_authorities` or `key_ring`.
    pub part: &'static str,
    /// What is wrong with its files.
    pub message: String,
}

/// One thing that is wrong with a configuration. It repeats no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// Where it was typed: `fanlight.toml:12:7`, a variable or a flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The setting's path, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// What came of it, or all that is wrong: then nothing has changed.
pub type Outcome = Result<Reloaded, Vec<ConfigError>>;

/// The queue before whoever can read the configuration again. Clones are the same queue.
#[derive(Clone, Debug)]
pub struct Reloads {
    queue: mpsc::Sender<Asked>,
    closing: CancellationToken,
}

/// Somebody who wants the configuration to be read again, and waits.
#[derive(Debug)]
pub struct Asked {
    outcome: oneshot::Sender<Outcome>,
    audit: Audit,
    /// Who, for the audit log.
    event: Event,
    subject: Subject,
}

impl Reloads {
    /// A queue and its end, where those who ask arrive one after the other, until `closing` or the
    /// end is dropped.
    #[must_use]
    pub fn queue(closing: CancellationToken) -> (Self, mpsc::Receiver<Asked>) {
        let (queue, end) = mpsc::channel(1);
        (Self { queue, closing }, end)
    }

    /// Waits for its turn and for what comes of it; `None` when nobody does it any more.
    async fn ask(&self, audit: Audit, event: Event) -> Option<Outcome> {
        let (outcome, answer) = oneshot::channel();
        let asked = Asked {
            outcome,
            audit,
            event,
            subject: Subject::now(),
        };
        let asking = async {
            self.queue.send(asked).await.ok()?;
            answer.await.ok()
        };
        self.closing.run_until_cancelled(asking).await.flatten()
    }
}

impl Asked {
    /// The request by which it was asked.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject.clone()
    }

    /// Whether nobody waits any more, and nothing needs to be done.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.outcome.is_closed()
    }

    /// Says what came of it, to the audit log also where nobody waits any more.
    pub fn answer(self, outcome: Outcome) {
        let said = match &outcome {
            Ok(reloaded) => reloaded.in_words(),
            Err(_) => "refused: the configuration is not valid".to_owned(),
        };
        self.audit.record(Event {
            detail: Some(said),
            ..self.event
        });
        // Who left has not changed what came of it.
        let _ = self.outcome.send(outcome);
    }
}

impl Kept {
    /// A part and what is wrong with its files.
    #[must_use]
    pub const fn new(part: &'static str, message: String) -> Self {
        Self { part, message }
    }
}

impl Reloaded {
    fn in_words(&self) -> String {
        let kept: Vec<_> = self.kept.iter().map(|kept| kept.part.to_owned()).collect();
        let said = [
            ("changed", &self.changed),
            ("needs a restart", &self.needs_restart),
            ("kept", &kept),
        ];
        let said = said.iter().filter(|(_, names)| !names.is_empty());
        let said: Vec<_> = said
            .map(|(what, names)| format!("{what}: {}", names.join(", ")))
            .collect();
        if said.is_empty() {
            return "nothing changed".to_owned();
        }
        said.join("; ")
    }
}

/// Reads the configuration again, and answers when it holds.
pub(super) async fn reload(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    NoBody: NoBody,
) -> Result<Response, Problem> {
    info!(key = caller.key, client = %client.address, "asked to reload");
    let event = caller.does(Act::Reload, &client);
    let outcome = api.reloads.ask(api.audit.clone(), event).await;
    match outcome.ok_or(Problem::ReloadUnavailable)? {
        Ok(reloaded) => Ok(Json(reloaded).into_response()),
        Err(errors) => Err(Problem::ConfigInvalid(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event::new(Act::Reload)
    }

    #[tokio::test]
    async fn those_who_ask_at_once_are_taken_in_turn() {
        let (reloads, mut queue) = Reloads::queue(CancellationToken::new());
        let answering = async {
            for count in 0..3 {
                let changed = vec![count.to_string()];
                queue.recv().await.unwrap().answer(Ok(Reloaded {
                    changed,
                    ..Reloaded::default()
                }));
            }
            drop(queue);
        };
        let ask = || async {
            let outcome = reloads.ask(Audit::off(), event()).await;
            outcome.unwrap().unwrap().changed.concat()
        };
        let (one, two, three, ()) = tokio::join!(ask(), ask(), ask(), answering);
        assert_eq!([one, two, three], ["0", "1", "2"]);
        assert_eq!(reloads.ask(Audit::off(), event()).await, None);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_gateway_that_stops() {
        let closing = CancellationToken::new();
        let (reloads, mut queue) = Reloads::queue(closing.clone());
        let stopping = async {
            let asked = queue.recv().await.unwrap();
            closing.cancel();
            asked
        };
        let (outcome, asked) = tokio::join!(reloads.ask(Audit::off(), event()), stopping);
        assert_eq!(outcome, None);
        assert!(asked.is_gone());
    }

    #[test]
    fn the_audit_log_names_what_changed() {
        let mut reloaded = Reloaded::default();
        assert_eq!(reloaded.in_words(), "nothing changed");
        reloaded
            .kept
            .push(Kept::new("key_ring", "its line 3".to_owned()));
        assert_eq!(reloaded.in_words(), "kept: key_ring");
        reloaded.changed = ["a.b", "c"].map(str::to_owned).into();
        reloaded.needs_restart.push("d".to_owned());
        let words = "changed: a.b, c; needs a restart: d; kept: key_ring";
        assert_eq!(reloaded.in_words(), words);
    }
}
