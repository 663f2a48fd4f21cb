//! What a running process holds in its memory.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

/// Every place where one of some texts stands in the memory of a process of ours.
#[derive(Debug, Default)]
pub struct Memory {
    regions: Vec<Region>,
}

#[derive(Debug)]
struct Region {
    name: String,
    bytes: Vec<u8>,
}

impl Memory {
    /// Reads all that a child can have written: what a core dump of it would hold.
    pub fn of(id: u32) -> Self {
        let maps = std::fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
        let mut memory = File::open(format!("/proc/{id}/mem")).unwrap();
        let mut regions = Vec::new();
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (range, flags) = (fields.next().unwrap(), fields.next().unwrap());
            if !flags.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            memory.seek(SeekFrom::Start(start)).unwrap();
            // What the kernel keeps for itself cannot be read, and is not in a core dump either.
            if memory.read_exact(&mut bytes).is_ok() {
                let name = fields.nth(3).unwrap_or("anonymous").to_owned();
                regions.push(Region { name, bytes });
            }
        }
        assert!(regions.iter().any(|region| region.name == "[heap]"));
        Self { regions }
    }

    /// Where `text` stands, each with what stands around it.
    pub fn find(&self, text: &[u8]) -> Vec<String> {
        assert!(text.len() >= 8, "shorter ones stand anywhere by chance");
        let found = self.regions.iter().flat_map(|region| {
            let starts = (0..region.bytes.len()).filter(|&at| region.bytes[at..].starts_with(text));
            starts.map(|at| {
                let around = at.saturating_sub(80)..region.bytes.len().min(at + text.len() + 80);
                let around = region.bytes[around].escape_ascii();
                format!("{} + {at:#x}: {around}", region.name)
            })
        });
        found.collect()
    }
}
