//! `umoja verify`: recomputes the ledger of a store and compares.

use crate::fail;
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `umoja verify`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct VerifyArguments {
    /// Data directory of a hub that is not running.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address of a store: sqlite:PATH or postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
}

/// Exits 0 if nothing differs; else prints a sentence for each difference and exits 1.
pub async fn run(arguments: VerifyArguments) -> ExitCode {
    let address = match (arguments.data, arguments.store) {
        (Some(directory), _) => {
            let file = directory.join("hub.db");
            if !file.is_file() {
                return fail(&format!("There is no hub database in {}.", directory.display()));
            }
            format!("sqlite:{}", file.display())
        }
        (None, Some(address)) => address,
        (None, None) => return fail("Say which store: --data DIR or --store ADDRESS."),
    };
    let name = hub::Config::default().name;
    let differences = match store::open(&address, &name).await {
        Ok(store) => store.verify().await,
        Err(error) => return fail(&error.to_string()),
    };
    match differences {
        Ok(differences) if differences.is_empty() => {
            println!("Every balance and hold agrees with the entries.");
            ExitCode::SUCCESS
        }
        Ok(differences) => {
            differences.iter().for_each(|difference| println!("{difference}"));
            fail(&format!("{} differences.", differences.len()))
        }
        Err(error) => fail(&error.to_string()),
    }
}
