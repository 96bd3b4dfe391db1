//! Settings of a DFSP's adapter: flags, or the environment variables that users of the reference implementation's scheme adapter
//! know.
//!
//! Invariant: a variable that asks for what this adapter does not do stops the start, so that nobody believes in a signature or a
//! check that is not there.

mod bounds;
mod observation;
mod tokens;
mod variables;

pub use variables::unused;

use crate::adapter_tls::{TlsSettings, plain_url};
use adapter::{Endpoints, IlpVersion, Settings};
use bounds::Bounds;
use clap::Args;
use fspiop::{
    Resource, Version,
    jws::{KeyDirectory, SigningKey},
};
use observation::Observation;
use sdk::{PartyAnswers, Signatures};
use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Variables that switch on what is missing, and what to do about it.
const MISSING: &[(&str, &str)] = &[
    ("MULTI_DFSP", "it serves one DFSP; run one adapter for each"),
    ("SEND_FINAL_NOTIFICATION_IF_REQUESTED", "it leaves the last word to the hub"),
    ("PROXY_CONFIG_PATH", "it forwards no other requests"),
    ("PM4ML_ENABLED", "it has no control channel"),
];
const SECONDS_MAX: u64 = 86_400;

/// What can be set.
#[derive(Args, Default, Clone, Debug)]
pub struct AdapterSettings {
    /// The DFSP's name in the scheme [default: mojaloop].
    #[arg(long, env = "DFSP_ID", value_name = "FSP-ID")]
    pub dfsp_id: Option<String>,
    /// The hub: HOST[:PORT][/BASE], or a URL.
    #[arg(long, env = "PEER_ENDPOINT", value_name = "HOST")]
    pub peer_endpoint: Option<String>,
    /// The hub's account lookup, if elsewhere.
    #[arg(long, env = "ALS_ENDPOINT", value_name = "HOST")]
    pub als_endpoint: Option<String>,
    /// The hub's quotes, if elsewhere.
    #[arg(long, env = "QUOTES_ENDPOINT", value_name = "HOST")]
    pub quotes_endpoint: Option<String>,
    /// The hub's transfers, if elsewhere.
    #[arg(long, env = "TRANSFERS_ENDPOINT", value_name = "HOST")]
    pub transfers_endpoint: Option<String>,
    /// The hub's transaction requests, if elsewhere.
    #[arg(long, env = "TRANSACTION_REQUESTS_ENDPOINT", value_name = "HOST")]
    pub transaction_requests_endpoint: Option<String>,
    /// The hub's fxQuotes, if elsewhere.
    #[arg(long, env = "FX_QUOTES_ENDPOINT", value_name = "HOST")]
    pub fx_quotes_endpoint: Option<String>,
    /// The hub's fxTransfers, if elsewhere.
    #[arg(long, env = "FX_TRANSFERS_ENDPOINT", value_name = "HOST")]
    pub fx_transfers_endpoint: Option<String>,
    /// The hub's answers to pings, if elsewhere.
    #[arg(long, env = "PING_ENDPOINT", value_name = "HOST")]
    pub ping_endpoint: Option<String>,
    /// The DFSP's core: HOST[:PORT][/BASE], or a URL.
    #[arg(long, env = "BACKEND_ENDPOINT", value_name = "HOST")]
    pub backend_endpoint: Option<String>,
    /// Port for the hub [default: 4000].
    #[arg(long, env = "INBOUND_SERVER_LISTEN_PORT", value_name = "PORT")]
    pub inbound_port: Option<u16>,
    /// Address for the hub [default: 0.0.0.0].
    #[arg(long, env = "UMOJA_ADAPTER_INBOUND_ADDRESS", value_name = "IP")]
    pub inbound_address: Option<IpAddr>,
    /// Port for the core [default: 4001].
    #[arg(long, env = "OUTBOUND_SERVER_LISTEN_PORT", value_name = "PORT")]
    pub outbound_port: Option<u16>,
    /// Address for the core; whoever reaches it moves the DFSP's money [default: 127.0.0.1].
    #[arg(long, env = "UMOJA_ADAPTER_OUTBOUND_ADDRESS", value_name = "IP")]
    pub outbound_address: Option<IpAddr>,
    /// File of the payments' records (SQLite). Without it they are lost when the adapter stops.
    #[arg(long, env = "UMOJA_ADAPTER_DATA", value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Form of new ids: ulid or uuid [default: ulid].
    #[arg(long, env = "ID_GENERATOR", value_name = "FORM")]
    pub id_generator: Option<String>,
    /// Versions of requests and callbacks, such as transfers=1.1,quotes=1.0 [default: the newest of each for requests, that of
    /// the request for callbacks].
    #[arg(long, env = "RESOURCE_VERSIONS", value_name = "RESOURCE=VERSION,…", value_delimiter = ',')]
    pub resource_versions: Option<Vec<String>>,
    /// Currencies of the DFSP's customers.
    #[arg(long, env = "SUPPORTED_CURRENCIES", value_name = "CODE,…", value_delimiter = ',')]
    pub supported_currencies: Option<Vec<String>>,
    /// Foreign exchange providers; the first one is asked.
    #[arg(long, env = "GET_SERVICES_FXP_RESPONSE", value_name = "FSP-ID,…", value_delimiter = ',')]
    pub fx_providers: Option<Vec<String>>,
    #[command(flatten, next_help_heading = "Signatures (JWS)")]
    pub signatures: SignatureSettings,
    #[command(flatten, next_help_heading = "TLS of the links to and from the hub")]
    pub tls: TlsSettings,
    #[command(flatten, next_help_heading = "Access tokens (OAuth 2.0)")]
    pub tokens: tokens::TokenSettings,
    #[command(flatten, next_help_heading = "Decisions (true or false)")]
    pub decisions: Decisions,
    #[command(flatten, next_help_heading = "Bounds")]
    pub bounds: Bounds,
    #[command(flatten, next_help_heading = "Observation")]
    pub observation: Observation,
    /// From which fulfilments are made [default: mojaloop-sdk, which everybody knows].
    #[arg(long, env = "ILP_SECRET", value_name = "TEXT", hide_env_values = true)]
    pub ilp_secret: Option<String>,
    /// Version of ILP packets: 1 or 4 [default: 1].
    #[arg(long, env = "ILP_VERSION", value_name = "VERSION")]
    pub ilp_version: Option<String>,
    /// Life of quotes and transfers [default: 20].
    #[arg(long, env = "EXPIRY_SECONDS", value_name = "SECONDS")]
    pub expiry_seconds: Option<u64>,
    /// How long a callback of the hub is awaited [default: 30].
    #[arg(long, env = "REQUEST_PROCESSING_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub request_processing_timeout_seconds: Option<u64>,
    /// After a fulfilment, until the hub is asked what became of the transfer [default: 15000].
    #[arg(long, env = "PATCH_NOTIFICATION_GRACE_TIME_MS", value_name = "MS")]
    pub patch_notification_grace_time_ms: Option<u64>,
    /// Tries of a notification to the core after the first [default: 5].
    #[arg(long, env = "BACKEND_REQUEST_RETRY_MAX_RETRIES", value_name = "COUNT")]
    pub backend_request_retry_max_retries: Option<u32>,
    /// Before the second try of a notification; grows with each [default: 1000].
    #[arg(long, env = "BACKEND_REQUEST_RETRY_DELAY_MS", value_name = "MS")]
    pub backend_request_retry_delay_ms: Option<u64>,
    /// The extension of an error whose value is told the core in place of the error's code.
    #[arg(long, env = "OUTBOUND_ERROR_STATUSCODE_EXTENSION_KEY", value_name = "KEY")]
    pub outbound_error_statuscode_extension_key: Option<String>,
}

