//! An example DFSP: customers with accounts, fees, and wallet pages for a browser; and an example foreign exchange
//! provider (`treasury`). It is built on `sdk` alone, as a real
//! DFSP would be, and shows the order of the steps that keep money safe (contract dfsp-client.md §15).
//!
//! Invariant: see `bank` for the books, `payer` and `payee` for the two sides of a payment, `conversion` for two
//! currencies on the payer's side, `intake` on the payee's. Nothing that identifies a person is logged.
#![forbid(unsafe_code)]

mod bank;
mod books;
mod code;
mod config;
mod conversion;
mod fees;
mod intake;
mod journal;
mod limits;
mod lists;
mod payee;
mod payer;
mod payment;
mod rates;
mod requests;
mod statement;
mod treasury;
mod wallet;

pub use bank::{Bank, BankError, Opening};
pub use books::Account;
pub use code::Code;
pub use config::{Config, Customer, Temper};
pub use fees::{FeeRule, Fees, PayeeTerms};
pub use journal::JournalError;
pub use limits::{Limit, Tier};
pub use lists::{Draft, Line as ListLine, List, Outcome};
pub use payer::{Offer, PayError, Wish};
pub use payment::{Arrival, Conversion, Direction, Intake, Other, Payment, Reason, Refund, State};
pub use rates::{Deal, Market, Rate};
pub use requests::{Ask, Request, RequestState};
pub use statement::{Line, Statement, What};
pub use treasury::{RunningTreasury, Treasury, TreasuryConfig, TreasuryTemper, start_treasury};

use sdk::{CallError, Connection, Listener};
use std::{fmt, io, net::SocketAddr, sync::Arc};

/// A running DFSP.
pub struct Running {
    bank: Arc<Bank>,
    listener: Listener,
    wallet: wallet::Running,
}

/// Why a DFSP did not start.
#[derive(Debug)]
pub enum StartError {
    Journal(JournalError),
    /// What was to listen, where, and why it cannot.
    Listen(&'static str, SocketAddr, io::Error),
}

/// Opens the books, listens, and asks the hub about payments that were in doubt at the last stop.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let connection = Connection::new(config.connection.clone());
    let (fspiop, wallet) = (config.fspiop, config.wallet);
    let bank = Arc::new(Bank::open(config, connection.clone()).map_err(StartError::Journal)?);
    let desk = Arc::new(payee::Desk(bank.clone()));
    let listener = sdk::serve(connection, desk, fspiop).await;
    let listener = listener.map_err(|error| StartError::Listen("FSPIOP", fspiop, error))?;
    let wallet_pages = wallet::serve(bank.clone(), wallet).await;
    let wallet = wallet_pages.map_err(|error| StartError::Listen("wallet", wallet, error))?;
    for id in bank.pending() {
        tokio::spawn(payee::resume(bank.clone(), id));
    }
    for id in bank.started_lists() {
        tokio::spawn(bank.clone().pay_list(id, wallet::in_words));
    }
    Ok(Running { bank, listener, wallet })
}

impl Running {
    pub fn bank(&self) -> &Arc<Bank> {
        &self.bank
    }

    /// Where the hub's messages arrive.
    pub fn fspiop_address(&self) -> SocketAddr {
        self.listener.address()
    }

    pub fn wallet_address(&self) -> SocketAddr {
        self.wallet.address()
    }

    /// Tells the pages where those of other DFSPs are: their titles and addresses.
    pub fn introduce(&self, neighbours: Vec<(String, String)>) {
        self.wallet.introduce(neighbours);
    }

    /// Registers the customers' numbers with the scheme's directory; those that are there already stay.
    pub async fn register_customers(&self) -> Result<(), CallError> {
        payer::register_customers(&self.bank).await
    }

    /// Stops listening. What is pending is asked about at the next start.
    pub async fn stop(self) {
        self.wallet.stop().await;
        self.listener.stop().await;
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => write!(formatter, "{error}"),
            Self::Listen(what, address, error) => {
                write!(formatter, "the {what} listener cannot use {address}: {error}; choose another port")
            }
        }
    }
}

impl std::error::Error for StartError {}
