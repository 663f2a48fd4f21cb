//! Asking a gateway's API from the command line.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::{Context as _, bail, ensure};
use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use zeroize::Zeroizing;

use super::secret_file::Kind;
use crate::cli::ApiArgs;
use crate::fetch::{Fetcher, Question, Url};
use crate::host::resolve::Resolver;
use crate::secret::Secret;
use crate::tls::connect::{ClientCertificate, Connector, Trust};
use crate::tls::verify::Remedy;

/// The variable that holds the key where no file is named.
const KEY_VARIABLE: &str = "FANLIGHT_API_KEY";

const KEY: Kind = Kind {
    what: "API key",
    max: 256,
};

/// The longest answer, in bytes: a page of sessions with all labels that there may be.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// A gateway's API, and who asks.
pub(super) struct Api {
    url: Url,
    fetcher: Fetcher,
    /// Nothing where a certificate says who it is.
    authorization: Option<HeaderValue>,
}

impl Api {
    pub(super) fn new(args: &ApiArgs) -> anyhow::Result<Self> {
        ensure!(
            args.at.socket.is_none() || args.socket.is_none(),
            "--api names a socket, and --socket names another: leave one of them out"
        );
        let url = args.at.url.clone();
        let url = match args.at.socket.as_ref().or(args.socket.as_ref()) {
            Some(socket) => url.at(socket.clone()),
            None => url,
        };
        ensure!(
            args.cert.is_none() || url.is_https(),
            "a certificate is shown inside TLS alone, and {url} has none: name an https URL with --api"
        );
        let client = args.cert.as_ref().map(|cert| ClientCertificate {
            certificate_file: cert.clone(),
            key_file: args.cert_key.as_ref().unwrap_or(cert).clone(),
        });
        let tls = Connector::new(&Trust {
            ca_file: args.ca_file.clone(),
            client,
            remedy: Remedy::Flags,
            ..Trust::default()
        })?;
        Ok(Self {
            url,
            fetcher: Fetcher {
                resolver: Resolver::from_system()?,
                tls,
                within: args.timeout,
            },
            authorization: authorization(args)?,
        })
    }

    /// Asks, and gives the JSON of a good answer; null where there is none.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = self.url.join(path);
        let mut headers = HeaderMap::new();
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.insert(CONTENT_TYPE, json);
        }
        let question = Question {
            method,
            headers,
            body: body
                .map(|it| Bytes::from(it.to_string()))
                .unwrap_or_default(),
        };
        let (status, body) = self
            .fetcher
            .fetch(&url, question, MAX_ANSWER)
            .await
            .with_context(|| url.to_string())?;
        let answer: Value = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body)
                .with_context(|| format!("{url} answered {status}, which is not the API's JSON"))?,
        };
        ensure!(
            status.is_success(),
            "{url}: {}",
            problem(&answer, status.as_u16())
        );
        Ok(answer)
    }
}

/// The key as a header. The variable is not looked at where a certificate is shown: the gateway asks
/// nothing else of who presents a key.
fn authorization(args: &ApiArgs) -> anyhow::Result<Option<HeaderValue>> {
    let key = match &args.key_file {
        Some(file) => KEY.read(file)?,
        None if args.cert.is_some() => return Ok(None),
        None => match std::env::var_os(KEY_VARIABLE) {
            Some(key) => Secret::new(key.into_encoded_bytes()),
            None => {
                bail!(
                    "nothing says who asks: name a file with --key-file or a certificate with \
                     --cert, or set {KEY_VARIABLE}"
                )
            }
        },
    };
    let mut bearer = Zeroizing::new(b"Bearer ".to_vec());
    bearer.extend_from_slice(key.expose());
    let mut authorization =
        HeaderValue::from_bytes(&bearer).context("the API key is not one word")?;
    authorization.set_sensitive(true);
    Ok(Some(authorization))
}

/// Prints an answer as JSON.
pub(super) fn print(value: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{value:#}")?;
    Ok(())
}

/// What the gateway says is wrong, fit for a terminal: a line, and one more for each error of a
/// configuration.
fn problem(answer: &Value, status: u16) -> String {
    let Some(first) = joined(answer, &["title", "detail"]) else {
        return format!("status {status}");
    };
    let errors = answer.get("errors").and_then(Value::as_array);
    let errors = errors.into_iter().flatten();
    let errors = errors.filter_map(|error| joined(error, &["place", "setting", "message"]));
    std::iter::once(first)
        .chain(errors)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Those of the members that are texts, with colons between.
pub(super) fn joined(value: &Value, members: &[&str]) -> Option<String> {
    let texts = members
        .iter()
        .filter_map(|member| value.get(member)?.as_str());
    let texts: Vec<_> = texts.map(|text| text.escape_debug().to_string()).collect();
    (!texts.is_empty()).then(|| texts.join(": "))
}

/// A text as part of a path or query ([RFC 3986, 2.3]).
///
/// [RFC 3986, 2.3]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_plain_is_encoded() {
        assert_eq!(encode("vm=web-01"), "vm%3Dweb-01");
        assert_eq!(encode("a&b é\n"), "a%26b%20%C3%A9%0A");
    }

    #[test]
    fn a_problem_is_said_without_tricks() {
        let answer = serde_json::json!({ "title": "Not\u{1b}[2J", "detail": "a\nb" });
        assert_eq!(problem(&answer, 400), "Not\\u{1b}[2J: a\\nb");
        assert_eq!(problem(&Value::Null, 502), "status 502");
        let errors = serde_json::json!([{ "message": "c\u{1b}" }, { "place": "a:1", "setting": "b", "message": "d" }]);
        let answer = serde_json::json!({ "title": "Not valid", "errors": errors });
        assert_eq!(problem(&answer, 409), "Not valid\nc\\u{1b}\na:1: b: d");
    }
}
