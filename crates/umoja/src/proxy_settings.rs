//! Settings of a proxy adapter: as flags, environment variables, or keys of the TOML file, in this order. What belongs to
//! a side stands in the table of the side: the flag `--a-hub` is the key `hub` in `[a]`.

use clap::Args;
use http::HeaderName;
use proxy::{
    Config, SideConfig, Target,
    config::{
        ATTEMPT_TIMEOUT_DEFAULT, CONNECTIONS_DEFAULT, KeyPair, ListenerTls, OauthConfig, Secret, TOKEN_REFRESH_DEFAULT,
        TOKEN_RETRY_DEFAULT,
    },
};
use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use vocabulary::FspId;

/// Longer, and the sender has long given up.
const ATTEMPT_TIMEOUT_MS_MAX: u64 = 60_000;
const CONNECTIONS_MAX: usize = 10_000;

/// What can be set.
#[derive(Args, Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ProxySettings {
    /// Name of the adapter as a participant of both schemes, which it sets in FSPIOP-Proxy.
    #[arg(long, env = "UMOJA_PROXY_NAME", value_name = "FSP-ID")]
    pub name: Option<String>,
    /// Headers of requests that do not travel on, besides those that never do.
    #[arg(long, env = "UMOJA_PROXY_REMOVE_HEADERS", value_name = "NAME,…", value_delimiter = ',')]
    pub remove_headers: Option<Vec<String>>,
    /// Milliseconds that one of four attempts to pass on a message may take [default: 5000].
    #[arg(long, env = "UMOJA_PROXY_ATTEMPT_TIMEOUT_MS", value_name = "MS")]
    pub attempt_timeout_ms: Option<u64>,
    /// Most requests under way to one hub at a time [default: 100].
    #[arg(long, env = "UMOJA_PROXY_CONNECTIONS", value_name = "COUNT")]
    pub connections: Option<usize>,
    #[command(flatten, next_help_heading = "Side A")]
    pub a: SideA,
    #[command(flatten, next_help_heading = "Side B")]
    pub b: SideB,
}

/// Settings of one side, without the side's letter.
#[derive(Debug)]
struct Side {
    letter: &'static str,
    port: u16,
    listen: Option<SocketAddr>,
    hub: Option<String>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    token_url: Option<String>,
    token_ca: Option<PathBuf>,
    token_refresh_seconds: Option<u64>,
    client_id: Option<String>,
    client_secret_file: Option<PathBuf>,
    listen_certificate: Option<PathBuf>,
    listen_key: Option<PathBuf>,
    listen_client_ca: Option<PathBuf>,
}

