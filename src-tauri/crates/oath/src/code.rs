//! Codes and the HMAC behind them (RFC 4226 section 5.3, RFC 6238 section 4.2).

use std::fmt;

use subtle::ConstantTimeEq;
use totp_rs::Builder;
use zeroize::{Zeroize, Zeroizing};

use crate::{Algorithm, Digits, Parameters, SharedSecret, TimeStep};

/// The HMAC over one time step: 20, 32 or 64 bytes.
///
/// Compared in constant time and never printed.
pub struct Response(Zeroizing<Vec<u8>>);

impl Response {
    /// Takes an HMAC that a token returned.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The decimal code, by the dynamic truncation of RFC 4226 section 5.3.
    ///
    /// `None` when the HMAC is shorter than its own truncation offset asks for,
    /// which no true HMAC is.
    pub fn code(&self, digits: Digits) -> Option<Code> {
        let offset = usize::from(self.0.last()? & 0x0f);
        let bytes: [u8; 4] = self.0.get(offset..offset + 4)?.try_into().ok()?;
        Some(Code::from_truncated(u32::from_be_bytes(bytes), digits))
    }
}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Response {}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes)", self.0.len())
    }
}

/// The HMAC of `secret` over `step`.
pub fn respond(secret: &SharedSecret, algorithm: Algorithm, step: TimeStep) -> Response {
    let algorithm = match algorithm {
        Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
        Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
        Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
    };
    // A step of one second makes totp-rs sign the number itself. The compliant
    // builder asks for 128 bits, and Microsoft's secrets have 80.
    let totp = Builder::new()
        .with_algorithm(algorithm)
        .with_step_duration(1)
        .with_secret(secret.expose().to_vec())
        .build_noncompliant();
    Response::new(totp.sign(step.0).as_ref().to_vec())
}

/// The code of `secret` at `step`.
pub fn code_at(secret: &SharedSecret, parameters: &Parameters, step: TimeStep) -> Code {
    respond(secret, parameters.algorithm, step)
        .code(parameters.digits)
        .expect("an HMAC is at least 20 bytes long")
}

/// A decimal code with its leading zeros.
///
/// Compared in constant time, wiped when dropped and never printed by `Debug`:
/// a code is worth a sign-in for as long as its step lasts.
#[derive(Clone)]
pub struct Code {
    digits: u8,
    value: u32,
}

/// Why a text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Nothing was typed.
    #[error("nothing was typed")]
    Empty,
    /// A character that is neither a digit nor a separator.
    #[error("a code has digits only")]
    NotADigit,
    /// Another number of digits than the credential has.
    #[error("{got} digits where {expected} are needed")]
    WrongLength {
        /// Digits that were typed.
        got: usize,
        /// Digits that the credential has.
        expected: u8,
    },
}

impl Code {
    /// From the truncated 31-bit number; a set top bit is ignored.
    pub fn from_truncated(number: u32, digits: Digits) -> Self {
        let value = u64::from(number & 0x7fff_ffff) % 10u64.pow(u32::from(digits.get()));
        Self { digits: digits.get(), value: u32::try_from(value).unwrap_or(u32::MAX) }
    }

    /// From what a person typed: spaces, hyphens and full-width digits are taken.
    pub fn typed(text: &str, digits: Digits) -> Result<Self, CodeError> {
        let mut value = 0u64;
        let mut got = 0usize;
        for character in text.chars() {
            let digit = match character {
                '0'..='9' => u32::from(character) - u32::from('0'),
                // Full-width forms, as East Asian input methods type them.
                '\u{ff10}'..='\u{ff19}' => u32::from(character) - 0xff10,
                '-' | '\u{2010}'..='\u{2015}' | '\u{200b}' | '\u{feff}' => continue,
                _ if character.is_whitespace() => continue,
                _ => return Err(CodeError::NotADigit),
            };
            value = value.saturating_mul(10).saturating_add(u64::from(digit));
            got += 1;
        }
        if got == 0 {
            return Err(CodeError::Empty);
        }
        if got != usize::from(digits.get()) {
            return Err(CodeError::WrongLength { got, expected: digits.get() });
        }
        // Ten digits may exceed 32 bits; no true code does, so it equals none.
        Ok(Self { digits: digits.get(), value: u32::try_from(value).unwrap_or(u32::MAX) })
    }

