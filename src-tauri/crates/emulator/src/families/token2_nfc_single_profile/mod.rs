//! A Token2 NFC token of the second generation with one profile, as strict as
//! the vendor's open firmware core (token2-nfc-single-profile.md).
//!
//! Where the sheet is silent this model is strict: wrong P1 P2 are `6A80`, a
//! class that does not belong to the instruction is `6E00`, lengths are judged
//! first, and a surplus Le is `6700`. It does not switch itself off after its
//! display time.

mod cipher;

use oath::{Algorithm, Digits, Period, SharedSecret, UnixTime};

use crate::applet::contactless_atr;
use crate::challenges::Challenges;
use crate::clock::TokenClock;
use crate::wire::Command;
use crate::{Applet, Button, Face, Held, Identity, Kind, otp};

/// The one name of the family.
pub const FAMILY: &str = "token2-nfc-single-profile";

/// Serial prefix of the OTPC-P2-i, which loses its seed when its configuration
/// or clock is written.
pub const OTPC_P2_I: u32 = 8_659_622;
/// Serial prefix of the OTPC-P1-i, which keeps its seed then.
pub const OTPC_P1_I: u32 = 8_659_612;
/// A prefix that no table knows.
pub const UNKNOWN_PREFIX: u32 = 8_659_699;

/// Serial prefix, model, whether writing configuration and clock erases the
/// seed (section 1).
const MODELS: [(u32, &str, bool); 8] = [
    (OTPC_P1_I, "OTPC-P1-i", false),
    (OTPC_P2_I, "OTPC-P2-i", true),
    (8_659_621, "OTPC-P2-i-NB", true),
    (8_659_600, "miniOTP-2-i", false),
    (8_659_601, "miniOTP-3-i", true),
    (8_659_609, "miniOTP-3-i-NB", true),
    (8_659_610, "C301-i", true),
    (8_659_632, "C302-i", false),
];

/// The practice token: an OTPC-P2-i with serial 86596220000001, switched off,
/// with the seed and the exact clock that it left the factory with.
pub fn practice() -> Token2NfcSingleProfile {
    Token2NfcSingleProfile::new(OTPC_P2_I, 1)
}

/// One token.
pub struct Token2NfcSingleProfile {
    prefix: u32,
    number: u32,
    clock: TokenClock,
    challenges: Challenges,
    lock: Lock,
    profile: Profile,
    seed: Option<SharedSecret>,
    /// What was loaded when it was switched on; `None` while it is off.
    loaded: Option<Loaded>,
    session: Session,
}

/// Old firmware counted wrong answers and then locked for good (section 4).
#[derive(Clone, Copy)]
enum Lock {
    Never,
    After { tries_left: u8, tries: u8 },
    Locked,
}

/// What a configuration write sets.
#[derive(Clone, Copy)]
struct Profile {
    algorithm: Algorithm,
    period: Period,
}

struct Loaded {
    profile: Profile,
    seed: Option<SharedSecret>,
}

enum Session {
    Idle,
    Challenged([u8; 8]),
    Authenticated,
}

/// A status word other than `9000`.
type Refusal = u16;

const WRONG_LENGTH: Refusal = 0x6700;
const NOT_AUTHENTICATED: Refusal = 0x6983;
const BAD_DATA: Refusal = 0x6a80;
const UNKNOWN_INS: Refusal = 0x6d00;
const UNKNOWN_CLASS: Refusal = 0x6e00;

impl Token2NfcSingleProfile {
    /// A token with the serial `prefix` and `number`, seven digits each, as it
    /// leaves the factory: switched off, with a seed nobody knows.
    pub fn new(prefix: u32, number: u32) -> Self {
        let (prefix, number) = (prefix % 10_000_000, number % 10_000_000);
        let serial = u64::from(prefix) * 10_000_000 + u64::from(number);
        let factory_seed = otp::mac(Algorithm::Sha1, b"factory seed", &serial.to_be_bytes());
        Self {
            prefix,
            number,
            clock: TokenClock::EXACT,
            challenges: Challenges::Seeded(serial),
            lock: Lock::Never,
            profile: Profile {
                algorithm: Algorithm::Sha1,
                period: Period::S30,
            },
            seed: Some(SharedSecret::new(factory_seed)),
            loaded: None,
            session: Session::Idle,
        }
    }

    /// Always asks this challenge, for the sheet's vectors.
    #[must_use]
    pub fn challenging(mut self, challenge: [u8; 8]) -> Self {
        self.challenges = Challenges::Fixed(challenge);
        self
    }

    /// Its clock was `ahead_secs` ahead of the world at `at` and gains
    /// `gain_ppm` millionths since.
    #[must_use]
    pub fn with_clock(mut self, at: UnixTime, ahead_secs: i64, gain_ppm: i32) -> Self {
        self.clock = TokenClock::new(at, ahead_secs, gain_ppm);
        self
    }

