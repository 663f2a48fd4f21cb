//! `fanlight probe`: a dry run towards a host, stage by stage, saying what it offers.

use std::io::Write;

use anyhow::bail;

use super::load_config;
use super::visit::visit;
use crate::cli::ProbeArgs;
use crate::drive::Deadlines;
use crate::gateway;
use crate::host::ra2_key::Ra2Key;
use crate::host::resolve::Resolver;
use crate::host::targets::Targets;
use crate::host::{self, HostLeg, Params, ReachError, courtesy};
use crate::reason::Reason;
use crate::rfb::host::Seen;
use crate::rfb::peer_text::PeerText;
use crate::tls::connect::Shown;

pub(super) fn run(args: ProbeArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    super::runtime()?.block_on(probe(args, out))
}

async fn probe(args: ProbeArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = load_config(&args.config, Vec::new())?.config;
    let handshake = Deadlines::all(args.timeout);
    let params = Params {
        profiles: gateway::profiles(&config)?,
        targets: Targets {
            rules: config.targets.clone(),
            own_listeners: Vec::new(),
        },
        unix_root: config.host.unix_root.clone(),
        connect: args.timeout,
        handshake,
        courtesy: courtesy::Params::default(),
        ra2_key: Ra2Key::default(),
    };

    let mut visit = visit(args.target, false, &args.security, args.identity)?;
    let resolver = Resolver::from_system()?;
    loop {
        let connected = match host::connect(&visit, &resolver, &params).await {
            Ok(connected) => connected,
            Err(error) => return failed(&error),
        };
        writeln!(out, "connected   {} as {}", visit.target, connected.1)?;
        let failure = match host::handshake(connected, visit.clone(), &params).await {
            Ok(leg) => {
                seen(&leg.seen, out)?;
                if let Some(Shown { key, proof }) = leg.stream.shown() {
                    writeln!(out, "certificate {key}, {proof}")?;
                }
                return server_init(&leg, out);
            }
            Err(failure) => failure,
        };
        seen(&failure.seen, out)?;
        match failure.dead_end {
            // As a console does, once.
            Some(without) if visit.without.is_empty() => {
                writeln!(out, "again       since it {}", failure.error)?;
                visit.without = without;
            }
            _ => return failed(&failure.error),
        }
    }
}

fn seen(seen: &Seen, out: &mut dyn Write) -> std::io::Result<()> {
    if let Some(version) = seen.version {
        writeln!(out, "version     RFB {version}")?;
    }
    for offered in &seen.offered {
        let chosen = if seen.chosen == Some(*offered) {
            ", chosen"
        } else {
            ""
        };
        writeln!(out, "offers      {offered}{chosen}")?;
    }
    if let Some(key) = seen.ra2_key {
        writeln!(out, "RSA key     {key}")?;
    }
    Ok(())
}

fn server_init(leg: &HostLeg, out: &mut dyn Write) -> anyhow::Result<()> {
    let init = &leg.init;
    let bits = init.format.bits_per_pixel;
    writeln!(
        out,
        "desktop     {} x {} pixels of {bits} bits",
        init.width, init.height
    )?;
    if let Some(name) = PeerText::clean(&init.name) {
        writeln!(out, "name        {name}")?;
    }
    writeln!(out, "a console of this machine would open")?;
    Ok(())
}

fn failed(error: &ReachError) -> anyhow::Result<()> {
    bail!(
        "a console of this machine would not open: {error} [{}]",
        Reason::from(error)
    )
}
