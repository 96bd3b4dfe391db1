//! Closing settlement windows at set times of the day, in a time zone.
//!
//! Invariant: whatever number of nodes looks, a due time closes at most one window: the one that was opened before it. A
//! window without payments stays open. A time that passed while no hub ran is caught up once.

use crate::{Hub, SettlementFailure};
use hub_core::{
    WindowId,
    settlement::{CreateSettlement, SettlementCommand, SettlementRejection, WindowState},
};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use store::{StoreError, WindowQuery};
use vocabulary::Timestamp;

/// The scheme setting that holds the schedule as JSON.
const SETTING: &str = "settlement_schedule";
/// Who closes, in the record of changes.
const ACTOR: &str = "schedule";
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Times of one day.
const TIMES_MAX: usize = 96;
const MODELS_MAX: usize = 100;

/// When windows close, and what is settled then. Without times nothing happens by itself.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// The name of a time zone, as in `Africa/Nairobi`.
    pub time_zone: String,
    /// Times of the day, as in `23:59`.
    pub times: Vec<String>,
    /// Settlement models of which a settlement is created at once.
    #[serde(default)]
    pub settle: Vec<String>,
}

impl Schedule {
    /// What is wrong with it, as a sentence.
    pub fn problem(&self) -> Option<String> {
        if self.times.len() > TIMES_MAX {
            return Some(format!("\"times\" must have at most {TIMES_MAX} entries"));
        }
        if self.settle.len() > MODELS_MAX {
            return Some(format!("\"settle\" must have at most {MODELS_MAX} entries"));
        }
        if let Some(time) = self.times.iter().find(|time| time_of_day(time).is_none()) {
            return Some(format!("\"times\": '{time}' is not a time of day such as 23:59"));
        }
        let is_known = TimeZone::get(&self.time_zone).is_ok();
        (!is_known && !self.times.is_empty())
            .then(|| format!("\"timeZone\": '{}' is not a time zone such as Africa/Nairobi", self.time_zone))
    }

    /// The last due time that is not after `now`. A time that a day leaves out is due when its clocks have moved on; one
    /// that a day has twice is due the first time.
    pub fn last_due(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.time_zone).ok()?;
        let now = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
        let today = now.to_zoned(zone.clone()).date();
        let days: [Option<Date>; 2] = [Some(today), today.yesterday().ok()];
        let times = self.times.iter().filter_map(|time| time_of_day(time));
        let dues = times.flat_map(|time| days.into_iter().flatten().map(move |day| day.to_datetime(time)));
        let dues = dues.filter_map(|due| Some(due.to_zoned(zone.clone()).ok()?.timestamp()));
        dues.filter(|due| *due <= now).max().map(|due| Timestamp::from_millis(due.as_millisecond()))
    }
}

fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

impl Hub {
    /// The schedule of the scheme; the empty one if none was ever set.
    pub async fn settlement_schedule(&self) -> Result<Schedule, StoreError> {
        let settings = self.store().settings(&[], ACTOR).await?;
        let text = settings.into_iter().find(|(name, _)| name == SETTING).map(|(_, value)| value);
        let parse = |text: String| {
            serde_json::from_str(&text).map_err(|error| StoreError::Data(format!("the setting {SETTING}: {error}")))
        };
        text.map_or_else(|| Ok(Schedule::default()), parse)
    }

    pub async fn set_settlement_schedule(&self, schedule: &Schedule, actor: &str) -> Result<(), StoreError> {
        let text = serde_json::to_string(schedule).expect("texts always serialise");
        self.store().set_setting(SETTING, &text, actor).await
    }
}

/// Closes windows when they are due.
pub async fn keep(hub: Arc<Hub>) {
    let mut handled = None;
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        if let Err(error) = look(&hub, &mut handled).await {
            tracing::error!(%error, "the settlement schedule could not be followed; it is tried again");
        }
    }
}

