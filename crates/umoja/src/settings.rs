//! Settings of a hub: each can be given as a flag, an environment variable, or a key of the TOML file; in this order.
//! One definition serves all three, so that none can be forgotten.

use clap::Args;
use hub::{Config, Listeners, Retention, Signing};
use hub_core::OnUs;
use serde::Deserialize;
use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use vocabulary::{FspId, PartyIdType};

/// Where a hub without other word keeps its data.
const DATA_DEFAULT: &str = "umoja-data";

/// What can be set. A key of the file has the name of the flag without its dashes in front.
#[derive(Args, Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Directory of the embedded database; created if missing. Excludes --store.
    #[arg(long, env = "UMOJA_DATA", value_name = "DIR", conflicts_with = "store")]
    pub data: Option<PathBuf>,
    /// Database: memory, sqlite:PATH or postgres://USER@HOST/DATABASE.
    #[arg(long, env = "UMOJA_STORE", value_name = "ADDRESS", hide_env_values = true)]
    pub store: Option<String>,
    /// The hub's own name, as participants see it.
    #[arg(long, env = "UMOJA_NAME", value_name = "FSP-ID")]
    pub name: Option<String>,
    /// Address of the FSPIOP listener.
    #[arg(long, env = "UMOJA_LISTEN_FSPIOP", value_name = "IP:PORT")]
    pub listen_fspiop: Option<SocketAddr>,
    /// Address of the administration listener.
    #[arg(long, env = "UMOJA_LISTEN_ADMINISTRATION", value_name = "IP:PORT")]
    pub listen_administration: Option<SocketAddr>,
    /// Address of the settlement listener.
    #[arg(long, env = "UMOJA_LISTEN_SETTLEMENT", value_name = "IP:PORT")]
    pub listen_settlement: Option<SocketAddr>,
    /// Address of the listener for the administration of oracles.
    #[arg(long, env = "UMOJA_LISTEN_ORACLES", value_name = "IP:PORT")]
    pub listen_oracles: Option<SocketAddr>,
    /// Address of the operator's portal.
    #[arg(long, env = "UMOJA_LISTEN_PORTAL", value_name = "IP:PORT")]
    pub listen_portal: Option<SocketAddr>,
    /// Private key (PEM) with which the hub signs what it makes; made if missing. By default it lies beside the data.
    #[arg(long, env = "UMOJA_SIGNING_KEY", value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// Whether the messages that the hub makes are signed.
    #[arg(long, env = "UMOJA_SIGN", value_name = "BOOL")]
    pub sign: Option<bool>,
    /// Scheme setting: whether transfers inside one DFSP are cleared (refused or allowed).
    #[arg(long, env = "UMOJA_ON_US", value_name = "POLICY", value_parser = ["refused", "allowed"])]
    pub on_us: Option<String>,
    /// Scheme setting: whether a payee that answered COMMITTED is sent a confirmation.
    #[arg(long, env = "UMOJA_CONFIRM_TO_PAYEE", value_name = "BOOL")]
    pub confirm_to_payee: Option<bool>,
    /// Scheme setting: id types that the built-in party directory serves while no oracle is registered for them.
    #[arg(long, env = "UMOJA_DIRECTORY_ID_TYPES", value_name = "TYPE,…", value_delimiter = ',')]
    pub directory_id_types: Option<Vec<String>>,
    /// Milliseconds between two looks for expired transfers.
    #[arg(long, env = "UMOJA_EXPIRY_SWEEP_MS", value_name = "MS")]
    pub expiry_sweep_ms: Option<u64>,
    /// Milliseconds that one request to a participant or an oracle may take.
    #[arg(long, env = "UMOJA_REQUEST_TIMEOUT_MS", value_name = "MS")]
    pub request_timeout_ms: Option<u64>,
    /// Milliseconds that other schemes have to answer a look-up.
    #[arg(long, env = "UMOJA_DISCOVERY_TIME_MS", value_name = "MS")]
    pub discovery_time_ms: Option<u64>,
    /// Days for which the journal of messages is kept; 0 writes none.
    #[arg(long, env = "UMOJA_JOURNAL_DAYS", value_name = "DAYS")]
    pub journal_days: Option<u32>,
    /// Most requests under way to one participant at a time.
    #[arg(long, env = "UMOJA_CONNECTIONS_PER_PARTICIPANT", value_name = "COUNT")]
    pub connections_per_participant: Option<usize>,
}

