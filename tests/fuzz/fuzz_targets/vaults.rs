//! JSON exports and binary vaults, with a password and without. What a file asks of a
//! key derivation is allowed to a small amount only: the reader is looked at.

#![no_main]

use intake::{Answers, Limits, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        pbkdf2_iterations: 100,
        scrypt_memory: 1 << 16,
        scrypt_work: 1 << 9,
        argon2_memory: 0,
    };
    for password in [None, Some("correct horse".to_owned().into())] {
        let _reading = read(bytes, &Answers { password, limits, ..Answers::default() });
    }
});
