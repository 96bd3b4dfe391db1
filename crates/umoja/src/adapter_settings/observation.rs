//! Settings of what shows the adapter's work: metrics and the test API.

use super::port;
use adapter::Settings;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};

const TEST_API_PORT: u16 = 4002;
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What of the adapter's work is shown, and where.
#[derive(Args, Default, Clone, Debug)]
pub struct Observation {
    /// Port of /metrics for Prometheus; without it there are none.
    #[arg(long, env = "METRICS_SERVER_LISTEN_PORT", value_name = "PORT")]
    pub metrics_port: Option<u16>,
    /// Address of /metrics [default: 127.0.0.1].
    #[arg(long, env = "UMOJA_ADAPTER_METRICS_ADDRESS", value_name = "IP")]
    pub metrics_address: Option<IpAddr>,
    /// Shows what was received, personal data included, to whoever asks: for tests only [default: false].
    #[arg(long, env = "ENABLE_TEST_FEATURES", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub test_api: Option<bool>,
    /// Port of the test API [default: 4002].
    #[arg(long, env = "TEST_LISTEN_PORT", value_name = "PORT")]
    pub test_api_port: Option<u16>,
    /// Address of the test API; whoever reaches it sees payments and people [default: 127.0.0.1].
    #[arg(long, env = "UMOJA_ADAPTER_TEST_API_ADDRESS", value_name = "IP")]
    pub test_api_address: Option<IpAddr>,
}

impl Observation {
    pub(super) fn apply(
        &self,
        settings: &mut Settings,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        settings.listen_metrics = self.metrics_port.map(|port| (self.metrics_address.unwrap_or(LOCAL), port).into());
        if self.test_api == Some(true) {
            let port = port(self.test_api_port, "TEST_SERVER_LISTEN_PORT", variable)?.unwrap_or(TEST_API_PORT);
            settings.listen_test_api = Some((self.test_api_address.unwrap_or(LOCAL), port).into());
        }
        Ok(())
    }
}
