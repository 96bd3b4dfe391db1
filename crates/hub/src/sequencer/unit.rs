//! One unit after another: gather, open, lock, decide, commit, reply, send.

use super::{
    AdminFailure, Job, MARKS_WAIT, Origin, Queue, Reply, SettlementFailure, SettlementOutcome, Shared, UNIT_MAX,
    Unavailable,
};
use crate::outbound::{Delivery, Persistence};
use hub_core::{
    Access, Command, Loaded, Standing, State, Subject,
    administration::{self, AdminCommand},
    settlement::{self, Settled, SettlementCommand},
    transfers::Transfer,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use store::{JournalRow, Mark, Opened, PartyChange, StoreError, UnitWork, Wanted, Writer};

/// How often a unit is run again before its commands are given up.
const ATTEMPTS_MAX: u32 = 20;

/// A command of the unit, with who waits for it.
struct Decide {
    command: Command,
    origin: Option<Box<Origin>>,
    reply: Reply<Result<(), Unavailable>>,
}

/// A change of the party directory, with who waits for it.
struct Party {
    change: PartyChange,
    reply: Reply<Result<(), Unavailable>>,
}

/// A message that needs no decision, with who waits for it.
struct Relay {
    delivery: Box<Delivery>,
    reply: Reply<Result<(), Unavailable>>,
}

/// What one transaction will hold.
#[derive(Default)]
struct Batch {
    commands: Vec<Decide>,
    parties: Vec<Party>,
    relays: Vec<Relay>,
    alone: Option<Alone>,
}

/// What was noted since the last unit and rides on this one, whatever is in it.
struct Notes {
    marks: Vec<Mark>,
    journal: Vec<JournalRow>,
}

/// A command of an operator, which has its unit for itself.
enum Alone {
    Administer {
        command: Box<AdminCommand>,
        actor: String,
        reply: Reply<Result<(), AdminFailure>>,
    },
    Settle {
        command: Box<SettlementCommand>,
        actor: String,
        reply: Reply<Result<SettlementOutcome, SettlementFailure>>,
    },
}

/// Runs units until every sender is gone and the queue is empty.
pub(super) async fn run(mut writer: Box<dyn Writer>, shared: Arc<Shared>) {
    loop {
        let Some(batch) = gather(&shared).await else { break };
        // Whoever asked may be gone; what was decided is durable all the same.
        match batch.alone {
            Some(Alone::Administer { command, actor, reply }) => {
                let _ = reply.send(administer(writer.as_mut(), &shared, &command, &actor).await);
                continue;
            }
            Some(Alone::Settle { command, actor, reply }) => {
                let _ = reply.send(settle(writer.as_mut(), &shared, &command, &actor).await);
                continue;
            }
            None => {}
        }
        let notes = shared.take_notes();
        if batch.is_empty() && notes.is_empty() {
            continue;
        }
        run_halving(writer.as_mut(), &shared, batch, notes).await;
    }
}

/// Waits for the next jobs and takes what a unit may hold: each subject once, and an operator's command alone.
async fn gather(shared: &Shared) -> Option<Batch> {
    let mut queue = shared.jobs.lock().await;
    let first = match queue.next_now() {
        Some(job) => job,
        None => match shared.wait(&mut queue).await {
            Some(Some(job)) => job,
            Some(None) => return None,
            None => {
                let is_over = shared.state.is_closing.load(Ordering::Relaxed) && shared.has_no_notes();
                return (!is_over).then(Batch::default);
            }
        },
    };
    let mut batch = Batch::default();
    let mut subjects = HashSet::new();
    let mut put_off = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next {
        match job {
            Job::Administer { command, actor, reply } if batch.is_empty() => {
                batch.alone = Some(Alone::Administer { command, actor, reply });
                break;
            }
            Job::Settle { command, actor, reply } if batch.is_empty() => {
                batch.alone = Some(Alone::Settle { command, actor, reply });
                break;
            }
            Job::Administer { .. } | Job::Settle { .. } => {
                put_off.push(job);
                break;
            }
            Job::Parties { change, reply } => batch.parties.push(Party { change, reply }),
            Job::Relay { delivery, reply } => batch.relays.push(Relay { delivery, reply }),
            Job::Decide { command, origin, reply } => {
                if subjects.insert(command.subject()) {
                    batch.commands.push(Decide { command, origin, reply });
                } else {
                    put_off.push(Job::Decide { command, origin, reply });
                }
            }
        }
        let is_full = batch.len() + put_off.len() >= UNIT_MAX;
        next = if is_full { None } else { queue.next_now() };
    }
    for job in put_off.into_iter().rev() {
        queue.deferred.push_front(job);
    }
    shared.metrics.queued.set(queue.waiting());
    Some(batch)
}

impl Notes {
    fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.journal.is_empty()
    }
}

