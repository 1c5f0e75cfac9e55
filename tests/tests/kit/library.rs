//! `intake` on the kit, down to the secret and the code that it makes.

use std::fs;

use intake::{Answers, Entry, Reading, SecretEncoding};
use oath::{UnixTime, code_at};
use qr::Effort;
use serde_json::{Map, Value, json};

use super::case::{Case, Verdict, agrees, all};

/// The time that the codes of the kit belong to.
const AT: UnixTime = UnixTime::from_secs(1_893_456_000);

#[test]
fn every_file_gives_its_verdict() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in all() {
        for verdict in &case.verdicts {
            let told = told(&reading(&case, verdict));
            checked += 1;
            if !agrees(&verdict.expected, &told) {
                wrong.push(format!("{}:\n  {}\n  {told}", case.name, verdict.expected));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a refusal or question prints must not hold what was read. Entries hold names
/// on purpose, and their `Debug` has lengths.
#[test]
fn no_verdict_prints_a_secret() {
    for case in all() {
        for verdict in &case.verdicts {
            let reading = reading(&case, verdict);
            let mut printed = format!("{reading:?} {}", told(&reading)["facts"]);
            if let Reading::Entries(found) = &reading {
                let facts = found.entries.iter().filter_map(|entry| entry.what.as_ref().err());
                printed.extend(facts.map(|error| format!("{error} {:?}", error.facts())));
            }
            for form in super::terminal::SECRETS {
                let found = printed.to_uppercase().contains(form);
                assert!(!found, "{} prints a secret", case.name);
            }
        }
    }
}

fn reading(case: &Case, verdict: &Verdict) -> Reading {
    let answers = Answers {
        password: verdict.password.clone().map(Into::into),
        encoding: verdict.encoding.as_deref().and_then(SecretEncoding::from_code),
        ..Answers::default()
    };
    let bytes = case.files.iter().map(|file| fs::read(file).expect("the file is there"));
    let bytes: Vec<_> = bytes.collect();
    if !case.pictures {
        return intake::read(&bytes[0], &answers);
    }
    let read = |picture: &Vec<u8>| qr::read(picture, Effort::default()).expect("a picture").codes;
    let codes: Vec<_> = bytes.iter().flat_map(read).collect();
    let texts: Vec<&str> = codes.iter().map(qr::FoundCode::text).collect();
    intake::read_codes(&texts, &answers)
}

/// A reading in the words of the kit.
fn told(reading: &Reading) -> Value {
    match reading {
        Reading::Question(asked) => {
            json!({"question": asked.code(), "facts": facts(asked.facts())})
        }
        Reading::Refused(refusal) => {
            json!({"refused": refusal.code(), "facts": facts(refusal.facts())})
        }
        Reading::Entries(found) => {
            let remark = |remark: &intake::Remark| json!({"code": remark.code(), "facts": facts(remark.facts())});
            json!({
                "form": found.form.code(),
                "remarks": found.remarks.iter().map(remark).collect::<Vec<_>>(),
                "entries": found.entries.iter().map(entry).collect::<Vec<_>>(),
            })
        }
    }
}

fn entry(entry: &Entry) -> Value {
    let mut told = json!({
        "place": entry.place,
        "serial": entry.serial,
        "manufacturer": entry.manufacturer,
        "model": entry.model,
    });
    match &entry.what {
        Ok(found) => {
            let parameters = found.parameters();
            let code = code_at(found.secret(), parameters, AT.step(parameters.period));
            told["secret"] = data_encoding::HEXLOWER.encode(found.secret().expose()).into();
            told["algorithm"] = parameters.algorithm.name().replace('-', "").into();
            told["digits"] = parameters.digits.get().into();
            told["period"] = parameters.period.as_secs().into();
            told["issuer"] = json!(found.issuer());
            told["organisation"] = json!(found.organisation());
            told["account"] = found.account().into();
            let notes = found.notes().iter().map(intake::Note::code);
            told["notes"] = notes.collect::<Vec<_>>().into();
            told["code"] = code.expose().to_string().into();
        }
        Err(error) => {
            told["unusable"] = error.code().into();
            told["facts"] = facts(error.facts()).into();
        }
    }
    told
}

fn facts(facts: Vec<(&'static str, String)>) -> Map<String, Value> {
    facts.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}
