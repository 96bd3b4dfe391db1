//! The line of messages to one participant: by payment in order, different payments beside each other.
//!
//! Invariant: of one payment one message is under way at a time. How a transfer ended takes the place of what was said of
//! it before and has not been delivered: that leaves the line, and the outbox with the next unit.

use crate::outbound::{Delivery, Head, Persistence};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};
use store::MessageId;
use tokio::sync::{Notify, Semaphore};

/// The messages to one participant.
pub struct Participant {
    pub connections: Semaphore,
    line: Mutex<Line>,
}

#[derive(Default)]
pub struct Line {
    turns: HashMap<[u8; 16], Turn>,
    pub waiting: usize,
    /// Messages from this place on wait in the outbox alone.
    pub left_in_outbox_after: Option<MessageId>,
}

/// The messages of one payment.
struct Turn {
    /// What the message under way says, and how it is told that nobody needs it any more.
    under_way: (Arc<Head>, Arc<Notify>),
    behind: VecDeque<Delivery>,
}

/// A message whose turn it is, with what is notified if another takes its place.
pub struct Next {
    pub delivery: Delivery,
    pub superseded: Arc<Notify>,
}

/// What became of a message that joined a line.
pub struct Joined {
    /// The message itself, if nobody of its payment is before it.
    pub next: Option<Next>,
    /// Places in the outbox of messages whose place it took.
    pub dropped: Vec<MessageId>,
    /// How many messages left the line for it, those in memory included.
    pub left: usize,
}

impl Participant {
    pub fn new(connections: usize) -> Self {
        Self { connections: Semaphore::new(connections), line: Mutex::default() }
    }

    pub fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().expect("lines are changed without panicking")
    }
}

impl Line {
    /// Puts a message behind those of its payment that it does not supersede.
    pub fn join(&mut self, delivery: Delivery) -> Joined {
        self.waiting += 1;
        let Some(turn) = self.turns.get_mut(&delivery.payment_key) else {
            let next = Next::new(delivery);
            let turn = Turn { under_way: next.notice(), behind: VecDeque::new() };
            self.turns.insert(next.delivery.payment_key, turn);
            return Joined { next: Some(next), dropped: Vec::new(), left: 0 };
        };
        let mut dropped = Vec::new();
        let before = turn.behind.len();
        // An answer in memory does not live as long as what the outbox keeps.
        if delivery.persistence != Persistence::InMemory {
            turn.behind.retain(|earlier| {
                let is_superseded = delivery.head.supersedes(&earlier.head);
                if is_superseded {
                    dropped.extend(earlier.persistence.id());
                }
                !is_superseded
            });
            if delivery.head.supersedes(&turn.under_way.0) {
                turn.under_way.1.notify_one();
            }
        }
        let left = before - turn.behind.len();
        turn.behind.push_back(delivery);
        self.waiting -= left;
        Joined { next: None, dropped, left }
    }

    /// Takes a finished message out of the line. Returns the next one of its payment and, if the line is empty, the place
    /// in the outbox from where messages were left there.
    pub fn leave(&mut self, key: [u8; 16]) -> (Option<Next>, Option<MessageId>) {
        self.waiting -= 1;
        let next = self.turns.get_mut(&key).and_then(|turn| {
            let next = Next::new(turn.behind.pop_front()?);
            turn.under_way = next.notice();
            Some(next)
        });
        if next.is_none() {
            self.turns.remove(&key);
        }
        let left = if self.waiting == 0 { self.left_in_outbox_after } else { None };
        (next, left)
    }
}

impl Next {
    fn new(delivery: Delivery) -> Self {
        Self { delivery, superseded: Arc::default() }
    }

