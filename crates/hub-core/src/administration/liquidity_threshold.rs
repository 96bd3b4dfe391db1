//! The liquidity below which operators are told: an addition of this hub, beside the alarm of the cap.

use super::{AccountRecord, AdminRejection, Change, Directory};
use alloc::{vec, vec::Vec};
use ledger::AccountKind;
use vocabulary::{Amount, Currency, FspId};

/// Sets or takes away the threshold of a participant's liquidity in a currency.
#[derive(Clone, Debug)]
pub struct SetLiquidityThreshold {
    pub participant: FspId,
    pub currency: Currency,
    pub threshold: Option<Amount>,
}

pub(super) fn set(directory: &Directory, command: &SetLiquidityThreshold) -> Result<Vec<Change>, AdminRejection> {
    let record = directory
        .participant(&command.participant)
        .and_then(|owner| directory.account(owner.participant.id, command.currency, AccountKind::Settlement))
        .ok_or(AdminRejection::ParticipantNotFound)?;
    Ok(vec![Change::SetAccount(AccountRecord { liquidity_threshold: command.threshold, ..record.clone() })])
}

#[cfg(test)]
mod tests {
    use super::super::AdminCommand;
    use super::super::fixture::{HUB, Scheme, amount, currency, fsp};
    use super::*;

    #[test]
    fn a_participant_that_has_liquidity_may_have_a_threshold_for_it() {
        let mut scheme = Scheme::with_dfsp();
        let mut set = |name, code, threshold| {
            let command = SetLiquidityThreshold { participant: fsp(name), currency: currency(code), threshold };
            scheme.tries(AdminCommand::SetLiquidityThreshold(command))?;
            let account = scheme.account(name, code, AccountKind::Settlement).unwrap();
            assert_eq!(account.liquidity_threshold, threshold);
            Ok(())
        };
        for threshold in [Some(amount("100")), Some(Amount::ZERO), None] {
            assert_eq!(set("dfsp", "USD", threshold), Ok(()));
        }
        for (name, code) in [("dfsp", "EUR"), ("nobody", "USD"), (HUB, "USD")] {
            assert_eq!(set(name, code, None), Err(AdminRejection::ParticipantNotFound), "{name} {code}");
        }
    }
}
