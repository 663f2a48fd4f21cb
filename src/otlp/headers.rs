//! Headers that stand in a file, since they may be secrets.

use std::path::{Path, PathBuf};

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::regular_file;
use crate::token::credentials::is_reserved;

/// Why there are no headers. The words hold nothing of the file's text.
#[derive(Debug, thiserror::Error)]
pub enum HeadersError {
    /// The file cannot be read.
    #[error("the headers {path} cannot be read (setting traces.headers_file): {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A line of it is no header.
    #[error(
        "the headers {path} have a line that is not `name: value` (setting traces.headers_file): line {line}"
    )]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// Which line, from 1 on.
        line: usize,
    },
    /// A header of it is for the gateway to set.
    #[error(
        "the headers {path} have one that belongs to the request itself (setting traces.headers_file): line {line}"
    )]
    Reserved {
        /// The file.
        path: PathBuf,
        /// Which line, from 1 on.
        line: usize,
    },
}

/// The headers in a file, one in each line; empty lines are left out.
///
/// # Errors
/// [`HeadersError`].
pub fn read(path: &Path) -> Result<HeaderMap, HeadersError> {
    let text = regular_file::read_to_string(path).map_err(|error| HeadersError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let mut headers = HeaderMap::new();
    let lines = text.lines().map(str::trim).enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let (name, value) = header(line).ok_or_else(|| HeadersError::NoHeader {
            path: path.to_owned(),
            line: index + 1,
        })?;
        if is_ours(&name) {
            return Err(HeadersError::Reserved {
                path: path.to_owned(),
                line: index + 1,
            });
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::try_from(name.trim_end()).ok()?;
    let mut value = HeaderValue::try_from(value.trim_start()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// What says how the request is framed, and what its body is.
fn is_ours(name: &HeaderName) -> bool {
    is_reserved(name.as_str()) || [CONTENT_TYPE, CONTENT_ENCODING].contains(name)
}
