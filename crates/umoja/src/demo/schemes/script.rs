//! The scripted payments of `umoja demo --schemes N --once`: the ways in which a payment between schemes can go, each looked
//! at from every hub and DFSP.
//!
//! Invariant: a step passes only if the payment has the expected end on all sides, and all accounts agree (see `agreement`).

use super::agreement::{self, HubSees};
use super::cast::MOVER;
use super::report;
use super::world::World;
use crate::demo::cast::{PROVIDER, msisdn};
use crate::demo::say;
use crate::demo::script::{Seen, seen};
use dfsp::{Bank, PayError, Payment, State, Wish};
use sdk::{AmountType, ErrorCode};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vocabulary::{Amount, CorrelationId, Money};

/// Long enough for a proxy that is started again, short enough for a payee that never answers.
pub const TRANSFER_LIFETIME: Duration = Duration::from_secs(4);
/// How long sides may take to agree; a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(20);
/// All steps together; what is left then is not played.
const TIME_MAX: Duration = Duration::from_secs(55);
const PAUSE: Duration = Duration::from_millis(50);

/// A payment and the end that it must have.
#[derive(Clone, Copy)]
struct Case {
    /// The payer's bank and customer.
    from: (&'static str, &'static str),
    to: &'static str,
    /// The payee's bank and customer, if there is one.
    payee: Option<(&'static str, &'static str)>,
    amount: &'static str,
    end: Seen,
    code: Option<ErrorCode>,
}

/// What happens around a payment.
#[derive(Clone, Copy)]
enum Trouble {
    None,
    /// The payer's proxy stops before the payer confirms.
    CutBefore,
    /// It stops when the payee's DFSP has the transfer, until the payee's scheme has decided.
    CutAfter,
    /// The payee moves to another DFSP of its scheme.
    Move,
}

struct Step {
    title: &'static str,
    case: Case,
    trouble: Trouble,
}

/// What became of a step.
pub struct Outcome {
    pub title: &'static str,
    pub transfer: Option<CorrelationId>,
    pub payer: Seen,
    /// By scheme.
    pub hubs: Vec<Seen>,
    pub payee: Seen,
    /// What the payer was told when it did not go well, in the scheme's words.
    pub error: Option<String>,
    /// What was given for what, if currencies were converted.
    pub converted: Option<String>,
    /// What is not as it must be; empty if all agree.
    pub problems: Vec<String>,
    pub took: Duration,
}

const LOCAL: Case = Case {
    from: ("greenbank", "amina"),
    to: "9992000001",
    payee: Some(("bluewallet", "baraka")),
    amount: "250",
    end: Seen::Committed,
    code: None,
};
const ACROSS: Case = Case { to: "9994000001", payee: Some(("borderbank", "lulu")), ..LOCAL };
const UNKNOWN: Case =
    Case { to: "9999999999", payee: None, end: Seen::Nothing, code: Some(ErrorCode::PARTY_NOT_FOUND), ..LOCAL };
const REJECTED: Case = Case {
    to: "9994000002",
    payee: Some(("borderbank", "sitaki")),
    amount: "99.5",
    end: Seen::Aborted,
    code: Some(ErrorCode::PAYEE_REJECTED_TRANSACTION),
    ..LOCAL
};
const SILENT: Case = Case {
    from: ("greenbank", "daudi"),
    to: "9994000003",
    payee: Some(("borderbank", "bubu")),
    amount: "40",
    end: Seen::Aborted,
    code: Some(ErrorCode::TRANSFER_EXPIRED),
};
/// The number that is served by Blue Wallet, and then by Green Bank.
const MOVED: Case =
    Case { from: ("borderbank", "lulu"), to: MOVER.2, payee: Some(("greenbank", MOVER.0)), amount: "15", ..LOCAL };

const TO_TZS: Case = Case { to: "9993000001", payee: Some(("lakesavings", "rehema")), amount: "4875", ..LOCAL };
const TO_KES: Case = Case {
    from: ("lakesavings", "rehema"),
    to: "9992000001",
    payee: Some(("bluewallet", "baraka")),
    amount: "320.5",
    ..LOCAL
};
const REJECTED_TZS: Case = Case {
    to: "9993000002",
    payee: Some(("lakesavings", "kamwe")),
    amount: "1950",
    end: Seen::Aborted,
    code: Some(ErrorCode::PAYEE_REJECTED_TRANSACTION),
    ..LOCAL
};

