//! TLS of an adapter's links to and from the hub: flags, or the variables of the reference implementation's scheme adapter
//! (contract dfsp-client.md §8).

use adapter::Endpoints;
use clap::Args;
use sdk::{ClientTls, KeyPair, Links, ListenerTls};
use std::path::PathBuf;

/// What is shown to the hub, and what the hub must show.
#[derive(Args, Default, Clone, Debug)]
pub struct TlsSettings {
    /// Whether the listener for the hub speaks TLS and demands a certificate [default: false].
    #[arg(long, env = "INBOUND_MUTUAL_TLS_ENABLED", value_name = "BOOL")]
    pub inbound_mutual_tls: Option<bool>,
    /// Authorities (PEM) of callers' certificates.
    #[arg(long, env = "IN_CA_CERT_PATH", value_name = "FILE,…", value_delimiter = ',')]
    pub in_ca: Option<Vec<PathBuf>>,
    /// Certificate chain (PEM) of the listener.
    #[arg(long, env = "IN_SERVER_CERT_PATH", value_name = "FILE")]
    pub in_certificate: Option<PathBuf>,
    /// Private key (PEM) of --in-certificate.
    #[arg(long, env = "IN_SERVER_KEY_PATH", value_name = "FILE")]
    pub in_key: Option<PathBuf>,
    /// Whether the hub is called over TLS with a certificate [default: false].
    #[arg(long, env = "OUTBOUND_MUTUAL_TLS_ENABLED", value_name = "BOOL")]
    pub outbound_mutual_tls: Option<bool>,
    /// Authorities (PEM) of the hub's certificate; without it, those of the system.
    #[arg(long, env = "OUT_CA_CERT_PATH", value_name = "FILE,…", value_delimiter = ',')]
    pub out_ca: Option<Vec<PathBuf>>,
    /// Certificate chain (PEM) that is shown to the hub.
    #[arg(long, env = "OUT_CLIENT_CERT_PATH", value_name = "FILE")]
    pub out_certificate: Option<PathBuf>,
    /// Private key (PEM) of --out-certificate.
    #[arg(long, env = "OUT_CLIENT_KEY_PATH", value_name = "FILE")]
    pub out_key: Option<PathBuf>,
}

impl TlsSettings {
    /// An endpoint of the hub with a scheme; without one it is https where TLS is on, and else http.
    pub fn url(&self, name: &str, endpoint: &str) -> Result<String, String> {
        let is_secure = self.outbound_mutual_tls == Some(true);
        if is_secure && endpoint.starts_with("http://") {
            return Err(format!(
                "{name} is {endpoint}, which is not TLS, but OUTBOUND_MUTUAL_TLS_ENABLED is true; leave out http://."
            ));
        }
        let scheme = if is_secure { "https" } else { "http" };
        with_scheme(name, endpoint, scheme, &["http", "https"])
    }

    /// The token endpoint is shown the certificate that the hub is shown, so there must be one if it is asked for.
    pub fn check_token_endpoint(&self, variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let is_wanted = variable("OAUTH_MUTUAL_TLS_ENABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_wanted && self.outbound_mutual_tls != Some(true) {
            return Err("OAUTH_MUTUAL_TLS_ENABLED is true, but there is no certificate to show: set \
                        OUTBOUND_MUTUAL_TLS_ENABLED and what belongs to it."
                .to_owned());
        }
        Ok(())
    }

    /// Reads the files. `hub` and the token endpoint have their schemes.
    pub fn to_links(&self, hub: &Endpoints, token_endpoint: Option<&str>) -> Result<Links, String> {
        let inbound = match self.inbound_mutual_tls {
            Some(true) => {
                let pair = pair(("IN_SERVER_CERT_PATH", &self.in_certificate), ("IN_SERVER_KEY_PATH", &self.in_key))?;
                let client_ca = files(&self.in_ca);
                if client_ca.is_empty() {
                    return Err(
                        "INBOUND_MUTUAL_TLS_ENABLED is true, but nothing says whom to hear: set IN_CA_CERT_PATH."
                            .to_owned(),
                    );
                }
                Some(ListenerTls { pair, client_ca })
            }
            Some(false) | None => None,
        };
        let endpoints = std::iter::once(&hub.peer).chain(hub.others.values()).chain(&hub.ping).map(String::as_str);
        let has_https = endpoints.chain(token_endpoint).any(|url| url.starts_with("https://"));
        let shown = match self.outbound_mutual_tls {
            Some(true) => {
                let certificate = ("OUT_CLIENT_CERT_PATH", &self.out_certificate);
                Some(pair(certificate, ("OUT_CLIENT_KEY_PATH", &self.out_key))?)
            }
            Some(false) | None => None,
        };
        let outbound = has_https.then(|| ClientTls { ca: files(&self.out_ca), pair: shown });
        Links::open(outbound, inbound)
    }
}