/// With what messages are signed, and whose signatures are verified.
#[derive(Args, Default, Clone, Debug)]
pub struct SignatureSettings {
    /// Whether messages are signed [default: true if there is a key].
    #[arg(long, env = "JWS_SIGN", value_name = "BOOL")]
    pub jws_sign: Option<bool>,
    /// The private key (PEM) to sign with.
    #[arg(long, env = "JWS_SIGNING_KEY_PATH", value_name = "FILE")]
    pub jws_signing_key: Option<PathBuf>,
    /// Whether signatures of others are verified [default: true if there is a directory of keys].
    #[arg(long, env = "VALIDATE_INBOUND_JWS", value_name = "BOOL")]
    pub validate_inbound_jws: Option<bool>,
    /// Public keys of the other DFSPs and of the hub: FSP-ID.pem each. Read again when they change.
    #[arg(long, env = "JWS_VERIFICATION_KEYS_DIRECTORY", value_name = "DIR")]
    pub jws_verification_keys: Option<PathBuf>,
    /// Whether the answers to look-ups are verified too [default: false].
    #[arg(long, env = "VALIDATE_INBOUND_PUT_PARTIES_JWS", value_name = "BOOL")]
    pub validate_inbound_put_parties_jws: Option<bool>,
}

impl SignatureSettings {
    fn to_signatures(&self) -> Result<Signatures, String> {
        let key = match (self.jws_sign, &self.jws_signing_key) {
            (Some(false), _) | (None, None) => None,
            (Some(true), None) => {
                return Err("JWS_SIGN is true, but there is no key: set JWS_SIGNING_KEY_PATH.".to_owned());
            }
            (Some(true) | None, Some(file)) => Some(Arc::new(signing_key(file)?)),
        };
        let keys = match (self.validate_inbound_jws, &self.jws_verification_keys) {
            (Some(false), _) | (None, None) => None,
            (Some(true), None) => {
                return Err("VALIDATE_INBOUND_JWS is true, but there are no keys to verify with: \
                            set JWS_VERIFICATION_KEYS_DIRECTORY."
                    .to_owned());
            }
            (Some(true) | None, Some(directory)) => Some(Arc::new(KeyDirectory::open(directory)?)),
        };
        let are_verified = self.validate_inbound_put_parties_jws == Some(true);
        let parties = if are_verified { PartyAnswers::Verified } else { PartyAnswers::Taken };
        Ok(Signatures { key, keys, parties })
    }
}

