//! What ends together: a payment is committed as a whole or not at all (contract, interscheme §3.5 to §3.7).

use super::{LinkRow, Report};

pub(super) fn check(link: &LinkRow, report: &mut Report) {
    let LinkRow { conversion, transfer, .. } = link;
    if link.is_transfer_committed && link.is_open {
        report.say(format!("Transfer {transfer} is committed, but its conversion {conversion} has not ended."));
    }
    if link.is_committed && !link.is_transfer_committed && !link.is_transfer_elsewhere {
        report.say(format!("Conversion {conversion} is committed, but its transfer {transfer} is not."));
    }
}
