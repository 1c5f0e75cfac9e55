//! Keys with the YKOATH applet: YubiKey, NEO, `CanoKey`, pico-fido and Solo 2
//! (yubikey-oath.md, canokey-pico-solo2.md).
//!
//! Where the sheets are silent: wrong P1 P2 are `6B00`, another class is `6E00`,
//! a new password with a wrong proof is `6984`, renaming onto a name that is taken is `6985`, and a press of the button is
//! good for 15 seconds and one code. Extended APDUs are understood, command
//! chaining is not.

mod credential;
mod management;
mod product;

use hmac::{Hmac, KeyInit, Mac};
use oath::{Algorithm, Digits, SharedSecret, UnixTime};
use sha1::Sha1;

use crate::applet::contactless_atr;
use crate::challenges::Challenges;
use crate::wire::{Command, object_length, put, take};
use crate::{Applet, Button, Face, Held, Identity, Kind};

use credential::Credential;
use product::{Instructions, Parts, Responses, Room, SameName, Surprise};

pub use product::Product;

/// The one name of the family.
pub const FAMILY: &str = "yubikey-oath";

/// The practice key: a YubiKey 5.7 without entries and without a password.
pub fn practice() -> YubikeyOath {
    YubikeyOath::new(Product::YUBIKEY_5_7, 11_223_301)
}

const AID: &[u8] = &[0xa0, 0x00, 0x00, 0x05, 0x27, 0x21, 0x01];

/// How long a key waits for a touch, and how long a touch counts here.
const TOUCH_SECS: i64 = 15;

/// A status word other than `9000`.
type Refusal = u16;

/// One key.
pub struct YubikeyOath {
    product: Product,
    serial: u32,
    challenges: Challenges,
    /// Its "device id"; another one after each RESET.
    salt: [u8; 8],
    /// The 16 bytes that are derived from the password.
    access_key: Option<SharedSecret>,
    credentials: Vec<Credential>,
    selected: Selected,
    asked: [u8; 8],
    unlocked: bool,
    remaining: Vec<u8>,
    touched: Option<UnixTime>,
    /// It stopped at a command that it did not expect, until it has power anew.
    stopped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Selected {
    Nothing,
    Oath,
    Management,
}

impl YubikeyOath {
    /// A key of a product without entries and without a password. The serial
    /// number is told only by products with a management applet.
    pub fn new(product: Product, serial: u32) -> Self {
        let mut challenges = Challenges::Seeded(u64::from(serial));
        let salt = challenges.next();
        Self {
            product,
            serial,
            challenges,
            salt,
            access_key: None,
            credentials: Vec::new(),
            selected: Selected::Nothing,
            asked: [0; 8],
            unlocked: false,
            remaining: Vec::new(),
            touched: None,
            stopped: false,
        }
    }

    /// Has this salt, for the sheets' vectors.
    #[must_use]
    pub fn salted(mut self, salt: [u8; 8]) -> Self {
        self.salt = salt;
        self
    }

    /// Always asks this challenge, for the sheets' vectors.
    #[must_use]
    pub fn challenging(mut self, challenge: [u8; 8]) -> Self {
        self.challenges = Challenges::Fixed(challenge);
        self
    }