impl Shared {
    fn take_notes(&self) -> Notes {
        let marks = std::mem::take(&mut *self.marks.lock().expect("marks are pushed without panicking"));
        Notes { marks, journal: self.journal.take() }
    }

    fn has_no_notes(&self) -> bool {
        self.journal.is_empty() && self.marks.lock().expect("marks are pushed without panicking").is_empty()
    }

    /// Takes back what rode on a unit that failed.
    fn put_back(&self, mut notes: Notes) {
        self.marks.lock().expect("marks are pushed without panicking").append(&mut notes.marks);
        self.journal.put_back(notes.journal);
    }

    /// The next job, `Some(None)` after the last one; `None` when it is time to look at the marks.
    async fn wait(&self, queue: &mut Queue) -> Option<Option<Job>> {
        if self.state.is_closing.load(Ordering::Relaxed) {
            return None;
        }
        tokio::select! {
            biased;
            job = queue.incoming.recv() => Some(job),
            () = tokio::time::sleep(MARKS_WAIT) => None,
            () = self.state.hurry.notified() => None,
        }
    }
}

impl Queue {
    fn next_now(&mut self) -> Option<Job> {
        self.deferred.pop_front().or_else(|| self.incoming.try_recv().ok())
    }

    fn waiting(&self) -> i64 {
        i64::try_from(self.deferred.len() + self.incoming.len()).unwrap_or(i64::MAX)
    }
}

impl Batch {
    /// Jobs in the batch, an operator's command excepted.
    fn len(&self) -> usize {
        self.commands.len() + self.parties.len() + self.relays.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Runs a batch; where the database refuses its data, runs its halves, so that the culprit ends up alone.
async fn run_halving(writer: &mut dyn Writer, shared: &Shared, batch: Batch, notes: Notes) {
    let mut notes = Some(notes);
    let mut waiting = vec![batch];
    while let Some(mut batch) = waiting.pop() {
        match run_again(writer, shared, &batch, notes.as_ref()).await {
            Ok(deliveries) => {
                notes = None;
                batch.reply_all(&Ok(()));
                for delivery in deliveries {
                    shared.callbacks.deliver(delivery);
                }
            }
            Err(StoreError::Data(what)) if batch.len() > 1 => {
                tracing::warn!(what, commands = batch.commands.len(), "the database refused a unit; halving it");
                let rest = batch.split();
                waiting.extend([rest, batch]);
            }
            Err(StoreError::Data(what)) => {
                tracing::error!(what, "the database refused a command");
                batch.reply_all(&Err(Unavailable::Data(what)));
            }
            Err(error) => {
                tracing::error!(%error, commands = batch.commands.len(), "a unit was given up");
                batch.reply_all(&Err(Unavailable::Store(error.to_string())));
            }
        }
    }
    if let Some(notes) = notes {
        shared.put_back(notes);
    }
}

impl Batch {
    /// Takes a part of two or more jobs away: the other kinds where there are several, else half of the only one. Each
    /// side gets something, so that splitting comes to an end.
    fn split(&mut self) -> Self {
        let mut rest = Self::default();
        if !self.commands.is_empty() && self.commands.len() < self.len() {
            rest.parties = std::mem::take(&mut self.parties);
            rest.relays = std::mem::take(&mut self.relays);
        } else if !self.parties.is_empty() && self.parties.len() < self.len() {
            rest.relays = std::mem::take(&mut self.relays);
        } else {
            rest.commands = self.commands.split_off(self.commands.len() / 2);
            rest.parties = self.parties.split_off(self.parties.len() / 2);
            rest.relays = self.relays.split_off(self.relays.len() / 2);
        }
        rest
    }

    fn reply_all(self, outcome: &Result<(), Unavailable>) {
        let decided = self.commands.into_iter().map(|decide| decide.reply);
        let changed = self.parties.into_iter().map(|party| party.reply);
        let relayed = self.relays.into_iter().map(|relay| relay.reply);
        for reply in decided.chain(changed).chain(relayed) {
            // Whoever asked may be gone; what is durable stays so.
            let _ = reply.send(outcome.clone());
        }
    }
}

/// Runs a batch until the database takes it, for conflicts and broken connections only. After an unknown outcome the
/// unit runs again: what was durable after all shows as repetitions, which tell nobody anything new.
async fn run_again(
    writer: &mut dyn Writer,
    shared: &Shared,
    batch: &Batch,
    notes: Option<&Notes>,
) -> Result<Vec<Delivery>, StoreError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let started = Instant::now();
        let error = match run_once(writer, shared, batch, notes).await {
            Ok(deliveries) => {
                shared.metrics.units.inc();
                shared.metrics.commands.inc_by(batch.commands.len() as u64);
                shared.metrics.unit_seconds.observe(started.elapsed().as_secs_f64());
                return Ok(deliveries);
            }
            Err(error) => error,
        };
        if let Err(error) = writer.rollback().await {
            tracing::debug!(%error, "a unit could not be rolled back; the database drops it with the connection");
        }
        let may_pass = matches!(error, StoreError::Conflict(_) | StoreError::OutcomeUnknown(_));
        if !may_pass || attempt >= ATTEMPTS_MAX {
            return Err(error);
        }
        shared.metrics.unit_conflicts.inc();
        // Nodes differ by their own load; a growing pause is enough to let one of them pass.
        tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(10)))).await;
    }
}

