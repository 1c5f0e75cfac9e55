//! Conversations about one `CanoKey` between our driver and ckman, the manager of its
//! makers: each reads what the other wrote.

use std::process::{Command, Output, Stdio};

use desk::{Choice, RunView};
use emulator::TrayId;
use emulator::families::yubikey_oath::{self, Product, YubikeyOath};
use oath::{Algorithm, Digits, Parameters, Period, SharedSecret, UnixTime, code_at};
use sower_tests::bus::{Bus, now};
use sower_tests::pcscd::{Pcscd, in_private_pcscd};
use sower_tests::world::{CANARY, canary, canary_uri};

use super::beside::{Application, Beside};
use super::{Make, bus, check_confirmed, client, failed, locked, planned, replaces};

const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
const PASSWORD: &str = "correct horse";

/// Another seed than the canary, in base32: what ckman is told on its command line is
/// told to the whole machine.
const ANOTHER_SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// By the name of its reader ckman knows a `CanoKey`, and then treats it as one.
const CANOKEY: Make = Make {
    family: yubikey_oath::FAMILY,
    reader: "Canokeys Canokey [OpenPGP PIV OATH]",
    token: |number| {
        let key = YubikeyOath::new(Product::CANOKEY, number);
        Box::new(Beside::new(Box::new(key), ADMINISTRATION))
    },
    changes: |header| matches!(header, [0x00, 0x01..=0x05, ..]),
};

/// ckman asks it for the firmware's version, the variant, the serial number and
/// whether NFC is on; what the firmware can do it knows by heart.
const ADMINISTRATION: Application = Application {
    aid: &[0xf0, 0x00, 0x00, 0x00, 0x00],
    answers: &[
        ([0x31, 0x00], b"3.1.0"),
        ([0x31, 0x01], b"CanoKey Canary"),
        ([0x32, 0x00], &[0x00, 0x00, 0x00, 0x01]),
        ([0x14, 0x00], &[0x01]),
    ],
};

fn ask(pcscd: &Pcscd, words: &[&str]) -> Output {
    Command::new(client("ckman", "ckman"))
        .args(["--reader", &pcscd.reader_name(0, 0), "oath"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("ckman starts")
}

/// What ckman prints about the card in the first reader. It may hold codes, so it is
/// compared and never printed.
fn ckman(pcscd: &Pcscd, words: &[&str]) -> String {
    let output = ask(pcscd, words);
    assert!(output.status.success(), "ckman: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether ckman has the key compute the canary's code. The step may change while it
/// does.
fn computes_canary(pcscd: &Pcscd, words: &[&str], parameters: Parameters) -> bool {
    let code = |at: UnixTime| code_at(&canary(), &parameters, at.step(parameters.period));
    let before = code(now()).expose();
    let computed = ckman(pcscd, words);
    let after = code(now()).expose();
    [&**before, &**after].contains(&computed.trim())
}

fn key(bus: &Bus) -> TrayId {
    bus.put(0, (CANOKEY.token)(1))
}

#[test]
fn ckman_reads_what_we_wrote() {
    let test = "ckman::ckman_reads_what_we_wrote";
    in_private_pcscd(test, &[CANOKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        // So many that the key tells of them in more than one part.
        let others: Vec<_> = (1..=12).map(|number| format!("Fabrikam:user {number:02}")).collect();
        let seed = || SharedSecret::new(b"an older secret here".to_vec());
        let crowded = others.iter().fold(YubikeyOath::new(Product::CANOKEY, 1), |key, name| {
            key.holding(name, seed(), Algorithm::Sha1, Digits::SIX)
        });
        bus.put(0, Box::new(Beside::new(Box::new(crowded), ADMINISTRATION)));
        let usual = Parameters::default();
        let unusual = Parameters {
            algorithm: Algorithm::Sha512,
            digits: Digits::new(8).expect("keys have 8 digits"),
            period: Period::S60,
        };
        let unusual_uri = format!(
            "otpauth://totp/Fabrikam:diego?secret={CANARY}&issuer=Fabrikam\
             &algorithm=SHA512&digits=8&period=60"
        );
        let cases = [(canary_uri(), usual, NAME), (unusual_uri, unusual, "60/Fabrikam:diego")];
        for (uri, parameters, name) in cases {
            bus.desk.start_over();
            bus.desk.read_text(&uri).expect("a credential");
            assert_eq!(replaces(bus.plan(0, None)), "nothing");
            let view = bus.write();
            check_confirmed(&bus, &view, &CANOKEY, "right-computed");
            let listed = ckman(pcscd, &["accounts", "list", "--period"]);
            let is_listed = |name: &str| listed.lines().any(|line| line.contains(name));
            assert!(is_listed(name.trim_start_matches("60/")), "{listed}");
            assert!(others.iter().all(|other| is_listed(other)), "{listed}");
            let words = ["accounts", "code", "--single", name.trim_start_matches("60/")];
            assert!(computes_canary(pcscd, &words, parameters), "{name}");
        }
    });
}

#[test]
fn we_read_what_ckman_wrote() {
    let test = "ckman::we_read_what_ckman_wrote";
    in_private_pcscd(test, &[CANOKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = key(&bus);
        assert_eq!(replaces(planned(&bus, 0, &Choice::default(), None)), "nothing");
        let (issuer, account) = NAME.split_once(':').expect("a name has two parts");
        let words = ["accounts", "add", "--issuer", issuer, account, ANOTHER_SEED];
        ckman(pcscd, &words);
        assert!(!bus.holds_canary(id));

        // Planned before ckman came along: what is there now is not replaced.
        let view = bus.desk.write(false, &mut |_| {}).expect("the desk begins to write");
        let (problem, _) = failed(view);
        assert_eq!(problem.code, "name-taken");
        assert_eq!(problem.token.as_deref(), Some("untouched"));

        // With permission it is deleted first, because this key never writes over.
        assert_eq!(replaces(planned(&bus, 0, &Choice::default(), None)), "entry");
        let view = bus.write();
        check_confirmed(&bus, &view, &CANOKEY, "right-computed");
        assert_eq!(bus.tray.holds(id).len(), 1);
        let words = [&words[..], &["--force"]].concat();
        assert!(!ask(pcscd, &words).status.success(), "written over");
        assert!(bus.holds_canary(id));
        let words = ["accounts", "code", "--single", NAME];
        assert!(computes_canary(pcscd, &words, Parameters::default()));
    });
}

#[test]
fn a_password_that_ckman_set_is_ours_as_well() {
    let test = "ckman::a_password_that_ckman_set_is_ours_as_well";
    in_private_pcscd(test, &[CANOKEY.reader], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = key(&bus);
        ckman(pcscd, &["access", "change", "--new-password", PASSWORD]);
        let plan = |password| planned(&bus, 0, &Choice::default(), password);
        assert_eq!(locked(plan(None), "password"), None);
        let wrong = ("wrong-password".to_owned(), None);
        assert_eq!(locked(plan(Some("wrong horse")), "password"), Some(wrong));
        assert!(bus.tray.holds(id).is_empty());

        assert_eq!(replaces(plan(Some(PASSWORD))), "nothing");
        let view = bus.write();
        let receipt = check_confirmed(&bus, &view, &CANOKEY, "right-computed");
        assert!(!receipt.to_string().contains(PASSWORD), "the password in the receipt");
        let words = ["accounts", "code", "--password", PASSWORD, "--single", NAME];
        assert!(computes_canary(pcscd, &words, Parameters::default()));
        assert!(matches!(plan(Some(PASSWORD)), RunView::Planned { .. }));
    });
}