    /// Protected by a password (section 4). Say the salt first.
    #[must_use]
    pub fn protected_by(mut self, password: &str) -> Self {
        let mut key = vec![0; 16];
        pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), &self.salt, 1000, &mut key);
        self.access_key = Some(SharedSecret::new(key));
        self
    }

    /// Holds one more time-based credential, whatever the product's rules.
    #[must_use]
    pub fn holding(
        mut self,
        name: &str,
        key: SharedSecret,
        algorithm: Algorithm,
        digits: Digits,
    ) -> Self {
        self.credentials.push(Credential {
            name: name.as_bytes().to_vec(),
            kind: Kind::Totp,
            algorithm,
            digits: digits.get(),
            key,
            touch: false,
            increasing: None,
            counter: 0,
        });
        self
    }

    fn answer(&mut self, raw: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let command = Command::parse(raw).ok_or(0x6700_u16)?;
        if command.cla != 0x00 {
            return Err(0x6e00);
        }
        match (self.selected, command.ins, command.p1) {
            (_, 0xa4, 0x04) => self.select(command.data),
            (Selected::Management, 0x1d, _) => {
                Ok(management::device_info(self.serial, self.product.version))
            }
            (Selected::Nothing | Selected::Management, ..) => Err(0x6d00),
            (Selected::Oath, ins, _) => {
                // What is not fetched the product's own way is thrown away.
                let continues = match self.product.parts {
                    Parts::GetResponse(_) => ins == 0xc0,
                    _ => ins == 0xa5,
                };
                if !continues {
                    self.remaining.clear();
                }
                let open = continues || matches!(ins, 0xa3 | 0x04) || !self.is_locked();
                let answer =
                    if open { self.oath(&command, now) } else { Err(self.product.password.locked) };
                if self.product.password.one_command && !continues && ins != 0xa3 {
                    self.unlocked = false;
                }
                answer
            }
        }
    }

    fn oath(&mut self, command: &Command<'_>, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let data = command.data;
        let ins = match (self.product.instructions, command.ins) {
            (Instructions::Usual, ins) | (Instructions::Older { .. }, ins @ (0x01 | 0x02)) => ins,
            (Instructions::Older { .. }, 0x03) => 0xa1,
            (Instructions::Older { .. }, 0x04) => 0xa2,
            (Instructions::Older { .. }, 0x05) => 0xa4,
            (Instructions::Older { .. }, 0x06) => 0xa5,
            (Instructions::Older { .. }, _) => return Err(0x6d00),
        };
        let allowed = match ins {
            0xa2 | 0xa4 => command.p1 == 0 && command.p2 <= 1,
            0x04 => (command.p1, command.p2) == (0xde, 0xad) || !self.product.reset,
            0xc0 => true,
            _ => (command.p1, command.p2) == (0, 0),
        };
        if !allowed {
            return Err(0x6b00);
        }
        let truncated = command.p2 == 0x01 || self.product.responses == Responses::Truncated;
        match ins {
            0x01 => self.put(data),
            0x02 => self.delete(data),
            0x03 => self.set_code(data),
            0x04 if self.product.reset => {
                self.forget_everything();
                Ok(Vec::new())
            }
            0x05 if self.product.rename => self.rename(data),
            0xa1 => Ok(self.list()),
            0xa2 => self.calculate(data, truncated, now),
            0xa3 => self.validate(data),
            0xa4 => self.calculate_all(data, truncated),
            // canokey-manager: nothing more is said so.
            0xa5 if self.product.is_canokey() && self.remaining.is_empty() => Err(0x6985),
            0xa5 if !matches!(self.product.parts, Parts::GetResponse(_)) => {
                Ok(std::mem::take(&mut self.remaining))
            }
            0xc0 if matches!(self.product.parts, Parts::GetResponse(_)) => {
                Ok(std::mem::take(&mut self.remaining))
            }
            _ => Err(0x6d00),
        }
    }

    fn select(&mut self, aid: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.deselect();
        if aid == AID {
            self.selected = Selected::Oath;
            let mut answer = Vec::new();
            if self.product.instructions == (Instructions::Older { greets: false }) {
                return Ok(answer);
            }
            put(&mut answer, 0x79, &self.product.version);
            put(&mut answer, 0x71, &self.salt);
            if self.access_key.is_some() {
                self.asked = self.challenges.next();
                put(&mut answer, 0x74, &self.asked);
                put(&mut answer, 0x7b, &[self.product.password.algorithm]);
            }
            if let Some(serial) = self.product.posing {
                put(&mut answer, 0x8f, serial);
            }
            Ok(answer)
        } else if aid == management::AID && self.product.management {
            self.selected = Selected::Management;
            Ok(management::greeting(self.product.version))
        } else {
            Err(0x6a82)
        }
    }

    fn deselect(&mut self) {
        self.selected = Selected::Nothing;
        self.unlocked = false;
        self.remaining.clear();
    }

    fn put(&mut self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let new = Credential::parse(data, &self.product)?;
        if let Ok(index) = self.find(&new.name) {
            if self.product.same_name == SameName::Refuses {
                return Err(0x6985);
            }
            self.credentials[index] = new;
        } else if self.has_room(new.name.len()) {
            self.credentials.push(new);
        } else {
            return Err(0x6a84);
        }
        Ok(Vec::new())
    }

    fn delete(&mut self, mut data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let index = self.find(take(&mut data, 0x71).ok_or(0x6a80_u16)?)?;
        self.credentials.remove(index);
        Ok(Vec::new())
    }

    fn rename(&mut self, mut data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let old = take(&mut data, 0x71).ok_or(0x6a80_u16)?;
        let new = take(&mut data, 0x71).ok_or(0x6a80_u16)?;
        if new.is_empty() || new.len() > 64 || !data.is_empty() {
            return Err(0x6a80);
        }
        let index = self.find(old)?;
        if self.find(new).is_ok() {
            return Err(0x6985);
        }
        self.credentials[index].name = new.to_vec();
        Ok(Vec::new())
    }

    fn list(&self) -> Vec<u8> {
        let mut answer = Vec::new();
        for credential in &self.credentials {
            let entry = [&[credential.type_byte()], credential.name.as_slice()].concat();
            put(&mut answer, 0x72, &entry);
        }
        answer
    }

    fn calculate(
        &mut self,
        mut data: &[u8],
        truncated: bool,
        now: UnixTime,
    ) -> Result<Vec<u8>, Refusal> {
        let index = self.find(take(&mut data, 0x71).ok_or(0x6a80_u16)?)?;
        let challenge = take(&mut data, 0x74).ok_or(0x6a80_u16)?;
        if self.credentials[index].touch && !self.is_touched(now) {
            return Err(0x6982);
        }
        let mut answer = Vec::new();
        let credential = &mut self.credentials[index];
        credential.respond(challenge, truncated, &mut answer)?;
        if credential.touch {
            self.touched = None;
        }
        Ok(answer)
    }

    fn calculate_all(&mut self, mut data: &[u8], truncated: bool) -> Result<Vec<u8>, Refusal> {
        let challenge = take(&mut data, 0x74).ok_or(0x6a80_u16)?;
        let mut answer = Vec::new();
        for credential in &mut self.credentials {
            put(&mut answer, 0x71, &credential.name);
            match (credential.kind, credential.touch) {
                (Kind::Hotp, _) => put(&mut answer, 0x77, &[credential.digits]),
                (Kind::Totp, true) => put(&mut answer, 0x7c, &[credential.digits]),
                (Kind::Totp, false) => credential.respond(challenge, truncated, &mut answer)?,
            }
        }
        Ok(answer)
    }

    fn set_code(&mut self, mut data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let [_algorithm, key @ ..] = take(&mut data, 0x73).ok_or(0x6a80_u16)? else {
            self.access_key = None;
            return Ok(Vec::new());
        };
        let challenge = take(&mut data, 0x74).ok_or(0x6a80_u16)?;
        let proof = take(&mut data, 0x75).ok_or(0x6a80_u16)?;
        if key.is_empty() || key.len() > 64 || !proves(key, challenge, proof) {
            return Err(0x6984);
        }
        self.access_key = Some(SharedSecret::new(key.to_vec()));
        // Who has just set the password need not say it again.
        self.unlocked = true;
        Ok(Vec::new())
    }

    fn validate(&mut self, mut data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let key = self.access_key.as_ref().ok_or(0x6984_u16)?;
        let proof = take(&mut data, 0x75).ok_or(0x6a80_u16)?;
        let challenge = take(&mut data, 0x74).ok_or(0x6a80_u16)?;
        if challenge.len() < 8 {
            return Err(0x6a80);
        }
        if !proves(key.expose(), &self.asked, proof) {
            return Err(self.product.password.wrong);
        }
        self.unlocked = true;
        let mut answer = Vec::new();
        let own_proof = crate::otp::mac(Algorithm::Sha1, key.expose(), challenge);
        put(&mut answer, 0x75, &own_proof);
        Ok(answer)
    }

    fn forget_everything(&mut self) {
        self.credentials.clear();
        self.access_key = None;
        // Even where the challenges are fixed, the salt has to be another one.
        let drawn = self.challenges.next();
        self.salt = if drawn == self.salt { drawn.map(|byte| !byte) } else { drawn };
    }

    fn find(&self, name: &[u8]) -> Result<usize, Refusal> {
        let found = self.credentials.iter().position(|c| c.name == name);
        found.ok_or(0x6984)
    }

    fn has_room(&self, name_length: usize) -> bool {
        match self.product.room {
            Room::Entries(most) => self.credentials.len() < most,
            Room::ListBytes(most) => {
                let used: usize = self.credentials.iter().map(|c| c.name.len() + 9).sum();
                used + name_length + 9 <= most
            }
        }
    }

    fn is_locked(&self) -> bool {
        self.access_key.is_some() && !self.unlocked
    }

    fn is_touched(&self, now: UnixTime) -> bool {
        self.touched.is_some_and(|at| (0..=TOUCH_SECS).contains(&now.seconds_since(at)))
    }

    /// Where the answer is cut: the bytes that go now, and the status word.
    fn cut(&self, answer: &[u8]) -> (usize, u16) {
        let left = |at: usize| u16::try_from(answer.len() - at).map_or(0xff, |n| n.min(0xff));
        match self.product.parts {
            Parts::SendRemaining(most) | Parts::GetResponse(most) if answer.len() > most => {
                (most, 0x6100 | left(most))
            }
            Parts::WholeObjects(most) | Parts::WithoutAWord(most) if answer.len() > most => {
                let mut at = object_length(answer);
                while at < answer.len() && at + object_length(&answer[at..]) <= most {
                    at += object_length(&answer[at..]);
                }
                let goes_on =
                    at < answer.len() && matches!(self.product.parts, Parts::WholeObjects(_));
                (at, if goes_on { 0x61ff } else { 0x9000 })
            }
            Parts::SendRemaining(_)
            | Parts::GetResponse(_)
            | Parts::WholeObjects(_)
            | Parts::WithoutAWord(_)
            | Parts::Never => (answer.len(), 0x9000),
        }
    }
}

