//! A mail server of the loopback: speaks as much SMTP as a sender needs, and keeps the letters until a test asks.

use super::DEADLINE;
use hub::{Smtp, SmtpTls};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{Instant, timeout_at},
};

pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Clone, Default, Debug)]
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    lines: Vec<String>,
}

#[derive(Default)]
struct Shared {
    letters: Mutex<Vec<Letter>>,
    arrived: Notify,
    /// Letters that are still to be refused.
    refusals: Mutex<u32>,
    /// What `AUTH PLAIN` must say, in base64; none if nobody has to say who it is.
    credentials: Option<String>,
}

impl MailServer {
    pub async fn start() -> Self {
        Self::serve(Shared::default()).await
    }

    pub async fn start_with_password(user: &str, password: &str) -> Self {
        let credentials = Some(base64(format!("\0{user}\0{password}").as_bytes()));
        Self::serve(Shared { credentials, ..Shared::default() }).await
    }

    async fn serve(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                // A sender may hang up whenever it likes.
                tokio::spawn(async move { shared.talk(stream).await.ok() });
            }
        });
        server
    }

    /// The settings of a hub that sends through it.
    pub fn smtp(&self) -> Smtp {
        Smtp {
            host: self.address.ip().to_string(),
            port: Some(self.address.port()),
            from: "hub@scheme.example".to_owned(),
            user: None,
            tls: SmtpTls::None,
        }
    }

    /// The next letters are refused for the time being.
    pub fn refuse(&self, count: u32) {
        *self.shared.refusals.lock().unwrap() = count;
    }

    /// Takes the oldest letter whose first recipient is this, waiting for it if need be.
    pub async fn next(&self, to: &str) -> Letter {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let arrived = self.shared.arrived.notified();
            if let Some(letter) = self.take(to) {
                return letter;
            }
            let waited = timeout_at(deadline, arrived).await;
            assert!(waited.is_ok(), "no letter to {to} in {:?}", self.shared.letters.lock().unwrap());
        }
    }

    pub fn unread(&self) -> usize {
        self.shared.letters.lock().unwrap().len()
    }

    fn take(&self, to: &str) -> Option<Letter> {
        let mut letters = self.shared.letters.lock().unwrap();
        let place = letters.iter().position(|letter| letter.to.first().is_some_and(|first| first == to))?;
        Some(letters.remove(place))
    }
}

impl Letter {
    pub fn has_line(&self, line: &str) -> bool {
        self.lines.iter().any(|known| known == line)
    }
}

impl Shared {
    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 stub\r\n").await?;
        let (mut letter, mut is_known) = (Letter::default(), self.credentials.is_none());
        while let Some(line) = lines.next_line().await? {
            let command = line.to_ascii_uppercase();
            let reply = if command.starts_with("EHLO") {
                "250-stub\r\n250 AUTH PLAIN"
            } else if let Some(said) = line.strip_prefix("AUTH PLAIN ") {
                is_known = self.credentials.as_deref() == Some(said);
                if is_known { "235 welcome" } else { "535 who are you" }
            } else if !is_known {
                "530 say who you are"
            } else if command.starts_with("MAIL FROM:") {
                letter.from = between(&line, '<', '>');
                "250 ok"
            } else if command.starts_with("RCPT TO:") {
                letter.to.push(between(&line, '<', '>'));
                "250 ok"
            } else if command == "DATA" {
                writer.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    letter.lines.push(line);
                }
                self.keep(std::mem::take(&mut letter))
            } else {
                "502 what"
            };
            writer.write_all(format!("{reply}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn keep(&self, letter: Letter) -> &'static str {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return "451 not now";
        }
        self.letters.lock().unwrap().push(letter);
        self.arrived.notify_waiters();
        "250 kept"
    }
}

fn between(text: &str, open: char, close: char) -> String {
    let (_, rest) = text.split_once(open).unwrap();
    rest.split_once(close).unwrap().0.to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place > chunk.len() { '=' } else { letter });
        }
    }
    text
}
