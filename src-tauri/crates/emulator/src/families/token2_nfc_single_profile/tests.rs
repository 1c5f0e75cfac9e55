//! The emulated token against the sheet's recorded answers and rules.

use super::*;
use crate::vectors::{sections, unhex};

const START: UnixTime = UnixTime::from_secs(1_700_000_000);
const CHALLENGE: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
/// Row 4 of the sheet.
const RIGHT_ANSWER: &str = "80CE0000108B7450F22721BC29985C2C460B65045D";
/// Row 5.
const CONFIG: &str = "84D400001781111F01010F046553F10086060A01010D011E4FFDC288";
/// Row 6, code 324550 at 1700000000.
const SEED: &str = "84C5010014E37E185346F9F5572F823CDF83FA4F9FBBE381DA";

fn token() -> Token2NfcSingleProfile {
    practice().challenging(CHALLENGE).switched_on()
}

fn send(token: &mut Token2NfcSingleProfile, command: &str) -> Vec<u8> {
    token.transmit(&unhex(command), START)
}

fn authenticate(token: &mut Token2NfcSingleProfile) {
    send(token, "804B08000100");
    assert_eq!(send(token, RIGHT_ANSWER), [0x90, 0]);
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/token2-nfc-single-profile.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 2);
    for (title, vectors) in sections {
        assert!(title.contains("serial 86596220000001, clock 1700000000, challenge 11"));
        let mut token = token();
        for vector in vectors {
            let about = vector.about;
            assert_eq!(token.transmit(&vector.request, START), vector.answer, "{about}");
            if let Some((code, at)) = vector.shows {
                // Loads as switching on does, but keeps the conversation.
                token.switch_on();
                let face = token.face(UnixTime::from_secs(at));
                assert_eq!(face.display, Some(code), "{about}");
            }
        }
    }
}

#[test]
fn the_mac_of_the_sheet_comes_from_its_input() {
    let body = unhex("E37E185346F9F5572F823CDF83FA4F9F");
    assert_eq!(cipher::mac(0xc5, 1, 0, &body), [0xbb, 0xe3, 0x81, 0xda]);
}

#[test]
fn a_restricted_token_loses_its_seed_with_the_configuration() {
    let restricted = [OTPC_P2_I, UNKNOWN_PREFIX, 8_659_621, 8_659_601, 8_659_610];
    let keeping = [OTPC_P1_I, 8_659_600, 8_659_632];
    let prefixes = restricted.map(|p| (p, 0)).into_iter();
    for (prefix, left) in prefixes.chain(keeping.map(|p| (p, 1))) {
        let mut token = Token2NfcSingleProfile::new(prefix, 1)
            .challenging(CHALLENGE)
            .switched_on();
        authenticate(&mut token);
        assert_eq!(send(&mut token, CONFIG), [0x90, 0]);
        assert_eq!(token.holds().len(), left, "{prefix}");
    }
}

#[test]
fn the_display_is_stale_until_switched_off_and_on() {
    let mut token = token();
    let before = token.face(START).display;
    authenticate(&mut token);
    send(&mut token, CONFIG);
    send(&mut token, SEED);
    assert_eq!(token.face(START).display, before);
    token.press(START);
    assert_eq!((token.is_on(), token.face(START).display), (false, None));
    token.press(START);
    let face = token.face(START);
    assert_eq!(face.display.as_deref(), Some("324550"));
    assert_eq!(face.seconds_left, Some(10));
}

#[test]
fn the_display_follows_the_tokens_own_clock() {
    let seed = || SharedSecret::new(unhex("48656C6C6F21DEADBEEF"));
    let shown = |ahead, now| {
        practice()
            .holding(seed(), Algorithm::Sha1, Period::S30)
            .with_clock(START, ahead, 0)
            .switched_on()
            .face(now)
            .display
    };
    let later = UnixTime::from_secs(1_700_000_090);
    assert_eq!(shown(90, START), shown(0, later));
    assert_ne!(shown(90, START), shown(0, START));
}

#[test]
fn info_tells_a_clock_that_drifts_until_it_is_set() {
    let half_a_year = UnixTime::from_secs(1_700_000_000 + 180 * 86_400);
    let mut token = token().with_clock(START, 0, 4);
    let clock = |token: &mut Token2NfcSingleProfile, now| {
        let answer = token.transmit(&unhex("80410000020211"), now);
        let bytes: [u8; 4] = answer[20..24].try_into().expect("four bytes");
        i64::from(u32::from_be_bytes(bytes))
    };
    let expected = i64::try_from(half_a_year.as_secs()).expect("small") + 62;
    assert_eq!(clock(&mut token, half_a_year), expected);
    authenticate(&mut token);
    send(&mut token, CONFIG);
    assert_eq!(clock(&mut token, START), 1_700_000_000);
}

#[test]
fn a_new_challenge_or_a_lost_field_ends_authentication() {
    for ending in ["challenge", "reset", "switch"] {
        let mut token = token();
        authenticate(&mut token);
        match ending {
            "challenge" => {
                send(&mut token, "804B08000100");
            }
            "reset" => token.reset(),
            _ => {
                token.press(START);
                token.press(START);
            }
        }
        assert_eq!(send(&mut token, CONFIG), [0x69, 0x83], "{ending}");
    }
}

#[test]
fn lengths_and_surplus_le_are_refused() {
    for command in [
        "80CE0000108B7450F22721BC29985C2C460B65045D00",
        "80CE00000F8B7450F22721BC29985C2C460B6504",
        "84D400001781111F01010F046553F10086060A01010D011E4FFDC28800",
        "84C5010014E37E185346F9F5572F823CDF83FA4F9FBBE381DA00",
        "84C5010004E37E1853",
        "8041000002021100",
        "804B0800010000",
        "80CE00",
    ] {
        let mut token = token();
        authenticate(&mut token);
        send(&mut token, "804B08000100");
        assert_eq!(send(&mut token, command), [0x67, 0x00], "{command}");
    }
}

#[test]
fn a_configuration_that_lacks_a_value_is_refused() {
    let mut token = token();
    authenticate(&mut token);
    for body in [
        "81111F01040F046553F10086060A01010D011E",
        "81111F01010F046553F10086060A01030D011E",
        "81111F01010F046553F10086060A01010D011F",
        "86060A01010D011E81111F01010F046553F100",
    ] {
        let mut command = unhex("84D4000017");
        let body = unhex(body);
        command.extend_from_slice(&body);
        command.extend_from_slice(&cipher::mac(0xd4, 0, 0, &body));
        assert_eq!(token.transmit(&command, START), [0x6a, 0x80]);
    }
    assert_eq!(token.holds().len(), 1);
}

#[test]
fn old_firmware_locks_for_good_and_new_firmware_never() {
    const WRONG: &str = "80CE00001000000000000000000000000000000000";
    let locked_after = |token: &mut Token2NfcSingleProfile| {
        for _ in 0..3 {
            send(token, "804B08000100");
            assert_eq!(send(token, WRONG), [0x69, 0x83]);
        }
        let challenge = send(token, "804B08000100");
        token.reset();
        challenge == [0x69, 0x83] && send(token, RIGHT_ANSWER) == [0x69, 0x83]
    };
    assert!(locked_after(&mut token().locking_after(3)));
    assert!(!locked_after(&mut token().locking_after(4)));
    assert!(!locked_after(&mut token()));
}

#[test]
fn a_token_without_a_seed_shows_dashes() {
    let token = practice().empty().switched_on();
    assert_eq!(token.face(START).display.as_deref(), Some("------"));
    assert!(token.holds().is_empty());
}
