//! `GET /umoja/v1/reports/funds`: the movements of liquidity in and out, with who asked for them and why, as JSON or CSV.
//! An addition of this hub, for auditors (contract, administration §1.13 and the settlement audit of §4.6).

use super::{
    form::malformed,
    reply::Answer,
    reports::{CSV, Format, format, not_found, text},
    request::{Filters, participant_name},
};
use crate::{
    Hub,
    callbacks::now,
    rejections,
    reports::{money, table::line},
};
use axum::{body::Body, extract::State};
use bytes::Bytes;
use futures_util::stream;
use hub_core::Rejection;
use hub_core::transfers::{PublicState, Transfer, TransferKind, TransferState};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};
use store::{FundsQuery, StoreError, TracedTransfer};
use vocabulary::{Amount, Currency, Timestamp};

/// Movements that are read at a time.
const PAGE: usize = 1000;
const COLUMNS: [&str; 13] = [
    "transferId",
    "dateTime",
    "lastChange",
    "fspId",
    "currency",
    "direction",
    "amount",
    "state",
    "reason",
    "externalReference",
    "user",
    "endReason",
    "endUser",
];

/// Sums are kept by currency and what they are the sum of.
type Sums = BTreeMap<(Currency, &'static str), i128>;

/// The report while it is written, page by page.
struct Report {
    hub: Arc<Hub>,
    format: Format,
    query: FundsQuery,
    stage: Stage,
    rows: u64,
    sums: Sums,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    End,
}

/// An `extensionList` as it is stored.
#[derive(Deserialize, Default)]
struct Extensions {
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
struct Extension {
    key: String,
    value: String,
}

pub(super) async fn funds(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let format = format(&filters, &[Format::Json, Format::Csv])?;
    let (from, to) = (filters.moment("startDate")?, filters.moment("endDate")?);
    let (from, to) = (from.unwrap_or(Timestamp::from_millis(0)), to.unwrap_or_else(|| now().plus_millis(1)));
    if to < from {
        return Err(malformed("\"endDate\" must not be before \"startDate\""));
    }
    let participant = filters.get("dfspId").map(participant_name).transpose()?;
    let directory = hub.fresh_directory().await?;
    if participant.as_ref().is_some_and(|name| directory.participant(name).is_none()) {
        return Err(not_found());
    }
    let query = FundsQuery { participant, from, to, after: 0, limit: PAGE };
    let report = Report { hub, format, query, stage: Stage::Head, rows: 0, sums: Sums::new() };
    let kind = if format == Format::Csv { CSV } else { "application/json; charset=utf-8" };
    Ok(text(kind, Body::from_stream(stream::try_unfold(report, Report::next))))
}

impl Report {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let text = match self.stage {
            Stage::Head => {
                self.stage = Stage::Rows;
                self.head()
            }
            Stage::Rows => {
                let page = self.hub.store().funds(self.query.clone()).await?;
                let mut text: String = page.iter().map(|movement| self.row(movement)).collect();
                match page.last() {
                    Some(last) if page.len() == PAGE => self.query.after = last.transfer.key,
                    Some(_) | None => {
                        self.stage = Stage::End;
                        text += &self.foot();
                    }
                }
                text
            }
            Stage::End => return Ok(None),
        };
        Ok(Some((Bytes::from(text), self)))
    }

    fn head(&self) -> String {
        if self.format == Format::Csv {
            return line(&COLUMNS.map(str::to_owned));
        }
        let FundsQuery { participant, from, to, .. } = &self.query;
        let about = json!({
            "dfspId": participant.as_ref().map(ToString::to_string),
            "startDate": from.to_string(), "endDate": to.to_string(),
        });
        let (generated_at, columns) = (now(), json!(COLUMNS));
        format!(
            "{{\"report\":\"funds\",\"generatedAt\":\"{generated_at}\",\"about\":{about},\"columns\":{columns},\"rows\":["
        )
    }

    fn row(&mut self, movement: &TracedTransfer) -> String {
        let transfer = &movement.transfer;
        self.rows += 1;
        let sum = self.sums.entry((transfer.money.currency, sum_of(transfer))).or_default();
        *sum += i128::from(transfer.money.amount.units());
        let cells = cells(movement);
        if self.format == Format::Csv {
            return line(&cells);
        }
        let row: Map<String, Value> =
            COLUMNS.iter().map(|name| (*name).to_owned()).zip(cells.into_iter().map(Value::from)).collect();
        format!("{}{}", if self.rows > 1 { "," } else { "" }, Value::from(row))
    }

    /// Control totals: how many rows there are, and what they add up to.
    fn foot(&self) -> String {
        let sum = |units: i128, currency| {
            let units = i64::try_from(units).map(Amount::from_units);
            units.map_or_else(|_| "out of range".to_owned(), |sum| money(sum, currency))
        };
        let sums =
            self.sums.iter().map(|((currency, what), units)| (format!("{what} {currency}"), sum(*units, *currency)));
        let control = std::iter::once(("rows".to_owned(), self.rows.to_string())).chain(sums);
        if self.format == Format::Csv {
            return control.map(|(name, value)| line(&[format!("CONTROL {name}"), value])).collect();
        }
        let control: Map<String, Value> = control.map(|(name, value)| (name, Value::from(value))).collect();
        format!("],\"control\":{}}}\n", Value::from(control))
    }
}

/// Under [`COLUMNS`].
fn cells(TracedTransfer { transfer, created_at }: &TracedTransfer) -> [String; COLUMNS.len()] {
    let (begun, ended) = (Extensions::of(transfer.prepare_extensions.as_deref()), end_of(transfer));
    let name = if is_inward(transfer) { &transfer.payee } else { &transfer.payer };
    [
        transfer.id.to_string(),
        created_at.unwrap_or(transfer.changed_at).to_string(),
        transfer.changed_at.to_string(),
        name.to_string(),
        transfer.money.currency.to_string(),
        if is_inward(transfer) { "IN" } else { "OUT" }.to_owned(),
        money(transfer.money.amount, transfer.money.currency),
        transfer.status().state.as_str().to_owned(),
        begun.value("reason"),
        begun.value("externalReference"),
        begun.value("user"),
        ended.value("reason"),
        ended.value("user"),
    ]
}

fn is_inward(transfer: &Transfer) -> bool {
    match transfer.kind {
        TransferKind::FundsIn => true,
        TransferKind::FundsOut | TransferKind::Payment | TransferKind::Conversion(_) => false,
    }
}

/// What a movement adds to.
fn sum_of(transfer: &Transfer) -> &'static str {
    match (is_inward(transfer), transfer.status().state) {
        (true, PublicState::Committed) => "committed in",
        (true, PublicState::Reserved) => "reserved in",
        (true, PublicState::Aborted) => "aborted in",
        (false, PublicState::Committed) => "committed out",
        (false, PublicState::Reserved) => "reserved out",
        (false, PublicState::Aborted) => "aborted out",
    }
}

/// Who ended a withdrawal, and why. What was refused from the start has ended by itself.
fn end_of(transfer: &Transfer) -> Extensions {
    match &transfer.state {
        TransferState::Refused(rejection) => {
            // The words about liquidity are the reference's.
            let value = if *rejection == Rejection::PayerShortOfLiquidity {
                "Aborted due to insufficient funds".to_owned()
            } else {
                rejections::error_of(rejection).description().to_owned()
            };
            Extensions { extension: vec![Extension { key: "reason".to_owned(), value }] }
        }
        TransferState::Reserved
        | TransferState::Forwarded
        | TransferState::Agreed { .. }
        | TransferState::Committed { .. }
        | TransferState::Aborted(_) => Extensions::of(transfer.fulfil_extensions.as_deref()),
    }
}

impl Extensions {
    fn of(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The last extension of a key: the hub adds its own behind those of the request.
    fn value(&self, key: &str) -> String {
        let found = self.extension.iter().rev().find(|extension| extension.key == key);
        found.map(|extension| extension.value.clone()).unwrap_or_default()
    }
}
