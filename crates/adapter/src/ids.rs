//! New ids: ULIDs, as participants of today use them, or UUIDs for peers that know no others.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// An id that nobody else makes.
pub(crate) fn new(ulids: bool) -> String {
    if ulids { ulid(sdk::now().millis()) } else { sdk::new_id().to_string() }
}

/// 48 bits of time, 80 random bits, five bits to a character.
fn ulid(millis: i64) -> String {
    let mut random = [0; 16];
    // Only a system without any source of randomness fails, and then nothing here can be done safely.
    getrandom::fill(&mut random[6..]).expect("the system gives random numbers");
    let time = u128::from(millis.unsigned_abs()) << 80;
    let bits = time | (u128::from_be_bytes(random) & ((1 << 80) - 1));
    let digit = |place: usize| char::from(ALPHABET[(bits >> (5 * place) & 31) as usize]);
    (0..LENGTH).rev().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::CorrelationId;

    #[test]
    fn ids_have_the_form_of_the_api_and_begin_with_their_time() {
        for ulids in [true, false] {
            let id = new(ulids);
            assert_eq!(id.parse::<CorrelationId>().unwrap().to_string(), id);
        }
        assert_eq!(&ulid(1_469_918_176_385)[..10], "01ARYZ6S41");
        assert_ne!(new(true), new(true));
    }
}
