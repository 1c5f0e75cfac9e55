//! The kit as it lies there: what its README says of the form, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sower_tests::paths;

/// One `.expected.json`.
pub(super) struct Case {
    pub(super) name: String,
    /// Several pictures make one reading; every other case has one file.
    pub(super) files: Vec<PathBuf>,
    pub(super) pictures: bool,
    pub(super) verdicts: Vec<Verdict>,
}

/// What to answer, and what to find then.
pub(super) struct Verdict {
    pub(super) password: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) expected: Value,
}

/// Every case, in the order of its names.
pub(super) fn all() -> Vec<Case> {
    let mut found = Vec::new();
    collect(&paths::root().join("tests/kit"), &mut found);
    found.sort();
    assert!(found.len() > 200, "the kit has {} cases only", found.len());
    found.iter().map(|path| read(path)).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the kit is there") {
        let path = entry.expect("the kit can be listed").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.to_string_lossy().ends_with(".expected.json") {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> Case {
    let bytes = fs::read(path).expect("the kit can be read");
    let case: Value = serde_json::from_slice(&bytes).expect("an expectation is JSON");
    assert_eq!(case["format"], 1, "{}", path.display());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |name: &str| case[name].as_array().expect("the README names it").clone();
    let file = |name: Value| path.with_file_name(name.as_str().expect("a file has a name"));
    let verdict = |verdict: Value| {
        let mut expected = verdict;
        let answers = expected.as_object_mut().and_then(|verdict| verdict.remove("answers"));
        let answers = answers.expect("a verdict says what was answered");
        let (password, encoding) = (text(&answers["password"]), text(&answers["encoding"]));
        Verdict { password, encoding, expected }
    };
    Case {
        name: path.display().to_string(),
        files: list("files").into_iter().map(file).collect(),
        pictures: case["read"] == "pictures",
        verdicts: list("verdicts").into_iter().map(verdict).collect(),
    }
}

/// Whether everything that is expected is there; facts may be more than expected.
pub(super) fn agrees(expected: &Value, told: &Value) -> bool {
    match (expected, told) {
        (Value::Object(expected), Value::Object(told)) => {
            let known = |(name, value): (&String, &Value)| match told.get(name) {
                Some(told) => agrees(value, told),
                None => value.as_object().is_some_and(Map::is_empty),
            };
            expected.iter().all(known)
        }
        (Value::Array(expected), Value::Array(told)) => {
            expected.len() == told.len()
                && expected.iter().zip(told).all(|(expected, told)| agrees(expected, told))
        }
        (expected, told) => expected == told,
    }
}
