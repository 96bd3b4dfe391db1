//! Payments to a customer who takes another currency, with a provider whose adapter converts (§2.1, FX).

use crate::admin::Role;
use crate::core::WELCOMING;
use crate::world::{Site, World, kes, transfer_to};
use http::Method;
use serde_json::{Value, json};
use vocabulary::Currency;

struct Schemes {
    world: World,
    provider: Site,
}

fn tzs() -> Currency {
    "TZS".parse().unwrap()
}

impl Schemes {
    async fn start() -> Self {
        let payer = |settings: &mut adapter::Settings| {
            settings.supported_currencies = vec!["KES".into()];
            settings.fx_providers = vec!["exchange".into()];
        };
        let world = World::with(payer, |settings| settings.supported_currencies = vec!["TZS".into()]).await;
        world.admin.prepare_scheme(&[tzs()]).await.unwrap();
        let shown = |settings: &mut adapter::Settings| settings.listen_test_api = Some(([127, 0, 0, 1], 0).into());
        let provider = Site::start("exchange", world.hub.addresses().fspiop, shown).await;
        world.onboard(("blue", Role::Dfsp), &world.payee, &[tzs()]).await;
        world.onboard(("exchange", Role::Provider), &provider, &[kes(), tzs()]).await;
        Self { world, provider }
    }

    /// Payer and provider in shillings of Kenya, provider and payee in those of Tanzania.
    async fn positions(&self) -> [String; 4] {
        let position = |name, currency| self.world.position(name, currency);
        [
            position("green", kes()).await,
            position("exchange", kes()).await,
            position("exchange", tzs()).await,
            position("blue", tzs()).await,
        ]
    }

    async fn put(&self, path: &str, word: Value) -> Value {
        let (status, state) = self.world.payer.call(Method::PUT, path, &word).await;
        assert_eq!(status, 200, "{state}");
        state
    }
}

#[tokio::test]
async fn what_is_sent_is_converted_when_the_core_accepts_the_rate() {
    let schemes = Schemes::start().await;
    let (_, state) = schemes.world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!(state["currentState"], "WAITING_FOR_CONVERSION_ACCEPTANCE", "{state}");
    let terms = &state["fxQuoteResponse"]["body"]["conversionTerms"];
    assert_eq!(terms["targetAmount"], json!({"amount": "200", "currency": "TZS"}), "{terms}");
    assert_eq!((&terms["determiningTransferId"], &state["needFx"]), (&state["transferId"], &json!(true)));
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let state = schemes.put(&path, json!({"acceptConversion": true})).await;
    assert_eq!(state["currentState"], "COMPLETED", "{state}");
    assert_eq!(schemes.positions().await, ["10", "-10", "200", "-200"]);
    let told = schemes.provider.core.hears(Method::PUT, "/fxTransfers").await;
    assert_eq!(told.body["conversionState"], "COMMITTED", "{told:?}");
    let asked = schemes.provider.core.asked(Method::POST, "/fxTransfers").pop().unwrap().body;
    assert_eq!(asked["homeTransactionId"], "home-of-the-provider");
    let conversion = terms["conversionId"].as_str().unwrap();
    let (status, shown) = schemes.provider.shown(&format!("/fxQuoteRequests/{conversion}")).await;
    assert_eq!((status, &shown["response"]["conversionTerms"]), (200, terms), "{shown}");
    assert_eq!(shown.get("fulfilment"), None, "who has it can take the money");
    assert_eq!(schemes.provider.shown("/fxQuoteRequests/none").await.0, 204);
}

#[tokio::test]
async fn what_is_to_arrive_is_quoted_first_and_converted_then() {
    let schemes = Schemes::start().await;
    let mut body = transfer_to(WELCOMING);
    body["amountType"] = "RECEIVE".into();
    body["currency"] = "TZS".into();
    body["amount"] = "400".into();
    let (_, state) = schemes.world.payer.call(Method::POST, "/transfers", &body).await;
    assert_eq!(state["currentState"], "WAITING_FOR_QUOTE_ACCEPTANCE", "{state}");
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let state = schemes.put(&path, json!({"acceptQuote": true})).await;
    assert_eq!(state["currentState"], "WAITING_FOR_CONVERSION_ACCEPTANCE", "{state}");
    let state = schemes.put(&path, json!({"acceptQuoteOrConversion": true})).await;
    assert_eq!(state["currentState"], "COMPLETED", "{state}");
    assert_eq!(schemes.positions().await, ["20", "-20", "400", "-400"]);
}

#[tokio::test]
async fn a_rate_that_is_not_accepted_ends_the_payment() {
    let schemes = Schemes::start().await;
    let (_, state) = schemes.world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let state = schemes.put(&path, json!({"acceptConversion": false})).await;
    assert_eq!(state["abortedReason"], "FX quote rejected by backend", "{state}");
    assert_eq!(schemes.positions().await, ["0", "0", "0", "0"]);
}
