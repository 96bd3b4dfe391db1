//! Private keys of whoever runs this command: made where they are used, and never sent anywhere.
//!
//! Invariant: a key that is there is kept, so that repeating this changes nothing.

use clap::Args;
use fspiop::jws::SigningKey;
use std::path::{Path, PathBuf};
use tls::{
    files::{self, Readers},
    request,
};

pub const TLS_KEY: &str = "tls-key.pem";
pub const TLS_REQUEST: &str = "tls-request.pem";
pub const JWS_KEY: &str = "jws-key.pem";
pub const JWS_PUBLIC_KEY: &str = "jws-public-key.pem";

/// Arguments of `umoja adapter keys`.
#[derive(Args)]
pub struct KeysArguments {
    /// Where the keys are put; made if missing.
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// The DFSP's name in the scheme.
    #[arg(long, value_name = "FSP-ID")]
    name: String,
}

/// Makes the keys of a DFSP; the sentence says what goes to the hub's operator.
pub fn make(arguments: &KeysArguments) -> Result<String, String> {
    let KeysArguments { directory, name } = arguments;
    make_tls(directory, name)?;
    make_jws(directory)?;
    Ok(format!(
        "The keys of {name} are in {0}. Send {TLS_REQUEST} and {JWS_PUBLIC_KEY} to the hub's operator; {TLS_KEY} and {JWS_KEY} \
         stay here.",
        directory.display()
    ))
}

/// A key for TLS, and a request for its certificate.
pub fn make_tls(directory: &Path, name: &str) -> Result<(), String> {
    files::create_directory(directory)?;
    let key = directory.join(TLS_KEY);
    files::create(&key, &request::make(name)?.key, Readers::Owner)?;
    let asked = request::of_private_key(&files::read_private(&key)?, name)?;
    files::replace(&directory.join(TLS_REQUEST), &asked, Readers::Everybody)
}

/// A key that signs messages, and the public one that verifies them.
fn make_jws(directory: &Path) -> Result<(), String> {
    let key = directory.join(JWS_KEY);
    if !key.exists() {
        let (_, pem) = SigningKey::generate_rsa().map_err(|error| format!("No key can be made: {error}."))?;
        files::create(&key, &pem, Readers::Owner)?;
    }
    let unusable = |error| format!("The private key {} cannot be used: {error}.", key.display());
    let signing = SigningKey::from_pem(&files::read_private(&key)?).map_err(unusable)?;
    let public = signing.public_pem().map_err(unusable)?;
    files::replace(&directory.join(JWS_PUBLIC_KEY), &public, Readers::Everybody)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_there_are_kept_and_what_was_cut_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("keys");
        let arguments = KeysArguments { directory: place.clone(), name: "greenbank".to_owned() };
        let said = make(&arguments).unwrap();
        assert!(said.contains(TLS_REQUEST) && said.contains(JWS_PUBLIC_KEY), "{said}");
        let read = || [TLS_KEY, JWS_KEY, JWS_PUBLIC_KEY].map(|name| std::fs::read_to_string(place.join(name)).unwrap());
        let first = read();
        for lost in [TLS_REQUEST, JWS_PUBLIC_KEY] {
            std::fs::remove_file(place.join(lost)).unwrap();
        }
        make(&arguments).unwrap();
        assert_eq!(read(), first);
        let request = std::fs::read_to_string(place.join(TLS_REQUEST)).unwrap();
        request::public_key(&request).unwrap();
        std::fs::write(place.join(JWS_KEY), "no key").unwrap();
        assert!(make(&arguments).unwrap_err().contains("cannot be used"));
    }
}
