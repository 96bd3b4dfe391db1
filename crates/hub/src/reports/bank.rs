//! What the settlement bank is asked to do for a settlement: a table, and a message in the manner of ISO 20022's
//! pacs.029 (multilateral settlement request).
//!
//! With a multilateral model each participant deals with the settlement bank for its net amount; with a bilateral one
//! each pair has an obligation of its own.

use super::{
    Settled,
    matrix::{about, obligations, sent},
    money, sum,
    table::Table,
};
use ledger::AccountId;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vocabulary::{Amount, Currency};

/// The other side of each payment of a multilateral settlement.
const BANK: &str = "SETTLEMENT BANK";

/// One payment that the bank is asked for.
struct Payment {
    debtor: String,
    creditor: String,
    amount: Amount,
    currency: Currency,
}

fn payments(settled: &Settled<'_>) -> Vec<Payment> {
    if settled.is_bilateral() {
        let of_currency = |(currency, pairs)| {
            let payment = move |one: super::matrix::Obligation| {
                let amount = one.sent.checked_sub(one.received)?;
                Some(Payment { debtor: one.debtor, creditor: one.creditor, amount, currency })
            };
            obligations(&pairs).into_iter().filter_map(payment).collect::<Vec<_>>()
        };
        let all = sent(settled).into_iter().flat_map(of_currency);
        return all.filter(|payment| payment.amount > Amount::ZERO).collect();
    }
    let accounts = settled.settlement.accounts.iter().filter(|account| !account.net.is_zero());
    let payment = |account: &hub_core::settlement::SettlementAccount| {
        let (name, currency) = settled.owner(account.account);
        let (debtor, creditor, amount) = if account.net.is_negative() {
            (BANK.to_owned(), name, account.net.checked_neg().unwrap_or(Amount::MAX))
        } else {
            (name, BANK.to_owned(), account.net)
        };
        Payment { debtor, creditor, amount, currency }
    };
    accounts.map(payment).collect()
}

pub fn table(settled: &Settled<'_>) -> Table {
    let payments = payments(settled);
    let columns = ["paymentId", "debtor", "creditor", "amount", "currency"].map(str::to_owned).to_vec();
    let row = |(number, payment): (usize, &Payment)| {
        let amount = money(payment.amount, payment.currency);
        let id = payment_id(settled, number);
        vec![id, payment.debtor.clone(), payment.creditor.clone(), amount, payment.currency.to_string()]
    };
    let rows = payments.iter().enumerate().map(row).collect();
    let mut control = vec![("number of payments".to_owned(), payments.len().to_string())];
    for currency in currencies(settled) {
        let own = || payments.iter().filter(|payment| payment.currency == currency);
        control.push((format!("total amount {currency}"), sum(own().map(|payment| payment.amount), currency)));
        let nets = settled.settlement.accounts.iter().filter(|account| settled.owner(account.account).1 == currency);
        control.push((format!("sum of net amounts {currency}"), sum(nets.map(|account| account.net), currency)));
    }
    Table { report: "settlement-bank", about: about(settled), columns, rows, control }
}

/// The sheet that the bank completes: one row for each account, with its balance left blank.
pub fn initiation(settled: &Settled<'_>) -> Table {
    let columns = ["participant", "bankIdentifier", "balance", "settlementTransfer", "currency"];
    let row = |account: &hub_core::settlement::SettlementAccount| {
        let (name, currency) = settled.owner(account.account);
        let owner = participant_id(settled, account.account);
        let transfer = money(account.net, currency);
        vec![
            format!("{owner} {} {name}", account.account.0),
            String::new(),
            String::new(),
            transfer,
            currency.to_string(),
        ]
    };
    let rows = settled.settlement.accounts.iter().map(row).collect();
    let control = currencies(settled).into_iter().map(|currency| {
        let own = settled.settlement.accounts.iter().filter(|account| settled.owner(account.account).1 == currency);
        (format!("sum of net amounts {currency}"), sum(own.map(|account| account.net), currency))
    });
    let (columns, control) = (columns.map(str::to_owned).to_vec(), control.collect());
    Table { report: "settlement-initiation", about: about(settled), columns, rows, control }
}

/// The message as JSON, with the names of ISO 20022.
pub fn iso_json(settled: &Settled<'_>, generated_at: &str) -> Value {
    let payments = payments(settled);
    let institution = |name: &str| json!({"FinInstnId": {"Othr": {"Id": name}}});
    let request = |(number, payment): (usize, &Payment)| {
        let amount = json!({"Ccy": payment.currency.as_str(), "Value": money(payment.amount, payment.currency)});
        json!({
            "PmtId": {"InstrId": payment_id(settled, number)},
            "IntrBkSttlmAmt": amount,
            "Dbtr": institution(&payment.debtor),
            "Cdtr": institution(&payment.creditor),
        })
    };
    json!({"MulSttlmReq": {
        "GrpHdr": {
            "MsgId": message_id(settled),
            "CreDtTm": generated_at,
            "NbOfTxs": payments.len().to_string(),
            "CtrlSum": control_sum(&payments),
            "SttlmInf": {"SttlmMtd": "CLRG"},
        },
        "SttlmReq": payments.iter().enumerate().map(request).collect::<Vec<_>>(),
    }})
}

/// The same as XML.
pub fn iso_xml(settled: &Settled<'_>, generated_at: &str) -> String {
    let payments = payments(settled);
    let institution = |tag: &str, name: &str| {
        format!("<{tag}><FinInstnId><Othr><Id>{}</Id></Othr></FinInstnId></{tag}>", escaped(name))
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.029.001.02\"><MulSttlmReq>\n\
         <GrpHdr><MsgId>{}</MsgId><CreDtTm>{generated_at}</CreDtTm><NbOfTxs>{}</NbOfTxs><CtrlSum>{}</CtrlSum>\
         <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>\n",
        message_id(settled),
        payments.len(),
        control_sum(&payments),
    );
    for (number, payment) in payments.iter().enumerate() {
        let (currency, amount) = (payment.currency, money(payment.amount, payment.currency));
        let id = payment_id(settled, number);
        let (debtor, creditor) = (institution("Dbtr", &payment.debtor), institution("Cdtr", &payment.creditor));
        text.push_str(&format!(
            "<SttlmReq><PmtId><InstrId>{id}</InstrId></PmtId><IntrBkSttlmAmt Ccy=\"{currency}\">{amount}</IntrBkSttlmAmt>\
             {debtor}{creditor}</SttlmReq>\n"
        ));
    }
    text.push_str("</MulSttlmReq></Document>\n");
    text
}

fn message_id(settled: &Settled<'_>) -> String {
    format!("SETTLEMENT-{}", settled.settlement.id.0)
}

fn payment_id(settled: &Settled<'_>, number: usize) -> String {
    format!("{}-{}", message_id(settled), number + 1)
}

/// ISO 20022 adds the numbers up whatever their currencies.
fn control_sum(payments: &[Payment]) -> String {
    let sum = payments.iter().try_fold(Amount::ZERO, |sum, payment| sum.checked_add(payment.amount));
    sum.map_or_else(|| "out of range".to_owned(), |sum| sum.to_string())
}

fn currencies(settled: &Settled<'_>) -> BTreeSet<Currency> {
    settled.settlement.accounts.iter().map(|account| settled.owner(account.account).1).collect()
}

fn participant_id(settled: &Settled<'_>, account: AccountId) -> i64 {
    settled.directory.account_by_id(account).map_or(0, |record| record.account.owner.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
