#![allow(warnings)]
#[path = "../tests/contract/scheme.rs"]
mod scheme;
use hub_core::*;
use scheme::*;
use std::time::Instant;
use store::*;
use vocabulary::*;

fn cpu() -> u64 {
    std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap()
}
fn rid(n: u64) -> CorrelationId {
    let h = hash(&n.to_string()).0;
    let mut b: [u8; 16] = h[..16].try_into().unwrap();
    b[6] = 0x40 | b[6] & 15;
    b[8] = 0x80 | b[8] & 63;
    CorrelationId::from_parts(b, false)
}
fn body(n: usize) -> bytes::Bytes {
    vec![b'x'; n].into()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let address = &arguments[1];
    let units_total: u64 = arguments[2].parse().unwrap();
    let per_unit: u64 = arguments[3].parse().unwrap(); // payments per unit (each with 4 commands)
    let store = store::open(address, &fsp(HUB)).await.unwrap();
    let mut writer = store.writer().await.unwrap();
    drop(writer);
    let later = if store.directory_version().await.unwrap() == 0 {
        found(&*store).await.plus_millis(100_000_000)
    } else {
        Timestamp::from_millis(4_000_000_000_000)
    };
    let base: u64 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let join = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async move {
    let mut writer = store.writer().await.unwrap();
    let mut delivered: Vec<MessageId> = vec![];
    let (mut t, mut c) = ([0u64; 4], [0u64; 4]);
    let start = Instant::now();
    let mut messages_total = 0; let mut commands_total = 0;
    let report_every = units_total / 5;
    let mut worst = 0u128;
    for u in 0..units_total {
        let mut commands = vec![];
        for p in 0..per_unit {
            let n = |stage: u64| base + (u + 10 - stage) * per_unit + p;
            let mut q = submit_quote(0); q.id = rid(n(0) * 2); commands.push(Command::SubmitQuote(q.into()));
            if u >= 1 { let mut q = answer_quote(0); q.id = rid(n(1) * 2); commands.push(Command::AnswerQuote(q.into())); }
            if u >= 2 { let mut q = prepare(0, later); q.id = rid(n(2) * 2 + 1); q.amount = Ok(units(if (u + p) % 2 == 0 {1} else {1})); if p % 2 == 1 { q.payer = fsp(BANKS[1]); q.source = q.payer.clone(); q.payee = fsp(BANKS[0]); } commands.push(Command::Prepare(q.into())); }
            if u >= 3 { let mut q = fulfil(0); q.id = rid(n(3) * 2 + 1); if p % 2 == 1 { q.source = fsp(BANKS[0]); q.destination = Some(fsp(BANKS[1])); } commands.push(Command::Fulfil(q.into())); }
        }
        let (t0, c0) = (Instant::now(), cpu());
        let wanted: Vec<Wanted> = commands.iter().map(|c| if c.may_create() { Wanted::Claim(c.subject()) } else { Wanted::Find(c.subject()) }).collect();
        let opened = writer.open(&wanted).await.unwrap();
        let (t1, c1) = (Instant::now(), cpu());
        let by: std::collections::HashMap<_, _> = opened.transfers.iter().map(|t| (t.id, t.clone())).collect();
        let st: Vec<(Standing, Access)> = commands.iter().flat_map(|c| c.standings(by.get(&c.subject().id), &fsp(HUB))).collect();
        let (t1b, c1b) = (Instant::now(), cpu());
        let mut loaded = writer.lock(&st).await.unwrap();
        let (t2, c2) = (Instant::now(), cpu());
        loaded.transfers = opened.transfers; loaded.quotes = opened.quotes;
        let now = loaded.now;
        let mut state = State::new(loaded, rules());
        let outcomes: Vec<Outcome> = commands.iter().map(|c| decide(&mut state, c)).collect();
        let messages: Vec<NewMessage> = outcomes.iter().flat_map(|o| &o.notices).map(|n| NewMessage { to: n.to.clone(), payment_key: n.about.id.to_parts().0, retry: Retry { until: now }, head: body(700), body: body(1200) }).collect();
        messages_total += messages.len(); commands_total += commands.len();
        let work = UnitWork { changes: state.into_changes(), messages, marks: delivered.drain(..).map(Mark::Delivered).collect(), ..Default::default() };
        let (t3, c3) = (Instant::now(), cpu());
        delivered = writer.commit(work).await.unwrap();
        let (t4, c4) = (Instant::now(), cpu());
        worst = worst.max((t4 - t3).as_micros());
        for (i, (a, b)) in [((t1 - t0), c1 - c0), (t2 - t1b, c2 - c1b), (t3 - t2 + (t1b - t1), c3 - c2 + c1b - c1), (t4 - t3, c4 - c3)].into_iter().enumerate() { t[i] += a.as_nanos() as u64; c[i] += b; }
        if (u + 1) % report_every == 0 {
            let n = commands_total as u64;
            println!("unit {} commands {} wall/cmd us: open {:.2} lock {:.2} decide {:.2} commit {:.2}; cpu/cmd us: open {:.2} lock {:.2} decide {:.2} commit {:.2}; messages {} worst commit {} us; {:.0} units/s {:.0} cmd/s", u + 1, n,
                t[0] as f64/1e3/n as f64, t[1] as f64/1e3/n as f64, t[2] as f64/1e3/n as f64, t[3] as f64/1e3/n as f64,
                c[0] as f64/1e3/n as f64, c[1] as f64/1e3/n as f64, c[2] as f64/1e3/n as f64, c[3] as f64/1e3/n as f64, messages_total, worst,
                report_every as f64 / (t.iter().sum::<u64>() as f64 / 1e9), n as f64 / (t.iter().sum::<u64>() as f64 / 1e9));
            t = [0; 4]; c = [0; 4]; commands_total = 0; messages_total = 0; worst = 0;
        }
    }
    drop(writer);
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM")).collect::<Vec<_>>().join(" "));
    let d = store.directory().await.unwrap();
    println!("verify {:?} posted {}", store.verify().await.unwrap(), d.accounts[2].account.posted);
    })
    });
    join.join().unwrap();
    println!(
        "process cpu (10ms ticks) {}",
        std::fs::read_to_string("/proc/self/stat").unwrap().split(' ').skip(13).take(2).collect::<Vec<_>>().join(" ")
    );
}
