//! Journeys with closed tokens: the maker's tool writes, Sower shows the secret when
//! somebody presses and judges the code. The maker's tool and its token are played by
//! a few lines that know RFC 6238 from the seed that was shown, and nothing else.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use desk::RunView;
use oath::{Parameters, SharedSecret, UnixTime, code_at};
use serde_json::Value;
use sower_tests::paths;
use sower_tests::world::{CANARY, World, canary, canary_uri};

const DIAMOND: &str = "deepnet-safeid-diamond";

/// What a token that holds `secret` shows.
fn shown(secret: &SharedSecret, at: UnixTime) -> String {
    let parameters = Parameters::default();
    code_at(secret, &parameters, at.step(parameters.period)).expose().to_string()
}

/// The canary, handed over for a model.
fn handed(world: &World, model: &str, serial: Option<&str>) -> RunView {
    world.desk.read_text(&canary_uri()).expect("the canary is a credential");
    world.desk.hand_over(model, serial).expect("a stage")
}

#[test]
fn a_closed_token_is_confirmed_by_its_code_alone() {
    let world = World::new();
    let mut seen = String::new();
    let mut look = |view: &RunView| write!(seen, "{view:?}").expect("a text takes it");
    let view = handed(&world, DIAMOND, Some("2600123456"));
    look(&view);
    let RunView::Assisted { model, misfits, .. } = &view else { panic!("{view:?}") };
    assert_eq!((model.code.as_str(), misfits.len()), (DIAMOND, 0));

    // The operator presses, types the text into the maker's tool, which writes.
    let revealed = world.desk.reveal("base32").expect("the tool takes base32");
    let typed = revealed.text().expect("a text").to_owned();
    drop(revealed);
    assert!(typed == CANARY, "the text is not the secret");
    let on_token = SharedSecret::new(BASE32_NOPAD.decode(typed.as_bytes()).expect("base32"));
    look(&world.desk.view());

    let view = world.desk.handed_written().expect("somebody said so");
    let RunView::Written { typed: true, how, .. } = &view else { panic!("{view:?}") };
    assert_eq!(how, "makers-tool");
    look(&view);
    let secret = world.desk.reveal("base32").err().expect("it is not shown any more");
    assert_eq!(secret.code, "wrong-stage");

    let wrong = world.desk.judge("000000").expect("judged");
    let RunView::Written { verdict: Some(verdict), .. } = &wrong else { panic!("{wrong:?}") };
    assert_eq!(verdict.code, "no-match");
    look(&wrong);
    assert!(world.desk.receipt().is_err(), "no receipt before the end");

    world.pass(30);
    let right = world.desk.judge(&shown(&on_token, world.now())).expect("judged");
    let RunView::Confirmed { verdict, .. } = &right else { panic!("{right:?}") };
    assert_eq!(verdict.code, "right-typed");
    look(&right);

    let receipt = world.desk.receipt().expect("a receipt");
    assert_no_secret(&receipt);
    let receipt: Value = serde_json::from_str(&receipt).expect("JSON");
    assert_eq!(receipt["outcome"], "confirmed");
    assert_eq!(receipt["written_by"], "makers-tool");
    assert_eq!(receipt["written_at"], Value::Null, "Sower did not see it");
    assert_eq!(receipt["token"]["family"], DIAMOND);
    assert_eq!(receipt["token"]["serial"], "2600123456");
    assert_eq!(receipt["token"]["replaced"], "not-told");
    assert_eq!(receipt["practice"], false);
    look(&world.desk.receipt_saved());
    assert_no_secret(&seen);
}

/// Nothing that a screen, a log or a file could have been given holds the secret.
fn assert_no_secret(seen: &str) {
    let seen = seen.to_lowercase();
    for secret in [CANARY.to_lowercase(), HEXLOWER.encode(canary().expose())] {
        assert!(!seen.contains(&secret), "a view or receipt holds the secret");
    }
    assert!(!seen.contains("otpauth:"), "a view or receipt holds a Key URI");
}