/// The same settings for each side, with flags that begin with its letter.
macro_rules! side {
    ($name:ident, $letter:literal, $variable:literal, $port:literal) => {
        #[derive(Args, Deserialize, Default, Clone, Debug)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct $name {
            #[arg(
                id = concat!($letter, "-listen"),
                long = concat!($letter, "-listen"),
                env = concat!("UMOJA_PROXY_", $variable, "_LISTEN"),
                value_name = "IP:PORT",
                help = concat!("Address of the listener, which the hub of the other side calls [default: 0.0.0.0:", $port, "]")
            )]
            pub listen: Option<SocketAddr>,
            #[arg(
                id = concat!($letter, "-hub"),
                long = concat!($letter, "-hub"),
                env = concat!("UMOJA_PROXY_", $variable, "_HUB"),
                value_name = "URL",
                help = "The hub to which this side relays: http[s]://HOST[:PORT]"
            )]
            pub hub: Option<String>,
            #[arg(
                id = concat!($letter, "-ca"),
                long = concat!($letter, "-ca"),
                env = concat!("UMOJA_PROXY_", $variable, "_CA"),
                value_name = "FILE",
                help = "Certificates (PEM) that the certificate of an https hub must go back to"
            )]
            pub ca: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-certificate"),
                long = concat!($letter, "-certificate"),
                env = concat!("UMOJA_PROXY_", $variable, "_CERTIFICATE"),
                value_name = "FILE",
                help = concat!("Certificate chain (PEM) that is shown to the hub; with --", $letter, "-key")
            )]
            pub certificate: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-key"),
                long = concat!($letter, "-key"),
                env = concat!("UMOJA_PROXY_", $variable, "_KEY"),
                value_name = "FILE",
                help = concat!("Private key (PEM) of --", $letter, "-certificate")
            )]
            pub key: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-token-url"),
                long = concat!($letter, "-token-url"),
                env = concat!("UMOJA_PROXY_", $variable, "_TOKEN_URL"),
                value_name = "URL",
                help = "Token endpoint (OAuth 2.0 client credentials) for the token that is shown to the hub"
            )]
            pub token_url: Option<String>,
            #[arg(
                id = concat!($letter, "-token-ca"),
                long = concat!($letter, "-token-ca"),
                env = concat!("UMOJA_PROXY_", $variable, "_TOKEN_CA"),
                value_name = "FILE",
                help = concat!("Certificates (PEM) for an https token endpoint, if other than --", $letter, "-ca")
            )]
            pub token_ca: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-token-refresh-seconds"),
                long = concat!($letter, "-token-refresh-seconds"),
                env = concat!("UMOJA_PROXY_", $variable, "_TOKEN_REFRESH_SECONDS"),
                value_name = "SECONDS",
                help = "A token is fetched again half a minute before this time is over, or before it expires [default: 60]"
            )]
            pub token_refresh_seconds: Option<u64>,
            #[arg(
                id = concat!($letter, "-client-id"),
                long = concat!($letter, "-client-id"),
                env = concat!("UMOJA_PROXY_", $variable, "_CLIENT_ID"),
                value_name = "ID",
                help = "Name of the adapter at the token endpoint"
            )]
            pub client_id: Option<String>,
            #[arg(
                id = concat!($letter, "-client-secret-file"),
                long = concat!($letter, "-client-secret-file"),
                env = concat!("UMOJA_PROXY_", $variable, "_CLIENT_SECRET_FILE"),
                value_name = "FILE",
                help = concat!("File with the adapter's secret at the token endpoint; otherwise it is read from UMOJA_PROXY_", $variable, "_CLIENT_SECRET")
            )]
            pub client_secret_file: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-listen-certificate"),
                long = concat!($letter, "-listen-certificate"),
                env = concat!("UMOJA_PROXY_", $variable, "_LISTEN_CERTIFICATE"),
                value_name = "FILE",
                help = concat!("Certificate chain (PEM) of the listener, which then speaks TLS; with --", $letter, "-listen-key")
            )]
            pub listen_certificate: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-listen-key"),
                long = concat!($letter, "-listen-key"),
                env = concat!("UMOJA_PROXY_", $variable, "_LISTEN_KEY"),
                value_name = "FILE",
                help = concat!("Private key (PEM) of --", $letter, "-listen-certificate")
            )]
            pub listen_key: Option<PathBuf>,
            #[arg(
                id = concat!($letter, "-listen-client-ca"),
                long = concat!($letter, "-listen-client-ca"),
                env = concat!("UMOJA_PROXY_", $variable, "_LISTEN_CLIENT_CA"),
                value_name = "FILE",
                help = "Certificates (PEM) that a caller's certificate must go back to; without it every caller is heard"
            )]
            pub listen_client_ca: Option<PathBuf>,
        }

        impl $name {
            fn over(self, file: Self) -> Self {
                Self {
                    listen: self.listen.or(file.listen),
                    hub: self.hub.or(file.hub),
                    ca: self.ca.or(file.ca),
                    certificate: self.certificate.or(file.certificate),
                    key: self.key.or(file.key),
                    token_url: self.token_url.or(file.token_url),
                    token_ca: self.token_ca.or(file.token_ca),
                    token_refresh_seconds: self.token_refresh_seconds.or(file.token_refresh_seconds),
                    client_id: self.client_id.or(file.client_id),
                    client_secret_file: self.client_secret_file.or(file.client_secret_file),
                    listen_certificate: self.listen_certificate.or(file.listen_certificate),
                    listen_key: self.listen_key.or(file.listen_key),
                    listen_client_ca: self.listen_client_ca.or(file.listen_client_ca),
                }
            }

            fn side(&self) -> Side {
                let settings = self.clone();
                Side {
                    letter: $letter,
                    port: $port,
                    listen: settings.listen,
                    hub: settings.hub,
                    ca: settings.ca,
                    certificate: settings.certificate,
                    key: settings.key,
                    token_url: settings.token_url,
                    token_ca: settings.token_ca,
                    token_refresh_seconds: settings.token_refresh_seconds,
                    client_id: settings.client_id,
                    client_secret_file: settings.client_secret_file,
                    listen_certificate: settings.listen_certificate,
                    listen_key: settings.listen_key,
                    listen_client_ca: settings.listen_client_ca,
                }
            }
        }
    };
}

