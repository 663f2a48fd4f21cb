//! The machine that a command speaks of, as a grant would say it.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};

use super::secret_file::{Kind, is_stdin};
use crate::cli::{IdentityArgs, SecurityArgs, TargetArgs};
use crate::host::visit::Visit;
use crate::rfb::identity::Identity;
use crate::rfb::login::{Login, MAX_PASSWORD};
use crate::rfb::terms::Terms;
use crate::secret::Secret;
use crate::target::{
    Endpoint, MAX_REQUEST_PATH, MAX_SUBPROTOCOLS, Target, Way, WebSocketTarget, WebSocketUrl,
};
use crate::token::Credentials;
use crate::token::credentials::{
    Header, MAX_COOKIE, MAX_HEADER_NAME, MAX_HEADER_VALUE, MAX_HEADERS,
};

const PASSWORD: Kind = Kind {
    what: "password",
    max: MAX_PASSWORD,
};
const COOKIE: Kind = Kind {
    what: "cookie",
    max: MAX_COOKIE,
};
const HEADERS: Kind = Kind {
    what: "header",
    // Behind each, colon, space and the line's end.
    max: MAX_HEADERS * (MAX_HEADER_NAME + MAX_HEADER_VALUE + 4),
};
const URL: Kind = Kind {
    what: "WebSocket URL",
    // Ahead of the path, scheme, name and port.
    max: MAX_REQUEST_PATH + 300,
};

/// Reads what the flags name. With `relay`, the viewer has the password.
pub(super) fn visit(
    args: TargetArgs,
    relay: bool,
    security: &SecurityArgs,
    identity: IdentityArgs,
) -> anyhow::Result<Visit> {
    let read = |kind: Kind, path: &Option<_>| {
        let path: Option<&Path> = path.as_deref();
        path.map(|path| kind.read(path)).transpose()
    };
    one_from_stdin(&args)?;
    let headers = read(HEADERS, &args.header_file)?;
    let visit = Visit {
        target: Target {
            way: way(&args, read(URL, &args.websocket_file)?)?,
            profile: args.profile,
        },
        credentials: Credentials {
            login: Login {
                username: args.username,
                password: read(PASSWORD, &args.password_file)?,
                xvp_target: args.xvp_target,
                repeater_id: args.repeater_id,
                relay,
            },
            cookie: read(COOKIE, &args.cookie_file)?,
            headers: headers.as_ref().map(lines).transpose()?.unwrap_or_default(),
        },
        terms: Terms {
            require_tls: security.require_tls,
            allow_clear_text: security.allow_clear_text,
            refuse_none: security.refuse_none,
        },
        identity: Identity {
            certificates: identity.pin_certificate,
            ra2_key: identity.pin_ra2_key,
            desktop_name: identity.pin_desktop_name,
            machine_uuid: identity.pin_machine_uuid,
        },
        without: &[],
    };
    visit.credentials.check()?;
    visit.identity.check()?;
    Ok(visit)
}

/// Standard input is read once.
fn one_from_stdin(args: &TargetArgs) -> anyhow::Result<()> {
    let files = [
        &args.password_file,
        &args.cookie_file,
        &args.header_file,
        &args.websocket_file,
    ];
    let from_stdin = files.into_iter().flatten().filter(|path| is_stdin(path));
    ensure!(
        from_stdin.count() <= 1,
        "only one of the files can be standard input"
    );
    Ok(())
}

/// The one way that there is among the flags.
fn way(args: &TargetArgs, url_in_file: Option<Secret>) -> anyhow::Result<Way> {
    if let (Some(host), Some(port)) = (&args.host, args.port) {
        let host = host.clone();
        let endpoint = Endpoint { host, port };
        return Ok(match args.tls {
            true => Way::Tls(endpoint),
            false => Way::Tcp(endpoint),
        });
    }
    if let Some(path) = &args.unix {
        return Ok(Way::Unix(path.clone()));
    }
    if let Some(tunnel) = &args.tunnel {
        return Ok(Way::Tunnel(tunnel.clone()));
    }
    let in_file = url_in_file.as_ref().map(url).transpose()?;
    let Some(url) = args.websocket.clone().or(in_file) else {
        bail!("nothing says how to get to the machine");
    };
    let protocols = match (args.no_subprotocol, &*args.subprotocol) {
        (true, _) => Vec::new(),
        (false, []) => vec!["binary".parse()?],
        (false, some) => some.to_vec(),
    };
    ensure!(
        protocols.len() <= MAX_SUBPROTOCOLS,
        "--subprotocol: more than {MAX_SUBPROTOCOLS}"
    );
    Ok(Way::WebSocket(WebSocketTarget {
        endpoint: url.endpoint,
        tls: url.tls,
        path: url.path,
        protocols,
    }))
}

/// The URL in a file, which no error repeats.
fn url(secret: &Secret) -> anyhow::Result<WebSocketUrl> {
    let text = std::str::from_utf8(secret.expose()).ok();
    let url = text.and_then(|text| text.parse().ok());
    url.ok_or_else(|| anyhow!("the WebSocket URL file: {}", crate::target::BadWebSocketUrl))
}

/// The headers in a file, one a line, which no error repeats.
fn lines(secret: &Secret) -> anyhow::Result<Vec<Header>> {
    let mut headers = Vec::new();
    for (index, line) in secret.expose().split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let place = || format!("line {} of the header file", index + 1);
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = colon
            .and_then(|colon| line.split_at_checked(colon))
            .ok_or_else(|| anyhow!("it is no header such as Name: value"))
            .with_context(place)?;
        let name = std::str::from_utf8(name).unwrap_or_default();
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        headers.push(Header::new(name, Secret::new(value)).with_context(place)?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_a_line_each_and_not_repeated() {
        let read = |text: &str| lines(&Secret::new(text));
        let headers = read("Authorization: Bearer s3cret:1\r\n\nX-A:b\n").unwrap();
        let found: Vec<_> = headers
            .iter()
            .map(|header| (header.name(), header.value().expose()))
            .collect();
        assert_eq!(
            found,
            [("Authorization", &b"Bearer s3cret:1"[..]), ("X-A", b"b")]
        );
        for text in ["s3cret", "A: b\nCookie: s3cret", "A: b\ns3cret é: 1"] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(
                error.contains("of the header file: ") && !error.contains("s3cret"),
                "{error}"
            );
        }
    }
}
