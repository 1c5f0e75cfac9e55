//! Conversations about one card between our driver and ykman, which others wrote:
//! each reads what the other wrote.

use std::process::{Command, Stdio};

use desk::RunView;
use emulator::TrayId;
use emulator::families::yubikey_oath;
use oath::{Algorithm, Digits, Parameters, Period, code_at};
use sower_tests::bus::{Bus, now};
use sower_tests::paths;
use sower_tests::pcscd::{Pcscd, in_private_pcscd};
use sower_tests::world::{CANARY, canary, canary_uri};

use super::bus;

const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
const PASSWORD: &str = "correct horse";

/// Another seed than the canary, in base32: what ykman is told on its command line
/// is told to the whole machine.
const ANOTHER_SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// What ykman prints about the card in the first reader. It may hold codes, so it
/// is compared and never printed.
fn ykman(pcscd: &Pcscd, words: &[&str]) -> String {
    let output = Command::new(paths::ykman())
        .args(["--reader", &pcscd.reader_name(0, 0), "oath"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("ykman starts");
    assert!(output.status.success(), "ykman: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether ykman has the key compute the canary's code. The step may change while
/// it does.
fn computes_canary(pcscd: &Pcscd, words: &[&str], parameters: Parameters) -> bool {
    let code = |at: oath::UnixTime| code_at(&canary(), &parameters, at.step(parameters.period));
    let before = code(now()).expose();
    let computed = ykman(pcscd, words);
    let after = code(now()).expose();
    [&**before, &**after].contains(&computed.trim())
}

fn key(bus: &Bus) -> TrayId {
    bus.put(0, Box::new(yubikey_oath::practice()))
}

fn confirmed(view: &RunView) {
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
}

#[test]
fn ykman_reads_what_we_wrote() {
    in_private_pcscd("ykman::ykman_reads_what_we_wrote", &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        key(&bus);
        let usual = Parameters::default();
        let unusual = Parameters {
            algorithm: Algorithm::Sha256,
            digits: Digits::new(8).expect("keys have 8 digits"),
            period: Period::S60,
        };
        let unusual_uri = format!(
            "otpauth://totp/Fabrikam:diego?secret={CANARY}&issuer=Fabrikam\
             &algorithm=SHA256&digits=8&period=60"
        );
        let cases = [(canary_uri(), usual, NAME), (unusual_uri, unusual, "60/Fabrikam:diego")];
        for (uri, parameters, name) in cases {
            bus.desk.start_over();
            let captured = bus.desk.read_text(&uri).expect("a credential");
            assert!(matches!(captured, RunView::Captured { .. }), "{captured:?}");
            let planned = bus.plan(0, None);
            assert!(matches!(planned, RunView::Planned { .. }), "{planned:?}");
            confirmed(&bus.write());
            let listed = ykman(pcscd, &["accounts", "list"]);
            assert!(listed.lines().any(|line| line == name), "{listed}");
            let words = ["accounts", "code", "--single", name];
            assert!(computes_canary(pcscd, &words, parameters), "{name}");
        }
    });
}

#[test]
fn we_read_what_ykman_wrote() {
    in_private_pcscd("ykman::we_read_what_ykman_wrote", &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = key(&bus);
        assert_eq!(bus.plan_canary(0), "nothing");
        let (issuer, account) = NAME.split_once(':').expect("a name has two parts");
        let words = ["accounts", "add", "--issuer", issuer, account, ANOTHER_SEED];
        ykman(pcscd, &words);
        assert!(!bus.holds_canary(id));

        // Planned before ykman came along: what is there now is not replaced.
        let view = bus.desk.write(false, &mut |_| {});
        match view.expect("the desk begins to write") {
            RunView::Failed { problem, .. } => {
                assert_eq!(problem.code, "name-taken");
                assert_eq!(problem.token.as_deref(), Some("untouched"));
            }
            other => panic!("{other:?}"),
        }
        bus.desk.start_over();
        assert_eq!(bus.plan_canary(0), "entry");
        confirmed(&bus.write());
        assert_eq!(bus.tray.holds(id).len(), 1);
        assert!(bus.holds_canary(id));
        let words = ["accounts", "code", "--single", NAME];
        assert!(computes_canary(pcscd, &words, Parameters::default()));
    });
}

#[test]
fn a_password_that_ykman_set_is_ours_as_well() {
    let test = "ykman::a_password_that_ykman_set_is_ours_as_well";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = key(&bus);
        ykman(pcscd, &["access", "change", "--new-password", PASSWORD]);
        bus.capture_canary();
        let reason = |view| match view {
            RunView::Locked { problem, .. } => problem.map(|problem| problem.code),
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(bus.plan(0, None)), None);
        let wrong = reason(bus.plan(0, Some("wrong horse")));
        assert_eq!(wrong.as_deref(), Some("wrong-password"));
        assert!(bus.tray.holds(id).is_empty());

        let planned = bus.plan(0, Some(PASSWORD));
        assert!(matches!(planned, RunView::Planned { .. }), "{planned:?}");
        confirmed(&bus.write());
        assert!(bus.holds_canary(id));
        // The contactless card was reset when it was let go, so it is closed again.
        let words = ["accounts", "code", "--password", PASSWORD, "--single", NAME];
        assert!(computes_canary(pcscd, &words, Parameters::default()));
        let refused = bus.desk.receipt().expect("the run has ended");
        assert!(!refused.contains(PASSWORD), "the password in the receipt");
    });
}
