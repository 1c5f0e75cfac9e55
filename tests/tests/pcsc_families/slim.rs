//! The Protectimus Slim NFC over the real smart card service: its messages, which are
//! no APDUs, pass the service and the reader driver as they are. Whether a real reader
//! passes them on to a real token is not shown by this.

use std::process::{Command, Stdio};

use desk::{RunView, WhatView};
use emulator::closed::protectimus_slim::{MODEL, ProtectimusSlim};
use emulator::{At, Fault, Script};
use serde_json::Value;
use sower_tests::bus::{Bus, tells_canary};
use sower_tests::paths;
use sower_tests::pcscd::in_private_pcscd;
use sower_tests::world::{canary, canary_uri};

use super::bus;

const READER: &str = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC]";

/// INS of a SET CLOCK, as the tray's log counts: the length byte.
const SET_CLOCK: u8 = 0x0a;

/// The id of the card on the only reader, once it is known to be no token of a family.
fn card(bus: &Bus) -> String {
    let is_it = |what: &WhatView| matches!(what, WhatView::Stranger { .. });
    let tokens = bus.wait_for(|tokens| tokens.iter().any(|token| is_it(&token.what)));
    tokens.into_iter().find(|token| is_it(&token.what)).expect("it was waited for").id
}

#[test]
fn it_is_asked_set_and_confirmed_through_the_service() {
    let test = "slim::it_is_asked_set_and_confirmed_through_the_service";
    in_private_pcscd(test, &[READER], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.add(0, Box::new(ProtectimusSlim::new(1, canary().expose())));
        bus.tray.insert(id);
        let token = card(&bus);
        let asked = bus.tray.log(id);
        assert!(asked.iter().all(|sent| sent.header[0] != 0x86), "asked unnamed: {asked:?}");

        bus.capture_canary();
        bus.desk.hand_over(MODEL, Some("2600")).expect("a stage");
        let view = bus.desk.ask_handed(&token).expect("it answers");
        let RunView::Assisted { told: Some(told), .. } = &view else { panic!("{view:?}") };
        assert_eq!((told.period, told.practice), (30, false));
        bus.desk.handed_written().expect("somebody said so");
        let view = bus.desk.judge_told(&token).expect("it answers");
        let RunView::Written { verdict: Some(verdict), .. } = &view else { panic!("{view:?}") };
        assert_eq!(verdict.code, "no-match-told", "its clock is slow");

        // It leaves when it has taken the time: nobody knows, and its code tells.
        let at = At::Instruction { ins: SET_CLOCK, nth: 0 };
        bus.tray.arm(id, &[Script { at, fault: Fault::RemovedAfter }]);
        let problem = bus.desk.set_handed_clock(&token).expect_err("it left");
        assert_eq!(problem.code, "clock-not-known", "{problem:?}");
        bus.wait_for(<[_]>::is_empty);
        bus.tray.insert(id);
        let view = bus.desk.judge_told(&card(&bus)).expect("it answers");
        let RunView::Confirmed { verdict, .. } = &view else { panic!("{view:?}") };
        assert_eq!(verdict.code, "right-told");
        let receipt = bus.desk.receipt().expect("the run has ended");
        assert!(!tells_canary(&receipt), "the receipt holds the secret");
        let receipt: Value = serde_json::from_str(&receipt).expect("a receipt is JSON");
        assert_eq!(receipt["practice"], false, "{receipt}");
        assert_eq!(receipt["evidence"]["kind"], "told", "{receipt}");
    });
}

#[test]
fn the_terminal_sets_its_clock_and_has_its_code_told() {
    let test = "slim::the_terminal_sets_its_clock_and_has_its_code_told";
    in_private_pcscd(test, &[READER], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.add(0, Box::new(ProtectimusSlim::new(1, canary().expose())));
        bus.tray.insert(id);
        card(&bus);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("uri.txt");
        std::fs::write(&file, canary_uri()).expect("written");
        let file = file.display().to_string();
        let enroll = ["enroll", "--text", &file, "--closed", MODEL, "--read-code"];

        // Its clock is slow, so that its code is not the right one.
        let (end, document) = run(&enroll);
        assert_eq!(end, Some(5), "{document}");
        let (end, document) = run(&["clock", "--model", MODEL]);
        assert_eq!((end, document["clock"].as_str()), (Some(0), Some("not-asked")), "{document}");
        let (end, document) = run(&["clock", "--model", MODEL, "--set", "--reader", "none"]);
        assert_eq!(end, Some(4), "{document}");
        let (end, document) = run(&["clock", "--model", MODEL, "--set"]);
        assert_eq!((end, document["clock"].as_str()), (Some(0), Some("taken")), "{document}");
        let (end, document) = run(&enroll);
        assert_eq!(end, Some(0), "{document}");
        assert_eq!(document["receipt"]["evidence"]["kind"], "told", "{document}");

        bus.tray.remove(id);
        bus.wait_for(<[_]>::is_empty);
        let (end, document) = run(&enroll);
        assert_eq!(end, Some(5), "{document}");
    });
}

/// Runs it with `--json` and nothing on standard input; gives exit code and document.
fn run(words: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(paths::binary("sower"));
    command.args(words).arg("--json").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().expect("sower starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!tells_canary(&text), "the secret was printed");
    (output.status.code(), serde_json::from_str(&text).expect("one JSON document"))
}
