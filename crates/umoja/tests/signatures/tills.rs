//! A payee that answers COMMITTED: the two ends are DFSPs made directly on the sdk, so that every message of the payment is
//! one of theirs.

use crate::tap::Message;
use crate::world::{End, HUBS, World, usd};
use crate::{assert_signed_by, assert_untouched};
use sdk::{
    AmountType, Answer, Backend, Connection, Decision, ErrorCode, FspiopError, IncomingTransfer, News, NotRecorded,
    Party, QuoteOrder, QuoteQuestion, Terms, TransferOrder, new_id, now,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vocabulary::{Amount, CorrelationId, FspId, Money, PartyId, PartyIdType};

/// The core of a DFSP with one customer, which commits what it is asked to take.
struct Till {
    customer: Party,
    taken: Mutex<Vec<IncomingTransfer>>,
}

impl Till {
    fn new(fsp: &str, number: &str) -> Arc<Self> {
        let id = PartyId::try_new(PartyIdType::Msisdn, number, None).unwrap();
        let fsp: FspId = fsp.parse().unwrap();
        let customer = Party { id, fsp, name: Some("Zoë \"Z\" Ünï/✓".into()), currencies: vec![usd()] };
        Arc::new(Self { customer, taken: Mutex::default() })
    }
}

impl Backend for Till {
    async fn lookup(&self, party: PartyId) -> Result<Party, FspiopError> {
        let is_known = party == self.customer.id;
        is_known.then(|| self.customer.clone()).ok_or_else(|| FspiopError::new(ErrorCode::PARTY_NOT_FOUND))
    }

    async fn quote(&self, question: QuoteQuestion) -> Result<Terms, FspiopError> {
        let (transfer, fee) = (question.amount.amount, Amount::parse("0.5").unwrap());
        let received = transfer.checked_sub(fee).unwrap();
        Ok(Terms {
            transfer,
            received,
            fee,
            payee: self.customer.clone(),
            conversion: None,
            expiration: now().plus_millis(60_000),
        })
    }

    async fn prepare(&self, transfer: IncomingTransfer) -> Answer {
        self.taken.lock().unwrap().push(transfer);
        Answer::Commit
    }

    async fn news(&self, _id: CorrelationId, _news: News) -> Result<(), NotRecorded> {
        Ok(())
    }
}

/// A DFSP at a hub, whose customer the scheme's directory knows.
async fn open(world: &World, end: &mut End, till: &Arc<Till>) -> (Connection, sdk::Listener) {
    let connection = Connection::new(end.connection());
    let listener = sdk::serve(connection.clone(), till.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    world.join(end, listener.address()).await;
    connection.serve_party(&till.customer.id, usd()).await.unwrap();
    (connection, listener)
}

struct Paid {
    quote: CorrelationId,
    transfer: CorrelationId,
}

/// Pays 25.5 from the payer's customer to the payee's.
async fn pay(payer: &Connection, [from, to]: [&Party; 2]) -> Paid {
    let payee = payer.find(&to.id).await.unwrap();
    assert_eq!(&payee, to);
    let order = QuoteOrder {
        quote_id: new_id(),
        transaction_id: new_id(),
        payer: from.clone(),
        payee,
        amount_type: AmountType::Send,
        amount: Money { amount: Amount::parse("25.5").unwrap(), currency: usd() },
        note: Some("für \\ \"Zoë\"\n".into()),
        refund_of: None,
        request: None,
    };
    let quote = payer.quote(&order).await.unwrap();
    let expiration = now().plus_millis(30_000);
    let transfer = TransferOrder {
        id: new_id(),
        payee_fsp: quote.payee_fsp,
        amount: quote.transfer,
        packet: quote.packet,
        condition: quote.condition,
        expiration,
    };
    assert_eq!(payer.send(&transfer).await, Ok(Decision::Committed));
    Paid { quote: order.quote_id, transfer: transfer.id }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_across_two_proxies_and_three_schemes_is_signed_and_verified_without_one_byte_changed() {
    let world = World::start().await;
    let (mut payer, mut payee) = (world.end("greenbank", 0).await, world.end("bluebank", 2).await);
    payer.introduce_to(&payee);
    payee.introduce_to(&payer);
    let (green, blue) = (Till::new("greenbank", "111"), Till::new("bluebank", "222"));
    let (connection, _of_green) = open(&world, &mut payer, &green).await;
    let (_, of_blue) = open(&world, &mut payee, &blue).await;
    let paid = pay(&connection, [&green.customer, &blue.customer]).await;
    assert_eq!(blue.taken.lock().unwrap().len(), 1);

    let [there_1, back_1, there_2, back_2] = [0, 1, 2, 3].map(|number| &world.between[number]);
    let there = [&payer.sent, there_1, there_2, payee.received()];
    let back = [&payee.sent, back_2, back_1, payer.received()];
    for line in ["POST /quotes", "POST /transfers"] {
        assert_signed_by(&assert_untouched(line, &there), "greenbank", &payee);
    }
    for line in [
        "PUT /parties/MSISDN/222".to_owned(),
        format!("PUT /quotes/{}", paid.quote),
        format!("PUT /transfers/{}", paid.transfer),
    ] {
        assert_signed_by(&assert_untouched(&line, &back), "bluebank", &payer);
    }
    // A question has no body, so that nobody can sign it; whose it is stays as it was.
    let asked = "GET /parties/MSISDN/222";
    for name in ["fspiop-source", "date", "content-type", "accept"] {
        assert_eq!(payer.sent.get(asked).header(name), payee.received().get(asked).header(name), "{name}");
    }
    let end = payer.received().get(&format!("PUT /transfers/{}", paid.transfer));
    assert!(String::from_utf8_lossy(&end.body).contains("COMMITTED"));
    assert_no_hub_spoke_about_the_payment(&[&payer, &payee]);
    let owed = world.admins[0].position("greenbank", usd()).await.unwrap();
    assert_eq!(owed, Amount::parse("25.5").unwrap());
    assert_eq!(world.admins[2].position("bluebank", usd()).await.unwrap(), Amount::parse("-25.5").unwrap());

    let prepare = payee.received().get("POST /transfers");
    refuses_any_change(of_blue.address(), &prepare).await;
    assert_eq!(blue.taken.lock().unwrap().len(), 1, "nothing of that reached the payee's core");
    assert_eq!(answer(of_blue.address(), &prepare.bytes).await.0, 202, "as it was it is taken");
    world.stop().await;
}

/// Of the messages to the ends, a hub made those about the directory alone.
fn assert_no_hub_spoke_about_the_payment(ends: &[&End]) {
    for end in ends {
        for message in end.received().messages() {
            let source = String::from_utf8_lossy(message.header("fspiop-source").unwrap()).into_owned();
            let is_of_hub = HUBS.contains(&source.as_str());
            assert_eq!(is_of_hub, message.line.starts_with("PUT /participants/"), "{} by {source}", message.line);
        }
    }
}

/// Gives the payee what it has received with one byte changed, at places all over the body and in each signed header.
async fn refuses_any_change(payee: SocketAddr, message: &Message) {
    let head = message.bytes.len() - message.body.len();
    let lower = String::from_utf8_lossy(&message.bytes[..head]).to_ascii_lowercase();
    let of_header = |name: &str| lower.find(&format!("\r\n{name}: ")).unwrap() + name.len() + 4;
    let places = (head + 2..message.bytes.len() - 2).step_by(41);
    let headers = ["fspiop-uri", "fspiop-http-method", "fspiop-source", "fspiop-signature"].map(of_header);
    for place in places.chain(headers.map(|start| start + 1)) {
        let mut changed = message.bytes.clone();
        changed[place] ^= 1;
        let shown = String::from_utf8_lossy(&changed[place - 1..=place + 1]).into_owned();
        let (status, body) = answer(payee, &changed).await;
        assert!(status == 400 && body.contains("\"3105\""), "byte {place}, now {shown}: {status} {body}");
    }
}

/// Status and body of the answer to a request given as bytes.
async fn answer(listener: SocketAddr, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(listener).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest.lines().next().unwrap());
            if body.len() >= length.parse().unwrap() {
                return (head[9..12].parse().unwrap(), body.to_owned());
            }
        }
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the answer ended early");
    }
}
