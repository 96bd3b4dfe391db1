//! The scheme that a run uses: how its DFSPs and their customers are called.
//!
//! Invariant: names and numbers are fixed-length texts that carry their own index, so that a message is attributed
//! without a table.

/// Two digits name a DFSP.
pub const DFSPS_MAX: u8 = 99;
/// Five digits number a customer within its DFSP.
pub const PARTIES_MAX: u32 = 99_999;
pub const CURRENCY: &str = "USD";

const NAME_PREFIX: &[u8] = b"dfsp";
/// A country code and an operator code; the DFSP's and the customer's number follow.
const MSISDN_PREFIX: &[u8] = b"25570";
const NAME_LENGTH: usize = 6;
const MSISDN_LENGTH: usize = 12;

/// Name of a DFSP as it stands in `FSPIOP-Source`: `dfsp00` to `dfsp98`.
pub type Name = [u8; NAME_LENGTH];
/// The identifier of a customer, of type MSISDN.
pub type Msisdn = [u8; MSISDN_LENGTH];

/// How many DFSPs there are, how many customers each of them has, and over how many hubs the DFSPs are spread, one after the
/// other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scheme {
    pub dfsps: u8,
    pub parties: u32,
    pub hubs: u8,
}

/// Whom a payer pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    Anyone,
    /// Customers of DFSPs of the same hub.
    OwnHub,
    /// Customers of DFSPs of other hubs.
    OtherHubs,
}

/// One customer of one DFSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party {
    pub dfsp: u8,
    pub number: u32,
}

impl Scheme {
    /// `None` unless there are 2 to [`DFSPS_MAX`] DFSPs with 1 to [`PARTIES_MAX`] customers each.
    pub fn try_new(dfsps: u8, parties: u32) -> Option<Self> {
        let fits = (2..=DFSPS_MAX).contains(&dfsps) && (1..=PARTIES_MAX).contains(&parties);
        fits.then_some(Self { dfsps, parties, hubs: 1 })
    }

    /// The same DFSPs on several hubs. `None` if one of them would have less than two.
    pub fn over_hubs(self, hubs: u8) -> Option<Self> {
        (hubs > 0 && self.dfsps / hubs > 1).then_some(Self { hubs, ..self })
    }

    pub fn hub_of(self, dfsp: u8) -> usize {
        usize::from(dfsp % self.hubs)
    }

    /// The DFSPs of a hub.
    pub fn dfsps_of(self, hub: usize) -> impl Iterator<Item = u8> {
        (0..self.dfsps).filter(move |dfsp| self.hub_of(*dfsp) == hub)
    }

    pub fn is_within(self, reach: Reach, payer: u8, payee: u8) -> bool {
        match reach {
            Reach::Anyone => true,
            Reach::OwnHub => self.hub_of(payer) == self.hub_of(payee),
            Reach::OtherHubs => self.hub_of(payer) != self.hub_of(payee),
        }
    }

    pub fn parties_in_all(self) -> usize {
        usize::from(self.dfsps) * self.parties as usize
    }

    /// Position of a party in a list of all, DFSP by DFSP; `None` if it is of another scheme.
    pub fn index_of(self, party: Party) -> Option<usize> {
        let known = party.dfsp < self.dfsps && party.number < self.parties;
        known.then(|| usize::from(party.dfsp) * self.parties as usize + party.number as usize)
    }
}

impl Party {
    pub fn msisdn(self) -> Msisdn {
        let mut text = [0; MSISDN_LENGTH];
        text[..5].copy_from_slice(MSISDN_PREFIX);
        write_digits(u32::from(self.dfsp), &mut text[5..7]);
        write_digits(self.number, &mut text[7..]);
        text
    }

    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits = text.strip_prefix(MSISDN_PREFIX)?;
        if text.len() != MSISDN_LENGTH {
            return None;
        }
        Some(Self { dfsp: u8::try_from(digits_of(&digits[..2])?).ok()?, number: digits_of(&digits[2..])? })
    }
}

pub fn dfsp_name(dfsp: u8) -> Name {
    let mut text = [0; NAME_LENGTH];
    text[..4].copy_from_slice(NAME_PREFIX);
    write_digits(u32::from(dfsp), &mut text[4..]);
    text
}

/// The name as text, for URLs and reports.
pub fn dfsp_text(dfsp: u8) -> String {
    String::from_utf8_lossy(&dfsp_name(dfsp)).into_owned()
}

pub fn parse_dfsp(name: &[u8]) -> Option<u8> {
    let digits = name.strip_prefix(NAME_PREFIX)?;
    if name.len() != NAME_LENGTH {
        return None;
    }
    u8::try_from(digits_of(digits)?).ok()
}

fn write_digits(mut number: u32, text: &mut [u8]) {
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn digits_of(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_carry_their_index() {
        for (dfsp, number) in [(0, 0), (7, 42), (98, 99_999)] {
            assert_eq!(parse_dfsp(&dfsp_name(dfsp)), Some(dfsp));
            let party = Party { dfsp, number };
            assert_eq!(Party::parse(&party.msisdn()), Some(party));
        }
        assert_eq!(dfsp_text(7), "dfsp07");
        assert_eq!(&Party { dfsp: 7, number: 42 }.msisdn(), b"255700700042");
    }

    #[test]
    fn dfsps_are_spread_over_hubs_and_payers_reach_as_far_as_they_are_told() {
        let scheme = Scheme::try_new(5, 10).unwrap();
        assert!(scheme.is_within(Reach::OwnHub, 0, 1), "there is one hub");
        assert_eq!(scheme.over_hubs(3), None, "a hub with one DFSP has no payments of its own");
        let scheme = scheme.over_hubs(2).unwrap();
        assert_eq!(scheme.dfsps_of(1).collect::<Vec<_>>(), [1, 3]);
        assert!(scheme.is_within(Reach::OwnHub, 0, 4) && !scheme.is_within(Reach::OwnHub, 0, 3));
        assert!(scheme.is_within(Reach::OtherHubs, 0, 3) && !scheme.is_within(Reach::OtherHubs, 0, 4));
        assert!(scheme.is_within(Reach::Anyone, 0, 3));
    }

    #[test]
    fn what_is_not_of_the_scheme_is_not_attributed() {
        for name in [&b"dfsp0"[..], b"dfsp001", b"bank01", b"dfspx1"] {
            assert_eq!(parse_dfsp(name), None);
        }
        assert_eq!(Party::parse(b"25570070004"), None);
        let scheme = Scheme::try_new(2, 10).unwrap();
        assert_eq!(scheme.index_of(Party { dfsp: 1, number: 9 }), Some(19));
        assert_eq!(scheme.index_of(Party { dfsp: 2, number: 0 }), None);
        assert_eq!(scheme.index_of(Party { dfsp: 0, number: 10 }), None);
        assert_eq!(Scheme::try_new(1, 10), None);
    }
}
