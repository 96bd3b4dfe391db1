//! Payments in the payer's currency that the payee's DFSP has converted: a hub, two DFSPs and foreign exchange providers over
//! HTTP, and the ways in which such a payment can end. After each, the hub's positions are the participants' own.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[expect(dead_code, reason = "some of it is for payments that the payer's DFSP converts")]
mod fx_world;

use dfsp::{Account, Payment, State, TreasuryTemper};
use fx_world::{World, amount, bank, code, in_kes, kes, number, payees, tzs};
use sdk::{AmountType, CallError, Decision, ErrorCode, Party, QuoteOrder, TransferOrder, new_id, now};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use vocabulary::{Amount, CorrelationId, Money};

const WILLING: [(&str, u32, TreasuryTemper); 1] = [("fxp", 20, TreasuryTemper::Willing)];

impl World {
    /// The payment as the payee's DFSP has it.
    fn taken(&self, id: CorrelationId) -> Payment {
        self.payee.bank().payment(id).unwrap()
    }

    /// Nobody owes anybody anything, and Ana has all her money.
    fn assert_untouched(&self) {
        let positions = [kes(), tzs()].map(|currency| self.position(0, currency));
        assert_eq!((self.balance(), positions), (amount("1000"), [Amount::ZERO; 2]));
        assert_eq!(self.payee.bank().balance_of(&Account::Position), Amount::ZERO);
    }

    /// A question of Ana's DFSP that its wallet would not ask.
    async fn order(&self, to: &str, amount_type: AmountType, amount: Money) -> QuoteOrder {
        let connection = self.payer.bank().connection();
        let payee = connection.find(&number(to)).await.unwrap();
        let payer = Party {
            id: number("11111"),
            fsp: connection.name().clone(),
            name: Some("Ana".into()),
            currencies: vec![kes()],
        };
        let (quote_id, transaction_id) = (new_id(), new_id());
        let (note, refund_of, request) = (None, None, None);
        QuoteOrder { quote_id, transaction_id, payer, payee, amount_type, amount, note, refund_of, request }
    }

    /// The payee's DFSP stops and starts again, with books in a directory and a hub at another address.
    async fn restart_payee(self, hub: SocketAddr, data: &Path) -> Self {
        let Self { hub: running, admin, payer, payee, providers } = self;
        let fspiop = payee.fspiop_address();
        payee.stop().await;
        let config = bank(hub, "lake", tzs(), payees());
        let payee = dfsp::start(dfsp::Config { fspiop, data: Some(data.to_owned()), ..config }).await.unwrap();
        Self { hub: running, admin, payer, payee, providers }
    }

    async fn refusal_of(&self, order: &QuoteOrder) -> ErrorCode {
        match self.payer.bank().connection().quote(order).await {
            Err(CallError::Answered(error)) => error.code,
            other => panic!("must be refused: {other:?}"),
        }
    }
}

/// Passes on what goes to the hub, but for messages that begin with `lost`: those never arrive, and are told to who waits.
async fn lose(hub: SocketAddr, lost: &'static str) -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (losses, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let losses = losses.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(hub).await?;
                let (mut from_hub, mut to_hub) = server.split();
                let (mut from_client, mut to_client) = client.split();
                let answers = tokio::io::copy(&mut from_hub, &mut to_client);
                let questions = async {
                    let mut buffer = vec![0; 65_536];
                    loop {
                        let length = from_client.read(&mut buffer).await?;
                        if length == 0 || buffer.starts_with(lost.as_bytes()) {
                            return io::Result::Ok(length > 0);
                        }
                        to_hub.write_all(&buffer[..length]).await?;
                    }
                };
                let is_lost = tokio::select! { lost = questions => lost?, _ = answers => false };
                if is_lost {
                    // The test may have seen enough.
                    let _ = losses.send(());
                }
                io::Result::Ok(())
            });
        }
    });
    (address, receiver)
}

fn is_paid(payment: &Payment) -> bool {
    matches!(payment.state, State::Completed { .. })
}

#[tokio::test]
async fn the_payer_sends_its_own_currency_and_the_payee_gets_another() {
    let world = World::start(&WILLING).await;
    let providers = world.payer.bank().connection().fx_providers(kes(), tzs()).await.unwrap();
    assert_eq!(providers, ["fxp".parse().unwrap()], "who has accounts in both currencies need not convert for others");
    let sent = world.pay("21114", AmountType::Send, in_kes("102")).await;
    assert!(is_paid(&sent), "{sent:?}");
    assert_eq!(sent.conversion, None, "the payer's DFSP converts nothing");
    assert_eq!((sent.transfer, sent.received, sent.received_in(kes())), (amount("102"), amount("2000"), tzs()));
    let taken = world.taken(sent.id);
    assert_eq!((taken.transfer, taken.sent_in(tzs()), taken.received), (amount("102"), kes(), amount("2000")));
    assert_eq!(taken.conversion.as_ref().map(|conversion| conversion.charge), Some(amount("2")));
    assert_eq!((world.balance(), world.payee.bank().balance("pia").0), (amount("897"), amount("3000")));
    // Contract, interscheme §3.5, conversion on the payee's side.
    let positions = [("green", kes(), "102"), ("fxp", kes(), "-102"), ("fxp", tzs(), "2000"), ("lake", tzs(), "-2000")];
    for (name, currency, position) in positions {
        assert_eq!(world.admin.position(name, currency).await.unwrap(), amount(position), "{name} {currency}");
    }
    world.check().await;
}

