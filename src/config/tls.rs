//! TLS of the listeners.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::raw::{Typed, Value};
use super::reader::Reader;
use super::setting as s;
use super::value::{Item, Setable, Wrong, quote};
use crate::tls::certificates::CertificateFiles;

/// Whether a listener speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// With a certificate, and without one wherever others than this machine can listen in.
    Auto,
    /// Always.
    On,
    /// Never: a proxy in front does.
    Off,
}

impl TlsMode {
    const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// TLS of the listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Whether it is spoken where a listener does not say. Default: [`TlsMode::Auto`].
    pub mode: TlsMode,
    /// What browsers are shown, by name; the first is for those who ask for no name that any is for.
    /// Default: none, and where TLS is spoken all the same, a certificate of our own.
    pub certificates: Vec<CertificateFiles>,
}

impl Tls {
    /// Whether a listener of this mode speaks TLS at this TCP port, or at a Unix socket.
    pub(super) fn is_on(&self, mode: TlsMode, bound: Option<SocketAddr>) -> bool {
        let only_here = bound.is_none_or(|it| it.ip().is_loopback());
        match mode {
            TlsMode::Auto => !self.certificates.is_empty() || !only_here,
            TlsMode::On => true,
            TlsMode::Off => false,
        }
    }
}

/// `None` when the reader has noted a problem.
pub(super) fn tls(r: &mut Reader) -> Option<Tls> {
    let mode = r.take(&s::TLS_MODE);
    let certificate_file = r.take(&s::TLS_CERTIFICATE_FILE);
    let key_file = r.take(&s::TLS_KEY_FILE);
    match (
        r.is_set(&s::TLS_CERTIFICATE_FILE),
        r.is_set(&s::TLS_KEY_FILE),
    ) {
        (true, false) => r.refuse(&s::TLS_CERTIFICATE_FILE, "needs tls.key_file as well"),
        (false, true) => r.refuse(&s::TLS_KEY_FILE, "needs tls.certificate_file as well"),
        (true, true) | (false, false) => {}
    }
    let mut certificates = Vec::new();
    if let (Some(certificate_file), Some(key_file)) = (certificate_file, key_file) {
        certificates.push(CertificateFiles {
            certificate_file,
            key_file,
        });
    }
    let more: Option<Vec<CertificateFiles>> = r.take(&s::TLS_MORE_CERTIFICATES);
    if certificates.is_empty() && more.as_ref().is_some_and(|more| !more.is_empty()) {
        let message = "needs tls.certificate_file and tls.key_file, for those who ask for no name";
        r.refuse(&s::TLS_MORE_CERTIFICATES, message);
    }
    certificates.extend(more?);
    Some(Tls {
        mode: mode?,
        certificates,
    })
}

impl Setable for TlsMode {
    const EXPECTED: &'static str = "auto, on or off";

    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == text)
    }

    fn to_toml(&self) -> String {
        quote(self.name())
    }
}

impl Item for CertificateFiles {
    const LIST: &'static str =
        "a list such as [{ certificate_file = \"a.pem\", key_file = \"a.key\" }]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::with(
                typed,
                "expected { certificate_file = \"…\", key_file = \"…\" }",
            )
        };
        let (certificate, key) = match &typed.value {
            Value::Text(text) => {
                let message = "expected certificate=key each, commas between";
                let both = text.split_once('=');
                let (certificate, key) = both.ok_or_else(|| Wrong::with(typed, message))?;
                let path = |text: &str| Typed {
                    place: typed.place.clone(),
                    value: Value::Text(text.to_owned()),
                };
                (path(certificate), path(key))
            }
            Value::Table(entries) => {
                let entry = |name| {
                    let mut found = entries.iter().filter(|(key, ..)| key.as_str() == name);
                    found.next().map(|(_, _, value)| value.clone())
                };
                let both = (entry("certificate_file"), entry("key_file"));
                match (both, entries.len()) {
                    ((Some(certificate), Some(key)), 2) => (certificate, key),
                    _ => return Err(wrong()),
                }
            }
            _ => return Err(wrong()),
        };
        let file = |typed| PathBuf::read(typed).map_err(|_| wrong());
        Ok(Self {
            certificate_file: file(&certificate)?,
            key_file: file(&key)?,
        })
    }

    fn clash(_: &[Self]) -> Option<String> {
        None
    }

    fn item_to_toml(&self) -> String {
        let path = |path: &PathBuf| quote(&path.to_string_lossy());
        format!(
            "{{ certificate_file = {}, key_file = {} }}",
            path(&self.certificate_file),
            path(&self.key_file)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_listens_in_unless_told_to() {
        let tls = |mode, files: &[&str]| Tls {
            mode,
            certificates: files
                .iter()
                .map(|file| CertificateFiles {
                    certificate_file: file.into(),
                    key_file: file.into(),
                })
                .collect(),
        };
        let on = |tls: Tls| {
            [
                "a Unix socket",
                "127.0.0.1:1",
                "[::1]:1",
                "[::]:1",
                "10.0.0.1:1",
            ]
            .map(|it| tls.is_on(tls.mode, it.parse().ok()))
        };
        let auto = [false, false, false, true, true];
        assert_eq!(on(tls(TlsMode::Auto, &[])), auto);
        assert_eq!(on(tls(TlsMode::Auto, &["a"])), [true; 5]);
        assert_eq!(on(tls(TlsMode::On, &[])), [true; 5]);
        assert_eq!(on(tls(TlsMode::Off, &[])), [false; 5]);
    }
}
