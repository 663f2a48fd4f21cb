//! The browser's handshake, beside the way to the host.
//!
//! Mostly neither needs the other until both are done. Where the password is the viewer's, the host
//! comes first as far as its challenge: whether there is one decides what the browser is offered.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};

use tokio::io::AsyncWriteExt;
use tokio::select;
use tokio::time::timeout;

use crate::drive::{Deadlines, drive};
use crate::host::{self, Asked, Failed, HostLeg, Reached};
use crate::reason::Reason;
use crate::rfb::Handshake;
use crate::rfb::browser::{
    BrowserError, Greeted, Greeting, Hello, Offer, Question, Versed, refusal,
};
use crate::session::Sessions;
use crate::session::end::End;
use crate::session::open::Socket;
use crate::token::Grant;

impl Sessions {
    /// Greets the browser and goes to the host. What the host came to is for the browser, which
    /// waits for SecurityResult then.
    ///
    /// # Errors
    /// The end of a browser that misbehaved or left.
    pub(super) async fn greet_and_reach(
        &self,
        socket: &mut Socket,
        unread: &mut Vec<u8>,
        admitted: Result<Grant, End>,
    ) -> Result<(Greeted, Result<HostLeg, End>), End> {
        let asks = matches!(&admitted, Ok(grant) if grant.credentials.login.relay);
        let reaching = pin!(self.reach(admitted));
        if asks {
            let hello = Hello::default();
            let (versed, reached) = self.beside(hello, socket, unread, reaching).await?;
            return self.ask(versed, reached, socket, unread).await;
        }
        let greeting = Greeting::default();
        let (greeted, reached) = self.beside(greeting, socket, unread, reaching).await?;
        Ok((greeted, reached.and_then(let_in)))
    }

    /// Puts the host's challenge to the viewer, if there is one, and passes the answer on.
    async fn ask(
        &self,
        versed: Versed,
        reached: Result<Reached, End>,
        socket: &mut Socket,
        unread: &mut Vec<u8>,
    ) -> Result<(Greeted, Result<HostLeg, End>), End> {
        let asked: Box<Asked> = match reached {
            Ok(Reached::Asked(asked)) => asked,
            other => {
                let greeted = self.browser(Offer::none(versed), socket, unread).await?;
                return Ok((greeted, other.and_then(let_in)));
            }
        };
        let mut question = Question::new(versed, asked.challenge());
        // As long as the host's patience lasts: somebody may be typing.
        let deadlines = Deadlines::all(self.params.host.handshake.security);
        let answer = drive(&mut question, socket, unread, &deadlines).await;
        let (greeted, response) = answer.map_err(|error| browser_end(socket, &error))?;
        let answered = select! {
            answered = asked.respond(response, &self.params.host) => answered,
            end = socket.wait_for_end(unread) => return Err(End::because(&end)),
        };
        let answered = answered.map_err(|failed| {
            let end = host_end(&failed);
            // Whoever mistyped may type again.
            let retry = end.retry || end.reason == Reason::HostAuthFailed;
            End { retry, ..end }
        });
        Ok((greeted, answered))
    }

    /// Goes to the host, if there is a grant to go with.
    async fn reach(&self, admitted: Result<Grant, End>) -> Result<Reached, End> {
        let grant = admitted?;
        host::reach(
            grant.into(),
            &self.resolver,
            &self.courtesy,
            &self.params.host,
        )
        .await
        .map_err(|failed| host_end(&failed))
    }

    /// Goes through a part of the browser's handshake while the host is being reached, and waits
    /// for both.
    ///
    /// A browser that misbehaves or leaves ends it at once; a host that fails waits until the
    /// browser can be told.
    async fn beside<M, R>(
        &self,
        mut machine: M,
        socket: &mut Socket,
        unread: &mut Vec<u8>,
        mut reaching: Pin<&mut impl Future<Output = R>>,
    ) -> Result<(M::Done, R), End>
    where
        M: Handshake<Error = BrowserError, Swap = Infallible>,
    {
        let mut reached = None;
        let deadlines = self.browser_deadlines();
        let done = {
            let mut done = pin!(drive(&mut machine, socket, unread, &deadlines));
            loop {
                select! {
                    done = &mut done => break done,
                    outcome = &mut reaching, if reached.is_none() => reached = Some(outcome),
                }
            }
        };
        let done = done.map_err(|error| browser_end(socket, &error))?;
        if let Some(reached) = reached {
            return Ok((done, reached));
        }
        select! {
            reached = reaching => Ok((done, reached)),
            end = socket.wait_for_end(unread) => Err(End::because(&end)),
        }
    }

    /// Goes through a part of the browser's handshake.
    pub(super) async fn browser<M>(
        &self,
        mut machine: M,
        socket: &mut Socket,
        unread: &mut Vec<u8>,
    ) -> Result<M::Done, End>
    where
        M: Handshake<Error = BrowserError, Swap = Infallible>,
    {
        let deadlines = self.browser_deadlines();
        let done = drive(&mut machine, socket, unread, &deadlines).await;
        done.map_err(|error| browser_end(socket, &error))
    }

    /// Tells a greeted browser why there is no picture, in RFB's own way.
    pub(super) async fn refuse(&self, socket: &mut Socket, greeted: Greeted, end: End) -> End {
        let words = refusal(greeted, end.reason, end.said.as_ref());
        // If the browser does not take it, the close frame will not arrive either.
        let sending = async {
            socket.write_all(&words).await?;
            socket.flush().await
        };
        let _ = timeout(self.params.browser_handshake, sending).await;
        end
    }

    const fn browser_deadlines(&self) -> Deadlines {
        Deadlines::all(self.params.browser_handshake)
    }
}

/// The leg to a host that asks nobody.
fn let_in(reached: Reached) -> Result<HostLeg, End> {
    reached.let_in().map_err(|failed| host_end(&failed))
}

fn host_end(failed: &Failed) -> End {
    End {
        said: failed.error.said().cloned(),
        security: failed.seen.chosen,
        ..End::because(&failed.error)
    }
}

/// What ended the browser's handshake: the WebSocket knows it better than RFB, where it ended.
fn browser_end(socket: &Socket, error: &BrowserError) -> End {
    match (socket.ended(), error) {
        (Some(end), BrowserError::Closed(_)) => End::because(end),
        _ => End::because(error),
    }
}
