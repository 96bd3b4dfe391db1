//! Settings of how much and how long: bodies, answers to one look-up, notifications of the core, records.

use super::within;
use adapter::Settings;
use clap::Args;
use std::time::Duration;

/// What the API allows a message; a hub has no use for more.
const INBOUND_BYTES_MAX: usize = 5_242_880;
const OUTBOUND_BYTES_MAX: usize = 209_715_200;
const KEEP_DAYS_MAX: u64 = 36_500;
const SEVERAL_SECONDS: u64 = 30;
const SECONDS_PER_DAY: u64 = 86_400;

#[derive(Args, Default, Clone, Debug)]
pub struct Bounds {
    /// Days for which records are kept after their last change; payments in doubt are kept anyway [default: for good].
    #[arg(long, env = "UMOJA_ADAPTER_KEEP_DAYS", value_name = "DAYS")]
    pub keep_days: Option<u64>,
    /// Whether the core chooses among all who answer a look-up; needs AUTO_ACCEPT_PARTY=false [default: false].
    #[arg(long, env = "MULTIPLE_PARTIES_RESPONSE", value_name = "BOOL")]
    pub multiple_parties_response: Option<bool>,
    /// How long their answers are collected [default: 30].
    #[arg(long, env = "MULTIPLE_PARTIES_RESPONSE_SECONDS", value_name = "SECONDS")]
    pub multiple_parties_response_seconds: Option<u64>,
    /// Bytes of a message of the hub [default and at most: 5242880].
    #[arg(long, env = "FSPIOP_API_SERVER_MAX_REQUEST_BYTES", value_name = "BYTES")]
    pub inbound_bytes_max: Option<usize>,
    /// Bytes of a call of the core [default: 5242880].
    #[arg(long, env = "BACKEND_API_SERVER_MAX_REQUEST_BYTES", value_name = "BYTES")]
    pub outbound_bytes_max: Option<usize>,
    /// Whether notifications to the core are repeated at once if they fail [default: true].
    #[arg(long, env = "BACKEND_REQUEST_RETRY_ENABLED", value_name = "BOOL")]
    pub backend_request_retry_enabled: Option<bool>,
    /// Between two tries of a notification, at most [default: 10000].
    #[arg(long, env = "BACKEND_REQUEST_RETRY_MAX_DELAY_MS", value_name = "MS")]
    pub backend_request_retry_max_delay_ms: Option<u64>,
    /// By what the wait grows with each try of a notification [default: 2].
    #[arg(long, env = "BACKEND_REQUEST_RETRY_BACKOFF_FACTOR", value_name = "FACTOR",
        value_parser = clap::value_parser!(u32).range(1..=10))]
    pub backend_request_retry_backoff_factor: Option<u32>,
}

impl Bounds {
    /// After the decisions, some of which exclude each other.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), String> {
        if let Some(days) = self.keep_days {
            if !(1..=KEEP_DAYS_MAX).contains(&days) {
                return Err(format!("UMOJA_ADAPTER_KEEP_DAYS is {days}; it can be 1 to {KEEP_DAYS_MAX}."));
            }
            settings.keep = Some(Duration::from_secs(days * SECONDS_PER_DAY));
        }
        if self.multiple_parties_response == Some(true) {
            if settings.auto_accept_party {
                return Err(
                    "MULTIPLE_PARTIES_RESPONSE and AUTO_ACCEPT_PARTY are both true, but somebody must choose: \
                            set one of them to false."
                        .to_owned(),
                );
            }
            let seconds = self.multiple_parties_response_seconds.unwrap_or(SEVERAL_SECONDS);
            let wait = within("MULTIPLE_PARTIES_RESPONSE_SECONDS", seconds, 1, Duration::from_secs)?;
            settings.several_payees = Some(wait);
        }
        let inbound = ("FSPIOP_API_SERVER_MAX_REQUEST_BYTES", self.inbound_bytes_max, INBOUND_BYTES_MAX);
        settings.inbound_bytes_max = bytes(inbound)?.unwrap_or(settings.inbound_bytes_max);
        let outbound = ("BACKEND_API_SERVER_MAX_REQUEST_BYTES", self.outbound_bytes_max, OUTBOUND_BYTES_MAX);
        settings.outbound_bytes_max = bytes(outbound)?.unwrap_or(settings.outbound_bytes_max);
        if self.backend_request_retry_enabled == Some(false) {
            settings.notification_attempts_max = 1;
        }
        if let Some(millis) = self.backend_request_retry_max_delay_ms {
            let name = "BACKEND_REQUEST_RETRY_MAX_DELAY_MS";
            settings.notification_delay_max = within(name, millis, 1000, Duration::from_millis)?;
        }
        let factor = self.backend_request_retry_backoff_factor;
        settings.notification_delay_factor = factor.unwrap_or(settings.notification_delay_factor);
        Ok(())
    }
}

fn bytes((name, given, max): (&str, Option<usize>, usize)) -> Result<Option<usize>, String> {
    match given {
        Some(given) if !(1..=max).contains(&given) => Err(format!("{name} is {given}; it can be 1 to {max}.")),
        Some(_) | None => Ok(given),
    }
}
