//! The OTP PIN: agreement, window, tries (token2-fido-otp.md section 4).

use super::super::seal::{SessionKeys, encrypt_block, first_half};
use super::*;

#[test]
fn a_window_lasts_five_minutes_and_ends_with_a_reset_or_a_lock() {
    let ends: [fn(&mut Token2FidoOtp) -> UnixTime; 5] = [
        |_| later(301),
        |key| {
            key.reset();
            send(key, SELECT);
            NOW
        },
        |key| {
            send(key, SELECT);
            NOW
        },
        |key| {
            send(key, "80C505060100");
            NOW
        },
        |key| {
            agreed(key);
            NOW
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut key = selected(practice().protected_by("135790"));
        let keys = agreed(&mut key);
        assert_eq!(verify(&mut key, keys, "135790"), 0x9000);
        let order = keys.wrap([9; 16], &clear(1, 0xc1, 30, 6, 0, "a", "b", 20));
        assert_eq!(status(&mut key, &short("80C50502", &order)), 0x9000);
        let answer = key.transmit(&unhex(READ_ALL), later(300));
        assert_eq!(keys.unwrap(&answer[..answer.len() - 2]).map(|all| all.len()), Ok(17));
        let at = end(&mut key);
        assert_eq!(key.transmit(&unhex(READ_ALL), at), [0x69, 0x82], "end {number}");
        assert_eq!(key.transmit(&short("80C50502", &order), at), [0x69, 0x82], "end {number}");
    }
}

#[test]
fn a_protected_key_refuses_the_ecdh_seal_and_a_bad_tag() {
    let mut key = selected(practice().protected_by("135790"));
    let keys = agreed(&mut key);
    verify(&mut key, keys, "135790");
    let clear = clear(1, 0xc1, 30, 6, 0, "a", "b", 20);
    assert_eq!(send(&mut key, "80C5010000"), [0x6a, 0x81]);
    let sealed = seal_for(&key, &clear);
    assert_eq!(status(&mut key, &short("80C50502", &sealed)), 0x6982);
    let mut order = keys.wrap([9; 16], &clear);
    order[40] ^= 1;
    assert_eq!(status(&mut key, &short("80C50502", &order)), 0x6982);
    assert!(key.holds().is_empty());
    assert_eq!(flag(&mut key)[1], 10);
}

#[test]
fn wrong_pins_cost_tries_until_it_is_locked() {
    let mut key = selected(practice().protected_by("135790").locking_after(3));
    let keys = agreed(&mut key);
    assert_eq!(flag(&mut key), [7, 3, 6, 3]);
    assert_eq!(verify(&mut key, keys, "246801"), 0x6982);
    assert_eq!(flag(&mut key), [7, 2, 6, 3]);
    assert_eq!(verify(&mut key, keys, "135790"), 0x9000);
    assert_eq!(flag(&mut key), [7, 3, 6, 3]);
    for left in [2, 1, 0] {
        assert_eq!(verify(&mut key, keys, "246801"), 0x6982);
        assert_eq!(flag(&mut key)[1], left);
        assert_ne!(send(&mut key, READ_ALL), [0x90, 0x00]);
    }
    assert_eq!(verify(&mut key, keys, "135790"), 0x6983);
    assert_eq!(send(&mut key, READ_ALL), [0x69, 0x83]);
    assert_eq!(change(&mut key, keys, "135790", "246801"), 0x6983);
    key.press(NOW);
    assert_eq!(send(&mut key, ERASE), [0x90, 0x00]);
    assert_eq!(flag(&mut key), [0, 0, 0, 3]);
}

#[test]
fn the_order_of_a_pin_session_is_kept() {
    let mut key = selected(practice().protected_by("135790"));
    let random = short("80C50504", &[0; 0x29]);
    assert_eq!(status(&mut key, &random), 0x6985);
    assert_eq!(status(&mut key, &short("80C50506", &[0; 32])), 0x6985);
    let keys = agreed(&mut key);
    assert_eq!(status(&mut key, &extended("80C50509", &host().public())), 0x6985);
    assert_eq!(status(&mut key, &short("80C50506", &[0; 32])), 0x6985);
    let answer = verification(&mut key, keys, "135790");
    assert_eq!(status(&mut key, &answer[..answer.len() - 1]), 0x6700);
    assert_eq!(status(&mut key, &answer), 0x9000);
    assert_eq!(status(&mut key, &answer), 0x6985);
    assert_eq!(status(&mut key, &short("80C50506", &[1])), 0x6a86);
    for (body, expected) in [(&[0; 5][..], 0x6af8), (&[0, 0, 0, 1], 0x6af8), (&[], 0x6af8)] {
        assert_eq!(status(&mut key, &short("80C50504", body)), expected);
    }
}

#[test]
fn a_pin_is_set_changed_and_removed() {
    let mut key = selected(practice().holding(totp("a", "b", &[1; 20])));
    let keys = agreed(&mut key);
    assert_eq!(change(&mut key, keys, "135790", "246801"), 0x6a81);
    assert_eq!(set(&mut key, keys, "123456"), 0x6a80);
    assert_eq!(send(&mut key, READ_ALL).len(), 17 + 2);
    assert_eq!(set(&mut key, keys, "135790"), 0x9000);
    assert_eq!(set(&mut key, keys, "246801"), 0x6a81);
    assert_eq!(send(&mut key, READ_ALL), [0x69, 0x82]);
    assert_eq!(change(&mut key, keys, "135791", "246801"), 0x6982);
    assert_eq!(flag(&mut key), [7, 9, 6, 10]);
    assert_eq!(change(&mut key, keys, "135790", "2468013"), 0x9000);
    assert_eq!(flag(&mut key), [7, 10, 7, 10]);
    assert_eq!(verify(&mut key, keys, "2468013"), 0x9000);
    assert_eq!(change(&mut key, keys, "2468013", ""), 0x9000);
    assert_eq!(flag(&mut key), [0, 0, 0, 10]);
    assert_eq!(send(&mut key, READ_ALL).len(), 17 + 2);
    assert_eq!(send(&mut key, "80C5010000").len(), 64 + 2);
}

#[test]
fn releases_before_3_4_have_no_pin() {
    for release in Release::ALL {
        let mut key = selected(key_of(release, 1).protected_by("135790"));
        let expected = if release == Release::R3_4 { 0x9000 } else { 0x6a86 };
        assert_eq!(status(&mut key, &short("80C50504", &[0; 4])), expected);
        let clear = clear(1, 0xc1, 30, 6, 0, "a", "b", 20);
        let expected = if release == Release::R3_4 { 0x6982 } else { 0x9000 };
        assert_eq!(write(&mut key, &clear), expected);
    }
}

/// The first four bytes of the flag.
fn flag(key: &mut Token2FidoOtp) -> Vec<u8> {
    let mut flag = key.transmit(&short("80C50504", &[0; 4]), NOW);
    assert_eq!(flag.split_off(4), [0x90, 0x00]);
    flag
}

/// Agrees on keys, as a host does.
fn agreed(key: &mut Token2FidoOtp) -> SessionKeys {
    assert_eq!(status(key, &short("80C50504", &[0; 9])), 0x9000);
    let answer = key.transmit(&extended("80C50509", &host().public()), NOW);
    assert_eq!(answer.len(), 64 + 132 + 2);
    SessionKeys::derive(&host().agree(&answer[..64]).expect("on the curve"))
}

fn verification(key: &mut Token2FidoOtp, keys: SessionKeys, pin: &str) -> Vec<u8> {
    let flag = key.transmit(&short("80C50504", &[0; 0x29]), NOW);
    let iv = flag[9..25].try_into().expect("16 bytes");
    let random = keys.decrypt_block(iv, flag[25..41].try_into().expect("16 bytes"));
    let iv = first_half(sha256(&random));
    let inner = encrypt_block(&sha256(pin.as_bytes()), &iv, &random);
    let block = keys.encrypt_block(&[3; 16], &inner);
    short("80C50506", &[[3; 16], block].concat())
}

fn verify(key: &mut Token2FidoOtp, keys: SessionKeys, pin: &str) -> u16 {
    let command = verification(key, keys, pin);
    status(key, &command)
}

fn new_pin(pin: &str) -> Vec<u8> {
    [&[0x07, 0x64, low(pin.len())], pin.as_bytes()].concat()
}

fn set(key: &mut Token2FidoOtp, keys: SessionKeys, pin: &str) -> u16 {
    status(key, &short("80C50505", &keys.wrap([4; 16], &new_pin(pin))))
}

fn change(key: &mut Token2FidoOtp, keys: SessionKeys, old: &str, new: &str) -> u16 {
    let iv = [4; 16];
    let new = keys.encrypt(&iv, &new_pin(new));
    let old = keys.encrypt_block(&iv, &first_half(sha256(old.as_bytes())));
    let tag = keys.tag(&[new.as_slice(), &old].concat());
    status(key, &short("80C50508", &[&iv[..], &new, &tag, &old].concat()))
}
