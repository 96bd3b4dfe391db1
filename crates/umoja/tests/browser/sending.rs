//! Sending money: the whole way on a phone, without scripts, on a large screen, by keyboard; declined, refused, unanswered,
//! and into another currency.

use crate::driver::{Browser, View};
use crate::stage;

/// From the list of customers to the offer.
async fn ask(browser: &Browser, bank: &str, customer: &str, fields: [&str; 3]) {
    let [number, amount, mode] = fields;
    browser.visit(bank).await;
    browser.follow(customer).await;
    browser.follow("Send money").await;
    browser.fill("Phone number of the person", number).await;
    browser.fill("Amount", amount).await;
    browser.choose(mode).await;
}

const THEY_GET: &str = "what they get";
const I_SEND: &str = "what I send; their provider's fee comes out of it";

async fn money_is_sent(view: View) {
    let (browser, demo) = stage(view, &[]).await;
    browser.visit(&demo.green).await;
    browser.picture("customers").await;
    browser.follow("Amina Odhiambo").await;
    browser.sees(&["KES 50,000.00", "No payments yet."]).await;
    browser.follow("Send money").await;
    browser.fill("Phone number of the person", "+999 200 0001").await;
    browser.fill("Amount", "1,250").await;
    browser.fill("Message (if you like)", "For the <b>maize</b> & beans").await;
    browser.picture("send").await;
    browser.press("Continue").await;
    browser.sees(&["Baraka Kimani", "KES 1,250.00", "KES 6.25", "KES 12.56", "For the <b>maize</b> & beans"]).await;
    browser.picture("offer").await;
    browser.press("Pay KES 1,268.81").await;
    browser.sees(&["Paid", "KES 1,268.81", "Reference"]).await;
    browser.picture("paid").await;
    browser.follow("Back to the account").await;
    browser.sees(&["KES 48,731.19", "To Baraka Kimani", "−KES 1,268.81"]).await;
    browser.picture("home").await;
    browser.visit(&demo.blue).await;
    browser.follow("Baraka Kimani").await;
    browser.sees_after_reloading("Received").await;
    browser.sees(&["KES 9,250.00", "From Amina Odhiambo", "+KES 1,250.00"]).await;
}

#[tokio::test]
async fn money_is_sent_on_a_phone() {
    money_is_sent(View::Phone).await;
}

#[tokio::test]
async fn money_is_sent_on_a_phone_that_runs_no_scripts() {
    money_is_sent(View::PhoneWithoutScript).await;
}

#[tokio::test]
async fn money_is_sent_in_dark_colours() {
    money_is_sent(View::PhoneAtNight).await;
}

#[tokio::test]
async fn money_is_sent_on_a_large_screen() {
    money_is_sent(View::Desktop).await;
}

#[tokio::test]
async fn confirming_again_by_the_browsers_back_button_pays_once() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    ask(&browser, &demo.green, "Amina", ["9992000001", "100", THEY_GET]).await;
    browser.press("Continue").await;
    browser.press("Pay KES 101.51").await;
    browser.sees(&["Paid"]).await;
    browser.back().await;
    browser.press("Pay KES 101.51").await;
    browser.sees(&["Paid", "KES 101.51"]).await;
    browser.follow("Back to the account").await;
    browser.sees(&["KES 49,898.49"]).await;
}

#[tokio::test]
async fn who_sees_the_fees_and_declines_has_paid_nothing() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    ask(&browser, &demo.green, "Amina", ["9992000001", "200", I_SEND]).await;
    browser.press("Continue").await;
    browser.sees(&["They get\nKES 199.00", "Fee of bluewallet\nKES 1.00", "Our fee\nKES 2.00"]).await;
    let offer = browser.address().await;
    browser.press("Do not pay").await;
    let home = browser.sees(&["Nothing was paid.", "KES 50,000.00", "No payments yet."]).await;
    assert!(!home.contains("set aside"), "{home}");
    browser.picture("declined").await;
    browser.visit(&offer).await;
    browser.sees(&["This offer has expired"]).await;
    browser.visit(&demo.blue).await;
    browser.follow("Baraka").await;
    browser.sees(&["KES 8,000.00", "No payments yet."]).await;
}