impl Settings {
    /// Reads a TOML file. An unknown key is an error: a setting that is misspelt must not be silently left out.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("The configuration file {shown} cannot be read: {error}."))?;
        toml::from_str(&text).map_err(|error| {
            let what = error.message();
            let line = 1 + error.span().map_or(0, |span| text[..span.start].matches('\n').count());
            format!("The configuration file {shown} is wrong in line {line}: {what}.")
        })
    }

    /// These settings, and where they say nothing, those of the file.
    pub fn over(self, file: Self) -> Self {
        // A database on the command line replaces either way of naming one in the file.
        let names_store = self.data.is_some() || self.store.is_some();
        let (data, store) = if names_store { (self.data, self.store) } else { (file.data, file.store) };
        Self {
            data,
            store,
            name: self.name.or(file.name),
            listen_fspiop: self.listen_fspiop.or(file.listen_fspiop),
            listen_administration: self.listen_administration.or(file.listen_administration),
            listen_settlement: self.listen_settlement.or(file.listen_settlement),
            listen_oracles: self.listen_oracles.or(file.listen_oracles),
            listen_portal: self.listen_portal.or(file.listen_portal),
            signing_key: self.signing_key.or(file.signing_key),
            sign: self.sign.or(file.sign),
            on_us: self.on_us.or(file.on_us),
            confirm_to_payee: self.confirm_to_payee.or(file.confirm_to_payee),
            directory_id_types: self.directory_id_types.or(file.directory_id_types),
            expiry_sweep_ms: self.expiry_sweep_ms.or(file.expiry_sweep_ms),
            request_timeout_ms: self.request_timeout_ms.or(file.request_timeout_ms),
            discovery_time_ms: self.discovery_time_ms.or(file.discovery_time_ms),
            journal_days: self.journal_days.or(file.journal_days),
            connections_per_participant: self.connections_per_participant.or(file.connections_per_participant),
        }
    }

    /// The configuration of a hub, with defaults for what is not set.
    pub fn to_config(&self) -> Result<Config, String> {
        let standard = Config::default();
        let name = match &self.name {
            Some(text) => {
                text.parse::<FspId>().map_err(|error| format!("The name '{text}' cannot be used: {error}."))?
            }
            None => standard.name,
        };
        if self.connections_per_participant == Some(0) {
            return Err("connections-per-participant is 0; at least one connection is needed.".to_owned());
        }
        Ok(Config {
            name,
            store: self.store_address()?,
            listeners: Listeners {
                fspiop: self.listen_fspiop.unwrap_or(standard.listeners.fspiop),
                administration: self.listen_administration.unwrap_or(standard.listeners.administration),
                settlement: self.listen_settlement.unwrap_or(standard.listeners.settlement),
                oracles: self.listen_oracles.unwrap_or(standard.listeners.oracles),
                portal: self.listen_portal.unwrap_or(standard.listeners.portal),
            },
            signing: self.signing(),
            on_us: match self.on_us.as_deref() {
                None => standard.on_us,
                Some("refused") => OnUs::Refused,
                Some("allowed") => OnUs::Allowed,
                Some(other) => return Err(format!("on-us is '{other}'; it can be refused or allowed.")),
            },
            confirms_to_payee: self.confirm_to_payee.unwrap_or(standard.confirms_to_payee),
            directory_id_types: match &self.directory_id_types {
                Some(names) => id_types(names)?,
                None => standard.directory_id_types,
            },
            expiry_sweep: millis(self.expiry_sweep_ms, standard.expiry_sweep),
            request_timeout: millis(self.request_timeout_ms, standard.request_timeout),
            discovery_time: millis(self.discovery_time_ms, standard.discovery_time),
            journal: match self.journal_days {
                Some(0) => Retention::Nothing,
                Some(days) => Retention::Days(days),
                None => standard.journal,
            },
            connections_per_participant: self
                .connections_per_participant
                .unwrap_or(standard.connections_per_participant),
        })
    }

    /// A store in memory needs no key that outlives it.
    fn signing(&self) -> Signing {
        if self.sign == Some(false) {
            return Signing::Off;
        }
        match (&self.signing_key, self.store.as_deref()) {
            (Some(path), _) => Signing::KeyFile(path.clone()),
            (None, Some("memory")) => Signing::PassingKey,
            (None, _) => Signing::KeyFile(self.directory().join("signing-key.pem")),
        }
    }

    fn directory(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT))
    }

    /// The address of the store; makes the data directory.
    fn store_address(&self) -> Result<String, String> {
        if let Some(address) = &self.store {
            return Ok(address.clone());
        }
        let directory = self.directory();
        std::fs::create_dir_all(&directory).map_err(|error| {
            format!("The data directory {} cannot be made: {error}. Give --data another one.", directory.display())
        })?;
        Ok(format!("sqlite:{}", directory.join("hub.db").display()))
    }
}

