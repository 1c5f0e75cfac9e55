//! What a person answered, and how far a file may drive this machine.
//!
//! A file names the cost of its own key derivation, and a hostile one names a cost
//! that never ends. The limits are data, compared before a key is derived.

use std::fmt;

use zeroize::Zeroizing;

/// What was asked and answered before a text or a file is read again.
#[derive(Default)]
pub struct Answers {
    /// The password, passphrase or pre-shared key (in hexadecimal) of what is
    /// encrypted.
    pub password: Option<Zeroizing<String>>,
    /// How a secret is written. It counts only where [`crate::Question::Encoding`]
    /// was asked: a form that fixes its encoding is not read against it.
    pub encoding: Option<SecretEncoding>,
    /// How costly a key derivation may be.
    pub limits: Limits,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("password", &self.password.is_some())
            .field("encoding", &self.encoding)
            .field("limits", &self.limits)
            .finish()
    }
}

/// How bytes are written as text (RFC 4648).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretEncoding {
    /// Section 6, with everything that people put between the letters.
    Base32,
    /// Section 8, with or without `0x` and separators.
    Hex,
    /// Sections 4 and 5, with or without padding.
    Base64,
}

impl SecretEncoding {
    /// A stable name: `base32`, `hex`, `base64`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Base32 => "base32",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// The encoding with this name.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Base32, Self::Hex, Self::Base64].into_iter().find(|known| known.code() == code)
    }
}

/// The most that a file may ask of a key derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Iterations of PBKDF2 (RFC 8018); andOTP's own code refuses more than ten
    /// million.
    pub pbkdf2_iterations: u64,
    /// Memory of scrypt (RFC 7914) in bytes: 128 · N · r.
    pub scrypt_memory: u64,
    /// Work of scrypt in blocks: N · r · p. Aegis asks for 2¹⁸.
    pub scrypt_work: u64,
    /// Memory of Argon2 (RFC 9106) in bytes. Stratum's own code fixes 64 MiB.
    pub argon2_memory: u64,
}

impl Default for Limits {
    /// Some seconds and 256 MiB on an ordinary machine.
    fn default() -> Self {
        Self {
            pbkdf2_iterations: 10_000_000,
            scrypt_memory: 256 << 20,
            scrypt_work: 1 << 24,
            argon2_memory: 256 << 20,
        }
    }
}
