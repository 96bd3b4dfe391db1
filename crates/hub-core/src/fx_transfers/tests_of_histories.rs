//! Any history of payments with conversions, through any proxies, keeps the books and ends the parts of a payment together.

use super::{Agree, PrepareConversion, RejectConversion};
use crate::{
    Command, Subject,
    fixture::{
        EXTERNALS, SOURCE, Scheme, TARGET, agreement, amount, answer, conversion, conversion_subject, currency, expiry,
        fsp, fulfilment, id, millis, payee_error, provider_error, transfer, transfer_subject,
    },
    transfers::{Fulfil, FulfilKind, Prepare, Reject, SenderStanding, Stage},
};
use alloc::{collections::BTreeMap, vec::Vec};
use proptest::{prelude::*, sample::select};
use vocabulary::{CorrelationId, Currency, Digest};

const PAYMENTS: u8 = 3;

/// What is prepared when its turn comes.
#[derive(Clone, Debug)]
struct Payment {
    payer: &'static str,
    payee: &'static str,
    is_in_source: bool,
    conversions: [Asked; 2],
}

#[derive(Clone, Debug)]
struct Asked {
    is_of_payee: bool,
    provider: &'static str,
}

#[derive(Clone, Debug)]
struct Network {
    /// For each external DFSP whether it is behind `q`.
    routes: Vec<bool>,
    /// Accounts that are missing.
    missing: Vec<(&'static str, &'static str)>,
    payments: Vec<Payment>,
}

/// What happens next; numbers are of payments, and of conversions within one.
#[derive(Clone, Debug)]
enum Step {
    Prepare(u8, Flaw),
    Convert(u8, u8, Flaw),
    Agree(u8, u8, Flaw),
    Answer(u8, Flaw),
    Reject(u8, Flaw),
    RejectConversion(u8, u8, Flaw),
    ExpireTransfer(u8),
    ExpireConversion(u8, u8),
    Later(u16),
}

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flaw {
    None,
    Amount,
    Fulfilment,
    Destination,
    FromPayer,
    FromOtherHub,
    FromStranger,
    Changed,
}

fn networks() -> impl Strategy<Value = Network> {
    let dfsps = || select(&["d1", "d2", "p1", "p2", "q1", "q2"]);
    let providers = || select(&["fx1", "fx1", "fx2", "pfx", "pfx", "qfx"]);
    let asked = move || {
        (prop::bool::weighted(0.3), providers()).prop_map(|(is_of_payee, provider)| Asked { is_of_payee, provider })
    };
    let payments =
        (dfsps(), dfsps(), any::<bool>(), asked(), asked()).prop_map(|(payer, payee, is_in_source, one, two)| {
            Payment { payer, payee, is_in_source, conversions: [one, two] }
        });
    let missing = (select(&["d1", "d2", "fx1", "p", "q"]), select(&[SOURCE, TARGET]));
    (
        prop::collection::vec(any::<bool>(), EXTERNALS.len()),
        prop::collection::vec(missing, 0..2),
        prop::collection::vec(payments, PAYMENTS as usize),
    )
        .prop_map(|(routes, missing, payments)| Network { routes, missing, payments })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || 0..PAYMENTS;
    let flaws = [
        Flaw::Amount,
        Flaw::Fulfilment,
        Flaw::Destination,
        Flaw::FromPayer,
        Flaw::FromOtherHub,
        Flaw::FromStranger,
        Flaw::Changed,
    ];
    let flaw = move || prop_oneof![6 => Just(Flaw::None), 1 => select(flaws.to_vec())];
    let step = prop_oneof![
        4 => (number(), flaw()).prop_map(|(payment, flaw)| Step::Prepare(payment, flaw)),
        6 => (number(), 0u8..2, flaw()).prop_map(|(payment, which, flaw)| Step::Convert(payment, which, flaw)),
        6 => (number(), 0u8..2, flaw()).prop_map(|(payment, which, flaw)| Step::Agree(payment, which, flaw)),
        3 => (number(), flaw()).prop_map(|(payment, flaw)| Step::Answer(payment, flaw)),
        1 => (number(), flaw()).prop_map(|(payment, flaw)| Step::Reject(payment, flaw)),
        1 => (number(), 0u8..2, flaw()).prop_map(|(payment, which, flaw)| Step::RejectConversion(payment, which, flaw)),
        1 => number().prop_map(Step::ExpireTransfer),
        1 => (number(), 0u8..2).prop_map(|(payment, which)| Step::ExpireConversion(payment, which)),
        1 => (1u16..40_000).prop_map(Step::Later),
    ];
    prop::collection::vec(step, 1..50)
}

