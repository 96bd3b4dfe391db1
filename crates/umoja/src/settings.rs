//! Settings of a hub: each can be given as a flag, an environment variable, or a key of the TOML file; in this order.
//! One definition serves all three, so that none can be forgotten.

mod tokens;

use clap::Args;
use hub::{
    Config, Listeners, Notices, PartyAnswers, Retention, SignatureFailure, Signing, Smtp, SmtpTls, Tls, Verification,
};
use hub_core::{OnUs, notices::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tls::{ClientTls, KeyPair, ListenerTls};
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
    /// What becomes of messages of participants whose signature does not verify (off, log or enforce).
    #[arg(long, env = "UMOJA_VERIFY_SIGNATURES", value_name = "POLICY", value_parser = ["off", "log", "enforce"])]
    pub verify_signatures: Option<String>,
    /// Directory of the public keys of those whose messages are verified: a file <FSP id>.pem for each.
    #[arg(long, env = "UMOJA_VERIFICATION_KEYS", value_name = "DIR")]
    pub verification_keys: Option<PathBuf>,
    /// Whether answers to look-ups (PUT /parties) are verified too.
    #[arg(long, env = "UMOJA_VERIFY_PARTY_ANSWERS", value_name = "BOOL")]
    pub verify_party_answers: Option<bool>,
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
    /// Most notices to operators about one alarm in a period.
    #[arg(long, env = "UMOJA_NOTICES_PER_PERIOD", value_name = "COUNT")]
    pub notices_per_period: Option<u32>,
    /// Seconds between two notices about one alarm.
    #[arg(long, env = "UMOJA_NOTICE_SPACING_S", value_name = "S")]
    pub notice_spacing_s: Option<u32>,
    /// Seconds after which the notices about one alarm are counted anew.
    #[arg(long, env = "UMOJA_NOTICE_PERIOD_S", value_name = "S")]
    pub notice_period_s: Option<u32>,
    /// Days for which notices to operators are kept.
    #[arg(long, env = "UMOJA_NOTICE_DAYS", value_name = "DAYS")]
    pub notice_days: Option<u32>,
    /// Mail server through which notices are sent; without it there is no e-mail.
    #[arg(long, env = "UMOJA_SMTP_HOST", value_name = "HOST")]
    pub smtp_host: Option<String>,
    /// Port of the mail server; by default the usual one for --smtp-tls.
    #[arg(long, env = "UMOJA_SMTP_PORT", value_name = "PORT")]
    pub smtp_port: Option<u16>,
    /// E-mail address from which notices come.
    #[arg(long, env = "UMOJA_SMTP_FROM", value_name = "ADDRESS")]
    pub smtp_from: Option<String>,
    /// User of the mail server, if it asks for one.
    #[arg(long, env = "UMOJA_SMTP_USER", value_name = "NAME")]
    pub smtp_user: Option<String>,
    /// File with the password of --smtp-user.
    #[arg(long, env = "UMOJA_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// How the connection to the mail server is protected (none, starttls or tls).
    #[arg(long, env = "UMOJA_SMTP_TLS", value_name = "MODE", value_parser = ["none", "starttls", "tls"])]
    pub smtp_tls: Option<String>,
    /// Certificate chain (PEM) of the FSPIOP listener; with it and its key that speaks TLS only.
    #[arg(long, env = "UMOJA_FSPIOP_CERTIFICATE", value_name = "FILE")]
    pub fspiop_certificate: Option<PathBuf>,
    /// Private key (PEM) of --fspiop-certificate.
    #[arg(long, env = "UMOJA_FSPIOP_KEY", value_name = "FILE")]
    pub fspiop_key: Option<PathBuf>,
    /// Certificates (PEM) of the authorities whose clients the FSPIOP listener hears; without it, any client.
    #[arg(long, env = "UMOJA_FSPIOP_CLIENT_CA", value_name = "FILE")]
    pub fspiop_client_ca: Option<PathBuf>,
    /// Certificate chain (PEM) of the listeners for operators; with it and its key these speak TLS only.
    #[arg(long, env = "UMOJA_ADMINISTRATION_CERTIFICATE", value_name = "FILE")]
    pub administration_certificate: Option<PathBuf>,
    /// Private key (PEM) of --administration-certificate.
    #[arg(long, env = "UMOJA_ADMINISTRATION_KEY", value_name = "FILE")]
    pub administration_key: Option<PathBuf>,
    /// Certificates (PEM) of the authorities of operators, whom alone these listeners then hear.
    #[arg(long, env = "UMOJA_ADMINISTRATION_CLIENT_CA", value_name = "FILE")]
    pub administration_client_ca: Option<PathBuf>,
    /// Certificate chain (PEM) that the hub shows to addresses with https.
    #[arg(long, env = "UMOJA_OUTGOING_CERTIFICATE", value_name = "FILE")]
    pub outgoing_certificate: Option<PathBuf>,
    /// Private key (PEM) of --outgoing-certificate.
    #[arg(long, env = "UMOJA_OUTGOING_KEY", value_name = "FILE")]
    pub outgoing_key: Option<PathBuf>,
    /// Whether senders of FSPIOP messages must show an access token (off or require).
    #[arg(long, env = "UMOJA_ACCESS_TOKENS", value_name = "POLICY", value_parser = ["off", "require"])]
    pub access_tokens: Option<String>,
    /// URL by which participants reach the token endpoint; the hub's tokens name it as their issuer.
    #[arg(long, env = "UMOJA_TOKEN_ISSUER", value_name = "URL")]
    pub token_issuer: Option<String>,
    /// Private keys (PEM) for the hub's access tokens, the first of which signs; without it the store keeps one.
    #[arg(long, env = "UMOJA_TOKEN_KEY", value_name = "FILE")]
    pub token_key: Option<PathBuf>,
    /// Seconds for which the hub's access tokens live.
    #[arg(long, env = "UMOJA_TOKEN_LIFETIME_S", value_name = "S")]
    pub token_lifetime_s: Option<u32>,
    /// Identity provider (OpenID Connect) whose access tokens are taken too: its issuer, a URL.
    #[arg(long, env = "UMOJA_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,
    /// Audience that tokens of --oidc-issuer must be for.
    #[arg(long, env = "UMOJA_OIDC_AUDIENCE", value_name = "TEXT")]
    pub oidc_audience: Option<String>,
    /// Claims of tokens of --oidc-issuer that name the participant; the first that a token has counts.
    #[arg(long, env = "UMOJA_OIDC_CLAIMS", value_name = "NAME,…", value_delimiter = ',')]
    pub oidc_claims: Option<Vec<String>>,
    /// Certificates (PEM) of the authorities that addresses with https may go back to; without it, those of the system.
    #[arg(long, env = "UMOJA_OUTGOING_CA", value_name = "FILE")]
    pub outgoing_ca: Option<PathBuf>,
}

