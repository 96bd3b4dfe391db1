//! With which access token an adapter shows the hub who it is (dfsp-client.md §9).

use super::within;
use clap::Args;
use sdk::{Credentials, HttpClient, Rhythm, Secret, Tokens};
use std::{path::PathBuf, time::Duration};

/// For one request to the token endpoint.
const TIMEOUT: Duration = Duration::from_secs(10);
const REFRESH_SECONDS_DEFAULT: u64 = 60;
const RETRY_SECONDS_DEFAULT: u64 = 10;
const RETRIES_MAX: u32 = 10;
/// The secret of the client, and tokens that are given. They are no flags, since everybody on a machine sees those.
const CLIENT_SECRET: &str = "OAUTH_CLIENT_SECRET";
const GIVEN_TOKENS: [&str; 2] = ["OIDC_BEARER_TOKEN", "WSO2_BEARER_TOKEN"];
/// Names of one setting from several generations of the reference implementation.
const RETRIES: [&str; 2] = ["OIDC_AUTH_FAILURE_REQUEST_RETRIES", "WSO2_AUTH_FAILURE_REQUEST_RETRIES"];

/// How the adapter gets its token. The secret is in OAUTH_CLIENT_SECRET; a token that is given, in OIDC_BEARER_TOKEN.
#[derive(Args, Default, Clone, Debug)]
pub struct TokenSettings {
    /// Token endpoint (client credentials): a URL.
    #[arg(long, env = "OAUTH_TOKEN_ENDPOINT", value_name = "URL")]
    pub oauth_token_endpoint: Option<String>,
    /// Name of the adapter at the token endpoint; at umoja's, the DFSP's name.
    #[arg(long, env = "OAUTH_CLIENT_KEY", value_name = "NAME")]
    pub oauth_client_key: Option<String>,
    /// File with the adapter's secret, read for each use; otherwise it is in OAUTH_CLIENT_SECRET.
    #[arg(long, env = "UMOJA_ADAPTER_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oauth_client_secret_file: Option<PathBuf>,
    /// A token is fetched again after this time, or before it ends [default: 60].
    #[arg(long, env = "OAUTH_REFRESH_SECONDS", value_name = "SECONDS")]
    pub oauth_refresh_seconds: Option<u64>,
    /// After a token could not be had [default: 10].
    #[arg(long, env = "OAUTH_REFRESH_RETRY_SECONDS", value_name = "SECONDS")]
    pub oauth_refresh_retry_seconds: Option<u64>,
    /// How often a request that was answered 401 is sent again with another token [default: 0].
    #[arg(long, env = "OAUTH_AUTH_FAILURE_REQUEST_RETRIES", value_name = "COUNT")]
    pub oauth_auth_failure_request_retries: Option<u32>,
}

impl TokenSettings {
    /// `http` reaches the endpoint, `url` checks its address, `variable` reads the environment. The error is a sentence, in
    /// which no secret is.
    pub(super) fn to_tokens(
        &self,
        http: HttpClient,
        url: impl Fn(&str, &str) -> Result<String, String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Tokens, String> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let retries = self.retries(&set)?;
        let seconds =
            |name, given: Option<u64>, standard| within(name, given.unwrap_or(standard), 1, Duration::from_secs);
        let rhythm = Rhythm {
            refresh: seconds("OAUTH_REFRESH_SECONDS", self.oauth_refresh_seconds, REFRESH_SECONDS_DEFAULT)?,
            retry: seconds("OAUTH_REFRESH_RETRY_SECONDS", self.oauth_refresh_retry_seconds, RETRY_SECONDS_DEFAULT)?,
            timeout: TIMEOUT,
        };
        let Some(endpoint) = self.oauth_token_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else {
            return match GIVEN_TOKENS.into_iter().find_map(|name| set(name).map(|token| (name, token))) {
                Some((name, token)) => Tokens::of_text(&token).map_err(|error| format!("{error} Look at {name}.")),
                None => Ok(Tokens::None),
            };
        };
        let endpoint = url("OAUTH_TOKEN_ENDPOINT", endpoint)?;
        let secret = match &self.oauth_client_secret_file {
            Some(file) => Some(Secret::File(file.clone())),
            None => set(CLIENT_SECRET).map(Secret::Value),
        };
        let client_id = self.oauth_client_key.clone().filter(|key| !key.is_empty());
        let (Some(client_id), Some(secret)) = (client_id, secret) else {
            return Err(format!(
                "OAUTH_TOKEN_ENDPOINT is set without OAUTH_CLIENT_KEY or {CLIENT_SECRET}; set all three."
            ));
        };
        Ok(Tokens::of_endpoint((http, &endpoint), Credentials { client_id, secret }, rhythm, retries))
    }

