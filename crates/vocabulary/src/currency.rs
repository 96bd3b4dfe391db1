//! Currencies: the three-letter codes that umoja accepts.

use core::{fmt, str::FromStr};

/// A currency of ISO 4217 (or of its predecessors and test codes that `Currency` of FSPIOP lists, §7.3.9).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The text is not one of the known codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownCurrency;

/// Every accepted code, three letters each, in alphabetical order across the lines.
const CODES: [&str; 8] = [
    "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBOVBRLBSDBTNBWPBYN",
    "BZDCADCDFCHECHFCHWCLFCLPCNYCOPCOUCRCCUCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJD",
    "FKPGBPGELGGPGHSGIPGMDGNFGTQGYDHKDHNLHRKHTGHUFIDRILSIMPINRIQDIRRISKJEPJMDJOD",
    "JPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSLLYDMADMDLMGAMKDMMKMNTMOPMROMRU",
    "MURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUB",
    "RWFSARSBDSCRSDGSEKSGDSHPSLESLLSOSSPLSRDSSPSTDSTNSVCSYPSZLTHBTJSTMTTNDTOPTRY",
    "TTDTVDTWDTZSUAHUGXUSDUSNUYIUYUUYWUZSVEFVESVNDVUVWSTXAFXCDXCGXDRXOFXPFXSUXTS",
    "XUAXXXYERZARZMWZWDZWGZWL",
];

impl Currency {
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("codes are ASCII letters")
    }

    /// All accepted currencies, in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.iter().flat_map(|line| line.as_bytes().chunks_exact(3)).map(|code| Self([code[0], code[1], code[2]]))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        let line = CODES.iter().rev().find(|line| line.as_bytes()[..3] <= code[..]).ok_or(UnknownCurrency)?;
        line.as_bytes().chunks_exact(3).any(|known| known == code).then_some(Self(code)).ok_or(UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownCurrency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a currency code of ISO 4217")
    }
}

impl core::error::Error for UnknownCurrency {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_parses_and_the_list_is_sorted() {
        let mut previous = None;
        for currency in Currency::all() {
            assert_eq!(currency.as_str().parse(), Ok(currency));
            assert!(previous < Some(currency));
            previous = Some(currency);
        }
    }

    #[test]
    fn unknown_codes_are_refused() {
        for text in ["ZZZ", "AAA", "usd", "US", "USDX", ""] {
            assert_eq!(text.parse::<Currency>(), Err(UnknownCurrency), "{text}");
        }
    }
}