side!(SideA, "a", "A", 4100);
side!(SideB, "b", "B", 4200);

impl ProxySettings {
    /// These settings, and where they say nothing, those of the file.
    pub fn over(self, file: Self) -> Self {
        Self {
            name: self.name.or(file.name),
            remove_headers: self.remove_headers.or(file.remove_headers),
            attempt_timeout_ms: self.attempt_timeout_ms.or(file.attempt_timeout_ms),
            connections: self.connections.or(file.connections),
            a: self.a.over(file.a),
            b: self.b.over(file.b),
        }
    }

    /// The configuration of an adapter, with defaults for what is not set. The error is a sentence.
    pub fn to_config(&self) -> Result<Config, String> {
        let name = self.name.as_deref().ok_or("The adapter needs a name: give --name, as both hubs know it.")?;
        let id: FspId = name.parse().map_err(|error| format!("The name '{name}' cannot be used: {error}."))?;
        let attempt_timeout = match self.attempt_timeout_ms {
            None => ATTEMPT_TIMEOUT_DEFAULT,
            Some(millis @ 1..=ATTEMPT_TIMEOUT_MS_MAX) => Duration::from_millis(millis),
            Some(other) => {
                return Err(format!("attempt-timeout-ms is {other}; it can be 1 to {ATTEMPT_TIMEOUT_MS_MAX}."));
            }
        };
        let connections = self.connections.unwrap_or(CONNECTIONS_DEFAULT);
        if !(1..=CONNECTIONS_MAX).contains(&connections) {
            return Err(format!("connections is {connections}; it can be 1 to {CONNECTIONS_MAX}."));
        }
        let removed_headers =
            self.remove_headers.iter().flatten().filter(|name| !name.is_empty()).map(|name| removable(name));
        Ok(Config {
            id,
            a: self.a.side().to_config()?,
            b: self.b.side().to_config()?,
            removed_headers: removed_headers.collect::<Result<_, _>>()?,
            attempt_timeout,
            connections,
            token_retry: TOKEN_RETRY_DEFAULT,
        })
    }
}

/// What FSPIOP itself needs cannot be removed.
fn removable(name: &str) -> Result<HeaderName, String> {
    let header: HeaderName =
        name.trim().parse().map_err(|_| format!("'{name}' in remove-headers is no name of a header."))?;
    let is_needed =
        header.as_str().starts_with("fspiop-") || ["accept", "content-type", "date"].contains(&header.as_str());
    if is_needed { Err(format!("'{name}' in remove-headers is a header that FSPIOP needs.")) } else { Ok(header) }
}