fn signing_key(file: &Path) -> Result<SigningKey, String> {
    let shown = file.display();
    let pem = std::fs::read_to_string(file)
        .map_err(|error| format!("The key {shown} (JWS_SIGNING_KEY_PATH) cannot be read: {error}."))?;
    SigningKey::from_pem(&pem)
        .map_err(|error| format!("The key {shown} (JWS_SIGNING_KEY_PATH) cannot be used: {error}."))
}

macro_rules! decisions {
    ($($name:ident, $variable:literal, $help:literal;)*) => {
        /// What the adapter decides without the core, and what it checks.
        #[derive(Args, Default, Clone, Debug)]
        pub struct Decisions {
            $(
                #[arg(long, env = $variable, value_name = "BOOL", help = $help)]
                pub $name: Option<bool>,
            )*
        }

        impl Decisions {
            fn apply(&self, settings: &mut Settings) {
                $(
                    if let Some(value) = self.$name {
                        settings.$name = value;
                    }
                )*
            }
        }
    };
}

decisions! {
    auto_accept_party, "AUTO_ACCEPT_PARTY", "Payments go on after the look-up [default: true]";
    auto_accept_quotes, "AUTO_ACCEPT_QUOTES", "Payments go on after the quote [default: true]";
    auto_accept_r2p_party, "AUTO_ACCEPT_R2P_PARTY", "Requests to pay go on after the look-up [default: false]";
    auto_accept_r2p_business_quotes, "AUTO_ACCEPT_R2P_BUSINESS_QUOTES",
        "Requested payments of businesses go on after the quote [default: false]";
    auto_accept_r2p_device_otp, "AUTO_ACCEPT_R2P_DEVICE_OTP",
        "Requested payments go on after the one-time password [default: false]";
    auto_accept_participants_put, "AUTO_ACCEPT_PARTICIPANTS_PUT",
        "Answers about single identifiers are taken [default: false]";
    use_quote_source_as_payee, "USE_QUOTE_SOURCE_FSP_AS_TRANSFER_PAYEE_FSP",
        "The payee's DFSP is whoever has sent the quote [default: false]";
    allow_transfer_without_quote, "ALLOW_TRANSFER_WITHOUT_QUOTE",
        "Transfers are taken without a quote [default: false]";
    allow_different_transaction_id, "ALLOW_DIFFERENT_TRANSFER_TRANSACTION_ID",
        "The packet says to which quote a transfer belongs [default: false]";
    reserve_notification, "RESERVE_NOTIFICATION", "Transfers are reserved, not committed [default: false]";
    check_ilp, "CHECK_ILP", "Conditions and fulfilments are checked [default: true]";
    reject_expired_quote_responses, "REJECT_EXPIRED_QUOTE_RESPONSES", "Late quotes are errors [default: false]";
    reject_expired_fulfils, "REJECT_EXPIRED_TRANSFER_FULFILS", "Late fulfilments are errors [default: false]";
    reject_transfers_on_expired_quotes, "REJECT_TRANSFERS_ON_EXPIRED_QUOTES",
        "Transfers after their quote's end are refused [default: false]";
}

