//! What has been received is given back, in parts and never more; the statement adds up.

use crate::driver::{Browser, View};
use crate::stage;

async fn pay(browser: &Browser, bank: &str, [customer, number, amount]: [&str; 3], total: &str) {
    browser.visit(&format!("{bank}/customers/{customer}/send")).await;
    browser.fill("Phone number of the person", number).await;
    browser.fill("Amount", amount).await;
    browser.press("Continue").await;
    browser.press(&format!("Pay KES {total}")).await;
    browser.sees(&["Paid"]).await;
}

#[tokio::test]
async fn a_payment_is_given_back_in_parts_and_never_more_than_was_received() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    pay(&browser, &demo.green, ["amina", "9992000001", "200"], "203.01").await;
    let home = format!("{}/customers/baraka", demo.blue);
    browser.visit(&home).await;
    browser.sees_after_reloading("Received").await;
    browser.follow("From Amina").await;
    let receipt = browser.address().await;
    browser.follow("Give money back").await;
    browser.sees(&["Give money back", "It goes back to where it came from."]).await;
    assert_eq!(browser.value("Phone number of the person").await, "9991000001");
    assert_eq!(browser.value("Amount").await, "200");
    browser.picture("give-back").await;
    browser.fill("Amount", "50").await;
    browser.press("Continue").await;
    browser.sees(&["This gives money back that you have received.", "Amina Odhiambo"]).await;
    browser.press("Pay KES 50.00").await;
    browser.sees(&["Paid", "This gives money back of an earlier payment."]).await;
    browser.visit(&receipt).await;
    browser.sees(&["KES 150.00 of it can still be given back."]).await;
    browser.picture("given-back-in-part").await;
    browser.follow("Give money back").await;
    assert_eq!(browser.value("Amount").await, "150");
    browser.fill("Amount", "150.01").await;
    browser.press("Continue").await;
    browser.sees(&["Of this payment at most KES 150.00 can still be given back."]).await;
    browser.fill("Amount", "150").await;
    browser.press("Continue").await;
    browser.press("Pay KES 150.00").await;
    browser.sees(&["Paid"]).await;
    browser.visit(&receipt).await;
    let text = browser.text().await;
    assert!(!text.contains("Give money back"), "{text}");
    browser.visit(&home).await;
    browser.sees(&["KES 8,000.00"]).await;
    browser.visit(&format!("{}/customers/amina", demo.green)).await;
    browser.sees_after_reloading("KES 49,996.99").await;
    browser.follow("From Baraka").await;
    browser.sees(&["You received money", "This gives money back of an earlier payment."]).await;
    browser.follow("an earlier payment").await;
    browser.sees(&["Paid", "Baraka Kimani", "KES 203.01"]).await;
}

#[tokio::test]
async fn a_statement_adds_up() {
    let (browser, demo) = stage(View::Phone, &[]).await;
    pay(&browser, &demo.green, ["amina", "9992000001", "1250"], "1,268.81").await;
    browser.follow("Back to the account").await;
    browser.follow("Statement").await;
    browser.sees(&["Deposit at the opening", "+50,000.00", "To Baraka Kimani", "−1,268.81"]).await;
    browser.sees(&["Opening balance 0.00", "Closing balance 48,731.19"]).await;
    browser.picture("statement").await;
    let file = browser.attribute("main p a[href*='statement.csv']", "href").await;
    assert!(file.contains("/customers/amina/statement.csv?from=20"), "{file}");
    browser
        .run("document.querySelector('#from').value = '2020-01-02'; document.querySelector('#to').value = '2020-01-03'")
        .await;
    browser.press("Show").await;
    let empty = browser.sees(&["Opening balance 0.00", "Closing balance 0.00"]).await;
    assert!(!empty.contains("Baraka"), "{empty}");
    browser.run("document.querySelector('#from').value = '2020-01-04'").await;
    browser.press("Show").await;
    browser.sees(&["Write days as year-month-day"]).await;
}
