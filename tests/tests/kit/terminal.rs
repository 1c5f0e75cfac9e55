//! `sower read` on the kit: its exit code, its document, and that neither the document
//! nor the text shows a secret.

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use sower_tests::paths;

use super::case::{Case, Verdict, agrees, all};

/// The seeds of the kit as a careless line would print them, in capitals.
pub(super) const SECRETS: [&str; 8] = [
    "2XEQPTT4HP5MLAVL",
    "D5C907CE7C3BFAC582AB",
    "5C7IQEXEN7NAAIYK",
    "2B7ZMPBLW6R4Y5FJ",
    "D07F963C2BB7A3CC",
    "A4NFPISXU4GDV7R3",
    "071A57A257A70C3A",
    "OTPAUTH://TOTP/",
];

#[test]
fn sower_reads_every_file_of_the_kit() {
    let mut wrong = Vec::new();
    for case in all() {
        for verdict in &case.verdicts {
            let (expected, enrollable) = shown(&verdict.expected);
            let output = sower(&case, verdict, &["--json"]);
            let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let told = as_reading(document);
            let ended = output.status.code() == Some(if enrollable { 0 } else { 3 });
            if !ended || !agrees(&expected, &told) {
                let code = output.status.code();
                wrong.push(format!("{} ({code:?}):\n  {expected}\n  {told}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every reason has words: a code by itself is for programs.
#[test]
fn sower_says_every_verdict_in_words() {
    for case in all() {
        let verdict = case.verdicts.last().expect("a case has verdicts");
        let output = sower(&case, verdict, &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.trim().is_empty(), "{} says nothing", case.name);
        for line in text.lines() {
            let bare = ["finding-", "question-", "remark-", "note-"]
                .iter()
                .any(|key| line.trim().split(". ").any(|part| part.starts_with(key)));
            assert!(!bare, "{}: no words for {line}", case.name);
        }
    }
}

/// Whatever a hostile file asks for, a gigabyte of address space has to do.
#[cfg(target_os = "linux")]
#[test]
fn no_hostile_file_makes_sower_allocate_without_bounds() {
    let folder = paths::root().join("tests/kit/hostile");
    let hostile: Vec<Case> =
        all().into_iter().filter(|case| case.files[0].starts_with(&folder)).collect();
    assert!(hostile.len() > 30, "only {} hostile cases", hostile.len());
    for case in hostile {
        let status = Command::new("sh")
            .args(["-c", "ulimit -v 1048576 && exec \"$0\" read \"$1\""])
            .arg(paths::binary("sower"))
            .arg(&case.files[0])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("a shell starts");
        assert!(matches!(status.code(), Some(0 | 3)), "{}: {status}", case.name);
    }
}

fn sower(case: &Case, verdict: &Verdict, more: &[&str]) -> Output {
    let mut command = Command::new(paths::binary("sower"));
    command.arg("read").args(more).args(&case.files).stdin(Stdio::null());
    if let Some(encoding) = &verdict.encoding {
        command.args(["--encoding", encoding]);
    }
    let folder = tempfile::tempdir().expect("a folder for the password");
    if let Some(password) = &verdict.password {
        let file = folder.path().join("password");
        fs::write(&file, format!("{password}\n")).expect("it can be written");
        command.arg("--password-file").arg(file);
    }
    let output = command.output().expect("sower starts");
    let printed = [output.stdout.as_slice(), &output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).to_uppercase();
    for secret in SECRETS {
        assert!(!printed.contains(secret), "{} printed a secret", case.name);
    }
    output
}

/// What of an expectation may be shown, and whether there is a credential in it.
fn shown(expected: &Value) -> (Value, bool) {
    let Some(entries) = expected["entries"].as_array() else {
        let result = if expected["question"].is_null() { "refused" } else { "question" };
        let code = &expected[if result == "refused" { "refused" } else { "question" }];
        return (json!({"result": result, "code": code, "facts": expected["facts"]}), false);
    };
    let entry = |entry: &Value| {
        let mut told = json!({"place": entry["place"], "serial": entry["serial"]});
        if entry["secret"].is_null() {
            told["unusable"] = json!({"code": entry["unusable"], "facts": entry["facts"]});
        } else {
            let hash = entry["algorithm"].as_str().unwrap_or_default().replace("SHA", "SHA-");
            let bytes = entry["secret"].as_str().unwrap_or_default().len() / 2;
            told["credential"] = json!({
                "issuer": entry["issuer"],
                "organisation": entry["organisation"],
                "account": entry["account"],
                "algorithm": hash,
                "digits": entry["digits"],
                "period": entry["period"],
                "secret_bytes": bytes,
                "notes": entry["notes"],
            });
        }
        told
    };
    let told: Vec<Value> = entries.iter().map(entry).collect();
    let enrollable = entries.iter().any(|entry| !entry["secret"].is_null());
    let whole = json!({"result": "entries", "remarks": expected["remarks"], "entries": told});
    (whole, enrollable)
}

/// The document of one picture has findings, that of everything else a result.
fn as_reading(document: Value) -> Value {
    let Some(findings) = document["findings"].as_array() else {
        return document;
    };
    if let [finding] = findings.as_slice()
        && finding["credential"].is_null()
    {
        return json!({"result": "refused", "code": finding["code"], "facts": finding["facts"]});
    }
    let entry = |(index, finding): (usize, &Value)| json!({"place": index + 1, "serial": null, "credential": finding["credential"]});
    let entries: Vec<Value> = findings.iter().enumerate().map(entry).collect();
    json!({"result": "entries", "remarks": [], "entries": entries})
}
