//! What the inbound listener has received, for those who test: the last messages, within limits.
//!
//! Invariant: one log holds everything that is shown. It has a greatest number of messages and of bytes, whoever reads it or
//! not: a reader keeps only its place, and one whose place has fallen out of the log has been too slow.

use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

/// What is kept at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub messages_max: usize,
    pub bytes_max: usize,
    pub readers_max: usize,
}

/// Requests come by POST, GET and PATCH, callbacks by PUT.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum List {
    Requests,
    Callbacks,
}

/// What a reader wants to see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum View {
    All,
    List(List),
    One(List, String),
}

/// The log. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log(Arc<Shared>);

struct Shared {
    limits: Limits,
    state: Mutex<State>,
    /// Says that there is something new, or that it is over.
    grown: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// Number of the first message that is kept.
    first: u64,
    bytes: usize,
    /// Numbers of the newest messages of their list and id.
    newest: HashMap<(List, String), u64>,
    readers: usize,
    is_closed: bool,
}

struct Message {
    list: List,
    id: String,
    /// `{"data", "headers"}`.
    text: Arc<str>,
}

/// One who reads what comes from now on.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    view: View,
    grown: watch::Receiver<()>,
    /// Number of the next message to look at.
    place: u64,
}

/// What comes next for a reader.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// `{"data", "headers", "id"}`.
    Message(String),
    /// Messages were dropped before they were read.
    TooSlow,
    /// The adapter stops.
    Closed,
}

impl Log {
    pub fn new(limits: Limits) -> Self {
        let grown = watch::Sender::new(());
        Self(Arc::new(Shared { limits, state: Mutex::default(), grown }))
    }

    /// Keeps a message; drops the oldest ones if there are too many.
    pub fn keep(&self, (list, id): (List, String), headers: &Value, body: &Value) {
        let data = if body.is_null() { &json!({}) } else { body };
        let text = json!({"headers": headers, "data": data}).to_string();
        let limits = &self.0.limits;
        let mut state = self.0.state();
        let number = state.first + state.messages.len() as u64;
        state.bytes += text.len();
        state.newest.insert((list, id.clone()), number);
        state.messages.push_back(Message { list, id, text: text.into() });
        while state.messages.len() > limits.messages_max || state.bytes > limits.bytes_max {
            state.drop_oldest();
        }
        drop(state);
        self.0.grown.send_replace(());
    }

    /// The newest message of an id, `{"data", "headers"}`.
    pub fn newest(&self, list: List, id: &str) -> Option<Arc<str>> {
        let state = self.0.state();
        let number = *state.newest.get(&(list, id.to_owned()))?;
        let message = state.message(number)?;
        Some(message.text.clone())
    }

    /// Begins to read. `None` if as many read as may, or the adapter stops.
    pub fn read(&self, view: View) -> Option<Reader> {
        let mut state = self.0.state();
        if state.is_closed || state.readers >= self.0.limits.readers_max {
            return None;
        }
        state.readers += 1;
        let place = state.first + state.messages.len() as u64;
        Some(Reader { shared: self.0.clone(), view, grown: self.0.grown.subscribe(), place })
    }

    /// Ends all readers.
    pub fn close(&self) {
        self.0.state().is_closed = true;
        self.0.grown.send_replace(());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the log")
    }
}

impl State {
    fn message(&self, number: u64) -> Option<&Message> {
        let index = number.checked_sub(self.first)?;
        self.messages.get(usize::try_from(index).ok()?)
    }

    fn drop_oldest(&mut self) {
        let Some(message) = self.messages.pop_front() else { return };
        self.bytes -= message.text.len();
        let key = (message.list, message.id);
        if self.newest.get(&key) == Some(&self.first) {
            self.newest.remove(&key);
        }
        self.first += 1;
    }
}

impl Reader {
    /// Waits for the next message of the view. What was not yet handed out when this is dropped comes with the next call.
    pub async fn next(&mut self) -> Next {
        loop {
            self.grown.mark_unchanged();
            if let Some(next) = self.look() {
                return next;
            }
            if self.grown.changed().await.is_err() {
                return Next::Closed;
            }
        }
    }

    fn look(&mut self) -> Option<Next> {
        let state = self.shared.state();
        if state.is_closed {
            return Some(Next::Closed);
        }
        if self.place < state.first {
            return Some(Next::TooSlow);
        }
        while let Some(message) = state.message(self.place) {
            self.place += 1;
            if self.view.shows(message) {
                return Some(Next::Message(message.shown()));
            }
        }
        None
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.state().readers -= 1;
    }
}

