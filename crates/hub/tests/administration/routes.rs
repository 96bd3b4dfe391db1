//! Routes to DFSPs of other schemes that an operator tells.

use crate::support::Scheme;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_route_leads_an_outsider_through_a_proxy_and_nobody_else() {
    let scheme = Scheme::with_dfsp().await;
    for name in ["neighbour", "remote"] {
        let created = scheme.post("/participants", json!({"name": name, "currency": "USD", "isProxy": true})).await;
        assert_eq!(created.status, 201, "{created:?}");
    }
    for proxy in ["neighbour", "remote", "remote"] {
        let set = scheme.put("/umoja/v1/routes/forexhouse", json!({"proxy": proxy})).await;
        assert_eq!((set.status, &set.body["proxy"]), (200, &json!(proxy)));
    }
    let converts =
        scheme.put("/umoja/v1/routes/forexhouse", json!({"proxy": "remote", "currencies": ["KES", "USD"]})).await;
    assert_eq!((converts.status, &converts.body["currencies"]), (200, &json!(["KES", "USD"])));
    for (fsp, body, part) in [
        ("forexhouse", json!({"proxy": "remote", "currencies": ["KES"]}), "two at least"),
        ("forexhouse", json!({"proxy": "remote", "currencies": ["KES", "money"]}), "urrency"),
        ("forexhouse", json!({"proxy": "dfsp"}), "is no proxy of this scheme"),
        ("forexhouse", json!({"proxy": "nobody"}), "is no proxy of this scheme"),
        ("forexhouse", json!({}), "proxy"),
        ("dfsp", json!({"proxy": "remote"}), "needs no route"),
    ] {
        let refused = scheme.put(&format!("/umoja/v1/routes/{fsp}"), body).await;
        let description = refused.body["errorInformation"]["errorDescription"].as_str().unwrap();
        assert_eq!(refused.status, 400);
        assert!(description.contains(part), "{part} in {description}");
    }
    let routes = scheme.get("/umoja/v1/routes").await.body;
    assert_eq!(routes, json!({"routes": [{"fsp": "forexhouse", "proxy": "remote", "currencies": ["KES", "USD"]}]}));
    scheme.end().await;
}
