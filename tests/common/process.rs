//! A child process that ends with its guard.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a child may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);

/// A running child: asked to end, then killed, then reaped on drop. Its output is in a file.
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts `command` with standard output and standard error in the file `output`.
    pub fn spawn(command: &mut Command, output: &Path) -> Self {
        let file = log_file(output);
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap());
        Self::spawn_as_is(command, file, output)
    }

    /// Starts `command` with standard output and standard error in two files.
    pub fn spawn_split(command: &mut Command, stdout: &Path, stderr: &Path) -> Self {
        command.stdin(Stdio::null()).stdout(log_file(stdout));
        Self::spawn_as_is(command, log_file(stderr), stderr)
    }

    /// Starts `command` with pipes for standard input and output; standard error is in a file.
    pub fn spawn_piped(command: &mut Command, output: &Path) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self::spawn_as_is(command, log_file(output), output)
    }

    fn spawn_as_is(command: &mut Command, stderr: File, output: &Path) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = match command.stderr(stderr).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("{name} is missing; `make test` installs what the tests need")
            }
            Err(error) => panic!("{name} does not start: {error}"),
        };
        Self {
            name,
            child,
            output: output.to_owned(),
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child's pipes, when it was started with them.
    pub fn pipes(&mut self) -> (std::process::ChildStdin, std::process::ChildStdout) {
        let stdin = self.child.stdin.take().expect("started with pipes");
        let stdout = self.child.stdout.take().expect("started with pipes");
        (stdin, stdout)
    }

    /// Everything that the child has said so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// The exit status, once the child has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Fails the wait early when the child is not there any more: for the `look` of a wait.
    pub fn must_run(&mut self) {
        if let Some(status) = self.ended() {
            panic!("{} ended with {status}:\n{}", self.name, self.output());
        }
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = line.and_then(|l| l.trim().strip_suffix(" kB")).unwrap();
        kib.trim().parse::<u64>().unwrap() * 1024
    }

    /// How many files, sockets and pipes it has open.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id()))
            .unwrap()
            .count()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal: `KILL`, `STOP`, `CONT`. The id cannot be somebody else's: the child is not
    /// reaped yet.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let _ = Command::new("sh")
            .args(["-c", "kill -\"$0\" \"$1\"", name, &id])
            .status();
    }

    /// Waits for the end; says whether it came.
    fn ends_within(&mut self, time: Duration) -> bool {
        let started = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(None) if started.elapsed() < time => {
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                Ok(None) => return false,
                Ok(Some(_)) | Err(_) => return true,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.terminate();
        if !self.ends_within(GRACE) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Opens the file that a child writes to. Appending, so that two streams do not overwrite.
fn log_file(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}
