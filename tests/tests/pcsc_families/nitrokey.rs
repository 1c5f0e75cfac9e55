//! Conversations about one Nitrokey between our driver and the library of its maker
//! (`nitrokey`, over CCID): each reads what the other wrote.
//!
//! The maker's own program, nitropy, asks for HID devices alone and cannot be pointed
//! at a reader; `secrets_app.py` has the library under it do so.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use desk::{Choice, RunView};
use emulator::TrayId;
use emulator::families::nitrokey_secrets;
use oath::{Algorithm, Digits, Parameters, TimeStep, code_at};
use sower_tests::bus::{Bus, now};
use sower_tests::paths;
use sower_tests::pcscd::in_private_pcscd;
use sower_tests::world::{CANARY, canary, canary_uri};

use super::beside::{Application, Beside};
use super::{NITROKEY, bus, check_confirmed, client, failed, planned, replaces};

/// What our driver calls the canary.
const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
/// Another seed than the canary, in base32.
const ANOTHER_SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const PIN: &str = "736519";

/// The library asks it for the state of the device, and takes "no such command" for
/// the answer of an older one.
const ADMINISTRATION: Application =
    Application { aid: &[0xa0, 0x00, 0x00, 0x08, 0x47, 0x00, 0x00, 0x00, 0x01], answers: &[] };

fn key(bus: &Bus) -> TrayId {
    let key = Box::new(nitrokey_secrets::practice());
    bus.put(0, Box::new(Beside::new(key, ADMINISTRATION)))
}

/// Has the library do something. What it prints may hold codes, so it is compared and
/// never printed.
fn ask(words: &[&str], input: &str) -> Output {
    let script = paths::root().join("tests/tests/pcsc_families/secrets_app.py");
    let mut child = Command::new(client("nitrokey", "python"))
        .arg(script)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    // It fails when the program ends without reading, which it may.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it was started here")
}

fn nitrokey(words: &[&str], input: &str) -> String {
    let output = ask(words, input);
    assert!(output.status.success(), "nitrokey: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The status word by which the key refuses what the library asks.
fn refused(words: &[&str], input: &str) -> String {
    let output = ask(words, input);
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(output.status.code(), Some(3), "nitrokey: {said}");
    said
}

/// Whether the library has the key compute the canary's codes, of now and of far away.
fn computes_canary(name: &str, parameters: Parameters) -> bool {
    [now().step(parameters.period), TimeStep(0x1122_3344_5566_7788)].into_iter().all(|step| {
        let computed = nitrokey(&["code", name, &step.0.to_string()], "");
        *code_at(&canary(), &parameters, step).expose() == *computed.trim()
    })
}

#[test]
fn the_maker_reads_what_we_wrote() {
    let test = "nitrokey::the_maker_reads_what_we_wrote";
    in_private_pcscd(test, &[NITROKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        key(&bus);
        let usual = Parameters::default();
        let unusual = Parameters {
            algorithm: Algorithm::Sha256,
            digits: Digits::new(8).expect("keys have 8 digits"),
            ..usual
        };
        let unusual_uri = format!(
            "otpauth://totp/Fabrikam:diego?secret={CANARY}&issuer=Fabrikam\
             &algorithm=SHA256&digits=8"
        );
        let cases = [(canary_uri(), usual, NAME), (unusual_uri, unusual, "Fabrikam:diego")];
        for (uri, parameters, name) in cases {
            bus.desk.start_over();
            bus.desk.read_text(&uri).expect("a credential");
            assert_eq!(replaces(bus.plan(0, None)), "nothing");
            let view = bus.write();
            check_confirmed(&bus, &view, &NITROKEY, "right-computed");
            let listed = nitrokey(&["list"], "");
            // Time-based, and without any property.
            assert!(listed.lines().any(|line| line == format!("Totp||{name}")), "{listed}");
            assert!(computes_canary(name, parameters), "{name}");
        }
        // And it cannot write over it.
        assert_eq!(refused(&["add", NAME], ANOTHER_SEED), "6983");
    });
}

#[test]
fn we_read_what_the_maker_wrote() {
    let test = "nitrokey::we_read_what_the_maker_wrote";
    in_private_pcscd(test, &[NITROKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = key(&bus);
        assert_eq!(replaces(planned(&bus, 0, &Choice::default(), None)), "nothing");
        nitrokey(&["add", NAME], ANOTHER_SEED);
        assert!(!bus.holds_canary(id));

        // Planned before the library came along: what is there now is not replaced.
        let view = bus.desk.write(false, &mut |_| {}).expect("the desk begins to write");
        let (problem, _) = failed(view);
        assert_eq!(problem.code, "name-taken");
        assert_eq!(problem.token.as_deref(), Some("untouched"));

        // By its own reading of a Key URI it gives other names, which are in nobody's way.
        let uri = format!("otpauth://totp/Fabrikam:diego?secret={ANOTHER_SEED}&issuer=Fabrikam");
        nitrokey(&["add-uri"], &uri);
        assert_eq!(bus.tray.holds(id).len(), 2);

        assert_eq!(replaces(planned(&bus, 0, &Choice::default(), None)), "entry");
        bus.tray.press(id);
        let view = bus.write();
        check_confirmed(&bus, &view, &NITROKEY, "right-computed");
        assert_eq!(bus.tray.holds(id).len(), 2);
        assert!(bus.holds_canary(id));
        assert!(computes_canary(NAME, Parameters::default()));
    });
}

#[test]
fn a_pin_that_the_maker_set_is_not_in_our_way() {
    let test = "nitrokey::a_pin_that_the_maker_set_is_not_in_our_way";
    in_private_pcscd(test, &[NITROKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = key(&bus);
        bus.tray.press(id);
        nitrokey(&["set-pin"], PIN);
        // An entry behind the PIN is not listed, and all the same not written over.
        bus.tray.press(id);
        nitrokey(&["add-guarded", NAME], &format!("{PIN}\n{ANOTHER_SEED}\n"));
        assert_eq!(bus.tray.holds(id).len(), 1);
        assert_eq!(replaces(planned(&bus, 0, &Choice::default(), None)), "nothing");
        let (problem, _) = failed(bus.write());
        assert_eq!(problem.code, "name-taken");
        assert_eq!(problem.token.as_deref(), Some("untouched"));
        assert!(!bus.holds_canary(id));

        // Under another name it is written, and no PIN is asked for.
        let choice = Choice { name: Some("Contoso:adele".to_owned()), ..Choice::default() };
        let name = match planned(&bus, 0, &choice, None) {
            RunView::Planned { plan, .. } => plan.name.expect("entries have names"),
            other => panic!("{other:?}"),
        };
        let view = bus.write();
        check_confirmed(&bus, &view, &NITROKEY, "right-computed");
        assert!(bus.holds_canary(id));
        assert!(computes_canary(&name, Parameters::default()));
    });
}