#[tokio::test]
async fn faults_are_told_at_their_fields() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    ask(&browser, &demo.green, "Farida", ["12", "1.005", THEY_GET]).await;
    browser.press("Continue").await;
    browser.sees(&["Please check the marked fields.", "Write a phone number", "Write an amount above zero"]).await;
    assert_eq!(browser.value("Amount").await, "1.005");
    assert_eq!(browser.attribute("#amount", "aria-describedby").await, "amount-fault");
    browser.picture("faults").await;
    browser.fill("Phone number of the person", "9990000000").await;
    browser.fill("Amount", "10").await;
    browser.press("Continue").await;
    browser.sees(&["Nobody in the payment network has this number"]).await;
    browser.fill("Phone number of the person", "9992000001").await;
    browser.fill("Amount", "3000").await;
    browser.press("Continue").await;
    browser.sees(&["There is not enough money in your account"]).await;
}

#[tokio::test]
async fn a_payment_that_is_refused_or_not_answered_comes_back() {
    let (browser, demo) = stage(View::Phone, &["--expire-after", "3"]).await;
    for (number, amount, why) in [
        ("9992000003", "50", "The payment was refused on the other side."),
        ("9992000004", "60", "There was no answer in time."),
    ] {
        ask(&browser, &demo.green, "Daudi", [number, amount, THEY_GET]).await;
        browser.press("Continue").await;
        browser.press(&format!("Pay KES {}", if amount == "50" { "51.25" } else { "61.30" })).await;
        // The page loads itself again until the payment has ended, without a script.
        browser.sees(&["The payment was not made", why, "Nothing was taken from your account."]).await;
        browser.picture(&format!("not-made-{amount}")).await;
        browser.follow("Back to the account").await;
        browser.sees(&["KES 12,500.50", "Not paid"]).await;
    }
}

#[tokio::test]
async fn the_rate_is_shown_before_money_goes_into_another_currency() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    ask(&browser, &demo.green, "Amina", ["9993000001", "1000", I_SEND]).await;
    browser.press("Continue").await;
    let offer =
        browser.sees(&["Rehema Mushi", "They get\nTZS", "Converted by savannafx\nKES 1,000.00", "1 KES = TZS"]).await;
    assert!(offer.contains("Of it, fee of savannafx"), "{offer}");
    browser.picture("offer-converted").await;
    let received = offer.split("They get\nTZS ").nth(1).unwrap().lines().next().unwrap().to_owned();
    browser.press("Pay KES 1,010.00").await;
    browser.sees(&["Paid", &format!("TZS {received}"), "1 KES = TZS"]).await;
    browser.picture("paid-converted").await;
    browser.visit(&demo.lake).await;
    browser.follow("Rehema").await;
    browser.sees_after_reloading("From Amina Odhiambo").await;
    browser.sees(&[&format!("+TZS {received}")]).await;
}

#[tokio::test]
async fn every_control_of_the_form_is_reached_by_keyboard_and_says_what_it_is() {
    let (browser, demo) = stage(View::Desktop, &[]).await;
    browser.visit(&format!("{}/customers/amina/send", demo.green)).await;
    let mut reached = Vec::new();
    while reached.last().is_none_or(|last: &String| !last.ends_with("Continue")) {
        assert!(reached.len() < 20, "{reached:?}");
        reached.push(browser.tab().await);
        let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle").await;
        assert_ne!(outline.as_str(), Some("none"), "nobody sees the focus on {reached:?}");
    }
    let wanted = [
        "link Skip to the content",
        "link Green Bank",
        "link Amina Odhiambo",
        "link Switch",
        "textbox Phone number of the person",
        "textbox Amount",
        "combobox Currency of the amount",
        "radio what they get",
        "textbox Message (if you like)",
        "button Continue",
    ];
    assert_eq!(reached, wanted);
}
