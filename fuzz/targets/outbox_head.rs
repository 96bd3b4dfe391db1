//! The head of a message as another node, or an older program, has left it in the outbox.
#![no_main]

use hub::foreign::Head;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(head) = Head::decode(bytes) {
        assert_eq!(Head::decode(&head.encode()), Some(head));
    }
});