#[test]
fn stopping_claims_nothing_that_nobody_saw() {
    let world = World::new();
    handed(&world, "feitian-nfc-otp", None);
    world.desk.handed_written().expect("somebody said so");
    let view = world.desk.stop().expect("stopped");
    assert!(matches!(view, RunView::Unconfirmed { .. }), "{view:?}");
    let receipt: Value =
        serde_json::from_str(&world.desk.receipt().expect("a receipt")).expect("JSON");
    assert_eq!(receipt["outcome"], "reported-not-confirmed");
    assert_eq!(receipt["evidence"], Value::Null);
    assert_eq!(receipt["token"]["serial"], Value::Null);
}

#[test]
fn the_secret_comes_in_the_forms_of_the_tool_and_in_no_other() {
    let world = World::new();
    assert!(world.desk.reveal("base32").is_err(), "nothing is there to show");
    handed(&world, "token2-molto-1", None);
    let hex = world.desk.reveal("hex").expect("the app takes hexadecimal");
    assert!(hex.text() == Some(&*HEXLOWER.encode(canary().expose())), "another secret");
    assert!(hex.drawing().is_none());

    handed_again(&world, "reiner-sct-authenticator");
    assert!(world.desk.reveal("base32").is_err(), "the device has a camera alone");
    let qr = world.desk.reveal("qr").expect("a QR code");
    assert!(qr.text().is_none(), "a Key URI is not text to be typed");
    let drawing = qr.drawing().expect("a drawing");
    let read = read_drawing(drawing);
    let after = World::new();
    after.desk.read_picture(&read).expect("Sower reads its own drawing");
    let view = after.desk.hand_over("token2-molto-1", None).expect("a stage");
    let RunView::Assisted { credential, .. } = view else { panic!("not handed over") };
    assert_eq!(credential.account, "adele@contoso.com");
    assert_eq!(credential.organisation.as_deref(), Some("Contoso"));
    let again = after.desk.reveal("hex").expect("the same secret");
    assert!(again.text() == hex.text(), "another secret came back");
}

fn handed_again(world: &World, model: &str) {
    world.desk.back();
    world.desk.hand_over(model, None).expect("a stage");
}

/// The drawing as a camera would see it: a binary portable bitmap turned into BMP is
/// more than is needed, so the pixels are put together by hand (BMP, 8 bit grey).
fn read_drawing(drawing: &desk::Drawing) -> Vec<u8> {
    const MODULE: usize = 6;
    const BORDER: usize = 4;
    let side = (drawing.width() + 2 * BORDER) * MODULE;
    let padded = side.div_ceil(4) * 4;
    let number = |value: usize| u32::try_from(value).expect("small").to_le_bytes();
    let offset = 14 + 40 + 256 * 4;
    let mut bytes = b"BM".to_vec();
    for value in [offset + padded * side, 0, offset, 40, side, side] {
        bytes.extend(number(value));
    }
    bytes.extend([1, 0, 8, 0]);
    for value in [0, padded * side, 2835, 2835, 256, 0] {
        bytes.extend(number(value));
    }
    for grey in 0..=255_u8 {
        bytes.extend([grey, grey, grey, 0]);
    }
    // Rows from the bottom up.
    for y in (0..side).rev() {
        let row = (0..padded).map(|x| {
            let place = (x / MODULE).checked_sub(BORDER).zip((y / MODULE).checked_sub(BORDER));
            let dark = place.is_some_and(|(column, row)| drawing.is_dark(column, row));
            if dark { 0 } else { 255 }
        });
        bytes.extend(row);
    }
    bytes
}