fn scheme_of(network: &Network) -> Scheme {
    let mut scheme = Scheme::new();
    for ((_, proxy), is_behind_q) in scheme.routes.iter_mut().zip(&network.routes) {
        *proxy = fsp(if *is_behind_q { "q" } else { "p" });
    }
    network.missing.iter().fold(scheme, |scheme, (name, code)| scheme.without(name, code))
}

impl Network {
    fn payment(&self, payment: u8) -> &Payment {
        &self.payments[payment as usize]
    }

    /// Who asks for a conversion, and of whom.
    fn parties(&self, payment: u8, which: u8) -> (&'static str, &'static str) {
        let known = self.payment(payment);
        let asked = &known.conversions[which as usize];
        (if asked.is_of_payee { known.payee } else { known.payer }, asked.provider)
    }

    fn command(&self, step: &Step) -> Option<Command> {
        Some(match *step {
            Step::Prepare(payment, flaw) => self.prepare(payment, flaw).into(),
            Step::Convert(payment, which, flaw) => self.convert(payment, which, flaw).into(),
            Step::Agree(payment, which, flaw) => {
                let (initiator, provider) = self.parties(payment, which);
                let number = number_of(payment, which);
                let command = agreement(number, provider, initiator);
                let (source, standing) = sender(flaw, (provider, command.standing), initiator);
                Agree {
                    payment: id(payment),
                    source: fsp(source),
                    standing,
                    destination: Some(fsp(if flaw == Flaw::Destination { "fx2" } else { initiator })),
                    fulfilment: Some(fulfilment(if flaw == Flaw::Fulfilment { 99 } else { number })),
                    hash: hash(number, 1, flaw),
                    ..command
                }
                .into()
            }
            Step::Answer(payment, flaw) => {
                let Payment { payer, payee, .. } = *self.payment(payment);
                let command = answer(payee, payer);
                let (source, standing) = sender(flaw, (payee, command.standing), payer);
                Fulfil {
                    id: id(payment),
                    source: fsp(source),
                    standing,
                    destination: Some(fsp(if flaw == Flaw::Destination { "fx2" } else { payer })),
                    kind: if flaw == Flaw::Amount { FulfilKind::Reserve } else { FulfilKind::Commit },
                    fulfilment: Some(fulfilment(if flaw == Flaw::Fulfilment { 99 } else { 1 })),
                    hash: hash(payment, 2, flaw),
                    ..command
                }
                .into()
            }
            Step::Reject(payment, flaw) => self.reject(payment, flaw).into(),
            Step::RejectConversion(payment, which, flaw) => self.reject_conversion(payment, which, flaw).into(),
            Step::ExpireTransfer(payment) => expire(payment, transfer_subject(payment)),
            Step::ExpireConversion(payment, which) => expire(payment, conversion_subject(number_of(payment, which))),
            Step::Later(_) => return None,
        })
    }

    fn prepare(&self, payment: u8, flaw: Flaw) -> Prepare {
        let known = self.payment(payment);
        let (text, code) = money(known.is_in_source, flaw);
        let command = transfer(known.payer, known.payee);
        let (id, hash) = (id(payment), hash(payment, 0, flaw));
        Prepare { id, amount: Ok(amount(text)), currency: currency(code), hash, ..command }
    }

    fn convert(&self, payment: u8, which: u8, flaw: Flaw) -> PrepareConversion {
        let known = self.payment(payment);
        let (initiator, provider) = self.parties(payment, which);
        let number = number_of(payment, which);
        let mut command = conversion(number, initiator, provider);
        // The amount of the transfer is the target on the payer's side, the source on the payee's.
        let is_from_source = known.is_in_source == known.conversions[which as usize].is_of_payee;
        let [source, target] = [is_from_source, !is_from_source].map(|is_source| money(is_source, Flaw::None));
        let target = if flaw == Flaw::Amount { (money(!is_from_source, flaw).0, target.1) } else { target };
        (command.source_amount.amount, command.source_amount.currency) = (Ok(amount(source.0)), currency(source.1));
        (command.target_amount.amount, command.target_amount.currency) = (Ok(amount(target.0)), currency(target.1));
        PrepareConversion { determining: Some(id(payment)), hash: hash(number, 0, flaw), ..command }
    }

    fn reject(&self, payment: u8, flaw: Flaw) -> Reject {
        let Payment { payer, payee, .. } = *self.payment(payment);
        let command = payee_error(payee, payer);
        let (source, standing) = sender(flaw, (payee, command.standing), payer);
        Reject { id: id(payment), source: fsp(source), standing, hash: hash(payment, 3, flaw), ..command }
    }

    fn reject_conversion(&self, payment: u8, which: u8, flaw: Flaw) -> RejectConversion {
        let (initiator, provider) = self.parties(payment, which);
        let number = number_of(payment, which);
        let command = provider_error(number, provider, initiator);
        let (source, standing) = sender(flaw, (provider, command.standing), initiator);
        RejectConversion { payment: id(payment), source: fsp(source), standing, hash: hash(number, 3, flaw), ..command }
    }
}

