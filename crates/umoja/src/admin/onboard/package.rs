//! What goes to the DFSP: the configuration of its adapter, its certificate, whom to trust, and the others' public keys.

use super::OnboardArguments;
use crate::admin::hub::Hub;
use crate::own_keys::{JWS_KEY, TLS_KEY};
use serde_json::Value;
use std::path::Path;
use tls::{
    authority::Issued,
    files::{self, Readers},
};

const CONFIGURATION: &str = "adapter.env";
const CERTIFICATE: &str = "tls-certificate.pem";
const AUTHORITY: &str = "scheme-ca.pem";
const KEYS: &str = "verification-keys";

/// What is written, apart from the keys that the hub knows.
pub struct Parts<'a> {
    pub configuration: &'a str,
    pub issued: Option<&'a Issued>,
    pub authority: Option<&'a str>,
}

/// The variables of the adapter; comments say what the DFSP fills in.
pub fn configuration(arguments: &OnboardArguments, has_certificate: bool) -> String {
    let (name, files) = (&arguments.name, arguments.files.trim_end_matches('/'));
    let url = arguments.callback_url().ok();
    let currencies: Vec<&str> = arguments.currency.iter().map(|currency| currency.as_str()).collect();
    let port = url.as_ref().and_then(http::Uri::port_u16);
    let mut text = format!("# The adapter of {name}. Start it with: umoja adapter --env-file {CONFIGURATION}\n");
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line(&variable("DFSP_ID", name.as_str()));
    line(&variable("SUPPORTED_CURRENCIES", &currencies.join(",")));
    line("\n# Fill in: where your core listens, and a text that nobody knows, from which fulfilments are made.");
    line("#BACKEND_ENDPOINT=core.internal:3000\n#ILP_SECRET=");
    line("\n# Where the hub is, and where you listen for it.");
    match &arguments.peer {
        Some(peer) => line(&variable("PEER_ENDPOINT", peer)),
        None => line("# Fill in:\n#PEER_ENDPOINT=hub.example:4000"),
    }
    if let Some(port) = port {
        line(&variable("INBOUND_SERVER_LISTEN_PORT", &port.to_string()));
    }
    line("\n# Records of payments; without it a restart forgets them.");
    line(&variable("UMOJA_ADAPTER_DATA", &format!("{files}/adapter.sqlite")));
    if has_certificate {
        line("\n# TLS with certificates on both ends.");
        let is_https = url.is_some_and(|url| url.scheme_str() == Some("https"));
        line(&tls_of(("OUTBOUND", "OUT_CA_CERT_PATH", "OUT_CLIENT"), files));
        if is_https {
            line(&tls_of(("INBOUND", "IN_CA_CERT_PATH", "IN_SERVER"), files));
        }
    }
    if arguments.verification_key.is_some() {
        line(
            "\n# Signatures: yours, and those of the hub and of the others. The hub's operator has their public keys.",
        );
        line(&variable("JWS_SIGN", "true"));
        line(&variable("JWS_SIGNING_KEY_PATH", &format!("{files}/{JWS_KEY}")));
        line(&variable("VALIDATE_INBOUND_JWS", "true"));
        line(&variable("JWS_VERIFICATION_KEYS_DIRECTORY", &format!("{files}/{KEYS}")));
    }
    text
}

fn tls_of((direction, authority, pair): (&str, &str, &str), files: &str) -> String {
    [
        variable(&format!("{direction}_MUTUAL_TLS_ENABLED"), "true"),
        variable(authority, &format!("{files}/{AUTHORITY}")),
        variable(&format!("{pair}_CERT_PATH"), &format!("{files}/{CERTIFICATE}")),
        variable(&format!("{pair}_KEY_PATH"), &format!("{files}/{TLS_KEY}")),
    ]
    .join("\n")
}

/// In quotation marks where a shell would read something else.
fn variable(name: &str, value: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./:,@[]".contains(character);
    if value.chars().all(is_plain) {
        return format!("{name}={value}");
    }
    let quote = if value.contains(['"', '$', '`', '\\']) { '\'' } else { '"' };
    format!("{name}={quote}{value}{quote}")
}

/// Writes the files; returns where they are.
pub async fn write(hub: &Hub, directory: &Path, parts: &Parts<'_>) -> Result<Vec<String>, String> {
    files::create_directory(directory)?;
    let mut written = Vec::new();
    let certificate = parts.issued.map(|issued| issued.pem.as_str());
    for (name, content) in
        [(CONFIGURATION, Some(parts.configuration)), (CERTIFICATE, certificate), (AUTHORITY, parts.authority)]
    {
        if let Some(content) = content {
            written.push(put(directory, name, content)?);
        }
    }
    let keys = directory.join(KEYS);
    files::create_directory(&keys)?;
    for (name, key) in public_keys(hub).await? {
        written.push(put(&keys, &format!("{name}.pem"), &key)?);
    }
    Ok(written)
}

fn put(directory: &Path, name: &str, content: &str) -> Result<String, String> {
    let file = directory.join(name);
    files::replace(&file, content, Readers::Everybody)?;
    Ok(file.display().to_string())
}

/// The keys that verify the hub, and the participants whose keys it has.
async fn public_keys(hub: &Hub) -> Result<Vec<(String, String)>, String> {
    let participants = hub.get("/participants").await?;
    let mut keys = Vec::new();
    for participant in participants.as_array().into_iter().flatten() {
        let Some(name) = participant["name"].as_str().filter(|name| !name.contains(['/', '\0'])) else { continue };
        let has_account = |account: &Value| account["ledgerAccountType"] == "HUB_RECONCILIATION";
        let is_hub = participant["accounts"].as_array().into_iter().flatten().any(has_account);
        let path = if is_hub {
            "/umoja/v1/signing-key".to_owned()
        } else {
            format!("/umoja/v1/participants/{}/verification-key", fspiop::percent_encode(name))
        };
        // A hub that verifies nothing has no keys and says so with another error.
        if let Ok(Some(key)) = hub.find_text(&path).await {
            keys.push((name.to_owned(), key));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn values_are_quoted_where_a_shell_would_read_something_else() {
        assert_eq!(variable("A", "./x-y_1.pem,[::1]:4000"), "A=./x-y_1.pem,[::1]:4000");
        assert_eq!(variable("A", "two words"), "A=\"two words\"");
        assert_eq!(variable("A", "\"$x\""), "A='\"$x\"'");
    }
}
