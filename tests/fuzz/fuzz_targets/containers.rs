//! PSKC and KeePass XML, with a passphrase, with a pre-shared key and without. Keys
//! are derived with few iterations only: the reader is looked at, not PBKDF2.

#![no_main]

use intake::{Answers, Limits, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { pbkdf2_iterations: 1000, ..Limits::default() };
    let passwords = ["correct horse", "qwerty", "12345678901234567890123456789012"];
    let passwords = passwords.map(|password| Some(password.to_owned().into()));
    for password in passwords.into_iter().chain([None]) {
        let _reading = read(bytes, &Answers { password, limits, ..Answers::default() });
    }
});