    /// The digits as text. Whoever calls this answers for where they go.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{:0width$}", self.value, width = usize::from(self.digits)))
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        (self.value.ct_eq(&other.value) & self.digits.ct_eq(&other.digits)).into()
    }
}

impl Eq for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} digits)", self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Period, UnixTime};

    fn check(secret: &[u8], algorithm: Algorithm, digits: u64, period: u64, time: u64, code: &str) {
        let parameters = Parameters {
            algorithm,
            digits: Digits::new(digits).expect("digits"),
            period: Period::new(period).expect("period"),
        };
        let step = UnixTime::from_secs(time).step(parameters.period);
        let computed = code_at(&SharedSecret::new(secret.to_vec()), &parameters, step);
        assert_eq!(*computed.expose(), code, "{algorithm} at {time}");
    }

    #[test]
    fn rfc_6238_appendix_b() {
        let sha1 = b"12345678901234567890";
        let sha256 = b"12345678901234567890123456789012";
        let sha512 = b"1234567890123456789012345678901234567890123456789012345678901234";
        for (time, codes) in [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ] {
            check(sha1, Algorithm::Sha1, 8, 30, time, codes[0]);
            check(sha256, Algorithm::Sha256, 8, 30, time, codes[1]);
            check(sha512, Algorithm::Sha512, 8, 30, time, codes[2]);
        }
    }

    #[test]
    fn rfc_4226_appendix_d() {
        let secret = SharedSecret::new(b"12345678901234567890".to_vec());
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in (0u64..).zip(codes) {
            let computed = code_at(&secret, &Parameters::default(), TimeStep(counter));
            assert_eq!(*computed.expose(), code);
        }
    }

    /// facts/microsoft-enrollment.md 1.2 and facts/seed-formats.md, fixture "work".
    #[test]
    fn the_facts_fixture_with_leading_zeros() {
        let work = [0xd5, 0xc9, 0x07, 0xce, 0x7c, 0x3b, 0xfa, 0xc5, 0x82, 0xab];
        check(&work, Algorithm::Sha1, 6, 30, 1_893_455_970, "640562");
        check(&work, Algorithm::Sha1, 6, 30, 1_893_456_000, "004167");
        check(&work, Algorithm::Sha1, 6, 30, 1_893_456_030, "857956");
        check(&work, Algorithm::Sha1, 6, 30, 1_893_456_060, "887686");
        check(&work, Algorithm::Sha256, 6, 30, 1_893_456_000, "805203");
        check(&work, Algorithm::Sha1, 6, 60, 1_893_456_000, "085265");
        check(&work, Algorithm::Sha1, 8, 30, 1_893_456_000, "29004167");
    }

    #[test]
    fn typed_codes_are_read_as_people_type_them() {
        let six = Digits::SIX;
        let code = Code::typed("004167", six).expect("plain");
        for text in ["004 167", " 004-167\n", "\u{ff10}\u{ff10}\u{ff14}\u{ff11}\u{ff16}\u{ff17}"] {
            assert_eq!(Code::typed(text, six).expect("lenient"), code);
        }
        assert_eq!(Code::typed("", six), Err(CodeError::Empty));
        assert_eq!(Code::typed("04167", six), Err(CodeError::WrongLength { got: 5, expected: 6 }));
        assert_eq!(Code::typed("00416a", six), Err(CodeError::NotADigit));
        assert_ne!(Code::typed("004168", six).expect("other"), code);
    }

    #[test]
    fn debug_hides_codes_and_responses() {
        let code = Code::typed("004167", Digits::SIX).expect("code");
        assert_eq!(format!("{code:?}"), "Code(6 digits)");
        let response = Response::new(vec![7; 20]);
        assert_eq!(format!("{response:?}"), "Response(20 bytes)");
        assert!(Response::new(vec![]).code(Digits::SIX).is_none());
        assert!(Response::new(vec![0x0f]).code(Digits::SIX).is_none());
    }
}