impl AdapterSettings {
    /// The settings of an adapter, with defaults for what is not set. `variable` reads the environment. The error is a
    /// sentence.
    pub fn to_settings(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        variables::refuse_missing(MISSING, &variable)?;
        self.tls.check_token_endpoint(&variable)?;
        let name = self.dfsp_id.as_deref().unwrap_or("mojaloop");
        let dfsp = name.parse().map_err(|error| format!("The name '{name}' (DFSP_ID) cannot be used: {error}."))?;
        let peer = self.peer_endpoint.as_deref().ok_or("The adapter needs its hub: set PEER_ENDPOINT.")?;
        let backend = self.backend_endpoint.as_deref().ok_or("The adapter needs the core: set BACKEND_ENDPOINT.")?;
        let backend = plain_url("BACKEND_ENDPOINT", backend)?;
        let mut settings = Settings::new(dfsp, self.tls.url("PEER_ENDPOINT", peer)?, backend);
        settings.hub = Endpoints { peer: settings.hub.peer, others: self.endpoints()?, ping: self.ping()? };
        let token_endpoint = self.tokens.endpoint(&self.tls)?;
        settings.links = self.tls.to_links(&settings.hub, token_endpoint.as_deref())?;
        let (inbound, outbound) = (settings.listen_inbound, settings.listen_outbound);
        let inbound_port = port(self.inbound_port, "INBOUND_LISTEN_PORT", &variable)?;
        let outbound_port = port(self.outbound_port, "OUTBOUND_LISTEN_PORT", &variable)?;
        settings.listen_inbound =
            (self.inbound_address.unwrap_or(inbound.ip()), inbound_port.unwrap_or(inbound.port())).into();
        settings.listen_outbound =
            (self.outbound_address.unwrap_or(outbound.ip()), outbound_port.unwrap_or(outbound.port())).into();
        settings.data.clone_from(&self.data);
        settings.ulids = self.ulids()?;
        settings.versions = self.versions()?;
        settings.supported_currencies = named(&self.supported_currencies);
        settings.fx_providers = named(&self.fx_providers);
        settings.error_extension_key.clone_from(&self.outbound_error_statuscode_extension_key);
        settings.ilp_version = match self.ilp_version.as_deref() {
            None | Some("1") => IlpVersion::V1,
            Some("4") => IlpVersion::V4,
            Some(other) => return Err(format!("ILP_VERSION is {other}; it can be 1 or 4.")),
        };
        if let Some(secret) = &self.ilp_secret {
            settings.ilp_secret.clone_from(secret);
        }
        settings.signatures = self.signatures.to_signatures()?;
        settings.tokens = self.tokens.to_tokens((token_endpoint, &settings.links), &variable)?;
        self.decisions.apply(&mut settings);
        self.observation.apply(&mut settings, &variable)?;
        self.times(&mut settings)?;
        self.bounds.apply(&mut settings)?;
        Ok(settings)
    }

