//! Access tokens (RFC 6749, RFC 6750, RFC 9068): the hub's own token endpoint, and who sends a message by its token.
//!
//! Invariant: a token proves a name for as long as it lives and the name is an active participant whose client was not
//! revoked since. The first is remembered by the token's hash; the second is looked up in the directory for every message,
//! so that on this node it ends with the change, and on the others when they hear of it, a second later.

mod cache;
pub mod endpoint;
mod issuer;
mod provider;

use crate::{
    Hub,
    callbacks::now,
    config::{AccessTokens, TokenPolicy},
    http::Caller,
    metrics::{Metrics, ReasonLabels},
    net::Net,
};
use cache::Cache;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use issuer::Issuer;
use oauth::{Claims, Expected, Refusal, TOKEN_BYTES_MAX, Token};
use provider::Provider;
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::sync::Semaphore;
use vocabulary::{FspId, Timestamp};

/// Where a client reads what it must know of the endpoint, the newer address and that of OpenID Connect.
const DISCOVERY: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
const TOKEN: &str = "/oauth2/token";
const JWKS: &str = "/oauth2/jwks";
/// Wrong secrets that are being answered at a time.
const WRONG_MAX: usize = 32;
/// How often the file of keys is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The claim of the hub's own tokens that says to which life of a client they belong.
const GENERATION: &str = "generation";

/// What issues and verifies tokens.
pub struct Tokens {
    policy: TokenPolicy,
    issuer: Issuer,
    provider: Option<Provider>,
    verified: Cache,
    wrong: Semaphore,
    leeway_ms: i64,
    metrics: Arc<Metrics>,
}

/// What a verified token says.
struct Verified {
    name: FspId,
    /// Of the client, where the token is the hub's own.
    generation: Option<i64>,
    ends_at: Timestamp,
}

impl Tokens {
    /// The error is a sentence.
    pub async fn open(
        config: &AccessTokens,
        hub_name: &FspId,
        (store, net, metrics): (&dyn Store, Net, Arc<Metrics>),
    ) -> Result<Self, String> {
        let issuer = Issuer::open(config, hub_name, store).await?;
        let is_needed = config.policy == TokenPolicy::Required;
        let provider = config.provider.clone().filter(|_| is_needed).map(|provider| Provider::new(provider, net));
        Ok(Self {
            policy: config.policy,
            issuer,
            provider,
            verified: Cache::default(),
            wrong: Semaphore::new(WRONG_MAX),
            leeway_ms: i64::try_from(config.leeway.as_millis()).unwrap_or(i64::MAX / 2),
            metrics,
        })
    }

    /// Who sends a request, by its token; none where tokens are not asked for.
    pub async fn caller(&self, hub: &Hub, headers: &HeaderMap) -> Result<Option<Caller>, Refusal> {
        if self.policy == TokenPolicy::Off {
            return Ok(None);
        }
        let found = self.find(hub, headers).await;
        if let Err(refusal) = &found {
            self.metrics.tokens_refused.get_or_create(&ReasonLabels { reason: refusal.reason() }).inc();
        }
        found.map(Some)
    }

    /// Why tokens cannot be issued or verified as they should; sentences.
    pub fn has_problem(&self) -> bool {
        self.issuer.has_problem() || self.provider.as_ref().is_some_and(Provider::has_no_keys)
    }

    async fn find(&self, hub: &Hub, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let text = shown(headers)?;
        let now = now();
        let hash = cache::hash_of(text);
        let verified = match self.verified.get(&hash).filter(|known| self.lives(known, now)) {
            Some(known) => known,
            None => {
                let verified = Arc::new(self.verify(text, now).await?);
                self.verified.put(hash, verified.clone());
                verified
            }
        };
        verified.check_standing(hub)?;
        Ok(Caller::of_token(&verified.name))
    }

    fn lives(&self, verified: &Verified, now: Timestamp) -> bool {
        verified.ends_at.plus_millis(self.leeway_ms) > now
    }

