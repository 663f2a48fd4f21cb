//! What the X servers of the tests share: a display number of their own choice, a known picture.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::Process;
use super::wait::until;

/// How long an X server may take to start, on a busy test machine.
const START: Duration = Duration::from_secs(15);

/// The X server's screen.
pub const SIZE: (usize, usize) = (320, 240);

/// The colour that the whole screen gets: red, green, blue.
pub const COLOUR: [u8; 3] = [0x33, 0x66, 0x99];

/// How often an X server is started anew when another took the display that it chose.
const TRIES: usize = 8;

/// Starts an X server that was told `-displayfd 1`, and gives its display, such as `:5`.
///
/// Of two that start at once and choose the same display, one ends at once: it chooses again.
pub async fn start(command: &mut Command, log: &Path) -> (Process, String) {
    let number = log.with_extension("display");
    for left in (0..TRIES).rev() {
        let mut process = Process::spawn_split(command, &number, log);
        let chosen = until("the X server chooses a display", START, async || {
            let said = std::fs::read_to_string(&number).unwrap_or_default();
            match said.strip_suffix('\n').map(str::parse::<u32>) {
                Some(Ok(display)) => Ok(Some(format!(":{display}"))),
                _ if left > 0 && process.ended().is_some() => Ok(None),
                _ => {
                    process.must_run();
                    Err(format!("{said:?} and {}", process.output()))
                }
            }
        })
        .await;
        if let Some(display) = chosen {
            return (process, display);
        }
    }
    unreachable!("the last try gives a display or panics")
}

/// Paints the whole screen in [`COLOUR`].
pub fn paint(display: &str) {
    let [red, green, blue] = COLOUR;
    let colour = format!("#{red:02x}{green:02x}{blue:02x}");
    let mut command = Command::new("xsetroot");
    run(command.args(["-display", display, "-solid", &colour]));
}

/// Writes a VNC password file.
pub fn write_password(path: &Path, password: &str) {
    let mut command = Command::new("tigervncpasswd");
    let mut child = command
        .arg("-f")
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(path).unwrap())
        .spawn()
        .unwrap_or_else(|e| panic!("tigervncpasswd: {e}; `make test` installs it"));
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, format!("{password}\n").as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// Runs a short program to its end.
fn run(command: &mut Command) {
    let name = command.get_program().to_owned();
    let output = command.output();
    let output = output.unwrap_or_else(|e| panic!("{name:?}: {e}; `make test` installs it"));
    assert!(output.status.success(), "{name:?}: {output:?}");
}
