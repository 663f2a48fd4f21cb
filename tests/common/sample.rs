//! What `deploy/` holds, as a test uses it.

use std::path::Path;

/// A file of `deploy/`.
pub fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The text with each `from` in place of its `to`; each has to be there.
pub fn changed(mut text: String, changes: &[(&str, &str)]) -> String {
    for (from, to) in changes {
        assert!(text.contains(from), "no {from:?} in:\n{text}");
        text = text.replace(from, to);
    }
    text
}