/// Reads settings from a TOML file. An unknown key is an error: a setting that is misspelt must not be silently left out.
pub fn read<S: DeserializeOwned>(path: &Path) -> Result<S, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("The configuration file {shown} cannot be read: {error}."))?;
    toml::from_str(&text).map_err(|error| {
        let what = error.message();
        let line = 1 + error.span().map_or(0, |span| text[..span.start].matches('\n').count());
        format!("The configuration file {shown} is wrong in line {line}: {what}.")
    })
}

impl Settings {
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
            verify_signatures: self.verify_signatures.or(file.verify_signatures),
            verification_keys: self.verification_keys.or(file.verification_keys),
            verify_party_answers: self.verify_party_answers.or(file.verify_party_answers),
            on_us: self.on_us.or(file.on_us),
            confirm_to_payee: self.confirm_to_payee.or(file.confirm_to_payee),
            directory_id_types: self.directory_id_types.or(file.directory_id_types),
            expiry_sweep_ms: self.expiry_sweep_ms.or(file.expiry_sweep_ms),
            request_timeout_ms: self.request_timeout_ms.or(file.request_timeout_ms),
            discovery_time_ms: self.discovery_time_ms.or(file.discovery_time_ms),
            journal_days: self.journal_days.or(file.journal_days),
            connections_per_participant: self.connections_per_participant.or(file.connections_per_participant),
            notices_per_period: self.notices_per_period.or(file.notices_per_period),
            notice_spacing_s: self.notice_spacing_s.or(file.notice_spacing_s),
            notice_period_s: self.notice_period_s.or(file.notice_period_s),
            notice_days: self.notice_days.or(file.notice_days),
            smtp_host: self.smtp_host.or(file.smtp_host),
            smtp_port: self.smtp_port.or(file.smtp_port),
            smtp_from: self.smtp_from.or(file.smtp_from),
            smtp_user: self.smtp_user.or(file.smtp_user),
            smtp_password_file: self.smtp_password_file.or(file.smtp_password_file),
            smtp_tls: self.smtp_tls.or(file.smtp_tls),
            fspiop_certificate: self.fspiop_certificate.or(file.fspiop_certificate),
            fspiop_key: self.fspiop_key.or(file.fspiop_key),
            fspiop_client_ca: self.fspiop_client_ca.or(file.fspiop_client_ca),
            administration_certificate: self.administration_certificate.or(file.administration_certificate),
            administration_key: self.administration_key.or(file.administration_key),
            administration_client_ca: self.administration_client_ca.or(file.administration_client_ca),
            outgoing_certificate: self.outgoing_certificate.or(file.outgoing_certificate),
            outgoing_key: self.outgoing_key.or(file.outgoing_key),
            outgoing_ca: self.outgoing_ca.or(file.outgoing_ca),
            access_tokens: self.access_tokens.or(file.access_tokens),
            token_issuer: self.token_issuer.or(file.token_issuer),
            token_key: self.token_key.or(file.token_key),
            token_lifetime_s: self.token_lifetime_s.or(file.token_lifetime_s),
            oidc_issuer: self.oidc_issuer.or(file.oidc_issuer),
            oidc_audience: self.oidc_audience.or(file.oidc_audience),
            oidc_claims: self.oidc_claims.or(file.oidc_claims),
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
            verification: self.verification()?,
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
            notices: self.notices(standard.notices)?,
            tls: self.tls()?,
            tokens: self.tokens()?,
        })
    }

    fn tls(&self) -> Result<Tls, String> {
        let listener = |name, certificate, key, client_ca: &Option<PathBuf>| {
            let pair = pair(name, certificate, key)?;
            if pair.is_none() && client_ca.is_some() {
                return Err(format!("{name}-client-ca is set without {name}-certificate; TLS needs one."));
            }
            Ok(pair.map(|pair| ListenerTls { pair, client_ca: client_ca.clone().into_iter().collect() }))
        };
        let (certificate, key) = (&self.administration_certificate, &self.administration_key);
        let administration = listener("administration", certificate, key, &self.administration_client_ca)?;
        let fspiop = listener("fspiop", &self.fspiop_certificate, &self.fspiop_key, &self.fspiop_client_ca)?;
        let outgoing = pair("outgoing", &self.outgoing_certificate, &self.outgoing_key)?;
        Ok(Tls {
            fspiop,
            administration,
            outgoing: ClientTls { ca: self.outgoing_ca.clone().into_iter().collect(), pair: outgoing },
        })
    }

    fn notices(&self, standard: Notices) -> Result<Notices, String> {
        let policy = standard.policy;
        for (name, value) in [("notices-per-period", self.notices_per_period), ("notice-days", self.notice_days)] {
            if value == Some(0) {
                return Err(format!("{name} is 0; it must be at least 1."));
            }
        }
        let millis = |given: Option<u32>, standard| given.map_or(standard, |seconds| i64::from(seconds) * 1000);
        Ok(Notices {
            policy: Policy {
                per_period_max: self.notices_per_period.unwrap_or(policy.per_period_max),
                spacing_ms: millis(self.notice_spacing_s, policy.spacing_ms),
                period_ms: millis(self.notice_period_s, policy.period_ms),
            },
            days: self.notice_days.unwrap_or(standard.days),
            smtp: self.smtp()?,
            ..standard
        })
    }

    /// The mail server. What describes one is of no use without its name.
    fn smtp(&self) -> Result<Option<Smtp>, String> {
        let Some(host) = &self.smtp_host else {
            let others = [
                ("smtp-port", self.smtp_port.is_some()),
                ("smtp-from", self.smtp_from.is_some()),
                ("smtp-user", self.smtp_user.is_some()),
                ("smtp-password-file", self.smtp_password_file.is_some()),
                ("smtp-tls", self.smtp_tls.is_some()),
            ];
            return match others.into_iter().find(|(_, is_set)| *is_set) {
                Some((name, _)) => Err(format!("{name} is set without smtp-host; name the mail server.")),
                None => Ok(None),
            };
        };
        let from = self.smtp_from.clone();
        let from = from.ok_or("smtp-host is set without smtp-from; name the address from which notices come.")?;
        let user = match (&self.smtp_user, &self.smtp_password_file) {
            (Some(user), Some(file)) => Some((user.clone(), file.clone())),
            (None, None) => None,
            (Some(_), None) => return Err("smtp-user is set without smtp-password-file; set both.".to_owned()),
            (None, Some(_)) => return Err("smtp-password-file is set without smtp-user; set both.".to_owned()),
        };
        let mode = self.smtp_tls.as_deref().unwrap_or(SmtpTls::StartTls.as_str());
        let tls =
            SmtpTls::parse(mode).ok_or_else(|| format!("smtp-tls is '{mode}'; it can be none, starttls or tls."))?;
        Ok(Some(Smtp { host: host.clone(), port: self.smtp_port, from, user, tls }))
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

    fn verification(&self) -> Result<Verification, String> {
        let failure = match self.verify_signatures.as_deref() {
            None if self.verification_keys.is_some() => {
                return Err(
                    "verification-keys is set without verify-signatures; set that to log or enforce.".to_owned()
                );
            }
            None | Some("off") => return Ok(Verification::Off),
            Some("log") => SignatureFailure::Logged,
            Some("enforce") => SignatureFailure::Refused,
            Some(other) => return Err(format!("verify-signatures is '{other}'; it can be off, log or enforce.")),
        };
        let keys = self.verification_keys.clone();
        let keys = keys.ok_or("verify-signatures is set without verification-keys; name the directory of keys.")?;
        let is_verified = self.verify_party_answers == Some(true);
        let party_answers = if is_verified { PartyAnswers::Verified } else { PartyAnswers::Exempt };
        Ok(Verification::On { keys, failure, party_answers })
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

/// A certificate and its key are of no use without each other.
fn pair(name: &str, certificate: &Option<PathBuf>, key: &Option<PathBuf>) -> Result<Option<KeyPair>, String> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(KeyPair { certificate: certificate.clone(), key: key.clone() })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(format!("{name}-certificate is set without {name}-key; set both.")),
        (None, Some(_)) => Err(format!("{name}-key is set without {name}-certificate; set both.")),
    }
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
        "verify-signatures" | "verification-keys" | "verify-party-answers" => {
            return value_for_verification(flag, &config.verification);
        }
        "fspiop-certificate"
        | "fspiop-key"
        | "fspiop-client-ca"
        | "administration-certificate"
        | "administration-key"
        | "administration-client-ca"
        | "outgoing-certificate"
        | "outgoing-key"
        | "outgoing-ca" => return value_for_tls(flag, settings),
        "access-tokens" | "token-issuer" | "token-key" | "token-lifetime-s" | "oidc-issuer" | "oidc-audience"
        | "oidc-claims" => return tokens::value_of(flag, &config.tokens),
        other => return value_for_notices(other, &config.notices),
    };
    format!("{flag} = {value}")
}