async fn run_once(
    writer: &mut dyn Writer,
    shared: &Shared,
    batch: &Batch,
    notes: Option<&Notes>,
) -> Result<Vec<Delivery>, StoreError> {
    let mut wanted: Vec<Wanted> = batch.commands.iter().flat_map(|decide| decide.command.wanted()).collect();
    // A claim comes before a search for the same, which it makes unnecessary.
    wanted.sort_by_key(|wanted| (subject_of(wanted), matches!(wanted, Wanted::Find(_))));
    wanted.dedup_by_key(|wanted| subject_of(wanted));
    let opened = writer.open(&wanted).await?;
    let standings = standings_of(batch, &opened, shared);
    let loaded = writer.lock(&standings).await?;
    let now = loaded.now;
    let loaded = Loaded { transfers: opened.transfers, quotes: opened.quotes, ..loaded };
    let mut state = State::new(loaded, shared.rules.clone());
    let mut deliveries = Vec::new();
    for decide in &batch.commands {
        let outcome = hub_core::decide(&mut state, &decide.command);
        let origin = decide.origin.as_deref();
        deliveries.extend(outcome.notices.iter().filter_map(|notice| shared.render.render(origin, notice, now)));
    }
    deliveries.extend(batch.relays.iter().map(|relay| (*relay.delivery).clone()));
    let work = UnitWork {
        changes: state.into_changes(),
        parties: batch.parties.iter().map(|party| party.change.clone()).collect(),
        messages: deliveries.iter().map(Delivery::to_stored).collect(),
        marks: notes.map(|notes| notes.marks.clone()).unwrap_or_default(),
        journal: notes.map(|notes| notes.journal.clone()).unwrap_or_default(),
        ..UnitWork::default()
    };
    let ids = writer.commit(work).await?;
    for (delivery, id) in deliveries.iter_mut().zip(ids) {
        delivery.persistence = Persistence::Durable(id);
    }
    Ok(deliveries)
}

fn subject_of(wanted: &Wanted) -> Subject {
    match wanted {
        Wanted::Claim(subject) | Wanted::Find(subject) => *subject,
    }
}

/// The standings of all commands, each once with the stronger access, in order.
fn standings_of(batch: &Batch, opened: &Opened, shared: &Shared) -> Vec<(Standing, Access)> {
    let mut payments: HashMap<_, Vec<&Transfer>> = HashMap::new();
    for transfer in &opened.transfers {
        payments.entry(transfer.payment()).or_default().push(transfer);
    }
    let mut standings = BTreeMap::new();
    for decide in &batch.commands {
        let parts = payments.get(&decide.command.subject().id).map_or(&[][..], Vec::as_slice);
        for (standing, access) in decide.command.standings(parts, &shared.rules.hub_name) {
            let strongest = standings.entry(standing).or_insert(access);
            *strongest = access.max(*strongest);
        }
    }
    standings.into_iter().collect()
}

