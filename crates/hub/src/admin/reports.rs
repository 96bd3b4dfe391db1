//! `/umoja/v1/reports/…`: settlement reports as JSON, CSV or, for the settlement bank, XML (contract, administration
//! §4.6). An addition of this hub.

use super::{
    form::malformed,
    reply::{Answer, Failure, json_text, ok},
    request::{Filters, participant_name, positive},
};
use crate::{
    Hub,
    callbacks::now,
    reports::{
        Settled, bank, matrix, money, owner,
        table::{Table, line},
    },
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use fspiop::{ErrorCode, FspiopError};
use futures_util::stream;
use hub_core::{
    administration::Directory,
    settlement::{SettlementId, Window, WindowState},
};
use ledger::{Account, AccountKind};
use serde_json::json;
use std::sync::Arc;
use store::{SettlementQuery, StatementLine, StatementQuery, StoreError, WindowQuery};
use vocabulary::{Amount, Currency, Timestamp};

/// Lines of a statement that are read at a time.
const PAGE: usize = 5000;

/// In which form a report is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    Xml,
}

/// What the bank is asked to do for a settlement.
pub(super) async fn settlement_bank(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let format = format(&filters, &[Format::Json, Format::Csv, Format::Xml])?;
    let generated_at = now().to_string();
    of_settlement(&hub, &filters, |settled| match format {
        Format::Json => {
            let mut report = bank::table(settled).json(&generated_at);
            report["iso20022"] = bank::iso_json(settled, &generated_at);
            Ok(ok(&report))
        }
        Format::Csv => Ok(csv(bank::table(settled).csv())),
        Format::Xml => Ok(text("application/xml; charset=utf-8", bank::iso_xml(settled, &generated_at))),
    })
    .await
}

/// The sheet that the bank completes.
pub(super) async fn settlement_initiation(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    tabular(&hub, &filters, bank::initiation).await
}

pub(super) async fn multilateral(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    tabular(&hub, &filters, matrix::multilateral).await
}

pub(super) async fn bilateral(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    tabular(&hub, &filters, matrix::bilateral).await
}

/// What each participant came to owe in each window, by account.
pub(super) async fn windows(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let format = format(&filters, &[Format::Json, Format::Csv])?;
    let (windows, directory) = (hub.windows(WindowQuery::default()).await?, hub.fresh_directory().await?);
    let columns = [
        "fspId",
        "settlementWindowId",
        "state",
        "ledgerAccountType",
        "currency",
        "debit",
        "credit",
        "netPosition",
        "windowOpen",
        "windowClose",
    ];
    let rows: Vec<_> = windows.iter().flat_map(|window| window_rows(window, &directory)).collect();
    let open = windows.iter().filter(|window| window.state == WindowState::Open).count();
    let control = vec![
        ("windows".to_owned(), windows.len().to_string()),
        ("open windows".to_owned(), open.to_string()),
        ("rows".to_owned(), rows.len().to_string()),
    ];
    let columns = columns.map(str::to_owned).to_vec();
    Ok(shown(&Table { report: "windows", about: Vec::new(), columns, rows, control }, format))
}

/// Every movement of one account of a participant, with what it held before and after.
pub(super) async fn statement(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let format = format(&filters, &[Format::Json, Format::Csv])?;
    let (from, to) = (filters.moment("startDate")?, filters.moment("endDate")?);
    let (from, to) = (from.unwrap_or(Timestamp::from_millis(0)), to.unwrap_or_else(|| now().plus_millis(1)));
    if to < from {
        return Err(malformed("\"endDate\" must not be before \"startDate\""));
    }
    let directory = hub.fresh_directory().await?;
    let account = account_of(&filters, &directory)?;
    let opening = hub.store().balance_at(account.id, from).await?;
    let query = StatementQuery { account: account.id, from, to, after: 0, limit: PAGE };
    let statement = Statement { hub: hub.clone(), directory, account, format, query, opening, stage: Stage::Head };
    let statement = Running { balance: opening, debits: 0, credits: 0, lines: 0, statement };
    let body = Body::from_stream(stream::try_unfold(statement, Running::next));
    let kind = if format == Format::Csv { CSV } else { "application/json; charset=utf-8" };
    Ok(text(kind, body))
}

