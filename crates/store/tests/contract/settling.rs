//! Settlement as a hub runs it: a decision and a unit for each command.

use super::scheme::{HUB, fsp};
use hub_core::{
    WindowId,
    settlement::{
        CloseWindow, Settled, SettlementAnswer, SettlementCommand, SettlementRejection, TakeTotals, Window, settle,
    },
};
use store::{Store, StoreError, UnitWork, Writer};

/// Decides a command and makes what follows durable.
pub async fn run(
    writer: &mut dyn Writer,
    command: SettlementCommand,
) -> Result<Result<SettlementAnswer, SettlementRejection>, StoreError> {
    writer.open(&[]).await?;
    let (books, now) = writer.lock_books(&command.scope()).await?;
    match settle(&books, &command, now, &fsp(HUB)) {
        Ok(Settled { changes, answer }) => {
            let told = books.windows_after(&changes);
            let work = UnitWork { administration: changes, actor: "operator".into(), ..UnitWork::default() };
            writer.commit(work).await?;
            assert_eq!(told, read_again(writer, &command).await?, "who asked is told what is then");
            Ok(Ok(answer))
        }
        Err(rejection) => {
            writer.rollback().await?;
            Ok(Err(rejection))
        }
    }
}

/// The windows of a command, by another unit.
async fn read_again(writer: &mut dyn Writer, command: &SettlementCommand) -> Result<Vec<Window>, StoreError> {
    writer.open(&[]).await?;
    let (books, _) = writer.lock_books(&command.scope()).await?;
    writer.rollback().await?;
    Ok(books.windows)
}

/// As [`run`], for a command that is not refused.
pub async fn does(writer: &mut dyn Writer, command: SettlementCommand) -> SettlementAnswer {
    run(writer, command).await.unwrap().unwrap()
}

/// Closes a window, so that no payment joins it any more; returns the next.
pub async fn close(writer: &mut dyn Writer, window: WindowId) -> Result<Window, SettlementRejection> {
    let command = SettlementCommand::CloseWindow(CloseWindow { window, reason: "end of the day".into() });
    let answer = run(writer, command).await.unwrap()?;
    let SettlementAnswer::Opened(next) = answer else { panic!("{answer:?}") };
    Ok(next)
}

/// Gives a closed window its contents.
pub async fn take_totals(store: &dyn Store, writer: &mut dyn Writer, window: WindowId) {
    let totals = store.window_totals(window).await.unwrap();
    does(writer, SettlementCommand::TakeTotals(TakeTotals { window, totals })).await;
}
