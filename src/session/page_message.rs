//! What the gateway tells our page, in text frames beside the picture: `docs/page-channel.md`.

use serde::Serialize;

use crate::reason::Reason;
use crate::rfb::peer_text::PeerText;

/// The subprotocol by which a page asks for these messages.
pub const PROTOCOL: &str = "fanlight.1";

/// The version of the messages' form.
const VERSION: u8 = 1;

/// A message to the page.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PageMessage<'a> {
    /// The picture is about to come.
    Connected {
        /// The grant's name for the machine.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
    },
    /// How long a ping took to the browser and back.
    Rtt {
        /// Milliseconds.
        ms: u64,
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
        /// Whether opening the same console again may help.
        retry: bool,
    },
}

impl<'a> PageMessage<'a> {
    /// The end for a reason, with what the host said, and whether another attempt may help.
    #[must_use]
    pub fn end(reason: Reason, said: Option<&'a PeerText>, retry: bool) -> Self {
        Self::End {
            code: reason.code(),
            words: reason.words(),
            detail: said.map(PeerText::as_str),
            retry,
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

    #[test]
    fn messages_are_versioned_json() {
        let connected = PageMessage::Connected {
            name: Some("web-01 \"prod\""),
        };
        assert_eq!(
            connected.to_json(),
            r#"{"v":1,"type":"connected","name":"web-01 \"prod\""}"#
        );
        assert_eq!(
            PageMessage::Rtt { ms: 12 }.to_json(),
            r#"{"v":1,"type":"rtt","ms":12}"#
        );
        let said = PeerText::clean(b"Authentication failed\0");
        let end = PageMessage::end(Reason::HostAuthFailed, said.as_ref(), false).to_json();
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
