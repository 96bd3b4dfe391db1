//! The scripted payments of `umoja demo --once`: the ways in which a payment can end, each looked at from three sides.
//!
//! Invariant: a case passes only if payer DFSP, hub and payee DFSP name the expected states, the hub's positions are the
//! DFSPs' own, and exactly the money moved that had to.

use crate::demo::cast::{BLUE, GREEN, LAKE, PROVIDER, currencies, msisdn};
use crate::demo::world::World;
use crate::demo::{report, say};
use dfsp::{Account, Bank, PayError, Payment, State, TreasuryTemper, Wish};
use sdk::{AmountType, CallError, ErrorCode, TransferState};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vocabulary::{Amount, CorrelationId, Money};

/// Short, so that a payee that never answers does not keep anybody waiting.
pub const TRANSFER_LIFETIME: Duration = Duration::from_secs(2);
/// The hub looks for expired transfers each second; some time for a busy machine comes on top.
const PATIENCE: Duration = Duration::from_secs(20);

/// The state of a transfer as one side sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Never heard of it.
    Nothing,
    Open,
    Committed,
    Aborted,
}

struct Case {
    title: &'static str,
    /// Id of the customer of Green Bank who pays.
    from: &'static str,
    to: &'static str,
    /// Id of the customer of the payee DFSP, if there is one.
    payee: Option<&'static str>,
    amount: &'static str,
    sendings: u32,
    way: Way,
    expected: Expected,
}

/// How a payment gets into the payee's currency.
#[derive(Clone, Copy)]
enum Way {
    /// Both have the same one.
    Direct,
    /// Green Bank has it converted for a customer of Lake Savings; on which side the amount is fixed.
    ByPayer(AmountType),
    /// Lake Savings has it converted; how the provider treats it.
    ByPayee(TreasuryTemper),
}

struct Expected {
    payer: Seen,
    hub: Seen,
    payee: Seen,
    code: Option<ErrorCode>,
}

/// What became of one case.
pub struct Outcome {
    pub title: &'static str,
    pub transfer: Option<CorrelationId>,
    pub payer: Seen,
    pub hub: Seen,
    pub payee: Seen,
    /// Why it failed, in the scheme's words.
    pub error: Option<String>,
    /// What is not as it must be; empty if all agree.
    pub problems: Vec<String>,
    pub took: Duration,
}

const COMMITTED: Expected =
    Expected { payer: Seen::Committed, hub: Seen::Committed, payee: Seen::Committed, code: None };

