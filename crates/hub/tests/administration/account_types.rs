//! Ledger account types of the operator's own (contract, administration §1.14): made, listed, used, kept.

use crate::support::{Reply, Scheme, model};
use serde_json::{Value, json};

const MINE: &str = "MINE";

fn account_type(name: &str, is_settleable: bool) -> Value {
    json!({"name": name, "description": "what it is for", "isActive": true, "isSettleable": is_settleable})
}

async fn create(scheme: &Scheme, body: Value) -> Reply {
    scheme.post("/ledgerAccountTypes", body).await
}

/// The row of a type in the list, without its time.
async fn row(scheme: &Scheme, name: &str) -> Option<Value> {
    let rows = scheme.get("/ledgerAccountTypes").await.body;
    let mut row = rows.as_array().unwrap().iter().find(|row| row["name"] == name)?.clone();
    let created = row.as_object_mut().unwrap().remove("createdDate").unwrap();
    assert!(created.as_str().is_some_and(|at| at.ends_with('Z')), "{created}");
    Some(row)
}

#[tokio::test(flavor = "multi_thread")]
async fn section_1_14_a_type_is_made_once_and_listed() {
    let scheme = Scheme::with_dfsp().await;
    let made = create(&scheme, account_type(MINE, true)).await;
    assert_eq!((made.status, made.body), (201, Value::Null));
    let dormant = json!({"name": "D2", "description": "later", "isActive": "false", "isSettleable": "false"});
    assert_eq!(create(&scheme, dormant).await.status, 201);
    let expected = json!({
        "ledgerAccountTypeId": 7, "name": MINE, "description": "what it is for", "isActive": 1, "isSettleable": 1,
    });
    assert_eq!(row(&scheme, MINE).await.unwrap(), expected);
    let expected = json!({
        "ledgerAccountTypeId": 8, "name": "D2", "description": "later", "isActive": 0, "isSettleable": 0,
    });
    assert_eq!(row(&scheme, "D2").await.unwrap(), expected);
    assert_eq!(row(&scheme, "POSITION").await.unwrap()["ledgerAccountTypeId"], 1);
    assert_eq!(scheme.get("/enums").await.body["ledgerAccountType"][MINE], 7);
    for name in [MINE, "mine", "POSITION", "Settlement"] {
        let refused = create(&scheme, account_type(name, true)).await;
        let text = "3000 Generic client error - This Ledger Account Type already exists";
        assert_eq!((refused.status, refused.error().as_str()), (400, text), "{name}");
    }
    scheme.end().await;
}

