//! Settings of access tokens.

use super::Settings;
use http::Uri;
use hub::{AccessTokens, Provider, TokenPolicy};
use std::time::Duration;

/// Claims that name the client, in the order in which providers have them.
const CLAIMS_DEFAULT: [&str; 3] = ["client_id", "azp", "sub"];
/// A shorter life would be one of asking for tokens.
const LIFETIME_S_MIN: u32 = 10;
/// A day: what was revoked by a provider may be shown for so long.
const LIFETIME_S_MAX: u32 = 86_400;

impl Settings {
    pub(super) fn tokens(&self) -> Result<AccessTokens, String> {
        let standard = AccessTokens::default();
        let policy = match self.access_tokens.as_deref() {
            None | Some("off") => TokenPolicy::Off,
            Some("require") => TokenPolicy::Required,
            Some(other) => return Err(format!("access-tokens is '{other}'; it can be off or require.")),
        };
        if let Some(issuer) = &self.token_issuer {
            check_url("token-issuer", issuer)?;
        }
        let lifetime = match self.token_lifetime_s {
            None => standard.lifetime,
            Some(seconds) if (LIFETIME_S_MIN..=LIFETIME_S_MAX).contains(&seconds) => {
                Duration::from_secs(seconds.into())
            }
            Some(seconds) => {
                return Err(format!("token-lifetime-s is {seconds}; it can be {LIFETIME_S_MIN} to {LIFETIME_S_MAX}."));
            }
        };
        let provider = self.provider()?;
        if provider.is_some() && policy == TokenPolicy::Off {
            return Err("oidc-issuer is set without access-tokens; set that to require.".to_owned());
        }
        if provider.as_ref().is_some_and(|provider| Some(&provider.issuer) == self.token_issuer.as_ref()) {
            return Err("oidc-issuer and token-issuer are the same; the hub and the provider need names of their own."
                .to_owned());
        }
        let (issuer, key) = (self.token_issuer.clone(), self.token_key.clone());
        Ok(AccessTokens { policy, issuer, key, lifetime, provider, ..standard })
    }

    fn provider(&self) -> Result<Option<Provider>, String> {
        let Some(issuer) = &self.oidc_issuer else {
            return match (&self.oidc_audience, &self.oidc_claims) {
                (Some(_), _) => Err("oidc-audience is set without oidc-issuer; name the identity provider.".to_owned()),
                (None, Some(_)) => {
                    Err("oidc-claims is set without oidc-issuer; name the identity provider.".to_owned())
                }
                (None, None) => Ok(None),
            };
        };
        check_url("oidc-issuer", issuer)?;
        let audience = self.oidc_audience.clone().filter(|audience| !audience.is_empty());
        let audience = audience.ok_or("oidc-issuer is set without oidc-audience; name whom its tokens are for.")?;
        let claims = match &self.oidc_claims {
            Some(names) => names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
            None => CLAIMS_DEFAULT.map(str::to_owned).to_vec(),
        };
        if claims.is_empty() {
            return Err("oidc-claims names no claim.".to_owned());
        }
        Ok(Some(Provider { issuer: issuer.clone(), audience, claims }))
    }
}

fn check_url(name: &str, url: &str) -> Result<(), String> {
    let is_url = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if is_url { Ok(()) } else { Err(format!("{name} is '{url}'; it must be a URL with http or https.")) }
}

/// The line of one key of the configuration file.
pub(super) fn value_of(flag: &str, tokens: &AccessTokens) -> String {
    let provider = tokens.provider.as_ref();
    let value: Option<toml::Value> = match flag {
        "access-tokens" => Some(match tokens.policy {
            TokenPolicy::Off => "off".into(),
            TokenPolicy::Required => "require".into(),
        }),
        "token-issuer" => tokens.issuer.clone().map(Into::into),
        "token-key" => tokens.key.as_ref().map(|file| file.display().to_string().into()),
        "token-lifetime-s" => Some(super::number(tokens.lifetime.as_secs().into())),
        "oidc-issuer" => provider.map(|provider| provider.issuer.clone().into()),
        "oidc-audience" => provider.map(|provider| provider.audience.clone().into()),
        _ => provider.map(|provider| provider.claims.clone().into()),
    };
    value.map_or_else(|| format!("# {flag} = …"), |value| format!("{flag} = {value}"))
}
