//! The hub's own tokens: the keys that sign them, and what they say.
//!
//! Invariant: all nodes on one store verify each other's tokens. Without a file the key is made once and kept in the store;
//! a file holds the keys in their order, the first of which signs. A key that is replaced verifies for as long as a token
//! lives, so that nobody's token ends before its time.

use super::GENERATION;
use crate::config::AccessTokens;
use fspiop::jws::{PublicParameters, SigningKey, VerificationKey};
use oauth::{Key, KeySet, describe, key_id, random_text};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use store::Store;
use vocabulary::{FspId, Timestamp};

/// The name of the key in the store.
const KEPT: &str = "token-key";
const FILE_BYTES_MAX: u64 = 1 << 16;

pub struct Issuer {
    name: String,
    audience: String,
    lifetime: Duration,
    file: Option<PathBuf>,
    present: RwLock<Arc<Present>>,
    followed: Mutex<Followed>,
}

/// What is in use.
struct Present {
    signing: SigningKey,
    id: String,
    keys: Arc<KeySet>,
    described: Vec<Value>,
}

#[derive(Default)]
struct Followed {
    /// What the file said last.
    content: String,
    problem: Option<String>,
    /// The keys of the file, as JWKS has them.
    public: Vec<Public>,
    /// Keys that the file does not hold any more, and until when they verify.
    replaced: Vec<(Public, Timestamp)>,
}

#[derive(Clone, PartialEq, Eq)]
struct Public {
    parameters: PublicParameters,
    algorithm: &'static str,
}

impl Issuer {
    /// The error is a sentence.
    pub async fn open(config: &AccessTokens, hub_name: &FspId, store: &dyn Store) -> Result<Self, String> {
        let content = match &config.key {
            Some(file) => read(file)?,
            None => kept(store).await?,
        };
        let signing = keys_of(&content).map_err(|problem| of_file(&config.key, &problem))?;
        let mut followed = Followed { content, ..Followed::default() };
        followed.public = signing.iter().map(Public::of).collect();
        let present = Present::new(signing, &followed)?;
        let urn = || format!("urn:umoja:{}", fspiop::percent_encode(hub_name.as_str()));
        Ok(Self {
            name: config.issuer.clone().unwrap_or_else(urn),
            audience: hub_name.to_string(),
            lifetime: config.lifetime,
            file: config.key.clone(),
            present: RwLock::new(Arc::new(present)),
            followed: Mutex::new(followed),
        })
    }

    /// What tokens say in `iss`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn audience(&self) -> &str {
        &self.audience
    }

    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    pub fn has_problem(&self) -> bool {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).problem.is_some()
    }

    pub fn keys(&self) -> Arc<KeySet> {
        self.present().keys.clone()
    }

    /// The document of the public keys.
    pub fn jwks(&self) -> Value {
        json!({"keys": self.present().described})
    }

    /// A token for a client. Errors: a sentence; there is no randomness, or the key does not sign.
    pub fn issue(&self, client: &FspId, generation: i64, now: Timestamp) -> Result<String, String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| format!("The system gives no random numbers: {error}."))?;
        let issued_at = now.millis().div_euclid(1000);
        let claims = json!({
            "iss": self.name,
            "sub": client.as_str(),
            "client_id": client.as_str(),
            "aud": self.audience,
            "iat": issued_at,
            "exp": issued_at.saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX)),
            "jti": random_text(&random),
            GENERATION: generation,
        });
        let present = self.present();
        oauth::sign(&present.signing, &present.id, &claims).map_err(|error| format!("No token can be signed: {error}."))
    }

    /// Takes up what the file says now. What cannot be used leaves in use what was read before.
    pub fn reload(&self, now: Timestamp) {
        let Some(file) = &self.file else { return };
        let read = read(file);
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let are_over = followed.replaced.iter().any(|(_, until)| *until <= now);
        if !are_over && followed.problem.is_none() && read.as_ref() == Ok(&followed.content) {
            return;
        }
        let used = read.and_then(|content| self.take_up(&mut followed, content, now));
        let problem = used.err();
        if problem.is_some() && problem != followed.problem {
            tracing::error!(?problem, "the keys of tokens cannot be used; what was in use before stays");
        }
        followed.problem = problem;
    }

    fn take_up(&self, followed: &mut Followed, content: String, now: Timestamp) -> Result<(), String> {
        let signing = keys_of(&content).map_err(|problem| of_file(&self.file, &problem))?;
        let public: Vec<Public> = signing.iter().map(Public::of).collect();
        let until = now.plus_millis(i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX / 2));
        let mut replaced: Vec<_> = followed.replaced.iter().filter(|(_, until)| *until > now).cloned().collect();
        replaced.extend(followed.public.iter().map(|known| (known.clone(), until)));
        replaced.retain(|(known, _)| !public.contains(known));
        let next = Followed { content, problem: None, public, replaced };
        let present = Present::new(signing, &next)?;
        if next.content != followed.content {
            tracing::info!(key = %present.id, "new token keys are in use");
        }
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(present);
        *followed = next;
        Ok(())
    }

    fn present(&self) -> Arc<Present> {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Present {
    fn new(signing: Vec<SigningKey>, followed: &Followed) -> Result<Self, String> {
        let replaced = followed.replaced.iter().map(|(public, _)| public);
        let public: Vec<&Public> = followed.public.iter().chain(replaced).collect();
        let key = |public: &&Public| {
            let key = VerificationKey::from_parameters(&public.parameters).map_err(|error| error.to_string())?;
            Ok(Key { id: Some(key_id(&public.parameters)), algorithm: Some(public.algorithm.to_owned()), key })
        };
        let keys: Vec<Key> = public.iter().map(key).collect::<Result<_, String>>()?;
        let described = public.iter().map(|public| describe(&public.parameters, public.algorithm)).collect();
        let signing = signing.into_iter().next().ok_or("There is no key for tokens.")?;
        Ok(Self { id: key_id(&signing.parameters()), signing, keys: Arc::new(KeySet::new(keys)), described })
    }
}

impl Public {
    fn of(key: &SigningKey) -> Self {
        Self { parameters: key.parameters(), algorithm: key.algorithm() }
    }
}

/// The key that the store keeps for all nodes. The first one that asks makes it.
async fn kept(store: &dyn Store) -> Result<String, String> {
    let (_, candidate) = SigningKey::generate_p256().map_err(|error| format!("No key for tokens is made: {error}."))?;
    let kept = store.secret(KEPT, candidate.as_bytes()).await;
    let kept = kept.map_err(|error| format!("The key for tokens cannot be read from the store: {error}."))?;
    String::from_utf8(kept).map_err(|_| "The key for tokens in the store is no text.".to_owned())
}

fn read(file: &PathBuf) -> Result<String, String> {
    use std::io::Read as _;
    let mut content = String::new();
    let read = fs::File::open(file).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut content));
    read.map_err(|error| format!("The file of token keys {} cannot be read: {error}.", file.display()))?;
    Ok(content)
}

