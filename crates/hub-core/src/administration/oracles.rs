//! Oracles: directories of parties outside the hub (contract §2.7, administration §1.18).

use super::{AdminRejection, Change, Directory, Oracle};
use alloc::{boxed::Box, vec, vec::Vec};
use vocabulary::{Currency, PartyIdType};

/// An oracle as an operator describes it.
#[derive(Clone, Debug)]
pub struct NewOracle {
    pub id_type: PartyIdType,
    pub currency: Option<Currency>,
    pub url: Box<str>,
    pub is_default: bool,
}

/// Replaces what is known of an oracle.
#[derive(Clone, Debug)]
pub struct ReplaceOracle {
    pub id: i64,
    pub by: NewOracle,
}

pub(super) fn create(directory: &Directory, command: &NewOracle) -> Result<Vec<Change>, AdminRejection> {
    check_free(directory, command)?;
    let id = directory.oracles.iter().map(|oracle| oracle.id).max().unwrap_or(0) + 1;
    Ok(vec![Change::AddOracle(described(id, command))])
}

/// An oracle counts as its own duplicate, as in the reference: a replacement changes the type or the currency.
pub(super) fn replace(directory: &Directory, command: &ReplaceOracle) -> Result<Vec<Change>, AdminRejection> {
    active(directory, command.id).ok_or(AdminRejection::OracleNotFound)?;
    check_free(directory, &command.by)?;
    Ok(vec![Change::SetOracle(described(command.id, &command.by))])
}

/// Removing an oracle that is not there is no failure. The row stays, so that history can name it.
pub(super) fn remove(directory: &Directory, id: i64) -> Vec<Change> {
    let retired = active(directory, id).map(|oracle| Oracle { is_active: false, ..oracle.clone() });
    retired.map(Change::SetOracle).into_iter().collect()
}

fn active(directory: &Directory, id: i64) -> Option<&Oracle> {
    directory.oracles.iter().find(|oracle| oracle.id == id && oracle.is_active)
}

fn check_free(directory: &Directory, wanted: &NewOracle) -> Result<(), AdminRejection> {
    let matches =
        |oracle: &Oracle| oracle.is_active && oracle.id_type == wanted.id_type && oracle.currency == wanted.currency;
    if directory.oracles.iter().any(matches) { Err(AdminRejection::OracleExists) } else { Ok(()) }
}

fn described(id: i64, by: &NewOracle) -> Oracle {
    let NewOracle { id_type, currency, url, is_default } = by.clone();
    Oracle { id, id_type, currency, url, is_default, is_active: true }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scheme;
    use super::super::{AdminCommand, AdminRejection};
    use super::*;

    fn oracle(id_type: PartyIdType, code: Option<&str>) -> NewOracle {
        let currency = code.map(|code| code.parse().unwrap());
        NewOracle { id_type, currency, url: "http://127.0.0.1:1".into(), is_default: true }
    }

    fn creates(scheme: &mut Scheme, id_type: PartyIdType, code: Option<&str>) -> Result<(), AdminRejection> {
        scheme.tries(AdminCommand::CreateOracle(oracle(id_type, code)))
    }

    #[test]
    fn an_active_oracle_is_unique_by_type_and_currency() {
        let mut scheme = Scheme::empty();
        for (id_type, code, expected) in [
            (PartyIdType::Msisdn, Some("USD"), Ok(())),
            (PartyIdType::Msisdn, Some("USD"), Err(AdminRejection::OracleExists)),
            (PartyIdType::Msisdn, Some("EUR"), Ok(())),
            (PartyIdType::Alias, Some("USD"), Ok(())),
            (PartyIdType::Msisdn, None, Ok(())),
            (PartyIdType::Msisdn, None, Err(AdminRejection::OracleExists)),
        ] {
            assert_eq!(creates(&mut scheme, id_type, code), expected, "{id_type} {code:?}");
        }
        let ids: Vec<_> = scheme.directory.oracles.iter().map(|oracle| oracle.id).collect();
        assert_eq!(ids, [1, 2, 3, 4]);
    }

    #[test]
    fn a_removed_oracle_stays_on_record_makes_room_and_is_not_replaced() {
        let mut scheme = Scheme::empty();
        scheme.does(AdminCommand::CreateOracle(oracle(PartyIdType::Alias, None)));
        scheme.does(AdminCommand::RemoveOracle(1));
        scheme.does(AdminCommand::RemoveOracle(1));
        scheme.does(AdminCommand::RemoveOracle(77));
        assert!(!scheme.directory.oracles[0].is_active);
        let replacement = ReplaceOracle { id: 1, by: oracle(PartyIdType::Iban, None) };
        let refused = scheme.tries(AdminCommand::ReplaceOracle(replacement));
        assert_eq!(refused, Err(AdminRejection::OracleNotFound));
        assert_eq!(creates(&mut scheme, PartyIdType::Alias, None), Ok(()));
        assert_eq!(scheme.directory.oracles[1].id, 2);
    }

    #[test]
    fn an_oracle_without_currency_can_be_replaced_by_one_with_another_key() {
        let mut scheme = Scheme::empty();
        scheme.does(AdminCommand::CreateOracle(oracle(PartyIdType::Alias, None)));
        for (code, expected) in [(None, Err(AdminRejection::OracleExists)), (Some("USD"), Ok(()))] {
            let replacement = ReplaceOracle { id: 1, by: oracle(PartyIdType::Alias, code) };
            assert_eq!(scheme.tries(AdminCommand::ReplaceOracle(replacement)), expected);
        }
        assert_eq!(scheme.directory.oracles[0].currency, Some("USD".parse().unwrap()));
    }
}
