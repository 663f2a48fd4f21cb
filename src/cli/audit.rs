//! Flags of `fanlight audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

/// `fanlight audit`.
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    /// What to do with an audit log.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// The subcommands of `fanlight audit`.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Say whether a log is whole, or name the first line where its chain breaks.
    ///
    /// Of several files each goes on from the one before, as rotation leaves them. That nothing was
    /// cut off at the end shows when the last hash is compared with the one that the gateway logged
    /// when it stopped.
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify(AuditVerifyArgs),
}

/// `fanlight audit verify`.
#[derive(Clone, Debug, Args)]
pub struct AuditVerifyArgs {
    /// The log's files, the oldest first.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}
