//! The Molto2: a display to be read, slots to be chosen, and a customer key that is
//! the maker's unless somebody changed it.

use desk::{Choice, RunView, WhatView};
use emulator::families::token2_molto2::{Model, Token2Molto2};
use emulator::{At, Fault, Script};
use sower_tests::pcscd::in_private_pcscd;

use super::{
    MOLTO2, bus, changes, check_confirmed, check_needs_permission, failed, locked, planned,
    replaces,
};

const CUSTOMER_KEY: &str = "Contoso's key 16";
const WRONG_KEY: &str = "Fabrikam's is 16";

/// What waits for the code of its display, in this slot.
fn check_waits(view: &RunView, wanted: &str) {
    match view {
        RunView::Written { typed: true, problem: None, how, slot, clock_offset, .. } => {
            assert_eq!((how.as_str(), slot.as_deref()), ("choose-place", Some(wanted)));
            assert!(matches!(clock_offset, Some(-1..=1)), "{clock_offset:?} s after the write");
        }
        other => panic!("{other:?}"),
    }
}

fn slot(number: u16) -> Choice {
    Choice { slot: Some(number), ..Choice::default() }
}

#[test]
fn its_display_is_believed_and_a_taken_slot_replaced_with_permission() {
    let test = "molto2::its_display_is_believed_and_a_taken_slot_replaced_with_permission";
    in_private_pcscd(test, &[MOLTO2.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        // Slot 0 has the maker's demonstration.
        let id = bus.put(0, (MOLTO2.token)(1));
        let cases = [(Choice::default(), "nothing", "1"), (slot(0), "entry", "0")];
        for (choice, replacing, label) in cases {
            assert_eq!(replaces(planned(&bus, 0, &choice, None)), replacing);
            if replacing == "entry" {
                check_needs_permission(&bus, id, &MOLTO2);
            }
            check_waits(&bus.write(), label);
            let code = bus.display(id);
            let view = bus.desk.judge(&code).expect("a code is awaited");
            let receipt = check_confirmed(&bus, &view, &MOLTO2, "right-typed");
            assert_eq!(receipt["evidence"]["kind"], "typed", "{receipt}");
            assert_eq!(receipt["token"]["slot"], label, "{receipt}");
            assert!(bus.holds_canary(id));
        }
        assert_eq!(bus.tray.holds(id).len(), 2);
    });
}

#[test]
fn a_wrong_customer_key_is_told_with_the_tries_that_are_left() {
    let test = "molto2::a_wrong_customer_key_is_told_with_the_tries_that_are_left";
    in_private_pcscd(test, &[MOLTO2.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let token = Token2Molto2::new(Model::Molto2v2, 1);
        let id = bus.put(0, Box::new(token.with_customer_key(CUSTOMER_KEY.as_bytes())));
        let plan = |key| planned(&bus, 0, &Choice::default(), key);
        let wrong = |left: &str| Some(("wrong-password".to_owned(), Some(left.to_owned())));

        // The maker's key is tried once, and after that only one that was given.
        bus.tray.arm(id, &[]);
        assert_eq!(replaces(plan(None)), "nothing");
        assert_eq!(locked(bus.write(), "key"), wrong("7"));
        assert_eq!(locked(plan(None), "key"), None);
        assert_eq!(replaces(plan(Some(WRONG_KEY))), "nothing");
        assert_eq!(locked(bus.write(), "key"), wrong("6"));
        assert!(changes(&bus, id, &MOLTO2).is_empty(), "changed without the key");

        assert_eq!(replaces(plan(Some(CUSTOMER_KEY))), "nothing");
        check_waits(&bus.write(), "1");
        let view = bus.desk.judge(&bus.display(id)).expect("a code is awaited");
        let receipt = check_confirmed(&bus, &view, &MOLTO2, "right-typed");
        assert!(!receipt.to_string().contains(CUSTOMER_KEY), "the key in the receipt");
        assert!(bus.holds_canary(id));
    });
}

#[test]
fn one_that_leaves_is_not_guessed_about() {
    const READ_SLOT: u8 = 0x41;
    const WRITE_SEED: u8 = 0xc5;
    let test = "molto2::one_that_leaves_is_not_guessed_about";
    in_private_pcscd(test, &[MOLTO2.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.put(0, (MOLTO2.token)(1));
        let cases = [
            (READ_SLOT, Fault::RemovedBefore, "untouched"),
            (WRITE_SEED, Fault::RemovedBefore, "unknown"),
            (WRITE_SEED, Fault::RemovedAfter, "unknown"),
        ];
        for (ins, fault, state) in cases {
            assert_eq!(replaces(planned(&bus, 0, &slot(7), None)), "nothing");
            bus.tray.arm(id, &[Script { at: At::Instruction { ins, nth: 0 }, fault }]);
            let (problem, can_settle) = failed(bus.write());
            assert!(!bus.tray.is_inserted(id), "it never left");
            assert_eq!(problem.token.as_deref(), Some(state), "{problem:?}");
            assert!(!can_settle, "it tells no code");
            assert!(bus.desk.receipt().is_err(), "nothing was done");
            assert_eq!(bus.holds_canary(id), fault == Fault::RemovedAfter);
            bus.tray.insert(id);
            bus.seen(0);
        }
        // Its slots tell that one is taken now, and done again it comes out right.
        assert_eq!(replaces(planned(&bus, 0, &slot(7), None)), "entry");
        check_waits(&bus.write(), "7");
        let view = bus.desk.judge(&bus.display(id)).expect("a code is awaited");
        check_confirmed(&bus, &view, &MOLTO2, "right-typed");
    });
}

/// No command tells it from a card of another make, so the name of the reader does.
#[test]
fn in_a_reader_of_another_name_it_is_a_stranger() {
    let test = "molto2::in_a_reader_of_another_name_it_is_a_stranger";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.add(0, (MOLTO2.token)(1));
        bus.tray.insert(id);
        let tokens = bus.wait_for(|tokens| !tokens.is_empty());
        assert!(matches!(tokens[0].what, WhatView::Stranger { .. }), "{tokens:?}");
        assert!(changes(&bus, id, &MOLTO2).is_empty(), "changed unasked");
    });
}
