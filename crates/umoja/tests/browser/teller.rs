//! The counter: an account is opened and is part of the scheme at once; limits and blocks hold in both directions.

use crate::driver::{Browser, View};
use crate::stage;

async fn try_to_pay(browser: &Browser, bank: &str, [customer, number, amount]: [&str; 3]) {
    browser.visit(&format!("{bank}/customers/{customer}/send")).await;
    browser.fill("Phone number of the person", number).await;
    browser.fill("Amount", amount).await;
    browser.press("Continue").await;
}

#[tokio::test]
async fn a_customer_of_the_counter_is_paid_and_pays_within_her_limits() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    browser.visit(&demo.green).await;
    browser.follow("Teller").await;
    browser.picture("teller").await;
    browser.fill("Name of the customer", "Zawadi Otieno").await;
    browser.fill("Phone number", "+999 100 0077").await;
    browser.choose("Basic").await;
    browser.press("Open the account").await;
    browser.sees(&["Zawadi Otieno", "The account is open and its number is registered", "KES 0.00"]).await;
    let desk = browser.address().await;
    browser.fill("Amount in KES", "5,000").await;
    browser.press("Take cash in").await;
    browser.sees(&["The cash is booked.", "KES 5,000.00"]).await;
    browser.picture("teller-customer").await;
    browser.fill("Amount in KES", "5000.01").await;
    browser.press("Take cash in").await;
    browser.sees(&["The account may hold at most KES 10,000.00."]).await;
    browser.press("Give cash out").await;
    browser.sees(&["There is not enough money in the account."]).await;
    browser.fill("Amount in KES", "500").await;
    browser.press("Give cash out").await;
    browser.sees(&["The cash is booked.", "KES 4,500.00"]).await;

    try_to_pay(&browser, &demo.blue, ["baraka", "9991000077", "1000.01"]).await;
    browser.sees(&["This is more than this person's account can take. Nothing was sent."]).await;
    try_to_pay(&browser, &demo.blue, ["baraka", "9991000077", "700"]).await;
    browser.sees(&["Zawadi Otieno"]).await;
    browser.press("Pay KES 700.00").await;
    browser.sees(&["Paid"]).await;

    try_to_pay(&browser, &demo.green, ["c9991000077", "9992000001", "1200"]).await;
    browser.sees(&["Your account allows at most KES 1,000.00 in one payment."]).await;
    for _ in 0..3 {
        try_to_pay(&browser, &demo.green, ["c9991000077", "9992000001", "900"]).await;
        browser.press("Pay KES 913.55").await;
        browser.sees(&["Paid"]).await;
    }
    try_to_pay(&browser, &demo.green, ["c9991000077", "9992000001", "900"]).await;
    // Each of the three has taken 904.50 out of the day, which is what left for the payee's bank.
    browser.sees(&["Of what your account may send in one day, KES 286.50 are left today."]).await;

    browser.visit(&desk).await;
    browser.choose("Blocked: neither pays nor is paid").await;
    browser.press("Write down").await;
    browser.sees(&["The change is written down."]).await;
    try_to_pay(&browser, &demo.green, ["c9991000077", "9992000001", "10"]).await;
    browser.sees(&["This account is blocked. Please talk to us at the counter."]).await;
    try_to_pay(&browser, &demo.blue, ["baraka", "9991000077", "10"]).await;
    browser.sees(&["This person's account takes no payments at the moment. Nothing was sent."]).await;
    browser.visit(&format!("{}/teller", demo.green)).await;
    browser.sees(&["Basic, blocked"]).await;
}

#[tokio::test]
async fn a_number_of_another_bank_gets_no_account() {
    let (browser, demo) = stage(View::Desktop, &[]).await;
    browser.visit(&format!("{}/teller", demo.green)).await;
    browser.fill("Name of the customer", "Somebody").await;
    browser.fill("Phone number", "9992000001").await;
    browser.press("Open the account").await;
    browser.sees(&["This number belongs to a customer of bluewallet. Nothing was opened."]).await;
    browser.picture("teller").await;
    browser.fill("Phone number", "9991000001").await;
    browser.press("Open the account").await;
    browser.sees(&["Amina Odhiambo", "This number has an account here already."]).await;
}
