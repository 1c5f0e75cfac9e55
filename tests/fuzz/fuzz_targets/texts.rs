//! Key URIs, lists of them, bare secrets and pasted blocks: typed, and out of codes.

#![no_main]

use intake::{Answers, SecretEncoding, Source, classify, classify_each, read, read_codes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _reading = read(bytes, &Answers::default());
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for source in [Source::Picture, Source::Typed] {
        let _finding = classify(text, source);
        let _findings = classify_each(text, source);
    }
    let texts: Vec<&str> = text.split('\0').collect();
    let _reading = read_codes(&texts, &Answers::default());
    for encoding in [SecretEncoding::Base32, SecretEncoding::Hex, SecretEncoding::Base64] {
        let answers = Answers { encoding: Some(encoding), ..Answers::default() };
        let _reading = read_codes(&texts, &answers);
    }
});