/// A statement that is being written, page by page.
struct Statement {
    hub: Arc<Hub>,
    directory: Directory,
    account: Account,
    format: Format,
    query: StatementQuery,
    opening: Amount,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Lines,
    End,
}

/// A statement with what its lines have added up to.
struct Running {
    balance: Amount,
    debits: i128,
    credits: i128,
    lines: u64,
    statement: Statement,
}

impl Running {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let text = match self.statement.stage {
            Stage::Head => {
                self.statement.stage = Stage::Lines;
                self.head()
            }
            Stage::Lines => {
                let page = self.statement.hub.store().statement(self.statement.query).await?;
                let text = page.iter().map(|line| self.line(line)).collect::<String>();
                match page.last() {
                    Some(last) if page.len() == PAGE => {
                        self.statement.query.after = last.entry;
                        text
                    }
                    Some(_) | None => {
                        self.statement.stage = Stage::End;
                        text + &self.foot()
                    }
                }
            }
            Stage::End => return Ok(None),
        };
        Ok(Some((Bytes::from(text), self)))
    }

    fn head(&self) -> String {
        let Statement { account, directory, format, query, opening, .. } = &self.statement;
        let (name, currency) = owner(directory, account.id);
        let opening = money(*opening, currency);
        if *format == Format::Csv {
            let columns = ["entry", "dateTime", "transferId", "settlementId", "processDescription", "counterparty"];
            let columns = columns.into_iter().chain(["debit", "credit", "balance"]).map(str::to_owned);
            let first = ["", "", "", "", "OPENING BALANCE", "", "", "", &opening].map(str::to_owned);
            return line(&columns.collect::<Vec<_>>()) + &line(&first);
        }
        let about = json!({
            "dfspId": name, "accountType": account.kind.to_string(), "currency": currency.as_str(),
            "accountId": account.id.0, "startDate": query.from.to_string(), "endDate": query.to.to_string(),
        });
        let generated_at = now();
        format!(
            "{{\"report\":\"statement\",\"generatedAt\":\"{generated_at}\",\"about\":{about},\"opening\":\"{opening}\",\"rows\":["
        )
    }

    fn line(&mut self, entry: &StatementLine) -> String {
        let Statement { account, directory, format, .. } = &self.statement;
        let currency = account.currency;
        self.balance = self.balance.checked_add(entry.amount).unwrap_or(Amount::MAX);
        let size =
            if entry.amount.is_negative() { entry.amount.checked_neg().unwrap_or(Amount::MAX) } else { entry.amount };
        let (debit, credit) = if entry.amount.is_negative() { (Amount::ZERO, size) } else { (size, Amount::ZERO) };
        self.debits += i128::from(debit.units());
        self.credits += i128::from(credit.units());
        self.lines += 1;
        let cells = [
            entry.entry.to_string(),
            entry.at.to_string(),
            entry.transfer.map(|id| id.to_string()).unwrap_or_default(),
            entry.settlement.map(|id| id.0.to_string()).unwrap_or_default(),
            entry.kind.clone(),
            owner(directory, entry.other).0,
            money(debit, currency),
            money(credit, currency),
            money(self.balance, currency),
        ];
        if *format == Format::Csv {
            return line(&cells);
        }
        let separator = if self.lines > 1 { "," } else { "" };
        let [entry, at, transfer, settlement, kind, other, debit, credit, balance] = cells;
        let row = json!({
            "entry": entry, "dateTime": at, "transferId": transfer, "settlementId": settlement,
            "processDescription": kind, "counterparty": other, "debit": debit, "credit": credit, "balance": balance,
        });
        format!("{separator}{row}")
    }

    /// The closing balance, and the control total: opening plus debits less credits is closing.
    fn foot(&self) -> String {
        let Statement { account, format, opening, .. } = &self.statement;
        let units = |units: i128| {
            i64::try_from(units)
                .map_or("out of range".to_owned(), |units| money(Amount::from_units(units), account.currency))
        };
        let closing = money(self.balance, account.currency);
        let (debits, credits) = (units(self.debits), units(self.credits));
        let control = units(i128::from(opening.units()) + self.debits - self.credits);
        if *format == Format::Csv {
            let end = ["", "", "", "", "CLOSING BALANCE", "", &debits, &credits, &closing].map(str::to_owned);
            let total = [("CONTROL lines", self.lines.to_string()), ("CONTROL closing", control)];
            return total.iter().fold(line(&end), |text, (name, value)| {
                text + &line(&["", "", "", "", *name, "", "", "", value].map(str::to_owned))
            });
        }
        let control =
            json!({"lines": self.lines, "debits": debits, "credits": credits, "openingPlusDebitsLessCredits": control});
        format!("],\"closing\":\"{closing}\",\"control\":{control}}}\n")
    }
}

