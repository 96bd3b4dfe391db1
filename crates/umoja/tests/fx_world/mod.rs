//! A hub, a DFSP with Kenyan and one with Tanzanian shillings, and foreign exchange providers, over HTTP.

#[path = "../../src/demo/admin.rs"]
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
use vocabulary::{Amount, CorrelationId, Currency, Money, PartyId, PartyIdType};

/// Generous: a busy machine is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const LIFETIME: Duration = Duration::from_secs(2);
pub const ANY: [u8; 4] = [127, 0, 0, 1];

pub struct World {
    pub hub: hub::Running,
    pub admin: Admin,
    pub payer: dfsp::Running,
    pub payee: dfsp::Running,
    pub providers: Vec<(&'static str, RunningTreasury)>,
}

pub fn kes() -> Currency {
    "KES".parse().unwrap()
}

pub fn tzs() -> Currency {
    "TZS".parse().unwrap()
}

pub fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub fn number(text: &str) -> PartyId {
    PartyId::try_new(PartyIdType::Msisdn, text, None).unwrap()
}

pub fn customer(id: &str, msisdn: &str, temper: Temper) -> Customer {
    Customer {
        id: id.into(),
        name: format!("{id} the customer"),
        number: number(msisdn),
        deposit: amount("1000"),
        takes: Vec::new(),
        tier: String::new(),
        temper,
    }
}

/// Whose DFSP takes Kenyan shillings too and has them converted.
pub fn converting(id: &str, msisdn: &str, temper: Temper) -> Customer {
    Customer { takes: vec![kes()], ..customer(id, msisdn, temper) }
}

pub fn payees() -> Vec<Customer> {
    vec![
        customer("zoe", "21111", Temper::Welcoming),
        customer("rex", "21112", Temper::Refusing),
        customer("sil", "21113", Temper::Silent),
        converting("pia", "21114", Temper::Welcoming),
        converting("ron", "21115", Temper::Refusing),
        converting("sim", "21116", Temper::Silent),
    ]
}

pub fn bank(hub: SocketAddr, name: &str, currency: Currency, customers: Vec<Customer>) -> dfsp::Config {
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
        tiers: Vec::new(),
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
pub fn provider(hub: SocketAddr, (name, target, temper): (&str, u32, TreasuryTemper)) -> TreasuryConfig {
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
    pub async fn start(providers: &[(&'static str, u32, TreasuryTemper)]) -> Self {
        Self::start_with(providers, LIFETIME).await
    }

    /// The same, with how long a payment may take.
    pub async fn start_with(providers: &[(&'static str, u32, TreasuryTemper)], lifetime: Duration) -> Self {
        let any = SocketAddr::from((ANY, 0));
        let listeners = hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let hub = hub::start(hub::Config { listeners, ..hub::Config::default() }, portal::router).await.unwrap();
        let addresses = hub.addresses();
        let admin = Admin::new(addresses.administration, "Hub");
        admin.prepare_scheme(&[kes(), tzs()]).await.unwrap();
        let payer = vec![customer("ana", "11111", Temper::Welcoming)];
        let payee = payees();
        let payer = bank(addresses.fspiop, "green", kes(), payer);
        let payer = dfsp::start(dfsp::Config { transfer_lifetime: lifetime, ..payer }).await.unwrap();
        let payee = dfsp::start(bank(addresses.fspiop, "lake", tzs(), payee)).await.unwrap();
        for (name, running, currencies) in [("green", &payer, vec![kes()]), ("lake", &payee, vec![tzs(), kes()])] {
            let accounts: Vec<_> = currencies.into_iter().map(|currency| (currency, new_id().to_string())).collect();
            let member = Member { name, role: Role::Dfsp, accounts: &accounts };
            admin.onboard(&member, running.fspiop_address()).await.unwrap();
            running.register_customers().await.unwrap();
        }
        let mut running = Vec::new();
        for row in providers {
            let treasury = dfsp::start_treasury(provider(addresses.fspiop, *row)).await.unwrap();
            let accounts = [kes(), tzs()].map(|currency| (currency, new_id().to_string()));
            let member = Member { name: row.0, role: Role::Provider, accounts: &accounts };
            admin.onboard(&member, treasury.fspiop_address()).await.unwrap();
            running.push((row.0, treasury));
        }
        Self { hub, admin, payer, payee, providers: running }
    }

    /// Ana pays; returns her payment at its end, when all others have seen it too.
    pub async fn pay(&self, to: &str, amount_type: AmountType, money: Money) -> Payment {
        let id = self.start_payment(to, amount_type, money).await;
        self.end_of(id).await
    }

    pub async fn start_payment(&self, to: &str, amount_type: AmountType, money: Money) -> CorrelationId {
        let (customer, to, note) = ("ana".to_owned(), number(to), None);
        let wish = Wish { customer, to, amount: money, amount_type, note, refund_of: None, request: None };
        let bank = self.payer.bank();
        let offer = bank.offer(wish).await.unwrap();
        bank.confirm(offer.id).unwrap()
    }

    pub async fn end_of(&self, id: CorrelationId) -> Payment {
        let payment = settled(self.payer.bank(), id).await;
        let taken = match self.payee.bank().payment(id) {
            Some(_) => Some(settled(self.payee.bank(), id).await),
            None => None,
        };
        let converted = payment.conversion.clone().or_else(|| taken?.conversion);
        let Some(conversion) = converted else { return payment };
        let (_, treasury) = self.providers.iter().find(|(name, _)| *name == conversion.provider.as_str()).unwrap();
        let end = tokio::time::timeout(PATIENCE, treasury.treasury().settled(conversion.id)).await.unwrap();
        let is_paid = matches!(payment.state, State::Completed { .. });
        let wanted = if is_paid { TransferState::Committed } else { TransferState::Aborted };
        // A provider that rejects has never reserved.
        assert!(end.is_none_or(|end| end == wanted), "{end:?}");
        payment
    }

    /// Every position at the hub is the participant's own, and so is the hub's ledger.
    pub async fn check(self) {
        let bank = |bank: &Bank| bank.balance_of(&Account::Position);
        let (green, lake) = (bank(self.payer.bank()), bank(self.payee.bank()));
        assert_eq!(self.admin.position("green", kes()).await.unwrap(), green);
        assert_eq!(self.admin.position("lake", tzs()).await.unwrap(), lake);
        assert_eq!(
            self.admin.position("lake", kes()).await.unwrap(),
            Amount::ZERO,
            "what it takes in KES it does not keep"
        );
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

    pub fn balance(&self) -> Amount {
        self.payer.bank().balance("ana").0
    }

    pub fn position(&self, provider: usize, currency: Currency) -> Amount {
        self.providers[provider].1.treasury().position(currency)
    }
}

pub async fn settled(bank: &Arc<Bank>, id: CorrelationId) -> Payment {
    tokio::time::timeout(PATIENCE, bank.settled(id)).await.unwrap().unwrap()
}

pub fn code(payment: &Payment) -> Option<ErrorCode> {
    let State::Failed { reason, .. } = &payment.state else { return None };
    ErrorCode::parse(&reason.code)
}

pub fn in_kes(text: &str) -> Money {
    Money { amount: amount(text), currency: kes() }
}

pub fn in_tzs(text: &str) -> Money {
    Money { amount: amount(text), currency: tzs() }
}
