//! Signatures of DFSPs of other schemes: the key is theirs, whoever brings the message.

use crate::{
    support::{PAYEE, PAYER},
    world::{ByProxy as _, FAR, PROXY, World, assert_relayed, payment},
};
use fspiop::jws::SigningKey;
use hub::{PartyAnswers, SignatureFailure, Verification};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_by_a_proxy_is_verified_with_the_key_of_the_dfsp_that_made_it() {
    let directory = tempfile::tempdir().unwrap();
    let keys = [PAYER, PAYEE, FAR, PROXY].map(|name| (name, SigningKey::generate_rsa().unwrap().0));
    for (name, key) in &keys {
        std::fs::write(directory.path().join(format!("{name}.pem")), key.public_pem().unwrap()).unwrap();
    }
    let [(_, of_payer), (_, of_payee), (_, of_far), (_, of_proxy)] = &keys;
    let (failure, party_answers) = (SignatureFailure::Refused, PartyAnswers::Exempt);
    let keys = directory.path().to_owned();
    let world =
        World::start_with(|config| config.verification = Verification::On { keys, failure, party_answers }).await;
    world.meet(FAR, &world.proxy).await;

    let out = payment("5", PAYER, FAR);
    world.accept(&out.prepare().signed(of_payer)).await;
    world.proxy.next("POST /transfers").await;
    let fulfil = out.fulfil("COMMITTED").by(PROXY);
    for wrong in [of_proxy, of_payee] {
        let refused = world.send(&fulfil.clone().signed(wrong)).await.error();
        assert_eq!(refused, "400 3105 Invalid signature - the signature does not fit the body and key");
    }
    let fulfil = fulfil.signed(of_far);
    world.accept(&fulfil).await;
    assert_relayed(&world.payer.next(&out.put()).await, &fulfil);

    let back = payment("2", FAR, PAYEE);
    let prepare = back.prepare().by(PROXY);
    let refused = world.send(&prepare.clone().signed(of_proxy)).await.error();
    assert_eq!(refused, "400 3105 Invalid signature - the signature does not fit the body and key");
    let prepare = prepare.signed(of_far);
    world.accept(&prepare).await;
    assert_relayed(&world.payee.next("POST /transfers").await, &prepare);
    world.accept(&back.fulfil("COMMITTED").signed(of_payee)).await;
    world.proxy.next(&back.put()).await;
    world.end().await;
}
