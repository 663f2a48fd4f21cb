//! `fanlight token inspect`: what a token says.

use std::io::{self, Read as _, Write};

use anyhow::{Context as _, ensure};
use zeroize::Zeroizing;

use super::{load_config, now};
use crate::cli::{InspectArgs, TokenCommand};
use crate::clock::UnixTime;
use crate::keyring_file;
use crate::token::{self, Grant};
use crate::unit;

/// The most that is read from standard input, in bytes: a URL around the longest token.
const MAX_INPUT: u64 = 16 * 1024;

pub(super) fn run(command: TokenCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let TokenCommand::Inspect(args) = command;
    inspect(args, out)
}

fn inspect(args: InspectArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let resolved = load_config(&args.config, Vec::new())?;
    let ring = keyring_file::load(&resolved.config.tokens.keyring_file)?;
    let text = Zeroizing::new(args.token);
    let text = if *text == "-" {
        read_stdin()?
    } else {
        // Said even when nobody reads standard error any more.
        let _ = writeln!(
            io::stderr(),
            "fanlight: other users can see a command line; prefer standard input for tokens"
        );
        text
    };
    let token = token_in(text.trim());
    let grant = token::read(token, &ring)?;
    // It opened, so that this part is the name of a key.
    let key = token.split('.').nth(1).unwrap_or_default();
    writeln!(out, "key         {key}")?;
    show(&grant, now(), out)
}

fn show(grant: &Grant, now: UnixTime, out: &mut dyn Write) -> anyhow::Result<()> {
    let login = &grant.credentials.login;
    let password = match (&login.password, login.relay) {
        (Some(_), _) => "***",
        (None, true) => "asked of the viewer",
        (None, false) => "none",
    };
    let expiry = if now > grant.connect_by {
        "expired".to_owned()
    } else {
        let left = grant.connect_by.as_secs().saturating_sub(now.as_secs());
        let left = std::time::Duration::from_secs(left);
        format!("{} left", unit::print_duration(left))
    };
    writeln!(out, "console     {}", grant.id)?;
    writeln!(out, "target      {}", grant.target)?;
    writeln!(out, "password    {password}")?;
    if let Some(name) = &grant.name {
        writeln!(out, "name        {name}")?;
    }
    for (key, value) in grant.labels.iter() {
        writeln!(out, "label       {key}={value}")?;
    }
    writeln!(out, "minted      {}", grant.minted_at)?;
    writeln!(out, "connect by  {} ({expiry})", grant.connect_by)?;
    Ok(())
}

fn read_stdin() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .context("cannot read the token from standard input")?;
    ensure!(
        !text.trim().is_empty(),
        "there is no token on standard input"
    );
    Ok(text)
}

/// The token itself, also out of a console URL. No character of a token is ever percent-encoded.
fn token_in(text: &str) -> &str {
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_a_url() {
        for (text, token) in [
            ("fl1.a.b", "fl1.a.b"),
            ("https://console.example/novnc?token=fl1.a.b", "fl1.a.b"),
            ("wss://console.example/x?a=1&token=fl1.a.b&c#d", "fl1.a.b"),
            (
                "https://console.example/novnc",
                "https://console.example/novnc",
            ),
        ] {
            assert_eq!(token_in(text), token);
        }
    }
}