/// Handles the last due time, unless this node has done so.
async fn look(hub: &Hub, handled: &mut Option<Timestamp>) -> Result<(), SettlementFailure> {
    let unavailable = |error: StoreError| SettlementFailure::Unavailable(error.to_string());
    let schedule = hub.settlement_schedule().await.map_err(unavailable)?;
    let Some(due) = schedule.last_due(crate::callbacks::now()).filter(|due| Some(*due) != *handled) else {
        return Ok(());
    };
    let states = Some(vec![WindowState::Open]);
    let open = hub.windows(WindowQuery { states, ..WindowQuery::default() }).await.map_err(unavailable)?;
    let Some(window) = open.first().filter(|window| window.created_at < due) else {
        *handled = Some(due);
        return Ok(());
    };
    let reason = format!("Closed by the schedule, due {due}");
    match hub.close_window(window.id, &reason, ACTOR).await {
        Ok(_) => {
            tracing::info!(window = window.id.0, %due, "the schedule has closed a window");
            settle(hub, &schedule, window.id, &reason).await;
        }
        // Nothing to close, or another node was quicker.
        Err(SettlementFailure::Rejected(
            SettlementRejection::WindowEmpty(_) | SettlementRejection::WindowNotOpen(_),
        )) => {}
        Err(failure) => return Err(failure),
    }
    *handled = Some(due);
    Ok(())
}

async fn settle(hub: &Hub, schedule: &Schedule, window: WindowId, reason: &str) {
    for model in &schedule.settle {
        let command = CreateSettlement { model: model.as_str().into(), reason: reason.into(), windows: vec![window] };
        match hub.settle(SettlementCommand::CreateSettlement(command), ACTOR).await {
            Ok(_) => {}
            Err(SettlementFailure::Rejected(SettlementRejection::InapplicableWindows(_))) => {
                tracing::info!(window = window.0, model, "the window holds nothing of a model of the schedule");
            }
            Err(error) => {
                tracing::error!(window = window.0, model, %error, "the schedule could not create a settlement; create it by hand");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(zone: &str, times: &[&str]) -> Schedule {
        let times = times.iter().map(|time| (*time).to_owned()).collect();
        Schedule { time_zone: zone.to_owned(), times, settle: Vec::new() }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn the_last_due_time_is_of_today_or_yesterday_in_the_schemes_zone() {
        let nairobi = schedule("Africa/Nairobi", &["12:00", "23:59"]);
        for (now, due) in [
            ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z"),
            ("2026-11-21T08:59:59Z", "2026-11-20T20:59:00Z"),
            ("2026-11-21T20:59:30Z", "2026-11-21T20:59:00Z"),
            ("2026-11-21T22:00:00Z", "2026-11-21T20:59:00Z"),
        ] {
            assert_eq!(nairobi.last_due(at(now)), Some(at(due)), "{now}");
        }
        assert_eq!(schedule("Africa/Nairobi", &[]).last_due(at("2026-11-21T09:00:00Z")), None);
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_due_after_the_gap_and_one_that_they_repeat_the_first_time() {
        let night = schedule("Europe/Berlin", &["02:30"]);
        assert_eq!(night.last_due(at("2026-03-29T12:00:00Z")), Some(at("2026-03-29T01:30:00Z")));
        assert_eq!(night.last_due(at("2026-10-25T12:00:00Z")), Some(at("2026-10-25T00:30:00Z")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (given, expected) in [
            (
                schedule("Nowhere/Else", &["12:00"]),
                Some("\"timeZone\": 'Nowhere/Else' is not a time zone such as Africa/Nairobi"),
            ),
            (schedule("UTC", &["24:00"]), Some("\"times\": '24:00' is not a time of day such as 23:59")),
            (schedule("UTC", &["7:00"]), Some("\"times\": '7:00' is not a time of day such as 23:59")),
            (schedule("UTC", &["07:00"]), None),
            (schedule("", &[]), None),
        ] {
            assert_eq!(given.problem().as_deref(), expected, "{given:?}");
        }
    }
}
