//! Where a hub or a token endpoint is.

use http::{HeaderValue, Uri, uri::Scheme};
use rustls::pki_types::ServerName;
use std::fmt;

/// An `http` or `https` URL, taken apart.
#[derive(Clone, Debug)]
pub struct Target {
    host: String,
    port: u16,
    /// The name that the certificate must have, if TLS is spoken.
    tls_name: Option<ServerName<'static>>,
    /// `host[:port]`, as the `Host` header says it.
    authority: HeaderValue,
    /// Path and query.
    path: String,
}

impl Target {
    /// Reads `http[s]://host[:port][/path]`. The error continues the sentence "… cannot be used: ".
    pub fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
        let is_tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) | None => return Err("it begins neither with http:// nor with https://".to_owned()),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("user and password do not belong there".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("it names no host".to_owned());
        }
        let tls_name = is_tls.then(|| ServerName::try_from(host.clone())).transpose();
        Ok(Self {
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            tls_name: tls_name.map_err(|_| format!("'{host}' is neither a host name nor an IP address"))?,
            authority: HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())?,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            host,
        })
    }

    pub fn is_tls(&self) -> bool {
        self.tls_name.is_some()
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn tls_name(&self) -> Option<&ServerName<'static>> {
        self.tls_name.as_ref()
    }

    pub fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls() { "https" } else { "http" };
        let authority = self.authority.to_str().unwrap_or_default();
        write!(formatter, "{scheme}://{authority}{}", self.path.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_shown_again() {
        for (url, host, port, is_tls, path) in [
            ("http://hub-a", "hub-a", 80, false, "/"),
            ("https://hub-a.example:8443/", "hub-a.example", 8443, true, "/"),
            ("https://10.0.0.1/token?x=1", "10.0.0.1", 443, true, "/token?x=1"),
            ("http://[::1]:4000", "::1", 4000, false, "/"),
        ] {
            let target = Target::parse(url).unwrap();
            let parts = (target.host(), target.port(), target.is_tls(), target.path());
            assert_eq!(parts, (host, port, is_tls, path), "{url}");
            assert_eq!(target.to_string(), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in
            ["hub-a:4000", "ftp://hub", "/hub", "", "https://", "http://ann:secret@hub", "https://a_b c", "http://:80"]
        {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
