//! What a process costs, as Linux counts it.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// A running process, seen from outside.
#[derive(Clone, Copy, Debug)]
pub struct Cost(u32);

impl Cost {
    /// The process with this id.
    pub const fn of(id: u32) -> Self {
        Self(id)
    }

    /// Memory that would be free without it: pages that others use as well count in part.
    pub fn pss_bytes(self) -> Result<u64> {
        self.kib("smaps_rollup", "Pss:")
    }

    /// The most resident memory since [`Self::reset_peak`].
    pub fn peak_rss_bytes(self) -> Result<u64> {
        self.kib("status", "VmHWM:")
    }

    /// Resident memory.
    pub fn rss_bytes(self) -> Result<u64> {
        self.kib("status", "VmRSS:")
    }

    /// Begins the peak anew.
    pub fn reset_peak(self) -> Result<()> {
        std::fs::write(self.file("clear_refs"), "5").context("cannot reset the peak")
    }

    /// Open files, sockets among them.
    pub fn descriptors(self) -> Result<usize> {
        Ok(std::fs::read_dir(self.file("fd"))?.count())
    }

    /// Threads.
    pub fn threads(self) -> Result<usize> {
        Ok(std::fs::read_dir(self.file("task"))?.count())
    }

    /// Processor time of its threads.
    pub fn cpu(self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in std::fs::read_dir(self.file("task"))? {
            // A thread may have ended since.
            let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let spent = text.split_ascii_whitespace().next();
            nanoseconds += spent.context("an empty schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn kib(self, file: &str, name: &str) -> Result<u64> {
        let text = std::fs::read_to_string(self.file(file))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.with_context(|| format!("no {name} in {file}"))?;
        Ok(kib.trim().parse::<u64>()? * 1024)
    }

    fn file(self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }
}
