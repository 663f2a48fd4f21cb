//! A window in which coloured text scrolls, for servers whose screen should change.

use std::path::Path;
use std::process::Command;

use super::process::Process;

/// Lines of cells in all colours of xterm's palette, forever, ten a second.
const SCRIPT: &str = r#"
n=0
while :; do
  line=
  i=0
  while [ $i -lt 50 ]; do
    line="$line\033[48;5;$(( (n * 7 + i * 5) % 256 ))m\033[38;5;$(( (n + i * 11) % 256 ))m$(( i % 10 ))"
    i=$((i + 1))
  done
  printf "$line\n"
  n=$((n + 1))
  sleep 0.1
done
"#;

/// Opens the window on a display; it closes on drop.
pub fn start(display: &str, dir: &Path) -> Process {
    let mut command = Command::new("xterm");
    command.args(["-display", display, "-geometry", "50x17+0+0", "-fn", "6x13"]);
    command.args(["-e", "sh", "-c", SCRIPT]);
    Process::spawn(&mut command, &dir.join("xterm.log"))
}
