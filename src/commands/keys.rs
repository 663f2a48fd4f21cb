//! `fanlight keys`: the key ring's keys, and keys for the API.

use std::io::Write;

use anyhow::Context as _;
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::{about_key_ring, load_config, now};
use crate::cli::{ApiKeyArgs, ConfigArgs, KeysCommand};
use crate::config::ApiKeyHash;
use crate::entropy;
use crate::http::api::scope::Scopes;
use crate::keyring_file;

pub(super) fn run(command: KeysCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        KeysCommand::New(config) => new(&config, out),
        KeysCommand::List(config) => list(&config, out),
        KeysCommand::Rotate(config) => rotate(&config, out),
        KeysCommand::Api(args) => api(&args, out),
    }
}

fn new(args: &ConfigArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = load_config(args, Vec::new())?.config;
    let path = &config.tokens.keyring_file;
    let ring = keyring_file::make(path, now()).context(about_key_ring(&config))?;
    let id = ring.sealing_key().id;
    writeln!(out, "made the key ring {} with key {id}", path.display())?;
    Ok(())
}

fn list(args: &ConfigArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let path = load_config(args, Vec::new())?.config.tokens.keyring_file;
    let ring = keyring_file::load(&path)?;
    for (index, key) in ring.keys().enumerate() {
        let does = if index == 0 {
            "seals and opens"
        } else {
            "opens"
        };
        writeln!(out, "{}  {}  {does}", key.id, key.created)?;
    }
    Ok(())
}

fn rotate(args: &ConfigArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let path = load_config(args, Vec::new())?.config.tokens.keyring_file;
    let ring = keyring_file::rotate(&path, now())?;
    let (id, old) = (ring.sealing_key().id, ring.keys().count() - 1);
    writeln!(out, "key {id} seals from now on; {old} more can open")?;
    writeln!(
        out,
        "running gateways that read {} take it up within seconds",
        path.display()
    )?;
    Ok(())
}

fn api(args: &ApiKeyArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let random = Zeroizing::new(entropy::random::<32>());
    let key = Zeroizing::new(format!(
        "{}{}",
        ApiKeyHash::KEY_PREFIX,
        *Zeroizing::new(BASE64URL_NOPAD.encode(&*random))
    ));
    let hash = ApiKeyHash::of(&key).to_text();
    writeln!(
        out,
        "# The key, shown this once, for whoever calls the API:"
    )?;
    writeln!(out, "{}", *key)?;
    writeln!(out, "# Its line for the list `keys` of the section [api]:")?;
    let scopes = match args.scopes.as_slice() {
        [] => Scopes::default(),
        given => given.iter().copied().collect(),
    };
    let scopes: Vec<_> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
    writeln!(
        out,
        "{{ name = \"{}\", hash = \"{hash}\", scopes = [{}] }},",
        args.name,
        scopes.join(", ")
    )?;
    Ok(())
}
