//! The two PINs, which the smart card inside checks, and the temporary passwords
//! that stand for them (nitrokey-pro.md sections 3 and 4).

use super::frame::Refusal;

/// Wrong PINs in a row until it is blocked.
const TRIES: u8 = 3;

/// Bytes of a temporary password.
pub(super) const PASSWORD: usize = 25;

/// A PIN and what was opened with it.
pub(super) struct Pin {
    digits: Vec<u8>,
    tries_left: u8,
    /// The temporary password; gone without power.
    password: Option<[u8; PASSWORD]>,
}

impl Pin {
    pub(super) fn new(digits: &str) -> Self {
        Self { digits: digits.as_bytes().to_vec(), tries_left: TRIES, password: None }
    }

    pub(super) fn is(&self, digits: &str) -> bool {
        self.digits == digits.as_bytes()
    }

    pub(super) fn tries_left(&self) -> u8 {
        self.tries_left
    }

    pub(super) fn with_tries_left(&mut self, tries: u8) {
        self.tries_left = tries.min(TRIES);
    }

    /// Power was lost.
    pub(super) fn forget_password(&mut self) {
        self.password = None;
    }

    /// Checks a zero-filled PIN. The right one gives all tries back, unless none
    /// was left.
    pub(super) fn check(&mut self, entered: &[u8]) -> Result<(), Refusal> {
        let end = entered.iter().position(|byte| *byte == 0).unwrap_or(entered.len());
        if self.tries_left > 0 && entered[..end] == self.digits {
            self.tries_left = TRIES;
            return Ok(());
        }
        self.tries_left = self.tries_left.saturating_sub(1);
        Err(Refusal::WrongPin)
    }

    /// `FIRST_AUTHENTICATE` and `USER_AUTHENTICATE`: PIN, then the temporary
    /// password. A wrong PIN also ends what the last password had opened.
    pub(super) fn authenticate(&mut self, payload: &[u8; 59]) -> Result<(), Refusal> {
        self.password = None;
        self.check(&payload[..25])?;
        let mut password = [0; PASSWORD];
        password.copy_from_slice(&payload[25..50]);
        self.password = Some(password);
        Ok(())
    }

    /// Whether a command carries the temporary password.
    pub(super) fn authorise(&self, password: &[u8]) -> Result<(), Refusal> {
        match &self.password {
            Some(set) if set == password => Ok(()),
            _ => Err(Refusal::NotAuthorised),
        }
    }

    /// Changes it: old PIN, new PIN of at least `least` characters.
    pub(super) fn change(&mut self, payload: &[u8; 59], least: usize) -> Result<(), Refusal> {
        self.check(&payload[..25])?;
        let new = &payload[25..50];
        let end = new.iter().position(|byte| *byte == 0).unwrap_or(new.len());
        if end < least {
            return Err(Refusal::NotSupported);
        }
        self.digits = new[..end].to_vec();
        Ok(())
    }
}
