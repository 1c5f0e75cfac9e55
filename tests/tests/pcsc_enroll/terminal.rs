//! The same by the terminal program itself, as a script drives it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};

use desk::{Facts, Words};
use emulator::TrayId;
use emulator::families::{token2_nfc_single_profile as token2, yubikey_oath};
use oath::{Parameters, UnixTime, code_at};
use serde_json::Value;
use sower_tests::bus::{AT_MOST, Bus, KEY_WRITES, TOKEN2_WRITES, wrong_code};
use sower_tests::paths;
use sower_tests::pcscd::in_private_pcscd;

use super::bus;

const TOKEN2_SERIAL: &str = "86596220000001";

/// `docs/sample/README.md`: the code of the sample's seed at this time. The seed
/// itself is not written down here.
const SAMPLE_TIME: UnixTime = UnixTime::from_secs(1_893_456_000);
const SAMPLE_CODE: &str = "004167";

fn sample() -> String {
    let path = paths::root().join("docs/sample/microsoft-work-account.png");
    path.display().to_string()
}

fn sower(words: &[&str]) -> Command {
    let mut command = Command::new(paths::binary("sower"));
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it with `--json` and this on standard input; gives exit code and document.
fn run(words: &[&str], input: &str) -> (Option<i32>, Value) {
    let mut child = sower(words).arg("--json").stdin(Stdio::piped()).spawn().expect("sower starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    // It fails when the program ends without reading, which it may.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it was started here");
    let document = serde_json::from_slice(&output.stdout).expect("one JSON document");
    (output.status.code(), document)
}

/// Enrolls the display token up to the end of the write, has a hand do what `act`
/// does, types what it gives, and waits for the end.
fn enroll_with_a_hand(words: &[&str], act: impl FnOnce() -> String) -> (Output, Vec<String>) {
    let mut child = sower(words).stdin(Stdio::piped()).spawn().expect("sower starts");
    let said = lines_of(child.stderr.take().expect("it was asked for"));
    let mut heard = Vec::new();
    // Said when everything is written and nothing is proven.
    let written = Words::english().say("progress-proving", &Facts::new());
    while heard.last() != Some(&written.message) {
        match said.recv_timeout(AT_MOST) {
            Ok(line) => heard.push(line),
            Err(error) => panic!("{error} while sower writes, after {heard:?}"),
        }
    }
    let mut stdin = child.stdin.take().expect("it was asked for");
    writeln!(stdin, "{}", act()).expect("sower awaits a code");
    drop(stdin);
    let output = child.wait_with_output().expect("it was started here");
    heard.extend(said);
    (output, heard)
}

fn lines_of(stderr: ChildStderr) -> Receiver<String> {
    let (line, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for said in BufReader::new(stderr).lines().map_while(Result::ok) {
            if line.send(said).is_err() {
                return;
            }
        }
    });
    lines
}

/// Whether the token holds the sample's seed, told by its code.
fn holds_sample(bus: &Bus, id: TrayId) -> bool {
    let parameters = Parameters::default();
    let step = SAMPLE_TIME.step(parameters.period);
    bus.tray
        .holds(id)
        .iter()
        .any(|held| *code_at(&held.secret, &parameters, step).expose() == SAMPLE_CODE)
}

/// Six digits that the token does not show.
fn code_that_is_wrong(bus: &Bus, id: TrayId) -> String {
    let held = bus.tray.holds(id);
    wrong_code(&held.first().expect("it holds a seed").secret)
}

fn check_saved_receipt(path: &Path) {
    let text = fs::read_to_string(path).expect("the receipt was saved");
    let receipt: Value = serde_json::from_str(&text).expect("a receipt is JSON");
    assert_eq!(receipt["practice"], false, "{receipt}");
    assert_eq!(receipt["outcome"], "confirmed", "{receipt}");
}

