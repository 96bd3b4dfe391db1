//! The umoja command line. Each subcommand is a module; this file names them.
//!
//! Exit codes: 0 success, 1 the command failed and said why, 2 the arguments make no sense.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod adapter_command;
mod adapter_settings;
mod adapter_tls;
mod admin;
mod bench;
mod bench_adapter;
mod bench_proxy;
mod demo;
mod environment_file;
mod hub_command;
mod logging;
mod own_keys;
mod proxy_command;
mod proxy_settings;
mod settings;
mod verify;
mod verify_jws;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

const ADAPTER_BLOCKING_THREADS: usize = 32;

/// An instant-payments hub that speaks Mojaloop's FSPIOP: one program that runs a scheme, connects its participants and
/// shows how a payment goes.
#[derive(Parser)]
#[command(name = "umoja", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a hub and two example DFSPs in one process, with wallets to try; or scripted payments.
    Demo(demo::DemoOptions),
    /// Run a hub.
    Hub(Box<hub_command::HubArguments>),
    /// Carry messages between two schemes.
    Proxy(Box<proxy_command::ProxyArguments>),
    /// Run the client that a DFSP hosts: a synchronous API for its core, FSPIOP towards the hub.
    Adapter(Box<adapter_command::AdapterArguments>),
    /// Measure what a hub carries on this machine, with full three-phase payments.
    Bench(Box<bench::BenchArguments>),
    /// Measure what a DFSP's adapter carries on this machine.
    BenchAdapter(bench_adapter::BenchAdapterArguments),
    /// Measure what a proxy adapter carries on this machine.
    BenchProxy(bench_proxy::BenchProxyArguments),
    /// Ask a running hub: trace a payment, see to its outbox; onboard a DFSP, issue and revoke certificates.
    Admin(Box<admin::AdminArguments>),
    /// Recompute every balance of a store and compare.
    Verify(verify::VerifyArguments),
    /// Say whether the signature of a stored message fits, and if not, which header or byte differs.
    VerifyJws(verify_jws::VerifyJwsArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Measured: one thread carries as many messages for less processor time than two.
    let mut builder = if matches!(arguments.command, Command::Proxy(_)) {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    if matches!(arguments.command, Command::Adapter(_)) {
        // Its signatures are made there: more threads than processors only cost memory.
        builder.max_blocking_threads(ADAPTER_BLOCKING_THREADS);
    }
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("The system gives no threads: {error}.")),
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Demo(options) => demo::run(options).await,
            Command::Bench(arguments) => bench::run(*arguments).await,
            Command::BenchAdapter(arguments) => bench_adapter::run(arguments).await,
            Command::BenchProxy(arguments) => bench_proxy::run(arguments).await,
            Command::Hub(arguments) => hub_command::run(*arguments).await,
            Command::Proxy(arguments) => proxy_command::run(*arguments).await,
            Command::Adapter(arguments) => adapter_command::run(*arguments).await,
            Command::Admin(arguments) => admin::run(*arguments).await,
            Command::Verify(arguments) => verify::run(arguments).await,
            Command::VerifyJws(arguments) => verify_jws::run(&arguments),
        }
    })
}

/// Says on standard error why a command failed.
fn fail(sentence: &str) -> ExitCode {
    eprintln!("umoja: {sentence}");
    ExitCode::FAILURE
}
