//! The slots of the readers: what is in them, and what their names tell.
//!
//! Names are bytes of no certain encoding, shown but never kept as an identity,
//! since they change with the order of plugging (pcsc-nfc.md section 1).

use std::ffi::{CStr, CString};
use std::time::Duration;

use pcsc::{Context, Error, ReaderState, State};

/// What the service says about one slot.
pub(crate) struct Slot {
    /// The name that the service knows it by.
    pub(crate) reader: CString,
    /// Empty, present, mute, in use.
    pub(crate) state: State,
    /// Insertions and removals so far; 0 where the system does not count.
    pub(crate) events: u32,
    /// The answer to reset, up to 33 bytes.
    pub(crate) atr: Vec<u8>,
}

/// All slots of all readers, now. No reader at all is no error.
pub(crate) fn slots(context: &Context) -> Result<Vec<Slot>, Error> {
    // A reader may be unplugged between the list and the question.
    for _ in 0..3 {
        let readers = match context.list_readers_owned() {
            Ok(readers) if !readers.is_empty() => readers,
            Ok(_) | Err(Error::NoReadersAvailable) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        match states(context, readers) {
            Err(Error::UnknownReader | Error::ReaderUnavailable) => {}
            slots => return slots,
        }
    }
    Ok(Vec::new())
}

/// One slot, now.
pub(super) fn slot(context: &Context, reader: &CStr) -> Result<Slot, Error> {
    let mut slots = states(context, vec![reader.to_owned()])?;
    slots.pop().ok_or(Error::UnknownReader)
}

fn states(context: &Context, readers: Vec<CString>) -> Result<Vec<Slot>, Error> {
    let mut states: Vec<_> =
        readers.into_iter().map(|reader| ReaderState::new(reader, State::UNAWARE)).collect();
    match context.get_status_change(Duration::ZERO, &mut states) {
        // The states are filled in also when the system sees no news in them.
        Ok(()) | Err(Error::Timeout) => {}
        Err(error) => return Err(error),
    }
    let slot = |state: &ReaderState| Slot {
        reader: state.name().to_owned(),
        state: state.event_state(),
        events: state.event_count(),
        atr: state.atr().to_vec(),
    };
    Ok(states.iter().map(slot).collect())
}

/// Whether this is the slot for the security module of a contactless reader, which
/// no token is ever in (ACR1252U, ACR1281U). A reader whose other slot is not
/// there keeps it.
pub(super) fn is_sam(reader: &str, all: &[String]) -> bool {
    let has_picc = |other: &String| {
        words(other).any(|w| w == "PICC") && words(other).take(2).eq(words(reader).take(2))
    };
    words(reader).any(|w| w == "SAM") && all.iter().any(has_picc)
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether an answer to reset comes from a contactless reader. USB keys and contact
/// cards have `F` in the high half of the second byte (pcsc-nfc.md section 2).
pub(super) fn is_contactless(atr: &[u8]) -> bool {
    atr.get(1).is_some_and(|t0| t0 >> 4 != 0xf)
}

/// Whether the reader is a USB key itself.
pub(super) fn is_key(reader: &str) -> bool {
    const MAKERS: [&str; 9] = [
        "yubico", "yubikey", "nitrokey", "purism", "gnuk", "canokey", "solokeys", "pico", "onlykey",
    ];
    words(reader).any(|word| MAKERS.contains(&word.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sam_slot_is_left_out_only_beside_the_antenna_of_its_reader() {
        let check = |names: &[&str], expected: &[&str]| {
            let all: Vec<_> = names.iter().map(|&n| n.to_owned()).collect();
            let left: Vec<_> = names.iter().filter(|n| !is_sam(n, &all)).collect();
            assert_eq!(left, expected.iter().collect::<Vec<_>>());
        };
        check(
            &["ACS ACR1252 1S CL Reader PICC 0", "ACS ACR1252 1S CL Reader SAM 0"],
            &["ACS ACR1252 1S CL Reader PICC 0"],
        );
        check(
            &[
                "ACS ACR1252 1S CL Reader [ACR1252 1S CL Reader PICC] 00 00",
                "ACS ACR1252 1S CL Reader [ACR1252 Reader SAM] 01 00",
            ],
            &["ACS ACR1252 1S CL Reader [ACR1252 1S CL Reader PICC] 00 00"],
        );
        check(&["ACS ACR1252 Reader SAM 0"], &["ACS ACR1252 Reader SAM 0"]);
        check(
            &["ACS ACR122U PICC Interface 00 00", "Samsung SAM Reader 01 00"],
            &["ACS ACR122U PICC Interface 00 00", "Samsung SAM Reader 01 00"],
        );
    }

    #[test]
    fn the_answer_to_reset_tells_contactless_from_contact() {
        assert!(is_contactless(&[0x3b, 0x80, 0x80, 0x01, 0x01]));
        assert!(is_contactless(&[0x3b, 0x8f, 0x80, 0x01]));
        assert!(!is_contactless(&[0x3b, 0xfd, 0x13, 0x00]));
        assert!(!is_contactless(&[]));
    }

    #[test]
    fn keys_are_known_by_their_makers() {
        assert!(is_key("Yubico YubiKey OTP+FIDO+CCID 00 00"));
        assert!(is_key("Nitrokey Nitrokey 3 [CCID/ICCD Interface] 00 00"));
        assert!(!is_key("ACS ACR122U PICC Interface 00 00"));
        assert!(!is_key("Yubiquitous Reader 00 00"));
    }
}
