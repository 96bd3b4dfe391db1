//! Numbers that look random, from a seed that a report can name.
//!
//! Invariant: the same seed gives the same numbers. Not for secrets.

/// xorshift64* by S. Vigna: one word of state, period 2⁶⁴ − 1.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn seeded(seed: u64) -> Self {
        // SplitMix64's finaliser spreads small seeds over all bits; the state must not be zero.
        let mut state = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self((state ^ (state >> 31)).max(1))
    }

    /// A seed that no other run has.
    pub fn fresh_seed() -> u64 {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        high ^ low
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below the limit, which is not zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A UUID of version 4.
    pub fn uuid(&mut self) -> Id {
        let mut bits = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
        bits = (bits & !(0xF << 76)) | (0x4 << 76);
        bits = (bits & !(0x3 << 62)) | (0x2 << 62);
        Id(bits)
    }
}

/// A UUID that costs little to write and to read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(u128);

pub const ID_LENGTH: usize = 36;
const HEX: &[u8; 16] = b"0123456789abcdef";
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const NO_DIGIT: u8 = 0xFF;
const DIGITS: [u8; 256] = digits();

impl Id {
    pub fn text(self) -> [u8; ID_LENGTH] {
        let mut text = [b'-'; ID_LENGTH];
        let mut at = 0;
        for byte in self.0.to_be_bytes() {
            if HYPHENS.contains(&at) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        text
    }

    /// Reads what [`Id::text`] wrote; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != ID_LENGTH {
            return None;
        }
        let mut bits = 0u128;
        for (at, character) in text.iter().enumerate() {
            if HYPHENS.contains(&at) {
                if *character != b'-' {
                    return None;
                }
                continue;
            }
            let digit = DIGITS[usize::from(*character)];
            if digit == NO_DIGIT {
                return None;
            }
            bits = (bits << 4) | u128::from(digit);
        }
        Some(Self(bits))
    }
}

const fn digits() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        table[HEX[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::CorrelationId;

    #[test]
    fn one_seed_gives_one_sequence_and_another_seed_another() {
        let draw = |seed| {
            let mut random = Random::seeded(seed);
            [random.next_u64(), random.next_u64(), random.next_u64()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(0), draw(1));
    }

    #[test]
    fn numbers_below_a_limit_reach_all_of_it_and_nothing_more() {
        let mut random = Random::seeded(7);
        let mut seen = [0u32; 6];
        for _ in 0..6000 {
            seen[random.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }

    #[test]
    fn ids_are_well_formed_and_survive_writing_and_reading() {
        let mut random = Random::seeded(3);
        for _ in 0..100 {
            let id = random.uuid();
            let text = id.text();
            assert!(str::from_utf8(&text).unwrap().parse::<CorrelationId>().is_ok());
            assert_eq!(Id::parse(&text), Some(id));
        }
        assert_eq!(Id::parse(b"b51ec534-ee48-4575-b6a9-ead2955b806"), None);
        assert_eq!(Id::parse(b"b51ec534xee48-4575-b6a9-ead2955b8069"), None);
        assert_eq!(Id::parse(b"B51EC534-EE48-4575-B6A9-EAD2955B8069"), None);
    }
}
