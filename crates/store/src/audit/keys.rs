//! A set of keys that grow from 1 with few gaps: one bit for each.

use std::collections::BTreeMap;

const BITS: i64 = 64;
/// Keys of one block.
const BLOCK: i64 = 1 << 16;
const WORDS: usize = (BLOCK / BITS) as usize;

#[derive(Default)]
pub(super) struct Keys {
    blocks: BTreeMap<i64, Box<[u64; WORDS]>>,
}

impl Keys {
    /// Adds a key; false if it was there.
    pub fn insert(&mut self, key: i64) -> bool {
        let (block, word, bit) = place(key);
        let word = &mut self.blocks.entry(block).or_insert_with(|| Box::new([0; WORDS]))[word];
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// As [`Self::insert`], where it does not matter whether it was there.
    pub fn insert_new(&mut self, key: i64) {
        self.insert(key);
    }

    /// The keys that another set has not, in their order.
    pub fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = i64> + 'a {
        self.blocks.iter().flat_map(move |(block, words)| {
            let others = other.blocks.get(block);
            words.iter().zip(0..).flat_map(move |(word, number)| {
                let left = word & !others.map_or(0, |others| others[number as usize]);
                let first = block * BLOCK + number * BITS;
                (0..BITS).filter(move |bit| left & (1 << bit) != 0).map(move |bit| first + bit)
            })
        })
    }
}

fn place(key: i64) -> (i64, usize, u64) {
    let inside = key.rem_euclid(BLOCK);
    let word = usize::try_from(inside / BITS).expect("a block is small");
    (key.div_euclid(BLOCK), word, 1 << (inside % BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_set_has_and_another_has_not_comes_in_order() {
        let (mut all, mut some) = (Keys::default(), Keys::default());
        let keys = [1, 2, 63, 64, 65_535, 65_536, 10_000_000];
        for key in keys {
            assert!(all.insert(key), "{key}");
            assert!(!all.insert(key), "{key}");
        }
        for key in [2, 64, 65_536, 77] {
            some.insert_new(key);
        }
        assert_eq!(all.without(&some).collect::<Vec<_>>(), [1, 63, 65_535, 10_000_000]);
        assert_eq!(some.without(&all).collect::<Vec<_>>(), [77]);
        assert_eq!(all.without(&Keys::default()).count(), keys.len());
    }
}
