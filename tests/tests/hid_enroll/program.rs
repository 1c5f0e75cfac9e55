//! The same by the terminal program itself, as a script drives it.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use emulator::families::{nitrokey_secrets, onlykey};
use oath::{Parameters, UnixTime, code_at};
use serde_json::Value;
use sower_tests::bus::AT_MOST;
use sower_tests::guest::in_guest;
use sower_tests::paths;
use sower_tests::usbip::port::Port;
use sower_tests::world::serial;

use super::{plugged, tokens};

/// `docs/sample/README.md`: the code of the sample's seed at this time. The seed
/// itself is not written down here.
const SAMPLE_TIME: UnixTime = UnixTime::from_secs(1_893_456_000);
const SAMPLE_CODE: &str = "004167";

/// Runs it with `--json` and this on standard input; gives exit code and document.
fn sower(words: &[&str], input: &str) -> (Option<i32>, Value) {
    let mut child = Command::new(paths::binary("sower"))
        .args(words)
        .arg("--json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sower starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    // It fails when the program ends without reading, which it may.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it was started here");
    let document = serde_json::from_slice(&output.stdout);
    let document = document.unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), document)
}

/// Whether the token holds the sample's seed, told by its code.
fn holds_sample(port: &Port) -> bool {
    let parameters = Parameters::default();
    let step = SAMPLE_TIME.step(parameters.period);
    port.holds_any(|held| *code_at(&held.secret, &parameters, step).expose() == SAMPLE_CODE)
}

/// The real smart card service, without readers. Dropping it ends it.
struct Pcscd(Child);

impl Pcscd {
    fn start() -> Self {
        fs::create_dir_all("/run/pcscd").expect("/run is writable");
        let child = Command::new("pcscd")
            .arg("--foreground")
            .stdin(Stdio::null())
            .spawn()
            .expect("pcscd is installed");
        let started = Self(child);
        // Its socket is there some time after it started.
        let begun = Instant::now();
        while !fs::exists("/run/pcscd/pcscd.comm").unwrap_or(false) {
            assert!(begun.elapsed() < AT_MOST, "pcscd did not start");
            std::thread::yield_now();
        }
        started
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_terminal_program_lists_and_enrols_them() {
    let test = "program::the_terminal_program_lists_and_enrols_them";
    in_guest(test, || {
        let _service = Pcscd::start();
        let ports: Vec<(Port, &str)> = tokens().into_iter().map(plugged).collect();
        let (code, document) = sower(&["tokens"], "");
        assert_eq!(code, Some(0), "{document}");
        let listed = document["tokens"].as_array().expect("a list of tokens");
        assert_eq!(listed.len(), ports.len(), "{document}");
        for (port, family) in &ports {
            let token = listed.iter().find(|token| token["what"]["family"] == *family);
            let token = token.unwrap_or_else(|| panic!("{family} is not listed: {document}"));
            assert_eq!(token["practice"], false, "{token}");
            // What is not told goes by the place, which each program numbers for itself.
            let seen = port.seen();
            let wanted = serial(&seen).filter(|serial| !serial.starts_with("not told"));
            if let Some(serial) = wanted {
                assert_eq!(token["what"]["serial"], serial, "{token}");
            }
        }

        // One that proves itself and one that types; the others are not looked at again.
        let both = [nitrokey_secrets::FAMILY, onlykey::FAMILY];
        let ports: Vec<_> = ports.into_iter().filter(|(_, family)| both.contains(family)).collect();
        let picture = paths::root().join("docs/sample/microsoft-work-account.png");
        let picture = picture.display().to_string();
        for (port, family) in &ports {
            let seen = port.seen();
            let serial = serial(&seen).expect("a token of a known family");
            let words = ["enroll", "--picture", &picture, "--token", serial, "--overwrite"];
            assert!(!holds_sample(port), "{family}");
            // What types is given a wrong code, and what computes none.
            let types = *family == onlykey::FAMILY;
            let (code, document) = sower(&words, if types { "000000\n" } else { "" });
            assert_eq!(code, Some(if types { 5 } else { 0 }), "{family}: {document}");
            assert_eq!(document["confirmed"], !types, "{document}");
            assert_eq!(document["receipt"]["practice"], false, "{document}");
            assert_eq!(document["receipt"]["token"]["serial"], serial, "{document}");
            assert!(holds_sample(port), "{family}");
        }
    });
}