/// The account that `dfspId`, `currency` and `accountType` name.
fn account_of(filters: &Filters, directory: &Directory) -> Result<Account, Failure> {
    let required = |name: &str| filters.get(name).ok_or_else(|| malformed(format_args!("\"{name}\" is required")));
    let name = participant_name(required("dfspId")?)?;
    required("currency")?;
    let currency: Currency = filters.currency()?.ok_or_else(|| malformed("\"currency\" is required"))?;
    let kind = filters.get("accountType").unwrap_or("SETTLEMENT");
    let kind = kind.parse().ok().filter(|kind: &AccountKind| directory.knows(*kind));
    let kind = kind.ok_or_else(|| malformed("\"accountType\" must be a ledger account type"))?;
    let owner = directory.participant(&name).map(|record| record.participant.id);
    let record = owner.and_then(|owner| directory.account(owner, currency, kind));
    record.map(|record| record.account).ok_or_else(not_found)
}

fn window_rows(window: &Window, directory: &Directory) -> Vec<Vec<String>> {
    let totals = window.contents.iter().flat_map(|content| content.totals.iter().map(move |total| (content, total)));
    let row = |(content, total): (&hub_core::settlement::Content, &hub_core::settlement::AccountTotal)| {
        let (name, currency) = owner(directory, total.account);
        vec![
            name,
            window.id.0.to_string(),
            window.state.as_str().to_owned(),
            content.ledger_account.to_string(),
            currency.to_string(),
            money(total.debits, currency),
            money(total.credits, currency),
            money(total.net(), currency),
            window.created_at.to_string(),
            window.closed_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    };
    totals.map(row).collect()
}

async fn tabular(hub: &Hub, filters: &Filters, report: fn(&Settled<'_>) -> Table) -> Answer {
    let format = format(filters, &[Format::Json, Format::Csv])?;
    of_settlement(hub, filters, |settled| Ok(shown(&report(settled), format))).await
}

async fn of_settlement(hub: &Hub, filters: &Filters, show: impl FnOnce(&Settled<'_>) -> Answer) -> Answer {
    let id = filters.get("settlementId").ok_or_else(|| malformed("\"settlementId\" is required"))?;
    let id = SettlementId(positive(id, "settlementId")?);
    let found = hub.settlements(SettlementQuery { id: Some(id), ..SettlementQuery::default() }).await?;
    let settlement = found.first().ok_or_else(not_found)?;
    let pairs = hub.store().pair_totals(settlement.windows.clone()).await?;
    let directory = hub.fresh_directory().await?;
    show(&Settled::new(settlement, &directory, pairs))
}

pub(super) fn format(filters: &Filters, allowed: &[Format]) -> Result<Format, Failure> {
    let name = |format: &Format| match format {
        Format::Json => "json",
        Format::Csv => "csv",
        Format::Xml => "xml",
    };
    let wanted = filters.get("format").unwrap_or("json");
    let names = || allowed.iter().map(name).collect::<Vec<_>>().join(", ");
    let found = allowed.iter().find(|format| name(format) == wanted);
    found.copied().ok_or_else(|| malformed(format_args!("\"format\" must be one of [{}]", names())))
}

pub(super) const CSV: &str = "text/csv; charset=utf-8";

fn shown(table: &Table, format: Format) -> Response {
    match format {
        Format::Json => ok(&table.json(&now().to_string())),
        Format::Csv | Format::Xml => csv(table.csv()),
    }
}

fn csv(body: String) -> Response {
    text(CSV, body)
}

pub(super) fn text(kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = json_text(StatusCode::OK, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(super) fn not_found() -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "The requested resource could not be found"))
}
