//! The connection that calls go over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, RedisError, ScriptInvocation, ServerErrorKind, Value,
};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tokio_util::context::TokioContext;

use super::call::Call;
use super::reply::UNREADABLE;
use super::{BadParams, Params};
use crate::store::Unavailable;

/// How often a call is tried where the connection is gone. Every script may be run twice.
const TRIES: u32 = 3;

/// The pause before the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// What a replica says.
const READ_ONLY: ErrorKind = ErrorKind::Server(ServerErrorKind::ReadOnly);

/// How many calls may wait for their turn to be sent.
const QUEUE: usize = 1024;

/// One connection, which many calls share and which comes back by itself. It lives in the runtime that it
/// was made in, and calls may come from others.
pub(super) struct Link {
    connection: Mutex<ConnectionManager>,
    client: Client,
    config: ConnectionManagerConfig,
    prefix: String,
    lease: String,
    gateway: String,
    timeout: Duration,
    away: Mutex<Option<Unavailable>>,
    home: Handle,
}

impl Link {
    pub(super) fn new(client: Client, params: &Params) -> Result<Self, BadParams> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(params.timeout))
            .set_response_timeout(Some(params.timeout))
            .set_pipeline_buffer_size(QUEUE);
        let connection = client.get_connection_manager_lazy(config.clone());
        let connection = connection.map_err(|error| BadParams(error.category().to_owned()))?;
        Ok(Self {
            connection: Mutex::new(connection),
            client,
            config,
            prefix: params.prefix.clone(),
            lease: params.lease.as_millis().to_string(),
            gateway: params.gateway.clone(),
            timeout: params.timeout,
            away: Mutex::new(Some(Unavailable("it was not asked yet".to_owned()))),
            home: Handle::current(),
        })
    }

    /// Runs a script.
    ///
    /// # Cancel safety
    /// When the future is dropped, the script runs whole or not at all.
    pub(super) async fn ask<T: FromRedisValue>(&self, call: Call) -> Result<T, Unavailable> {
        let mut script = call.script.prepare_invoke();
        script.arg(&self.prefix).arg(&self.lease).arg(&self.gateway);
        for argument in &call.arguments {
            script.arg(argument);
        }
        let answer = self.within(&Question::Script(script)).await?;
        redis::from_redis_value(answer).map_err(|_| Unavailable(UNREADABLE.to_owned()))
    }

    /// Tells all that listen on a channel. Tried twice, some may hear it twice.
    pub(super) async fn publish(&self, channel: &str, text: &str) -> Result<(), Unavailable> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(text);
        self.within(&Question::Command(command)).await.map(drop)
    }

    pub(super) async fn ping(&self) -> Result<(), Unavailable> {
        let command = Question::Command(redis::cmd("PING"));
        self.within(&command).await.map(drop)
    }

    async fn within(&self, question: &Question) -> Result<Value, Unavailable> {
        // Whoever finds the connection gone begins the next one.
        let at_home = TokioContext::new(self.attempt(question), self.home.clone());
        let answer = timeout(self.timeout, at_home).await;
        let answer = answer
            .unwrap_or_else(|_| Err(Unavailable(format!("no answer for {:?}", self.timeout))));
        *self.last() = answer.as_ref().err().cloned();
        answer
    }

    /// Why the last call had no answer, if it had none.
    pub(super) fn away(&self) -> Option<Unavailable> {
        self.last().clone()
    }

    fn last(&self) -> MutexGuard<'_, Option<Unavailable>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attempt(&self, question: &Question) -> Result<Value, Unavailable> {
        let mut tries = 1;
        loop {
            let mut connection = self.connection().clone();
            let answer = match question {
                Question::Script(script) => script.invoke_async(&mut connection).await,
                Question::Command(command) => command.query_async(&mut connection).await,
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if tries < TRIES && is_gone(&error) => {
                    tries += 1;
                    sleep(PAUSE).await;
                }
                Err(error) => {
                    if error.kind() == READ_ONLY {
                        self.connect_anew();
                    }
                    return Err(unavailable(&error));
                }
            }
        }
    }

    /// Whoever takes over from a Redis that writes nothing any more has its address now, but not
    /// the connection.
    fn connect_anew(&self) {
        let anew = self.client.get_connection_manager_lazy(self.config.clone());
        if let Ok(anew) = anew {
            *self.connection() = anew;
        }
    }

    fn connection(&self) -> MutexGuard<'_, ConnectionManager> {
        let connection = self.connection.lock();
        connection.unwrap_or_else(PoisonError::into_inner)
    }
}

enum Question {
    Script(ScriptInvocation<'static>),
    Command(Cmd),
}

/// Whether the connection is not there, and another may be.
fn is_gone(error: &RedisError) -> bool {
    error.is_io_error() && !error.is_timeout()
}

/// The code of what Redis says and not its words, which may repeat what it was asked.
pub(super) fn unavailable(error: &RedisError) -> Unavailable {
    let words = if error.is_timeout() {
        "no answer"
    } else if error.is_connection_refusal() {
        "connection refused"
    } else if error.is_io_error() {
        "the connection is gone"
    } else {
        error.code().unwrap_or_else(|| error.category())
    };
    Unavailable(words.to_owned())
}
