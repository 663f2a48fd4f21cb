//! The keys of a gateway: those of a file, which is read again when it changes, or some that stay.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, info};

use super::reload::{Part, Read, Stamps};
use crate::audit::{Act, Audit, Event};
use crate::clock::UnixTime;
use crate::current::Current;
use crate::file_stamp::FileStamp;
use crate::keyring_file::{self, KeyRingFileError, Loaded};
use crate::metrics::Metrics;
use crate::token::{Key, KeyRing};

/// What a gateway seals and opens with.
#[derive(Debug)]
pub struct Keys {
    ring: KeyRing,
    /// Where they are from, and how the file looked right before it was read.
    file: Option<(PathBuf, Option<FileStamp>)>,
}

impl Keys {
    /// Those of a key ring file, which is made when there is none.
    ///
    /// # Errors
    /// [`KeyRingFileError`].
    pub fn of_file(path: &Path, now: UnixTime) -> Result<Self, KeyRingFileError> {
        let stamp = FileStamp::of(path);
        let Loaded { ring, made } = keyring_file::load_or_make(path, now)?;
        if made {
            info!(file = %path.display(), "made a key ring: gateways side by side need the same one");
        }
        let stamp = stamp.or_else(|| FileStamp::of(path));
        let file = Some((path.to_owned(), stamp));
        Ok(Self { ring, file })
    }

    /// Some that are in no file.
    #[must_use]
    pub const fn fixed(ring: KeyRing) -> Self {
        Self { ring, file: None }
    }

    /// Begins to use them.
    pub(super) fn in_use(self, metrics: &Arc<Metrics>, audit: &Audit) -> InUse {
        for key in self.ring.keys() {
            metrics.keys.added(key.id, key.created);
        }
        audit.record(Event {
            sealing_key: Some(self.ring.sealing_key().id),
            ..Event::new(Act::Keys)
        });
        let ring = Arc::new(Current::from(self.ring));
        let outdated = Outdated::default();
        let file = self.file.map(|(path, stamp)| {
            let part: Arc<dyn Part> = Arc::new(RingFile {
                path,
                ring: Arc::clone(&ring),
                outdated: outdated.clone(),
                metrics: Arc::clone(metrics),
                audit: audit.clone(),
            });
            (part, vec![stamp])
        });
        InUse {
            ring,
            outdated,
            file,
        }
    }
}

/// Keys that a gateway seals and opens with.
pub(super) struct InUse {
    pub(super) ring: Arc<Current<KeyRing>>,
    pub(super) outdated: Outdated,
    /// What follows them, where they are from a file.
    pub(super) file: Option<Read>,
}

/// Whether the ring in use is one that its file does not hold any more, since what is there now is no
/// good, or nothing. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Outdated(Arc<AtomicBool>);

impl Outdated {
    /// Why new consoles should not come here: others may seal with keys by now that this gateway
    /// could not take up.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) {
            return Err("the key ring could not be read again, as the log says".to_owned());
        }
        Ok(())
    }

    fn set(&self, outdated: bool) {
        self.0.store(outdated, Ordering::Relaxed);
    }
}

/// The file of the ring in use, and who is told when another is taken up.
#[derive(Debug)]
struct RingFile {
    path: PathBuf,
    ring: Arc<Current<KeyRing>>,
    outdated: Outdated,
    metrics: Arc<Metrics>,
    audit: Audit,
}

impl Part for RingFile {
    fn name(&self) -> &'static str {
        "key_ring"
    }

    fn stamps(&self) -> Stamps {
        vec![FileStamp::of(&self.path)]
    }

    fn take_up(&self) -> Result<(), String> {
        let read = keyring_file::load(&self.path);
        self.outdated.set(read.is_err());
        let ring = match read {
            Ok(ring) => ring,
            Err(error) => {
                let sealing_key = self.ring.get().sealing_key().id;
                error!(%error, %sealing_key, "the key ring stays as it was");
                return Err(error.to_string());
            }
        };
        let sealing_key = ring.sealing_key().id;
        let before = self.ring.get();
        let (new, retired) = (not_in(&ring, &before), not_in(&before, &ring));
        for key in &new {
            self.metrics.keys.added(key.id, key.created);
        }
        let change = change(&new, &retired);
        let retired: Vec<_> = retired.iter().map(|key| key.id).collect();
        let another = sealing_key != before.sealing_key().id || change.is_some();
        self.ring.replace(ring);
        for id in retired {
            self.metrics.keys.retired(id);
        }
        info!(%sealing_key, change, "the key ring was read again");
        if another {
            self.audit.record(Event {
                sealing_key: Some(sealing_key),
                detail: change,
                ..Event::new(Act::Keys)
            });
        }
        Ok(())
    }
}

/// The keys of `one` that `other` does not have.
fn not_in<'r>(one: &'r KeyRing, other: &KeyRing) -> Vec<&'r Key> {
    let keys = one.keys();
    keys.filter(|key| other.find(key.id).is_none()).collect()
}

/// What is another than before, in words.
fn change(new: &[&Key], retired: &[&Key]) -> Option<String> {
    let ids = |keys: &[&Key]| {
        let ids: Vec<_> = keys.iter().map(|key| key.id.to_string()).collect();
        ids.join(" ")
    };
    let parts = [(ids(new), "opens"), (ids(retired), "retired")];
    let said = parts.iter().filter(|(ids, _)| !ids.is_empty());
    let said: Vec<_> = said.map(|(ids, what)| format!("{what} {ids}")).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
