//! The built-in party directory.

use super::{
    connection::{Request, Value},
    locks,
};
use crate::{
    PartyChange,
    codec::{PARTY_COLUMNS, party_currency, party_sub_id},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use tokio_postgres::types::ToSql;
use vocabulary::{Currency, FspId, PartyId};

/// One lock for each party, or for some that share a hash; two units then never wait for each other's rows.
const LOCK: &str = "SELECT pg_advisory_xact_lock($1::INTEGER, lock) \
     FROM (SELECT DISTINCT hashtext(identifier) & 1023 AS lock FROM unnest($2::TEXT[]) AS changed (identifier) \
     ORDER BY lock) AS locks";

const REMOVE: &str = "DELETE FROM parties USING unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[]) \
     AS gone (id_type, identifier, sub_id, currency) WHERE parties.identifier = gone.identifier \
     AND parties.id_type = gone.id_type AND parties.sub_id = gone.sub_id \
     AND (gone.currency IS NULL OR parties.currency = gone.currency)";

const REGISTER: &str = "INSERT INTO parties (id_type, identifier, sub_id, currency, fsp) \
     SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[]) \
     ON CONFLICT (identifier, id_type, sub_id, currency) DO UPDATE SET fsp = EXCLUDED.fsp";

pub(super) static FIND: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {PARTY_COLUMNS} FROM parties WHERE identifier = $1 AND id_type = $2 ORDER BY sub_id, currency")
});

/// What a list of changes comes to: first the removals, then the registrations.
#[derive(Default)]
pub(super) struct Net<'a> {
    /// Without a currency: in all currencies.
    removed: BTreeSet<(&'a PartyId, Option<Currency>)>,
    registered: BTreeMap<(&'a PartyId, Option<Currency>), &'a FspId>,
}

pub(super) fn net(changes: &[PartyChange]) -> Net<'_> {
    let mut net = Net::default();
    for change in changes {
        match change {
            PartyChange::Register(entry) => {
                net.registered.insert((&entry.party, entry.currency), &entry.fsp);
            }
            PartyChange::Remove { party, currency } => {
                net.registered.retain(|(known, of), _| *known != party || (currency.is_some() && of != currency));
                net.removed.insert((party, *currency));
            }
        }
    }
    net
}

pub(super) fn requests<'a>(net: &Net<'a>) -> Vec<Request<'a>> {
    let mut requests = Vec::new();
    let all = || net.removed.iter().chain(net.registered.keys());
    if all().next().is_some() {
        let identifiers: Vec<&str> = all().map(|(party, _)| &*party.identifier).collect();
        requests.push(Request::new(LOCK, vec![Box::new(locks::PARTIES), Box::new(identifiers)]));
    }
    if !net.removed.is_empty() {
        let mut values = party_arrays(net.removed.iter().map(|(party, _)| *party));
        let currency = |currency: Option<Currency>| currency.map(|currency| currency.to_string());
        values.push(array(net.removed.iter().map(|(_, of)| currency(*of))));
        requests.push(Request::new(REMOVE, values));
    }
    if !net.registered.is_empty() {
        let mut values = party_arrays(net.registered.keys().map(|(party, _)| *party));
        values.push(array(net.registered.keys().map(|(_, currency)| party_currency(currency.as_ref()).to_owned())));
        values.push(array(net.registered.values().map(|fsp| fsp.as_str())));
        requests.push(Request::new(REGISTER, values));
    }
    requests
}

fn party_arrays<'a>(parties: impl Iterator<Item = &'a PartyId> + Clone) -> Vec<Value<'a>> {
    vec![
        array(parties.clone().map(|party| party.id_type.as_str())),
        array(parties.clone().map(|party| &*party.identifier)),
        array(parties.map(party_sub_id)),
    ]
}

fn array<'a, V: ToSql + Sync + Send + 'a>(values: impl Iterator<Item = V>) -> Value<'a> {
    Box::new(values.collect::<Vec<V>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PartyEntry;
    use vocabulary::PartyIdType;

    fn register(party: &PartyId, fsp: &str, currency: Option<&str>) -> PartyChange {
        let currency = currency.map(|text| text.parse().unwrap());
        PartyChange::Register(PartyEntry { party: party.clone(), fsp: fsp.parse().unwrap(), currency })
    }

    #[test]
    fn a_removal_takes_back_only_what_was_registered_before_it() {
        let party = PartyId::try_new(PartyIdType::Msisdn, "123", None).unwrap();
        let remove = |currency: Option<&str>| PartyChange::Remove {
            party: party.clone(),
            currency: currency.map(|text| text.parse().unwrap()),
        };
        let changes = [
            register(&party, "a", Some("USD")),
            register(&party, "a", None),
            remove(Some("USD")),
            register(&party, "b", Some("EUR")),
        ];
        let before = net(&changes);
        assert_eq!(before.removed.len(), 1);
        assert_eq!(before.registered.len(), 2);
        let changes = [register(&party, "a", Some("USD")), remove(None), register(&party, "c", None)];
        let after = net(&changes);
        let left: Vec<_> = after.registered.into_iter().map(|((_, currency), fsp)| (currency, fsp.as_str())).collect();
        assert_eq!(left, [(None, "c")]);
    }
}
