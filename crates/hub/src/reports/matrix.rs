//! Who sent how much to whom in the windows of a settlement.

use super::{Settled, money, sum, table::Table};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Amount, Currency};

/// What each sent to each, by currency. The sender's debt grew.
type Sent = BTreeMap<Currency, BTreeMap<(String, String), Amount>>;

/// "Sent by" in the rows, "received by" in the columns, totals, net positions, and a check value that is zero.
pub fn multilateral(settled: &Settled<'_>) -> Table {
    let sent = sent(settled);
    let names: BTreeSet<&String> = sent.values().flat_map(BTreeMap::keys).flat_map(|(from, to)| [from, to]).collect();
    let mut columns = vec!["currency".to_owned(), "sentBy".to_owned()];
    columns.extend(names.iter().map(|name| format!("receivedBy {name}")));
    columns.push("totalSent".to_owned());
    let (mut rows, mut control) = (Vec::new(), Vec::new());
    for (currency, pairs) in &sent {
        let amount =
            |from: &String, to: &String| pairs.get(&(from.clone(), to.clone())).copied().unwrap_or(Amount::ZERO);
        let sent_by = |name: &String| names.iter().map(|to| amount(name, to)).collect::<Vec<_>>();
        let received_by = |name: &String| names.iter().map(|from| amount(from, name)).collect::<Vec<_>>();
        for from in &names {
            let cells = sent_by(from);
            let mut row = vec![currency.to_string(), (*from).clone()];
            row.extend(cells.iter().map(|amount| money(*amount, *currency)));
            row.push(sum(cells, *currency));
            rows.push(row);
        }
        let mut total = vec![currency.to_string(), "TOTAL RECEIVED".to_owned()];
        total.extend(names.iter().map(|name| sum(received_by(name), *currency)));
        total.push(sum(pairs.values().copied(), *currency));
        rows.push(total);
        let negated =
            |amounts: Vec<Amount>| amounts.into_iter().map(|amount| amount.checked_neg().unwrap_or(Amount::MAX));
        let net = |name: &String| sent_by(name).into_iter().chain(negated(received_by(name))).collect::<Vec<_>>();
        let mut nets = vec![currency.to_string(), "AGGREGATED NET POSITION".to_owned()];
        nets.extend(names.iter().map(|name| sum(net(name), *currency)));
        let check = sum(names.iter().flat_map(|name| net(name)), *currency);
        nets.push(check.clone());
        rows.push(nets);
        control.push((format!("check value {currency}"), check));
    }
    Table { report: "multilateral", about: about(settled), columns, rows, control }
}

/// One row for each pair that dealt with each other: who owes whom, and of what that is the difference.
pub fn bilateral(settled: &Settled<'_>) -> Table {
    let columns =
        ["netDebtor", "netCreditor", "currency", "totalSentAmount", "totalReceivedAmount", "netSettlementAmount"];
    let (mut rows, mut control) = (Vec::new(), Vec::new());
    for (currency, pairs) in &sent(settled) {
        let mut nets = Vec::new();
        for Obligation { debtor, creditor, sent, received } in obligations(pairs) {
            let net = sent.checked_sub(received).unwrap_or(Amount::MAX);
            let amounts = [sent, received, net].map(|amount| money(amount, *currency));
            rows.push([vec![debtor, creditor, currency.to_string()], amounts.to_vec()].concat());
            nets.push(net);
        }
        control.push((format!("total net {currency}"), sum(nets, *currency)));
        control.push((format!("total sent {currency}"), sum(pairs.values().copied(), *currency)));
    }
    let columns = columns.map(str::to_owned).to_vec();
    Table { report: "bilateral", about: about(settled), columns, rows, control }
}

/// What one participant owes another: what it sent less what it received.
#[derive(Debug)]
pub struct Obligation {
    pub debtor: String,
    pub creditor: String,
    pub sent: Amount,
    pub received: Amount,
}

/// For each pair, the side that owes, or the first in the alphabet where neither does.
pub fn obligations(pairs: &BTreeMap<(String, String), Amount>) -> Vec<Obligation> {
    let amount = |from: &String, to: &String| pairs.get(&(from.clone(), to.clone())).copied().unwrap_or(Amount::ZERO);
    let ordered =
        |(from, to): &(String, String)| if from < to { (from.clone(), to.clone()) } else { (to.clone(), from.clone()) };
    let both: BTreeSet<(String, String)> = pairs.keys().map(ordered).collect();
    let obligation = |(one, other): (String, String)| {
        let (sent, received) = (amount(&one, &other), amount(&other, &one));
        if received > sent {
            Obligation { debtor: other, creditor: one, sent: received, received: sent }
        } else {
            Obligation { debtor: one, creditor: other, sent, received }
        }
    };
    both.into_iter().map(obligation).collect()
}

/// Sums of the pairs by the names of their participants.
pub fn sent(settled: &Settled<'_>) -> Sent {
    let mut sent: Sent = BTreeMap::new();
    for pair in &settled.pairs {
        let ((from, currency), (to, _)) = (settled.owner(pair.debit), settled.owner(pair.credit));
        let amount = sent.entry(currency).or_default().entry((from, to)).or_insert(Amount::ZERO);
        *amount = amount.checked_add(pair.amount).unwrap_or(Amount::MAX);
    }
    sent
}

pub fn about(settled: &Settled<'_>) -> Vec<(&'static str, String)> {
    let settlement = settled.settlement;
    let windows: Vec<String> = settlement.windows.iter().map(|window| window.0.to_string()).collect();
    vec![
        ("settlementId", settlement.id.0.to_string()),
        ("state", settlement.state.as_str().to_owned()),
        ("settlementModel", settled.model().map(|model| model.name.to_string()).unwrap_or_default()),
        ("settlementWindows", windows.join(" ")),
        ("createdDate", settlement.created_at.to_string()),
        ("changedDate", settlement.changed_at.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_has_one_obligation_of_the_side_that_owes() {
        let amount = |text: &str| Amount::parse(text).unwrap();
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let pairs =
            [(pair("b", "a"), amount("7")), (pair("a", "b"), amount("5")), (pair("a", "c"), amount("1"))].into();
        let found: Vec<_> = obligations(&pairs)
            .into_iter()
            .map(|one| (one.debtor, one.creditor, one.sent.to_string(), one.received.to_string()))
            .collect();
        let row = |a: &str, b: &str, c: &str, d: &str| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned());
        assert_eq!(found, [row("b", "a", "7", "5"), row("a", "c", "1", "0")]);
    }
}
