//! A hub that is killed in the middle of everything, and DFSPs that do not give up.
//!
//! Payers and payees repeat whatever was not acknowledged, with the same bytes, and answer whatever comes again as they
//! answered it before. The hub is killed with SIGKILL at moments drawn from a seed and started again on the same ports
//! and the same data.
//!
//! Invariant, checked at the end: of each transfer that the hub acknowledged, hub, payer and payee know the same final
//! state; a fulfilment that was acknowledged before the expiry is committed; positions are the sum of the committed
//! transfers, so nothing was lost and nothing committed twice; the ledger verifies.

mod inbound;
mod payee;
mod payer;
mod verdict;
mod world;

use crate::{
    process::{Addresses, HubCommand, HubProcess},
    provision::{self, Client, Plan},
    random::Random,
    scheme::Scheme,
    wire::server,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::{self, LocalSet},
    time::{Instant, interval, sleep, timeout},
};
use world::World;

/// How the hub is treated.
#[derive(Clone, Debug)]
pub struct CrashPlan {
    /// The `umoja` binary.
    pub binary: PathBuf,
    /// An existing directory for the data and the log.
    pub directory: PathBuf,
    /// Kills, ids and amounts are drawn from it.
    pub seed: u64,
    pub kills: u32,
    pub payments_per_second: u32,
}

/// What came of it.
#[derive(Clone, Default, Debug)]
pub struct CrashReport {
    pub kills: u32,
    /// Transfers that payers sent, and those that the hub acknowledged.
    pub sent: usize,
    pub acknowledged: usize,
    pub committed: usize,
    pub aborted: usize,
    /// Messages that came to a DFSP more than once.
    pub repeated: u64,
    /// Each breach of the invariant, in a sentence.
    pub breaches: Vec<String>,
}

const DFSPS: u8 = 4;
const PARTIES: u32 = 100;
const FUNDS: u64 = 1_000_000;
/// A hub lives so long between its start and its next kill.
const LIFE_MS_MIN: u64 = 300;
const LIFE_MS_SPREAD: u64 = 1500;
/// A killed hub stays down so long, at most.
const PAUSE_MS_MAX: u64 = 300;
/// All transfers have expired, and all callbacks been delivered, long before.
const QUIET_TIMEOUT: Duration = Duration::from_secs(60);
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the plan on a thread's own runtime. An error says why it could not be carried out.
pub fn run(plan: &CrashPlan) -> Result<CrashReport, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    LocalSet::new().block_on(&runtime, carry_out(plan))
}

async fn carry_out(plan: &CrashPlan) -> Result<CrashReport, String> {
    let mut random = Random::seeded(plan.seed);
    let scheme = Scheme::try_new(DFSPS, PARTIES).expect("the constants are within the limits");
    let data = plan.directory.join("data");
    let command = HubCommand {
        binary: plan.binary.clone(),
        arguments: vec!["--data".into(), data.clone().into()],
        log: plan.directory.join("hub.log"),
    };
    let addresses = Addresses::reserved(&mut random).map_err(|error| error.to_string())?;
    let mut hub = HubProcess::start(&command, addresses).await?;

    let world = Rc::new(World::new(scheme, addresses.fspiop, Random::seeded(random.next_u64())));
    let callbacks = listen(&world).await?;
    let client = Client::new();
    make_scheme(&client, &Plan { scheme, hub: addresses, callbacks, is_secured: false, funds: FUNDS }, &world).await?;

    let payers = task::spawn_local(begin_payments(Rc::clone(&world), plan.payments_per_second));
    for _ in 0..plan.kills {
        sleep(Duration::from_millis(LIFE_MS_MIN + random.below(LIFE_MS_SPREAD))).await;
        hub.kill().await.map_err(|error| format!("the hub cannot be killed: {error}"))?;
        sleep(Duration::from_millis(random.below(PAUSE_MS_MAX))).await;
        hub = HubProcess::start(&command, addresses).await?;
    }
    sleep(Duration::from_millis(LIFE_MS_MIN)).await;
    payers.abort();

    let mut report = verdict::reach(&world, &client, addresses.administration, QUIET_TIMEOUT).await;
    report.kills = plan.kills;
    if let Err(problem) = hub.stop().await {
        report.breaches.push(problem);
    }
    report.breaches.extend(verify_ledger(&plan.binary, &data).await);
    Ok(report)
}

async fn listen(world: &Rc<World>) -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    task::spawn_local(server::serve(listener, None, Rc::new(inbound::Inbound(Rc::clone(world)))));
    Ok(address)
}

async fn make_scheme(client: &Client, plan: &Plan, world: &World) -> Result<(), String> {
    provision::provision(client, plan).await.map_err(|error| error.to_string())?;
    provision::register_parties(client, plan.hub.fspiop, plan.scheme).await.map_err(|error| error.to_string())?;
    let all_registered = world.wait_until(|world| world.registered.get() >= plan.scheme.parties_in_all());
    timeout(REGISTRATION_TIMEOUT, all_registered)
        .await
        .map_err(|_| "not all parties were registered in time".to_owned())
}

/// Begins payments, evenly, until it is aborted. The payments go on by themselves.
async fn begin_payments(world: Rc<World>, per_second: u32) {
    let mut ticks = interval(Duration::from_secs(1) / per_second.max(1));
    loop {
        ticks.tick().await;
        let (world, payment) = (Rc::clone(&world), world.new_payment());
        world.paying.set(world.paying.get() + 1);
        task::spawn_local(async move {
            payer::pay(&world, payment, Instant::now()).await;
            world.paying.set(world.paying.get() - 1);
            world.change();
        });
    }
}

/// What `umoja verify` says about the data of the stopped hub, unless all is well.
async fn verify_ledger(binary: &Path, data: &Path) -> Option<String> {
    let verified = tokio::process::Command::new(binary).arg("verify").arg("--data").arg(data).output().await;
    match verified {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some(format!("umoja verify: {}", String::from_utf8_lossy(&said).trim_end()))
        }
        Err(error) => Some(format!("umoja verify cannot be run: {error}")),
    }
}