#[tokio::test]
async fn a_provider_that_rejects_the_payees_conversion_ends_the_payment() {
    let world = World::start(&[("fxp", 20, TreasuryTemper::Refusing)]).await;
    let payment = world.pay("21114", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&payment), Some(ErrorCode::PAYEE_REJECTED_TRANSACTION));
    assert_eq!(code(&world.taken(payment.id)), Some(ErrorCode::PAYEE_REJECTED_TRANSACTION));
    world.assert_untouched();
    world.check().await;
}

#[tokio::test]
async fn a_provider_that_never_answers_the_payee_lets_the_payment_expire() {
    let world = World::start(&[("fxp", 20, TreasuryTemper::Silent)]).await;
    let payment = world.pay("21114", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&payment), Some(ErrorCode::TRANSFER_EXPIRED));
    assert_eq!(code(&world.taken(payment.id)), Some(ErrorCode::TRANSFER_EXPIRED));
    world.assert_untouched();
    world.check().await;
}

#[tokio::test]
async fn a_provider_over_its_limit_makes_the_payee_refuse_the_transfer() {
    // 600,000 shillings are more than a participant of this scheme may owe.
    let world = World::start(&[("fxp", 6_000, TreasuryTemper::Willing)]).await;
    let payment = world.pay("21114", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&payment), Some(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION));
    assert_eq!(code(&world.taken(payment.id)), Some(ErrorCode::PAYER_LIMIT));
    world.assert_untouched();
    world.check().await;
}

#[tokio::test]
async fn a_payee_that_refuses_or_stays_silent_asks_nobody_to_convert() {
    let world = World::start(&WILLING).await;
    let refused = world.pay("21115", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&refused), Some(ErrorCode::PAYEE_REJECTED_TRANSACTION));
    let expired = world.pay("21116", AmountType::Send, in_kes("102")).await;
    assert_eq!(code(&expired), Some(ErrorCode::TRANSFER_EXPIRED));
    for payment in [&refused, &expired] {
        let conversion = world.taken(payment.id).conversion.unwrap().id;
        assert_eq!(world.providers[0].1.treasury().state(conversion), None);
    }
    world.assert_untouched();
    world.check().await;
}

#[tokio::test]
async fn the_payee_chooses_the_best_of_the_providers_that_answer() {
    let providers = [
        ("dear", 19, TreasuryTemper::Willing),
        ("fair", 20, TreasuryTemper::Willing),
        ("cheapbutmute", 25, TreasuryTemper::Mute),
    ];
    let world = World::start(&providers).await;
    let payment = world.pay("21114", AmountType::Send, in_kes("102")).await;
    assert!(is_paid(&payment) && payment.received == amount("2000"), "{payment:?}");
    let conversion = world.taken(payment.id).conversion;
    assert_eq!(conversion.as_ref().map(|conversion| conversion.provider.as_str()), Some("fair"));
    assert_eq!(world.position(0, kes()), Amount::ZERO);
    world.check().await;
}

#[tokio::test]
async fn what_cannot_be_converted_is_not_quoted() {
    let world = World::start(&WILLING).await;
    let dollars = Money { amount: amount("5"), currency: "USD".parse().unwrap() };
    for (to, amount_type, money) in [
        // A currency that the customer does not take, a customer who takes no other one, and an amount that is received in
        // a currency in which nobody receives.
        ("21114", AmountType::Send, dollars),
        ("21111", AmountType::Send, in_kes("102")),
        ("21114", AmountType::Receive, in_kes("102")),
    ] {
        let order = world.order(to, amount_type, money).await;
        assert_eq!(world.refusal_of(&order).await, ErrorCode::PAYEE_UNSUPPORTED_CURRENCY, "{to} {money:?}");
    }
    let too_little = world.order("21114", AmountType::Send, in_kes("2")).await;
    assert_eq!(world.refusal_of(&too_little).await, ErrorCode::PAYEE_FSP_REJECTED_QUOTE, "the fee eats it");
    world.check().await;
}