    fn times(&self, settings: &mut Settings) -> Result<(), String> {
        if let Some(seconds) = self.expiry_seconds {
            settings.expiry = within("EXPIRY_SECONDS", seconds, 1, Duration::from_secs)?;
        }
        if let Some(seconds) = self.request_processing_timeout_seconds {
            let name = "REQUEST_PROCESSING_TIMEOUT_SECONDS";
            settings.callback_timeout = within(name, seconds, 1, Duration::from_secs)?;
        }
        if let Some(millis) = self.patch_notification_grace_time_ms {
            let name = "PATCH_NOTIFICATION_GRACE_TIME_MS";
            settings.patch_grace = within(name, millis, 1000, Duration::from_millis)?;
        }
        if let Some(millis) = self.backend_request_retry_delay_ms {
            let name = "BACKEND_REQUEST_RETRY_DELAY_MS";
            settings.notification_delay = within(name, millis, 1000, Duration::from_millis)?;
        }
        if let Some(retries) = self.backend_request_retry_max_retries {
            settings.notification_attempts_max = retries.min(100) + 1;
        }
        Ok(())
    }

    fn endpoints(&self) -> Result<HashMap<Resource, String>, String> {
        let mut endpoints = HashMap::new();
        for (name, endpoint, resources) in [
            ("ALS_ENDPOINT", &self.als_endpoint, &[Resource::Parties, Resource::Participants][..]),
            ("QUOTES_ENDPOINT", &self.quotes_endpoint, &[Resource::Quotes]),
            ("TRANSFERS_ENDPOINT", &self.transfers_endpoint, &[Resource::Transfers]),
            (
                "TRANSACTION_REQUESTS_ENDPOINT",
                &self.transaction_requests_endpoint,
                &[Resource::TransactionRequests, Resource::Authorizations],
            ),
            ("FX_QUOTES_ENDPOINT", &self.fx_quotes_endpoint, &[Resource::FxQuotes]),
            ("FX_TRANSFERS_ENDPOINT", &self.fx_transfers_endpoint, &[Resource::FxTransfers]),
        ] {
            let Some(endpoint) = endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else { continue };
            let endpoint = self.tls.url(name, endpoint)?;
            endpoints.extend(resources.iter().map(|resource| (*resource, endpoint.clone())));
        }
        Ok(endpoints)
    }

    fn ping(&self) -> Result<Option<String>, String> {
        let endpoint = self.ping_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
        endpoint.map(|endpoint| self.tls.url("PING_ENDPOINT", endpoint)).transpose()
    }

    /// A word, or the JSON object that the reference implementation reads.
    fn ulids(&self) -> Result<bool, String> {
        let Some(given) = self.id_generator.as_deref() else { return Ok(true) };
        let object: Option<serde_json::Value> = serde_json::from_str(given).ok();
        let word = object.as_ref().and_then(|object| object.get("type")?.as_str()).unwrap_or(given);
        match word {
            "ulid" => Ok(true),
            "uuid" => Ok(false),
            _ => Err(format!("ID_GENERATOR is {given}; it can be ulid or uuid.")),
        }
    }

    fn versions(&self) -> Result<HashMap<Resource, Version>, String> {
        let entry = |text: &String| {
            let wrong = || format!("'{text}' in RESOURCE_VERSIONS is not RESOURCE=VERSION, such as transfers=1.1.");
            let (resource, version) = text.trim().split_once('=').ok_or_else(wrong)?;
            let resource: Resource = resource.parse().map_err(|_| wrong())?;
            let version: Version = version.parse().map_err(|_| wrong())?;
            if !resource.supports(version) {
                return Err(format!("RESOURCE_VERSIONS has {text}, but {resource} has no version {version}."));
            }
            Ok((resource, version))
        };
        self.resource_versions.iter().flatten().filter(|text| !text.trim().is_empty()).map(entry).collect()
    }
}

