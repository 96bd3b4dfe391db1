//! A payee that answers RESERVED and waits for its hub's word, as careful DFSPs do: both ends are example DFSPs. What ends
//! the payment is then made and signed by the payee's hub, whose key both ends know.

use crate::world::{End, World, usd};
use crate::{assert_signed_by, assert_untouched};
use dfsp::{Customer, FeeRule, Fees, State, Temper, Wish};
use sdk::AmountType;
use std::time::Duration;
use vocabulary::{Amount, Money, PartyId, PartyIdType};

/// Generous: a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(text: &str) -> PartyId {
    PartyId::try_new(PartyIdType::Msisdn, text, None).unwrap()
}

async fn open(world: &World, end: &mut End, customer: (&str, &str)) -> dfsp::Running {
    let (id, msisdn) = customer;
    let customer = Customer {
        id: id.into(),
        name: format!("{id} the customer"),
        number: number(msisdn),
        deposit: Amount::parse("1000").unwrap(),
        temper: Temper::Welcoming,
        takes: Vec::new(),
        tier: String::new(),
    };
    let config = dfsp::Config {
        connection: end.connection(),
        title: end.name.into(),
        hue: 0,
        currency: usd(),
        foreign: Vec::new(),
        fees: Fees { sending: FeeRule::FREE, receiving: FeeRule::FREE, decimals: 2 },
        tiers: Vec::new(),
        customers: vec![customer],
        suggestions: Vec::new(),
        fspiop: ([127, 0, 0, 1], 0).into(),
        wallet: ([127, 0, 0, 1], 0).into(),
        data: None,
        transfer_lifetime: Duration::from_secs(30),
        quote_lifetime: Duration::from_secs(60),
    };
    let running = dfsp::start(config).await.unwrap();
    world.join(end, running.fspiop_address()).await;
    running.register_customers().await.unwrap();
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commit_of_a_payee_that_reserved_is_made_and_signed_by_its_hub_and_verified_at_both_ends() {
    let world = World::start().await;
    let (mut payer, mut payee) = (world.end("greenbank", 0).await, world.end("bluebank", 2).await);
    payer.introduce_to(&payee);
    payee.introduce_to(&payer);
    let green = open(&world, &mut payer, ("ana", "111")).await;
    let blue = open(&world, &mut payee, ("zoe", "222")).await;
    let amount = Money { amount: Amount::parse("25.5").unwrap(), currency: usd() };
    let (customer, amount_type, note, refund_of) = ("ana".to_owned(), AmountType::Send, None, None);
    let wish = Wish { customer, to: number("222"), amount, amount_type, note, refund_of, request: None };
    let offer = green.bank().offer(wish).await.unwrap();
    let id = green.bank().confirm(offer.id).unwrap();
    for bank in [green.bank(), blue.bank()] {
        let payment = tokio::time::timeout(PATIENCE, bank.settled(id)).await.unwrap().unwrap();
        assert!(matches!(payment.state, State::Completed { .. }), "{payment:?}");
    }

    let [back_1, there_2, back_2] = [1, 2, 3].map(|number| &world.between[number]);
    let there = [&payer.sent, &world.between[0], there_2, payee.received()];
    let prepared = assert_untouched("POST /transfers", &there);
    assert_signed_by(&prepared, "greenbank", &payee);
    let put = format!("PUT /transfers/{id}");
    let reserved = payee.sent.get(&put);
    assert!(String::from_utf8_lossy(&reserved.body).contains("RESERVED"));
    // From the payee's hub on it is another message: the hub's.
    let committed = assert_untouched(&put, &[back_2, back_1, payer.received()]);
    assert!(String::from_utf8_lossy(&committed.body).contains("COMMITTED"));
    assert_signed_by(&committed, "hub-b", &payer);
    let noticed = payee.received().get(&format!("PATCH /transfers/{id}"));
    assert!(String::from_utf8_lossy(&noticed.body).contains("COMMITTED"));
    assert_signed_by(&noticed, "hub-b", &payee);
    green.stop().await;
    blue.stop().await;
    world.stop().await;
}
