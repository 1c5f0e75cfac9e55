//! The program `sower`, run as a person or a script runs it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sower_tests::paths;
use sower_tests::world::{CANARY, canary_uri};

const TOKEN2: &str = "token2-nfc-single-profile";
const YKOATH: &str = "yubikey-oath";

/// 2029-12-31 23:59:30 UTC; the next code of the sample is 004167.
const TIME: &str = "1893455970";

fn sample(name: &str) -> String {
    let path: PathBuf = paths::root().join("docs/sample").join(name);
    path.display().to_string()
}

fn sower(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(paths::binary("sower"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sower starts");
    // A program that reads nothing closes its end, and that is its right.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("sower ends");
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).to_lowercase();
    for secret in ["2xeqptt4hp5mlavl", "d5c907ce7c3bfac582ab", "otpauth:", &CANARY.to_lowercase()] {
        assert!(!text.contains(secret), "{arguments:?} printed a secret");
    }
    output
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn enroll<'a>(family: &'a str, picture: &'a str) -> Vec<&'a str> {
    vec!["enroll", "--picture", picture, "--practice", family, "--practice-time", TIME]
}

#[test]
fn the_readmes_sample_is_confirmed_with_the_code_of_the_facts() {
    let picture = sample("microsoft-work-account.png");
    for family in [TOKEN2, YKOATH] {
        // The code of 2030-01-01 00:00:00, the next one after the write.
        let output = sower(&enroll(family, &picture), b"004167\n");
        assert_eq!(code(&output), Some(0), "{family}: {output:?}");
        assert!(text(&output).starts_with("Confirmed"), "{family}: {output:?}");
        assert!(text(&output).contains("PRACTICE"), "{family}: {output:?}");
    }
}

#[test]
fn a_wrong_code_is_not_confirmed() {
    let picture = sample("microsoft-work-account.png");
    for family in [TOKEN2, YKOATH] {
        let output = sower(&enroll(family, &picture), b"004168\n");
        assert_eq!(code(&output), Some(5), "{family}: {output:?}");
        assert!(text(&output).starts_with("Not confirmed"), "{family}: {output:?}");
    }
}

#[test]
fn no_code_at_all_confirms_a_key_and_not_a_display() {
    let picture = sample("microsoft-work-account.png");
    let key = sower(&enroll(YKOATH, &picture), b"");
    assert_eq!(code(&key), Some(0), "{key:?}");
    let display = sower(&enroll(TOKEN2, &picture), b"");
    assert_eq!(code(&display), Some(5), "{display:?}");
}

/// Whatever is handed in as a code is judged: also what is no text, and also behind
/// a blank line.
#[test]
fn a_code_that_is_no_text_is_not_waved_through() {
    let picture = sample("microsoft-work-account.png");
    let utf16: Vec<u8> = "004168\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for input in [&b"\xff004168\n"[..], b"\n004168\n", b" \n\n004168", &utf16] {
        let output = sower(&enroll(YKOATH, &picture), input);
        assert_eq!(code(&output), Some(5), "{input:?}: {output:?}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_to_holds_nothing_up() {
    let picture = sample("microsoft-work-account.png");
    let mut child = Command::new(paths::binary("sower"))
        .args(enroll(YKOATH, &picture))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sower starts");
    let open = child.stdin.take().expect("piped");
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // The test may have given up.
        let _ = tell.send(child.wait());
    });
    let ended = told.recv_timeout(std::time::Duration::from_secs(30)).expect("it ends");
    assert_eq!(ended.expect("it ran").code(), Some(0));
    drop(open);
}

#[test]
fn a_reader_that_is_gone_ends_no_run() {
    let picture = sample("microsoft-work-account.png");
    let folder = tempfile::tempdir().expect("a folder");
    let receipt = folder.path().join("receipt.json").display().to_string();
    let mut arguments = enroll(YKOATH, &picture);
    arguments.extend(["--receipt", &receipt]);
    let mut child = Command::new(paths::binary("sower"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sower starts");
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(std::path::Path::new(&receipt).is_file(), "the receipt is saved all the same");
}

#[test]
fn a_receipt_replaces_nothing() {
    let picture = sample("microsoft-work-account.png");
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("receipt.json");
    std::fs::write(&taken, "an earlier one").expect("written");
    let nowhere = folder.path().join("none/receipt.json");
    for place in [&taken, &nowhere] {
        let place = place.display().to_string();
        let mut arguments = enroll(YKOATH, &picture);
        arguments.extend(["--receipt", &place]);
        let output = sower(&arguments, b"");
        assert_eq!(code(&output), Some(1), "{output:?}");
        assert!(text(&output).is_empty(), "{output:?}");
    }
    assert_eq!(std::fs::read_to_string(&taken).expect("there"), "an earlier one");
}

#[test]
fn a_number_of_a_finding_that_is_not_there_is_no_wish_for_another() {
    let picture = sample("microsoft-work-account.png");
    let mut arguments = enroll(TOKEN2, &picture);
    arguments.extend(["--code-from-display", "--finding", "7"]);
    assert_eq!(code(&sower(&arguments, b"")), Some(3));
    let last = arguments.len() - 1;
    arguments[last] = "1";
    assert_eq!(code(&sower(&arguments, b"")), Some(0));
}

#[test]
fn the_drawn_display_answers_unattended() {
    let picture = sample("microsoft-work-account.png");
    let folder = tempfile::tempdir().expect("a folder");
    for family in [TOKEN2, YKOATH] {
        let receipt = folder.path().join(format!("{family}.json"));
        let mut arguments = enroll(family, &picture);
        let place = receipt.display().to_string();
        arguments.extend(["--code-from-display", "--receipt", &place, "--json"]);
        let output = sower(&arguments, b"");
        assert_eq!(code(&output), Some(0), "{family}: {output:?}");
        let document = json(&output);
        assert_eq!(document["confirmed"], true);
        assert_eq!(document["receipt"]["practice"], true);
        let saved = std::fs::read(&receipt).expect("the receipt");
        let saved: Value = serde_json::from_slice(&saved).expect("JSON");
        assert_eq!(saved, document["receipt"]);
    }
}

#[test]
fn secrets_come_by_file_or_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("uri.txt");
    std::fs::write(&file, canary_uri()).expect("written");
    let file = file.display().to_string();
    let arguments =
        ["enroll", "--text", &file, "--practice", TOKEN2, "--code-from-display", "--json"];
    assert_eq!(code(&sower(&arguments, b"")), Some(0));
    let arguments = ["enroll", "--text", "-", "--practice", YKOATH, "--json"];
    assert_eq!(code(&sower(&arguments, canary_uri().as_bytes())), Some(0));
    let picture = std::fs::read(sample("microsoft-work-account.png")).expect("the sample");
    let arguments = ["enroll", "--picture", "-", "--practice", TOKEN2, "--code-from-display"];
    assert_eq!(code(&sower(&arguments, &picture)), Some(0));
    // A code cannot come by the same way.
    let arguments = ["enroll", "--picture", "-", "--practice", TOKEN2, "--json"];
    let output = sower(&arguments, &picture);
    assert_eq!(code(&output), Some(5));
    assert_eq!(json(&output)["confirmed"], false, "one document");
}

#[test]
fn a_picture_without_a_seed_says_what_it_is() {
    let push = sample("microsoft-push.png");
    let output = sower(&["read", &push, "--json"], b"");
    assert_eq!(code(&output), Some(3), "{output:?}");
    assert_eq!(json(&output)["findings"][0]["code"], "microsoft-push");
    let output = sower(&["read", &push], b"");
    assert!(text(&output).contains("different authenticator app"), "{output:?}");
    let output = sower(&enroll(TOKEN2, &push), b"");
    assert_eq!(code(&output), Some(3), "{output:?}");
    let output = sower(&["read", "-"], b"not a picture");
    assert_eq!(code(&output), Some(3), "{output:?}");
    let output = sower(&["read", "/no/such/file"], b"");
    assert_eq!(code(&output), Some(3), "{output:?}");
}

#[test]
fn several_codes_are_listed_and_one_has_to_be_chosen() {
    let two = sample("two-accounts.png");
    let output = sower(&["read", &two, "--json"], b"");
    let document = json(&output);
    let accounts: Vec<_> = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["credential"]["organisation"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(accounts, ["Contoso", "Fabrikam"]);
    let mut arguments = enroll(TOKEN2, &two);
    arguments.push("--code-from-display");
    assert_eq!(code(&sower(&arguments, b"")), Some(3), "no silent first pick");
    arguments.extend(["--finding", "2", "--json"]);
    let output = sower(&arguments, b"");
    assert_eq!(code(&output), Some(0), "{output:?}");
    assert_eq!(json(&output)["receipt"]["credential"]["organisation"], "Fabrikam");
    let last = arguments.len() - 2;
    arguments[last] = "3";
    assert_eq!(code(&sower(&arguments, b"")), Some(3), "there is no third");
}

#[test]
fn an_encrypted_vault_is_opened_by_a_password_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    let vault = paths::root().join("tests/kit/vaults/aegis-encrypted.json").display().to_string();
    let with_password = |text: &str| {
        std::fs::write(&password, text).expect("written");
        let file = password.display().to_string();
        let mut arguments = enroll(YKOATH, &vault);
        arguments.extend(["--input-password-file", &file, "--json"]);
        sower(&arguments, b"")
    };
    let done = with_password("correct horse\n");
    assert_eq!(code(&done), Some(0), "{done:?}");
    let wrong = with_password("correct house\n");
    assert_eq!(code(&wrong), Some(3), "{wrong:?}");
    assert_eq!(json(&wrong)["problem"]["code"], "wrong-file-password");
    let mut arguments = enroll(YKOATH, &vault);
    arguments.push("--json");
    let asked = sower(&arguments, b"");
    assert_eq!(code(&asked), Some(3), "{asked:?}");
    assert_eq!(json(&asked)["problem"]["code"], "password-needed");
}

#[test]
fn one_account_of_several_files_is_chosen_by_its_number() {
    let kit = paths::root().join("tests/kit/pictures");
    let pictures = [1, 2, 3].map(|n| kit.join(format!("migration-{n}.png")).display().to_string());
    let mut arguments = enroll(YKOATH, &pictures[2]);
    arguments.extend(["--file", &pictures[0], "--file", &pictures[1]]);
    let listed = sower(&arguments, b"");
    assert_eq!(code(&listed), Some(3), "{listed:?}");
    arguments.extend(["--finding", "2"]);
    let done = sower(&arguments, b"");
    assert_eq!(code(&done), Some(0), "{done:?}");
}

#[test]
fn a_name_that_is_typed_is_used_and_a_bad_one_is_refused() {
    let picture = sample("microsoft-work-account.png");
    let mut arguments = enroll(YKOATH, &picture);
    arguments.extend(["--name", "Contoso:adele", "--json"]);
    let output = sower(&arguments, b"");
    assert_eq!(json(&output)["receipt"]["token"]["entry"], "Contoso:adele");
    let long = "x".repeat(65);
    let mut arguments = enroll(YKOATH, &picture);
    arguments.extend(["--name", &long, "--json"]);
    let output = sower(&arguments, b"");
    assert_eq!(code(&output), Some(4), "{output:?}");
    assert_eq!(json(&output)["misfits"][0]["code"], "name-length");
}

#[test]
fn words_on_the_command_line_that_are_wrong_are_usage_errors() {
    for arguments in [
        &["enroll"][..],
        &["enroll", "--picture", "x", "--token", "1", "--practice", TOKEN2],
        &["enroll", "--picture", "x", "--code-from-display"],
        &["sow"],
    ] {
        assert_eq!(code(&sower(arguments, b"")), Some(2), "{arguments:?}");
    }
    let output = sower(&["enroll", "--text", "-", "--practice", "no-such"], b"x");
    assert_eq!(code(&output), Some(1), "{output:?}");
}

#[test]
fn every_family_is_told_with_its_limits_and_evidence() {
    let output = sower(&["families", "--json"], b"");
    let document = json(&output);
    for family in document["families"].as_array().expect("a list") {
        assert_eq!(family["seen_on_hardware"], false);
        for field in ["family", "title", "channel", "proof", "evidence", "evidence_source"] {
            assert!(family[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
        }
        assert!(family["limits"]["secret"].is_string());
    }
}

/// Each row of `docs/tokens.md` is what the drivers say, in the same words.
/// The rows of the table of docs/tokens.md, as the program tells them.
fn rows(families: &Value) -> Vec<String> {
    let cell = |family: &Value, field: &str| match &family[field] {
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        Value::String(text) => text.clone(),
        _ => family["limits"][field].as_str().expect("a limit").to_owned(),
    };
    let columns = [
        "family",
        "title",
        "models",
        "channel",
        "proof",
        "algorithms",
        "digits",
        "name",
        "period",
        "places",
        "secret",
        "evidence",
        "evidence_source",
        "seen_on_hardware",
    ];
    let row = |family: &Value| {
        let cells: Vec<_> = columns.iter().map(|column| cell(family, column)).collect();
        format!("| {} |", cells.join(" | "))
    };
    families.as_array().expect("a list").iter().map(row).collect()
}

/// `SOWER_BLESS=1` writes the table, a plain run compares.
#[test]
fn the_page_of_tokens_is_what_the_drivers_say() {
    let path = paths::root().join("docs/tokens.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let told = json(&sower(&["families", "--json"], b""));
    let rows = rows(told.get("families").unwrap_or(&told));
    // The first table is the one; its two first lines are its head.
    let is_row = |line: &&str| line.starts_with("| ");
    let before: Vec<_> = page.lines().take_while(|line| !is_row(line)).collect();
    let table: Vec<_> = page.lines().skip(before.len()).take_while(is_row).collect();
    if std::env::var_os("SOWER_BLESS").is_some() {
        let after = page.lines().skip(before.len() + table.len());
        let rows = rows.iter().map(String::as_str);
        let head = table[..2].iter().copied();
        let lines: Vec<_> = before.into_iter().chain(head).chain(rows).chain(after).collect();
        std::fs::write(&path, lines.join("\n") + "\n").expect("the page is written");
        return;
    }
    assert_eq!(table[2..], rows, "run with SOWER_BLESS=1");
}

#[test]
fn practice_tokens_are_listed_as_such() {
    let output = sower(&["tokens", "--practice", "--json"], b"");
    let tokens = json(&output);
    let practice = tokens["tokens"].as_array().expect("a list").iter();
    let families: Vec<_> = practice
        .filter(|token| token["practice"] == true)
        .filter_map(|token| token["what"]["family"].as_str())
        .collect();
    assert_eq!(families, emulator::FAMILIES);
}

#[test]
fn the_doctor_answers_with_a_remedy_for_what_is_wrong() {
    let output = sower(&["doctor", "--json"], b"");
    let findings = json(&output);
    let findings = findings.as_array().expect("a list");
    assert!(findings.iter().any(|finding| {
        finding["code"].as_str().is_some_and(|code| code.starts_with("cli-clock"))
    }));
    assert!(findings.iter().any(|finding| {
        finding["code"].as_str().is_some_and(|code| code.starts_with("doctor-service"))
    }));
    for finding in findings {
        let message = finding["message"].as_str().expect("a message");
        assert_ne!(Some(message), finding["code"].as_str(), "words are missing");
    }
}
