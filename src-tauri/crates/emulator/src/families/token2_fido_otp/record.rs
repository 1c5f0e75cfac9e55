//! Records: what a write stores, and how a read tells it
//! (token2-fido-otp.md sections 3.1 to 3.3).

use oath::{Digits, Period, SharedSecret};

use super::{BAD_DATA, Refusal};
use crate::{Held, Kind, otp};

/// The hashes that these keys know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, `C1`.
    Sha1,
    /// SHA-256, `C2`.
    Sha256,
}

/// One stored record.
#[derive(Debug)]
pub struct Record {
    /// Time or counter.
    pub kind: Kind,
    /// The hash.
    pub hash: Hash,
    /// Seconds of a time step.
    pub step: u16,
    /// The number of digits.
    pub digits: Digits,
    /// Whether a code needs the button.
    pub touch: bool,
    /// Application and account name, which together are the record's identity.
    pub(super) names: Names,
    seed: SharedSecret,
    /// The next moving factor of a counter-based record.
    counter: u64,
}

/// Application (0 to 64 bytes) and account (1 to 64 bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    app: Vec<u8>,
    account: Vec<u8>,
}

/// What the clear text of `80 C5 05 02` orders.
pub(super) enum Order {
    Store(Record),
    Delete(Names),
}

impl Record {
    /// A time-based record with SHA-1, 6 digits, 30 seconds and without touch.
    pub fn new(app: &str, account: &str, seed: SharedSecret) -> Self {
        let names = Names { app: app.as_bytes().to_vec(), account: account.as_bytes().to_vec() };
        Self {
            kind: Kind::Totp,
            hash: Hash::Sha1,
            step: 30,
            digits: Digits::SIX,
            touch: false,
            names,
            seed,
            counter: 0,
        }
    }

    /// As a read tells it; the code's part is left out if there is no code.
    pub(super) fn tell(&self, code: Option<&str>) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Hotp => 0x00,
            Kind::Totp => 0x01,
        };
        let hash = match self.hash {
            Hash::Sha1 => 0xc1,
            Hash::Sha256 => 0xc2,
        };
        let [step_high, step_low] = self.step.to_be_bytes();
        let touch = u8::from(self.touch);
        let mut told = vec![kind, hash, step_high, step_low, self.digits.get(), touch];
        for part in [&self.names.app, &self.names.account] {
            put(&mut told, part);
        }
        if let Some(code) = code {
            put(&mut told, code.as_bytes());
        }
        told
    }

    /// The code for a time in seconds since 1970, or for the next count.
    pub(super) fn code(&mut self, time: u64) -> String {
        let factor = match self.kind {
            Kind::Totp => time / u64::from(self.step.max(1)),
            Kind::Hotp => {
                self.counter += 1;
                self.counter - 1
            }
        };
        let algorithm = match self.hash {
            Hash::Sha1 => oath::Algorithm::Sha1,
            Hash::Sha256 => oath::Algorithm::Sha256,
        };
        otp::code(algorithm, self.seed.expose(), factor, self.digits.get())
    }

    /// Whether read-all tells its code.
    pub(super) fn is_told_by_read_all(&self) -> bool {
        match self.kind {
            Kind::Totp => !self.touch,
            Kind::Hotp => false,
        }
    }

    /// What a person who could look inside would find.
    pub(super) fn held(&self) -> Held {
        let period = match self.kind {
            Kind::Totp => Period::new(u64::from(self.step)).ok(),
            Kind::Hotp => None,
        };
        Held {
            name: Some(self.names.shown()),
            secret: SharedSecret::new(self.seed.expose().to_vec()),
            algorithm: match self.hash {
                Hash::Sha1 => oath::Algorithm::Sha1,
                Hash::Sha256 => oath::Algorithm::Sha256,
            },
            digits: self.digits,
            period,
            kind: self.kind,
            touch: self.touch,
        }
    }
}

impl Names {
    /// Takes both names off the front: each with its length before it.
    pub(super) fn take(input: &mut &[u8]) -> Option<Self> {
        let app = take(input)?;
        let account = take(input)?;
        let fits = app.len() <= 64
            && (1..=64).contains(&account.len())
            && app.is_ascii()
            && account.is_ascii();
        fits.then(|| Self { app: app.to_vec(), account: account.to_vec() })
    }

    /// Both names, for people.
    pub(super) fn shown(&self) -> String {
        let account = String::from_utf8_lossy(&self.account);
        if self.app.is_empty() {
            return account.into_owned();
        }
        format!("{}:{account}", String::from_utf8_lossy(&self.app))
    }
}

impl Order {
    /// Reads the clear text of a write or delete.
    pub(super) fn parse(clear: &[u8]) -> Result<Self, Refusal> {
        let (head, mut rest) = clear.split_first_chunk::<6>().ok_or(BAD_DATA)?;
        let names = Names::take(&mut rest).ok_or(BAD_DATA)?;
        let seed = take(&mut rest).ok_or(BAD_DATA)?;
        if !rest.is_empty() {
            return Err(BAD_DATA);
        }
        if *head == [0; 6] && seed.is_empty() {
            return Ok(Self::Delete(names));
        }
        let [kind, hash, step @ .., digits, touch] = *head;
        let kind = match kind {
            0x00 => Kind::Hotp,
            0x01 => Kind::Totp,
            _ => return Err(BAD_DATA),
        };
        let hash = match hash {
            0xc1 => Hash::Sha1,
            0xc2 => Hash::Sha256,
            _ => return Err(BAD_DATA),
        };
        let step = u16::from_be_bytes(step);
        if step == 0 || touch > 1 || !(1..=64).contains(&seed.len()) {
            return Err(BAD_DATA);
        }
        Ok(Self::Store(Record {
            kind,
            hash,
            step,
            digits: Digits::new(u64::from(digits)).map_err(|_| BAD_DATA)?,
            touch: touch == 1,
            names,
            seed: SharedSecret::new(seed.to_vec()),
            counter: 0,
        }))
    }
}

fn put(out: &mut Vec<u8>, part: &[u8]) {
    // Names have at most 64 bytes, codes at most 10; what a condition made longer
    // is cut.
    let length = u8::try_from(part.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend_from_slice(&part[..usize::from(length)]);
}

fn take<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = input.split_first()?;
    let (part, rest) = rest.split_at_checked(usize::from(*length))?;
    *input = rest;
    Some(part)
}
