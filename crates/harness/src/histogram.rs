//! How long things took, in constant memory.
//!
//! Invariant: a reported value is at least the true one and less than 0.8 % above it; below 256 µs it is exact.

use std::time::Duration;

const SUB_BUCKET_BITS: u32 = 7;
/// Values below are counted one by one.
const EXACT: u64 = 1 << (SUB_BUCKET_BITS + 1);
const SUB_BUCKETS: usize = 1 << SUB_BUCKET_BITS;
/// Microseconds; more than an hour. Longer durations are counted as this one.
const VALUE_MAX: u64 = (1 << 32) - 1;
const BUCKETS: usize = EXACT as usize + (32 - SUB_BUCKET_BITS as usize - 1) * SUB_BUCKETS;

/// Durations in microseconds, in buckets whose width grows with the value.
#[derive(Clone)]
pub struct Histogram {
    counts: Box<[u32]>,
    total: u64,
    largest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into_boxed_slice(), total: 0, largest: 0 }
    }
}

impl Histogram {
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(VALUE_MAX).min(VALUE_MAX);
        let count = &mut self.counts[bucket_of(micros)];
        *count = count.saturating_add(1);
        self.total += 1;
        self.largest = self.largest.max(micros);
    }

    pub fn count(&self) -> u64 {
        self.total
    }

    /// The smallest duration that `percent` of all do not exceed; zero if nothing was recorded.
    pub fn percentile(&self, percent: u8) -> Duration {
        let rank = (self.total * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return Duration::from_micros(upper_bound(bucket).min(self.largest));
            }
        }
        Duration::ZERO
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let shift = 63 - micros.leading_zeros() - SUB_BUCKET_BITS;
    let within = (micros >> shift) as usize - SUB_BUCKETS;
    EXACT as usize + (shift as usize - 1) * SUB_BUCKETS + within
}

fn upper_bound(bucket: usize) -> u64 {
    if bucket < EXACT as usize {
        return bucket as u64;
    }
    let (octave, within) = ((bucket - EXACT as usize) / SUB_BUCKETS, (bucket - EXACT as usize) % SUB_BUCKETS);
    (((SUB_BUCKETS + within + 1) as u64) << (octave + 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_the_bucket_that_bounds_it() {
        let mut previous = 0;
        for value in (0..5000).chain((13..32).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1])) {
            let bound = upper_bound(bucket_of(value));
            assert!(bound >= value, "{value} is above its bucket's bound {bound}");
            assert!(bound - value <= value / 128, "{value} is reported as {bound}");
            assert!(bucket_of(value) >= previous, "{value} falls below a smaller value");
            previous = bucket_of(value);
        }
        assert_eq!(bucket_of(VALUE_MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(99), Duration::ZERO);
        for micros in (1..=200).rev() {
            histogram.record(Duration::from_micros(micros));
        }
        assert_eq!(histogram.count(), 200);
        assert_eq!(histogram.percentile(50), Duration::from_micros(100));
        assert_eq!(histogram.percentile(99), Duration::from_micros(198));
        assert_eq!(histogram.percentile(100), Duration::from_micros(200));
    }

    #[test]
    fn the_longest_duration_is_reported_as_it_was() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_micros(100_001));
        assert_eq!(histogram.percentile(99), Duration::from_micros(100_001));
        histogram.record(Duration::from_secs(1 << 40));
        assert_eq!(histogram.percentile(100), Duration::from_micros(VALUE_MAX));
    }
}
