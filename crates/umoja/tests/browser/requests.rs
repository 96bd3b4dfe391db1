//! Requests to pay: asked at one bank, answered at the other.

use crate::demo::Demo;
use crate::driver::{Browser, View};
use crate::stage;

/// Neema of Blue Wallet asks Daudi of Green Bank for 120; the address of her request.
async fn ask(browser: &Browser, demo: &Demo) -> String {
    browser.visit(&demo.blue).await;
    browser.follow("Neema Achieng").await;
    browser.follow("Ask for money").await;
    browser.fill("Phone number of the person", "9991000002").await;
    browser.fill("Amount in KES that you get", "120").await;
    browser.fill("What for (if you like)", "Tomatoes").await;
    browser.picture("ask").await;
    browser.press("Ask").await;
    browser.sees(&["You ask for money", "Waiting", "Daudi Mwangi", "KES 120.00", "Tomatoes"]).await;
    browser.address().await
}

async fn who_is_asked_sees_the_fees_and_pays(view: View) {
    let (browser, demo) = stage(view, &[]).await;
    let request = ask(&browser, &demo).await;
    browser.visit(&demo.green).await;
    browser.follow("Daudi Mwangi").await;
    browser.sees(&["Neema Achieng asks you", "Waiting"]).await;
    browser.picture("asked").await;
    browser.follow("Neema Achieng asks you").await;
    browser.sees(&["You are asked for money", "KES 120.00", "Tomatoes"]).await;
    browser.picture("request").await;
    browser.press("See the fees and pay").await;
    browser.sees(&["Is this right?", "They get\nKES 120.00", "Fee of bluewallet\nKES 0.60"]).await;
    browser.press("Pay KES 121.81").await;
    browser.sees(&["Paid"]).await;
    browser.follow("Back to the account").await;
    browser.sees(&["Neema Achieng asks you", "Paid", "KES 12,378.69"]).await;
    browser.visit(&request).await;
    browser.sees_after_reloading("See the payment").await;
    browser.sees_after_reloading("Paid").await;
    browser.follow("Back to the account").await;
    browser.sees(&["KES 770.25", "You ask Daudi Mwangi"]).await;
}

#[tokio::test]
async fn who_is_asked_for_money_sees_the_fees_and_pays() {
    who_is_asked_sees_the_fees_and_pays(View::Phone).await;
}

#[tokio::test]
async fn who_is_asked_for_money_pays_without_scripts() {
    who_is_asked_sees_the_fees_and_pays(View::PhoneWithoutScript).await;
}

#[tokio::test]
async fn who_is_asked_for_money_refuses_and_the_other_side_hears_it() {
    let (browser, demo) = stage(View::Desktop, &[]).await;
    let request = ask(&browser, &demo).await;
    browser.visit(&demo.green).await;
    browser.follow("Daudi").await;
    browser.follow("Neema Achieng asks you").await;
    browser.press("Refuse").await;
    let page = browser.sees(&["Refused"]).await;
    assert!(!page.contains("See the fees and pay"), "{page}");
    browser.visit(&request).await;
    browser.sees_after_reloading("Refused").await;
    browser.visit(&format!("{}/customers/daudi", demo.green)).await;
    browser.sees(&["KES 12,500.50", "No payments yet."]).await;
}
