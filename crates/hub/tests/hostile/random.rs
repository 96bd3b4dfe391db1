//! Numbers that look random, from a seed.

/// xorshift64* by S. Vigna.
pub struct Random(u64);

impl Random {
    pub fn seeded(seed: u64) -> Self {
        let mut random = Self((seed ^ 0x9E37_79B9_7F4A_7C15).max(1));
        // The first numbers of seeds that are alike are alike.
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below the limit, which is not zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    /// A place in something that is not empty.
    pub fn place(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.place(from.len())]
    }

    pub fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    /// Bytes out of an alphabet.
    pub fn word(&mut self, alphabet: &[u8], length: usize) -> Vec<u8> {
        (0..length).map(|_| *self.pick(alphabet)).collect()
    }
}
