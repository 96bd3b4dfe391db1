//! The report of funds in and out: what auditors read (contract, administration §1.13, §4.6).

use crate::support::{Reply, Scheme};
use serde_json::{Value, json};

const IDS: [&str; 5] = [
    "b51ec534-ee48-4575-b6a9-ead2955b8001",
    "b51ec534-ee48-4575-b6a9-ead2955b8002",
    "01ARZ3NDEKTSV4RRFFQ69G5FA3",
    "b51ec534-ee48-4575-b6a9-ead2955b8004",
    "b51ec534-ee48-4575-b6a9-ead2955b8005",
];

async fn account(scheme: &Scheme, owner: &str) -> String {
    format!("/participants/{owner}/accounts/{}", scheme.account(owner, "SETTLEMENT").await["id"])
}

async fn start(scheme: &Scheme, owner: &str, (id, action): (&str, &str), amount: &str) {
    let body = json!({
        "transferId": id, "externalReference": format!("statement {id}"), "action": action,
        "reason": "agreed, by \"phone\"", "amount": {"amount": amount, "currency": "USD"},
        "extensionList": {"extension": [{"key": "user", "value": "ana"}, {"key": "branch", "value": "7"}]},
    });
    assert_eq!(scheme.post(&account(scheme, owner).await, body).await.status, 202);
}

async fn finish(scheme: &Scheme, owner: &str, id: &str, action: &str) {
    let path = format!("{}/transfers/{id}", account(scheme, owner).await);
    let headers = [("content-type", "application/json"), ("fspiop-source", "ben")];
    let body = json!({"action": action, "reason": "the bank says so"}).to_string();
    assert_eq!(scheme.call("PUT", &path, &headers, body).await.status, 202);
}

/// Money in, a withdrawal that is reserved, one committed, one aborted, and one that is too large.
async fn moved() -> Scheme {
    let scheme = Scheme::with_dfsp().await;
    scheme.add("other", "USD").await;
    start(&scheme, "dfsp", (IDS[0], "recordFundsIn"), "1000").await;
    start(&scheme, "other", (IDS[1], "recordFundsIn"), "50.5").await;
    start(&scheme, "dfsp", (IDS[2], "recordFundsOutPrepareReserve"), "10").await;
    start(&scheme, "dfsp", (IDS[3], "recordFundsOutPrepareReserve"), "20").await;
    start(&scheme, "other", (IDS[4], "recordFundsOutPrepareReserve"), "51").await;
    scheme
}

async fn report(scheme: &Scheme, query: &str) -> Reply {
    scheme.get(&format!("/umoja/v1/reports/funds{query}")).await
}