fn keys_of(content: &str) -> Result<Vec<SigningKey>, String> {
    SigningKey::all_from_pem(content).map_err(|error| error.to_string())
}

fn of_file(file: &Option<PathBuf>, problem: &str) -> String {
    match file {
        Some(file) => format!(
            "The token keys in {} cannot be used: {problem}. Put private keys in PEM form there.",
            file.display()
        ),
        None => format!("The key for tokens in the store cannot be used: {problem}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn pem() -> String {
        SigningKey::generate_p256().unwrap().1
    }

    fn ids(issuer: &Issuer) -> Vec<String> {
        let jwks = issuer.jwks();
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn replaced_keys_verify_as_long_as_their_tokens_live_and_spoilt_files_change_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys.pem");
        let (first, second, third) = (pem(), pem(), pem());
        fs::write(&file, &first).unwrap();
        let config =
            AccessTokens { key: Some(file.clone()), lifetime: Duration::from_secs(300), ..AccessTokens::default() };
        let store = store::open("memory", &"Hub".parse().unwrap()).await.unwrap();
        let issuer = Issuer::open(&config, &"Hub".parse().unwrap(), &*store).await.unwrap();
        let [one, two, three] =
            [&first, &second, &third].map(|pem| key_id(&SigningKey::from_pem(pem).unwrap().parameters()));
        assert_eq!(ids(&issuer), std::slice::from_ref(&one));
        fs::write(&file, format!("{second}{first}")).unwrap();
        issuer.reload(NOW);
        assert_eq!((ids(&issuer), &issuer.present().id), (vec![two.clone(), one.clone()], &two));
        fs::write(&file, &third).unwrap();
        issuer.reload(NOW);
        assert_eq!(ids(&issuer), [three.clone(), two.clone(), one.clone()]);
        for spoilt in ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            fs::write(&file, spoilt).unwrap();
            issuer.reload(NOW.plus_millis(1));
            assert!(issuer.has_problem(), "{spoilt}");
            assert_eq!(ids(&issuer), [three.clone(), two.clone(), one.clone()]);
        }
        fs::remove_file(&file).unwrap();
        issuer.reload(NOW.plus_millis(1));
        assert!(issuer.has_problem());
        fs::write(&file, &third).unwrap();
        issuer.reload(NOW.plus_millis(299_999));
        assert!(!issuer.has_problem());
        assert_eq!(ids(&issuer), [three.clone(), two, one]);
        issuer.reload(NOW.plus_millis(300_000));
        assert_eq!(ids(&issuer), [three]);
    }

    #[tokio::test]
    async fn without_a_file_all_nodes_of_a_store_have_one_key_and_one_name() {
        let hub: FspId = "Hub One".parse().unwrap();
        let store = store::open("memory", &hub).await.unwrap();
        let open = async || Issuer::open(&AccessTokens::default(), &hub, &*store).await.unwrap();
        let (one, other) = (open().await, open().await);
        assert_eq!(ids(&one), ids(&other));
        assert_eq!((one.name(), one.audience()), ("urn:umoja:Hub%20One", "Hub One"));
        let other_store = store::open("memory", &hub).await.unwrap();
        let third = Issuer::open(&AccessTokens::default(), &hub, &*other_store).await.unwrap();
        assert_ne!(ids(&one), ids(&third));
    }
}
