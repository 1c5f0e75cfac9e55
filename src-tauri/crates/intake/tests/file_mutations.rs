//! The files of `tests/kit` with mistakes in them: nothing panics, nothing takes long
//! and nothing shows a secret.
//!
//! A bounded run in every test; `SOWER_ROUNDS` asks for a longer one, and `tests/fuzz`
//! looks for paths that chance does not find.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use intake::{Answers, Limits, Reading, SecretEncoding, read, read_codes};

/// Rounds of a run that nobody asked to be longer.
const ROUNDS: usize = 24_000;
/// The longest file that is mutated; one change in a long one is hardly ever read.
const LONGEST: usize = 8 * 1024;
/// What one reading may take in a test without optimisation, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kit's seeds as a careless line would print them, in capitals.
const SECRETS: [&str; 7] =
    ["2XEQPTT4", "D5C907CE", "5C7IQEXE", "2B7ZMPBL", "D07F963C", "A4NFPISX", "071A57A2"];

/// Pieces that mean something to one of the readers.
const PIECES: [&[u8]; 36] = [
    b"\"",
    b"'",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"null",
    b"-1",
    b"1e308",
    b"18446744073709551615",
    b"<",
    b">",
    b"</",
    b"/>",
    b"&amp;",
    b"&#0;",
    b"<![CDATA[",
    b"<!DOCTYPE a>",
    b"xmlns=\"\"",
    b"%2B",
    b"=",
    b"# version: 2\n",
    b"sep=;\n",
    b"1.2E+12",
    b"#NAME?",
    b"TOTP",
    b"\xf0\x9f\x98\x80",
];

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the kit is there") {
        let path = entry.expect("the kit can be listed").path();
        if path.is_dir() && !path.ends_with("pictures") {
            collect(&path, found);
        } else if path.is_file() && !path.to_string_lossy().ends_with(".expected.json") {
            found.push(path);
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/kit");
    let mut found = Vec::new();
    collect(&kit, &mut found);
    found.sort();
    let files = found.iter().map(|path| fs::read(path).expect("the kit can be read"));
    let seeds: Vec<_> = files.filter(|bytes| bytes.len() <= LONGEST).collect();
    assert!(seeds.len() > 150, "only {} seeds", seeds.len());
    seeds
}

fn mutate(numbers: &mut Numbers, seeds: &[Vec<u8>], seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(40)).min(bytes.len());
        match numbers.below(7) {
            0 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            1 if at < bytes.len() => {
                bytes.remove(at);
            }
            2 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            3 => bytes.truncate(at.max(1)),
            4 => {
                bytes.drain(at..end);
            }
            5 => {
                // Another file goes on where this one stops.
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let copy = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
        }
    }
    bytes
}

/// Everything of a reading that may reach a log. Names are shown on purpose and are
/// not in `Debug`.
fn shown(reading: &Reading) -> String {
    let mut shown = format!("{reading:?}");
    let mut add = |code: &str, facts: Vec<(&str, String)>| {
        let _ = write!(shown, " {code} {facts:?}");
    };
    match reading {
        Reading::Question(question) => add(question.code(), question.facts()),
        Reading::Refused(refusal) => {
            add(refusal.code(), refusal.facts());
            add(&refusal.to_string(), vec![]);
        }
        Reading::Entries(found) => {
            assert!(!found.entries.is_empty(), "entries without an entry");
            for remark in &found.remarks {
                add(remark.code(), remark.facts());
            }
            for entry in &found.entries {
                match &entry.what {
                    Ok(credential) => {
                        assert!(credential.secret().len() >= 10, "a secret that is too short");
                    }
                    Err(error) => {
                        add(error.code(), error.facts());
                        add(&error.to_string(), vec![]);
                    }
                }
            }
        }
    }
    shown
}

fn check(round: usize, started: Instant, reading: &Reading) {
    assert!(started.elapsed() < PATIENCE, "round {round} took too long");
    let shown = shown(reading).to_uppercase();
    for secret in SECRETS {
        assert!(!shown.contains(secret), "round {round} shows a secret");
    }
}

fn rounds() -> usize {
    std::env::var("SOWER_ROUNDS").ok().and_then(|told| told.parse().ok()).unwrap_or(ROUNDS)
}

#[test]
fn mutated_files_never_panic_and_never_show_a_secret() {
    let seeds = seeds();
    let mut numbers = Numbers(6030);
    for round in 0..rounds() {
        let bytes = mutate(&mut numbers, &seeds, &seeds[round % seeds.len()]);
        let started = Instant::now();
        check(round, started, &read(&bytes, &Answers::default()));
        if round % 8 == 0
            && let Ok(text) = std::str::from_utf8(&bytes)
        {
            let texts: Vec<&str> = text.lines().collect();
            check(round, started, &read_codes(&texts, &Answers::default()));
        }
    }
}

/// The costs that the kit's own vaults ask for are not allowed here, that of its PSKC
/// containers is: a mutation must not wait for keys.
#[test]
fn mutated_files_with_answers_never_panic_and_never_show_a_secret() {
    let seeds = seeds();
    let limits = Limits {
        pbkdf2_iterations: 1000,
        scrypt_memory: 1 << 20,
        scrypt_work: 1 << 12,
        argon2_memory: 0,
    };
    let passwords = ["correct horse", "qwerty", "000102030405060708090a0b0c0d0e0f"];
    let encodings = [SecretEncoding::Base32, SecretEncoding::Hex, SecretEncoding::Base64];
    let mut numbers = Numbers(2898);
    for round in 0..rounds() / 4 {
        let bytes = mutate(&mut numbers, &seeds, &seeds[round % seeds.len()]);
        let answers = Answers {
            password: Some(passwords[numbers.below(3)].to_owned().into()),
            encoding: Some(encodings[numbers.below(3)]),
            limits,
        };
        let started = Instant::now();
        check(round, started, &read(&bytes, &answers));
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut numbers = Numbers(7159);
    for round in 0..rounds() / 4 {
        let length = numbers.below(400);
        let mut bytes: Vec<u8> = Vec::new();
        while bytes.len() < length {
            match numbers.below(3) {
                0 => bytes.extend_from_slice(PIECES[numbers.below(PIECES.len())]),
                _ => bytes.push(u8::try_from(numbers.below(256)).unwrap_or(0)),
            }
        }
        check(round, Instant::now(), &read(&bytes, &Answers::default()));
    }
}

/// Deep nesting and long runs of one piece, which quadratic readers choke on.
#[test]
fn large_files_of_one_piece_are_read_in_time() {
    for piece in PIECES.iter().copied().chain([
        &b"otpauth://totp/a?secret=2XEQPTT4HP5MLAVL\n"[..],
        b"otpauth-migration://offline?data=AAAA\n",
        b"<a>",
        b"[[",
        b"{\"a\":",
        b"a,b\n",
        b"A",
        b"A ",
        b"\"a\"\"",
        b"a\n2",
    ]) {
        for start in [&b""[..], b"<KeyContainer>", b"{\"tokens\":[", b"serial,secret\n"] {
            let bytes = [start, &piece.repeat((1 << 19) / piece.len())].concat();
            check(0, Instant::now(), &read(&bytes, &Answers::default()));
        }
    }
}