    /// Firmware of before 2025: locks for good after this many wrong answers in
    /// a row.
    #[must_use]
    pub fn locking_after(mut self, tries: u8) -> Self {
        self.lock = Lock::After {
            tries_left: tries,
            tries,
        };
        self
    }

    /// Without a seed.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.seed = None;
        self.load_if_on();
        self
    }

    /// With this seed instead of the factory's.
    #[must_use]
    pub fn holding(mut self, seed: SharedSecret, algorithm: Algorithm, period: Period) -> Self {
        self.profile = Profile { algorithm, period };
        self.seed = Some(seed);
        self.load_if_on();
        self
    }

    /// Switched on already.
    #[must_use]
    pub fn switched_on(mut self) -> Self {
        self.switch_on();
        self
    }

    fn load_if_on(&mut self) {
        if self.loaded.is_some() {
            self.switch_on();
        }
    }

    fn switch_on(&mut self) {
        self.loaded = Some(Loaded {
            profile: self.profile,
            seed: self.seed.as_ref().map(copied),
        });
    }

    fn serial(&self) -> String {
        format!("{:07}{:07}", self.prefix, self.number)
    }

    /// The model's name, and whether writing configuration and clock erases the
    /// seed. Unknown models are taken for the stricter kind.
    fn model(&self) -> (&'static str, bool) {
        MODELS
            .iter()
            .find(|(prefix, ..)| *prefix == self.prefix)
            .map_or(("unknown model", true), |(_, name, erases)| (name, *erases))
    }

    fn answer(&mut self, raw: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        if !matches!(raw.first(), Some(0x80 | 0x84)) {
            return Err(UNKNOWN_CLASS);
        }
        let command = Command::parse(raw).ok_or(WRONG_LENGTH)?;
        match (command.cla, command.ins) {
            (0x80, 0x41) => self.info(&command, now),
            (0x80, 0x4b) => self.challenge(&command),
            (0x80, 0xce) => self.authenticate(&command),
            (0x84, 0xd4) => {
                let config = self.checked_body(&command)?;
                self.configure(config, now)
            }
            (0x84, 0xc5) => {
                let enciphered = self.checked_body(&command)?;
                self.store_seed(enciphered)
            }
            (_, 0x41 | 0x4b | 0xce | 0xd4 | 0xc5) => Err(UNKNOWN_CLASS),
            _ => Err(UNKNOWN_INS),
        }
    }

    /// `80 41`: serial and clock, to be read by anyone.
    fn info(&self, command: &Command<'_>, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        match (command.data, command.le) {
            ([0x02, 0x11], false) | ([], _) => {}
            ([_, _], false) => return Err(BAD_DATA),
            _ => return Err(WRONG_LENGTH),
        }
        let serial = self.serial();
        let length = u8::try_from(serial.len()).unwrap_or(u8::MAX);
        let clock = u32::try_from(self.clock.reads(now).as_secs()).unwrap_or(u32::MAX);
        let mut answer = vec![0, 0, 0, length];
        answer.extend_from_slice(serial.as_bytes());
        answer.extend_from_slice(&[0, 0]);
        answer.extend_from_slice(&clock.to_be_bytes());
        Ok(answer)
    }

    /// `80 4B 08 00`: a new challenge ends what the last one had opened.
    fn challenge(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        match (command.data, command.le) {
            ([0], false) | ([], _) => {}
            _ => return Err(WRONG_LENGTH),
        }
        if (command.p1, command.p2) != (0x08, 0x00) {
            return Err(BAD_DATA);
        }
        if matches!(self.lock, Lock::Locked) {
            return Err(NOT_AUTHENTICATED);
        }
        let challenge = self.challenges.next();
        self.session = Session::Challenged(challenge);
        Ok(challenge.to_vec())
    }

    /// `80 CE`: one answer to one challenge.
    fn authenticate(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        if command.data.len() != 16 || command.le {
            return Err(WRONG_LENGTH);
        }
        if matches!(self.lock, Lock::Locked) {
            return Err(NOT_AUTHENTICATED);
        }
        let Session::Challenged(challenge) = self.session else {
            return Err(BAD_DATA);
        };
        let mut block = [0; 16];
        block[..8].copy_from_slice(&challenge);
        if command.data == cipher::encipher(block) {
            self.session = Session::Authenticated;
            if let Lock::After { tries_left, tries } = &mut self.lock {
                *tries_left = *tries;
            }
            return Ok(Vec::new());
        }
        self.session = Session::Idle;
        if let Lock::After { tries_left, .. } = &mut self.lock {
            *tries_left = tries_left.saturating_sub(1);
            if *tries_left == 0 {
                self.lock = Lock::Locked;
            }
        }
        Err(NOT_AUTHENTICATED)
    }

    /// The body of a secure command, after its MAC was found right.
    fn checked_body<'a>(&self, command: &Command<'a>) -> Result<&'a [u8], Refusal> {
        let fits = match command.ins {
            0xd4 => command.data.len() == 0x17,
            _ => matches!(command.data.len(), 0x14 | 0x24 | 0x34 | 0x44),
        };
        let (body, mac) = command.data.split_last_chunk::<4>().ok_or(WRONG_LENGTH)?;
        if !fits || command.le {
            return Err(WRONG_LENGTH);
        }
        if !matches!(self.session, Session::Authenticated) {
            return Err(NOT_AUTHENTICATED);
        }
        if *mac != cipher::mac(command.ins, command.p1, command.p2, body) {
            return Err(NOT_AUTHENTICATED);
        }
        let p1p2 = if command.ins == 0xd4 { (0, 0) } else { (1, 0) };
        if (command.p1, command.p2) != p1p2 {
            return Err(BAD_DATA);
        }
        Ok(body)
    }

    /// `84 D4`: display time, clock, hash and period, all of them.
    fn configure(&mut self, config: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let &[
            0x81, 0x11, 0x1f, 0x01, 0..=3, 0x0f, 0x04, t3, t2, t1, t0,
            0x86, 0x06, 0x0a, 0x01, hash, 0x0d, 0x01, period,
        ] = config
        else {
            return Err(BAD_DATA);
        };
        let algorithm = match hash {
            1 => Algorithm::Sha1,
            2 => Algorithm::Sha256,
            _ => return Err(BAD_DATA),
        };
        let period = match period {
            0x1e => Period::S30,
            0x3c => Period::S60,
            _ => return Err(BAD_DATA),
        };
        let time = u32::from_be_bytes([t3, t2, t1, t0]);
        self.clock.set(now, UnixTime::from_secs(u64::from(time)));
        self.profile = Profile { algorithm, period };
        let (_, erases) = self.model();
        if erases {
            self.seed = None;
        }
        Ok(Vec::new())
    }

    /// `84 C5 01`: the seed, enciphered, ending where the last `80` is.
    fn store_seed(&mut self, enciphered: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut plain = cipher::decipher(enciphered);
        let end = plain.iter().rposition(|byte| *byte == 0x80);
        match end {
            Some(length @ 1..) => {
                plain.truncate(length);
                self.seed = Some(SharedSecret::new(plain));
                Ok(Vec::new())
            }
            Some(0) | None => Err(BAD_DATA),
        }
    }
}

