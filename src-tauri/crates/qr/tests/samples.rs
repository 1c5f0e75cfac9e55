//! The sample pictures of the facts, when they are beside the checkout, and the same
//! checks on a picture of our own always.

mod drawn;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use drawn::{canvas, draw, file};
use image::ImageFormat;
use qr::Effort;

/// Texts that are there, texts that were read, milliseconds.
fn check(name: &str, bytes: &[u8], truth: &[String], all: bool) -> (usize, usize, u128) {
    let started = Instant::now();
    let reading = qr::read(bytes, Effort::default()).expect("a picture");
    let millis = started.elapsed().as_millis();
    let mut left: Vec<&String> = truth.iter().collect();
    for code in &reading.codes {
        let place = left.iter().position(|text| text.as_str() == code.text());
        let place = place.unwrap_or_else(|| panic!("{name}: a text that is not there, or twice"));
        left.swap_remove(place);
    }
    assert!(!all || left.is_empty(), "{name}: {} of {} unread", left.len(), truth.len());
    (truth.len(), truth.len() - left.len(), millis)
}

#[test]
fn a_sheet_of_our_own() {
    let mut picture = canvas(1500, 1900, 255);
    let mut truth = Vec::new();
    for row in 0..5 {
        for column in 0..4 {
            let number = row * 4 + column;
            let text = format!(
                "otpauth://totp/Contoso%3Auser{number}%40contoso.com?secret=2xeqptt4hp5mlavl"
            );
            draw(&mut picture, &text, (60 + column * 360, 60 + row * 360), 6, 30, 240);
            truth.push(text);
        }
    }
    let (there, read, _) = check("sheet", &file(picture, ImageFormat::Jpeg), &truth, true);
    assert_eq!((there, read), (20, 20));
}

#[test]
fn the_samples_of_the_facts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/qr-samples");
    // A checkout elsewhere has no samples; the sheet above is its measure.
    let Ok(truth) = std::fs::read_to_string(folder.join("truth.jsonl")) else {
        return;
    };
    let mut table: BTreeMap<String, (usize, usize, u128)> = BTreeMap::new();
    for line in truth.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let name = line["file"].as_str().expect("file");
        let category = line["category"].as_str().expect("category");
        let texts: Vec<String> = line["texts"]
            .as_array()
            .expect("texts")
            .iter()
            .map(|text| text.as_str().expect("text").to_owned())
            .collect();
        let bytes = std::fs::read(folder.join(name)).expect("the picture of the line");
        // Only of the hard categories may a code be left.
        let all = !category.starts_with("hard_");
        let (there, read, millis) = check(name, &bytes, &texts, all);
        let row = table.entry(category.to_owned()).or_default();
        *row = (row.0 + there, row.1 + read, row.2 + millis);
    }
    println!("{:<16} {:>5} {:>5} {:>7}", "category", "codes", "read", "ms");
    let mut total = (0, 0);
    for (category, (there, read, millis)) in table {
        println!("{category:<16} {there:>5} {read:>5} {millis:>7}");
        total = (total.0 + there, total.1 + read);
    }
    println!("{:<16} {:>5} {:>5}", "all", total.0, total.1);
    // On a machine however slow: the easy 88 and half of the hard ones.
    assert!(total.1 >= total.0 - 8, "{} of {}", total.1, total.0);
}
