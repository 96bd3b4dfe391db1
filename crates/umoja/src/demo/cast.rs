//! Who plays in the demo: DFSPs, their customers, and what they own. All invented; the country code 999 belongs to nobody.

use dfsp::{Customer, FeeRule, Fees, Market, Rate, Temper, Tier, TreasuryConfig, TreasuryTemper};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use vocabulary::{Amount, Currency, PartyId, PartyIdType};

/// Id, name, phone number, deposit and temper of a customer.
pub type Row = (&'static str, &'static str, &'static str, &'static str, Temper);

/// Tiers of customers: known by name and number only, and with all papers.
pub const BASIC: &str = "Basic";
pub const FULL: &str = "Full";

/// A DFSP of the demo and what it starts with.
pub struct Part {
    /// Name in the scheme.
    pub name: &'static str,
    pub title: &'static str,
    pub hue: u16,
    pub wallet_port: u16,
    /// In which it keeps its customers' accounts.
    pub currency: &'static str,
    /// For sending and for receiving.
    pub fees: [FeeRule; 2],
    pub customers: &'static [Row],
    /// Under which the hub knows the deposit, so that a restart does not make it twice.
    pub deposit_id: &'static str,
}

/// Where a DFSP plays.
pub struct Site<'a> {
    /// The hub's FSPIOP listener.
    pub hub: SocketAddr,
    /// Port 0 is any free one.
    pub wallet_port: u16,
    pub data: Option<&'a Path>,
    /// How long a payment may take.
    pub lifetime: Duration,
}

pub const PENNY_FEE: FeeRule = FeeRule { basis_points: 100, minimum: Amount::from_units(10_000) };
pub const SMALL_FEE: FeeRule = FeeRule { basis_points: 50, minimum: Amount::ZERO };

pub const GREEN: Part = Part {
    name: "greenbank",
    title: "Green Bank",
    hue: 150,
    wallet_port: 8101,
    currency: "KES",
    fees: [PENNY_FEE, FeeRule::FREE],
    customers: &[
        ("amina", "Amina Odhiambo", "9991000001", "50000", Temper::Welcoming),
        ("daudi", "Daudi Mwangi", "9991000002", "12500.5", Temper::Welcoming),
        ("farida", "Farida Said", "9991000003", "3000", Temper::Welcoming),
        ("juma", "Juma Traders", "9991000004", "900000", Temper::Welcoming),
    ],
    deposit_id: "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a01",
};

pub const BLUE: Part = Part {
    name: "bluewallet",
    title: "Blue Wallet",
    hue: 225,
    wallet_port: 8102,
    currency: "KES",
    fees: [FeeRule::FREE, SMALL_FEE],
    customers: &[
        ("baraka", "Baraka Kimani", "9992000001", "8000", Temper::Welcoming),
        ("neema", "Neema Achieng", "9992000002", "650.25", Temper::Welcoming),
        ("kataa", "Kataa Hapana", "9992000003", "1000", Temper::Refusing),
        ("kimya", "Kimya Kabisa", "9992000004", "1000", Temper::Silent),
    ],
    deposit_id: "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a02",
};

/// Its customers have another currency.
pub const LAKE: Part = Part {
    name: "lakesavings",
    title: "Lake Savings",
    hue: 190,
    wallet_port: 8103,
    fees: [PENNY_FEE, SMALL_FEE],
    currency: "TZS",
    customers: &[
        ("rehema", "Rehema Mushi", "9993000001", "200000", Temper::Welcoming),
        ("kamwe", "Kamwe Sitaki", "9993000002", "20000", Temper::Refusing),
        ("tuli", "Tuli Tulivu", "9993000003", "20000", Temper::Silent),
        ("penda", "Penda Mollel", "9993000004", "20000", Temper::Welcoming),
    ],
    deposit_id: "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a03",
};

/// The customer of Lake Savings who can be paid in Kenyan shillings too, and the deposit for the account that the DFSP needs
/// at the hub to take them.
pub const CONVERTING: &str = "penda";
pub const CONVERTING_DEPOSIT_ID: &str = "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a08";

/// The foreign exchange provider: its name, and the ids of its deposits in both currencies.
pub const PROVIDER: &str = "savannafx";
pub const PROVIDER_DEPOSIT_IDS: [&str; 2] =
    ["6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a04", "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a05"];

