//! Where the database is, and how to say so without its password.

use crate::StoreError;
use tokio_postgres::{
    Config, Error,
    config::{Host, SslMode},
};

/// A parsed `postgres://…` address.
pub(super) struct Address {
    pub config: Config,
    /// User, host, port and database, for messages.
    described: String,
}

impl Address {
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let mut config: Config = text.parse().map_err(|error: Error| {
            StoreError::Refused(format!(
                "The PostgreSQL address is not understood: {error}. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE."
            ))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(StoreError::Refused(
                "The PostgreSQL address asks for TLS (sslmode=require), which the hub does not speak to its database. \
                 Use a socket, a private network or a local TLS proxy, and leave sslmode out."
                    .to_owned(),
            ));
        }
        if config.get_application_name().is_none() {
            config.application_name("umoja");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(std::time::Duration::from_secs(10));
        }
        let described = describe(&config);
        Ok(Self { config, described })
    }

    /// An error of connecting: whether to try again depends on who said no.
    pub fn unreachable(&self, error: &Error) -> StoreError {
        let place = &self.described;
        let Some(database) = error.as_db_error() else {
            return StoreError::Unavailable(format!("PostgreSQL at {place} cannot be reached: {error}"));
        };
        let what = format!("{} ({})", database.message(), database.code().code());
        match &database.code().code()[..2] {
            "28" | "3D" | "42" => StoreError::Refused(format!(
                "PostgreSQL at {place} refuses the hub: {what}. Check the user, its password and the database's name."
            )),
            _ => StoreError::Unavailable(format!("PostgreSQL at {place} does not serve: {what}")),
        }
    }

    /// A refusal that is about the database itself.
    pub fn refused(&self, why: &str) -> StoreError {
        StoreError::Refused(format!("The database at {} cannot be used: {why}", self.described))
    }
}

fn describe(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        match host {
            // What stands before an @ belongs to a password that was not percent-encoded.
            Host::Tcp(name) => format!("{}:{port}", name.rsplit('@').next().unwrap_or(name)),
            Host::Unix(path) => path.display().to_string(),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let user = config.get_user().map(|user| format!(" as {user}")).unwrap_or_default();
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("{hosts}/{database}{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_described_without_its_password() {
        for (text, described) in [
            ("postgres://hub:s3cret@db.example:6432/umoja", "db.example:6432/umoja as hub"),
            ("postgres://hub:s3@cret@db.example/umoja", "db.example:5432/umoja as hub"),
            ("postgres://hub@%2Frun%2Fpostgresql/umoja", "/run/postgresql/umoja as hub"),
        ] {
            assert_eq!(Address::parse(text).unwrap().described, described);
        }
    }

    #[test]
    fn an_address_that_asks_for_tls_is_refused_instead_of_served_without() {
        let refused = Address::parse("postgres://hub@db.example/umoja?sslmode=require");
        assert!(matches!(refused, Err(StoreError::Refused(sentence)) if sentence.contains("TLS")));
    }

    #[test]
    fn an_address_that_cannot_be_parsed_is_not_repeated() {
        let Err(error) = Address::parse("postgres://hub:s3cret@db.example:port/umoja") else { panic!("it parsed") };
        let text = error.to_string();
        assert!(text.contains("PostgreSQL address") && !text.contains("s3cret"), "{text}");
    }
}