fn number_of(payment: u8, which: u8) -> u8 {
    10 * (payment + 1) + which
}

fn expire(payment: u8, subject: Subject) -> Command {
    let mut command = expiry(subject);
    command.payment = id(payment);
    command.into()
}

/// 10 of the source currency are 20 of the target's.
fn money(is_source: bool, flaw: Flaw) -> (&'static str, &'static str) {
    match (is_source, flaw == Flaw::Amount) {
        (true, false) => ("10", SOURCE),
        (true, true) => ("11", SOURCE),
        (false, false) => ("20", TARGET),
        (false, true) => ("21", TARGET),
    }
}

fn sender(flaw: Flaw, proper: (&'static str, SenderStanding), payer: &'static str) -> (&'static str, SenderStanding) {
    match flaw {
        Flaw::FromPayer => (payer, answer(payer, payer).standing),
        Flaw::FromOtherHub => ("hub-of-others", SenderStanding::External),
        Flaw::FromStranger => ("fx2", SenderStanding::Participant),
        Flaw::None | Flaw::Amount | Flaw::Fulfilment | Flaw::Destination | Flaw::Changed => proper,
    }
}

fn hash(number: u8, message: u8, flaw: Flaw) -> Digest {
    let mut bytes = [message; 32];
    (bytes[0], bytes[1]) = (number, flaw as u8);
    Digest(bytes)
}

/// The parts of each payment by stage.
fn parts(scheme: &Scheme) -> BTreeMap<CorrelationId, BTreeMap<Subject, Stage>> {
    let mut payments: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for known in &scheme.transfers {
        payments.entry(known.payment()).or_default().insert(known.subject(), known.stage());
    }
    payments
}

/// What was open of a payment is still open, or all of it has been committed, or all of it has been aborted.
fn ended_together(
    before: &BTreeMap<CorrelationId, BTreeMap<Subject, Stage>>,
    after: &BTreeMap<CorrelationId, BTreeMap<Subject, Stage>>,
) -> bool {
    before.iter().all(|(payment, parts)| {
        let open: Vec<Stage> =
            parts.iter().filter(|(_, stage)| stage.is_open()).map(|(part, _)| after[payment][part]).collect();
        open.iter().all(|stage| stage.is_open()) || open.iter().all(|stage| *stage == open[0])
    })
}

fn sums(scheme: &Scheme) -> BTreeMap<Currency, i64> {
    let mut sums = BTreeMap::new();
    for account in &scheme.accounts {
        *sums.entry(account.currency).or_default() += account.posted.units();
    }
    sums
}

/// Ends whatever is open: what is due expires, then payees and providers refuse.
fn end_all(scheme: &mut Scheme, network: &Network) {
    scheme.now = scheme.now.plus_millis(1_000_000);
    for payment in 0..PAYMENTS {
        scheme.run(expire(payment, transfer_subject(payment)));
        for which in 0..2 {
            scheme.run(expire(payment, conversion_subject(number_of(payment, which))));
        }
        scheme.run(Reject { hash: Digest([77; 32]), ..network.reject(payment, Flaw::None) });
        for which in 0..2 {
            let error = network.reject_conversion(payment, which, Flaw::None);
            scheme.run(RejectConversion { hash: Digest([77; 32]), ..error });
        }
    }
}

proptest! {
    /// After every decision the fixture also checks that each account holds what the open parts hold on it, and each
    /// command sees only the standings that it asked for.
    #[test]
    fn any_history_of_payments_with_conversions_keeps_the_books(network in networks(), steps in steps()) {
        let mut scheme = scheme_of(&network);
        let before = sums(&scheme);
        for step in &steps {
            let Some(command) = network.command(step) else {
                let Step::Later(by) = step else { continue };
                scheme.now = scheme.now.plus_millis(i64::from(*by));
                continue;
            };
            let earlier = parts(&scheme);
            scheme.run(command);
            let later = parts(&scheme);
            prop_assert!(ended_together(&earlier, &later), "{step:?}: {earlier:?} became {later:?}");
            prop_assert_eq!(sums(&scheme), before.clone());
            for known in &scheme.transfers {
                let posted = scheme.postings.iter().filter(|posting| posting.transfer == known.subject()).count();
                let moves = known.stage() == Stage::Committed && known.legs.is_some();
                prop_assert_eq!(posted, usize::from(moves), "{:?}", known);
            }
        }
        end_all(&mut scheme, &network);
        prop_assert!(scheme.transfers.iter().all(|known| !known.is_open()), "{:?}", parts(&scheme));
        prop_assert!(scheme.moved().iter().all(|line| !line.contains("held")), "{:?}", scheme.moved());
        prop_assert!(scheme.now >= millis(0));
    }
}
