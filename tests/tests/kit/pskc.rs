//! PSKC between our reader and python-pskc: each reads what the other has, and they
//! agree on every secret.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use intake::{Answers, Entry, Reading};
use oath::Algorithm;
use sower_tests::paths;
use sower_tests::world::{CANARY, canary};

use super::case::all;

const PASSPHRASE: &str = "correct horse";

/// Has python-pskc do something. What it prints may hold secrets, so it is compared
/// and never printed.
fn python(words: &[&str], file: &Path, input: &str) -> String {
    let program = paths::root().join("target/tools/pskc/bin/python");
    assert!(program.is_file(), "{} is not there: run `cargo xtask setup` first", program.display());
    let mut child = Command::new(program)
        .arg(paths::root().join("tests/tests/kit/python_pskc.py"))
        .args(words)
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(input.as_bytes()).expect("it reads what it is told");
    drop(stdin);
    let output = child.wait_with_output().expect("it was started here");
    assert!(output.status.success(), "python-pskc failed with {words:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn ours(file: &Path, password: Option<&str>) -> Reading {
    let password = password.map(|password| password.to_owned().into());
    intake::read(&fs::read(file).expect("it is there"), &Answers { password, ..Answers::default() })
}

/// What we read of an entry in the words of the script, where it is a credential.
fn described(entry: &Entry) -> Option<String> {
    let found = entry.what.as_ref().ok()?;
    let parameters = found.parameters();
    Some(format!(
        "totp {} {} {} {}",
        parameters.digits.get(),
        parameters.period.as_secs(),
        entry.serial.as_deref().unwrap_or("-"),
        data_encoding::HEXLOWER.encode(found.secret().expose())
    ))
}

#[test]
fn python_pskc_reads_the_samples_as_we_do() {
    let mut compared = 0;
    for case in all() {
        let [file] = case.files.as_slice() else { continue };
        if !file.parent().is_some_and(|folder| folder.ends_with("pskc")) {
            continue;
        }
        for verdict in &case.verdicts {
            let password = verdict.password.as_deref();
            let Reading::Entries(found) = ours(file, password) else { continue };
            let theirs = python(&["read"], file, &format!("{}\n", password.unwrap_or_default()));
            let theirs: Vec<&str> = theirs.lines().collect();
            assert_eq!(theirs.len(), found.entries.len(), "{}", case.name);
            for (entry, theirs) in found.entries.iter().zip(theirs) {
                if let Some(ours) = described(entry) {
                    assert!(ours == theirs, "{}: they read another key", case.name);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared >= 10, "only {compared} keys were compared");
}

#[test]
fn we_read_what_python_pskc_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = data_encoding::HEXLOWER.encode(canary().expose());
    for (what, password) in [("write", None), ("write-passphrase", Some(PASSPHRASE))] {
        let file = folder.path().join(what);
        python(&[what], &file, &format!("{PASSPHRASE}\n{secret}\n"));
        if password.is_some() {
            assert!(matches!(ours(&file, None), Reading::Question(_)), "it is not encrypted");
            let wrong = ours(&file, Some("wrong horse"));
            assert!(matches!(wrong, Reading::Refused(_)), "a wrong passphrase opens it");
        }
        let Reading::Entries(found) = ours(&file, password) else {
            panic!("{what}: not read");
        };
        let [entry] = found.entries.as_slice() else {
            panic!("{what}: {} entries", found.entries.len());
        };
        let credential = entry.what.as_ref().expect("a credential");
        assert!(credential.secret().expose() == canary().expose(), "{what}: another secret");
        let parameters = credential.parameters();
        assert_eq!(parameters.algorithm, Algorithm::Sha256);
        assert_eq!((parameters.digits.get(), parameters.period.as_secs()), (8, 60));
        assert_eq!(entry.serial.as_deref(), Some("DEMO0001"));
        assert_eq!(entry.manufacturer.as_deref(), Some("Contoso"));
        assert_eq!(entry.model.as_deref(), Some("HardwareKey"));
        assert!(!format!("{found:?}").contains(CANARY), "a secret is printed");
    }
}
