//! The numbers of public keys, as JSON Web Keys write them (RFC 7518 §6), and the DER that they stand for.

/// The numbers of a public key, big-endian.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicParameters {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { x: [u8; 32], y: [u8; 32] },
}

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
/// Begins a point that is not compressed.
const WHOLE_POINT: u8 = 4;

impl PublicParameters {
    /// PKCS #1 of an RSA key, the point of another.
    pub(super) fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa { modulus, exponent } => {
                let content = [element(INTEGER, &positive(modulus)), element(INTEGER, &positive(exponent))].concat();
                element(SEQUENCE, &content)
            }
            Self::P256 { x, y } => [&[WHOLE_POINT][..], x, y].concat(),
        }
    }
}

/// From PKCS #1.
pub(super) fn of_rsa(der: &[u8]) -> Option<PublicParameters> {
    let (content, _) = read(SEQUENCE, der)?;
    let (modulus, rest) = read(INTEGER, content)?;
    let (exponent, _) = read(INTEGER, rest)?;
    Some(PublicParameters::Rsa { modulus: without_zeros(modulus).to_vec(), exponent: without_zeros(exponent).to_vec() })
}

/// From a point that is not compressed.
pub(super) fn of_point(point: &[u8]) -> Option<PublicParameters> {
    let (WHOLE_POINT, numbers) = point.split_first().map(|(form, numbers)| (*form, numbers))? else { return None };
    let (x, y) = numbers.split_at_checked(32)?;
    Some(PublicParameters::P256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
}

/// Without sign: a number whose first bit is set gets a zero in front.
fn positive(number: &[u8]) -> Vec<u8> {
    let number = without_zeros(number);
    let needs_zero = number.first().is_none_or(|first| *first >= 0x80);
    [&[0][..usize::from(needs_zero)], number].concat()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let begin = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[begin..]
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    let bytes = length.to_be_bytes();
    let bytes = without_zeros(&bytes);
    if length >= 0x80 {
        der.push(0x80 | u8::try_from(bytes.len()).expect("a length has eight bytes at most"));
    }
    der.extend_from_slice(if length == 0 { &[0] } else { bytes });
    der.extend_from_slice(content);
    der
}

/// The content of an element, and what follows it.
fn read(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(*first), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let number = bytes
                .iter()
                .try_fold(0usize, |number, byte| number.checked_mul(256).map(|number| number + usize::from(*byte)))?;
            (number, rest)
        }
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::{SigningKey, VerificationKey};

    #[test]
    fn a_key_that_is_written_in_numbers_verifies_what_it_has_signed() {
        let keys = [SigningKey::generate_rsa().unwrap().0, SigningKey::generate_p256().unwrap().0];
        for (at, key) in keys.iter().enumerate() {
            let (algorithm, signature) = (key.algorithm(), key.sign(b"text").unwrap());
            let public = VerificationKey::from_parameters(&key.parameters()).unwrap();
            assert!(public.accepts(algorithm, b"text", &signature), "{algorithm}");
            assert!(!public.accepts(algorithm, b"tEXT", &signature), "{algorithm}");
            let other = VerificationKey::from_parameters(&keys[1 - at].parameters()).unwrap();
            assert!(!other.accepts(algorithm, b"text", &signature), "{algorithm}");
        }
    }

    #[test]
    fn numbers_that_are_no_key_are_refused() {
        let small = PublicParameters::Rsa { modulus: vec![0x80; 64], exponent: vec![1, 0, 1] };
        let even = PublicParameters::Rsa { modulus: vec![0x80; 256], exponent: vec![] };
        let nowhere = PublicParameters::P256 { x: [1; 32], y: [1; 32] };
        for parameters in [small, even, nowhere] {
            assert!(VerificationKey::from_parameters(&parameters).is_err(), "{parameters:?}");
        }
    }

    #[test]
    fn all_private_keys_of_a_file_are_read_and_what_is_none_is_left_out() {
        let (first, second) = (SigningKey::generate_p256().unwrap(), SigningKey::generate_rsa().unwrap());
        let text = format!("# two\n{}{}{}", first.1, first.0.public_pem().unwrap(), second.1);
        let names: Vec<_> = SigningKey::all_from_pem(&text).unwrap().iter().map(SigningKey::algorithm).collect();
        assert_eq!(names, ["ES256", "RS256"]);
        for wrong in ["", "no key", "-----BEGIN PRIVATE KEY-----", &first.0.public_pem().unwrap()] {
            assert!(SigningKey::all_from_pem(wrong).is_err(), "{wrong}");
        }
    }
}
