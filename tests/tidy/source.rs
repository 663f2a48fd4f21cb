//! Rust sources as text: without comments, literals and tests, and the paths that they name.

use std::path::{Path, PathBuf};

/// A file of `src/` or `tests/`.
pub(crate) struct Source {
    /// Relative to the checkout, such as `src/rfb/init.rs`.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments, the contents of literals, and tests.
    pub(crate) code: String,
}

impl Source {
    /// A file with this text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let test = path.ends_with("/tests.rs") || path.contains("/tests/");
        let code = if test {
            String::new()
        } else {
            without_tests(&bare(text))
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
        }
    }

    /// The modules from the crate's root down to this file: `["rfb", "init"]`.
    pub(crate) fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<&str> = path.split('/').collect();
        if module.last() == Some(&"mod") {
            module.pop();
        }
        module
    }

    /// Every path that the code names, groups taken apart, and `super` resolved to `crate`.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let mut paths = paths(&self.code);
        let module = self.module();
        for path in &mut paths {
            let supers = path.iter().take_while(|part| *part == "super").count();
            if supers > 0 {
                let above = module.iter().take(module.len().saturating_sub(supers));
                let above = above.map(|&part| part.to_owned());
                let root = std::iter::once("crate".to_owned());
                path.splice(..supers, root.chain(above));
            }
        }
        paths
    }
}

/// All Rust files below a folder of the checkout.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(super::root().join(&folder)).unwrap();
        for entry in entries.map(Result::unwrap) {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(&path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn read(path: &Path) -> Source {
    let text = std::fs::read_to_string(super::root().join(path)).unwrap();
    Source::new(path.to_str().unwrap(), &text)
}

/// The text with comments and the contents of literals blanked out; line breaks stay.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if !word && let Some(len) = raw_string(rest) {
            len
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let (blanked, later) = rest.split_at(len);
        out.push(' ');
        out.extend(blanked.chars().filter(|c| *c == '\n'));
        rest = later;
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Length of a raw string that starts here, its `r#"` included.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let marks = after.len() - after.trim_start_matches('#').len();
    let body = after[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let found = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + found)
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a quote begins a character and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// The code without what is compiled for tests alone.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let mut depth = 0_usize;
        let end = item.char_indices().find(|(_, c)| {
            match c {
                '{' | '[' | '(' => depth += 1,
                '}' | ']' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(c, '}' | ';')
        });
        rest = end.map_or("", |(at, _)| &item[at + 1..]);
    }
    out + rest
}

/// The paths of bare code, each as its parts.
fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if is_name(tokens[at]) {
            at = tree(&tokens, at, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads the path or group at `at`, and says where it ends.
fn tree(
    tokens: &[&str],
    mut at: usize,
    above: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) -> usize {
    let depth = above.len();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while let Some(token) = tokens.get(at).filter(|token| **token != "}") {
                    if is_name(token) || *token == "{" {
                        at = tree(tokens, at, above, found);
                    } else {
                        at += 1;
                    }
                }
                above.truncate(depth);
                return at + 1;
            }
            Some(token) if is_name(token) => above.push((*token).to_owned()),
            _ => break,
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    found.push(above.clone());
    above.truncate(depth);
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            end.unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, later) = rest.split_at(len);
        tokens.push(token);
        rest = later.trim_start();
    }
    tokens
}

#[test]
fn groups_are_taken_apart_and_super_is_resolved() {
    let source = Source::new(
        "src/rfb/host/error.rs",
        "use crate::{a::b, c::{self, d as e}};\nfn f() { super::super::super::g::h(1); super::i::<u8>::j() }",
    );
    let paths: Vec<String> = source.paths().iter().map(|path| path.join("::")).collect();
    for path in [
        "crate::a::b",
        "crate::c::self",
        "crate::c::d",
        "crate::g::h",
        "crate::rfb::host::i",
    ] {
        assert!(
            paths.iter().any(|it| it == path),
            "{path} is not in {paths:?}"
        );
    }
}

#[test]
fn comments_literals_and_tests_are_no_code() {
    let text = "// crate::a\n/* /* crate::b */ */ const S: &str = r#\"crate::c \"# ; let q = '\"'; let s = \"\\\"crate::d\";\n\
                fn f<'a>(x: &'a str) { crate::e() }\n\
                #[cfg(test)]\n#[allow(dead_code)]\nmod tests { fn g() { crate::f() } }\nfn h() { crate::i() }";
    let code = Source::new("src/x.rs", text).code;
    for gone in ["crate::a", "crate::b", "crate::c", "crate::d", "crate::f"] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    assert!(code.contains("crate::e") && code.contains("crate::i"));
}
