//! Who a key is: its serial number or what stands for it (token2-fido-otp.md section 1).

use data_encoding::HEXUPPER;
use sha2::{Digest, Sha256};

use super::seal::DeviceKey;
use crate::Serial;

/// Beginnings of serial numbers by release. The longer stand first, because
/// release 3.1 shares four digits with release 3. For people alone: no rule here
/// depends on the release, only on what the key answers.
const RELEASES: [(&str, &str); 10] = [
    ("76105", "release 3.1"),
    ("77103", "release 3.2"),
    ("65103", "release 3.4"),
    ("72114", "release 3.4"),
    ("65101", "release 3.4"),
    ("65111", "release 3.4"),
    ("8610", "release 1"),
    ("9610", "release 2"),
    ("7610", "release 3"),
    ("66", "release 3.3"),
];

/// The model, as far as the serial number's beginning tells it.
pub(super) fn model(told: Option<&str>) -> String {
    let digits = told.unwrap_or_default().trim_start_matches('0');
    match RELEASES.iter().find(|(prefix, _)| digits.starts_with(prefix)) {
        Some((_, release)) => format!("Token2 FIDO2 key, {release}"),
        None => "Token2 FIDO2 key".to_owned(),
    }
}

/// What tells this key from others: the serial number that it told, or the end of
/// it in the answer to reset, or the hash of the key's public key. `None` where
/// there is nothing of these.
pub(super) fn serial(told: Option<String>, atr: &[u8], key: Option<&DeviceKey>) -> Option<Serial> {
    told.or_else(|| end_of_serial(atr))
        .or_else(|| key.map(|key| HEXUPPER.encode(&Sha256::digest(key.bytes())[..10])))
        .map(Serial)
}

/// The last 8 of 15 historical bytes from offset 7, as older generations have them
/// over contacts. Only this is looked for; an ATR decides nothing else.
fn end_of_serial(atr: &[u8]) -> Option<String> {
    let historical = atr.get(7..22)?;
    let digits = historical.get(7..)?;
    let ours = historical.starts_with(&[0x86, 0x8e]) && digits.iter().all(u8::is_ascii_digit);
    let blank = digits.iter().all(|digit| *digit == b'0');
    (ours && !blank).then(|| String::from_utf8_lossy(digits).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::seal::pairs;
    use super::*;

    fn atr(hex: &str) -> Vec<u8> {
        HEXUPPER.decode(hex.as_bytes()).expect("hex")
    }

    #[test]
    fn the_sheets_answers_to_reset_tell_the_end_of_the_serial() {
        let older = atr("3BFF1800001080868E00166000603335373830353238");
        assert_eq!(end_of_serial(&older).as_deref(), Some("35780528"));
        let newer = atr("3BFF1800008101868E0204600060353430393533303364");
        assert_eq!(end_of_serial(&newer).as_deref(), Some("54095303"));
        for len in 0..22 {
            assert_eq!(end_of_serial(&older[..len]), None);
        }
        assert_eq!(end_of_serial(&atr("3B8F8001804F0CA0000003060300030000000068")), None);
        assert_eq!(end_of_serial(&atr("3BFF1800001080868E00166000603030303030303030")), None);
    }

    #[test]
    fn the_best_there_is_stands_for_the_serial() {
        let older = atr("3BFF1800001080868E00166000603335373830353238");
        let key = pairs::device();
        let told = || Some("6510312345".to_owned());
        let of = |told, atr: &[u8], key| serial(told, atr, key).map(|serial| serial.0);
        assert_eq!(of(told(), &older, Some(&key)).as_deref(), Some("6510312345"));
        assert_eq!(of(None, &older, Some(&key)).as_deref(), Some("35780528"));
        assert_eq!(of(None, &[], Some(&key)).map(|hash| hash.len()), Some(20));
        assert_eq!(of(None, &[], None), None);
    }

    #[test]
    fn releases_are_told_by_the_longest_beginning() {
        assert_eq!(model(Some("7610512345")), "Token2 FIDO2 key, release 3.1");
        assert_eq!(model(Some("7610112345")), "Token2 FIDO2 key, release 3");
        assert_eq!(model(Some("006510112345")), "Token2 FIDO2 key, release 3.4");
        assert_eq!(model(Some("123")), "Token2 FIDO2 key");
        assert_eq!(model(None), "Token2 FIDO2 key");
    }
}
