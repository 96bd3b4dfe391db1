//! Who is used how often: few much, many little.
//!
//! Invariant: of `n` items, the one of rank `k` is drawn with probability (1/k) / (1/1 + … + 1/n), to one part in 2³².

use crate::random::Random;

const WEIGHT_OF_FIRST: u64 = 1 << 32;

/// Zipf's distribution with exponent one.
#[derive(Clone, Debug)]
pub struct Zipf {
    cumulative: Vec<u64>,
}

impl Zipf {
    /// Over `items` ranks; there is at least one.
    pub fn new(items: usize) -> Self {
        assert!(items > 0, "a distribution over nothing");
        let cumulative = (1..=items as u64)
            .scan(0, |sum, rank| {
                *sum += WEIGHT_OF_FIRST / rank;
                Some(*sum)
            })
            .collect();
        Self { cumulative }
    }

    /// A rank, counted from zero.
    pub fn draw(&self, random: &mut Random) -> usize {
        let total = *self.cumulative.last().expect("there is at least one item");
        let point = random.below(total);
        self.cumulative.partition_point(|sum| *sum <= point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_says_how_often_an_item_is_drawn() {
        let zipf = Zipf::new(12);
        let mut random = Random::seeded(11);
        let mut drawn = [0u64; 12];
        for _ in 0..120_000 {
            drawn[zipf.draw(&mut random)] += 1;
        }
        // 1/1 + … + 1/12 = 3.1032: the first is drawn 38 670 times, the second half as often, and so on.
        for (rank, count) in (1u64..).zip(drawn) {
            let expected = 38_670 / rank;
            assert!(count.abs_diff(expected) < expected / 10 + 100, "rank {rank}: {count}, expected {expected}");
        }
    }

    #[test]
    fn one_item_is_always_drawn() {
        let mut random = Random::seeded(1);
        assert_eq!(Zipf::new(1).draw(&mut random), 0);
    }
}
