use std::io::BufReader;
use std::sync::Condvar;

use super::*;
use crate::audit::verify::verify;

/// How long a test waits for the thread.
const SOON: Duration = Duration::from_secs(10);

/// A disk that has room for so many bytes, and more only when it is made.
#[derive(Clone, Default)]
struct Disk(Arc<(Mutex<Room>, Condvar)>);

#[derive(Default)]
struct Room {
    written: Vec<u8>,
    free: usize,
    refused: u32,
}

impl Disk {
    fn make_room(&self, bytes: usize) {
        self.0.0.lock().unwrap().free = bytes;
    }

    /// Waits until the disk is as it should be.
    fn until(&self, what: impl Fn(&Room) -> bool) {
        let room = self.0.0.lock().unwrap();
        let wait = self.0.1.wait_timeout_while(room, SOON, |room| !what(room));
        assert!(!wait.unwrap().1.timed_out(), "the disk does not get there");
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        let room = self.0.0.lock().unwrap();
        let text = str::from_utf8(&room.written).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn chain(&self) -> Option<Chain> {
        verify(self.0.0.lock().unwrap().written.as_slice(), None).unwrap()
    }
}

impl Out for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = self.0.0.lock().unwrap();
        let fits = bytes.len().min(room.free);
        room.free -= fits;
        room.written.extend_from_slice(&bytes[..fits]);
        room.refused += u32::from(fits == 0);
        self.0.1.notify_all();
        if fits == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(fits)
    }

    fn turn(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

fn start(disk: &Disk, when_full: WhenFull, queue: usize) -> Audit {
    let first = Event::new(Act::Start);
    Audit::to(
        Box::new(disk.clone()),
        Chain::default(),
        first,
        when_full,
        queue,
    )
    .unwrap()
}

#[tokio::test]
async fn everything_is_written_in_its_order() {
    let disk = Disk::default();
    disk.make_room(usize::MAX);
    let audit = start(&disk, WhenFull::Refuse, 10_000);
    for number in 0..5000 {
        audit.record(Event {
            lines: Some(number),
            ..Event::new(Act::Mint)
        });
    }
    audit.close(SOON).await;
    assert_eq!(disk.chain().map(|chain| chain.seq), Some(5002));
    let lines = disk.lines();
    assert_eq!(lines[0]["act"], "start");
    assert_eq!(lines[4321]["lines"], 4320);
    assert_eq!(lines[5001]["act"], "stop");
}

#[tokio::test]
async fn a_full_disk_holds_up_what_is_new_and_is_told_of_afterwards() {
    let disk = Disk::default();
    // The first line is torn in the middle.
    disk.make_room(20);
    let audit = start(&disk, WhenFull::Refuse, 3);
    disk.until(|room| room.refused > 0);
    while audit.healthy() {
        std::thread::yield_now();
    }
    // Three fit into the queue.
    for _ in 0..10 {
        audit.record(Event::new(Act::End));
    }
    assert_eq!((audit.waiting(), audit.lost()), (3, 7));
    disk.make_room(usize::MAX);
    disk.until(|room| room.written.iter().filter(|byte| **byte == b'\n').count() >= 5);
    let lost = disk
        .lines()
        .iter()
        .find(|line| line["act"] == "lost")
        .cloned();
    assert_eq!(lost.unwrap()["lines"], 7);
    let started = std::time::Instant::now();
    while !audit.healthy() {
        assert!(started.elapsed() < SOON);
        std::thread::yield_now();
    }
    audit.close(SOON).await;
    assert!(disk.chain().is_some());
}

#[tokio::test]
async fn to_go_on_is_a_choice_and_closing_does_not_wait_for_room() {
    let disk = Disk::default();
    let audit = start(&disk, WhenFull::Continue, 1);
    disk.until(|room| room.refused > 0);
    for _ in 0..5 {
        audit.record(Event::new(Act::End));
    }
    assert!(audit.healthy());
    audit.close(SOON).await;
    assert!(disk.lines().is_empty());
}

#[tokio::test]
async fn a_file_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let params = Params {
        to: Some(Destination::File(path.clone())),
        when_full: WhenFull::Refuse,
    };
    for _ in 0..2 {
        let audit = Audit::start(&params).unwrap();
        let again = Audit::start(&params).unwrap_err();
        assert!(matches!(again, StartError::Locked(_)), "{again}");
        audit.record(Event::new(Act::Mint));
        audit.close(SOON).await;
    }
    // The process died over a line.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole, &b"{\"seq\":7,\"ti"[..]].concat()).unwrap();
    let audit = Audit::start(&params).unwrap();
    audit.close(SOON).await;
    let file = BufReader::new(std::fs::File::open(&path).unwrap());
    assert_eq!(verify(file, None).unwrap().map(|chain| chain.seq), Some(8));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("12 bytes of an unfinished line"), "{text}");

    // Another program's file is not touched.
    for foreign in ["root:x:0:0\n", "root:x:0:0", "{\"seq\":1}\n"] {
        std::fs::write(&path, foreign).unwrap();
        let error = Audit::start(&params).unwrap_err();
        assert!(matches!(error, StartError::NotALog(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), foreign);
    }
}

#[tokio::test]
async fn a_file_that_is_moved_away_is_followed_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let (path, moved) = (dir.path().join("audit.log"), dir.path().join("audit.1"));
    let params = Params {
        to: Some(Destination::File(path.clone())),
        when_full: WhenFull::Refuse,
    };
    let audit = Audit::start(&params).unwrap();
    let written = |path: &PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let started = std::time::Instant::now();
    while !written(&path).ends_with('\n') {
        assert!(started.elapsed() < SOON);
        std::thread::yield_now();
    }
    std::fs::rename(&path, &moved).unwrap();
    audit.record(Event::new(Act::Mint));
    audit.close(SOON).await;
    let (old, new) = (written(&moved), written(&path));
    assert!(!old.contains("mint") && new.contains("mint"), "{old}{new}");
    let before = verify(old.as_bytes(), None).unwrap();
    let whole = verify(new.as_bytes(), before).unwrap();
    assert_eq!(whole.map(|chain| chain.seq), Some(4));
}
