//! What the gateway tells our page, in text frames beside the picture: `docs/page-channel.md`.

use serde::Serialize;

use crate::rfb::peer_text::PeerText;
use crate::rfb::permissions::Permissions;
use crate::session::end::End;

/// The subprotocol by which a page asks for these messages.
pub const PROTOCOL: &str = "fanlight.1";

/// The version of the messages' form.
const VERSION: u8 = 1;

/// A message to the page. It has no `Debug`, since one of them holds a secret.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PageMessage<'a> {
    /// The picture is about to come.
    Connected {
        /// The grant's name for the machine.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        /// What the page comes back with, should it lose the session.
        #[serde(skip_serializing_if = "Option::is_none")]
        resume: Option<&'a str>,
        /// For how many seconds after a loss it may.
        #[serde(skip_serializing_if = "Option::is_none")]
        grace: Option<u64>,
    },
    /// How long a ping took to the browser and back.
    Rtt {
        /// Milliseconds.
        ms: u64,
    },
    /// Nobody seems to be there, and the session will end for that.
    IdleSoon {
        /// How long there is left.
        seconds: u64,
    },
    /// Somebody is there after all.
    IdleOver,
    /// What the viewer may do, at the beginning and after every change.
    Permissions {
        /// Nothing that is done reaches the machine.
        view_only: bool,
        /// Whether text may go to the machine.
        clipboard_to_machine: bool,
        /// Whether text may come from the machine.
        clipboard_from_machine: bool,
        /// Whether the screen's size may be changed.
        resize: bool,
        /// Whether the machine may be shut down and reset.
        power: bool,
    },
    /// The gateway is about to go.
    Draining {
        /// When it ends this session, should it still be here.
        seconds: u64,
        /// Whether the session can go on at another gateway, by the secret.
        elsewhere: bool,
    },
    /// The session is over; a close frame follows.
    End {
        /// The reason's stable code.
        code: &'static str,
        /// The reason in words.
        words: &'static str,
        /// What the host said itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
        /// What the gateway says beside the reason's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
        /// Whether opening the same console again may help.
        retry: bool,
    },
}

impl<'a> PageMessage<'a> {
    /// What is left of permissions when they are put into practice.
    #[must_use]
    pub const fn permissions(permissions: Permissions) -> Self {
        let Permissions {
            view_only,
            clipboard,
            resize,
            power,
        } = permissions.effective();
        Self::Permissions {
            view_only,
            clipboard_to_machine: clipboard.to_machine > 0,
            clipboard_from_machine: clipboard.from_machine > 0,
            resize,
            power,
        }
    }

    /// The end of a session, or the refusal of one.
    #[must_use]
    pub fn end(end: &'a End) -> Self {
        Self::End {
            code: end.reason.code(),
            words: end.reason.words(),
            detail: end.said.as_ref().map(PeerText::as_str),
            note: end.note.as_deref(),
            retry: end.retry,
        }
    }

    /// The text of the frame.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Versioned<'m> {
            v: u8,
            #[serde(flatten)]
            message: &'m PageMessage<'m>,
        }
        // Strings and numbers cannot fail to become JSON.
        serde_json::to_string(&Versioned {
            v: VERSION,
            message: self,
        })
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn messages_are_versioned_json() {
        let connected = PageMessage::Connected {
            name: Some("web-01 \"prod\""),
            resume: None,
            grace: None,
        };
        assert_eq!(
            connected.to_json(),
            r#"{"v":1,"type":"connected","name":"web-01 \"prod\""}"#
        );
        assert_eq!(
            PageMessage::Rtt { ms: 12 }.to_json(),
            r#"{"v":1,"type":"rtt","ms":12}"#
        );
        assert_eq!(
            PageMessage::IdleSoon { seconds: 60 }.to_json(),
            r#"{"v":1,"type":"idle_soon","seconds":60}"#
        );
        let draining = PageMessage::Draining {
            seconds: 30,
            elsewhere: true,
        };
        assert_eq!(
            draining.to_json(),
            r#"{"v":1,"type":"draining","seconds":30,"elsewhere":true}"#
        );
        assert_eq!(
            PageMessage::IdleOver.to_json(),
            r#"{"v":1,"type":"idle_over"}"#
        );
        assert_eq!(
            PageMessage::permissions(Permissions::default().looking_on()).to_json(),
            r#"{"v":1,"type":"permissions","view_only":true,"clipboard_to_machine":false,"clipboard_from_machine":false,"resize":false,"power":false}"#
        );
        let end = End {
            said: PeerText::clean(b"Authentication failed\0"),
            ..End::plain(Reason::HostAuthFailed)
        };
        let end = PageMessage::end(&end).to_json();
        assert!(
            end.starts_with(r#"{"v":1,"type":"end","code":"host_auth_failed","words":"The "#),
            "{end}"
        );
        assert!(
            end.ends_with(r#""detail":"Authentication failed","retry":false}"#),
            "{end}"
        );
    }
}