/// The device id of the key, as `sower tokens` tells it.
fn key_serial(document: &Value) -> String {
    let tokens = document["tokens"].as_array().expect("a list of tokens");
    let key = tokens.iter().find(|token| token["what"]["family"] == yubikey_oath::FAMILY);
    let serial = key.and_then(|token| token["what"]["serial"].as_str());
    serial.expect("the key is listed").to_owned()
}

#[test]
fn tokens_and_readers_are_listed() {
    let test = "terminal::tokens_and_readers_are_listed";
    in_private_pcscd(test, &["Left", "Right"], |pcscd| {
        let bus = bus(pcscd, 2);
        let (code, document) = run(&["tokens"], "");
        assert_eq!(code, Some(0), "{document}");
        assert_eq!(document["tokens"].as_array().map(Vec::len), Some(0));

        bus.put(0, Box::new(token2::practice()));
        bus.put(1, Box::new(yubikey_oath::practice()));
        let (code, document) = run(&["tokens"], "");
        assert_eq!(code, Some(0), "{document}");
        let expected = [
            (0, token2::FAMILY, TOKEN2_SERIAL.to_owned()),
            (1, yubikey_oath::FAMILY, key_serial(&document)),
        ];
        let listed = document["tokens"].as_array().expect("a list of tokens");
        assert_eq!(listed.len(), 2, "{document}");
        for (reader, family, serial) in expected {
            let name = pcscd.reader_name(reader, 0);
            let token = listed.iter().find(|token| token["reader"] == name.as_str());
            let token = token.expect("one in each reader");
            assert_eq!(token["practice"], false, "{token}");
            assert_eq!(token["what"]["family"], family, "{token}");
            assert_eq!(token["what"]["serial"], serial, "{token}");
        }

        let (code, document) = run(&["doctor"], "");
        assert_eq!(code, Some(0), "{document}");
        let findings = document.as_array().expect("a list of findings");
        let has = |key: &str, reader: &str| {
            findings.iter().any(|found| found["code"] == key && found["facts"]["reader"] == reader)
        };
        for reader in [0, 1] {
            let (card, empty) = (pcscd.reader_name(reader, 0), pcscd.reader_name(reader, 1));
            assert!(has("doctor-reader-card", &card), "{document}");
            assert!(has("doctor-reader-empty", &empty), "{document}");
        }
    });
}

#[test]
fn without_a_service_the_doctor_says_so() {
    let test = "terminal::without_a_service_the_doctor_says_so";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        pcscd.kill();
        let (code, document) = run(&["doctor"], "");
        assert_eq!(code, Some(1), "{document}");
        let findings = document.as_array().expect("a list of findings");
        let missing = |found: &Value| found["code"] == "doctor-service-missing";
        assert!(findings.iter().any(missing), "{document}");
        let (code, document) = run(&["tokens"], "");
        assert_eq!(code, Some(1), "{document}");
        assert_eq!(document["problem"]["code"], "service-missing");
    });
}

#[test]
fn a_display_token_is_enrolled_from_a_picture() {
    let test = "terminal::a_display_token_is_enrolled_from_a_picture";
    in_private_pcscd(test, &["Left", "Right"], |pcscd| {
        let bus = bus(pcscd, 2);
        let id = bus.put(0, Box::new(token2::practice()));
        let key = bus.put(1, Box::new(yubikey_oath::practice()));
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let receipt = folder.path().join("receipt.json");
        let (picture, receipt_name) = (sample(), receipt.display().to_string());
        let words = ["enroll", "--picture", &picture, "--receipt", &receipt_name];
        let words = [&words[..], &["--token", TOKEN2_SERIAL, "--overwrite"]].concat();

        let (output, heard) = enroll_with_a_hand(&words, || code_that_is_wrong(&bus, id));
        assert_eq!(output.status.code(), Some(5), "{heard:?}");
        assert!(holds_sample(&bus, id), "written, although not confirmed");
        // That run left its receipt, and a receipt replaces nothing.
        fs::remove_file(&receipt).expect("it says that nothing was confirmed");

        let mut shown = String::new();
        let (output, heard) = enroll_with_a_hand(&words, || {
            bus.tray.press(id);
            bus.tray.press(id);
            shown = bus.display(id);
            shown.clone()
        });
        assert!(
            heard.iter().all(|line| !line.contains(&shown)),
            "the code of a real token was said"
        );
        assert_eq!(output.status.code(), Some(0), "{heard:?}");
        assert!(holds_sample(&bus, id));
        check_saved_receipt(&receipt);
        assert!(!bus.was_sent(key, KEY_WRITES), "the other token was written");
    });
}

