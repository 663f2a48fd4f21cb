//! The `fanlight` command.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use fanlight::cli::Cli;
use fanlight::commands;
use tikv_jemallocator::Jemalloc;
use zeroizing_alloc::ZeroAlloc;

/// Tokens, passwords and API keys pass through buffers that are not ours, such as hyper's. What is
/// freed is wiped, so that no core dump has them. What a burst took is the system's again a second
/// later: `.cargo/config.toml` says so.
#[global_allocator]
static WIPING: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

/// 0 when all went well, 1 when not, 2 (by clap) when the command line is wrong.
fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout();
    let done = commands::run(cli.command, &mut out).and_then(|()| Ok(out.flush()?));
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    // `fanlight mint --count 100 | head -1`: whoever left has all they wanted.
    let left = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if !left {
        // There is nobody else to tell when standard error is gone.
        let _ = writeln!(io::stderr(), "fanlight: {error:#}");
    }
    ExitCode::FAILURE
}