/// As [`value_of`], for the signatures of others.
fn value_for_verification(flag: &str, verification: &Verification) -> String {
    let Verification::On { keys, failure, party_answers } = verification else {
        return if flag == "verify-signatures" { format!("{flag} = \"off\"") } else { format!("# {flag} = …") };
    };
    let value: toml::Value = match flag {
        "verification-keys" => keys.display().to_string().into(),
        "verify-party-answers" => (*party_answers == PartyAnswers::Verified).into(),
        _ => match failure {
            SignatureFailure::Logged => "log".into(),
            SignatureFailure::Refused => "enforce".into(),
        },
    };
    format!("{flag} = {value}")
}

/// As [`value_of`], for the files of keys and certificates.
fn value_for_tls(flag: &str, settings: &Settings) -> String {
    let file = match flag {
        "fspiop-certificate" => &settings.fspiop_certificate,
        "fspiop-key" => &settings.fspiop_key,
        "fspiop-client-ca" => &settings.fspiop_client_ca,
        "administration-certificate" => &settings.administration_certificate,
        "administration-key" => &settings.administration_key,
        "administration-client-ca" => &settings.administration_client_ca,
        "outgoing-certificate" => &settings.outgoing_certificate,
        "outgoing-key" => &settings.outgoing_key,
        _ => &settings.outgoing_ca,
    };
    let shown = file.as_ref().map(|file| toml::Value::from(file.display().to_string()));
    shown.map_or_else(|| format!("# {flag} = \"FILE\""), |file| format!("{flag} = {file}"))
}

