//! Settings of an adapter (dfsp-client.md §11). Every wait and every queue has a limit.

use fspiop::{Resource, Version};
use sdk::{Links, Signatures, Tokens};
use std::{collections::HashMap, net::SocketAddr, path::PathBuf, time::Duration};
use vocabulary::FspId;

/// Which packets the payee's side makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IlpVersion {
    V1,
    V4,
}

/// Base URLs of the hub's resources; what has none of its own is at `peer`.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub peer: String,
    pub others: HashMap<Resource, String>,
    /// Where pings are answered, if elsewhere.
    pub ping: Option<String>,
}

/// How an adapter reaches hub and core, and what it decides by itself.
#[derive(Clone, Debug)]
pub struct Settings {
    pub dfsp: FspId,
    pub hub: Endpoints,
    /// Base URL of the core's API.
    pub backend: String,
    pub listen_inbound: SocketAddr,
    pub listen_outbound: SocketAddr,
    /// Where whoever tests sees what was received: personal data, without a password. Nowhere by default.
    pub listen_test_api: Option<SocketAddr>,
    /// Where metrics are told. Nowhere by default.
    pub listen_metrics: Option<SocketAddr>,
    /// File of the records; without one they live as long as the process.
    pub data: Option<PathBuf>,
    /// How long records are kept after their last change; for good if this is not set. Payments in doubt are kept anyway.
    pub keep: Option<Duration>,
    /// Versions of requests and callbacks. What has none here is requested in the newest version that the resource has, and
    /// called back in the version of the request.
    pub versions: HashMap<Resource, Version>,
    pub ulids: bool,
    pub supported_currencies: Vec<String>,
    pub fx_providers: Vec<String>,
    /// With which key messages are signed, and whose signatures are verified; neither by default.
    pub signatures: Signatures,
    /// TLS of the links to and from the hub; plain HTTP by default.
    pub links: Links,
    /// What shows the hub who sends; nothing by default.
    pub tokens: Tokens,

    /// How long several answers to one look-up are collected for the core to choose; without it the first one is taken.
    pub several_payees: Option<Duration>,
    pub auto_accept_party: bool,
    pub auto_accept_quotes: bool,
    pub auto_accept_r2p_party: bool,
    pub auto_accept_r2p_business_quotes: bool,
    pub auto_accept_r2p_device_otp: bool,
    pub auto_accept_participants_put: bool,
    pub use_quote_source_as_payee: bool,
    pub allow_transfer_without_quote: bool,
    pub allow_different_transaction_id: bool,
    pub reserve_notification: bool,
    pub error_extension_key: Option<String>,

    pub ilp_secret: String,
    pub ilp_version: IlpVersion,
    pub check_ilp: bool,
    pub reject_expired_quote_responses: bool,
    pub reject_expired_fulfils: bool,
    pub reject_transfers_on_expired_quotes: bool,
    /// Life of quotes and transfers.
    pub expiry: Duration,

    /// For the callback of each phase.
    pub callback_timeout: Duration,
    /// For one try of a request to hub or core.
    pub request_timeout: Duration,
    /// After a fulfilment, until the hub is asked what became of the transfer.
    pub patch_grace: Duration,
    /// Bytes of a message's body that are read at most, from the hub and from the core.
    pub inbound_bytes_max: usize,
    pub outbound_bytes_max: usize,
    /// Tries of a final notification to the core.
    pub notification_attempts_max: u32,
    /// Before the second of them; grows by the factor with each, up to the maximum.
    pub notification_delay: Duration,
    pub notification_delay_max: Duration,
    pub notification_delay_factor: u32,
    /// Calls of the core that may wait at one time.
    pub waiting_max: usize,
    /// Requests of the hub that may be in work at one time.
    pub working_max: usize,
}

impl Settings {
    /// The usual settings of a DFSP called `dfsp` whose hub and core are at these URLs.
    pub fn new(dfsp: FspId, peer: impl Into<String>, backend: impl Into<String>) -> Self {
        Self {
            dfsp,
            hub: Endpoints { peer: peer.into(), others: HashMap::new(), ping: None },
            backend: backend.into(),
            listen_inbound: ([0, 0, 0, 0], 4000).into(),
            listen_outbound: ([127, 0, 0, 1], 4001).into(),
            listen_test_api: None,
            listen_metrics: None,
            data: None,
            keep: None,
            versions: HashMap::new(),
            ulids: true,
            supported_currencies: Vec::new(),
            fx_providers: Vec::new(),
            signatures: Signatures::default(),
            several_payees: None,
            links: Links::default(),
            tokens: Tokens::default(),
            auto_accept_party: true,
            auto_accept_quotes: true,
            auto_accept_r2p_party: false,
            auto_accept_r2p_business_quotes: false,
            auto_accept_r2p_device_otp: false,
            auto_accept_participants_put: false,
            use_quote_source_as_payee: false,
            allow_transfer_without_quote: false,
            allow_different_transaction_id: false,
            reserve_notification: false,
            error_extension_key: None,
            ilp_secret: "mojaloop-sdk".into(),
            ilp_version: IlpVersion::V1,
            check_ilp: true,
            reject_expired_quote_responses: false,
            reject_expired_fulfils: false,
            reject_transfers_on_expired_quotes: false,
            expiry: Duration::from_secs(20),
            callback_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(65),
            patch_grace: Duration::from_secs(15),
            inbound_bytes_max: 5_242_880,
            outbound_bytes_max: 5_242_880,
            notification_attempts_max: 6,
            notification_delay: Duration::from_secs(1),
            notification_delay_max: Duration::from_secs(10),
            notification_delay_factor: 2,
            waiting_max: 10_000,
            working_max: 1_000,
        }
    }

    pub(crate) fn version(&self, resource: Resource) -> Version {
        let newest = if resource.supports(Version::V2_0) { Version::V2_0 } else { Version::V1_1 };
        self.versions.get(&resource).copied().unwrap_or(newest)
    }
}