#[test]
fn a_key_is_enrolled_from_a_picture() {
    let test = "terminal::a_key_is_enrolled_from_a_picture";
    in_private_pcscd(test, &["Left", "Right"], |pcscd| {
        let bus = bus(pcscd, 2);
        let other = bus.put(0, Box::new(token2::practice()));
        let id = bus.put(1, Box::new(yubikey_oath::practice()));
        let picture = sample();
        let (_, document) = run(&["tokens"], "");
        let serial = key_serial(&document);
        let words = ["enroll", "--picture", &picture, "--token", &serial];

        // Nothing has to give way, so nothing has to be permitted.
        let (code, document) = run(&words, "");
        assert_eq!(code, Some(0), "{document}");
        assert_eq!(document["confirmed"], true, "{document}");
        assert_eq!(document["receipt"]["practice"], false, "{document}");
        assert_eq!(document["receipt"]["token"]["serial"], serial, "{document}");
        assert!(holds_sample(&bus, id));

        // Now there is an entry of this name.
        bus.tray.arm(id, &[]);
        let (code, document) = run(&words, "");
        assert_eq!(code, Some(4), "{document}");
        assert_eq!(document["problem"]["code"], "cli-needs-overwrite");
        assert!(!bus.was_sent(id, KEY_WRITES));

        let words = [&words[..], &["--overwrite"]].concat();
        let (code, document) = run(&words, "");
        assert_eq!(code, Some(0), "{document}");
        assert_eq!(document["receipt"]["token"]["replaced"], "entry");

        // A wrong code takes back what the key has proven.
        let (code, document) = run(&words, &code_that_is_wrong(&bus, id));
        assert_eq!(code, Some(5), "{document}");
        assert_eq!(document["confirmed"], false, "{document}");
        assert_eq!(document["receipt"]["outcome"], "written-not-confirmed");
        assert_eq!(bus.tray.holds(id).len(), 1);
        assert!(!bus.was_sent(other, TOKEN2_WRITES), "the other was written");
    });
}

#[test]
fn what_nobody_permitted_is_not_replaced() {
    let test = "terminal::what_nobody_permitted_is_not_replaced";
    in_private_pcscd(test, &["Left", "Right"], |pcscd| {
        let bus = bus(pcscd, 2);
        let one = bus.put(0, Box::new(token2::practice()));
        let two = bus.put(1, Box::new(yubikey_oath::practice()));
        let picture = sample();
        let enroll = ["enroll", "--picture", &picture];
        let cases: [(&[&str], &str); 3] = [
            (&["--token", TOKEN2_SERIAL], "cli-needs-overwrite"),
            (&["--overwrite"], "cli-several-tokens"),
            (&["--token", "no such serial", "--overwrite"], "cli-no-such-token"),
        ];
        for (words, reason) in cases {
            // Neither "yes" nor a code is a permission when nobody was asked.
            for input in ["", "y\n"] {
                let (code, document) = run(&[&enroll[..], words].concat(), input);
                assert_eq!(code, Some(4), "{document}");
                assert_eq!(document["problem"]["code"], reason, "{document}");
            }
        }
        assert!(!bus.was_sent(one, TOKEN2_WRITES) && !holds_sample(&bus, one));
        assert!(!bus.was_sent(two, KEY_WRITES) && !holds_sample(&bus, two));
    });
}
