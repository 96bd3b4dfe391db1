//! What `verify` says of conversions and of payments through proxies: nothing while they are right, and what is wrong.

use crate::{Fixture, scheme::*};
use hub_core::{
    Command,
    fx_transfers::{Agree, Conclude, PrepareConversion},
    transfers::{Fulfil, Prepare, SenderStanding},
};
use store::Store;
use vocabulary::Timestamp;

const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);
/// The converted payment that is committed, and its conversion.
const COMMITTED: [u64; 2] = [1, 2];
/// The one whose conversion has been agreed to.
const AGREED: [u64; 2] = [3, 4];
/// Between two DFSPs of one proxy, committed.
const SAME_PROXY: u64 = 5;
const FORWARDED: u64 = 6;
/// A payment whose payee converts it, and its conversion.
const PAYEE_SIDE: [u64; 2] = [7, 8];
/// A payment that does not come by here, and its conversion that does.
const ELSEWHERE: [u64; 2] = [9, 10];

fn between(number: u64, payer: &str, payee: &str) -> Command {
    let (payer, payee) = (fsp(payer), fsp(payee));
    Command::Prepare(Box::new(Prepare { source: payer.clone(), payer, payee, ..prepare(number, FAR) }))
}

/// The provider converts for a DFSP of another scheme, which says in the end that the payment is committed there.
fn concluded_elsewhere() -> [Command; 3] {
    let [payment, number] = ELSEWHERE;
    let (initiator, proxy) = (fsp(EXTERNALS[0]), fsp(PROXIES[0]));
    let prepared = PrepareConversion {
        source: initiator.clone(),
        initiator: initiator.clone(),
        ..prepare_conversion(number, payment, FAR)
    };
    let agreed = Agree { destination: Some(initiator), ..agree(number, payment) };
    let (standing, via) = (SenderStanding::External, Some(proxy));
    let concluded = Conclude { id: id(number), payment: id(payment), standing, via, is_committed: true };
    [Command::PrepareConversion(Box::new(prepared)), Command::Agree(Box::new(agreed)), Command::Conclude(concluded)]
}

/// What happens, one unit after the other.
fn steps() -> Vec<Command> {
    let convert = |[payment, number]: [u64; 2]| {
        [
            Command::PrepareConversion(Box::new(prepare_conversion(number, payment, FAR))),
            Command::Agree(Box::new(agree(number, payment))),
            Command::Prepare(Box::new(prepare_converted(payment, FAR))),
        ]
    };
    let [payment, conversion] = PAYEE_SIDE;
    let convert_received = prepare_payee_conversion(conversion, payment, FAR);
    let agreed = Agree { destination: Some(fsp(BANKS[1])), ..agree(conversion, payment) };
    let payee_side = [
        Command::Prepare(Box::new(prepare(payment, FAR))),
        Command::PrepareConversion(Box::new(convert_received)),
        Command::Agree(Box::new(agreed)),
        Command::Fulfil(Box::new(fulfil(payment))),
    ];
    let same_proxy_answer = Fulfil {
        source: fsp(EXTERNALS[1]),
        standing: SenderStanding::External,
        destination: Some(fsp(EXTERNALS[0])),
        ..fulfil(SAME_PROXY)
    };
    let rest = [
        between(SAME_PROXY, EXTERNALS[0], EXTERNALS[1]),
        Command::Fulfil(Box::new(same_proxy_answer)),
        between(FORWARDED, BANKS[0], EXTERNALS[2]),
    ];
    let mut steps = convert(COMMITTED).to_vec();
    steps.push(Command::Fulfil(Box::new(fulfil(COMMITTED[0]))));
    steps.extend(convert(AGREED).into_iter().chain(payee_side).chain(rest).chain(concluded_elsewhere()));
    steps
}

async fn converted(store: &dyn Store) {
    found_schemes(store).await;
    let mut writer = store.writer().await.unwrap();
    for step in steps() {
        run(&mut *writer, &[step]).await;
    }
}

