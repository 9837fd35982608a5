//! What is computed once and then known to every thread: laws that never change and cost more than what asks for them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

/// Values by what they answer.
pub(crate) struct Shared<K, V> {
    slots: LazyLock<Mutex<HashMap<K, Slot<V>>>>,
    most: usize,
}

/// Filled by the first who asks, while others wait for it.
type Slot<V> = Arc<OnceLock<V>>;

impl<K: Eq + Hash, V: Clone> Shared<K, V> {
    /// A store that forgets everything when it holds `most` values, so that a long-lived process does not grow without end.
    pub(crate) const fn new(most: usize) -> Self {
        Self { slots: LazyLock::new(|| Mutex::new(HashMap::new())), most }
    }

    /// The value of `key`, which is the same whoever computes it.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce() -> V) -> V {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.len() >= self.most && !slots.contains_key(&key) {
                slots.clear();
            }
            Arc::clone(slots.entry(key).or_default())
        };
        slot.get_or_init(compute).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_once_and_forgets_when_full() {
        static SQUARES: Shared<u32, u32> = Shared::new(2);
        let mut n_computed = 0;
        let mut square = |n: u32| {
            SQUARES.get(n, || {
                n_computed += 1;
                n * n
            })
        };
        assert_eq!((square(3), square(4), square(3)), (9, 16, 9));
        // The third value finds the store full.
        assert_eq!((square(5), square(3)), (25, 9));
        assert_eq!(n_computed, 4);
    }
}
