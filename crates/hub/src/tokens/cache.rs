//! Tokens that were verified, by their hash.
//!
//! Invariant: at most twice [`HALF_MAX`] are remembered. What was not shown while as many others came is forgotten, and is
//! verified again if it comes back. Only what was verified is kept, so that nobody without a token can fill it.

use super::Verified;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

const HALF_MAX: usize = 4096;

pub type Hash = [u8; 32];

#[derive(Default)]
pub struct Cache(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<Hash, Arc<Verified>>,
    old: HashMap<Hash, Arc<Verified>>,
}

pub fn hash_of(token: &str) -> Hash {
    Sha256::digest(token).into()
}

impl Cache {
    pub fn get(&self, hash: &Hash) -> Option<Arc<Verified>> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = halves.young.get(hash) {
            return Some(known.clone());
        }
        let known = halves.old.remove(hash)?;
        halves.put(*hash, known.clone());
        Some(known)
    }

    pub fn put(&self, hash: Hash, verified: Arc<Verified>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(hash, verified);
    }
}

impl Halves {
    fn put(&mut self, hash: Hash, verified: Arc<Verified>) {
        if self.young.len() >= HALF_MAX {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(hash, verified);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Timestamp;

    #[test]
    fn what_is_shown_is_remembered_however_many_others_come() {
        let cache = Cache::default();
        let verified = |name: &str| {
            let ends_at = Timestamp::from_millis(1);
            Arc::new(Verified { name: name.parse().unwrap(), generation: None, ends_at })
        };
        let kept = hash_of("kept");
        cache.put(kept, verified("kept"));
        cache.put(hash_of("left"), verified("left"));
        for number in 0..3 * HALF_MAX {
            cache.put(hash_of(&number.to_string()), verified("other"));
            assert_eq!(cache.get(&kept).unwrap().name.as_str(), "kept", "{number}");
        }
        assert!(cache.get(&hash_of("left")).is_none());
        let halves = cache.0.lock().unwrap();
        assert!(halves.young.len() <= HALF_MAX && halves.old.len() <= HALF_MAX);
    }
}
