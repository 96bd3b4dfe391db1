//! The counter, codes, statements and requests over HTTP, with a hub that is away.

use super::tests::Browser;
use crate::bank::tests::{amount, payment};
use crate::payment::Direction;
use sdk::{Decision, new_id};
use vocabulary::Amount;

async fn post(browser: &Browser, path: &str, fields: &str) -> super::tests::Page {
    let body = format!("token={}&{fields}", browser.token().await);
    browser.request("POST", path, "localhost", body).await
}

fn received(browser: &Browser, text: &str) -> crate::Payment {
    let payment = payment(Direction::Incoming, text);
    browser.bank.open_payment(payment.clone()).unwrap();
    browser.bank.settle(payment.id, &Decision::Committed).unwrap();
    payment
}

#[tokio::test]
async fn a_slip_that_is_sent_twice_moves_cash_once() {
    let browser = Browser::open().await;
    let fields = format!("slip={}&amount=12.50&way=in", new_id());
    for _ in 0..2 {
        assert_eq!(post(&browser, "/teller/ana/cash", &fields).await.status, 303);
    }
    assert_eq!(browser.bank.balance("ana").0, amount("112.5"));
    let out = format!("slip={}&amount=112.51&way=out", new_id());
    let page = post(&browser, "/teller/ana/cash", &out).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("There is not enough money") && page.text.contains("value=\"112.51\""), "{}", page.text);
}

#[tokio::test]
async fn the_counter_follows_no_form_without_the_token() {
    let browser = Browser::open().await;
    let slip = new_id();
    for (path, fields, status) in [
        ("/teller", "name=Eve&number=55555".to_owned(), 403),
        ("/teller/ana/cash", format!("slip={slip}&amount=5&way=in"), 403),
        ("/teller/ana/standing", "blocked=yes".to_owned(), 303),
        ("/teller/ana/register", String::new(), 303),
        ("/customers/ana/ask", format!("id={slip}&number=33333&amount=5"), 403),
    ] {
        let page = browser.request("POST", path, "localhost", format!("token=guessed&{fields}")).await;
        assert_eq!(page.status, status, "{path}");
    }
    assert_eq!(browser.bank.balance("ana").0, amount("100"));
    assert_eq!(browser.bank.customers().len(), 2);
    assert!(!browser.bank.standing("ana").is_blocked);
}

#[tokio::test]
async fn no_account_is_opened_while_the_network_cannot_say_whose_the_number_is() {
    let browser = Browser::open().await;
    let page = post(&browser, "/teller", "name=Eve&number=55555&tier=").await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("Nothing was opened"), "{}", page.text);
    assert_eq!(browser.bank.customers().len(), 2);
}

#[tokio::test]
async fn a_code_shows_what_it_says_and_what_is_typed_stays() {
    let browser = Browser::open().await;
    let page = browser.get("/customers/ana/code?amount=7.5&reference=Bill+%3C1%3E").await;
    assert_eq!(page.status, 200);
    for text in ["role=\"img\"", "KES 7.50 to ana of Green", "Bill &lt;1&gt;"] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    let page = browser.get("/customers/ana/code?amount=seven&reference=").await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("amount-fault") && page.text.contains("value=\"seven\""), "{}", page.text);
    assert_eq!(browser.get("/pay?code=nonsense").await.status, 422);
    assert_eq!(browser.get("/customers/ana/send?code=nonsense").await.status, 303);
}

#[tokio::test]
async fn the_statement_is_a_page_and_a_file() {
    let browser = Browser::open().await;
    received(&browser, "1234.5");
    let page = browser.get("/customers/ana/statement").await.text;
    for text in ["Deposit at the opening", "From Zoë", "+1,234.50", "Closing balance", "1,334.50"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let file = browser.get("/customers/ana/statement.csv").await;
    assert!(file.text.contains(",From Zoë,,1234.5,1334.5,KES\r\n"), "{}", file.text);
    assert_eq!(browser.get("/customers/ana/statement?from=2026-02-30x").await.status, 422);
    assert_eq!(browser.get("/customers/ana/statement.csv?from=x").await.status, 422);
}

#[tokio::test]
async fn only_ones_own_received_payment_can_be_given_back() {
    let browser = Browser::open().await;
    let payment = received(&browser, "40");
    let form = format!("send?refund_of={}", payment.id);
    let own = browser.get(&format!("/customers/ana/{form}")).await;
    assert!(own.text.contains("Give money back") && own.text.contains("value=\"40\""), "{}", own.text);
    assert_eq!(browser.get(&format!("/customers/ben/{form}")).await.status, 404);
    assert_eq!(browser.get("/customers/ana/send?refund_of=x").await.status, 404);
    let more = format!("number=33333&amount=40.01&mode=receive&refund_of={}", payment.id);
    let page = post(&browser, "/customers/ana/send", &more).await;
    assert!(page.text.contains("at most KES 40.00 can still be given back"), "{}", page.text);
    let elsewhere = format!("number=44444&amount=1&mode=receive&refund_of={}", payment.id);
    let page = post(&browser, "/customers/ana/send", &elsewhere).await;
    assert!(page.text.contains("Nothing was received from this number"), "{}", page.text);
    let nonsense = post(&browser, "/customers/ana/send", "number=33333&amount=1&refund_of=x").await;
    assert_eq!(nonsense.status, 422);
    assert_eq!(browser.bank.balance("ana"), (amount("140"), amount("140")));
}

#[tokio::test]
async fn a_request_that_cannot_leave_is_told_and_moves_nothing() {
    let browser = Browser::open().await;
    let fields = format!("id={}&number=33333&amount=5&note=", new_id());
    let page = post(&browser, "/customers/ana/ask", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("The payment network cannot be reached"), "{}", page.text);
    assert!(browser.bank.requests_of("ana", 1).is_empty());
    assert_ne!(browser.bank.balance("ana").0, Amount::ZERO);
}