/// The Kenyan and the Tanzanian shilling.
pub fn currencies() -> [Currency; 2] {
    [GREEN.currency(), LAKE.currency()]
}

/// The provider's settings: twenty Tanzanian shillings for a Kenyan one, less a spread.
pub fn provider(hub: SocketAddr, data: Option<&Path>) -> TreasuryConfig {
    let name = PROVIDER.parse().expect("names of the cast are short");
    let [kenyan, tanzanian] = currencies();
    let market = |source, target, rate| Market { source, target, rate, spread_basis_points: 100, fee: SMALL_FEE };
    TreasuryConfig {
        connection: sdk::Config::new(name, format!("http://{hub}"), format!("the demo's secret of {PROVIDER}")),
        markets: vec![
            market(kenyan, tanzanian, Rate { source: 1, target: 20 }),
            market(tanzanian, kenyan, Rate { source: 20, target: 1 }),
        ],
        fspiop: ([127, 0, 0, 1], 0).into(),
        data: data.map(|directory| directory.join(PROVIDER)),
        offer_lifetime: Duration::from_secs(120),
        temper: TreasuryTemper::Willing,
    }
}

/// The settings of a DFSP that has what one of its customers is paid in other currencies converted.
pub fn converting(mut config: dfsp::Config) -> dfsp::Config {
    for customer in config.customers.iter_mut().filter(|customer| customer.id == CONVERTING) {
        customer.takes.clone_from(&config.foreign);
    }
    config
}

impl Part {
    pub fn currency(&self) -> Currency {
        self.currency.parse().expect("the cast pays in currencies that there are")
    }

    /// What customers may do by how well they are known. The DFSPs in Tanzanian shillings allow twenty times as many.
    fn tiers(&self) -> Vec<Tier> {
        let rate = if self.currency == LAKE.currency { 20 } else { 1 };
        let whole = |number: i64| Amount::from_units(number * rate * 10_000);
        let tier = |name: &str, payment, day, balance| Tier {
            name: name.to_owned(),
            payment_max: whole(payment),
            day_max: whole(day),
            balance_max: whole(balance),
        };
        vec![tier(BASIC, 1_000, 3_000, 10_000), tier(FULL, 1_000_000, 5_000_000, 50_000_000)]
    }

    /// The DFSP's settings; its pages suggest to pay customers of `others`.
    pub fn config(&self, site: &Site<'_>, others: &[&Part]) -> dfsp::Config {
        let name = self.name.parse().expect("names of the cast are short");
        let [sending, receiving] = self.fees;
        let hub = format!("http://{}", site.hub);
        dfsp::Config {
            connection: sdk::Config::new(name, hub, format!("the demo's secret of {}", self.name)),
            title: self.title.to_owned(),
            hue: self.hue,
            currency: self.currency(),
            foreign: currencies().into_iter().filter(|currency| *currency != self.currency()).collect(),
            fees: Fees { sending, receiving, decimals: sdk::exponent(self.currency()) },
            tiers: self.tiers(),
            customers: self.customers.iter().map(customer).collect(),
            suggestions: others
                .iter()
                .flat_map(|part| part.customers.iter().map(|row| suggestion(part, row)))
                .collect(),
            fspiop: ([127, 0, 0, 1], 0).into(),
            wallet: ([127, 0, 0, 1], site.wallet_port).into(),
            data: site.data.map(|directory| directory.join(self.name)),
            transfer_lifetime: site.lifetime,
            quote_lifetime: Duration::from_secs(300),
        }
    }
}

pub fn customer(row: &Row) -> Customer {
    let (id, name, number, deposit, temper) = *row;
    Customer {
        id: id.to_owned(),
        name: name.to_owned(),
        number: msisdn(number),
        deposit: Amount::parse(deposit).expect("deposits of the cast are amounts"),
        takes: Vec::new(),
        tier: FULL.to_owned(),
        temper,
    }
}

fn suggestion(part: &Part, row: &Row) -> (String, String) {
    let (_, name, number, _, temper) = *row;
    let hint = match temper {
        Temper::Welcoming => "",
        Temper::Refusing => ", who refuses",
        Temper::Silent => ", who never answers",
    };
    (number.to_owned(), format!("{name} at {}, in {}{hint}", part.title, part.currency))
}

pub fn msisdn(number: &str) -> PartyId {
    PartyId::try_new(PartyIdType::Msisdn, number, None).expect("numbers of the cast are digits")
}
