//! `fanlight sessions` and `fanlight consoles`.

use std::io::{self, Write};

use anyhow::Context as _;
use axum::http::Method;
use serde_json::{Map, Value, json};

use super::api::{Api, encode, print};
use crate::cli::{
    ConsolesCommand, ConsolesRevokeArgs, SessionsCommand, SessionsEndArgs, SessionsListArgs,
    SessionsPermitArgs, SessionsPressArgs, SessionsShowArgs,
};

const SESSIONS: &str = "/api/v1/sessions";

pub(super) fn sessions(command: SessionsCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let runtime = super::runtime()?;
    match command {
        SessionsCommand::List(args) => runtime.block_on(list(&args, out)),
        SessionsCommand::Show(args) => runtime.block_on(show(&args, out)),
        SessionsCommand::Permit(args) => runtime.block_on(permit(&args, out)),
        SessionsCommand::Press(args) => runtime.block_on(press(&args, out)),
        SessionsCommand::End(args) => runtime.block_on(end(&args, out)),
    }
}

pub(super) fn consoles(command: ConsolesCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let ConsolesCommand::Revoke(args) = command;
    super::runtime()?.block_on(revoke(&args, out))
}

async fn list(args: &SessionsListArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let mut query = "limit=500".to_owned();
    for (key, value) in &args.labels {
        query += &format!("&label={}", encode(&format!("{key}={value}")));
    }
    if let Some(console) = args.console {
        query += &format!("&console={console}");
    }
    let mut sessions = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{SESSIONS}?{query}{cursor}");
        let mut page = api.ask(Method::GET, &path, None).await?;
        let Some(Value::Array(more)) = page.get_mut("sessions").map(Value::take) else {
            anyhow::bail!("the answer has no list of sessions");
        };
        sessions.extend(more);
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", encode(next)),
            None => break,
        }
    }
    if args.api.json {
        return print(&json!({ "sessions": sessions }), out);
    }
    let mut rows = vec![
        [
            "SESSION",
            "STATE",
            "CLIENT",
            "STARTED",
            "IDLE SINCE",
            "LABELS",
        ]
        .map(str::to_owned),
    ];
    rows.extend(sessions.iter().map(|session| {
        let text = |member: &str| shown(session.get(member));
        [
            text("id"),
            text("state"),
            text("client"),
            text("started"),
            text("idle_since"),
            text("labels"),
        ]
    }));
    Ok(table(&rows, out)?)
}

async fn show(args: &SessionsShowArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let path = format!("{SESSIONS}/{}", args.id);
    let session = api.ask(Method::GET, &path, None).await?;
    if args.api.json {
        return print(&session, out);
    }
    let members = session.as_object().context("the answer is no session")?;
    for (name, value) in members {
        writeln!(
            out,
            "{:<12}{}",
            name.escape_debug().to_string(),
            shown(Some(value))
        )?;
    }
    Ok(())
}

async fn permit(args: &SessionsPermitArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let said = [
        ("view_only", json!(args.view_only)),
        ("clipboard", json!(args.clipboard)),
        (
            "clipboard_to_machine_max",
            json!(args.clipboard_to_machine_max),
        ),
        (
            "clipboard_from_machine_max",
            json!(args.clipboard_from_machine_max),
        ),
        ("resize", json!(args.resize)),
        ("power", json!(args.power)),
    ];
    let said = said.into_iter().filter(|(_, value)| !value.is_null());
    let said: Map<_, _> = said.map(|(name, value)| (name.to_owned(), value)).collect();
    anyhow::ensure!(
        !said.is_empty(),
        "say what is to change, such as --view-only true"
    );
    let path = format!("{SESSIONS}/{}", args.id);
    let body = json!({ "permissions": said });
    let session = api.ask(Method::PATCH, &path, Some(&body)).await?;
    if args.api.json {
        return print(&session, out);
    }
    writeln!(out, "{}", shown(session.get("permissions")))?;
    Ok(())
}

async fn press(args: &SessionsPressArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let path = format!("{SESSIONS}/{}/keys", args.id);
    let body = json!({ "keys": args.keys });
    api.ask(Method::POST, &path, Some(&body)).await?;
    if args.api.json {
        return print(&json!({ "keys": args.keys }), out);
    }
    writeln!(out, "on their way to {}", args.id)?;
    Ok(())
}

async fn end(args: &SessionsEndArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let message = args.message.as_deref().map(encode);
    let query = message.map(|message| format!("?message={message}"));
    let path = format!("{SESSIONS}/{}{}", args.id, query.unwrap_or_default());
    api.ask(Method::DELETE, &path, None).await?;
    if args.api.json {
        return print(&json!({ "sessions_ended": 1 }), out);
    }
    writeln!(out, "ended {}", args.id)?;
    Ok(())
}

async fn revoke(args: &ConsolesRevokeArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let api = Api::new(&args.api)?;
    let answer = match (&args.id, &args.label) {
        (Some(id), _) => {
            let path = format!("/api/v1/consoles/{id}");
            api.ask(Method::DELETE, &path, None).await?
        }
        (None, Some((key, value))) => {
            let body = json!({ "label": { "key": key, "value": value } });
            let path = "/api/v1/revocations";
            api.ask(Method::POST, path, Some(&body)).await?
        }
        (None, None) => anyhow::bail!("which console?"),
    };
    if args.api.json {
        return print(&answer, out);
    }
    let ended = shown(answer.get("sessions_ended"));
    writeln!(out, "revoked; sessions ended: {ended}")?;
    Ok(())
}

/// A member of an answer for people. What came from elsewhere is not trusted with the terminal.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.escape_debug().to_string(),
        Some(Value::Object(members)) if members.is_empty() => "-".to_owned(),
        Some(Value::Object(members)) => {
            let members = members.iter();
            let pairs = members
                .map(|(key, value)| format!("{}={}", key.escape_debug(), shown(Some(value))));
            pairs.collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    }
}

/// Columns side by side, each as wide as its widest cell; the last one as it is.
fn table<const N: usize>(rows: &[[String; N]], out: &mut dyn Write) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line += &format!("{cell:<width$}  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_columns_and_no_tricks() {
        let value =
            json!({ "id": "a\u{1b}", "labels": { "user": "ada", "vm": "x\ny" }, "none": {} });
        let cell = |member: &str| shown(value.get(member));
        let rows = [
            ["ID", "LABELS", "NONE"].map(str::to_owned),
            [cell("id"), cell("labels"), cell("none")],
        ];
        let mut out = Vec::new();
        table(&rows, &mut out).unwrap();
        let expected = "ID       LABELS            NONE\na\\u{1b}  user=ada vm=x\\ny  -\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
