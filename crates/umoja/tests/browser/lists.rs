//! Many people are paid from one list.

use crate::driver::View;
use crate::stage;

async fn a_list_is_read_looked_up_and_paid(view: View) {
    let (browser, demo) = stage(view, &["--expire-after", "3"]).await;
    browser.visit(&demo.green).await;
    browser.follow("Juma Traders").await;
    browser.follow("Pay a list").await;
    browser.fill("List, amounts in KES", "9992000001,100\n12,5\n").await;
    browser.press("Look up the names").await;
    browser.sees(&["Line 2: write a phone number"]).await;
    browser.picture("list-faults").await;
    let text = "9992000001,100,wages\n9990000000,5\n9992000003,20,wages\n9992000002,30.50,wages\n";
    browser.fill("List, amounts in KES", text).await;
    browser.press("Look up the names").await;
    browser
        .sees(&["Are these the right people?", "Baraka Kimani", "Neema Achieng", "Nobody in the payment network"])
        .await;
    browser.sees(&["Together KES 150.50"]).await;
    browser.picture("list-review").await;
    let list = browser.address().await;
    browser.press("Pay 3 people").await;
    browser.sees(&["The list is done", "4 of 4 lines are done."]).await;
    let done = browser.sees(&["Baraka Kimani", "Not paid"]).await;
    assert_eq!(done.matches("Paid").count(), 2, "{done}");
    browser.picture("list-done").await;
    // Asking for the same list again pays nobody twice.
    browser.visit(&list).await;
    browser.visit(&format!("{}/customers/baraka", demo.blue)).await;
    browser.sees_after_reloading("KES 8,100.00").await;
}

#[tokio::test]
async fn a_list_is_read_looked_up_and_paid_on_a_phone() {
    a_list_is_read_looked_up_and_paid(View::Phone).await;
}

#[tokio::test]
async fn a_list_is_read_looked_up_and_paid_without_scripts() {
    a_list_is_read_looked_up_and_paid(View::PhoneWithoutScript).await;
}
