//! The examples of RFC 6030 down to their secrets, which [`read`] does not show of
//! event-based keys.

use std::fs;
use std::path::Path;

use roxmltree::Document;

use super::*;

/// The secrets of a container in order, or why there is none.
fn secrets(name: &str, answer: Option<&str>) -> Vec<Result<Vec<u8>, EntryError>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/kit/pskc");
    let text = fs::read_to_string(folder.join(name)).expect("the kit is there");
    let document = Document::parse(&text).expect("XML");
    let root = document.root_element();
    let password = answer.map(|answer| answer.to_owned().into());
    let answers = Answers { password, ..Answers::default() };
    let Ok(protection) = Protection::of(root, &answers) else {
        panic!("{name} is not opened");
    };
    let keys = children(root, "KeyPackage").flat_map(|package| children(package, "Key"));
    keys.map(|key| secret(key, &protection).map(|secret| secret.expose().to_vec())).collect()
}

fn check(figure: u8, answer: Option<&str>, keys: usize) {
    let name = format!("rfc6030-figure-{figure:02}.xml");
    let secrets = secrets(&name, answer);
    assert_eq!(secrets.len(), keys, "{name}");
    assert_eq!(secrets[0].as_deref(), Ok(&b"12345678901234567890"[..]), "{name}");
}

#[test]
fn the_examples_of_rfc_6030() {
    // The first example's key is as short as this.
    assert_eq!(secrets("rfc6030-figure-02.xml", None)[0].as_deref(), Ok(&b"1234"[..]));
    check(3, None, 1);
    check(5, None, 2);
    check(6, Some("12345678901234567890123456789012"), 1);
    check(7, Some("qwerty"), 1);
    check(9, None, 1);
    check(10, None, 4);
    assert!(secrets("rfc6030-figure-10.xml", None).iter().all(Result::is_ok));
    assert_eq!(secrets("rfc6030-figure-05.xml", None)[1].as_deref(), Ok(&b"1234"[..]));
}