#[tokio::test]
async fn without_a_provider_or_with_a_mute_one_there_are_no_terms() {
    let nobody = World::start(&[]).await;
    let order = nobody.order("21114", AmountType::Send, in_kes("102")).await;
    assert_eq!(nobody.refusal_of(&order).await, ErrorCode::PAYEE_UNSUPPORTED_CURRENCY);
    nobody.check().await;
    let mute = World::start(&[("fxp", 20, TreasuryTemper::Mute)]).await;
    let order = mute.order("21114", AmountType::Send, in_kes("102")).await;
    assert_eq!(mute.refusal_of(&order).await, ErrorCode::PAYEE_FSP_REJECTED_QUOTE);
    // What was not answered is not remembered: the next question gets terms.
    mute.providers[0].1.treasury().behave(TreasuryTemper::Willing);
    let order = QuoteOrder { quote_id: new_id(), ..order };
    assert!(mute.payer.bank().connection().quote(&order).await.is_ok());
    mute.check().await;
}

#[tokio::test]
async fn a_quote_and_a_transfer_that_are_repeated_are_answered_as_before() {
    let world = World::start(&WILLING).await;
    let connection = world.payer.bank().connection();
    let order = world.order("21114", AmountType::Send, in_kes("102")).await;
    let (first, second) = tokio::join!(connection.quote(&order), connection.quote(&order));
    let third = connection.quote(&order).await.unwrap();
    let (first, second) = (first.unwrap(), second.unwrap());
    for again in [&second, &third] {
        assert_eq!((&again.packet, again.condition), (&first.packet, first.condition));
        assert_eq!((again.transfer, again.received), (first.transfer, first.received));
    }
    let id = world.start_payment("21114", AmountType::Send, in_kes("102")).await;
    for _ in 0..3 {
        world.payer.bank().send_again(id).await.unwrap().unwrap();
    }
    assert!(is_paid(&world.end_of(id).await));
    world.payer.bank().send_again(id).await.unwrap().unwrap();
    assert_eq!((world.balance(), world.position(0, tzs())), (amount("897"), amount("2000")));
    world.check().await;
}

#[tokio::test]
async fn a_payees_dfsp_that_restarts_goes_on_where_it_was() {
    // Before the hub hears of the conversion, and between the provider's word and the fulfilment.
    for (lost, event) in [("POST /fxTransfers", "payment_opened"), ("PUT /transfers/", "payment_accepted")] {
        let directory = tempfile::tempdir().unwrap();
        let (before, after) = (directory.path().join("before"), directory.path().join("after"));
        let world = World::start_with(&WILLING, Duration::from_secs(40)).await;
        let hub = world.hub.addresses().fspiop;
        let (broken, mut losses) = lose(hub, lost).await;
        let world = world.restart_payee(broken, &before).await;
        let id = world.start_payment("21114", AmountType::Send, in_kes("102")).await;
        losses.recv().await.unwrap();
        assert!(world.taken(id).is_pending() && world.payee.bank().balance("pia").0 == amount("1000"), "{lost}");
        // The books as a crash would leave them; who is stopped here goes on in vain.
        std::fs::create_dir(&after).unwrap();
        std::fs::copy(before.join("journal.jsonl"), after.join("journal.jsonl")).unwrap();
        let journal = std::fs::read_to_string(after.join("journal.jsonl")).unwrap();
        assert!(journal.lines().last().unwrap().contains(event), "{journal}");
        let world = world.restart_payee(hub, &after).await;
        assert!(is_paid(&world.end_of(id).await), "{lost}");
        assert_eq!(world.payee.bank().balance("pia").0, amount("3000"), "{lost}");
        world.check().await;
    }
}

#[tokio::test]
async fn terms_are_for_the_transfer_of_their_transaction_alone() {
    let world = World::start(&WILLING).await;
    let connection = world.payer.bank().connection();
    let order = world.order("21114", AmountType::Send, in_kes("102")).await;
    let quote = connection.quote(&order).await.unwrap();
    let other = TransferOrder {
        id: new_id(),
        payee_fsp: quote.payee_fsp,
        amount: quote.transfer,
        packet: quote.packet,
        condition: quote.condition,
        expiration: now().plus_millis(2_000),
    };
    let Ok(Decision::Aborted(error)) = connection.send(&other).await else { panic!("must be refused") };
    assert_eq!(error.code, ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
    world.assert_untouched();
    world.check().await;
}

#[tokio::test]
async fn payments_that_are_converted_at_the_same_time_do_not_mix() {
    let world = World::start(&WILLING).await;
    let mut started = Vec::new();
    for number in 1..=5_u32 {
        let money = in_kes(&format!("{}", 2 + number * 10));
        started.push((number, world.start_payment("21114", AmountType::Send, money).await));
    }
    for (number, id) in started {
        let payment = world.end_of(id).await;
        assert!(is_paid(&payment), "{payment:?}");
        assert_eq!(payment.received, amount(&format!("{}", number * 200)));
    }
    assert_eq!(world.payee.bank().balance("pia").0, amount("4000"));
    world.check().await;
}
