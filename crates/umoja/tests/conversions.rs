//! Payments in two currencies from end to end: a hub, two DFSPs and foreign exchange providers over HTTP, and the ways in
//! which such a payment can end. After each, the hub's positions are the participants' own.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[path = "../src/demo/admin.rs"]
#[expect(dead_code, reason = "a test of one scheme needs no routes")]
mod admin;

use admin::{Admin, Member, Role};
use dfsp::{
    Account, Bank, Customer, FeeRule, Fees, Market, Payment, Rate, RunningTreasury, State, Temper, TreasuryConfig,
    TreasuryTemper, Wish,
};
use sdk::{AmountType, ErrorCode, TransferState, new_id};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use vocabulary::{Amount, Currency, Money, PartyId, PartyIdType};

/// Generous: a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);
const LIFETIME: Duration = Duration::from_secs(2);
const ANY: [u8; 4] = [127, 0, 0, 1];

struct World {
    hub: hub::Running,
    admin: Admin,
    payer: dfsp::Running,
    payee: dfsp::Running,
    providers: Vec<(&'static str, RunningTreasury)>,
}

fn kes() -> Currency {
    "KES".parse().unwrap()
}

fn tzs() -> Currency {
    "TZS".parse().unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

fn number(text: &str) -> PartyId {
    PartyId::try_new(PartyIdType::Msisdn, text, None).unwrap()
}

fn customer(id: &str, msisdn: &str, temper: Temper) -> Customer {
    Customer {
        id: id.into(),
        name: format!("{id} the customer"),
        number: number(msisdn),
        deposit: amount("1000"),
        temper,
    }
}

fn bank(hub: SocketAddr, name: &str, currency: Currency, customers: Vec<Customer>) -> dfsp::Config {
    let mut connection = sdk::Config::new(name.parse().unwrap(), format!("http://{hub}"), format!("secret of {name}"));
    connection.choice_timeout = Duration::from_millis(500);
    dfsp::Config {
        connection,
        title: name.into(),
        hue: 0,
        currency,
        foreign: vec![if currency == kes() { tzs() } else { kes() }],
        fees: Fees {
            sending: FeeRule { basis_points: 0, minimum: amount("1") },
            receiving: FeeRule::FREE,
            decimals: 2,
        },
        customers,
        suggestions: Vec::new(),
        fspiop: (ANY, 0).into(),
        wallet: (ANY, 0).into(),
        data: None,
        transfer_lifetime: LIFETIME,
        quote_lifetime: Duration::from_secs(60),
    }
}

/// `target` shillings of Tanzania for one of Kenya, and a fee of 2.
fn provider(hub: SocketAddr, (name, target, temper): (&str, u32, TreasuryTemper)) -> TreasuryConfig {
    TreasuryConfig {
        connection: sdk::Config::new(name.parse().unwrap(), format!("http://{hub}"), format!("secret of {name}")),
        markets: vec![Market {
            source: kes(),
            target: tzs(),
            rate: Rate { source: 1, target },
            spread_basis_points: 0,
            fee: FeeRule { basis_points: 0, minimum: amount("2") },
        }],
        fspiop: (ANY, 0).into(),
        data: None,
        offer_lifetime: Duration::from_secs(60),
        temper,
    }
}

impl World {
    async fn start(providers: &[(&'static str, u32, TreasuryTemper)]) -> Self {
        let any = SocketAddr::from((ANY, 0));
        let listeners = hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let hub = hub::start(hub::Config { listeners, ..hub::Config::default() }, portal::router).await.unwrap();
        let addresses = hub.addresses();
        let admin = Admin::new(addresses.administration, "Hub");
        admin.prepare_scheme(&[kes(), tzs()]).await.unwrap();
        let payer = vec![customer("ana", "11111", Temper::Welcoming)];
        let payee = vec![
            customer("zoe", "21111", Temper::Welcoming),
            customer("rex", "21112", Temper::Refusing),
            customer("sil", "21113", Temper::Silent),
        ];
        let payer = dfsp::start(bank(addresses.fspiop, "green", kes(), payer)).await.unwrap();
        let payee = dfsp::start(bank(addresses.fspiop, "lake", tzs(), payee)).await.unwrap();
        for (name, running, currency) in [("green", &payer, kes()), ("lake", &payee, tzs())] {
            let accounts = [(currency, new_id().to_string())];
            let member = Member { name, role: Role::Dfsp, accounts: &accounts };
            admin.onboard(&member, running.fspiop_address()).await.unwrap();
            running.register_customers().await.unwrap();
        }
        let mut running = Vec::new();
        for row in providers {
            let treasury = dfsp::start_treasury(provider(addresses.fspiop, *row)).await.unwrap();
            let accounts = [kes(), tzs()].map(|currency| (currency, new_id().to_string()));
            let member = Member { name: row.0, role: Role::Dfsp, accounts: &accounts };
            admin.onboard(&member, treasury.fspiop_address()).await.unwrap();
            running.push((row.0, treasury));
        }
        Self { hub, admin, payer, payee, providers: running }
    }

    /// Ana pays; returns her payment at its end.
    async fn pay(&self, to: &str, amount_type: AmountType, money: Money) -> Payment {
        let (customer, to, note) = ("ana".to_owned(), number(to), None);
        let wish = Wish { customer, to, amount: money, amount_type, note };
        let bank = self.payer.bank();
        let offer = bank.offer(wish).await.unwrap();
        let id = bank.confirm(offer.id).unwrap();
        let payment = settled(bank, id).await;
        if self.payee.bank().payment(id).is_some() {
            settled(self.payee.bank(), id).await;
        }
        let conversion = payment.conversion.clone().unwrap();
        let (_, treasury) = self.providers.iter().find(|(name, _)| *name == conversion.provider.as_str()).unwrap();
        let end = tokio::time::timeout(PATIENCE, treasury.treasury().settled(conversion.id)).await.unwrap();
        let is_paid = matches!(payment.state, State::Completed { .. });
        let wanted = if is_paid { TransferState::Committed } else { TransferState::Aborted };
        // A provider that rejects has never reserved.
        assert!(end.is_none_or(|end| end == wanted), "{end:?}");
        payment
    }

    /// Every position at the hub is the participant's own, and so is the hub's ledger.
    async fn check(self) {
        let bank = |bank: &Bank| bank.balance_of(&Account::Position);
        let (green, lake) = (bank(self.payer.bank()), bank(self.payee.bank()));
        assert_eq!(self.admin.position("green", kes()).await.unwrap(), green);
        assert_eq!(self.admin.position("lake", tzs()).await.unwrap(), lake);
        for (name, running) in &self.providers {
            for currency in [kes(), tzs()] {
                let own = running.treasury().position(currency);
                assert_eq!(self.admin.position(name, currency).await.unwrap(), own, "{name} {currency}");
            }
        }
        let (balance, available) = self.payer.bank().balance("ana");
        assert_eq!(balance, available, "nothing stays set aside");
        assert!(self.payer.bank().is_balanced() && self.payee.bank().is_balanced());
        assert_eq!(self.hub.hub().verify().await.unwrap(), Vec::<String>::new());
        self.payer.stop().await;
        self.payee.stop().await;
        self.hub.stop().await;
    }

    fn balance(&self) -> Amount {
        self.payer.bank().balance("ana").0
    }

    fn position(&self, provider: usize, currency: Currency) -> Amount {
        self.providers[provider].1.treasury().position(currency)
    }
}

async fn settled(bank: &Arc<Bank>, id: vocabulary::CorrelationId) -> Payment {
    tokio::time::timeout(PATIENCE, bank.settled(id)).await.unwrap().unwrap()
}

fn code(payment: &Payment) -> Option<ErrorCode> {
    let State::Failed { reason, .. } = &payment.state else { return None };
    ErrorCode::parse(&reason.code)
}

fn in_kes(text: &str) -> Money {
    Money { amount: amount(text), currency: kes() }
}

fn in_tzs(text: &str) -> Money {
    Money { amount: amount(text), currency: tzs() }
}

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
