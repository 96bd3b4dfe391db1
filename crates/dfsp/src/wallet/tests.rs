//! The pages over HTTP, with a hub that is away: what a customer sees before the scheme is asked.

use super::*;
use crate::bank::tests::{bank, converted, payment, taken};
use crate::payment::Direction;
use http_body_util::Full;
use sdk::{Decision, HttpClient};

pub(super) struct Browser {
    http: HttpClient,
    address: SocketAddr,
    pub bank: Arc<Bank>,
    _wallet: Running,
}

pub(super) struct Page {
    pub status: u16,
    pub text: String,
}

impl Browser {
    pub async fn open() -> Self {
        let bank = Arc::new(bank(None));
        let wallet = serve(bank.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
        Self { http: HttpClient::new(), address: wallet.address(), bank, _wallet: wallet }
    }

    pub async fn request(&self, method: &str, path: &str, host: &str, body: String) -> Page {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("host", host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(body.into()))
            .unwrap();
        let answer = self.http.send(request, Duration::from_secs(10)).await.unwrap();
        Page { status: answer.status().as_u16(), text: String::from_utf8(answer.body().to_vec()).unwrap() }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.request("GET", path, "localhost", String::new()).await
    }

    /// Fills the form in as a browser does, token included.
    async fn send(&self, fields: &str) -> Page {
        let body = format!("token={}&{fields}", self.token().await);
        self.request("POST", "/customers/ana/send", "localhost", body).await
    }

    /// Of the forms of this process.
    pub async fn token(&self) -> String {
        let form = self.get("/customers/ana/send").await.text;
        form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_home_page_shows_balance_and_history() {
    let browser = Browser::open().await;
    let payment = payment(Direction::Incoming, "1234.5");
    browser.bank.open_payment(payment.clone()).unwrap();
    browser.bank.settle(payment.id, &Decision::Committed).unwrap();
    let page = browser.get("/customers/ana").await;
    assert_eq!(page.status, 200);
    for text in ["KES 1,334.50", "From Zoë", "+KES 1,234.50", "Received"] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    let receipt = browser.get(&format!("/customers/ana/payments/{}", payment.id)).await;
    assert!(receipt.text.contains("You received money"));
}

#[tokio::test]
async fn a_payment_in_another_currency_shows_both_amounts_the_rate_and_every_fee() {
    let browser = Browser::open().await;
    let payment = converted();
    browser.bank.open_payment(payment.clone()).unwrap();
    browser.bank.settle(payment.id, &Decision::Committed).unwrap();
    let home = browser.get("/customers/ana").await.text;
    for text in ["−KES 41.00", "They get USD 0.28"] {
        assert!(home.contains(text), "{text} in {home}");
    }
    let receipt = browser.get(&format!("/customers/ana/payments/{}", payment.id)).await.text;
    for text in
        ["USD 0.28", "Fee of blue", "USD 0.02", "Converted by savanna", "KES 40.00", "1 USD = KES 130.00", "KES 41.00"]
    {
        assert!(receipt.contains(text), "{text} in {receipt}");
    }
}

#[tokio::test]
async fn a_payment_that_was_converted_here_shows_what_was_sent_and_what_arrived() {
    let browser = Browser::open().await;
    let payment = taken();
    browser.bank.open_payment(payment.clone()).unwrap();
    browser.bank.settle(payment.id, &Decision::Committed).unwrap();
    let home = browser.get("/customers/ana").await.text;
    for text in ["+KES 5,200.00", "They sent USD 40.00"] {
        assert!(home.contains(text), "{text} in {home}");
    }
    let receipt = browser.get(&format!("/customers/ana/payments/{}", payment.id)).await.text;
    for text in ["USD 40.00", "Converted by savanna", "KES 5,210.00", "USD 0.20", "KES 10.00", "KES 5,200.00"] {
        assert!(receipt.contains(text), "{text} in {receipt}");
    }
}

#[tokio::test]
async fn what_is_sent_is_in_our_own_currency_and_what_arrives_may_be_in_another() {
    let browser = Browser::open().await;
    let form = browser.get("/customers/ana/send").await.text;
    assert!(form.contains("<option value=\"USD\">USD</option>"), "{form}");
    let page = browser.send("number=33333&amount=5&mode=send&currency=USD").await;
    assert!(page.text.contains("What you send is in your own currency"), "{}", page.text);
    let page = browser.send("number=33333&amount=5&mode=receive&currency=USD").await;
    assert!(page.text.contains("The payment network cannot be reached"), "{}", page.text);
}

#[tokio::test]
async fn one_customer_does_not_see_the_payments_of_another() {
    let browser = Browser::open().await;
    let payment = payment(Direction::Incoming, "5");
    browser.bank.open_payment(payment.clone()).unwrap();
    browser.bank.settle(payment.id, &Decision::Committed).unwrap();
    assert_eq!(browser.get(&format!("/customers/ben/payments/{}", payment.id)).await.status, 404);
}

#[tokio::test]
async fn faults_are_told_next_to_their_fields_and_what_was_typed_stays() {
    let browser = Browser::open().await;
    let page = browser.send("number=12&amount=1.005&mode=send&note=rent").await;
    assert_eq!(page.status, 422);
    for text in ["role=\"alert\"", "number-fault", "amount-fault", "value=\"1.005\"", "value=\"rent\""] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    assert!(!page.text.contains("note-fault"));
}

#[tokio::test]
async fn a_form_without_the_token_is_not_followed() {
    let browser = Browser::open().await;
    let fields = "number=33333&amount=5&token=guessed".to_owned();
    let page = browser.request("POST", "/customers/ana/send", "localhost", fields).await;
    assert_eq!(page.status, 403);
}

#[tokio::test]
async fn a_page_is_not_shown_under_a_foreign_name() {
    let browser = Browser::open().await;
    for (host, status) in [
        ("127.0.0.1:8101", 200),
        ("[::1]:8101", 200),
        ("localhost", 200),
        ("evil.example", 421),
        ("evil.example:8101", 421),
    ] {
        assert_eq!(browser.request("GET", "/", host, String::new()).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn what_people_write_is_not_html() {
    let browser = Browser::open().await;
    let page = browser.send("number=%3Cb%3E&amount=5&note=%22%3E%3Cscript%3E").await;
    assert!(page.text.contains("&lt;b&gt;") && !page.text.contains("<script>"), "{}", page.text);
}

#[tokio::test]
async fn a_network_that_is_away_is_told_in_words_and_nothing_is_set_aside() {
    let browser = Browser::open().await;
    let page = browser.send("number=33333&amount=5").await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("The payment network cannot be reached. Nothing was sent"), "{}", page.text);
    assert_eq!(browser.bank.balance("ana").0, browser.bank.balance("ana").1);
}

#[tokio::test]
async fn unknown_customers_offers_and_payments_are_not_found() {
    let browser = Browser::open().await;
    let id = sdk::new_id();
    for path in ["/customers/eve", "/customers/ana/payments/x", "/nothing"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(browser.get(&format!("/customers/ana/offers/{id}")).await.status, 410);
    assert_eq!(browser.get(&format!("/customers/ana/payments/{id}")).await.status, 404);
}
