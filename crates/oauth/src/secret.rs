//! Secrets of clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, path::PathBuf};

/// A secret, or the file that holds it and is read for each use.
#[derive(Clone)]
pub enum Secret {
    Value(String),
    File(PathBuf),
}

/// Random bytes as a text that header, form and file can carry as it is: a secret, or the name of a token.
pub fn random_text(random: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

impl Secret {
    /// The secret without white space around it. The error is a sentence.
    pub fn read(&self) -> Result<String, String> {
        let text = match self {
            Self::Value(value) => value.clone(),
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| {
                format!("The file of the client secret, {}, cannot be read: {error}.", path.display())
            })?,
        };
        match text.trim() {
            "" => Err("The client secret is empty.".to_owned()),
            secret => Ok(secret.to_owned()),
        }
    }
}

impl fmt::Debug for Secret {
    /// Never shows the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => formatter.write_str("Secret"),
            Self::File(path) => write!(formatter, "Secret({})", path.display()),
        }
    }
}
