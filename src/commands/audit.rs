//! `fanlight audit`: whether a log is whole.

use std::fs::File;
use std::io::{BufReader, Write};

use anyhow::{Context as _, bail};

use crate::audit::verify::verify;
use crate::cli::{AuditCommand, AuditVerifyArgs};

pub(super) fn run(command: AuditCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify(args) => check(&args, out),
    }
}

fn check(args: &AuditVerifyArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut chain = None;
    for path in &args.files {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown} cannot be read"))?;
        chain = verify(BufReader::new(file), chain).with_context(|| shown.to_string())?;
    }
    let Some(chain) = chain else {
        bail!("there is no line");
    };
    writeln!(out, "whole up to line number {}", chain.seq)?;
    writeln!(out, "hash {}", chain.hash)?;
    Ok(())
}
