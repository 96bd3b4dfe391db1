//! The terms of a conversion on the payee's side, in the ILP packet of the quote that they were part of.
//!
//! Invariant: what [`write`] put into a packet [`read`] takes out of it, so that a payee's DFSP need not remember its quotes; a
//! packet that comes back with its condition is not changed. Of the charges their sum in the source currency is kept.

use super::{FxCharge, FxQuote};
use fspiop::Extension;
use vocabulary::{Amount, Condition, CorrelationId, Currency, Money};

const ID: &str = "conversionId";
const PROVIDER: &str = "conversionProvider";
const AMOUNT: &str = "conversionTargetAmount";
const CURRENCY: &str = "conversionTargetCurrency";
const CHARGE: &str = "conversionCharge";
const CONDITION: &str = "conversionCondition";
const EXPIRATION: &str = "conversionExpiration";

/// The extensions of the transaction. Source amount and determining transfer are the transaction's own.
pub(crate) fn write(quote: &FxQuote) -> Vec<Extension> {
    let entry = |key: &str, value: String| Extension { key: key.to_owned(), value };
    vec![
        entry(ID, quote.conversion_id.to_string()),
        entry(PROVIDER, quote.provider.to_string()),
        entry(AMOUNT, quote.target.amount.to_string()),
        entry(CURRENCY, quote.target.currency.to_string()),
        entry(CHARGE, quote.charge().to_string()),
        entry(CONDITION, quote.condition.to_string()),
        entry(EXPIRATION, quote.expiration.to_string()),
    ]
}

/// The terms for a transaction of `source`; `None` if it is not converted.
pub(crate) fn read(extensions: &[Extension], transaction: CorrelationId, source: Money) -> Option<FxQuote> {
    let value = |key: &str| Some(extensions.iter().find(|entry| entry.key == key)?.value.as_str());
    let currency: Currency = value(CURRENCY)?.parse().ok()?;
    let charge = Money { amount: Amount::parse(value(CHARGE)?).ok()?, currency: source.currency };
    Some(FxQuote {
        provider: value(PROVIDER)?.parse().ok()?,
        conversion_id: value(ID)?.parse().ok()?,
        transfer_id: transaction,
        source,
        target: Money { amount: Amount::parse(value(AMOUNT)?).ok()?, currency },
        charges: vec![FxCharge { kind: "Conversion fee".into(), source: Some(charge), target: None }],
        expiration: value(EXPIRATION)?.parse().ok()?,
        condition: Condition::parse(value(CONDITION)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::new_id;
    use vocabulary::Timestamp;

    fn money(text: &str, currency: &str) -> Money {
        Money { amount: Amount::parse(text).unwrap(), currency: currency.parse().unwrap() }
    }

    fn charge(text: &str, currency: &str) -> FxCharge {
        FxCharge { kind: "Conversion fee".into(), source: Some(money(text, currency)), target: None }
    }

    fn quote() -> FxQuote {
        FxQuote {
            provider: "a_provider_of_thirty_two_letters".parse().unwrap(),
            conversion_id: new_id(),
            transfer_id: new_id(),
            source: money("100", "KES"),
            target: money("1989.6", "TZS"),
            charges: vec![charge("0.5", "KES")],
            expiration: Timestamp::from_millis(1_790_000_000_123),
            condition: Condition::new([7; 32]),
        }
    }

    #[test]
    fn what_was_sealed_is_read_back_and_fits_the_limits_of_extensions() {
        let quote = quote();
        let extensions = write(&quote);
        assert!(
            extensions.len() < 16 && extensions.iter().all(|entry| entry.key.len() <= 32 && entry.value.len() <= 128)
        );
        assert_eq!(read(&extensions, quote.transfer_id, quote.source), Some(quote));
    }

    #[test]
    fn charges_in_the_source_currency_become_one() {
        let quote = quote();
        let dearer = FxQuote { charges: vec![charge("0.5", "KES"), charge("9", "TZS"), charge("1", "KES")], ..quote };
        let back = read(&write(&dearer), dearer.transfer_id, dearer.source).unwrap();
        assert_eq!(back.charges, [charge("1.5", "KES")]);
    }

    #[test]
    fn a_packet_that_lacks_a_term_has_no_conversion() {
        let quote = quote();
        for missing in 0..write(&quote).len() {
            let mut extensions = write(&quote);
            extensions.remove(missing);
            assert_eq!(read(&extensions, quote.transfer_id, quote.source), None);
        }
    }
}
