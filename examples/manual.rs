//! `cargo run --example manual -- DIRECTORY`: writes the man pages and the completions for bash, zsh
//! and fish, which come from the definition of the command line.

use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;
use fanlight::cli::Cli;

fn main() -> io::Result<()> {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("expected a directory to write to"));
    };
    std::fs::create_dir_all(&directory)?;
    write(&directory)
}

fn write(directory: &Path) -> io::Result<()> {
    let mut command = Cli::command();
    clap_mangen::generate_to(command.clone(), directory)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "fanlight", directory)?;
    }
    Ok(())
}
