//! A token that is pulled out in the middle of a write: what is told of it is true, and
//! plugged in again it comes to its proof.

use desk::{Choice, Problem, RunView};
use emulator::Applet;
use sower_tests::guest::in_guest;
use sower_tests::usbip::port::Cut;
use sower_tests::world::serial;

use super::{check_receipt, confirmed, planned, plugged, tokens};

/// The problem of a write that failed, and whether the token can be asked.
fn failed(view: RunView) -> (Problem, bool) {
    match view {
        RunView::Failed { problem, can_settle, .. } => (problem, can_settle),
        other => panic!("{other:?}"),
    }
}

/// Pulled out in the middle of a write, then plugged in again, it is settled or written
/// again. Gives what was told of it in between, and the exchanges up to the cut.
fn pulled_out(token: Box<dyn Applet>, cut: Cut) -> (&'static str, String, usize) {
    let (mut port, family) = plugged(token);
    let replaces = planned(port.plan_canary()).replaces;
    let (held, before) = (port.held(), port.seen());
    port.cut(cut);
    let (problem, can_settle) = failed(port.write());
    let exchanges = port.exchanges();
    assert_eq!(problem.token.as_deref(), Some("unknown"), "{family}, {cut:?}: {problem:?}");
    let is_written = matches!(cut, Cut::After);
    assert_eq!(port.holds_canary(), is_written, "{family}, {cut:?}: cut elsewhere");
    port.pull_out();
    if can_settle && is_written {
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
    assert!(is_true, "{family}, {cut:?}: told {told}");
    if told != "written" {
        // Tried again, chosen as it lies there now.
        planned(port.plan(&after.id, &Choice::default()));
        let (view, _) = confirmed(&port, port.write());
        assert!(matches!(view, RunView::Confirmed { .. }), "{family}: {view:?}");
    }
    assert!(port.holds_canary(), "{family}");
    check_receipt(&port, family, "confirmed");
    (family, told, exchanges)
}

#[test]
fn a_token_that_is_pulled_out_is_told_of_truly_and_comes_to_its_proof() {
    let test = "cuts::a_token_that_is_pulled_out_is_told_of_truly_and_comes_to_its_proof";
    in_guest(test, || {
        let mut cuts = Vec::new();
        for family in 0..tokens().len() {
            let token = || tokens().remove(family);
            let (_, after, exchanges) = pulled_out(token(), Cut::After);
            // One exchange less, and it holds nothing.
            let before = Cut::Before { exchanges: exchanges - 1 };
            let (family, before, _) = pulled_out(token(), before);
            cuts.push((family, before, after));
        }
        println!("cut before and after the change: {cuts:?}");
    });
}