const CASES: [Case; 12] = [
    Case {
        title: "payment goes through",
        from: "amina",
        to: "9992000001",
        payee: Some("baraka"),
        amount: "250",
        sendings: 1,
        way: Way::Direct,
        expected: COMMITTED,
    },
    Case {
        title: "payee is unknown",
        from: "amina",
        to: "9999999999",
        payee: None,
        amount: "250",
        sendings: 1,
        way: Way::Direct,
        expected: Expected {
            payer: Seen::Nothing,
            hub: Seen::Nothing,
            payee: Seen::Nothing,
            code: Some(ErrorCode::PARTY_NOT_FOUND),
        },
    },
    Case {
        title: "payer DFSP over its limit",
        from: "juma",
        to: "9992000001",
        payee: Some("baraka"),
        amount: "600000",
        sendings: 1,
        way: Way::Direct,
        expected: Expected {
            payer: Seen::Aborted,
            hub: Seen::Aborted,
            payee: Seen::Nothing,
            code: Some(ErrorCode::PAYER_LIMIT),
        },
    },
    Case {
        title: "payee rejects",
        from: "amina",
        to: "9992000003",
        payee: Some("kataa"),
        amount: "99.5",
        sendings: 1,
        way: Way::Direct,
        expected: Expected {
            payer: Seen::Aborted,
            hub: Seen::Aborted,
            payee: Seen::Aborted,
            code: Some(ErrorCode::PAYEE_REJECTED_TRANSACTION),
        },
    },
    Case {
        title: "payee silent until expiry",
        from: "daudi",
        to: "9992000004",
        payee: Some("kimya"),
        amount: "40",
        sendings: 1,
        way: Way::Direct,
        expected: Expected {
            payer: Seen::Aborted,
            hub: Seen::Aborted,
            payee: Seen::Aborted,
            code: Some(ErrorCode::TRANSFER_EXPIRED),
        },
    },
    Case {
        title: "same transfer sent twice",
        from: "farida",
        to: "9992000002",
        payee: Some("neema"),
        amount: "12.34",
        sendings: 2,
        way: Way::Direct,
        expected: COMMITTED,
    },
    Case {
        title: "sent in another currency",
        from: "amina",
        to: "9993000001",
        payee: Some("rehema"),
        amount: "500",
        sendings: 1,
        way: Way::ByPayer(AmountType::Send),
        expected: COMMITTED,
    },
    Case {
        title: "wanted in other currency",
        from: "farida",
        to: "9993000001",
        payee: Some("rehema"),
        amount: "2500",
        sendings: 1,
        way: Way::ByPayer(AmountType::Receive),
        expected: COMMITTED,
    },
    Case {
        title: "converted, payee rejects",
        from: "amina",
        to: "9993000002",
        payee: Some("kamwe"),
        amount: "100",
        sendings: 1,
        way: Way::ByPayer(AmountType::Send),
        expected: Expected {
            payer: Seen::Aborted,
            hub: Seen::Aborted,
            payee: Seen::Aborted,
            code: Some(ErrorCode::PAYEE_REJECTED_TRANSACTION),
        },
    },
    Case {
        title: "converted, payee silent",
        from: "daudi",
        to: "9993000003",
        payee: Some("tuli"),
        amount: "1000",
        sendings: 1,
        way: Way::ByPayer(AmountType::Receive),
        expected: Expected {
            payer: Seen::Aborted,
            hub: Seen::Aborted,
            payee: Seen::Aborted,
            code: Some(ErrorCode::TRANSFER_EXPIRED),
        },
    },
    Case {
        title: "payee's DFSP converts",
        from: "amina",
        to: "9993000004",
        payee: Some("penda"),
        amount: "300",
        sendings: 1,
        way: Way::ByPayee(TreasuryTemper::Willing),
        expected: COMMITTED,
    },
    Case {
        title: "its provider refuses",
        from: "daudi",
        to: "9993000004",
        payee: Some("penda"),
        amount: "75",
        sendings: 1,
        way: Way::ByPayee(TreasuryTemper::Refusing),
        expected: Expected {
            payer: Seen::Aborted,
            hub: Seen::Aborted,
            payee: Seen::Aborted,
            code: Some(ErrorCode::PAYEE_REJECTED_TRANSACTION),
        },
    },
];

/// Plays all cases and the check of the ledger; prints as it goes. True if everything is as it must be.
pub async fn play(world: &World, as_json: bool) -> Result<bool, String> {
    end_earlier_payments(world).await;
    let started = Instant::now();
    if !as_json {
        say(&report::heading());
    }
    let mut agreeing = 0;
    for (number, case) in CASES.iter().enumerate() {
        let outcome = case.play(world).await;
        agreeing += usize::from(outcome.problems.is_empty());
        let line = if as_json { report::json_line(&outcome) } else { report::table_line(number + 1, &outcome) };
        say(&line);
    }
    let differences = ledger_differences(world).await?;
    let summary = report::Summary { cases: CASES.len(), agreeing, differences, took: started.elapsed() };
    say(&if as_json { summary.json() } else { summary.text() });
    Ok(summary.is_good())
}

/// The hub's own check of its ledger, and the DFSPs' books.
async fn ledger_differences(world: &World) -> Result<Vec<String>, String> {
    let mut differences = world.hub.hub().verify().await.map_err(|error| error.to_string())?;
    for (part, bank) in [(&GREEN, world.payer()), (&BLUE, world.payee()), (&LAKE, world.foreign_payee())] {
        if !bank.is_balanced() {
            differences.push(format!("the books of {} do not sum to zero", part.title));
        }
    }
    Ok(differences)
}

impl Case {
    async fn play(&self, world: &World) -> Outcome {
        let started = Instant::now();
        let before = self.balances(world);
        let mut outcome = Outcome {
            title: self.title,
            transfer: None,
            payer: Seen::Nothing,
            hub: Seen::Nothing,
            payee: Seen::Nothing,
            error: None,
            problems: Vec::new(),
            took: Duration::ZERO,
        };
        if let Way::ByPayee(temper) = self.way {
            world.treasury().behave(temper);
        }
        let code = match self.pay(world).await {
            Ok(id) => self.look(world, id, &mut outcome).await,
            Err(error) => refusal(&error, &mut outcome),
        };
        world.treasury().behave(TreasuryTemper::Willing);
        self.compare_provider(world, &mut outcome).await;
        self.compare(code, &mut outcome);
        self.compare_money(world, before, &mut outcome);
        outcome.problems.extend(position_differences(world).await);
        outcome.took = started.elapsed();
        outcome
    }

