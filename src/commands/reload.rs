//! `fanlight reload`: has a running gateway read its configuration again.

use std::io::{self, Write};

use anyhow::ensure;
use axum::http::Method;
use serde_json::Value;

use super::api::{Api, joined, print};
use crate::cli::ReloadArgs;

pub(super) fn run(args: &ReloadArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    super::runtime()?.block_on(reload(args, out))
}

async fn reload(args: &ReloadArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let answer = api.ask(Method::POST, "/api/v1/reload", None).await?;
    if args.api.json {
        print(&answer, out)?;
    } else {
        tell(&answer, out)?;
    }
    let kept = list(&answer, "kept").filter_map(|kept| joined(kept, &["part", "message"]));
    let kept: Vec<_> = kept.collect();
    ensure!(kept.is_empty(), "stays as it was: {}", kept.join("; "));
    Ok(())
}

/// What holds and what waits, one setting a line.
fn tell(answer: &Value, out: &mut dyn Write) -> io::Result<()> {
    let said = [("changed", "changed"), ("needs_restart", "needs a restart")];
    let lines = said.into_iter().flat_map(|(member, what)| {
        let settings = list(answer, member).filter_map(Value::as_str);
        settings.map(move |setting| format!("{what}: {}", setting.escape_debug()))
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return writeln!(out, "nothing has changed");
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn list<'a>(answer: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = answer.get(member).and_then(Value::as_array);
    list.into_iter().flatten()
}
