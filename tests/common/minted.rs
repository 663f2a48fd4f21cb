//! A minted console, as the API's answer or its URL tell of it.

use serde_json::Value;

/// The API's answer to a mint.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The console's id.
    pub id: String,
    /// The page for a person.
    pub url: String,
    /// The WebSocket for a viewer that brings its own page.
    pub websocket_url: String,
    /// The subprotocols to offer there, the token among them.
    pub protocols: Vec<String>,
    /// Until when one may connect.
    pub expires_at: String,
}

impl Minted {
    /// A console whose URL came on another way than the API: everything else follows from it.
    pub fn from_url(url: &str) -> Self {
        let (base, _) = url.split_once("/novnc?token=").unwrap();
        let mut minted = Self {
            id: String::new(),
            url: url.to_owned(),
            websocket_url: format!("{}/novnc/websocket", base.replacen("http", "ws", 1)),
            protocols: Vec::new(),
            expires_at: String::new(),
        };
        minted.protocols = minted.page_protocols();
        minted
    }

    /// Reads the answer's body.
    pub fn from_answer(answer: &Value) -> Self {
        let text = |pointer: &str| {
            let value = answer.pointer(pointer).and_then(Value::as_str);
            value
                .unwrap_or_else(|| panic!("no {pointer} in {answer}"))
                .to_owned()
        };
        let protocols = answer
            .pointer("/websocket/protocols")
            .and_then(Value::as_array);
        let protocols = protocols.unwrap_or_else(|| panic!("no protocols in {answer}"));
        Self {
            id: text("/id"),
            url: text("/url"),
            websocket_url: text("/websocket/url"),
            protocols: protocols
                .iter()
                .map(|p| p.as_str().unwrap().to_owned())
                .collect(),
            expires_at: text("/expires_at"),
        }
    }

    /// The token out of the URL.
    pub fn token(&self) -> &str {
        let (_, token) = self.url.split_once("?token=").unwrap();
        token
    }

    /// The WebSocket's path, after the scheme and the authority.
    pub fn websocket_path(&self) -> &str {
        let (_, rest) = self.websocket_url.split_once("://").unwrap();
        &rest[rest.find('/').unwrap()..]
    }

    /// What our page offers as subprotocols.
    pub fn page_protocols(&self) -> Vec<String> {
        let token = format!("fanlight.token.{}", self.token());
        vec!["binary".to_owned(), "fanlight.1".to_owned(), token]
    }

    /// Where a stock client connects.
    pub fn stock_path(&self) -> String {
        let path = self.websocket_path().strip_suffix("/novnc/websocket");
        format!("{}/websockify?token={}", path.unwrap(), self.token())
    }
}
