//! The file on a real file system.

use std::fs::Permissions;

use super::*;

const NOW: UnixTime = UnixTime::from_secs(1_795_249_800);

fn ids(ring: &KeyRing) -> Vec<KeyId> {
    ring.keys().map(|key| key.id).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_first_start_makes_it_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/keyring");
    let first = load_or_make(&path, NOW).unwrap();
    assert!(first.made);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&dir.path().join("a")), 0o700);
    assert_eq!(names(&dir.path().join("a/b")), ["keyring"]);

    let second = load_or_make(&path, NOW).unwrap();
    assert!(!second.made);
    assert_eq!(ids(&second.ring), ids(&first.ring));
    assert!(matches!(make(&path, NOW), Err(Error::Exists(p)) if p == path));
    assert_eq!(names(&dir.path().join("a/b")), ["keyring"]);
}

#[test]
fn starters_that_race_get_one_ring() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    let start = std::sync::Barrier::new(8);
    let loaded: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    load_or_make(&path, NOW).unwrap()
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    assert_eq!(loaded.iter().filter(|loaded| loaded.made).count(), 1);
    let ring = load(&path).unwrap();
    assert!(loaded.iter().all(|loaded| ids(&loaded.ring) == ids(&ring)));
    assert_eq!(names(dir.path()), ["keyring"]);
}

#[test]
fn a_file_that_others_can_get_at_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    make(&path, NOW).unwrap();
    for mode in [0o604, 0o640, 0o620, 0o602] {
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let shown = path.display();
        assert_eq!(
            load(&path).unwrap_err().to_string(),
            format!(
                "the key ring {shown} has mode {mode:o}, and only its owner may read and write it: chmod 600 {shown}"
            )
        );
        assert!(rotate(&path, NOW).is_err());
    }
    std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(load(&path).is_ok());
}

#[test]
fn root_may_hand_it_to_the_group_of_a_service() {
    const SERVICE: u32 = 999;
    for (mode, owner, us, private) in [
        (0o600, SERVICE, SERVICE, true),
        (0o640, SERVICE, SERVICE, false),
        (0o640, ROOT, ROOT, false),
        (0o440, ROOT, SERVICE, true),
        (0o640, ROOT, SERVICE, true),
        (0o660, ROOT, SERVICE, false),
        (0o444, ROOT, SERVICE, false),
        (0o440, 1000, SERVICE, false),
    ] {
        assert_eq!(is_private(mode, owner, us), private, "{mode:o} of {owner}");
    }
}

#[test]
fn rotation_puts_a_key_in_front_and_keeps_the_old_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    let old = make(&path, NOW).unwrap();
    let new = rotate(&path, NOW).unwrap();
    assert_eq!(ids(&new).len(), 2);
    assert_eq!(ids(&new).last(), ids(&old).last());
    assert_eq!(ids(&load(&path).unwrap()), ids(&new));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(names(dir.path()), ["keyring"]);
}

#[test]
fn of_rotations_that_race_no_key_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    make(&path, NOW).unwrap();
    let start = std::sync::Barrier::new(8);
    let fresh: Vec<KeyId> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    ids(&rotate(&path, NOW).unwrap())[0]
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    let kept = ids(&load(&path).unwrap());
    assert_eq!(kept.len(), 9);
    assert!(fresh.iter().all(|id| kept.contains(id)));
    assert_eq!(names(dir.path()), ["keyring"]);
}

#[test]
fn rotation_follows_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("shared"), dir.path().join("keyring"));
    make(&file, NOW).unwrap();
    std::os::unix::fs::symlink("shared", &link).unwrap();
    let new = rotate(&link, NOW).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ids(&load(&file).unwrap()), ids(&new));
}

#[test]
fn rotation_by_root_keeps_the_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    make(&path, NOW).unwrap();
    let owner = |path: &Path| {
        let metadata = std::fs::metadata(path).unwrap();
        (metadata.uid(), metadata.gid())
    };
    let mut expected = owner(&path);
    // Only root can give files away.
    if expected.0 == 0 {
        expected = (1234, 1235);
        std::os::unix::fs::chown(&path, Some(1234), Some(1235)).unwrap();
    }
    rotate(&path, NOW).unwrap();
    assert_eq!(owner(&path), expected);
}

#[test]
fn what_is_no_key_ring_is_told_by_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    let shown = path.display().to_string();
    assert_eq!(
        load(&path).unwrap_err().to_string(),
        format!(
            "there is no key ring {shown}: put back the one that was there; where there never was \
             one, `fanlight keys new` makes it"
        )
    );
    let write = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    };
    for (bytes, said) in [
        (
            &b""[..],
            "the key ring PATH cannot be used: the key ring has no key",
        ),
        (
            b"secret",
            "the key ring PATH cannot be used: line 1 is not a key: it needs an id, a time and 32 bytes in base64url",
        ),
        (b"\xff\xfe", "PATH is not a key ring"),
        (&[b'#'; 70_000], "PATH is not a key ring"),
    ] {
        write(bytes);
        // It is not taken for absent, and nothing is written over it.
        let error = load_or_make(&path, NOW).unwrap_err().to_string();
        assert_eq!(error, said.replace("PATH", &shown));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    assert_eq!(
        load(dir.path()).unwrap_err().to_string(),
        format!(
            "cannot open {}: it is no regular file",
            dir.path().display()
        )
    );
    write(b"x");
    let below = path.join("ring");
    let error = load_or_make(&below, NOW).unwrap_err().to_string();
    assert!(error.contains(&below.display().to_string()), "{error}");
}