impl Applet for Token2NfcSingleProfile {
    fn identity(&self) -> Identity {
        Identity {
            family: FAMILY,
            title: format!("Token2 {}", self.model().0),
            serial: Some(self.serial()),
        }
    }

    fn atr(&self) -> Vec<u8> {
        contactless_atr(&[])
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        let (mut answer, status) = match self.answer(command, now) {
            Ok(answer) => (answer, 0x9000),
            Err(refusal) => (Vec::new(), refusal),
        };
        answer.extend_from_slice(&status.to_be_bytes());
        answer
    }

    fn reset(&mut self) {
        self.session = Session::Idle;
    }

    fn press(&mut self, _now: UnixTime) {
        self.reset();
        if self.loaded.take().is_none() {
            self.switch_on();
        }
    }

    fn is_on(&self) -> bool {
        self.loaded.is_some()
    }

    fn face(&self, now: UnixTime) -> Face {
        let Identity {
            family,
            title,
            serial,
        } = self.identity();
        let shows = self.loaded.as_ref().map(|loaded| loaded.shows(self.clock.reads(now)));
        let (display, seconds_left) = shows.unzip();
        Face {
            family,
            title,
            serial,
            on: self.is_on(),
            display,
            seconds_left: seconds_left.flatten(),
            buttons: &[Button::Power],
            lines: Vec::new(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        let held = self.seed.as_ref().map(|seed| Held {
            name: None,
            secret: copied(seed),
            algorithm: self.profile.algorithm,
            digits: Digits::SIX,
            period: Some(self.profile.period),
            kind: Kind::Totp,
            touch: false,
        });
        held.into_iter().collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        // Switched on, because it is to lie in a reader's field.
        Box::new(Self::new(self.prefix, self.number + 1).switched_on())
    }
}

impl Loaded {
    /// The display and the seconds that it stays: six digits, or dashes without
    /// a seed.
    fn shows(&self, clock: UnixTime) -> (String, Option<u32>) {
        let Some(seed) = &self.seed else {
            return ("------".to_owned(), None);
        };
        let Profile { algorithm, period } = self.profile;
        let step = clock.step(period);
        let next = step.next().begins(period).as_secs();
        let left = u32::try_from(next.saturating_sub(clock.as_secs())).unwrap_or(u32::MAX);
        (
            otp::code(algorithm, seed.expose(), step.0, 6),
            Some(left),
        )
    }
}

fn copied(secret: &SharedSecret) -> SharedSecret {
    SharedSecret::new(secret.expose().to_vec())
}

#[cfg(test)]
mod tests;