fn id_types(names: &[String]) -> Result<Vec<PartyIdType>, String> {
    let known = || PartyIdType::ALL.map(PartyIdType::as_str).join(", ");
    let parse = |name: &String| {
        name.parse().map_err(|_| format!("'{name}' in directory-id-types is no id type; known are {}.", known()))
    };
    names.iter().filter(|name| !name.is_empty()).map(parse).collect()
}

fn millis(given: Option<u64>, standard: Duration) -> Duration {
    given.map_or(standard, |given| Duration::from_millis(given.max(1)))
}

/// A configuration file that says what is in force, each key with its meaning and its environment variable.
pub fn explain(command: &clap::Command, settings: &Settings, config: &Config) -> String {
    let mut text =
        String::from("# Settings of this hub. A flag wins over its environment variable, that over this file.\n");
    for argument in command.get_arguments() {
        let (Some(flag), Some(variable)) = (argument.get_long(), argument.get_env()) else { continue };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let value = value_of(flag, settings, config);
        // Writing to a string does not fail.
        let _ = write!(text, "\n# {help} ({})\n{value}\n", variable.to_string_lossy());
    }
    text
}

/// The line of one key, commented out where nothing is set and the default depends on other settings.
fn value_of(flag: &str, settings: &Settings, config: &Config) -> String {
    let listeners = &config.listeners;
    let value = match flag {
        "data" => match (&settings.data, &settings.store) {
            (Some(directory), _) => toml::Value::from(directory.display().to_string()),
            (None, None) => DATA_DEFAULT.into(),
            (None, Some(_)) => return "# data = \"…\"".to_owned(),
        },
        "store" => match &settings.store {
            Some(address) => without_password(address).into(),
            None => return "# store = \"sqlite:PATH\"".to_owned(),
        },
        "name" => config.name.to_string().into(),
        "listen-fspiop" => listeners.fspiop.to_string().into(),
        "listen-administration" => listeners.administration.to_string().into(),
        "listen-settlement" => listeners.settlement.to_string().into(),
        "listen-oracles" => listeners.oracles.to_string().into(),
        "listen-portal" => listeners.portal.to_string().into(),
        "signing-key" => match settings.signing() {
            Signing::KeyFile(path) => path.display().to_string().into(),
            Signing::Off | Signing::PassingKey => return "# signing-key = \"FILE\"".to_owned(),
        },
        "sign" => (settings.sign != Some(false)).into(),
        "on-us" => match config.on_us {
            OnUs::Refused => "refused".into(),
            OnUs::Allowed => "allowed".into(),
        },
        "confirm-to-payee" => config.confirms_to_payee.into(),
        "directory-id-types" => config.directory_id_types.iter().map(|known| known.as_str()).collect::<Vec<_>>().into(),
        "expiry-sweep-ms" => number(config.expiry_sweep.as_millis()),
        "request-timeout-ms" => number(config.request_timeout.as_millis()),
        "discovery-time-ms" => number(config.discovery_time.as_millis()),
        "journal-days" => match config.journal {
            Retention::Nothing => number(0),
            Retention::Days(days) => number(days.into()),
        },
        "connections-per-participant" => number(config.connections_per_participant as u128),
        other => return format!("# {other}: set by flag only"),
    };
    format!("{flag} = {value}")
}

fn number(value: u128) -> toml::Value {
    i64::try_from(value).unwrap_or(i64::MAX).into()
}

/// An address as it may be shown: what stands between the user and the host is hidden.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    match rest.split_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn what_is_explained_can_be_read_back_and_means_the_same() {
        let settings = Settings { store: Some("memory".to_owned()), ..Settings::default() };
        let config = settings.to_config().unwrap();
        let text = explain(&Flags::command(), &settings, &config);
        let read: Settings = toml::from_str(&text).unwrap();
        let again = read.to_config().unwrap();
        assert_eq!(format!("{config:?}"), format!("{again:?}"));
        assert!(!text.contains("set by flag only"), "{text}");
    }

    #[test]
    fn a_misspelt_key_is_refused_with_its_name() {
        let error = toml::from_str::<Settings>("listen-fspoip = \"127.0.0.1:1\"").unwrap_err();
        assert!(error.message().contains("listen-fspoip"), "{error}");
    }

    #[test]
    fn a_flag_wins_over_the_file_and_a_store_replaces_a_data_directory() {
        let file: Settings = toml::from_str("data = \"d\"\nname = \"A\"\n").unwrap();
        let flags = Settings { store: Some("memory".to_owned()), name: Some("B".to_owned()), ..Settings::default() };
        let merged = flags.over(file);
        assert_eq!((merged.data, merged.name.as_deref()), (None, Some("B")));
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_password("postgres://ann:secret@db/hub"), "postgres://ann@db/hub");
    }
}
