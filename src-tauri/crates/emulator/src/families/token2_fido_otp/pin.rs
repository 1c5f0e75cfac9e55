//! The OTP PIN of release 3.4: agreement, window, tries
//! (token2-fido-otp.md section 4).

use oath::UnixTime;

use super::seal::{self, KeyPair, Randoms, SessionKeys};
use super::{
    BAD_DATA, BAD_FRAMING, NOT_ALLOWED_NOW, PIN_LOCKED, Refusal, UNSUPPORTED, WRONG_LENGTH,
    WRONG_ORDER, WRONG_PIN,
};

/// How long a verified PIN opens reads and writes.
const WINDOW_SECS: i64 = 300;

/// The first two bytes of a new PIN: AES-256, and a constant.
const NEW_PIN_HEAD: [u8; 2] = [0x07, 0x64];

/// Bytes of a P-521 signature. No known client checks it, and this one is zeros.
const SIGNATURE_LENGTH: usize = 132;

/// The PIN, and how far a host got with it.
pub(super) struct OtpPin {
    set: Option<Pin>,
    most_tries: u8,
    tries_left: u8,
    /// Whether the flag was read, so that a host may agree on keys.
    primed: bool,
    keys: Option<SessionKeys>,
    /// The random that a verification must answer, once.
    asked: Option<[u8; 16]>,
    opened: Option<UnixTime>,
}

struct Pin {
    digest: [u8; 32],
    length: u8,
}

impl OtpPin {
    /// No PIN yet, and so many tries once there is one.
    pub(super) fn unset(most_tries: u8) -> Self {
        Self {
            set: None,
            most_tries,
            tries_left: most_tries,
            primed: false,
            keys: None,
            asked: None,
            opened: None,
        }
    }

    /// Sets a PIN, whatever the policy says of it.
    pub(super) fn set_to(&mut self, pin: &[u8]) {
        let length = u8::try_from(pin.len()).unwrap_or(u8::MAX);
        self.set = (length > 0).then(|| Pin { digest: seal::sha256(pin), length });
        self.tries_left = self.most_tries;
        self.close();
    }

    /// Has so many tries, all of them left.
    pub(super) fn allow(&mut self, tries: u8) {
        self.most_tries = tries;
        self.tries_left = tries;
    }

    pub(super) fn is_set(&self) -> bool {
        self.set.is_some()
    }

    /// How records may be read and written now: with these keys, or in the clear.
    pub(super) fn access(&self, now: UnixTime) -> Result<Option<SessionKeys>, Refusal> {
        if self.set.is_none() {
            return Ok(None);
        }
        let is_open =
            self.opened.is_some_and(|at| (0..=WINDOW_SECS).contains(&now.seconds_since(at)));
        match self.keys {
            Some(keys) if is_open => Ok(Some(keys)),
            _ if self.tries_left == 0 => Err(PIN_LOCKED),
            _ => Err(WRONG_PIN),
        }
    }

    /// Everything that a reset or another selection ends.
    pub(super) fn forget_session(&mut self) {
        self.primed = false;
        self.keys = None;
        self.close();
    }

    /// `80 C5 05 04`: as many bytes as zeros were sent.
    pub(super) fn flag(&mut self, body: &[u8], randoms: &mut Randoms) -> Result<Vec<u8>, Refusal> {
        if body.iter().any(|byte| *byte != 0) {
            return Err(BAD_FRAMING);
        }
        let mut flag = match &self.set {
            Some(pin) => vec![NEW_PIN_HEAD[0], self.tries_left, pin.length, self.most_tries],
            None => vec![0, 0, 0, self.most_tries],
        };
        // No fingerprint; version of the signing key; its check sum.
        let about_key = [0x00, 0x00, 0x01, 0x00, 0x00];
        match body.len() {
            0x04 => {}
            0x09 => {
                flag.extend(about_key);
                self.primed = true;
            }
            0x29 => {
                let keys = self.keys.ok_or(WRONG_ORDER)?;
                flag.extend(about_key);
                let (random, iv) = (randoms.random(), randoms.iv());
                flag.extend(iv);
                flag.extend(keys.encrypt_block(&iv, &random));
                self.asked = Some(random);
            }
            _ => return Err(BAD_FRAMING),
        }
        Ok(flag)
    }

    /// `80 C5 05 09`: new keys; what the last ones had opened is closed.
    pub(super) fn agree(&mut self, host: &[u8], device: &KeyPair) -> Result<Vec<u8>, Refusal> {
        if host.len() != 64 {
            return Err(WRONG_LENGTH);
        }
        if !std::mem::take(&mut self.primed) {
            return Err(WRONG_ORDER);
        }
        let x = device.agree(host).ok_or(BAD_DATA)?;
        self.close();
        self.keys = Some(SessionKeys::derive(&x));
        let mut answer = device.public();
        answer.resize(answer.len() + SIGNATURE_LENGTH, 0);
        Ok(answer)
    }

