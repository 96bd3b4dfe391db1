//! What a node is told: where its store is, where it listens, and the scheme settings that seed an empty store.

use crate::{Retention, Signing, Verification};
use hub_core::{OnUs, Rules, notices::Policy};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tls::{ClientTls, ListenerTls};
use vocabulary::{FspId, PartyIdType};

/// The addresses of the five listeners; port 0 asks for any free port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listeners {
    pub fspiop: SocketAddr,
    pub administration: SocketAddr,
    pub settlement: SocketAddr,
    pub oracles: SocketAddr,
    pub portal: SocketAddr,
}

/// Settings of one node and of its scheme.
#[derive(Clone, Debug)]
pub struct Config {
    /// The hub's own name as a participant and in `FSPIOP-Source`.
    pub name: FspId,
    /// `memory`, `sqlite:PATH` or `postgres://…`.
    pub store: String,
    pub listeners: Listeners,
    /// Whether the messages that the hub makes are signed.
    pub signing: Signing,
    /// Whether the signatures of others are verified.
    pub verification: Verification,
    pub on_us: OnUs,
    pub confirms_to_payee: bool,
    /// The id types that the built-in party directory answers for while no oracle is registered for them.
    /// Account ids mean something inside one DFSP only, so that they are left out.
    pub directory_id_types: Vec<PartyIdType>,
    /// How often due transfers are looked for.
    pub expiry_sweep: Duration,
    /// How long one attempt to deliver a message or ask an oracle may take.
    pub request_timeout: Duration,
    /// How long other schemes have to answer a look-up.
    pub discovery_time: Duration,
    /// How long the journal of messages is kept.
    pub journal: Retention,
    /// Most requests under way to one participant at a time.
    pub connections_per_participant: usize,
    pub notices: Notices,
    pub tls: Tls,
    pub tokens: AccessTokens,
}

/// TLS of the hub's links. The files are read again whenever they change.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tls {
    /// Of the FSPIOP listener; without it that speaks plain HTTP. Who must show a certificate is known by it.
    pub fspiop: Option<ListenerTls>,
    /// Of the listeners for operators: administration, settlement, oracles, portal. Who may show a certificate there may do
    /// everything, so that participants' authorities do not belong here.
    pub administration: Option<ListenerTls>,
    /// Of requests to addresses with `https`.
    pub outgoing: ClientTls,
}

/// Access tokens (OAuth 2.0): whether senders of FSPIOP messages show them, and how the hub's own are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessTokens {
    pub policy: TokenPolicy,
    /// What the hub's tokens say in `iss`, as a URL; without it a name that is none.
    pub issuer: Option<String>,
    /// PEM file of the keys that sign them, read again when it changes. Without it the store keeps one.
    pub key: Option<PathBuf>,
    /// How long they live.
    pub lifetime: Duration,
    /// By how much the clock of an issuer may differ.
    pub leeway: Duration,
    /// Whose tokens are taken beside the hub's own.
    pub provider: Option<Provider>,
}

/// Whether a message needs a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TokenPolicy {
    /// Tokens are not looked at: a gateway does that, or certificates say who sends.
    #[default]
    Off,
    Required,
}

/// An identity provider outside the hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
    /// URL, to the letter as its tokens have it in `iss`.
    pub issuer: String,
    /// What its tokens must have in `aud`.
    pub audience: String,
    /// Names of claims; the first that a token has names the participant.
    pub claims: Vec<String>,
}

/// How operators are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notices {
    /// How often an alarm is repeated.
    pub policy: Policy,
    /// How often balances are looked at for alarms.
    pub look_interval: Duration,
    /// After the first attempt that failed; later pauses are longer.
    pub retry_pause: Duration,
    /// How long notices are kept.
    pub days: u32,
    /// The mail server; without one e-mail is skipped.
    pub smtp: Option<Smtp>,
}

/// A mail server, and the sender of what is given to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smtp {
    pub host: String,
    /// None is the usual port for the kind of TLS.
    pub port: Option<u16>,
    /// An e-mail address.
    pub from: String,
    /// A user and the file with its password, for a server that asks for them.
    pub user: Option<(String, PathBuf)>,
    pub tls: SmtpTls,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmtpTls {
    None,
    /// TLS after a greeting in the clear; nothing is sent without it.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

impl Default for Config {
    fn default() -> Self {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            name: "Hub".parse().expect("three letters are an FSP id"),
            store: "memory".to_owned(),
            listeners: Listeners {
                fspiop: at(4000),
                administration: at(3001),
                settlement: at(3007),
                oracles: at(4001),
                portal: at(8080),
            },
            signing: Signing::default(),
            verification: Verification::default(),
            on_us: OnUs::Refused,
            confirms_to_payee: false,
            directory_id_types: PartyIdType::ALL.into_iter().filter(|known| *known != PartyIdType::AccountId).collect(),
            expiry_sweep: Duration::from_secs(1),
            request_timeout: Duration::from_secs(20),
            discovery_time: Duration::from_secs(20),
            journal: Retention::Days(30),
            connections_per_participant: 64,
            notices: Notices::default(),
            tls: Tls::default(),
            tokens: AccessTokens::default(),
        }
    }
}

impl Default for AccessTokens {
    fn default() -> Self {
        Self {
            policy: TokenPolicy::default(),
            issuer: None,
            key: None,
            lifetime: Duration::from_secs(300),
            leeway: Duration::from_secs(5),
            provider: None,
        }
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            look_interval: Duration::from_secs(3),
            retry_pause: Duration::from_secs(15),
            days: 90,
            smtp: None,
        }
    }
}

impl SmtpTls {
    pub const ALL: [Self; 3] = [Self::None, Self::StartTls, Self::Tls];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// The port on which mail servers expect it.
    pub const fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

impl Config {
    /// The part that decisions depend on.
    pub fn rules(&self) -> Rules {
        Rules { hub_name: self.name.clone(), on_us: self.on_us, confirms_to_payee: self.confirms_to_payee }
    }

    /// The scheme settings by name: what is stored in an empty database, and must agree with a filled one.
    pub fn scheme_settings(&self) -> Vec<(String, String)> {
        let id_types: Vec<&str> = self.directory_id_types.iter().map(|known| known.as_str()).collect();
        let on_us = match self.on_us {
            OnUs::Refused => "refused",
            OnUs::Allowed => "allowed",
        };
        vec![
            ("confirm_to_payee".to_owned(), self.confirms_to_payee.to_string()),
            ("directory_id_types".to_owned(), id_types.join(",")),
            ("hub_name".to_owned(), self.name.to_string()),
            ("on_us".to_owned(), on_us.to_owned()),
        ]
    }
}