/// A port as it was given, or by its name in other releases of the reference implementation.
fn port(
    given: Option<u16>,
    other_name: &str,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Option<u16>, String> {
    match (given, variable(other_name).filter(|text| !text.is_empty())) {
        (Some(_), _) | (None, None) => Ok(given),
        (None, Some(text)) => match text.parse() {
            Ok(port) => Ok(Some(port)),
            Err(_) => Err(format!("{other_name} is '{text}'; it must be a port, 0 to 65535.")),
        },
    }
}

fn named(list: &Option<Vec<String>>) -> Vec<String> {
    list.iter().flatten().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn within(name: &str, value: u64, per_second: u64, duration: fn(u64) -> Duration) -> Result<Duration, String> {
    let max = SECONDS_MAX * per_second;
    if (1..=max).contains(&value) {
        Ok(duration(value))
    } else {
        Err(format!("{name} is {value}; it can be 1 to {max}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> AdapterSettings {
        AdapterSettings {
            peer_endpoint: Some("hub:4000".into()),
            backend_endpoint: Some("core".into()),
            ..AdapterSettings::default()
        }
    }

    fn refusal(settings: &AdapterSettings) -> String {
        settings.to_settings(|_| None).err().unwrap_or_default()
    }

    #[test]
    fn endpoints_without_a_scheme_are_http() {
        let settings = AdapterSettings { als_endpoint: Some("als:1/base".into()), ..given() };
        let settings = settings.to_settings(|_| None).unwrap();
        assert_eq!((settings.hub.peer.as_str(), settings.backend.as_str()), ("http://hub:4000", "http://core"));
        assert_eq!(settings.hub.others[&Resource::Participants], "http://als:1/base");
        assert_eq!(settings.listen_inbound.to_string(), "0.0.0.0:4000");
        assert_eq!(settings.listen_outbound.to_string(), "127.0.0.1:4001");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_sentence() {
        assert!(refusal(&AdapterSettings::default()).contains("PEER_ENDPOINT"));
        assert!(refusal(&AdapterSettings { backend_endpoint: Some("https://core".into()), ..given() }).contains("TLS"));
        assert!(refusal(&AdapterSettings { ilp_version: Some("2".into()), ..given() }).contains("1 or 4"));
        assert!(refusal(&AdapterSettings { expiry_seconds: Some(0), ..given() }).contains("1 to 86400"));
        let bounds = |bounds: Bounds| refusal(&AdapterSettings { bounds, ..given() });
        let default = Bounds::default;
        assert!(bounds(Bounds { keep_days: Some(0), ..default() }).contains("1 to 36500"));
        let several = Bounds { multiple_parties_response: Some(true), ..default() };
        assert!(bounds(several.clone()).contains("somebody must choose"));
        let asking = Decisions { auto_accept_party: Some(false), ..Decisions::default() };
        assert_eq!(refusal(&AdapterSettings { bounds: several, decisions: asking, ..given() }), "");
        assert!(bounds(Bounds { inbound_bytes_max: Some(5_242_881), ..default() }).contains("1 to 5242880"));
        let versions = Some(vec!["transactionRequests=2.0".into()]);
        assert!(refusal(&AdapterSettings { resource_versions: versions, ..given() }).contains("no version 2.0"));
        assert!(refusal(&AdapterSettings { id_generator: Some("serial".into()), ..given() }).contains("ulid or uuid"));
    }

    #[test]
    fn ids_are_chosen_by_a_word_or_by_the_json_of_other_adapters() {
        for (text, ulids) in
            [("ulid", true), ("uuid", false), (r#"{"type":"ulid"}"#, true), (r#"{"type":"uuid"}"#, false)]
        {
            let settings = AdapterSettings { id_generator: Some(text.into()), ..given() };
            assert_eq!(settings.to_settings(|_| None).unwrap().ulids, ulids, "{text}");
        }
    }

    #[test]
    fn signatures_are_made_and_verified_where_there_are_keys_unless_that_is_switched_off() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key.pem");
        std::fs::write(&file, SigningKey::generate_rsa().unwrap().1).unwrap();
        let whole = SignatureSettings {
            jws_signing_key: Some(file),
            jws_verification_keys: Some(directory.path().into()),
            ..SignatureSettings::default()
        };
        let found = |signatures: &SignatureSettings| {
            let settings = AdapterSettings { signatures: signatures.clone(), ..given() }.to_settings(|_| None).unwrap();
            (settings.signatures.key.is_some(), settings.signatures.keys.is_some(), settings.signatures.parties)
        };
        assert_eq!(found(&SignatureSettings::default()), (false, false, PartyAnswers::Taken));
        assert_eq!(found(&whole), (true, true, PartyAnswers::Taken));
        let parties = SignatureSettings { validate_inbound_put_parties_jws: Some(true), ..whole.clone() };
        assert_eq!(found(&parties), (true, true, PartyAnswers::Verified));
        let off = SignatureSettings { jws_sign: Some(false), validate_inbound_jws: Some(false), ..whole.clone() };
        assert_eq!(found(&off), (false, false, PartyAnswers::Taken));
        let refused = |signatures: SignatureSettings| refusal(&AdapterSettings { signatures, ..given() });
        let unkeyed = SignatureSettings { jws_sign: Some(true), ..SignatureSettings::default() };
        assert!(refused(unkeyed).contains("JWS_SIGNING_KEY_PATH"));
        let unkeyed = SignatureSettings { validate_inbound_jws: Some(true), ..SignatureSettings::default() };
        assert!(refused(unkeyed).contains("JWS_VERIFICATION_KEYS_DIRECTORY"));
        let none = Some(directory.path().join("none.pem"));
        assert!(
            refused(SignatureSettings { jws_signing_key: none.clone(), ..whole.clone() }).contains("cannot be read")
        );
        assert!(!refused(SignatureSettings { jws_verification_keys: none, ..whole }).is_empty());
    }

    #[test]
    fn a_variable_that_asks_for_what_is_missing_stops_the_start() {
        let with = |name: &'static str, value: &'static str| {
            given().to_settings(move |asked| (asked == name).then(|| value.to_owned())).err().unwrap_or_default()
        };
        assert!(with("MULTI_DFSP", "true").contains("one adapter for each"));
        assert_eq!(with("MULTI_DFSP", "false"), "");
        assert!(with("API_TYPE", "iso20022").contains("fspiop only"));
        assert!(with("OAUTH_MUTUAL_TLS_ENABLED", "true").contains("OUTBOUND_MUTUAL_TLS_ENABLED"));
    }

    #[test]
    fn ports_have_the_names_of_several_releases() {
        let named = |name: &'static str, value: &'static str| {
            given().to_settings(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(named("INBOUND_LISTEN_PORT", "4110").unwrap().listen_inbound.port(), 4110);
        assert_eq!(named("OUTBOUND_LISTEN_PORT", "4111").unwrap().listen_outbound.port(), 4111);
        assert_eq!(named("OUTBOUND_LISTEN_PORT", "").unwrap().listen_outbound.port(), 4001);
        assert!(named("INBOUND_LISTEN_PORT", "x").unwrap_err().contains("must be a port"));
    }

    #[test]
    fn the_test_api_is_off_and_local_unless_it_is_asked_for() {
        assert_eq!(given().to_settings(|_| None).unwrap().listen_test_api, None);
        let with = |observation: Observation| {
            let settings = AdapterSettings { observation, ..given() }.to_settings(|_| None).unwrap();
            settings.listen_test_api.map(|address| address.to_string())
        };
        let on = Observation { test_api: Some(true), ..Observation::default() };
        assert_eq!(with(on.clone()).as_deref(), Some("127.0.0.1:4002"));
        let address = Some([0, 0, 0, 0].into());
        let elsewhere = Observation { test_api_port: Some(4112), test_api_address: address, ..on };
        assert_eq!(with(elsewhere.clone()).as_deref(), Some("0.0.0.0:4112"));
        assert_eq!(with(Observation { test_api: Some(false), ..elsewhere }), None);
    }
}