/// Some cells of each row.
fn cells(report: &Value, names: &[&str]) -> Vec<String> {
    let row = |row: &Value| names.iter().map(|name| row[*name].as_str().unwrap()).collect::<Vec<_>>().join("|");
    report["rows"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_movement_is_listed_with_its_state_and_who_asked_for_it() {
    let scheme = moved().await;
    finish(&scheme, "dfsp", IDS[2], "recordFundsOutCommit").await;
    finish(&scheme, "dfsp", IDS[3], "recordFundsOutAbort").await;
    let whole = report(&scheme, "").await.body;
    assert_eq!(
        cells(&whole, &["transferId", "fspId", "direction", "amount", "currency", "state"]),
        [
            format!("{}|dfsp|IN|1000.00|USD|COMMITTED", IDS[0]),
            format!("{}|other|IN|50.50|USD|COMMITTED", IDS[1]),
            format!("{}|dfsp|OUT|10.00|USD|COMMITTED", IDS[2]),
            format!("{}|dfsp|OUT|20.00|USD|ABORTED", IDS[3]),
            format!("{}|other|OUT|51.00|USD|ABORTED", IDS[4]),
        ]
    );
    let told = "agreed, by \"phone\"|ana";
    assert_eq!(
        cells(&whole, &["reason", "user", "endReason", "endUser"]),
        [
            format!("{told}||"),
            format!("{told}||"),
            format!("{told}|the bank says so|ben"),
            format!("{told}|the bank says so|ben"),
            format!("{told}|Aborted due to insufficient funds|"),
        ]
    );
    assert_eq!(cells(&whole, &["externalReference"]), IDS.map(|id| format!("statement {id}")));
    assert_eq!(
        whole["control"],
        json!({
            "rows": "5", "committed in USD": "1050.50", "committed out USD": "10.00", "aborted out USD": "71.00",
        })
    );
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_and_a_time_are_picked_out() {
    let scheme = moved().await;
    let of_other = report(&scheme, "?dfspId=other").await.body;
    assert_eq!(cells(&of_other, &["transferId"]), [IDS[1], IDS[4]]);
    let reserved = report(&scheme, "?dfspId=dfsp").await.body;
    assert_eq!(cells(&reserved, &["state"]), ["COMMITTED", "RESERVED", "RESERVED"]);
    assert_eq!(reserved["control"]["reserved out USD"], "30.00");

    // A withdrawal is found when it was reserved, and again when it ended.
    let reserved_at = reserved["rows"][1]["dateTime"].as_str().unwrap().to_owned();
    let mut since = reserved_at.clone();
    while since == reserved_at {
        since = report(&scheme, "").await.body["generatedAt"].as_str().unwrap().to_owned();
    }
    finish(&scheme, "dfsp", IDS[2], "recordFundsOutCommit").await;
    let ended = report(&scheme, &format!("?startDate={since}")).await.body;
    assert_eq!(cells(&ended, &["transferId", "state"]), [format!("{}|COMMITTED", IDS[2])]);
    let ended_at = ended["rows"][0]["lastChange"].as_str().unwrap();
    assert!(ended["rows"][0]["dateTime"].as_str().unwrap() < ended_at);
    let before = report(&scheme, &format!("?endDate={since}")).await.body;
    assert_eq!(before["rows"].as_array().unwrap().len(), 5);
    let nothing = report(&scheme, "?startDate=2020-01-01&endDate=2020-01-02").await.body;
    assert_eq!((&nothing["rows"], &nothing["control"]), (&json!([]), &json!({"rows": "0"})));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_comes_as_csv() {
    let scheme = moved().await;
    let Reply { status, text: csv, .. } = report(&scheme, "?dfspId=other&format=csv").await;
    assert_eq!(status, 200);
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "transferId,dateTime,lastChange,fspId,currency,direction,amount,state,reason,externalReference,user,endReason,endUser"
    );
    let expected = format!(
        ",other,USD,OUT,51.00,ABORTED,\"agreed, by \"\"phone\"\"\",statement {},ana,Aborted due to insufficient funds,",
        IDS[4]
    );
    assert!(lines[2].starts_with(IDS[4]) && lines[2].ends_with(&expected), "{csv}");
    assert_eq!(lines[3..], ["CONTROL rows,2", "CONTROL aborted out USD,51.00", "CONTROL committed in USD,50.50", ""]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_refused() {
    let scheme = Scheme::with_dfsp().await;
    for (query, text) in [
        ("?dfspId=nobody", "3200 Generic ID not found - The requested resource could not be found"),
        ("?startDate=yesterday", "3101 Malformed syntax - \"startDate\" must be an ISO 8601 date or time"),
        (
            "?startDate=2026-02-01&endDate=2026-01-01",
            "3101 Malformed syntax - \"endDate\" must not be before \"startDate\"",
        ),
        ("?format=xml", "3101 Malformed syntax - \"format\" must be one of [json, csv]"),
    ] {
        let refused = report(&scheme, query).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, text), "{query}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_many_pages_has_each_movement_once() {
    let scheme = Scheme::with_dfsp().await;
    let path = account(&scheme, "dfsp").await;
    let count = 1_050;
    let ids = (0..count).map(|number| format!("b51ec534-ee48-4575-b6a9-{number:012}")).collect::<Vec<_>>();
    for chunk in ids.chunks(50) {
        let record = async |id: &String| {
            let body = json!({
                "transferId": id, "externalReference": "r", "action": "recordFundsIn", "reason": "r",
                "amount": {"amount": "0.01", "currency": "USD"},
            });
            assert_eq!(scheme.post(&path, body).await.status, 202);
        };
        futures_util::future::join_all(chunk.iter().map(record)).await;
    }
    let whole = report(&scheme, "").await.body;
    let mut found = cells(&whole, &["transferId"]);
    found.sort();
    assert_eq!(found, ids);
    assert_eq!(whole["control"], json!({"rows": count.to_string(), "committed in USD": "10.50"}));
    scheme.end().await;
}