impl View {
    fn shows(&self, message: &Message) -> bool {
        match self {
            Self::All => true,
            Self::List(list) => *list == message.list,
            Self::One(list, id) => *list == message.list && *id == message.id,
        }
    }
}

impl Message {
    /// With the id as a last member.
    fn shown(&self) -> String {
        let open = self.text.strip_suffix('}').expect("a kept message is an object");
        format!("{open},\"id\":{}}}", Value::from(self.id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Limits = Limits { messages_max: 100, bytes_max: 10_000, readers_max: 2 };

    fn keep(log: &Log, list: List, id: &str, number: u32) {
        log.keep((list, id.to_owned()), &json!({"n": "h"}), &json!({"number": number}));
    }

    fn number(next: &Next) -> Value {
        let Next::Message(text) = next else { panic!("{next:?}") };
        let shown: Value = serde_json::from_str(text).unwrap();
        assert_eq!(shown["headers"], json!({"n": "h"}), "{shown}");
        json!([shown["id"], shown["data"]["number"]])
    }

    #[tokio::test]
    async fn a_reader_gets_what_it_asked_for_from_then_on() {
        let log = Log::new(ROOMY);
        keep(&log, List::Requests, "a", 1);
        let mut all = log.read(View::All).unwrap();
        let mut one = log.read(View::One(List::Callbacks, "a\"".into())).unwrap();
        keep(&log, List::Requests, "b", 2);
        keep(&log, List::Requests, "a\"", 3);
        keep(&log, List::Callbacks, "a\"", 4);
        assert_eq!(number(&all.next().await), json!(["b", 2]));
        assert_eq!(number(&one.next().await), json!(["a\"", 4]));
        drop(one);
        let mut list = log.read(View::List(List::Callbacks)).unwrap();
        keep(&log, List::Requests, "c", 5);
        keep(&log, List::Callbacks, "c", 6);
        assert_eq!(number(&list.next().await), json!(["c", 6]));
    }

    #[tokio::test]
    async fn of_an_id_the_newest_message_is_kept() {
        let log = Log::new(ROOMY);
        keep(&log, List::Requests, "a", 1);
        keep(&log, List::Requests, "a", 2);
        let newest: Value = serde_json::from_str(&log.newest(List::Requests, "a").unwrap()).unwrap();
        assert_eq!(newest, json!({"headers": {"n": "h"}, "data": {"number": 2}}));
        assert_eq!(log.newest(List::Callbacks, "a"), None);
        log.keep((List::Requests, "b".into()), &json!({}), &Value::Null);
        assert!(log.newest(List::Requests, "b").unwrap().contains("\"data\":{}"), "a GET has no body");
    }

    #[tokio::test]
    async fn the_log_has_its_limits_and_who_falls_behind_is_told() {
        for limits in [Limits { messages_max: 3, ..ROOMY }, Limits { bytes_max: 130, ..ROOMY }] {
            let log = Log::new(limits);
            let mut slow = log.read(View::All).unwrap();
            for count in 0..10 {
                keep(&log, List::Requests, &format!("id {count}"), count);
                let state = log.0.state();
                assert!(state.messages.len() <= limits.messages_max && state.bytes <= limits.bytes_max);
                assert_eq!(state.newest.len(), state.messages.len());
            }
            assert_eq!(log.newest(List::Requests, "id 0"), None);
            assert!(log.newest(List::Requests, "id 9").is_some());
            assert_eq!(slow.next().await, Next::TooSlow);
        }
        let log = Log::new(Limits { bytes_max: 10, ..ROOMY });
        keep(&log, List::Requests, "larger than everything", 1);
        assert_eq!(log.newest(List::Requests, "larger than everything"), None);
    }

    #[tokio::test]
    async fn readers_are_few_and_end_with_the_adapter() {
        let log = Log::new(ROOMY);
        let (first, mut second) = (log.read(View::All).unwrap(), log.read(View::All).unwrap());
        assert!(log.read(View::All).is_none());
        drop(first);
        let third = log.read(View::All);
        assert!(third.is_some());
        log.close();
        assert_eq!(second.next().await, Next::Closed);
        drop(third);
        assert!(log.read(View::All).is_none());
    }
}