    fn payee_bank<'world>(&self, world: &'world World) -> &'world Arc<Bank> {
        match self.way {
            Way::Direct => world.payee(),
            Way::ByPayer(_) | Way::ByPayee(_) => world.foreign_payee(),
        }
    }

    /// Lookup, quote, confirmation; the transfer is sent as often as the case says.
    async fn pay(&self, world: &World) -> Result<CorrelationId, PayError> {
        let payer = world.payer();
        let [own, theirs] = currencies();
        let (amount_type, currency) = match self.way {
            Way::Direct => (AmountType::Receive, own),
            Way::ByPayer(AmountType::Receive) => (AmountType::Receive, theirs),
            Way::ByPayer(AmountType::Send) | Way::ByPayee(_) => (AmountType::Send, own),
        };
        let amount = Amount::parse(self.amount).expect("amounts of the script are amounts");
        let wish = Wish {
            customer: self.from.to_owned(),
            to: msisdn(self.to),
            amount: Money { amount, currency },
            amount_type,
            note: Some(self.title.to_owned()),
            refund_of: None,
            request: None,
        };
        let offer = payer.offer(wish).await?;
        let id = payer.confirm(offer.id)?;
        for _ in 1..self.sendings {
            payer.send_again(id).await.expect("the payment was just opened")?;
        }
        Ok(id)
    }

    /// Asks the three sides once the payment has ended on both ends.
    async fn look(&self, world: &World, id: CorrelationId, outcome: &mut Outcome) -> Option<ErrorCode> {
        outcome.transfer = Some(id);
        let payer = end_of(world.payer(), id, outcome).await;
        let payee = end_of(self.payee_bank(world), id, outcome).await;
        outcome.payer = seen(payer.as_ref());
        outcome.payee = seen(payee.as_ref());
        match world.payer().connection().status(id).await {
            Ok(status) => {
                outcome.hub = match status.state {
                    TransferState::Received | TransferState::Reserved => Seen::Open,
                    TransferState::Committed => Seen::Committed,
                    TransferState::Aborted => Seen::Aborted,
                };
            }
            Err(CallError::Answered(error)) if error.code == ErrorCode::TRANSFER_ID_NOT_FOUND => {}
            Err(error) => outcome.problems.push(format!("the hub does not say what became of it: {error}")),
        }
        let State::Failed { reason, .. } = payer?.state else { return None };
        outcome.error = Some(format!("{} {}", reason.code, reason.description));
        ErrorCode::parse(&reason.code)
    }

    /// The provider must see the end of a conversion that the payer DFSP sees of the payment; one that refuses has seen
    /// nothing. It is asked by the DFSP that has to convert, and by nobody else.
    async fn compare_provider(&self, world: &World, outcome: &mut Outcome) {
        let conversion = |bank: &Bank| outcome.transfer.and_then(|id| bank.payment(id))?.conversion;
        let asked = [conversion(world.payer()), conversion(self.payee_bank(world))];
        let (wanted, converts) = match self.way {
            Way::Direct => (Seen::Nothing, [false, false]),
            Way::ByPayer(_) => (outcome.payer, [true, false]),
            Way::ByPayee(TreasuryTemper::Willing) => (outcome.payer, [false, true]),
            Way::ByPayee(TreasuryTemper::Refusing | TreasuryTemper::Silent | TreasuryTemper::Mute) => {
                (Seen::Nothing, [false, true])
            }
        };
        if asked.each_ref().map(Option::is_some) != converts {
            outcome.problems.push("the payment is not converted where it should be".to_owned());
        }
        let Some(conversion) = asked.into_iter().flatten().next() else { return };
        let settled = tokio::time::timeout(PATIENCE, world.treasury().settled(conversion.id)).await;
        let seen = match settled.ok().flatten() {
            None => Seen::Nothing,
            Some(TransferState::Received | TransferState::Reserved) => Seen::Open,
            Some(TransferState::Committed) => Seen::Committed,
            Some(TransferState::Aborted) => Seen::Aborted,
        };
        if seen != wanted {
            outcome.problems.push(format!("{PROVIDER} says {}, not {}", seen.word(), wanted.word()));
        }
    }

    fn compare(&self, code: Option<ErrorCode>, outcome: &mut Outcome) {
        let expected = &self.expected;
        for (side, seen, wanted) in [
            ("the payer DFSP", outcome.payer, expected.payer),
            ("the hub", outcome.hub, expected.hub),
            ("the payee DFSP", outcome.payee, expected.payee),
        ] {
            if seen != wanted {
                outcome.problems.push(format!("{side} says {}, not {}", seen.word(), wanted.word()));
            }
        }
        if code != expected.code {
            let words = |code: Option<ErrorCode>| code.map_or("none".to_owned(), |code| code.to_string());
            outcome.problems.push(format!("the error code is {}, not {}", words(code), words(expected.code)));
        }
    }

    /// Balance and available money of both customers.
    fn balances(&self, world: &World) -> [(Amount, Amount); 2] {
        [
            world.payer().balance(self.from),
            self.payee.map_or_else(Default::default, |payee| self.payee_bank(world).balance(payee)),
        ]
    }

    fn compare_money(&self, world: &World, before: [(Amount, Amount); 2], outcome: &mut Outcome) {
        let after = self.balances(world);
        let moved = |bank: &Bank| {
            let payment = outcome.transfer.and_then(|id| bank.payment(id));
            let completed = payment.filter(|payment| matches!(payment.state, State::Completed { .. }));
            completed.map_or(Amount::ZERO, |payment| payment.customer_amount())
        };
        let wanted =
            [before[0].0.checked_sub(moved(world.payer())), before[1].0.checked_add(moved(self.payee_bank(world)))];
        for (side, (after, wanted)) in ["payer", "payee"].into_iter().zip(after.into_iter().zip(wanted)) {
            if Some(after.0) != wanted {
                outcome.problems.push(format!("the {side}'s balance is {}, not as the payment says", after.0));
            }
            if after.0 != after.1 {
                outcome.problems.push(format!("the {side}'s money is still set aside"));
            }
        }
    }
}

