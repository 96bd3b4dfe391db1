//! What payers and payees agree on, made before the clock starts: amount, ILP packet, condition, fulfilment.
//!
//! Invariant: every fulfilment is the payee's own for its packet, and SHA-256 of it is the condition. All texts of one
//! kind have one length, so that messages are equally long whichever agreement they carry.

use crate::{
    random::Random,
    scheme::{CURRENCY, Party, dfsp_text},
};
use fspiop::{
    canonical_json,
    ilp::{PaymentPacket, Secret, condition_of, minor_units_cut, party_account},
};
use serde_json::json;
use vocabulary::{Amount, Currency, FspId};

const SECRET: &str = "harness";
/// Units of 10⁻⁴: amounts are 1.01 to 9.99, three digits that do not end in zero.
const UNITS_PER_CENT: i64 = 100;

/// One agreement in the texts that travel.
#[derive(Clone, Debug)]
pub struct Agreement {
    pub amount: Amount,
    /// The amount as FSPIOP writes it.
    pub amount_text: String,
    pub packet: String,
    pub condition: String,
    pub fulfilment: String,
}

/// As many agreements as asked for. Their packets name transactions of their own: payments draw from the pool, because
/// an HMAC and two base64 encodings for each would be measured as if they were the hub's.
pub fn agreements(count: usize, random: &mut Random) -> Vec<Agreement> {
    let secret = Secret::new(SECRET);
    (0..count).map(|_| agreement(&secret, random)).collect()
}

fn agreement(secret: &Secret, random: &mut Random) -> Agreement {
    let whole = 1 + random.below(9) as i64;
    let tens = random.below(10) as i64;
    let ones = 1 + random.below(9) as i64;
    let amount = Amount::from_units((whole * 100 + tens * 10 + ones) * UNITS_PER_CENT);
    let amount_text = amount.to_string();
    let currency: Currency = CURRENCY.parse().expect("it is in ISO 4217");
    let payee = Party { dfsp: random.below(99) as u8, number: random.below(10_000) as u32 };
    let (fsp, msisdn) = (dfsp_text(payee.dfsp), String::from_utf8_lossy(&payee.msisdn()).into_owned());
    let transaction = json!({
        "transactionId": String::from_utf8_lossy(&random.uuid().text()),
        "quoteId": String::from_utf8_lossy(&random.uuid().text()),
        "payee": {
            "partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": msisdn, "fspId": fsp},
            "personalInfo": {"complexName": {"firstName": "Ana", "lastName": "Diaz"}},
        },
        "payer": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": msisdn, "fspId": fsp}, "name": "Bob Mosi"},
        "amount": {"amount": amount_text, "currency": CURRENCY},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    });
    let name: FspId = fsp.parse().expect("a DFSP's name is an FSP id");
    let packet = PaymentPacket {
        amount: minor_units_cut(amount, currency).expect("the amount is positive"),
        account: party_account(&name, "MSISDN", &msisdn, None),
        transaction: canonical_json(&transaction).into(),
    }
    .encode();
    let fulfilment = secret.fulfilment_v1(&packet);
    let condition = condition_of(&fulfilment).to_string();
    Agreement { amount, amount_text, packet, condition, fulfilment: fulfilment.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fspiop::ilp::transaction_of;
    use vocabulary::Fulfilment;

    #[test]
    fn fulfilments_fulfil_and_packets_carry_the_amount() {
        for agreement in agreements(50, &mut Random::seeded(5)) {
            let fulfilment = Fulfilment::parse(&agreement.fulfilment).unwrap();
            assert_eq!(condition_of(&fulfilment).to_string(), agreement.condition);
            let transaction: serde_json::Value =
                serde_json::from_slice(&transaction_of(&agreement.packet).unwrap()).unwrap();
            assert_eq!(transaction["amount"]["amount"], agreement.amount_text);
            assert_eq!(agreement.amount_text.parse::<Amount>().unwrap(), agreement.amount);
        }
    }

    #[test]
    fn all_agreements_are_equally_long_and_no_two_share_a_condition() {
        let pool = agreements(50, &mut Random::seeded(6));
        let lengths = |agreement: &Agreement| (agreement.amount_text.len(), agreement.packet.len());
        assert!(pool.iter().all(|agreement| lengths(agreement) == lengths(&pool[0])));
        let mut conditions: Vec<&str> = pool.iter().map(|agreement| agreement.condition.as_str()).collect();
        conditions.sort_unstable();
        conditions.dedup();
        assert_eq!(conditions.len(), pool.len());
    }
}
