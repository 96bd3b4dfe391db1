//! How notices and alarms lie in columns. The values of a notice are a JSON object whose members are decimal texts.

use super::{Columns, parsed, required, time, unreadable};
use crate::{DeliveryId, DeliveryRow, DeliveryState, DueDelivery, NoticeId, NoticeRow, StoreError, StoredNotice};
use hub_core::notices::{Alarm, Channel, NoticeContent, NoticeKind, Recipient, Said};
use ledger::AccountId;

pub(crate) const NOTICE_COLUMNS: &str = "id, kind, participant, currency, details, made_at";
pub(crate) const DELIVERY_COLUMNS: &str =
    "notice, recipient, channel, address, state, due, attempts, last_error, changed_at";
/// Behind [`NOTICE_COLUMNS`].
pub(crate) const DUE_DELIVERY_COLUMNS: &str = "recipient, channel, address, place, attempts";
pub(crate) const ALARM_COLUMNS: &str = "account, since, last, count";

/// The column `details`. Neither names nor values have anything to escape.
pub(crate) fn notice_details(content: &NoticeContent) -> String {
    let members = content.values().into_iter().map(|(name, value)| format!("\"{name}\":\"{value}\""));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Reads [`NOTICE_COLUMNS`].
pub(crate) fn notice(row: &impl Columns) -> Result<StoredNotice, StoreError> {
    let kind = required(row.text(1)?, "kind of a notice")?;
    let kind = NoticeKind::parse(kind).ok_or_else(|| unreadable("kind of a notice", kind))?;
    let details = required(row.text(4)?, "details of a notice")?;
    // Between quotation marks there is a name, then its value, and so on.
    let texts: Vec<&str> = details.split('"').skip(1).step_by(2).collect();
    let value = |name: &str| texts.chunks_exact(2).find(|member| member[0] == name).map(|member| member[1]);
    Ok(StoredNotice {
        id: NoticeId(required(row.number(0)?, "id")?),
        participant: parsed(row, 2, "participant")?,
        currency: parsed(row, 3, "currency")?,
        content: NoticeContent::from_values(kind, value).ok_or_else(|| unreadable("details of a notice", details))?,
        made_at: time(row, 5)?,
    })
}

/// Reads [`DELIVERY_COLUMNS`]: the notice and what became of one of its messages.
pub(crate) fn delivery(row: &impl Columns) -> Result<(NoticeId, DeliveryRow), StoreError> {
    let state = required(row.text(4)?, "state of a delivery")?;
    let delivery = DeliveryRow {
        recipient: recipient(row, 1)?,
        state: DeliveryState::parse(state).ok_or_else(|| unreadable("state of a delivery", state))?,
        due: time(row, 5)?,
        attempts: attempts(row, 6)?,
        last_error: row.text(7)?.map(Into::into),
        changed_at: time(row, 8)?,
    };
    Ok((NoticeId(required(row.number(0)?, "notice")?), delivery))
}

/// Reads [`NOTICE_COLUMNS`] with [`DUE_DELIVERY_COLUMNS`] behind them.
pub(crate) fn due_delivery(row: &impl Columns) -> Result<DueDelivery, StoreError> {
    let notice = notice(row)?;
    let place = required(row.number(9)?, "place of a delivery")?;
    let id = DeliveryId { notice: notice.id, place, attempt: attempts(row, 10)? };
    Ok(DueDelivery { id, notice, recipient: recipient(row, 6)? })
}

/// Reads [`ALARM_COLUMNS`].
pub(crate) fn alarm(row: &impl Columns) -> Result<Alarm, StoreError> {
    let said = Said { since: time(row, 1)?, last: time(row, 2)?, count: attempts(row, 3)? };
    Ok(Alarm { account: AccountId(required(row.number(0)?, "account")?), said })
}

/// Gives each notice its deliveries, which are in the order of their places.
pub(crate) fn with_deliveries(notices: Vec<StoredNotice>, deliveries: Vec<(NoticeId, DeliveryRow)>) -> Vec<NoticeRow> {
    let mut rows: Vec<NoticeRow> =
        notices.into_iter().map(|notice| NoticeRow { notice, deliveries: Vec::new() }).collect();
    for (id, delivery) in deliveries {
        if let Some(row) = rows.iter_mut().find(|row| row.notice.id == id) {
            row.deliveries.push(delivery);
        }
    }
    rows
}

/// Name, channel and address, in this order.
fn recipient(row: &impl Columns, first: usize) -> Result<Recipient, StoreError> {
    let channel = required(row.text(first + 1)?, "channel")?;
    Ok(Recipient {
        name: parsed(row, first, "recipient")?,
        channel: Channel::parse(channel).ok_or_else(|| unreadable("channel", channel))?,
        address: required(row.text(first + 2)?, "address")?.into(),
    })
}

fn attempts(row: &impl Columns, column: usize) -> Result<u32, StoreError> {
    let attempts = required(row.number(column)?, "number of attempts")?;
    u32::try_from(attempts).map_err(|_| unreadable("number of attempts", attempts))
}