    /// `80 C5 05 06`: verify, or lock with the one byte `00`.
    pub(super) fn verify_or_lock(
        &mut self,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Vec<u8>, Refusal> {
        match body {
            [0x00] => {
                self.close();
                return Ok(Vec::new());
            }
            // The fingerprint's unlock belongs to other models.
            [0x01] => return Err(UNSUPPORTED),
            _ => {}
        }
        let Some((iv, rest)) = body.split_first_chunk::<16>() else {
            return Err(WRONG_LENGTH);
        };
        let block = <&[u8; 16]>::try_from(rest).map_err(|_| WRONG_LENGTH)?;
        let pin = self.set.as_ref().ok_or(NOT_ALLOWED_NOW)?;
        if self.tries_left == 0 {
            return Err(PIN_LOCKED);
        }
        let keys = self.keys.ok_or(WRONG_ORDER)?;
        let random = self.asked.take().ok_or(WRONG_ORDER)?;
        let iv_of_random = seal::first_half(seal::sha256(&random));
        let expected = seal::encrypt_block(&pin.digest, &iv_of_random, &random);
        let is_right = keys.decrypt_block(iv, block) == expected;
        self.count(is_right)?;
        self.opened = Some(now);
        Ok(Vec::new())
    }

    /// `80 C5 05 05`: the first PIN.
    pub(super) fn set(&mut self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        if self.set.is_some() {
            return Err(NOT_ALLOWED_NOW);
        }
        let keys = self.keys.ok_or(WRONG_ORDER)?;
        let clear = keys.unwrap(body)?;
        let pin = new_pin(&clear)?;
        if pin.is_empty() {
            return Err(BAD_DATA);
        }
        self.set_to(pin);
        Ok(Vec::new())
    }

    /// `80 C5 05 08`: another PIN, or none.
    pub(super) fn change(&mut self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let pin = self.set.as_ref().ok_or(NOT_ALLOWED_NOW)?;
        if self.tries_left == 0 {
            return Err(PIN_LOCKED);
        }
        let keys = self.keys.ok_or(WRONG_ORDER)?;
        let (iv, rest) = body.split_first_chunk::<16>().ok_or(WRONG_LENGTH)?;
        let (rest, old) = rest.split_last_chunk::<16>().ok_or(WRONG_LENGTH)?;
        let (new, tag) = rest.split_last_chunk::<16>().ok_or(WRONG_LENGTH)?;
        if new.is_empty() || !new.len().is_multiple_of(16) {
            return Err(WRONG_LENGTH);
        }
        if keys.tag(&[new, old].concat()) != *tag {
            return Err(WRONG_PIN);
        }
        let is_right = keys.decrypt_block(iv, old) == seal::first_half(pin.digest);
        self.count(is_right)?;
        let clear = keys.decrypt(iv, new)?;
        self.set_to(new_pin(&clear)?);
        Ok(Vec::new())
    }

    /// A right PIN gives all tries back, a wrong one takes one.
    fn count(&mut self, is_right: bool) -> Result<(), Refusal> {
        if is_right {
            self.tries_left = self.most_tries;
            return Ok(());
        }
        self.tries_left = self.tries_left.saturating_sub(1);
        self.close();
        Err(WRONG_PIN)
    }

    fn close(&mut self) {
        self.asked = None;
        self.opened = None;
    }
}

/// The PIN in `07 64 len pin`; an empty one stands for none.
fn new_pin(clear: &[u8]) -> Result<&[u8], Refusal> {
    let (head, rest) = clear.split_first_chunk::<2>().ok_or(BAD_DATA)?;
    let (length, pin) = rest.split_first().ok_or(BAD_DATA)?;
    let fits = *head == NEW_PIN_HEAD && usize::from(*length) == pin.len();
    if fits && (pin.is_empty() || is_good(pin)) { Ok(pin) } else { Err(BAD_DATA) }
}

/// The policy of section 4 step 7.
fn is_good(pin: &[u8]) -> bool {
    if pin.iter().all(u8::is_ascii_digit) {
        let runs = |from: fn(&[u8; 2]) -> bool| pin.array_windows().all(from);
        let count = |digit: u8| pin.iter().filter(|other| digit.eq(other)).count();
        let most_of_one = pin.iter().map(|digit| count(*digit)).max();
        return pin.len() >= 6
            && !runs(|[a, b]| a == b)
            && !runs(|[a, b]| a + 1 == *b)
            && !runs(|[a, b]| *a == b + 1)
            && !pin.iter().eq(pin.iter().rev())
            && most_of_one <= Some(3);
    }
    let classes: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit, |byte| {
            !byte.is_ascii_alphanumeric()
        }];
    let of_class = classes.iter().filter(|is_in| pin.iter().any(is_in));
    pin.len() >= 10 && of_class.count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy() {
        for good in ["135790", "097531", "112233", "Abcdefghi9", "abcdefghi-"] {
            assert!(is_good(good.as_bytes()), "{good}");
        }
        let bad = ["13579", "111111", "123456", "654321", "321123", "111123", "abcdefghij"];
        for bad in bad.into_iter().chain(["Abc9"]) {
            assert!(!is_good(bad.as_bytes()), "{bad}");
        }
    }
}
