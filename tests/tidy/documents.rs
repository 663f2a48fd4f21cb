//! What documents say that the code knows better.

use std::collections::BTreeSet;
use std::path::Path;

use fanlight::reason::Reason;

use crate::{none, read, root};

#[test]
fn troubleshooting_has_every_reason_and_no_other() {
    none(reasons(&read("docs/troubleshooting.md")));
}

/// Reasons without a row or with the wrong number, and rows without a reason.
fn reasons(document: &str) -> Vec<String> {
    let rows = document.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let code = cells.next()?.trim().trim_end_matches('`');
        Some((code.to_owned(), cells.next()?.trim().to_owned()))
    });
    let rows: BTreeSet<(String, String)> = rows.collect();
    let known = Reason::ALL.iter();
    let known: BTreeSet<(String, String)> = known
        .map(|reason| (reason.code().to_owned(), reason.close_code().to_string()))
        .collect();
    let problem = |(code, close): &(String, String)| {
        format!("docs/troubleshooting.md and src/reason do not agree about `{code}`, {close}")
    };
    rows.symmetric_difference(&known).map(problem).collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents = ["README.md", "SECURITY.md", "CHANGELOG.md"];
    let folder = std::fs::read_dir(root().join("docs")).unwrap();
    let docs = folder.map(|it| format!("docs/{}", it.unwrap().file_name().to_str().unwrap()));
    let all = documents.map(str::to_owned).into_iter().chain(docs);
    none(
        all.filter(|path| path.ends_with(".md"))
            .flat_map(|path| dead_links(&path, &read(&path))),
    );
}

/// The links to files of ours that are not there, and to headings that are not in them.
fn dead_links(path: &str, text: &str) -> Vec<String> {
    let folder = root().join(path);
    let folder = folder.parent().unwrap_or(Path::new(""));
    let links = text.split("](").skip(1);
    let targets = links.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets
        .filter(|target| !target.contains("://"))
        .filter(|target| {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                root().join(path)
            } else {
                folder.join(file)
            };
            let Ok(text) = std::fs::read_to_string(&file) else {
                return !file.exists();
            };
            !heading.is_empty() && !headings(&text).contains(heading)
        })
        .map(|target| format!("{path} links to {target}, which is not there"))
        .collect()
}

/// The headings of a document, as links name them.
fn headings(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('#'));
    lines
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words
                .chars()
                .filter(|it| it.is_alphanumeric() || " -_".contains(*it));
            kept.map(|it| if it == ' ' { '-' } else { it }).collect()
        })
        .collect()
}

#[test]
fn wrong_rows_and_dead_links_are_seen() {
    let good: String = Reason::ALL
        .iter()
        .map(|it| format!("| `{}` | {} | x |\n", it.code(), it.close_code()))
        .collect();
    assert_eq!(reasons(&good), [""; 0]);
    assert_eq!(
        reasons(&good.replacen("| `idle` |", "| `odd` |", 1)).len(),
        2
    );
    let text = "[a](docs/hosts.md) [b](docs/none.md) [c](docs/hosts.md#hosts) [d](docs/hosts.md#none) [e](https://a.example)";
    assert_eq!(dead_links("README.md", text).len(), 2);
}
