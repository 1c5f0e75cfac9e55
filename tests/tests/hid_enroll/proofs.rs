//! What was written is proven, by the token's own computation or by the code that it
//! types; nothing else is a proof.

use desk::{Choice, RunView};
use sower_tests::bus::wrong_code;
use sower_tests::guest::in_guest;
use sower_tests::usbip::port::Port;
use sower_tests::world::canary;

use super::{check_receipt, confirmed, planned, plugged, tokens, waiting};

/// Writes the canary, brings the proof and gives the word for it.
fn enrolled(port: &Port, family: &str) -> &'static str {
    let (view, typed) = confirmed(port, port.write());
    let RunView::Confirmed { verdict, .. } = &view else { panic!("{family}: {view:?}") };
    let (code, kind) =
        if typed { ("right-typed", "typed") } else { ("right-computed", "computed") };
    assert_eq!(verdict.code, code, "{family}");
    let receipt = check_receipt(port, family, "confirmed");
    assert_eq!(receipt["evidence"]["kind"], kind, "{family}: {receipt}");
    assert!(port.holds_canary(), "{family} was confirmed in vain");
    kind
}

/// Writes the canary, and gives a code that is none of it: that is no proof, whatever
/// the token says.
fn refuted(port: &Port, family: &str) {
    match port.write() {
        RunView::Written { typed: true, problem: None, .. } => {}
        RunView::Confirmed { verdict, .. } => assert_eq!(verdict.code, "right-computed"),
        other => panic!("{family}: {other:?}"),
    }
    assert!(port.holds_canary(), "{family}");
    match port.desk.judge(&wrong_code(&canary())).expect("a code is judged") {
        RunView::Written { verdict: Some(verdict), .. } => {
            assert!(verdict.code.starts_with("no-match"), "{family}: {verdict:?}");
        }
        other => panic!("{family}: {other:?}"),
    }
    assert!(port.desk.receipt().is_err(), "{family}: no receipt before the end");
    let stopped = port.desk.stop().expect("it was written");
    assert!(matches!(stopped, RunView::Unconfirmed { .. }), "{family}: {stopped:?}");
    let receipt = check_receipt(port, family, "written-not-confirmed");
    assert!(receipt["evidence"].is_null(), "{family}: {receipt}");
}

#[test]
fn every_family_proves_what_was_written_and_a_wrong_code_proves_nothing() {
    let test = "proofs::every_family_proves_what_was_written_and_a_wrong_code_proves_nothing";
    in_guest(test, || {
        let mut told = Vec::new();
        for token in tokens() {
            let (port, family) = plugged(token);
            let first = planned(port.plan_canary());
            assert!(!port.holds_canary());
            refuted(&port, family);
            let held = port.held();

            // The same again, at the same place where places have numbers.
            port.capture_canary();
            let choice = Choice { name: None, slot: first.slot.map(|slot| slot.number) };
            let second = planned(port.plan(&port.seen().id, &choice));
            assert!(second.replaces.starts_with("entry"), "{family}: {}", second.replaces);
            let refused = port.desk.write(false, &mut |_| {}).expect_err("nobody permitted it");
            assert_eq!(refused.code, "needs-permission", "{family}");
            assert_eq!(refused.token.as_deref(), Some("untouched"), "{family}");
            let kind = enrolled(&port, family);
            assert_eq!(port.held(), held, "{family}");
            told.push((family, kind, first.replaces, second.replaces));
        }
        println!("proven over hidraw: {told:?}");
    });
}

#[test]
fn a_token_that_waits_for_a_person_has_one_called() {
    let test = "proofs::a_token_that_waits_for_a_person_has_one_called";
    in_guest(test, || {
        for (token, deed) in waiting() {
            let (port, family) = plugged(token);
            port.plan_canary();
            assert_eq!(port.called(), [], "{family}: a look needs nobody");
            enrolled(&port, family);
            let called = port.called();
            assert!(!called.is_empty(), "{family}");
            assert!(called.iter().all(|step| *step == deed), "{family}: {called:?}");
        }
    });
}
