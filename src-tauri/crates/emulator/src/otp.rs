//! The emulators' own one-time passwords (RFC 4226 section 5.3, RFC 6238).
//!
//! Deliberately not `oath::code_at`: a token that computed with the code under
//! test would agree with each of its mistakes.

use hmac::{Hmac, KeyInit, Mac};
use oath::Algorithm;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// HMAC of a message (RFC 2104): 20, 32 or 64 bytes.
pub(crate) fn mac(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha1 => with_hash::<Hmac<Sha1>>(key, message),
        Algorithm::Sha256 => with_hash::<Hmac<Sha256>>(key, message),
        Algorithm::Sha512 => with_hash::<Hmac<Sha512>>(key, message),
    }
}

/// Dynamic truncation: 31 bits from where the last half byte points to.
pub(crate) fn truncate(mac: &[u8]) -> u32 {
    let offset = usize::from(mac.last().copied().unwrap_or(0) & 0x0f);
    let bits =
        mac.iter().skip(offset).take(4).fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
    bits & 0x7fff_ffff
}

/// The code for a moving factor, padded with zeros on the left to `digits`.
pub(crate) fn code(algorithm: Algorithm, key: &[u8], factor: u64, digits: u8) -> String {
    let number = u64::from(truncate(&mac(algorithm, key, &factor.to_be_bytes())));
    let shown = number % 10_u64.pow(u32::from(digits));
    format!("{shown:0width$}", width = usize::from(digits))
}

fn with_hash<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B: time, then the codes with SHA-1, SHA-256, SHA-512.
    #[test]
    fn rfc_6238_appendix_b() {
        let seed = b"1234567890".repeat(7);
        let cases = [
            (59_u64, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (time, expected) in cases {
            let key_lengths = [20, 32, 64];
            for ((algorithm, length), expected) in
                Algorithm::ALL.into_iter().zip(key_lengths).zip(expected)
            {
                assert_eq!(code(algorithm, &seed[..length], time / 30, 8), expected);
            }
        }
    }
}
