//! The whole line over the real smart card service: emulated tokens are cards
//! behind `pcscd`, and everything on this side of it is the product as it ships,
//! from the desk or the terminal program down to the C library.
#![cfg(target_os = "linux")]

mod faults;
mod terminal;
mod ykman;

use std::sync::{Arc, mpsc};

use desk::{Progress, RunView, TokensView, WhatView};
use emulator::families::token2_nfc_single_profile::{self as token2, OTPC_P2_I};
use emulator::families::yubikey_oath;
use serde_json::Value;
use sower_tests::bus::{AT_MOST, Bus, tells_canary};
use sower_tests::pcscd::{Pcscd, in_private_pcscd};
use transport::PcscSource;

/// A desk and a tray at the first `readers` readers, with the usual limits.
fn bus(pcscd: &Pcscd, readers: usize) -> Bus {
    Bus::new(pcscd, readers, Arc::new(PcscSource::new()))
}

/// The receipt tells of a real token and holds nothing secret.
fn check_receipt(text: &str, family: &str, evidence: &str) {
    assert!(!tells_canary(text), "the receipt holds the secret");
    let receipt: Value = serde_json::from_str(text).expect("a receipt is JSON");
    assert_eq!(receipt["practice"], false, "{receipt}");
    assert_eq!(receipt["outcome"], "confirmed", "{receipt}");
    assert_eq!(receipt["token"]["family"], family, "{receipt}");
    assert_eq!(receipt["evidence"]["kind"], evidence, "{receipt}");
}

#[test]
fn a_key_is_written_and_proves_itself() {
    let test = "a_key_is_written_and_proves_itself";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.put(0, Box::new(yubikey_oath::practice()));
        assert!(!bus.seen(0).practice);
        assert_eq!(bus.plan_canary(0), "nothing");
        let mut steps = Vec::new();
        let view = bus.desk.write(false, &mut |step: Progress| steps.push(step));
        match view.expect("the desk begins to write") {
            RunView::Confirmed { verdict, .. } => assert_eq!(verdict.code, "right-computed"),
            other => panic!("{other:?}"),
        }
        let expected = [Progress::Connecting, Progress::Writing, Progress::Proving];
        assert_eq!(steps, expected);
        assert!(bus.holds_canary(id));
        let receipt = bus.desk.receipt().expect("the run has ended");
        check_receipt(&receipt, yubikey_oath::FAMILY, "computed");
    });
}

#[test]
fn a_display_token_is_written_and_its_display_believed() {
    let test = "a_display_token_is_written_and_its_display_believed";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.put(0, Box::new(token2::practice()));
        assert!(!bus.seen(0).practice);
        assert_eq!(bus.plan_canary(0), "whatever-is-there");
        match bus.write() {
            RunView::Written { typed: true, problem: None, clock_offset, .. } => assert!(
                matches!(clock_offset, Some(-1..=1)),
                "{clock_offset:?} s after setting the clock"
            ),
            other => panic!("{other:?}"),
        }
        // The display still shows the code of before the write.
        let view = bus.desk.judge(&bus.display(id)).expect("a code is awaited");
        assert!(matches!(view, RunView::Written { .. }), "{view:?}");

        bus.power_cycle(0, id);
        let view = bus.desk.judge(&bus.display(id)).expect("a code is awaited");
        match view {
            RunView::Confirmed { verdict, .. } => assert_eq!(verdict.code, "right-typed"),
            other => panic!("{other:?}"),
        }
        assert!(bus.holds_canary(id));
        let receipt = bus.desk.receipt().expect("the run has ended");
        check_receipt(&receipt, token2::FAMILY, "typed");
        assert!(!receipt.contains(&bus.display(id)), "a code in the receipt");
    });
}

/// Serials of the tokens in a table, sorted: the service lists its readers in the
/// order in which it found their configuration, which differs between machines.
fn serials(table: &TokensView) -> Vec<String> {
    let serial = |what: &WhatView| match what {
        WhatView::Token { serial, .. } => Some(serial.clone()),
        WhatView::Closed { .. } | WhatView::Stranger { .. } | WhatView::Trouble { .. } => None,
    };
    let mut serials: Vec<_> = table.tokens.iter().filter_map(|token| serial(&token.what)).collect();
    serials.sort();
    serials
}

#[test]
fn the_desk_tells_of_tokens_that_come_and_go() {
    let test = "the_desk_tells_of_tokens_that_come_and_go";
    in_private_pcscd(test, &["NFC", "Other"], |pcscd| {
        let bus = bus(pcscd, 2);
        let one = bus.add(0, Box::new(token2::practice()));
        let two = bus.add(1, Box::new(token2::Token2NfcSingleProfile::new(OTPC_P2_I, 2)));
        let (tell, told) = mpsc::channel();
        let watch = bus.desk.watch(Box::new(move |table| {
            // The test may have ended already.
            let _ = tell.send(table);
        }));
        let expect = |wanted: &[&str]| {
            let mut last = None;
            loop {
                match told.recv_timeout(AT_MOST) {
                    Ok(table) if serials(&table) == wanted => return,
                    Ok(table) => last = Some(table),
                    Err(error) => panic!("{error}: {wanted:?} is not told, but {last:?}"),
                }
            }
        };
        let (first, second) = ("86596220000001", "86596220000002");
        expect(&[]);
        bus.tray.insert(one);
        expect(&[first]);
        bus.tray.insert(two);
        expect(&[first, second]);
        bus.tray.remove(one);
        expect(&[second]);
        // A token that switches itself off is one that left.
        bus.tray.press(two);
        expect(&[]);
        bus.tray.press(two);
        expect(&[second]);
        drop(watch);
        bus.tray.remove(two);
        assert!(told.recv_timeout(AT_MOST).is_err(), "the watch has ended");
    });
}
