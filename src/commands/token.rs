//! `fanlight token inspect`: what a token says.

use std::io::{self, Read as _, Write};

use anyhow::{Context as _, ensure};
use zeroize::Zeroizing;

use super::{load_config, now};
use crate::cli::{InspectArgs, TokenCommand};
use crate::clock::UnixTime;
use crate::keyring_file;
use crate::rfb::identity::Identity;
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::Permissions;
use crate::rfb::terms::Terms;
use crate::secret::Secret;
use crate::token::{self, Credentials, Grant};
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
    let expiry = if now > grant.connect_by {
        "expired".to_owned()
    } else {
        let left = grant.connect_by.as_secs().saturating_sub(now.as_secs());
        let left = std::time::Duration::from_secs(left);
        format!("{} left", unit::print_duration(left))
    };
    writeln!(out, "console     {}", grant.id)?;
    writeln!(out, "target      {}", grant.target)?;
    if let Some(profile) = &grant.target.profile {
        writeln!(out, "profile     {profile}")?;
    }
    credentials(&grant.credentials, out)?;
    terms(grant.terms, out)?;
    permissions(grant.permissions, out)?;
    if grant.pacing != Pacing::default() {
        writeln!(out, "pacing      {}", grant.pacing)?;
    }
    identity(&grant.identity, out)?;
    for network in &grant.binding.clients {
        writeln!(out, "only from   {network}")?;
    }
    for origin in &grant.binding.origins {
        writeln!(out, "only from   pages of {origin}")?;
    }
    if let Some(name) = &grant.name {
        writeln!(out, "name        {name}")?;
    }
    for (key, value) in grant.labels.iter() {
        writeln!(out, "label       {key}={}", value.escape_debug())?;
    }
    writeln!(out, "minted      {}", grant.minted_at)?;
    writeln!(out, "connect by  {} ({expiry})", grant.connect_by)?;
    Ok(())
}

fn credentials(credentials: &Credentials, out: &mut dyn Write) -> io::Result<()> {
    let login = &credentials.login;
    let hidden = |secret: &Option<Secret>| secret.as_ref().map(|_| "***");
    let password = match (&login.password, login.relay) {
        (Some(_), _) => "***",
        (None, true) => "asked of the viewer",
        (None, false) => "none",
    };
    text("user", login.username.as_deref(), out)?;
    text("password", Some(password), out)?;
    text("xvp target", login.xvp_target.as_deref(), out)?;
    text("repeater", login.repeater_id.as_deref(), out)?;
    text("cookie", hidden(&credentials.cookie), out)?;
    for header in &credentials.headers {
        writeln!(out, "header      {header:?}")?;
    }
    Ok(())
}

fn terms(terms: Terms, out: &mut dyn Write) -> io::Result<()> {
    for (said, words) in [
        (terms.require_tls, "demands     TLS in the login"),
        (terms.refuse_none, "demands     authentication"),
        (terms.allow_clear_text, "permits     clear text"),
    ] {
        if said {
            writeln!(out, "{words}")?;
        }
    }
    Ok(())
}

/// What differs from the usual.
fn permissions(permissions: Permissions, out: &mut dyn Write) -> io::Result<()> {
    let usual = Permissions::default();
    let Permissions {
        view_only,
        clipboard,
        resize,
        power,
    } = permissions;
    for (said, words) in [
        (view_only, "forbids     everything but looking"),
        (!resize, "forbids     resizing"),
        (power, "permits     shutdown, reboot and reset"),
    ] {
        if said {
            writeln!(out, "{words}")?;
        }
    }
    for (most, usual, way) in [
        (clipboard.to_machine, usual.clipboard.to_machine, "to"),
        (clipboard.from_machine, usual.clipboard.from_machine, "from"),
    ] {
        match most {
            most if most == usual => {}
            0 => writeln!(out, "forbids     text {way} the machine")?,
            most => writeln!(out, "permits     {most} bytes of text {way} the machine")?,
        }
    }
    Ok(())
}

fn identity(identity: &Identity, out: &mut dyn Write) -> io::Result<()> {
    for key in &identity.certificates {
        writeln!(out, "pin         certificate {key}")?;
    }
    if let Some(key) = &identity.ra2_key {
        writeln!(out, "pin         RA2 key {key}")?;
    }
    if let Some(name) = &identity.desktop_name {
        writeln!(out, "pin         desktop name {}", name.escape_debug())?;
    }
    if let Some(uuid) = &identity.machine_uuid {
        writeln!(out, "pin         machine UUID {uuid}")?;
    }
    Ok(())
}

/// A line, where there is something to say. What a minter wrote is not trusted with the terminal.
fn text(label: &str, text: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    match text {
        Some(text) => writeln!(out, "{label:<12}{}", text.escape_debug()),
        None => Ok(()),
    }
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