impl Applet for YubikeyOath {
    fn identity(&self) -> Identity {
        let [major, minor, patch] = self.product.version;
        Identity {
            family: FAMILY,
            title: format!("{} ({major}.{minor}.{patch})", self.product.title),
            serial: self.product.management.then(|| self.serial.to_string()),
        }
    }

    fn atr(&self) -> Vec<u8> {
        contactless_atr(self.product.historical)
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        self.stopped |= self.product.surprise == Surprise::Stops
            && self.selected == Selected::Oath
            && surprises(command);
        if self.stopped {
            return Vec::new();
        }
        match self.answer(command, now) {
            Ok(mut answer) => {
                // Only a SELECT fits always and is never cut.
                let whole = matches!(command, [_, 0xa4, 0x04, ..]);
                let (at, status) = if whole { (answer.len(), 0x9000) } else { self.cut(&answer) };
                self.remaining = answer.split_off(at);
                answer.extend_from_slice(&status.to_be_bytes());
                answer
            }
            Err(refusal) => refusal.to_be_bytes().to_vec(),
        }
    }

    fn reset(&mut self) {
        self.deselect();
        self.stopped = false;
    }

    fn press(&mut self, now: UnixTime) {
        self.touched = Some(now);
    }

    fn awaits_press(&self, command: &[u8], now: UnixTime) -> bool {
        let Some(command) = Command::parse(command) else {
            return false;
        };
        let mut data = command.data;
        let touch = take(&mut data, 0x71)
            .and_then(|name| self.find(name).ok())
            .is_some_and(|index| self.credentials[index].touch);
        self.selected == Selected::Oath
            && (command.cla, command.ins) == (0x00, 0xa2)
            && touch
            && !self.is_locked()
            && !self.is_touched(now)
    }

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let names = self.credentials.iter().map(|c| &c.name);
        Face {
            family,
            title,
            serial,
            on: true,
            display: None,
            seconds_left: None,
            buttons: &[Button::Touch],
            lines: names.map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        self.credentials.iter().map(Credential::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        Box::new(Self::new(self.product, self.serial + 1))
    }
}

/// Whether a PUT does not begin with a name and a key, at which a parser may stop.
fn surprises(command: &[u8]) -> bool {
    let Some(Command { ins: 0x01, mut data, .. }) = Command::parse(command) else {
        return false;
    };
    take(&mut data, 0x71).is_none() || take(&mut data, 0x73).is_none()
}

/// Whether a proof is the HMAC-SHA-1 of a challenge.
fn proves(key: &[u8], challenge: &[u8], proof: &[u8]) -> bool {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(challenge);
    mac.verify_slice(proof).is_ok()
}

#[cfg(test)]
mod tests;
