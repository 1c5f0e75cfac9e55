//! The shared secret, the one value of this program that must never be seen.

use std::fmt;

use zeroize::Zeroizing;

/// The shared secret K of RFC 4226 section 5.1, as raw bytes.
///
/// It is wiped when dropped, prints only its length, cannot be copied or
/// serialised, and is read through [`SharedSecret::expose`] alone, so that every
/// place that touches the bytes can be found by searching for that name.
pub struct SharedSecret(Zeroizing<Vec<u8>>);

impl SharedSecret {
    /// Takes ownership of the secret's bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Whoever calls this answers for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is not a single byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedSecret({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let secret = SharedSecret::new(b"canary-canary".to_vec());
        assert_eq!(format!("{secret:?}"), "SharedSecret(13 bytes)");
    }
}
