//! `fanlight mint`: console URLs from the key ring, without a gateway.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;

use super::visit::visit;
use super::{load_config, now};
use crate::cli::MintArgs;
use crate::keyring_file;
use crate::mint::{LimitsOrder, Minter, Order};
use crate::token::labels::Name;
use crate::token::{Binding, Labels};

pub(super) fn run(args: MintArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = load_config(&args.config, Vec::new())?.config;
    let public_url = config.known_public_url().context(
        "public_url has to be set: no listener has an address that tells the URL beforehand",
    )?;
    let ring = keyring_file::load(&config.tokens.keyring_file)?;
    let mut labels = Labels::default();
    for (key, value) in &args.labels {
        labels.insert(key, value).context("--label")?;
    }
    let binding = Binding::from(args.binding);
    binding.check().context("--client or --origin")?;
    let visit = visit(args.target, args.relay, &args.security, args.identity)?;
    let order = Order {
        target: visit.target,
        credentials: visit.credentials,
        terms: visit.terms,
        permissions: args.permissions.into(),
        pacing: args.pacing,
        identity: visit.identity,
        limits: LimitsOrder {
            uses: args.limits.uses,
            session_max: args.limits.session_max,
            idle_max: args.limits.idle_max,
        },
        binding,
        sharing: args.limits.sharing,
        role: args.limits.role,
        name: args.name.map(Name::new).transpose().context("--name")?,
        labels,
        expires_in: args.ttl,
    };
    let profiles = config.profiles.into_keys().collect();
    let usual = config.tokens.usual();
    let minter =
        Minter::new(Arc::new(ring.into()), public_url.to_string(), usual).with_profiles(profiles);
    for _ in 0..args.count {
        writeln!(out, "{}", minter.mint(order.clone(), now())?.url())?;
    }
    Ok(())
}