impl Side {
    fn to_config(&self) -> Result<SideConfig, String> {
        let letter = self.letter;
        let url =
            self.hub.as_deref().ok_or_else(|| format!("Side {letter} has no hub: give --{letter}-hub its URL."))?;
        let hub = target(&format!("The hub of side {letter}"), url)?;
        if hub.path() != "/" {
            return Err(format!("The hub of side {letter}, '{url}', has a path; requests bring their own."));
        }
        let client = self.pair("certificate", &self.certificate, &self.key)?;
        let oauth = self.oauth()?;
        if hub.is_tls() && self.ca.is_none() {
            return Err(format!("The hub of side {letter} speaks TLS: give --{letter}-ca the certificates to trust."));
        }
        let speaks_tls = hub.is_tls() || oauth.as_ref().is_some_and(|oauth| oauth.endpoint.is_tls());
        if !speaks_tls && (client.is_some() || self.ca.is_some()) {
            return Err(format!(
                "Side {letter} has keys for TLS, but its hub is '{url}': write https, or leave out the keys."
            ));
        }
        Ok(SideConfig {
            listen: self.listen.unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port))),
            hub,
            ca: self.ca.clone(),
            client,
            oauth,
            listener_tls: self.listener_tls()?,
        })
    }

    fn oauth(&self) -> Result<Option<OauthConfig>, String> {
        let letter = self.letter;
        let (url, client_id) = match (&self.token_url, &self.client_id) {
            (Some(url), Some(client_id)) => (url, client_id),
            (Some(_), None) => return Err(format!("--{letter}-token-url needs --{letter}-client-id.")),
            (None, None) if self.client_secret_file.is_none() && self.token_ca.is_none() => return Ok(None),
            (None, _) => {
                return Err(format!("Side {letter} has settings for a token: give --{letter}-token-url as well."));
            }
        };
        if client_id.contains(':') {
            return Err(format!("The client id '{client_id}' has a colon, which Basic authentication cannot carry."));
        }
        let endpoint = target(&format!("The token endpoint of side {letter}"), url)?;
        if endpoint.is_tls() && self.token_ca.is_none() && self.ca.is_none() {
            return Err(format!(
                "The token endpoint of side {letter} speaks TLS: give --{letter}-token-ca the certificates to trust."
            ));
        }
        let secret = self.secret()?;
        secret.read()?;
        Ok(Some(OauthConfig {
            endpoint,
            ca: self.token_ca.clone(),
            client_id: client_id.clone(),
            secret,
            refresh: self.token_refresh_seconds.map_or(TOKEN_REFRESH_DEFAULT, Duration::from_secs),
        }))
    }

    fn secret(&self) -> Result<Secret, String> {
        if let Some(path) = &self.client_secret_file {
            return Ok(Secret::File(path.clone()));
        }
        let variable = format!("UMOJA_PROXY_{}_CLIENT_SECRET", self.letter.to_uppercase());
        std::env::var(&variable).map(Secret::Value).map_err(|_| {
            format!(
                "Side {0} has a client id without a secret: give --{0}-client-secret-file, or set {variable}.",
                self.letter
            )
        })
    }

    fn listener_tls(&self) -> Result<Option<ListenerTls>, String> {
        let pair = self.pair("listen-certificate", &self.listen_certificate, &self.listen_key)?;
        match (pair, &self.listen_client_ca) {
            (Some(pair), client_ca) => {
                Ok(Some(ListenerTls { pair, client_ca: client_ca.clone().into_iter().collect() }))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => Err(format!("--{0}-listen-client-ca needs --{0}-listen-certificate.", self.letter)),
        }
    }

    fn pair(
        &self,
        name: &str,
        certificate: &Option<PathBuf>,
        key: &Option<PathBuf>,
    ) -> Result<Option<KeyPair>, String> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(KeyPair { certificate: certificate.clone(), key: key.clone() })),
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => {
                let (letter, key) = (self.letter, name.replace("certificate", "key"));
                Err(format!("--{letter}-{name} and --{letter}-{key} go together; one of them is missing."))
            }
        }
    }
}

fn target(what: &str, url: &str) -> Result<Target, String> {
    Target::parse(url).map_err(|error| format!("{what}, '{url}', cannot be used: {error}."))
}