async fn administer(
    writer: &mut dyn Writer,
    shared: &Shared,
    command: &AdminCommand,
    actor: &str,
) -> Result<(), AdminFailure> {
    let decided = until_decided(writer, shared, async |writer: &mut dyn Writer| {
        writer.open(&[]).await?;
        let (directory, now) = writer.lock_directory().await?;
        match administration::administer(&directory, command, now, &shared.rules.hub_name) {
            Ok(changes) => {
                writer
                    .commit(UnitWork { administration: changes, actor: actor.to_owned(), ..UnitWork::default() })
                    .await?;
                Ok(Ok(()))
            }
            Err(rejection) => {
                writer.rollback().await?;
                Ok(Err(rejection))
            }
        }
    });
    match decided.await {
        Ok(outcome) => outcome.map_err(AdminFailure::Rejected),
        Err(error) => Err(AdminFailure::Unavailable(error.to_string())),
    }
}

async fn settle(
    writer: &mut dyn Writer,
    shared: &Shared,
    command: &SettlementCommand,
    actor: &str,
) -> Result<SettlementOutcome, SettlementFailure> {
    let decided = until_decided(writer, shared, async |writer: &mut dyn Writer| {
        writer.open(&[]).await?;
        let (books, now) = writer.lock_books(&command.scope()).await?;
        match settlement::settle(&books, command, now, &shared.rules.hub_name) {
            Ok(Settled { changes, answer }) => {
                let windows = books.windows_after(&changes);
                if changes.is_empty() {
                    writer.rollback().await?;
                } else {
                    let actor = actor.to_owned();
                    writer.commit(UnitWork { administration: changes, actor, ..UnitWork::default() }).await?;
                }
                Ok(Ok(SettlementOutcome { answer, windows, directory: books.directory }))
            }
            Err(rejection) => {
                writer.rollback().await?;
                Ok(Err(rejection))
            }
        }
    });
    match decided.await {
        Ok(outcome) => outcome.map_err(SettlementFailure::Rejected),
        Err(error) => Err(SettlementFailure::Unavailable(error.to_string())),
    }
}

/// Runs an operator's command until the database takes it or the core refuses it, for conflicts only. After an unknown
/// outcome a repetition would be refused as existing already, which would be untrue to whoever asked; the reason that it
/// gets instead says that the outcome is unknown.
async fn until_decided<T>(
    writer: &mut dyn Writer,
    shared: &Shared,
    mut once: impl AsyncFnMut(&mut dyn Writer) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let error = match once(writer).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        if let Err(error) = writer.rollback().await {
            tracing::debug!(%error, "an operator's command could not be rolled back");
        }
        if !matches!(error, StoreError::Conflict(_)) || attempt >= ATTEMPTS_MAX {
            return Err(error);
        }
        shared.metrics.unit_conflicts.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Head;
    use bytes::Bytes;
    use store::PartyEntry;
    use vocabulary::{PartyId, PartyIdType, Timestamp};

    fn party() -> Party {
        let party = PartyId::try_new(PartyIdType::Msisdn, "27710000001", None).unwrap();
        let entry = PartyEntry { party, fsp: "payerfsp".parse().unwrap(), currency: None };
        Party { change: PartyChange::Register(entry), reply: tokio::sync::oneshot::channel().0 }
    }

    fn relay() -> Relay {
        let head = Head {
            method: "PUT".into(),
            endpoint: "".into(),
            path: "/".into(),
            variables: Vec::new(),
            headers: Vec::new(),
            on_failure: None,
            purpose: crate::outbound::Purpose::Other,
        };
        let delivery = Delivery {
            to: "payerfsp".parse().unwrap(),
            payment_key: [0; 16],
            head: Arc::new(head),
            body: Bytes::new(),
            until: Timestamp::from_millis(0),
            persistence: Persistence::InMemory,
            attempts: 0,
        };
        Relay { delivery: Box::new(delivery), reply: tokio::sync::oneshot::channel().0 }
    }

    #[test]
    fn halving_a_batch_comes_to_an_end_whatever_is_in_it() {
        for (parties, relays) in [(1, 1), (2, 0), (0, 2), (3, 1), (1, 4), (5, 5)] {
            let mut whole = Batch::default();
            whole.parties.extend((0..parties).map(|_| party()));
            whole.relays.extend((0..relays).map(|_| relay()));
            let mut waiting = vec![whole];
            let mut alone = 0;
            while let Some(mut batch) = waiting.pop() {
                if batch.len() == 1 {
                    alone += 1;
                    continue;
                }
                let before = batch.len();
                let rest = batch.split();
                assert!(!rest.is_empty() && !batch.is_empty() && rest.len() + batch.len() == before);
                waiting.extend([rest, batch]);
            }
            assert_eq!(alone, parties + relays);
        }
    }
}
