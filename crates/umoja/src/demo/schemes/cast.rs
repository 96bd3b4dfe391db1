//! Who plays in `umoja demo --schemes`: the schemes in their order, their DFSPs, and what connects them. The first scheme is
//! that of the plain demo.

use crate::demo::cast::{BLUE, GREEN, LAKE, PENNY_FEE, Part, Row, SMALL_FEE};
use dfsp::{FeeRule, Temper};
use vocabulary::Currency;

/// The number of somebody who has an account at two DFSPs and takes payments at one of them at a time.
pub const MOVER: Row = ("zuri", "Zuri Hamisi", "9992000005", "100", Temper::Welcoming);

/// Keeps accounts in the neighbours' currency.
pub const BORDER: Part = Part {
    name: "borderbank",
    title: "Border Bank",
    hue: 330,
    wallet_port: 8105,
    currency: "KES",
    fees: [PENNY_FEE, SMALL_FEE],
    customers: &[
        ("lulu", "Lulu Masanja", "9994000001", "7500", Temper::Welcoming),
        ("sitaki", "Sitaki Hata", "9994000002", "1000", Temper::Refusing),
        ("bubu", "Bubu Kimya", "9994000003", "1000", Temper::Silent),
    ],
    deposit_id: "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a06",
};

pub const HARBOUR: Part = Part {
    name: "harbourbank",
    title: "Harbour Bank",
    hue: 285,
    wallet_port: 8104,
    currency: "USD",
    fees: [FeeRule::FREE, FeeRule::FREE],
    customers: &[("pendo", "Pendo Salim", "9995000001", "2500", Temper::Welcoming)],
    deposit_id: "6f1c1f0e-2b0f-4c0a-9d55-0a3c5e7b1a07",
};

/// One scheme.
pub struct Play {
    /// The hub's name as a participant.
    pub hub: &'static str,
    pub currency: &'static str,
    pub banks: &'static [&'static Part],
    pub has_provider: bool,
    /// Added to the usual ports.
    pub port_offset: u16,
}

/// A proxy between two neighbours, with what it has accounts in on both sides.
pub struct Bridge {
    pub name: &'static str,
    pub currencies: &'static [&'static str],
}

const A: Play = Play { hub: "hub-a", currency: "KES", banks: &[&GREEN, &BLUE], has_provider: false, port_offset: 0 };
const B: Play = Play { hub: "hub-b", currency: "TZS", banks: &[&BORDER, &LAKE], has_provider: false, port_offset: 10 };
const R: Play = Play { hub: "hub-r", currency: "USD", banks: &[&HARBOUR], has_provider: true, port_offset: 20 };

/// The schemes in a row, each the neighbour of the next.
pub fn plays(count: u8) -> Vec<Play> {
    if count == 2 { vec![Play { has_provider: true, ..A }, B] } else { vec![A, R, B] }
}

/// What stands between them. A proxy that carries both legs of a conversion has accounts in both currencies only where
/// the provider is one of its neighbours and the other currency crosses it too.
pub fn bridges(count: u8) -> &'static [Bridge] {
    const BOTH: &[&str] = &["KES", "TZS"];
    match count {
        2 => &[Bridge { name: "proxy-ab", currencies: BOTH }],
        _ => &[Bridge { name: "proxy-ar", currencies: &["KES"] }, Bridge { name: "proxy-rb", currencies: BOTH }],
    }
}

pub fn currency(code: &str) -> Currency {
    code.parse().expect("the cast pays in currencies that there are")
}

/// An id of a deposit that is the same at every start: of a participant's number and a currency.
pub fn deposit_id(member: usize, currency: Currency) -> String {
    let letters: String = currency.as_str().bytes().map(|letter| format!("{letter:02x}")).collect();
    format!("6f1c1f0e-2b0f-4c0a-9d56-{member:06x}{letters}")
}
