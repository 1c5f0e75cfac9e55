//! Clients that others wrote, on the emulated HID tokens in the guest: each reads what
//! the product wrote over hidraw, and writes what the product reads.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use desk::{Choice, PlanView, RunView};
use emulator::Applet;
use emulator::families::{nitrokey_secrets, onlykey, yubikey_otp_hid};
use oath::{Parameters, TimeStep, UnixTime, code_at};
use serde_json::{Value, json};
use sower_tests::guest::in_guest;
use sower_tests::paths;
use sower_tests::usbip::port::Port;
use sower_tests::world::canary;
use transport::HidSource;

/// The key of RFC 4226 appendix D, in base32 and as bytes.
const OTHER: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const OTHER_BYTES: &[u8] = b"12345678901234567890";

/// The entry that the product writes where entries have names.
const NAME: &str = "Microsoft (Contoso):adele@contoso.com";

/// A moment of RFC 6238 appendix B, in seconds.
const MOMENT: u64 = 1_111_111_109;

/// A token plugged in, with a desk that sees all that the product looks at.
fn plugged(token: impl Applet + 'static) -> Port {
    Port::with(Box::new(token), Arc::new(HidSource::new(token::hid_interfaces())))
}

/// A client in Python, which goes on until it is dropped.
struct Client {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Client {
    /// Starts a script with the packages of a folder of tools.
    fn start(tool: &str, script: &str) -> Self {
        let python = paths::root().join("target/tools").join(tool).join("bin/python");
        assert!(
            python.is_file(),
            "{} is not there: run `cargo xtask setup` first",
            python.display()
        );
        let mut child = Command::new(python)
            .arg(paths::root().join("tests/tests/hid_clients").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let stdin = child.stdin.take().expect("it was asked for");
        let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        Self { child, stdin, stdout }
    }

    /// What it says; it may hold codes, so it is compared and never printed.
    fn ask(&mut self, words: &[&str]) -> Result<String, String> {
        writeln!(self.stdin, "{}", json!(words)).expect("it listens");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it answers in text");
        let answer: Value = serde_json::from_str(&line).expect("it goes on");
        match &answer["refused"] {
            Value::Null => Ok(answer["said"].as_str().unwrap_or_default().to_owned()),
            reason => Err(reason.as_str().unwrap_or_default().to_owned()),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The canary's code for a moment.
fn code(seconds: u64) -> String {
    let parameters = Parameters::default();
    let step: TimeStep = UnixTime::from_secs(seconds).step(parameters.period);
    code_at(&canary(), &parameters, step).expose().to_string()
}

/// What the product would do with the canary on this token.
fn planned(port: &Port, slot: Option<u16>) -> PlanView {
    port.capture_canary();
    match port.plan(&port.seen().id, &Choice { name: None, slot }) {
        RunView::Planned { plan, .. } => plan,
        other => panic!("{other:?}"),
    }
}

/// Does what was planned, and proves it by the token's own computation.
fn prove(port: &Port) {
    let written = port.write();
    assert!(matches!(&written, RunView::Confirmed { .. }), "{written:?}");
    assert!(port.holds_canary());
}

#[test]
fn the_library_of_nitrokeys_maker_and_the_product_see_the_same() {
    in_guest("the_library_of_nitrokeys_maker_and_the_product_see_the_same", || {
        let port = plugged(nitrokey_secrets::practice().by_hid());
        let mut library = Client::start("nitrokey", "nitrokey_hid.py");
        assert_eq!(library.ask(&["list"]).as_deref(), Ok(""));

        // What the product wrote, the library finds, and it computes the same code.
        assert_eq!(planned(&port, None).replaces, "nothing");
        prove(&port);
        let list = library.ask(&["list"]).expect("the library lists");
        assert_eq!(list.lines().collect::<Vec<_>>(), [format!("Totp||{NAME}")]);
        let step = (MOMENT / 30).to_string();
        assert!(library.ask(&["code", NAME, &step]) == Ok(code(MOMENT)), "another code");

        // Only who presses the button deletes; nobody does.
        assert_eq!(library.ask(&["delete", NAME]), Err("6982".to_owned()));
        assert!(port.holds_canary());
        drop((library, port));

        // What the library wrote, the product finds; neither overwrites by mistake.
        let port = plugged(nitrokey_secrets::practice().by_hid());
        let mut library = Client::start("nitrokey", "nitrokey_hid.py");
        library.ask(&["add", NAME, OTHER]).expect("the library adds");
        assert!(port.holds_any(|held| held.secret.expose() == OTHER_BYTES));
        assert_eq!(library.ask(&["code", NAME, "1"]).as_deref(), Ok("287082"));
        assert_eq!(library.ask(&["add", NAME, OTHER]), Err("6983".to_owned()));
        assert_eq!(planned(&port, None).replaces, "entry");
        prove(&port);
        assert!(library.ask(&["code", NAME, &step]) == Ok(code(MOMENT)), "another code");
    });
}

#[test]
fn the_library_of_onlykeys_maker_and_the_product_see_the_same() {
    in_guest("the_library_of_onlykeys_maker_and_the_product_see_the_same", || {
        let port = plugged(onlykey::practice());
        let mut library = Client::start("onlykey", "onlykey_hid.py");
        let told = library.ask(&["time", "1900000000"]).expect("the library sets the time");
        assert!(told.starts_with("UNLOCKED"), "{told}");
        let labels = library.ask(&["labels"]).expect("the library lists");
        assert_eq!(labels.lines().count(), 12, "{labels}");

        // What the product wrote is at the place that the library tells.
        let plan = planned(&port, Some(2));
        let name = plan.name.expect("places have labels");
        let written = port.write();
        assert!(matches!(&written, RunView::Written { typed: true, .. }), "{written:?}");
        assert!(port.holds_canary());
        let labels = library.ask(&["labels"]).expect("the library lists");
        assert!(labels.lines().any(|line| line == format!("2|{name}")), "{labels}");
        port.desk.stop().expect("it was written");
        library.ask(&["wipe", "2"]).expect("the library wipes");
        assert!(!port.holds_canary());

        // What the library wrote, the product finds.
        let said = library.ask(&["label", "3", "Fabrikam"]).expect("the library labels");
        assert_eq!(said, "Successfully set Label\n");
        let said = library.ask(&["totp", "3", OTHER]).expect("the library writes");
        assert_eq!(said, "Successfully set 2FA Type\nSuccessfully set 2FA Key\n");
        assert!(port.holds_any(|held| held.secret.expose() == OTHER_BYTES));
        let plan = planned(&port, Some(3));
        let slot = plan.slot.expect("places have numbers");
        assert_eq!((slot.number, slot.name.as_str()), (3, "Fabrikam"));
        assert!(plan.replaces.starts_with("entry"), "{}", plan.replaces);
    });
}

#[test]
fn ykman_and_the_product_see_the_same_slots() {
    in_guest("ykman_and_the_product_see_the_same_slots", || {
        // From firmware 3 on ykman waits up to three seconds before each command.
        let port = plugged(yubikey_otp_hid::practice().with_version([2, 4, 0]));
        let mut ykman = Client::start("ykman", "ykman_hid.py");
        let mut run = |line: &str| ykman.ask(&line.split(' ').collect::<Vec<_>>());
        let told = run("otp info").expect("ykman tells");
        assert!(told.ends_with("Slot 1: programmed\nSlot 2: empty\n"), "{told}");

        // What the product wrote is there for ykman, with the same code.
        let plan = planned(&port, Some(2));
        assert_eq!(plan.replaces, "nothing");
        prove(&port);
        let told = run("otp info").expect("ykman tells");
        assert!(told.ends_with("Slot 1: programmed\nSlot 2: programmed\n"), "{told}");
        let said = run(&format!("otp calculate 2 --totp {MOMENT}")).expect("ykman computes");
        assert!(said.trim() == code(MOMENT), "another code");

        // What ykman wrote is there for the product, which asks before it goes.
        let hex = data_encoding::HEXLOWER.encode(OTHER_BYTES);
        run(&format!("otp chalresp 2 --force {hex}")).expect("ykman writes");
        assert!(port.holds_any(|held| held.secret.expose() == OTHER_BYTES));
        let plan = planned(&port, Some(2));
        assert_eq!(plan.slot.expect("places have numbers").taken, "yes");
        assert!(plan.replaces.starts_with("entry"), "{}", plan.replaces);
        prove(&port);
    });
}