    fn notice(&self) -> (Arc<Head>, Arc<Notify>) {
        (self.delivery.head.clone(), self.superseded.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Purpose;
    use bytes::Bytes;
    use vocabulary::Timestamp;

    const PREPARE: (&str, &str, Purpose) = ("POST", "/transfers", Purpose::UnderWay);
    const RESERVED: (&str, &str, Purpose) = ("PUT", "/transfers/1", Purpose::UnderWay);
    const COMMITTED: (&str, &str, Purpose) = ("PUT", "/transfers/1", Purpose::End);
    const PATCHED: (&str, &str, Purpose) = ("PATCH", "/transfers/1", Purpose::End);
    const ENDED: (&str, &str, Purpose) = ("PUT", "/transfers/1/error", Purpose::End);
    const REFUSED: (&str, &str, Purpose) = ("PUT", "/transfers/1/error", Purpose::Other);

    fn delivery((method, path, purpose): (&str, &str, Purpose), persistence: Persistence) -> Delivery {
        let head = Head {
            method: method.into(),
            endpoint: "".into(),
            path: path.into(),
            variables: Vec::new(),
            headers: Vec::new(),
            on_failure: None,
            purpose,
        };
        Delivery {
            to: "payeefsp".parse().unwrap(),
            payment_key: [1; 16],
            head: Arc::new(head),
            body: Bytes::new(),
            until: Timestamp::from_millis(0),
            persistence,
            attempts: 0,
        }
    }

    fn durable(place: i64) -> Persistence {
        Persistence::Durable(MessageId(place))
    }

    #[test]
    fn how_a_transfer_ended_takes_the_place_of_what_was_said_before_and_of_nothing_else() {
        for (later, superseded) in [
            (ENDED, vec![PREPARE, RESERVED, ENDED]),
            (COMMITTED, vec![PREPARE, RESERVED, COMMITTED]),
            // What a participant is told as payer is not what it is told as payee.
            (PATCHED, vec![PREPARE, RESERVED, PATCHED]),
            (REFUSED, vec![]),
            (RESERVED, vec![]),
            (PREPARE, vec![]),
        ] {
            let all = [PREPARE, RESERVED, COMMITTED, PATCHED, ENDED, REFUSED];
            let later = delivery(later, durable(2)).head;
            let found = all.into_iter().filter(|earlier| later.supersedes(&delivery(*earlier, durable(1)).head));
            assert_eq!(found.collect::<Vec<_>>(), superseded, "{later:?}");
        }
    }

    #[test]
    fn what_waits_leaves_the_line_and_what_is_under_way_is_told() {
        let mut line = Line::default();
        let first = line.join(delivery(PREPARE, durable(1))).next.unwrap();
        line.join(delivery(REFUSED, durable(2)));
        line.join(delivery(RESERVED, durable(3)));
        line.join(delivery(RESERVED, Persistence::InMemory));
        let joined = line.join(delivery(ENDED, durable(4)));
        assert!(joined.next.is_none());
        assert_eq!((joined.dropped, joined.left, line.waiting), (vec![MessageId(3)], 2, 3));
        assert!(is_told(&first.superseded));
        for expected in [REFUSED, ENDED] {
            let next = line.leave([1; 16]).0.unwrap();
            assert_eq!((&*next.delivery.head.path, next.delivery.head.purpose), (expected.1, expected.2));
            // The word was for the message that was under way then.
            assert!(!is_told(&next.superseded));
        }
        assert!(line.leave([1; 16]).0.is_none());
        assert_eq!((line.waiting, line.turns.len()), (0, 0));
    }

    #[test]
    fn an_answer_in_memory_takes_the_place_of_nothing() {
        let mut line = Line::default();
        let first = line.join(delivery(COMMITTED, durable(1))).next.unwrap();
        let joined = line.join(delivery(COMMITTED, Persistence::InMemory));
        assert_eq!((joined.left, line.waiting), (0, 2));
        assert!(!is_told(&first.superseded));
    }

    fn is_told(superseded: &Notify) -> bool {
        use std::task::{Context, Waker};
        std::pin::pin!(superseded.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }
}
