//! Fee rules as rows, and the fees of a transfer as text: `rule:PAYER:units`, one after the other with commas.

use super::{Columns, parse, required, unreadable};
use crate::StoreError;
use hub_core::fees::{Extension, Fee, FeeConditions, FeeDebtor, FeeDecimals, FeeFormula, FeeRule};
use vocabulary::{Amount, Timestamp};

pub(crate) const FEE_RULE_COLUMNS: &str = "id, name, is_active, valid_from, valid_until, currency, payer, payee, \
     amount_from, amount_to, scenario, sub_scenario, initiator, initiator_type, payer_key, payer_value, payee_key, \
     payee_value, debtor, fixed, percent, decimals";

/// Reads [`FEE_RULE_COLUMNS`].
pub(crate) fn fee_rule(row: &impl Columns) -> Result<FeeRule, StoreError> {
    let text = |column| Ok::<_, StoreError>(row.text(column)?.map(Into::into));
    let amount = |column| Ok::<_, StoreError>(row.number(column)?.map(Amount::from_units));
    let time = |column| Ok::<_, StoreError>(row.number(column)?.map(Timestamp::from_millis));
    let extension = |column| {
        let both = row.text(column)?.zip(row.text(column + 1)?);
        Ok::<_, StoreError>(both.map(|(key, value)| Extension { key: key.into(), value: value.into() }))
    };
    let debtor = required(row.text(18)?, "debtor")?;
    Ok(FeeRule {
        id: required(row.number(0)?, "id")?,
        name: required(row.text(1)?, "name")?.into(),
        is_active: row.flag(2)?,
        from: time(3)?,
        until: time(4)?,
        conditions: FeeConditions {
            currency: row.text(5)?.map(|text| parse(text, "currency")).transpose()?,
            payer: row.text(6)?.map(|text| parse(text, "payer")).transpose()?,
            payee: row.text(7)?.map(|text| parse(text, "payee")).transpose()?,
            amount_from: amount(8)?,
            amount_to: amount(9)?,
            scenario: text(10)?,
            sub_scenario: text(11)?,
            initiator: text(12)?,
            initiator_type: text(13)?,
            payer_extension: extension(14)?,
            payee_extension: extension(16)?,
        },
        debtor: FeeDebtor::parse(debtor).ok_or_else(|| unreadable("debtor", debtor))?,
        formula: formula(row)?,
    })
}

fn formula(row: &impl Columns) -> Result<FeeFormula, StoreError> {
    if let Some(fixed) = row.number(19)? {
        return Ok(FeeFormula::Fixed(Amount::from_units(fixed)));
    }
    let places = required(row.number(21)?, "decimals")?;
    let decimals = u8::try_from(places).ok().and_then(FeeDecimals::try_new);
    let decimals = decimals.ok_or_else(|| unreadable("decimals", places))?;
    Ok(FeeFormula::Percentage { percent: Amount::from_units(required(row.number(20)?, "percent")?), decimals })
}

/// The last three of [`FEE_RULE_COLUMNS`].
pub(crate) fn formula_columns(formula: FeeFormula) -> (Option<i64>, Option<i64>, Option<i64>) {
    match formula {
        FeeFormula::Fixed(amount) => (Some(amount.units()), None, None),
        FeeFormula::Percentage { percent, decimals } => {
            (None, Some(percent.units()), Some(i64::from(decimals.places())))
        }
    }
}

/// None where there are no fees, as for nearly every transfer.
pub(crate) fn fees_column(fees: &[Fee]) -> Option<String> {
    let one = |fee: &Fee| format!("{}:{}:{}", fee.rule, fee.debtor.as_str(), fee.amount.units());
    (!fees.is_empty()).then(|| fees.iter().map(one).collect::<Vec<_>>().join(","))
}

pub(crate) fn fees(text: Option<&str>) -> Result<Vec<Fee>, StoreError> {
    let one = |text: &str| {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or_else(|| unreadable("fee", text));
        let (rule, debtor, amount) = (next()?, next()?, next()?);
        Ok(Fee {
            rule: parse(rule, "fee rule")?,
            debtor: FeeDebtor::parse(debtor).ok_or_else(|| unreadable("fee", text))?,
            amount: Amount::from_units(parse(amount, "fee")?),
        })
    };
    text.map_or(Ok(Vec::new()), |text| text.split(',').map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fees_of_a_transfer_are_read_as_they_were_written() {
        let fee = |rule, debtor, units| Fee { rule, debtor, amount: Amount::from_units(units) };
        for given in [
            vec![],
            vec![fee(1, FeeDebtor::Payer, 6000)],
            vec![fee(7, FeeDebtor::Payee, 1), fee(8, FeeDebtor::Payer, 2)],
        ] {
            assert_eq!(fees(fees_column(&given).as_deref()).unwrap(), given);
        }
        for spoilt in ["1:PAYER", "x:PAYER:1", "1:BOTH:1", "1:PAYER:x", ""] {
            assert!(fees(Some(spoilt)).is_err(), "{spoilt}");
        }
    }
}