    async fn verify(&self, text: &str, now: Timestamp) -> Result<Verified, Refusal> {
        let token = Token::parse(text)?;
        let issuer = token.claimed_issuer().ok_or(Refusal::Issuer)?.to_owned();
        if issuer == self.issuer.name() {
            let keys = self.issuer.keys();
            let (id, algorithm) = (token.key_id().map(str::to_owned), token.algorithm().to_owned());
            let claims = token.verified(keys.candidates(id.as_deref(), &algorithm))?;
            let ends_at = claims.check(&self.expected(&issuer, self.issuer.audience(), now))?;
            let generation = Some(claims.number(GENERATION).ok_or(Refusal::Malformed)?);
            return Ok(Verified {
                name: name_of(&claims, "client_id").ok_or(Refusal::Participant)?,
                generation,
                ends_at,
            });
        }
        let provider = self.provider.as_ref().filter(|provider| provider.issuer() == issuer).ok_or(Refusal::Issuer)?;
        let (id, algorithm) = (token.key_id().map(str::to_owned), token.algorithm().to_owned());
        let keys = provider.keys_for(id.as_deref(), &algorithm).await;
        let claims = token.verified(keys.candidates(id.as_deref(), &algorithm))?;
        let ends_at = claims.check(&self.expected(&issuer, provider.audience(), now))?;
        let name = provider.claims().iter().find_map(|claim| claims.text(claim));
        let name = name.and_then(|name| name.parse().ok()).ok_or(Refusal::Participant)?;
        Ok(Verified { name, generation: None, ends_at })
    }

    fn expected<'a>(&self, issuer: &'a str, audience: &'a str, now: Timestamp) -> Expected<'a> {
        Expected { issuer, audience, now, leeway_ms: self.leeway_ms }
    }
}

impl Verified {
    fn check_standing(&self, hub: &Hub) -> Result<(), Refusal> {
        let view = hub.view();
        let participant = &view.participant(&self.name).ok_or(Refusal::Participant)?.participant;
        if !participant.is_active {
            return Err(Refusal::Inactive);
        }
        let present = view.client(participant.id).map(|client| client.generation);
        if self.generation.is_some() && present != self.generation {
            return Err(Refusal::Revoked);
        }
        Ok(())
    }
}

/// Follows the files and the provider.
pub async fn keep(hub: Arc<Hub>) {
    let follow_file = async {
        loop {
            tokio::time::sleep(LOOK).await;
            let looking = hub.clone();
            // File systems block; a thread of its own may wait for them.
            if let Err(error) = tokio::task::spawn_blocking(move || looking.tokens.issuer.reload(now())).await {
                tracing::error!(%error, "the file of token keys could not be looked at");
            }
        }
    };
    let follow_provider = async {
        match &hub.tokens.provider {
            Some(provider) => provider.keep().await,
            None => std::future::pending().await,
        }
    };
    if hub.tokens.issuer.has_file() {
        tokio::join!(follow_file, follow_provider);
    } else {
        follow_provider.await;
    }
}

/// The challenge of a 401 (RFC 6750 §3): who has shown no token is told nothing about it.
pub fn challenge(refusal: Refusal) -> HeaderValue {
    match refusal {
        Refusal::Missing => HeaderValue::from_static("Bearer realm=\"umoja\""),
        Refusal::Repeated
        | Refusal::TooLong
        | Refusal::Malformed
        | Refusal::Algorithm
        | Refusal::Issuer
        | Refusal::UnknownKey
        | Refusal::Signature
        | Refusal::Audience
        | Refusal::Expired
        | Refusal::NotYetValid
        | Refusal::Participant
        | Refusal::Inactive
        | Refusal::Revoked => {
            let text = format!("Bearer realm=\"umoja\", error=\"invalid_token\", error_description=\"{refusal}\"");
            HeaderValue::from_str(&text).expect("the sentences are plain ASCII")
        }
    }
}

fn shown(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::Repeated);
    }
    if value.len() > TOKEN_BYTES_MAX + "Bearer ".len() {
        return Err(Refusal::TooLong);
    }
    let text = value.to_str().map_err(|_| Refusal::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Refusal::Missing) }
}

fn name_of(claims: &Claims, claim: &str) -> Option<FspId> {
    claims.text(claim)?.parse().ok()
}
