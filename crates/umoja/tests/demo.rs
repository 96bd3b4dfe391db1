//! The demo as a person or a script runs it: the program, its pages over HTTP, its end by a signal.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Generous: a busy machine is slow, a broken demo never comes.
const PATIENCE: Duration = Duration::from_secs(60);

fn umoja(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_umoja"));
    command.arg("demo").args(arguments);
    command
}

fn once(arguments: &[&str]) -> Output {
    umoja(&[&["--once"], arguments].concat()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A demo that waits for people.
struct Demo {
    process: Child,
    green: SocketAddr,
    blue: SocketAddr,
    lake: SocketAddr,
}

struct Page {
    status: u16,
    location: String,
    body: String,
}

impl Demo {
    /// Starts on free ports and reads the addresses out of the welcome.
    fn start(arguments: &[&str]) -> Self {
        let mut command = umoja(&[&["--free-ports"], arguments].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut addresses = lines.map(Result::unwrap).filter_map(|line| {
            let (title, url) = line.trim().split_once("  ")?;
            Some((title.to_owned(), url.trim().strip_prefix("http://")?.parse().ok()?))
        });
        let mut next = |title: &str| {
            let (found, address): (String, SocketAddr) = addresses.next().expect("the demo tells its addresses");
            assert_eq!(found, title);
            address
        };
        let (green, blue, lake) = (next("Green Bank"), next("Blue Wallet"), next("Lake Savings"));
        Self { process, green, blue, lake }
    }

    /// Sends money as a browser does and returns the path of the payment's page.
    fn pay(&self, customer: &str, number: &str, amount: &str) -> String {
        let (token, offer) = self.offer(customer, number, amount);
        let payment = post(self.green, &offer, &format!("token={token}"));
        assert_eq!(payment.status, 303, "{}", payment.body);
        payment.location
    }

    /// Everything up to the confirmation: the form's token and the path of the offer.
    fn offer(&self, customer: &str, number: &str, amount: &str) -> (String, String) {
        self.offer_of(customer, number, amount, "receive")
    }

    /// The same, with the side on which the amount is fixed.
    fn offer_of(&self, customer: &str, number: &str, amount: &str, mode: &str) -> (String, String) {
        let form = get(self.green, &format!("/customers/{customer}/send")).body;
        let token = form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = format!("token={token}&number={number}&amount={amount}&mode={mode}&note=");
        let offer = post(self.green, &format!("/customers/{customer}/send"), &fields);
        assert_eq!(offer.status, 303, "{}", offer.body);
        (token.to_owned(), offer.location)
    }

    /// The page at `path`, as soon as it says `wanted`.
    fn wait_for(&self, address: SocketAddr, path: &str, wanted: &str) -> String {
        let started = Instant::now();
        loop {
            // The page itself waits for the end of a payment for some seconds, so this does not spin.
            let page = get(address, path).body;
            if page.contains(wanted) {
                return page;
            }
            assert!(started.elapsed() < PATIENCE, "no '{wanted}' in {page}");
        }
    }

    /// Whether a payment was made, as soon as that is decided. One that the DFSP never wrote down was not.
    fn is_paid(&self, path: &str) -> bool {
        let started = Instant::now();
        loop {
            let page = get(self.green, path);
            if page.status == 404 || page.body.contains("The payment was not made") {
                return false;
            }
            if page.body.contains("Paid</h1>") {
                return true;
            }
            assert!(started.elapsed() < PATIENCE, "undecided: {}", page.body);
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn get(address: SocketAddr, path: &str) -> Page {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

fn post(address: SocketAddr, path: &str, fields: &str) -> Page {
    try_post(address, path, fields).unwrap()
}

/// Fails when the demo is killed meanwhile.
fn try_post(address: SocketAddr, path: &str, fields: &str) -> io::Result<Page> {
    let length = fields.len();
    try_exchange(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{fields}"
        ),
    )
}

fn exchange(address: SocketAddr, request: &str) -> Page {
    try_exchange(address, request).unwrap()
}

fn try_exchange(address: SocketAddr, request: &str) -> io::Result<Page> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head[9..12].parse().unwrap();
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default().to_owned();
    Ok(Page { status, location, body: body.to_owned() })
}

fn balance(address: SocketAddr, customer: &str) -> String {
    let page = get(address, &format!("/customers/{customer}")).body;
    page.split("class=\"amount\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_script_passes_and_passes_again_on_its_own_data() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = once(&["--json", "--data", path_text(directory.path())]);
        let lines: Vec<serde_json::Value> =
            text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(lines.len(), 13);
        assert!(lines[..12].iter().all(|line| line["agree"] == true));
        assert_eq!(
            (&lines[12]["cases"], &lines[12]["agreeing"], &lines[12]["ok"]),
            (&12.into(), &12.into(), &true.into())
        );
    }
}

#[test]
fn the_table_is_for_people() {
    let output = once(&[]);
    let table = text(&output.stdout);
    assert!(output.status.success(), "{table}");
    for part in ["payment goes through", "4200 Payer limit error", "agree in 12 of 12 payments"] {
        assert!(table.contains(part), "{part} in {table}");
    }
}

#[test]
fn money_sent_in_the_browser_arrives_and_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data = ["--data", path_text(directory.path())];
    let demo = Demo::start(&data);
    assert_eq!(balance(demo.blue, "baraka"), "KES 8,000.00");
    let payment = demo.pay("amina", "9992000001", "1000");
    let receipt = demo.wait_for(demo.green, &payment, "Paid</h1>");
    for part in ["Baraka Kimani", "KES 1,000.00", "KES 5.00", "KES 10.05", "KES 1,015.05"] {
        assert!(receipt.contains(part), "{part} in {receipt}");
    }
    drop(demo);
    let demo = Demo::start(&data);
    assert_eq!(balance(demo.green, "amina"), "KES 48,984.95");
    // The payee may have been killed before it heard of the commit; it asks, or is told again.
    demo.wait_for(demo.blue, "/customers/baraka", "KES 9,000.00");
    demo.wait_for(demo.green, &payment, "Paid</h1>");
}

#[test]
fn what_a_conversion_costs_is_shown_before_it_is_confirmed_and_in_the_history() {
    let demo = Demo::start(&[]);
    let form = get(demo.green, "/customers/amina/send").body;
    let token = form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = format!("token={token}&number=9993000001&amount=2500&currency=TZS&mode=receive&note=");
    let sent = post(demo.green, "/customers/amina/send", &fields);
    assert_eq!(sent.status, 303, "{}", sent.body);
    let offer = get(demo.green, &sent.location).body;
    // They keep 0.5 % of the 2,512.50 that arrive; the exchange 1 % of the rate of 20 and 0.5 %; we 1 %.
    let facts = [
        "Rehema Mushi",
        "TZS 2,500.00",
        "TZS 12.50",
        "TZS 2,512.50",
        "Converted by savannafx",
        "1 KES = TZS 19.7991",
        "KES 0.63",
        "KES 127.53",
        "KES 1.28",
        "KES 128.81",
    ];
    for part in facts {
        assert!(offer.contains(part), "{part} in {offer}");
    }
    let payment = post(demo.green, &sent.location, &format!("token={token}")).location;
    let receipt = demo.wait_for(demo.green, &payment, "Paid</h1>");
    for part in facts {
        assert!(receipt.contains(part), "{part} in {receipt}");
    }
    let history = get(demo.green, "/customers/amina").body;
    assert!(history.contains("−KES 128.81") && history.contains("They get TZS 2,500.00"), "{history}");
    // A person with another currency cannot be paid an exact amount in ours.
    let fields = format!("token={token}&number=9993000001&amount=100&currency=KES&mode=receive&note=");
    let refused = post(demo.green, "/customers/amina/send", &fields);
    assert!(refused.status == 422 && refused.body.contains("account is in another currency"), "{}", refused.body);
}

#[test]
fn what_the_payees_dfsp_converts_is_shown_in_both_currencies_on_both_sides() {
    let demo = Demo::start(&[]);
    let (token, path) = demo.offer_of("amina", "9993000004", "100", "send");
    // The exchange keeps 0.5 % and 1 % of the rate of 20, they 0.5 % of the 1,970.10 that arrive, we 1 %.
    let offer = get(demo.green, &path).body;
    for part in ["Penda Mollel", "TZS 1,960.25", "TZS 9.85", "Converted by lakesavings", "KES 100.00", "KES 101.00"] {
        assert!(offer.contains(part), "{part} in {offer}");
    }
    let payment = post(demo.green, &path, &format!("token={token}")).location;
    let receipt = demo.wait_for(demo.green, &payment, "Paid</h1>");
    assert!(receipt.contains("TZS 1,960.25") && receipt.contains("KES 101.00"), "{receipt}");
    let received = demo.wait_for(demo.lake, &payment.replace("amina", "penda"), "You received money");
    let facts =
        ["KES 100.00", "TZS 1,970.10", "Converted by savannafx", "1 KES = TZS 19.80", "KES 0.50", "TZS 1,960.25"];
    for part in facts {
        assert!(received.contains(part), "{part} in {received}");
    }
    let history = get(demo.lake, "/customers/penda").body;
    assert!(history.contains("+TZS 1,960.25") && history.contains("They sent KES 100.00"), "{history}");
    assert_eq!(balance(demo.lake, "penda"), "TZS 21,960.25");
}

#[test]
fn a_payment_in_flight_when_everything_is_killed_gives_the_money_back() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--expire-after", "2", "--data", path_text(directory.path())];
    let demo = Demo::start(&options);
    let payment = demo.pay("daudi", "9992000004", "100");
    let in_flight = get(demo.green, "/customers/daudi").body;
    assert!(in_flight.contains("set aside for payments on their way"), "{in_flight}");
    drop(demo);
    let demo = Demo::start(&options);
    demo.wait_for(demo.green, &payment, "The payment was not made");
    let home = get(demo.green, "/customers/daudi").body;
    assert!(home.contains("KES 12,500.50") && !home.contains("set aside"), "{home}");
}

/// Confirms an offer, and ends the demo as soon as the journal of a participant has one more event of a kind.
fn kill_while_paying(demo: Demo, (offer, token): (&str, &str), participant: &Path, event: &str) {
    let journal = participant.join("journal.jsonl");
    let before = count(&journal, event);
    let (green, path, fields) = (demo.green, offer.to_owned(), format!("token={token}"));
    let confirmation = thread::spawn(move || try_post(green, &path, &fields));
    let started = Instant::now();
    while count(&journal, event) == before {
        assert!(started.elapsed() < PATIENCE, "no {event} in {}", journal.display());
    }
    drop(demo);
    // The confirmation's answer may have been cut off.
    let _ = confirmation.join().unwrap();
}

#[test]
fn a_payment_that_is_killed_at_any_step_ends_the_same_on_both_sides() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--expire-after", "3", "--data", path_text(directory.path())];
    let mut paid = 0;
    for (bank, event) in [
        ("greenbank", "payment_opened"),
        ("bluewallet", "payment_opened"),
        ("greenbank", "payment_completed"),
        ("bluewallet", "payment_completed"),
    ] {
        let demo = Demo::start(&options);
        let (token, offer) = demo.offer("farida", "9992000002", "10");
        kill_while_paying(demo, (&offer, &token), &directory.path().join(bank), event);
        let demo = Demo::start(&options);
        let payment = offer.replace("offers", "payments");
        if demo.is_paid(&payment) {
            paid += 1;
            demo.wait_for(demo.blue, &payment.replace("farida", "neema"), "You received money");
        }
        // Each payment of 10 costs a fee of 0.05 there and 1 here.
        assert_eq!(balance(demo.green, "farida"), shillings(300_000 - paid * 1_105), "killed after {event} at {bank}");
        assert_eq!(balance(demo.blue, "neema"), shillings(65_025 + paid * 1_000), "killed after {event} at {bank}");
    }
    let output = once(&["--data", path_text(directory.path())]);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn a_conversion_that_is_killed_at_any_step_ends_the_same_on_all_sides() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--expire-after", "3", "--data", path_text(directory.path())];
    let mut paid = 0;
    for (participant, event) in [
        ("greenbank", "payment_opened"),
        ("savannafx", "conversion_reserved"),
        ("lakesavings", "payment_opened"),
        ("savannafx", "conversion_completed"),
    ] {
        let demo = Demo::start(&options);
        let form = get(demo.green, "/customers/amina/send").body;
        let token = form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let fields = format!("token={token}&number=9993000001&amount=2500&currency=TZS&mode=receive&note=");
        let offer = post(demo.green, "/customers/amina/send", &fields).location;
        kill_while_paying(demo, (&offer, &token), &directory.path().join(participant), event);
        let demo = Demo::start(&options);
        paid += u32::from(demo.is_paid(&offer.replace("offers", "payments")));
        // Each payment of 2,500 Tanzanian shillings costs 128.81 Kenyan ones.
        let killed = format!("killed after {event} at {participant}");
        assert_eq!(balance(demo.green, "amina"), shillings(5_000_000 - paid * 12_881), "{killed}");
    }
    // The script compares all positions of hub, DFSPs and provider.
    let output = once(&["--data", path_text(directory.path())]);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn a_conversion_of_the_payees_dfsp_that_is_killed_at_any_step_ends_the_same_on_all_sides() {
    let directory = tempfile::tempdir().unwrap();
    let data = path_text(directory.path());
    let mut paid = 0;
    for (participant, event, lifetime, is_accepted) in [
        ("lakesavings", "payment_opened", "3", false),
        ("savannafx", "conversion_reserved", "3", false),
        // From here on a restart must not lose the payment, if it is in time.
        ("lakesavings", "payment_accepted", "40", true),
        ("lakesavings", "payment_completed", "40", true),
    ] {
        let options = ["--expire-after", lifetime, "--data", data];
        let demo = Demo::start(&options);
        let (token, offer) = demo.offer_of("amina", "9993000004", "100", "send");
        kill_while_paying(demo, (&offer, &token), &directory.path().join(participant), event);
        let demo = Demo::start(&options);
        let payment = offer.replace("offers", "payments");
        let is_paid = demo.is_paid(&payment);
        let killed = format!("killed after {event} at {participant}");
        assert!(is_paid || !is_accepted, "{killed}");
        if is_paid {
            paid += 1;
            demo.wait_for(demo.lake, &payment.replace("amina", "penda"), "You received money");
        }
        assert_eq!(balance(demo.green, "amina"), shillings(5_000_000 - paid * 10_100), "{killed}");
        let theirs = shillings(2_000_000 + paid * 196_025).replace("KES", "TZS");
        assert_eq!(balance(demo.lake, "penda"), theirs, "{killed}");
    }
    // The script compares all positions of hub, DFSPs and provider.
    let output = once(&["--data", data]);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

/// How often an event stands in a journal.
fn count(journal: &Path, event: &str) -> usize {
    std::fs::read_to_string(journal).unwrap().matches(&format!("\"event\":\"{event}\"")).count()
}

/// Hundredths as the pages write them.
fn shillings(cents: u32) -> String {
    let (whole, cents) = (cents / 100, cents % 100);
    let thousands = if whole >= 1000 { format!("{},{:03}", whole / 1000, whole % 1000) } else { whole.to_string() };
    format!("KES {thousands}.{cents:02}")
}

#[test]
fn a_port_that_is_taken_is_told_in_one_sentence() {
    // Whoever has the port already, this test or another program, the demo cannot have it.
    let _taken = TcpListener::bind("127.0.0.1:4000");
    let output = umoja(&[]).output().unwrap();
    let sentence = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence.contains("127.0.0.1:4000") && sentence.contains("--free-ports"), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
}

#[test]
fn the_directory_of_another_hub_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("hub.db"), b"somebody's money").unwrap();
    let output = once(&["--data", path_text(directory.path())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("holds a hub that is not the demo's"));
}