const BAD_TYPES: [(&str, &str); 8] = [
    ("{}", r#""name" is required. "description" is required. "isActive" is required. "isSettleable" is required"#),
    (r#"{"name": "X"}"#, r#""name" length must be at least 2 characters long"#),
    (
        r#"{"name": "ABCDEFGHIJKLMNOPQRSTUVWXYZ_1234"}"#,
        r#""name" length must be less than or equal to 30 characters long"#,
    ),
    (r#"{"name": "A-B"}"#, r#""name" must consist of word characters"#),
    (r#"{"name": "TYPÉ"}"#, r#""name" must consist of word characters"#),
    (r#"{"name": 12}"#, r#""name" must be a string"#),
    (r#"{"isActive": 1}"#, r#""isActive" must be a boolean"#),
    (r#"{"isSettleable": null}"#, r#""isSettleable" must be a boolean"#),
];

#[tokio::test(flavor = "multi_thread")]
async fn section_1_14_all_four_members_are_needed_and_checked() {
    let scheme = Scheme::start().await;
    for (members, text) in BAD_TYPES {
        let members: Value = serde_json::from_str(members).unwrap();
        let mut body = if members == json!({}) { json!({}) } else { account_type(MINE, true) };
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = create(&scheme, body).await;
        let error = refused.error();
        let cut = |text: &str| text.chars().take(128).collect::<String>();
        assert_eq!(refused.status, 400, "{error}");
        assert_eq!(error, format!("3101 {}", cut(&format!("Malformed syntax - {text}"))));
    }
    assert_eq!(scheme.get("/ledgerAccountTypes").await.body.as_array().unwrap().len(), 6);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_ask_for_one_name_at_once_one_gets_it() {
    let scheme = Scheme::start().await;
    let names = [MINE, "mine", "Mine", "mINE", MINE, "mine", "Mine", "mINE"];
    let replies = futures_of(names.map(|name| create(&scheme, account_type(name, true)))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = |reply: &&Reply| {
        reply.status == 400 && reply.error() == "3000 Generic client error - This Ledger Account Type already exists"
    };
    assert_eq!((made, replies.iter().filter(refused).count()), (1, 7), "{replies:?}");
    assert_eq!(scheme.get("/ledgerAccountTypes").await.body.as_array().unwrap().len(), 7);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_1_15_models_and_accounts_are_of_custom_types() {
    let scheme = Scheme::with_dfsp().await;
    for (name, is_settleable) in [(MINE, true), ("MINE_SETTLEMENT", false)] {
        assert_eq!(create(&scheme, account_type(name, is_settleable)).await.status, 201);
    }
    let asked = |ledger: &str, settlement: &str| {
        let members = json!({"name": "MYMODEL", "ledgerAccountType": ledger, "settlementAccountType": settlement});
        model(members)
    };
    for (ledger, settlement, text) in [
        ("NONE", "SETTLEMENT", "3003 Add Party information error - Ledger account type was not found"),
        ("MINE_SETTLEMENT", "SETTLEMENT", "3003 Add Party information error - Ledger account type was not found"),
        (MINE, "NONE", "3003 Add Party information error - Settlement account type was not found"),
        (MINE, MINE, "3003 Add Party information error - Settlement account type was not found"),
    ] {
        let refused = scheme.post("/settlementModels", asked(ledger, settlement)).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, text), "{ledger} {settlement}");
    }
    for (code, currency) in [("MYMODEL", None), ("MYEUROS", Some("EUR"))] {
        let mut body = asked(MINE, "MINE_SETTLEMENT");
        body["name"] = json!(code);
        if let Some(currency) = currency {
            body["currency"] = json!(currency);
        }
        assert_eq!(scheme.post("/settlementModels", body).await.status, 201);
    }
    assert_eq!(scheme.get("/settlementModels/MYMODEL").await.body["ledgerAccountTypeId"], MINE);

    // A new participant gets the accounts of all models of its currency; under default models two of them open.
    scheme.add("later", "USD").await;
    let kinds = |accounts: &Value| -> Vec<String> {
        let accounts = accounts.as_array().unwrap().iter();
        accounts.map(|account| account["ledgerAccountType"].as_str().unwrap().to_owned()).collect()
    };
    let all = scheme.get("/participants/later").await.body["accounts"].clone();
    assert_eq!(kinds(&all), ["POSITION", "SETTLEMENT", MINE, "MINE_SETTLEMENT"]);
    assert_eq!(kinds(&scheme.get("/participants/later/accounts").await.body), ["POSITION", "SETTLEMENT"]);
    let funds = json!({
        "transferId": "b51ec534-ee48-4575-b6a9-ead2955b8069", "externalReference": "r", "action": "recordFundsIn",
        "reason": "r", "amount": {"amount": 1, "currency": "USD"},
    });
    let account = all[3]["id"].clone();
    let refused = scheme.post(&format!("/participants/later/accounts/{account}"), funds).await;
    assert_eq!(refused.error(), "2001 Internal server error - Account is currently set inactive");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_of_its_own_models_opens_accounts_of_custom_types() {
    let scheme = Scheme::with_dfsp().await;
    for (name, is_settleable) in [(MINE, true), ("MINE_SETTLEMENT", false)] {
        assert_eq!(create(&scheme, account_type(name, is_settleable)).await.status, 201);
    }
    for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
        let body = json!({"type": kind, "currency": "EUR"});
        assert_eq!(scheme.post("/participants/Hub/accounts", body).await.status, 201);
    }
    for (name, ledger, settlement) in [("EUROS", "POSITION", "SETTLEMENT"), ("MYEUROS", MINE, "MINE_SETTLEMENT")] {
        let members = json!({
            "name": name, "currency": "EUR", "ledgerAccountType": ledger, "settlementAccountType": settlement,
        });
        assert_eq!(scheme.post("/settlementModels", model(members)).await.status, 201);
    }
    scheme.add("euro", "EUR").await;
    for kind in [MINE, "MINE_SETTLEMENT"] {
        let account = scheme.account("euro", kind).await;
        assert_eq!((&account["value"], &account["isActive"]), (&json!(0), &json!(1)), "{kind}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_1_12_the_hubs_own_accounts_are_of_the_types_of_the_list() {
    let scheme = Scheme::with_dfsp().await;
    let ask = async |kind: &str| {
        let reply = scheme.post("/participants/Hub/accounts", json!({"type": kind, "currency": "USD"})).await;
        (reply.status, reply.error())
    };
    let not_found = "3003 Add Party information error - Ledger account type was not found.".to_owned();
    assert_eq!(ask("HUB_FEE").await, (400, not_found.clone()));
    assert_eq!(ask(MINE).await, (400, not_found));
    for name in ["HUB_FEE", MINE] {
        assert_eq!(create(&scheme, account_type(name, false)).await.status, 201);
    }
    let not_allowed = "3003 Add Party information error - The requested hub operator account type is not allowed.";
    assert_eq!(ask(MINE).await, (400, not_allowed.to_owned()));
    assert_eq!(ask("HUB_FEE").await.0, 201);
    assert_eq!(scheme.balance("Hub", "HUB_FEE").await, "0");
    let again = "3003 Add Party information error - Hub account has already been registered.";
    assert_eq!(ask("HUB_FEE").await, (400, again.to_owned()));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_are_still_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", directory.path().join("hub.db").display());
    let scheme = Scheme::start_on(&address).await;
    assert_eq!(create(&scheme, account_type(MINE, true)).await.status, 201);
    let before = row(&scheme, MINE).await.unwrap();
    scheme.end().await;
    let scheme = Scheme::start_on(&address).await;
    assert_eq!(row(&scheme, MINE).await.unwrap(), before);
    assert_eq!(create(&scheme, account_type(MINE, true)).await.status, 400);
    assert_eq!(scheme.post("/settlementModels", model(json!({"ledgerAccountType": MINE}))).await.status, 201);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_database_know_the_same_types() {
    let address = store::postgres::scratch::database().await.unwrap();
    let (one, other) = (Scheme::start_on(&address).await, Scheme::start_on(&address).await);
    assert_eq!(create(&one, account_type(MINE, true)).await.status, 201);
    assert!(row(&other, MINE).await.is_some());
    assert_eq!(create(&other, account_type(MINE, true)).await.status, 400);
    assert_eq!(other.post("/settlementModels", model(json!({"ledgerAccountType": MINE}))).await.status, 201);
    let replies = futures_of([&one, &other].map(|node| create(node, account_type("RACE", false)))).await;
    let mut statuses = replies.map(|reply| reply.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    assert_eq!(row(&one, "RACE").await, row(&other, "RACE").await);
    one.end().await;
    other.end().await;
}

/// Runs them at the same time.
async fn futures_of<const N: usize>(calls: [impl Future<Output = Reply>; N]) -> [Reply; N] {
    let replies = futures_util::future::join_all(calls).await;
    replies.try_into().unwrap_or_else(|_| unreachable!("as many replies as calls"))
}
