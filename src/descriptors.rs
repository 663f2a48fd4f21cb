//! How many descriptors this process may have, and what that leaves for connections.
//!
//! A browser's connection takes one, and a session another for its host. Who comes when they are
//! used up must be refused in words, and those who are there must not notice; so there are never
//! more places than descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are neither a browser's nor a host's, with some in reserve: runtime, listener,
/// log, files that are being read, questions to name servers, addresses that are tried beside one
/// another.
const OWN: u64 = 64;

/// How many connections each listener with neither page nor API takes at once: of scrapers, and of
/// those who are told the way to TLS.
pub const BESIDE: usize = 64;

/// How many connections and sessions there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Connections of browsers, those of sessions included.
    pub connections: usize,
    /// Sessions.
    pub sessions: usize,
}

impl Places {
    /// As many of them as `descriptors` are enough for beside so many other listeners, in the same
    /// proportion: pages are answered when all sessions are taken.
    #[must_use]
    pub fn within(self, descriptors: u64, listeners: usize) -> Self {
        let others = listeners * (BESIDE + 1);
        let there = usize::try_from(descriptors.saturating_sub(OWN)).unwrap_or(usize::MAX);
        let there = there.saturating_sub(others);
        let wanted = self.connections.saturating_add(self.sessions);
        if wanted <= there {
            return self;
        }
        let sessions = share(self.sessions, there, wanted).max(1);
        Self {
            connections: there.saturating_sub(sessions).max(sessions + 1),
            sessions,
        }
    }
}

/// `part * there / wanted`, rounded down.
fn share(part: usize, there: usize, wanted: usize) -> usize {
    let share = part as u128 * there as u128 / (wanted as u128).max(1);
    usize::try_from(share).unwrap_or(usize::MAX)
}

/// Asks for as many descriptors as an unprivileged process may have. Many systems start processes
/// with 1024 and let them have more.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let most = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // What cannot be had is not counted on.
        let _ = setrlimit(Resource::Nofile, most);
    }
}

/// How many descriptors this process may have at once.
#[must_use]
pub fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: Places = Places {
        connections: 10_000,
        sessions: 5000,
    };

    #[test]
    fn enough_descriptors_change_nothing() {
        assert_eq!(CONFIGURED.within(15_064, 0), CONFIGURED);
        assert_eq!(CONFIGURED.within(u64::MAX, 2), CONFIGURED);
        let huge = Places {
            connections: usize::MAX,
            sessions: usize::MAX,
        };
        assert!(huge.within(1 << 40, 2).connections < 1 << 40);
    }

    #[test]
    fn places_never_need_more_descriptors_than_there_are() {
        for descriptors in [67, 68, 100, 1024, 15_063] {
            let places = CONFIGURED.within(descriptors, 0);
            assert!(places.sessions > 0 && places.connections > places.sessions);
            assert!(
                (places.connections + places.sessions) as u64 + OWN <= descriptors,
                "{places:?} of {descriptors}"
            );
        }
        let few = CONFIGURED.within(1024, 0);
        assert_eq!((few.connections, few.sessions), (640, 320));
        let fewer = CONFIGURED.within(1024, 2);
        assert_eq!(fewer.connections + fewer.sessions, 1024 - 64 - 2 * 65);
    }

    #[test]
    fn without_any_there_is_one_place_all_the_same() {
        let places = CONFIGURED.within(3, 2);
        assert_eq!((places.connections, places.sessions), (2, 1));
    }
}
