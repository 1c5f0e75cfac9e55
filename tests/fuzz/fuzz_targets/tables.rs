//! Tables in every dialect, with every answer on the encoding of secrets.

#![no_main]

use intake::{Answers, SecretEncoding, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let encodings = [SecretEncoding::Base32, SecretEncoding::Hex, SecretEncoding::Base64];
    for encoding in encodings.map(Some).into_iter().chain([None]) {
        let _reading = read(bytes, &Answers { encoding, ..Answers::default() });
    }
});
