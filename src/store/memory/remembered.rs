//! What is remembered for a while.

use std::collections::HashMap;
use std::hash::Hash;

use tokio::time::Instant;

/// Each with the time until which it is remembered.
pub(super) type Remembered<K, V> = HashMap<K, (V, Instant)>;

/// Forgets what was remembered long enough. Room for four times as much as there is goes back: after a
/// rush it would be kept for ever, and a map that is turned over doubles now and then.
pub(super) fn sweep<K: Eq + Hash, V>(remembered: &mut Remembered<K, V>, now: Instant) {
    remembered.retain(|_, (_, until)| *until > now);
    if remembered.len() < remembered.capacity() / 4 {
        remembered.shrink_to(2 * remembered.len());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rush_is_forgotten_and_so_is_its_room() {
        let start = Instant::now();
        let mut remembered = Remembered::new();
        for id in 0..100_000 {
            let seconds = if id < 1_000 { 20 } else { 10 };
            remembered.insert(id, ((), start + Duration::from_secs(seconds)));
        }
        sweep(&mut remembered, start);
        assert_eq!(remembered.len(), 100_000);
        sweep(&mut remembered, start + Duration::from_secs(10));
        assert_eq!(remembered.len(), 1_000);
        assert!(remembered.capacity() < 4_000, "{}", remembered.capacity());
        assert!((0..1_000).all(|id| remembered.contains_key(&id)));
    }
}