fn steps(count: usize) -> Vec<Step> {
    let step = |title, case, trouble| Step { title, case, trouble };
    let [there, back] = if count == 2 {
        ["provider in payer's scheme", "provider in payee's scheme"]
    } else {
        ["provider between the schemes", "provider between, other way"]
    };
    vec![
        step("within a scheme", LOCAL, Trouble::None),
        step("to another scheme", ACROSS, Trouble::None),
        step(there, TO_TZS, Trouble::None),
        step(back, TO_KES, Trouble::None),
        step("payee rejects, converted", REJECTED_TZS, Trouble::None),
        step("payee is unknown everywhere", UNKNOWN, Trouble::None),
        step("payee rejects", REJECTED, Trouble::None),
        step("proxy down on the way there", Case { amount: "12.34", ..ACROSS }, Trouble::CutBefore),
        step("proxy down on the way back", SILENT, Trouble::CutAfter),
        step("payee moved to another DFSP", MOVED, Trouble::Move),
    ]
}

/// Plays all steps; prints as it goes. True if everything is as it must be.
pub async fn play(world: &World, as_json: bool) -> Result<bool, String> {
    let started = Instant::now();
    let hubs: Vec<&str> = world.schemes.iter().map(|scheme| scheme.play.hub).collect();
    if !as_json {
        say(&report::heading(&hubs));
    }
    let steps = steps(hubs.len());
    let mut agreeing = 0;
    for (number, step) in steps.iter().enumerate() {
        let left = TIME_MAX.saturating_sub(started.elapsed());
        let outcome = match tokio::time::timeout(left, step.play(world)).await {
            Ok(outcome) => outcome,
            Err(_) => step.unfinished(world, started.elapsed()),
        };
        agreeing += usize::from(outcome.problems.is_empty());
        say(&if as_json { report::json_line(&hubs, &outcome) } else { report::table_line(number + 1, &outcome) });
    }
    let summary = report::Summary { steps: steps.len(), agreeing, took: started.elapsed() };
    say(&if as_json { summary.json() } else { summary.text(world.schemes.len()) });
    Ok(summary.is_good())
}

impl Step {
    async fn play(&self, world: &World) -> Outcome {
        let started = Instant::now();
        let mut outcome = self.blank(world);
        let played = self.case.play(world, self.trouble, &mut outcome).await;
        outcome.problems.extend(played.err());
        for link in &world.links {
            outcome.problems.extend(link.mend().await.err());
        }
        outcome.took = started.elapsed();
        outcome
    }

    fn blank(&self, world: &World) -> Outcome {
        Outcome {
            title: self.title,
            transfer: None,
            payer: Seen::Nothing,
            hubs: vec![Seen::Nothing; world.schemes.len()],
            payee: Seen::Nothing,
            error: None,
            converted: None,
            problems: Vec::new(),
            took: Duration::ZERO,
        }
    }

    fn unfinished(&self, world: &World, took: Duration) -> Outcome {
        let problems = vec![format!("the script has {} s in all, and they are over", TIME_MAX.as_secs())];
        Outcome { problems, took, ..self.blank(world) }
    }
}

impl Case {
    async fn play(&self, world: &World, trouble: Trouble, outcome: &mut Outcome) -> Result<(), String> {
        match self.pay(world, trouble, outcome).await? {
            Some(id) => watch(outcome, async |outcome| self.look(world, id, outcome).await).await,
            None => outcome.problems.extend(agreement::money_problems(world).await?),
        }
        Ok(())
    }