/// As [`value_of`], for how operators are told.
fn value_for_notices(flag: &str, notices: &Notices) -> String {
    let seconds = |millis: i64| toml::Value::from(millis / 1000);
    let smtp = notices.smtp.as_ref();
    let (user, file) = smtp.and_then(|smtp| smtp.user.clone()).unzip();
    let value = match flag {
        "notices-per-period" => Some(number(notices.policy.per_period_max.into())),
        "notice-spacing-s" => Some(seconds(notices.policy.spacing_ms)),
        "notice-period-s" => Some(seconds(notices.policy.period_ms)),
        "notice-days" => Some(number(notices.days.into())),
        "smtp-host" => smtp.map(|smtp| smtp.host.clone().into()),
        "smtp-port" => smtp.map(|smtp| number(smtp.port.unwrap_or(smtp.tls.port()).into())),
        "smtp-from" => smtp.map(|smtp| smtp.from.clone().into()),
        "smtp-user" => user.map(Into::into),
        "smtp-password-file" => file.map(|file| file.display().to_string().into()),
        "smtp-tls" => smtp.map(|smtp| smtp.tls.as_str().into()),
        other => return format!("# {other}: set by flag only"),
    };
    value.map_or_else(|| format!("# {flag} = …"), |value| format!("{flag} = {value}"))
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
mod tests;
