//! A token that is pulled out in the middle of a write: what is told of it is true, and
//! plugged in again it comes to its proof.

use desk::{Choice, Problem, RunView};
use emulator::Applet;
use sower_tests::guest::in_guest;
use sower_tests::usbip::Fault;
use sower_tests::world::serial;

use super::{check_receipt, confirmed, planned, plugged, with_each};

/// The problem of a write that failed, and whether the token can be asked.
fn failed(view: RunView) -> (Problem, bool) {
    match view {
        RunView::Failed { problem, can_settle, .. } => (problem, can_settle),
        other => panic!("{other:?}"),
    }
}

/// The exchange of a write by which such a token comes to hold the canary.
fn change_of(token: Box<dyn Applet>) -> usize {
    let (port, family) = plugged(token);
    port.plan_canary();
    port.arm(None);
    port.write();
    port.changed_at().unwrap_or_else(|| panic!("{family} was not written"))
}

/// Pulled out at its change, then plugged in again, it is settled or written again.
/// Gives what was told of it in between.
fn cut(token: Box<dyn Applet>, change: usize, fault: Fault) -> (&'static str, String) {
    let (mut port, family) = plugged(token);
    let replaces = planned(port.plan_canary()).replaces;
    let (held, before) = (port.held(), port.seen());
    port.arm(Some((change, fault)));
    let (problem, can_settle) = failed(port.write());
    assert_eq!(problem.token.as_deref(), Some("unknown"), "{family}, {fault:?}: {problem:?}");
    let is_written = fault == Fault::UnplugAfter;
    assert_eq!(port.holds_canary(), is_written, "{family}, {fault:?}: cut elsewhere");
    port.pull_out();
    if can_settle {
        // Asked in vain, it stays as it was.
        let gone = port.desk.settle(&mut |_| {}).expect_err("it is not there");
        assert_eq!(gone.code, "token-gone", "{family}");
    }

    port.plug_in();
    let after = port.seen();
    // One that tells no serial number is another one now.
    let is_known = serial(&after) == serial(&before);
    let view = match port.desk.settle(&mut |_| {}) {
        Ok(view) => view,
        Err(gone) => {
            assert!(!is_known && gone.code == "token-gone", "{family}: {gone:?}");
            port.desk.view()
        }
    };
    let told = match view {
        RunView::Confirmed { .. } => "written".to_owned(),
        other => failed(other).0.token.expect("a write that failed tells of the token"),
    };
    let is_true = match told.as_str() {
        "written" => is_written,
        "untouched" => !is_written && port.held() == held,
        "emptied" => !is_written && port.held() < held,
        // Only of one that is not known again, cannot be asked, or answers by a code.
        "unknown" => !is_known || !can_settle || (replaces == "entry-not-told" && !is_written),
        other => panic!("{family}: {other}"),
    };
    assert!(is_true, "{family}, {fault:?}: told {told}");
    if told != "written" {
        // Tried again, chosen as it lies there now.
        planned(port.plan(&after.id, &Choice::default()));
        let (view, _) = confirmed(&port, port.write());
        assert!(matches!(view, RunView::Confirmed { .. }), "{family}: {view:?}");
    }
    assert!(port.holds_canary(), "{family}");
    check_receipt(&port, family, "confirmed");
    (family, format!("{fault:?}: {told}"))
}

#[test]
fn a_token_that_is_pulled_out_is_told_of_truly_and_comes_to_its_proof() {
    let test = "cuts::a_token_that_is_pulled_out_is_told_of_truly_and_comes_to_its_proof";
    in_guest(test, || {
        let told = with_each(|token| {
            let change = change_of(token());
            [Fault::UnplugBefore, Fault::UnplugAfter].map(|fault| cut(token(), change, fault))
        });
        println!("cut over hidraw: {told:?}");
    });
}