    /// The payment with its trouble; none if it ends before there is a transfer, as it must.
    async fn pay(
        &self,
        world: &World,
        trouble: Trouble,
        outcome: &mut Outcome,
    ) -> Result<Option<CorrelationId>, String> {
        let (home, payer) = world.bank(self.from.0);
        if let Trouble::Move = trouble {
            self.move_payee(world, outcome).await?;
        }
        let offer = match payer.offer(self.wish(world)).await {
            Ok(offer) => offer,
            Err(error) => return refusal(error, self.code, outcome).map(|()| None),
        };
        let link = &world.links[home.min(world.links.len() - 1)];
        if let Trouble::CutBefore = trouble {
            link.cut().await;
        }
        let id = payer.confirm(offer.id).map_err(|error| error.to_string())?;
        outcome.transfer = Some(id);
        match trouble {
            Trouble::None | Trouble::Move => {}
            Trouble::CutBefore => {
                until_hub_sees(world, home, (id, Seen::Open)).await?;
                link.mend().await?;
            }
            Trouble::CutAfter => {
                let payee = self.payee.map(|(bank, _)| world.bank(bank).1).ok_or("the script has no payee")?;
                until_bank_sees(payee, (id, Seen::Open)).await?;
                link.cut().await;
                until_bank_sees(payee, (id, Seen::Aborted)).await?;
                until_hub_sees(world, home, (id, Seen::Open)).await?;
                link.mend().await?;
            }
        }
        Ok(Some(id))
    }

    /// Pays the number at Blue Wallet, so that the payer's scheme remembers it there, moves it to Green Bank, and asks once
    /// with what is remembered.
    async fn move_payee(&self, world: &World, outcome: &mut Outcome) -> Result<(), String> {
        let number = msisdn(MOVER.2);
        let (_, payer) = world.bank(self.from.0);
        let serve = async |name: &str| {
            let (_, bank) = world.bank(name);
            let served = bank.connection().serve_party(&number, super::cast::currency("KES")).await;
            served.map_err(|error| format!("{name} cannot register the number: {error}"))
        };
        serve("bluewallet").await?;
        let offer = match payer.offer(self.wish(world)).await {
            // An earlier run on the same data has left it at Green Bank.
            Err(_) => payer.offer(self.wish(world)).await,
            offer => offer,
        };
        let offer = offer.map_err(|error| format!("the number cannot be paid before it moves: {error}"))?;
        let id = payer.confirm(offer.id).map_err(|error| error.to_string())?;
        for name in [self.from.0, "bluewallet"] {
            until_bank_sees(world.bank(name).1, (id, Seen::Committed)).await?;
        }
        serve("greenbank").await?;
        match payer.offer(self.wish(world)).await {
            Ok(_) => Err("the stale route leads somewhere".to_owned()),
            Err(error) => refusal(error, Some(ErrorCode::PARTY_RESOLUTION_FAILED), outcome),
        }
    }

    async fn look(&self, world: &World, id: CorrelationId, outcome: &mut Outcome) -> Result<Vec<String>, String> {
        let (home, payer) = world.bank(self.from.0);
        let payee = self.payee.map(|(bank, _)| world.bank(bank));
        let payment = payer.payment(id);
        outcome.payer = seen(payment.as_ref());
        outcome.converted = payment.as_ref().and_then(|payment| words_of_conversion(payment, self.from.0, world));
        outcome.payee = payee.map_or(Seen::Nothing, |(_, bank)| seen(bank.payment(id).as_ref()));
        let away = payee.map_or(home, |(at, _)| at);
        let mut problems = hub_problems(world, (id, self.end), [home, away], outcome).await?;
        problems.extend(difference("the payer DFSP", outcome.payer, self.end));
        problems.extend(difference("the payee DFSP", outcome.payee, self.end));
        if let Some(State::Failed { reason, .. }) = payment.as_ref().map(|payment| &payment.state) {
            outcome.error = Some(format!("{} {}", reason.code, reason.description));
            if ErrorCode::parse(&reason.code) != self.code {
                problems.push(format!("the payment failed for another reason: {}", reason.code));
            }
        }
        if let Some(conversion) = payment.as_ref().and_then(|payment| payment.conversion.as_ref()) {
            problems.extend(difference(PROVIDER, world.provider_sees(conversion.id), self.end));
            problems.extend(conversion_problems(world, id, home).await?);
        }
        if !problems.is_empty() {
            return Ok(problems);
        }
        // This costs more to ask than the states.
        problems.extend(agreement::money_problems(world).await?);
        for (bank, customer) in [Some(self.from), self.payee].into_iter().flatten() {
            let (balance, available) = world.bank(bank).1.balance(customer);
            if balance != available {
                problems.push(format!("money of {customer} at {bank} is still set aside"));
            }
        }
        Ok(problems)
    }

