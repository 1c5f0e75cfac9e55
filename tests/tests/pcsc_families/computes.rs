//! Keys that compute codes: what was written proves itself.

use desk::{Choice, RunView, WhatView};
use emulator::families::nitrokey_secrets::NitrokeySecrets;
use emulator::families::token2_fido_otp::{Release, Token2FidoOtp};
use emulator::{At, Fault, Script, TrayId};
use sower_tests::bus::Bus;
use sower_tests::pcscd::in_private_pcscd;

use super::{
    FEITIAN, Make, NITROKEY, TOKEN2_FIDO, bus, changes, check_confirmed, check_needs_permission,
    failed, locked, planned, replaces,
};

/// Each in the reader of its place.
const KEYS: [Make; 3] = [NITROKEY, FEITIAN, TOKEN2_FIDO];

/// What the canary is called on a Nitrokey.
const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
const PIN: &str = "736519";

/// Writes the canary to the key in a reader, permitting and touching, and gives where
/// among the commands the last one was that changed it.
fn enrolled(bus: &Bus, reader: usize, id: TrayId, replacing: &str) -> usize {
    let make = &KEYS[reader];
    assert_eq!(replaces(planned(bus, reader, &Choice::default(), None)), replacing);
    bus.tray.arm(id, &[]);
    bus.tray.press(id);
    let view = bus.write();
    let receipt = check_confirmed(bus, &view, make, "right-computed");
    assert_eq!(receipt["evidence"]["kind"], "computed", "{receipt}");
    assert_eq!(receipt["token"]["replaced"], replacing, "{receipt}");
    let changes = changes(bus, id, make);
    *changes.last().expect("it was written")
}

#[test]
fn they_prove_what_was_written_and_replace_it_with_permission() {
    let test = "computes::they_prove_what_was_written_and_replace_it_with_permission";
    in_private_pcscd(test, &KEYS.map(|make| make.reader), |pcscd| {
        let bus = bus(pcscd, KEYS.len());
        for (reader, make) in KEYS.iter().enumerate() {
            let id = bus.put(reader, (make.token)(1));
            match bus.seen(reader).what {
                WhatView::Token { family, .. } => assert_eq!(family, make.family),
                other => panic!("{other:?}"),
            }
            enrolled(&bus, reader, id, "nothing");
            assert!(bus.holds_canary(id));

            assert_eq!(replaces(planned(&bus, reader, &Choice::default(), None)), "entry");
            check_needs_permission(&bus, id, make);
            enrolled(&bus, reader, id, "entry");
            assert!(bus.holds_canary(id));
            assert_eq!(bus.tray.holds(id).len(), 1, "{}", make.family);
        }
    });
}

#[test]
fn a_nitrokey_that_nobody_touches_deletes_nothing() {
    let test = "computes::a_nitrokey_that_nobody_touches_deletes_nothing";
    in_private_pcscd(test, &[NITROKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let key = NitrokeySecrets::new(1).occupied(&[NAME]);
        let id = bus.put(0, Box::new(key));
        assert_eq!(replaces(planned(&bus, 0, &Choice::default(), None)), "entry");
        let (problem, _) = failed(bus.write());
        assert_eq!(problem.code, "not-touched");
        assert_eq!(problem.token.as_deref(), Some("untouched"), "{problem:?}");
        assert_eq!(bus.tray.holds(id).len(), 1);
    });
}

/// The token leaves at the command of this place, and the write fails with an unknown
/// outcome; asked in vain while it is away, it stays so.
fn leaves(bus: &Bus, id: TrayId, place: usize, fault: Fault) {
    bus.tray.arm(id, &[Script { at: At::Exchange(place), fault }]);
    bus.tray.press(id);
    let (problem, can_settle) = failed(bus.write());
    assert_eq!(problem.token.as_deref(), Some("unknown"), "{problem:?}");
    assert!(can_settle);
    assert!(!bus.tray.is_inserted(id), "it never left");
    let gone = bus.desk.settle(&mut |_| {}).expect_err("it is not there");
    assert_eq!(gone.code, "token-gone");
}

