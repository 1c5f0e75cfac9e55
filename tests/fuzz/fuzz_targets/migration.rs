//! Google Authenticator's export: as text, and as the payload by itself, so that the
//! fuzzer need not learn base64.

#![no_main]

use std::fmt::Write;

use intake::{Answers, read, read_codes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _reading = read(bytes, &Answers::default());
    // Two payloads of one export, parted by a byte that the fuzzer can move.
    let uris: Vec<String> = bytes.splitn(2, |byte| *byte == 0xfe).map(uri).collect();
    let texts: Vec<&str> = uris.iter().map(String::as_str).collect();
    let _reading = read_codes(&texts, &Answers::default());
});

fn uri(payload: &[u8]) -> String {
    let mut uri = String::from("otpauth-migration://offline?data=");
    for group in payload.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for index in 0..=group.len() {
            let digit = usize::try_from(bits >> (18 - 6 * index) & 0x3f).unwrap_or(0);
            let _ = write!(uri, "%{:02X}", ALPHABET[digit]);
        }
    }
    uri
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