    fn retries(&self, set: &impl Fn(&str) -> Option<String>) -> Result<u32, String> {
        if let Some(retries) = self.oauth_auth_failure_request_retries {
            return Ok(retries.min(RETRIES_MAX));
        }
        let Some((name, text)) = RETRIES.into_iter().find_map(|name| set(name).map(|text| (name, text))) else {
            return Ok(0);
        };
        let retries: u32 = text.trim().parse().map_err(|_| format!("{name} is '{text}'; it must be a number."))?;
        Ok(retries.min(RETRIES_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(settings: &TokenSettings, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable =
            |asked: &str| variables.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
        settings.to_tokens(HttpClient::new(), super::super::url, variable).map(|tokens| format!("{tokens:?}"))
    }

    #[test]
    fn an_endpoint_comes_before_a_given_token_and_that_before_none() {
        let none = TokenSettings::default();
        let whole = TokenSettings {
            oauth_token_endpoint: Some("http://hub:4000/oauth2/token".into()),
            oauth_client_key: Some("greenbank".into()),
            ..TokenSettings::default()
        };
        let secret = ("OAUTH_CLIENT_SECRET", "hush");
        let given = ("OIDC_BEARER_TOKEN", "abc");
        let fetched = "TokenSource(greenbank at http://hub:4000/oauth2/token)";
        let in_file = TokenSettings { oauth_client_secret_file: Some("secret".into()), ..whole.clone() };
        for (settings, variables, expected) in [
            (&none, vec![], "None"),
            (&none, vec![secret], "None"),
            (&none, vec![given], "Static"),
            (&none, vec![("WSO2_BEARER_TOKEN", "abc")], "Static"),
            (&whole, vec![secret], fetched),
            (&whole, vec![secret, given], fetched),
            (&in_file, vec![], fetched),
        ] {
            assert_eq!(tokens(settings, &variables).as_deref(), Ok(expected), "{variables:?}");
        }
    }

    #[test]
    fn half_of_a_client_is_refused_without_telling_its_secret() {
        let endpoint = TokenSettings { oauth_token_endpoint: Some("http://hub".into()), ..TokenSettings::default() };
        let refusal = tokens(&endpoint, &[("OAUTH_CLIENT_SECRET", "hush")]).unwrap_err();
        assert!(refusal.contains("set all three") && !refusal.contains("hush"), "{refusal}");
        let refusal = tokens(&TokenSettings::default(), &[("OIDC_BEARER_TOKEN", "hu\u{7}sh")]).unwrap_err();
        assert!(refusal.contains("OIDC_BEARER_TOKEN") && !refusal.contains("sh\""), "{refusal}");
        let never = TokenSettings { oauth_refresh_seconds: Some(0), ..endpoint };
        assert!(tokens(&never, &[]).unwrap_err().contains("OAUTH_REFRESH_SECONDS"));
        let often = [("OIDC_AUTH_FAILURE_REQUEST_RETRIES", "often")];
        assert!(tokens(&TokenSettings::default(), &often).unwrap_err().contains("must be a number"));
    }
}