#[test]
fn a_key_that_left_is_asked_when_it_is_back() {
    let test = "computes::a_key_that_left_is_asked_when_it_is_back";
    in_private_pcscd(test, &KEYS.map(|make| make.reader), |pcscd| {
        let bus = bus(pcscd, KEYS.len());
        // A Feitian key is another key when it comes back: see below.
        for (reader, make) in KEYS.iter().enumerate().filter(|(reader, _)| *reader != 1) {
            let sample = bus.put(reader, (make.token)(1));
            let first = enrolled(&bus, reader, sample, "nothing");
            let again = enrolled(&bus, reader, sample, "entry");
            bus.tray.remove(sample);
            bus.wait_for(|tokens| tokens.iter().all(|token| token.reader != reader_name(make)));

            let id = bus.put(reader, (make.token)(2));
            let cases = [
                (Fault::RemovedBefore, first, "nothing", "untouched"),
                (Fault::RemovedAfter, first, "nothing", "written"),
                // The old entry was deleted, and the new one never came.
                (Fault::RemovedBefore, again, "entry", "emptied"),
            ];
            for (fault, place, replacing, state) in cases {
                let view = planned(&bus, reader, &Choice::default(), None);
                assert_eq!(replaces(view), replacing, "{}", make.family);
                leaves(&bus, id, place, fault);
                bus.tray.insert(id);
                bus.seen(reader);
                match bus.desk.settle(&mut |_| {}).expect("it is back") {
                    RunView::Confirmed { .. } => assert_eq!(state, "written"),
                    other => {
                        let (problem, _) = failed(other);
                        assert_eq!(problem.token.as_deref(), Some(state), "{problem:?}");
                    }
                }
                assert_eq!(bus.holds_canary(id), state == "written", "{}", make.family);
            }
        }
    });
}

fn reader_name(make: &Make) -> String {
    format!("{} 00 00", make.reader)
}

/// Nothing tells it from another one of its model, so what became of the write stays
/// unknown: the desk does not take the key that comes back for the one that left.
#[test]
fn a_feitian_key_that_left_is_not_known_again() {
    let test = "computes::a_feitian_key_that_left_is_not_known_again";
    in_private_pcscd(test, &KEYS.map(|make| make.reader), |pcscd| {
        let bus = bus(pcscd, KEYS.len());
        let id = bus.put(1, (FEITIAN.token)(1));
        let place = enrolled(&bus, 1, id, "nothing");
        bus.tray.remove(id);
        bus.wait_for(<[_]>::is_empty);
        let id = bus.put(1, (FEITIAN.token)(2));
        assert_eq!(replaces(planned(&bus, 1, &Choice::default(), None)), "nothing");
        leaves(&bus, id, place, Fault::RemovedAfter);
        bus.tray.insert(id);
        bus.seen(1);
        let unknown = bus.desk.settle(&mut |_| {}).expect_err("it is another key");
        assert_eq!(unknown.code, "token-gone");
        // Begun anew, it shows what it holds.
        enrolled(&bus, 1, id, "entry");
        assert_eq!(bus.tray.holds(id).len(), 1);
    });
}

#[test]
fn a_wrong_pin_is_told_with_the_tries_that_are_left() {
    let test = "computes::a_wrong_pin_is_told_with_the_tries_that_are_left";
    in_private_pcscd(test, &[TOKEN2_FIDO.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let key = Token2FidoOtp::new(Release::R3_4, 1).protected_by(PIN).locking_after(3);
        let id = bus.put(0, Box::new(key));
        match bus.seen(0).what {
            WhatView::Token { locked: true, tries_left: Some(3), .. } => {}
            other => panic!("{other:?}"),
        }
        let plan = |pin| planned(&bus, 0, &Choice::default(), pin);
        assert_eq!(locked(plan(None), "pin"), None);
        let wrong = ("wrong-password".to_owned(), Some("2".to_owned()));
        assert_eq!(locked(plan(Some("000000")), "pin"), Some(wrong));
        assert!(changes(&bus, id, &TOKEN2_FIDO).is_empty());

        // The right one gives the tries back, and serves for write and proof.
        assert_eq!(replaces(plan(Some(PIN))), "nothing");
        let view = bus.write();
        let receipt = check_confirmed(&bus, &view, &TOKEN2_FIDO, "right-computed");
        assert!(!receipt.to_string().contains(PIN), "the PIN in the receipt");
        assert!(bus.holds_canary(id));

        let wrong = |left: &str| Some(("wrong-password".to_owned(), Some(left.to_owned())));
        for left in ["2", "1", "0"] {
            assert_eq!(locked(plan(Some("000000")), "pin"), wrong(left));
        }
        bus.desk.start_over();
        bus.capture_canary();
        let right = Some(PIN.to_owned().into());
        let blocked = bus.desk.plan(&bus.seen(0).id, &Choice::default(), right);
        assert_eq!(blocked.expect_err("it is blocked").code, "token-blocked");
    });
}