    fn wish(&self, world: &World) -> Wish {
        let amount = Amount::parse(self.amount).expect("amounts of the script are amounts");
        let currency = world.currency_of(self.payee.map_or(self.from.0, |(bank, _)| bank));
        Wish {
            customer: self.from.1.to_owned(),
            to: msisdn(self.to),
            amount: Money { amount, currency },
            amount_type: AmountType::Receive,
            note: None,
            refund_of: None,
            request: None,
        }
    }
}

/// Looks until there are no problems any more; those that stay are the step's.
async fn watch(outcome: &mut Outcome, look: impl AsyncFn(&mut Outcome) -> Result<Vec<String>, String>) {
    let started = Instant::now();
    loop {
        let problems = look(outcome).await.unwrap_or_else(|sentence| vec![sentence]);
        if problems.is_empty() || started.elapsed() > PATIENCE {
            return outcome.problems.extend(problems);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// In what hubs differ from the end that the payment must have: in all from the payer's to the payee's, and only there.
async fn hub_problems(
    world: &World,
    (id, end): (CorrelationId, Seen),
    [home, away]: [usize; 2],
    outcome: &mut Outcome,
) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let way = home.min(away)..=home.max(away);
    for at in 0..world.schemes.len() {
        let HubSees { transfer, conversions } = agreement::hub_sees(world, at, id).await?;
        outcome.hubs[at] = transfer;
        let wanted = if way.contains(&at) { end } else { Seen::Nothing };
        let hub = world.schemes[at].play.hub;
        problems.extend(difference(hub, transfer, wanted));
        problems.extend(conversions.and_then(|seen| difference(&format!("{hub}, of the conversion,"), seen, wanted)));
    }
    Ok(problems)
}

/// Every hub from the payer's to the provider's knows the conversion; what became of it is compared elsewhere.
async fn conversion_problems(world: &World, id: CorrelationId, home: usize) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let provider = world.provider_home();
    for at in home.min(provider)..=home.max(provider) {
        if agreement::hub_sees(world, at, id).await?.conversions.is_none() {
            problems.push(format!("{} knows no conversion of the payment", world.schemes[at].play.hub));
        }
    }
    Ok(problems)
}

fn words_of_conversion(payment: &Payment, bank: &str, world: &World) -> Option<String> {
    let conversion = payment.conversion.as_ref()?;
    let (own, given) = (world.currency_of(bank), payment.transfer);
    Some(format!("{} {} for {own} {given}", conversion.currency, conversion.amount))
}

fn difference(who: &str, seen: Seen, wanted: Seen) -> Option<String> {
    (seen != wanted).then(|| format!("{who} says {}, not {}", seen.word(), wanted.word()))
}

/// A payment that ends before there is a transfer; an error if it must not, or for another reason.
fn refusal(error: PayError, code: Option<ErrorCode>, outcome: &mut Outcome) -> Result<(), String> {
    let PayError::Scheme(call) = &error else { return Err(error.to_string()) };
    let told = call.scheme_error().ok_or_else(|| error.to_string())?;
    outcome.error = Some(format!("{} {}", told.code, told.description()));
    if Some(told.code) == code { Ok(()) } else { Err(format!("the payer was told something else: {error}")) }
}

async fn until_bank_sees(bank: &Arc<Bank>, (id, wanted): (CorrelationId, Seen)) -> Result<(), String> {
    let started = Instant::now();
    while seen(bank.payment(id).as_ref()) != wanted {
        if started.elapsed() > PATIENCE {
            return Err(format!("{} does not come to {}", bank.connection().name(), wanted.word()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn until_hub_sees(world: &World, at: usize, (id, wanted): (CorrelationId, Seen)) -> Result<(), String> {
    let started = Instant::now();
    while agreement::hub_sees(world, at, id).await?.transfer != wanted {
        if started.elapsed() > PATIENCE {
            return Err(format!("{} does not come to {}", world.schemes[at].play.hub, wanted.word()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