/// An endpoint that cannot be reached over TLS.
pub fn plain_url(name: &str, endpoint: &str) -> Result<String, String> {
    if endpoint.starts_with("https://") {
        return Err(format!(
            "{name} is {endpoint}, but the core is asked without TLS; send through a gateway that does."
        ));
    }
    with_scheme(name, endpoint, "http", &["http"])
}

fn with_scheme(name: &str, endpoint: &str, scheme: &str, allowed: &[&str]) -> Result<String, String> {
    let url = if endpoint.contains("://") { endpoint.to_owned() } else { format!("{scheme}://{endpoint}") };
    let is_allowed = |url: &http::Uri| url.scheme_str().is_some_and(|scheme| allowed.contains(&scheme));
    let is_usable = url.parse::<http::Uri>().is_ok_and(|url| is_allowed(&url) && url.host().is_some());
    if is_usable { Ok(url) } else { Err(format!("{name} is '{endpoint}'; it must be HOST[:PORT][/BASE].")) }
}

fn files(list: &Option<Vec<PathBuf>>) -> Vec<PathBuf> {
    list.iter().flatten().filter(|file| !file.as_os_str().is_empty()).cloned().collect()
}

fn pair(
    (certificate_name, certificate): (&str, &Option<PathBuf>),
    (key_name, key): (&str, &Option<PathBuf>),
) -> Result<KeyPair, String> {
    let missing = |name| format!("TLS is switched on, but {name} is not set; it names a file.");
    Ok(KeyPair {
        certificate: certificate.clone().ok_or_else(|| missing(certificate_name))?,
        key: key.clone().ok_or_else(|| missing(key_name))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn hub(peer: &str) -> Endpoints {
        Endpoints { peer: peer.to_owned(), others: HashMap::new(), ping: None }
    }

    #[test]
    fn endpoints_are_https_where_tls_is_on() {
        let off = TlsSettings::default();
        let on = TlsSettings { outbound_mutual_tls: Some(true), ..TlsSettings::default() };
        assert_eq!(off.url("X", "hub:4000").unwrap(), "http://hub:4000");
        assert_eq!(off.url("X", "https://hub/base").unwrap(), "https://hub/base");
        assert_eq!(on.url("X", "hub:4000/base").unwrap(), "https://hub:4000/base");
        assert!(on.url("X", "http://hub").unwrap_err().contains("not TLS"));
        for endpoint in ["ftp://hub", "", "hub name"] {
            assert!(off.url("X", endpoint).unwrap_err().contains("HOST[:PORT]"), "{endpoint}");
        }
        assert!(plain_url("X", "https://core").unwrap_err().contains("without TLS"));
    }

    #[test]
    fn what_is_switched_on_needs_its_files_and_what_is_off_reads_none() {
        let refusal = |settings: TlsSettings| settings.to_links(&hub("https://hub"), None).err().unwrap_or_default();
        let inbound = TlsSettings { inbound_mutual_tls: Some(true), ..TlsSettings::default() };
        let outbound = TlsSettings { outbound_mutual_tls: Some(true), ..TlsSettings::default() };
        let none = || Some(PathBuf::from("none.pem"));
        assert!(refusal(inbound.clone()).contains("IN_SERVER_CERT_PATH"));
        assert!(refusal(TlsSettings { in_certificate: none(), ..inbound.clone() }).contains("IN_SERVER_KEY_PATH"));
        let whole = TlsSettings { in_certificate: none(), in_key: none(), ..inbound };
        assert!(refusal(whole.clone()).contains("IN_CA_CERT_PATH"));
        assert!(refusal(TlsSettings { in_ca: Some(vec!["".into()]), ..whole.clone() }).contains("IN_CA_CERT_PATH"));
        let in_ca = Some(vec!["one.pem".into(), "two.pem".into()]);
        assert!(refusal(TlsSettings { in_ca: in_ca.clone(), ..whole }).contains("cannot be read"));
        assert!(refusal(outbound.clone()).contains("OUT_CLIENT_CERT_PATH"));
        let whole = TlsSettings { out_certificate: none(), out_key: none(), ..outbound };
        assert!(refusal(whole.clone()).contains("cannot be read"));
        let off = TlsSettings { outbound_mutual_tls: Some(false), in_ca, ..whole };
        let links = off.to_links(&hub("http://hub"), None).unwrap();
        assert!(links.inbound.is_none() && links.outbound.is_none());
    }
}