#[test]
fn what_is_known_to_rule_it_out_stops_it_and_another_model_may_be_chosen() {
    let world = World::new();
    let eight = "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&digits=8";
    world.desk.read_text(eight).expect("a credential");
    let view = world.desk.hand_over("protectimus-slim-nfc", None).expect("a stage");
    let RunView::Assisted { misfits, .. } = &view else { panic!("{view:?}") };
    assert_eq!(misfits[0].code, "digits");
    assert_eq!(world.desk.reveal("base32").err().expect("not shown").code, "wrong-stage");
    assert_eq!(world.desk.handed_written().expect_err("not handed over").code, "wrong-stage");
    let view = world.desk.hand_over("feitian-nfc-otp", None).expect("a stage");
    let RunView::Assisted { misfits, model, .. } = &view else { panic!("{view:?}") };
    assert!(misfits.is_empty() && model.doubts.contains(&"digits-unknown".to_owned()));
    assert!(matches!(world.desk.back(), RunView::Captured { .. }));
    assert_eq!(world.desk.hand_over("no-such", None).expect_err("unknown").code, "unknown-model");
}

#[test]
fn a_word_is_taken_back_and_a_picture_does_not_throw_it_away() {
    let world = World::new();
    assert_eq!(world.desk.hand_over(DIAMOND, None).expect_err("nothing").code, "wrong-stage");
    handed(&world, DIAMOND, None);
    assert_eq!(world.desk.read_text(&canary_uri()).expect_err("under way").code, "wrong-stage");
    world.desk.handed_written().expect("somebody said so");
    assert_eq!(world.desk.read_text(&canary_uri()).expect_err("under way").code, "wrong-stage");
    assert_eq!(world.desk.handed_written().expect_err("said already").code, "wrong-stage");
    assert!(matches!(world.desk.back(), RunView::Assisted { .. }), "the tool writes once more");
    assert!(world.desk.reveal("qr").is_ok());
    assert!(matches!(world.desk.start_over(), RunView::Empty));
    assert!(world.desk.reveal("qr").is_err(), "forgotten");
}

fn sower(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(paths::binary("sower"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sower starts");
    // A program that reads nothing closes its end, and that is its right.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("sower ends");
    for text in [&output.stdout, &output.stderr] {
        assert_no_secret(&String::from_utf8_lossy(text));
    }
    output
}

/// Without a terminal the secret is never shown, and a code that is handed in is
/// judged all the same.
#[test]
fn the_terminal_judges_what_the_makers_tool_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("uri.txt");
    std::fs::write(&file, canary_uri()).expect("written");
    let file = file.display().to_string();
    let enroll = |model, input: &str| {
        let arguments =
            ["enroll", "--text", &file, "--closed", model, "--token", "2600123456", "--json"];
        let output = sower(&arguments, input);
        // It holds the canary only as long as it is needed.
        let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
        (output.status.code(), document)
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let code = shown(&canary(), UnixTime::from_secs(now.as_secs()));
    let (end, document) = enroll(DIAMOND, &format!("{code}\n"));
    assert_eq!(end, Some(0), "{document}");
    assert_eq!(document["receipt"]["written_by"], "makers-tool");
    assert_eq!(document["receipt"]["token"]["serial"], "2600123456");

    let wrong = if code == "000000" { "000001\n" } else { "000000\n" };
    let (end, document) = enroll(DIAMOND, wrong);
    assert_eq!(end, Some(5), "{document}");
    assert_eq!(document["receipt"]["outcome"], "reported-not-confirmed");
    let (end, document) = enroll(DIAMOND, "");
    assert_eq!(end, Some(4), "{document}");
    let (end, document) = enroll("no-such-model", "");
    assert_eq!(end, Some(1), "{document}");
    std::fs::remove_file(folder.path().join("uri.txt")).expect("removed");
}

#[test]
fn the_closed_models_are_listed_beside_the_families() {
    let output = sower(&["families", "--json"], "");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    let closed = document["closed"].as_array().expect("a list");
    assert!(closed.iter().any(|model| model["code"] == DIAMOND));
    for model in closed {
        let words = sower(&["enroll", "--closed", "x", "--practice", "y", "--text", "-"], "");
        assert_eq!(words.status.code(), Some(2), "not both");
        assert!(model["steps"].as_array().is_some_and(|steps| !steps.is_empty()));
    }
}
