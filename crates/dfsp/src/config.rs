//! Settings of one example DFSP.

use crate::fees::Fees;
use crate::limits::Tier;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use vocabulary::{Amount, Currency, PartyId};

/// An example DFSP: a bank or wallet provider with a handful of customers and one currency.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name in the scheme, hub address and the limits of the connection.
    pub connection: sdk::Config,
    /// For people to read, for example `Green Bank`.
    pub title: String,
    /// Colour of the pages, as an angle of the colour circle: 150 is green, 250 is blue.
    pub hue: u16,
    pub currency: Currency,
    /// Other currencies in which the page lets customers say what a payee gets.
    pub foreign: Vec<Currency>,
    pub fees: Fees,
    /// Limits of customers, the strictest first, which also holds for a tier that is not in the list; none are no limits.
    pub tiers: Vec<Tier>,
    pub customers: Vec<Customer>,
    /// Numbers that the page offers to try, and whose they are; for demonstrations.
    pub suggestions: Vec<(String, String)>,
    /// Where the hub's messages are listened for; port 0 is any free one.
    pub fspiop: SocketAddr,
    /// Where the customers' pages are; port 0 is any free one.
    pub wallet: SocketAddr,
    /// Where the journal is kept; without, the books live as long as the process.
    pub data: Option<PathBuf>,
    /// How long a transfer may take before the scheme gives up on it.
    pub transfer_lifetime: Duration,
    /// How long a quote of this DFSP holds.
    pub quote_lifetime: Duration,
}

impl Config {
    /// In which a customer may say an amount: our own currency, then those of others.
    pub fn currencies(&self) -> Vec<Currency> {
        std::iter::once(self.currency).chain(self.foreign.iter().copied()).collect()
    }
}

#[derive(Clone, Debug)]
pub struct Customer {
    /// Names the account in books and URLs: letters and digits.
    pub id: String,
    pub name: String,
    pub number: PartyId,
    /// With which the account is opened, once.
    pub deposit: Amount,
    /// Other currencies in which payments to the account are taken; the DFSP has them converted.
    pub takes: Vec<Currency>,
    /// The name of the tier to which the customer belongs until the teller chooses another one.
    pub tier: String,
    pub temper: Temper,
}

/// How the DFSP treats transfers to a customer. All but the first are for trials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Temper {
    /// Accepts payments.
    Welcoming,
    /// Rejects every payment.
    Refusing,
    /// Lets every payment expire without an answer.
    Silent,
}