/// What a run before this one left under way ends first, if it ends at all; what does not shows in the table.
async fn end_earlier_payments(world: &World) {
    let is_over = async || {
        let banks = [world.payer(), world.payee(), world.foreign_payee()];
        banks.into_iter().all(|bank| bank.pending().is_empty()) && position_differences(world).await.is_empty()
    };
    let begun = Instant::now();
    while !is_over().await && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The hub's POSITION accounts must be the participants' own positions.
async fn position_differences(world: &World) -> Vec<String> {
    let mut differences = Vec::new();
    let banks = [(&GREEN, world.payer()), (&BLUE, world.payee()), (&LAKE, world.foreign_payee())];
    let banks = banks.map(|(part, bank)| (part.name, part.currency(), bank.balance_of(&Account::Position)));
    let provider = currencies().map(|currency| (PROVIDER, currency, world.treasury().position(currency)));
    // What Lake Savings takes in Kenyan shillings it does not keep.
    let taken = (LAKE.name, GREEN.currency(), Amount::ZERO);
    for (name, currency, own) in banks.into_iter().chain(provider).chain([taken]) {
        match world.admin.position(name, currency).await {
            Ok(position) if position == own => {}
            Ok(position) => {
                differences.push(format!("the hub's {currency} position of {name} is {position}, its own is {own}"));
            }
            Err(error) => differences.push(error),
        }
    }
    differences
}

/// A payment that ended before there was a transfer.
fn refusal(error: &PayError, outcome: &mut Outcome) -> Option<ErrorCode> {
    let PayError::Scheme(call) = error else {
        outcome.problems.push(error.to_string());
        return None;
    };
    match call.scheme_error() {
        Some(error) => {
            outcome.error = Some(format!("{} {}", error.code, error.description()));
            Some(error.code)
        }
        None => {
            outcome.problems.push(call.to_string());
            None
        }
    }
}

/// The payment at its end; as it is if it does not end in time.
async fn end_of(bank: &Bank, id: CorrelationId, outcome: &mut Outcome) -> Option<Payment> {
    match tokio::time::timeout(PATIENCE, bank.settled(id)).await {
        Ok(payment) => payment,
        Err(_) => {
            outcome.problems.push(format!("the payment does not end within {} s", PATIENCE.as_secs()));
            bank.payment(id)
        }
    }
}

pub fn seen(payment: Option<&Payment>) -> Seen {
    match payment.map(|payment| &payment.state) {
        None => Seen::Nothing,
        Some(State::Pending) => Seen::Open,
        Some(State::Completed { .. }) => Seen::Committed,
        Some(State::Failed { .. }) => Seen::Aborted,
    }
}

impl Seen {
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "no transfer",
            Self::Open => "open",
            Self::Committed => "COMMITTED",
            Self::Aborted => "ABORTED",
        }
    }
}
