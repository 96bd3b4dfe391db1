//! Payments in two currencies from end to end: a hub, two DFSPs and foreign exchange providers over HTTP, and the ways in
//! which such a payment can end. After each, the hub's positions are the participants' own.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod fx_world;

use dfsp::{State, TreasuryTemper};
use fx_world::{World, amount, code, in_kes, in_tzs, kes, tzs};
use sdk::{AmountType, ErrorCode};
use vocabulary::Amount;

#[tokio::test]
async fn the_amount_may_be_fixed_on_either_side_and_all_books_agree() {
    let world = World::start(&[("fxp", 20, TreasuryTemper::Willing)]).await;
    let sent = world.pay("21111", AmountType::Send, in_kes("102")).await;
    assert!(matches!(sent.state, State::Completed { .. }), "{sent:?}");
    assert_eq!((sent.transfer, sent.received), (amount("102"), amount("2000")));
    assert_eq!(sent.conversion.as_ref().map(|conversion| conversion.charge), Some(amount("2")));
    assert_eq!(world.balance(), amount("897"));
    let wanted = world.pay("21111", AmountType::Receive, in_tzs("1000")).await;
    assert!(matches!(wanted.state, State::Completed { .. }), "{wanted:?}");
    assert_eq!((wanted.transfer, wanted.received), (amount("52"), amount("1000")));
    assert_eq!(world.balance(), amount("844"));
    assert_eq!(world.payee.bank().balance("zoe").0, amount("4000"));
    assert_eq!((world.position(0, kes()), world.position(0, tzs())), (amount("-154"), amount("3000")));
    world.check().await;
}

#[tokio::test]
async fn a_payee_that_rejects_and_one_that_never_answers_give_everything_back() {
    let world = World::start(&[("fxp", 20, TreasuryTemper::Willing)]).await;
    let rejected = world.pay("21112", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&rejected), Some(ErrorCode::PAYEE_REJECTED_TRANSACTION));
    let expired = world.pay("21113", AmountType::Receive, in_tzs("1000")).await;
    assert_eq!(code(&expired), Some(ErrorCode::TRANSFER_EXPIRED));
    assert_eq!((world.balance(), world.position(0, kes())), (amount("1000"), Amount::ZERO));
    world.check().await;
}

#[tokio::test]
async fn a_provider_that_rejects_ends_the_payment_before_its_transfer() {
    let world = World::start(&[("fxp", 20, TreasuryTemper::Refusing)]).await;
    let payment = world.pay("21111", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&payment), Some(ErrorCode::PAYEE_REJECTED_TRANSACTION));
    assert_eq!(world.payee.bank().payment(payment.id), None, "the payee never heard of it");
    assert_eq!(world.balance(), amount("1000"));
    world.check().await;
}

#[tokio::test]
async fn a_provider_over_its_limit_at_the_hub_gives_everything_back() {
    // 600,000 shillings are more than a participant of this scheme may owe.
    let world = World::start(&[("fxp", 6_000, TreasuryTemper::Willing)]).await;
    let payment = world.pay("21111", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&payment), Some(ErrorCode::PAYER_LIMIT));
    assert_eq!((world.balance(), world.position(0, kes())), (amount("1000"), Amount::ZERO));
    world.check().await;
}

#[tokio::test]
async fn a_provider_that_never_answers_lets_the_payment_expire() {
    let world = World::start(&[("fxp", 20, TreasuryTemper::Silent)]).await;
    let payment = world.pay("21111", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&payment), Some(ErrorCode::TRANSFER_EXPIRED));
    assert_eq!(world.balance(), amount("1000"));
    world.check().await;
}

#[tokio::test]
async fn the_best_of_those_who_answer_is_chosen() {
    let providers = [
        ("cheapbutmute", 25, TreasuryTemper::Mute),
        ("dear", 19, TreasuryTemper::Willing),
        ("fair", 20, TreasuryTemper::Willing),
    ];
    let world = World::start(&providers).await;
    let sent = world.pay("21111", AmountType::Send, in_kes("102")).await;
    let wanted = world.pay("21111", AmountType::Receive, in_tzs("1000")).await;
    for payment in [&sent, &wanted] {
        assert!(matches!(payment.state, State::Completed { .. }), "{payment:?}");
        assert_eq!(payment.conversion.as_ref().map(|conversion| conversion.provider.as_str()), Some("fair"));
    }
    assert_eq!(world.position(1, kes()), Amount::ZERO);
    world.check().await;
}
