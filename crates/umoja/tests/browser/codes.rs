//! Being paid by code: a bill's code and a code without an amount, opened in another bank's wallet or put in as text.

use crate::driver::{Browser, View};
use crate::stage;

async fn code_text(browser: &Browser) -> String {
    browser.run("return document.querySelector('.text').textContent").await.as_str().unwrap().to_owned()
}

async fn a_bill_is_paid_by_its_code(view: View) {
    let (browser, demo) = stage(view, &[]).await;
    browser.visit(&demo.blue).await;
    browser.follow("Baraka Kimani").await;
    browser.follow("Show my code").await;
    browser.sees(&["Baraka Kimani, who says the amount"]).await;
    browser.fill("Amount in KES (if you like)", "75.50").await;
    browser.fill("Bill number (if you like)", "Bill 17").await;
    browser.press("Make the code").await;
    browser.sees(&["KES 75.50 to Baraka Kimani"]).await;
    assert_eq!(browser.attribute("svg", "role").await, "img");
    browser.picture("code").await;
    browser.follow("Open in Green Bank").await;
    browser.sees(&["Who pays?", "KES 75.50"]).await;
    browser.picture("who-pays").await;
    browser.follow("Amina Odhiambo").await;
    assert_eq!(browser.value("Phone number of the person").await, "9992000001");
    assert_eq!(browser.value("Amount").await, "75.5");
    assert_eq!(browser.value("Message (if you like)").await, "Bill 17");
    browser.press("Continue").await;
    browser.sees(&["Baraka Kimani", "They get\nKES 75.50", "Bill 17"]).await;
    browser.press("Pay KES 76.88").await;
    browser.sees(&["Paid", "Bill 17"]).await;
    browser.visit(&demo.blue).await;
    browser.follow("Baraka").await;
    browser.sees_after_reloading("Received").await;
    browser.sees(&["+KES 75.50", "KES 8,075.50"]).await;
}

#[tokio::test]
async fn a_bill_is_paid_by_its_code_on_a_phone() {
    a_bill_is_paid_by_its_code(View::Phone).await;
}

#[tokio::test]
async fn a_bill_is_paid_by_its_code_in_dark_colours() {
    a_bill_is_paid_by_its_code(View::PhoneAtNight).await;
}

#[tokio::test]
async fn a_bill_is_paid_by_its_code_without_scripts() {
    a_bill_is_paid_by_its_code(View::PhoneWithoutScript).await;
}

#[tokio::test]
async fn the_text_of_a_code_is_put_in_and_the_payer_says_the_amount() {
    let (browser, demo) = stage(View::Desktop, &[]).await;
    browser.visit(&format!("{}/customers/neema/code", demo.blue)).await;
    browser.picture("code").await;
    let text = code_text(&browser).await;
    let scan = format!("{}/customers/daudi/scan", demo.green);
    browser.visit(&scan).await;
    browser.picture("scan").await;
    browser.fill("Text of the code", &text.replace("Neema", "Nemea")).await;
    browser.press("Continue").await;
    browser.sees(&["This is no code that can be paid here."]).await;
    browser.fill("Text of the code", &text).await;
    browser.press("Continue").await;
    assert_eq!(browser.value("Phone number of the person").await, "9992000002");
    assert_eq!(browser.value("Amount").await, "");
    browser.fill("Amount", "20").await;
    browser.press("Continue").await;
    browser.sees(&["Neema Achieng", "They get\nKES 20.00"]).await;
}