pub async fn books_with_conversions_and_proxies_are_right_at_every_step(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    for step in steps() {
        run(&mut *writer, std::slice::from_ref(&step)).await;
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "after {step:?}");
    }
    let at = |name: &str, currency: &str, posted, held| (name.to_owned(), currency.to_owned(), posted, held);
    let expected = [
        at(BANKS[0], "USD", 200_000, 200_000),
        at(BANKS[1], "EUR", -160_000, 0),
        at(PROVIDER, "EUR", 160_000, 80_000),
        at(PROVIDER, "USD", -300_000, 0),
        at(PROXIES[0], "USD", 100_000, 0),
    ];
    assert_eq!(positions(&*store).await, expected);
}

/// Each of these spoils right books in another way; the sentence names what is wrong.
const CORRUPTIONS: [(&str, &str); 12] = [
    (
        "DELETE FROM entries WHERE transfer = (SELECT min(key) FROM transfers WHERE kind = 4 AND state = 2)",
        "Transfer 41414141-4141-4141-8000-000000000002 is committed, but no entry",
    ),
    (
        "UPDATE entries SET amount = amount + 1 WHERE transfer = \
         (SELECT min(key) FROM transfers WHERE kind = 4 AND state = 2)",
        "of transfer 41414141-4141-4141-8000-000000000002 has the amount 10.0001 instead of 10.0000",
    ),
    (
        "UPDATE transfers SET state = 6 WHERE kind = 4 AND state = 2",
        "Transfer 41414141-4141-4141-8000-000000000007 is committed, but its conversion \
         41414141-4141-4141-8000-000000000008 has not ended",
    ),
    (
        "UPDATE transfers SET state = 5 WHERE kind = 4 AND state = 2",
        "Transfer 41414141-4141-4141-8000-000000000001 is committed, but its conversion \
         41414141-4141-4141-8000-000000000002 has not ended",
    ),
    (
        "UPDATE transfers SET state = 3, rejection = 'expired' WHERE kind = 1 AND state = 2",
        "Conversion 41414141-4141-4141-8000-000000000002 is committed, but its transfer \
         41414141-4141-4141-8000-000000000001 is not",
    ),
    (
        "UPDATE transfers SET state = 2 WHERE kind = 4 AND state = 6",
        "Conversion 41414141-4141-4141-8000-000000000004 is committed, but its transfer \
         41414141-4141-4141-8000-000000000003 is not",
    ),
    (
        "UPDATE transfer_terms SET is_determining_ulid = (1 = 1)",
        "Conversion 41414141-4141-4141-8000-000000000002 is committed, but its transfer",
    ),
    (
        "INSERT INTO entries (transfer, kind, debit, credit, amount, window_id, at) \
         SELECT key, 'PRINCIPLE_VALUE', 3, 5, amount, window_id, 1 FROM transfers WHERE state = 2 AND debit IS NULL",
        "of transfer 41414141-4141-4141-8000-000000000005 is between accounts 3 and 5, but the transfer moves nothing",
    ),
    (
        "UPDATE transfer_terms SET payee_proxy = NULL",
        "Transfer 41414141-4141-4141-8000-000000000005 is committed, but no entry",
    ),
    (
        "UPDATE transfers SET debit = NULL, credit = NULL WHERE kind = 4 AND state = 2",
        "of transfer 41414141-4141-4141-8000-000000000002 is between accounts",
    ),
    ("UPDATE transfers SET amount = amount + 1 WHERE state = 5", "Account 3 (POSITION USD) has a hold of 20.0000"),
    ("UPDATE transfers SET amount = amount + 1 WHERE state = 6", "add up to 20.0001"),
];

pub async fn every_corruption_of_a_converted_payment_is_named(fixture: Fixture) {
    let store = fixture.open().await;
    converted(&*store).await;
    let state = fixture.save(["accounts", "entries", "transfers", "transfer_terms"]).await;
    for (corruption, sentence) in CORRUPTIONS {
        fixture.tamper(corruption).await;
        let found = store.verify().await.unwrap();
        assert!(found.iter().any(|found| found.contains(sentence)), "{corruption}: {found:?}");
        fixture.restore(&state).await;
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "after {corruption}");
    }
}
