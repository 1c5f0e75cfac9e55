//! The app behind both ways: its store, its PIN, its touches
//! (nitrokey-secrets.md section 3).

use std::collections::VecDeque;
use std::mem;

use oath::{Algorithm, Digits, SharedSecret, UnixTime};

use super::Refusal;
use super::credential::{Credential, Otp, pin_encrypts};
use super::request::{Request, Update};
use crate::challenges::Challenges;
use crate::wire::{Command, put};

pub(super) const AID: &[u8] = &[0xa0, 0x00, 0x00, 0x05, 0x27, 0x21, 0x01];

/// How long it waits for a touch, and how long a touch counts here, in ms.
pub(super) const TOUCH_MILLIS: u64 = 15_000;

/// How many credentials fit, and how many wrong PINs in a row block.
const MOST_CREDENTIALS: usize = 50;
const TRIES: u8 = 8;

/// The app of one key.
pub(super) struct Secrets {
    pub(super) version: [u8; 3],
    pub(super) serial: u32,
    pub(super) salt: [u8; 8],
    pub(super) credentials: Vec<Credential>,
    pub(super) touched: Option<UnixTime>,
    challenges: Challenges,
    pin: Option<Pin>,
    /// Whether the command before this one was a VERIFY PIN with the right PIN.
    authorised: bool,
    /// Entries of a LIST that did not fit.
    unsent: VecDeque<Vec<u8>>,
}

struct Pin {
    secret: SharedSecret,
    tries_left: u8,
}

impl Secrets {
    pub(super) fn new(serial: u32) -> Self {
        let mut challenges = Challenges::Seeded(u64::from(serial));
        Self {
            version: [4, 14, 0],
            serial,
            salt: challenges.next(),
            credentials: Vec::new(),
            touched: None,
            challenges,
            pin: None,
            authorised: false,
            unsent: VecDeque::new(),
        }
    }

    /// One command; data and status word. A LIST has at most `most` bytes.
    pub(super) fn call(
        &mut self,
        command: &Command<'_>,
        most: usize,
        now: UnixTime,
    ) -> (Vec<u8>, u16) {
        // Whatever comes after VERIFY PIN uses it up, a wrong command too.
        let authorised = mem::take(&mut self.authorised);
        match self.answer(command, authorised, most, now) {
            Ok(data) if self.unsent.is_empty() => (data, 0x9000),
            Ok(data) => (data, 0x61ff),
            Err(refusal) => (Vec::new(), refusal),
        }
    }

    /// Whether a command would wait for a touch if it came now.
    pub(super) fn awaits_touch(&self, command: &Command<'_>, now: UnixTime) -> bool {
        let request = Request::parse(command);
        request.is_ok_and(|request| self.wants_touch(&request)) && !self.is_touched(now)
    }

    /// Power was lost.
    pub(super) fn forget_session(&mut self) {
        self.authorised = false;
        self.unsent.clear();
    }

    pub(super) fn set_pin(&mut self, pin: &[u8]) {
        let secret = SharedSecret::new(pin.to_vec());
        self.pin = Some(Pin { secret, tries_left: TRIES });
    }

    pub(super) fn leave_tries(&mut self, tries: u8) {
        if let Some(pin) = &mut self.pin {
            pin.tries_left = tries.min(TRIES);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.credentials.len() >= MOST_CREDENTIALS
    }

    /// Stores a credential with a secret nobody knows.
    pub(super) fn occupy(&mut self, name: &str) {
        let secret = [self.challenges.next(), self.challenges.next()].concat();
        let secret = SharedSecret::new(secret);
        self.credentials.push(Credential::plain(name, secret, Algorithm::Sha1, Digits::SIX));
    }

    fn answer(
        &mut self,
        command: &Command<'_>,
        authorised: bool,
        most: usize,
        now: UnixTime,
    ) -> Result<Vec<u8>, Refusal> {
        let request = Request::parse(command);
        if !matches!(request, Ok(Request::SendRemaining)) {
            self.unsent.clear();
        }
        let request = request?;
        if self.wants_touch(&request) {
            if !self.is_touched(now) {
                return Err(0x6982);
            }
            self.touched = None;
        }
        match request {
            Request::Select => return Ok(self.greeting()),
            Request::List { with_properties } => {
                let visible = self.credentials.iter().filter(|c| authorised || !c.pin_encrypted);
                self.unsent = visible.map(|c| c.entry(with_properties)).collect();
                return Ok(self.next_entries(most));
            }
            Request::SendRemaining if self.unsent.is_empty() => return Err(0x6985),
            Request::SendRemaining => return Ok(self.next_entries(most)),
            Request::Calculate { name, challenge } => {
                return self.find(name, authorised)?.calculate(challenge);
            }
            Request::GetCredential { name } => {
                return Ok(self.find(name, authorised)?.description());
            }
            Request::Put(credential) => self.store(*credential, authorised)?,
            Request::Update(update) => self.update(*update, authorised)?,
            Request::Delete { name } => {
                self.find(name, authorised)?;
                self.credentials.retain(|c| c.name != name);
            }
            Request::Reset => self.forget_everything(),
            Request::VerifyPin { pin } => {
                self.try_pin(pin)?;
                self.authorised = true;
            }
            Request::ChangePin { old, new } => {
                self.try_pin(old)?;
                self.set_pin(new);
            }
            Request::SetPin { .. } if self.pin.is_some() => return Err(0x6982),
            Request::SetPin { pin } => self.set_pin(pin),
        }
        Ok(Vec::new())
    }

    /// Whether a person has to be there for this.
    fn wants_touch(&self, request: &Request<'_>) -> bool {
        let needs = |credential: &Credential| credential.touch && !credential.pin_encrypted;
        match request {
            Request::Delete { .. } | Request::Reset | Request::Update(_) => true,
            Request::SetPin { .. } => self.pin.is_none(),
            Request::VerifyPin { .. } | Request::ChangePin { .. } => {
                self.pin.as_ref().is_some_and(|pin| pin.tries_left > 0)
            }
            Request::Put(credential) => needs(credential),
            Request::Calculate { name, .. } | Request::GetCredential { name } => {
                self.credentials.iter().any(|c| c.name == *name && needs(c))
            }
            Request::Select | Request::List { .. } | Request::SendRemaining => false,
        }
    }

    fn is_touched(&self, now: UnixTime) -> bool {
        self.touched.is_some_and(|at| {
            let since = now.as_millis().checked_sub(at.as_millis());
            since.is_some_and(|since| since <= TOUCH_MILLIS)
        })
    }

    fn greeting(&self) -> Vec<u8> {
        let mut answer = Vec::new();
        put(&mut answer, 0x79, &self.version);
        match &self.pin {
            Some(pin) => put(&mut answer, 0x82, &[pin.tries_left]),
            None => put(&mut answer, 0x71, &self.salt),
        }
        put(&mut answer, 0x8f, &self.serial.to_be_bytes());
        answer
    }

    /// As many whole entries as fit, and always one.
    fn next_entries(&mut self, most: usize) -> Vec<u8> {
        let mut part = self.unsent.pop_front().unwrap_or_default();
        while let Some(next) = self.unsent.pop_front_if(|next| part.len() + next.len() <= most) {
            part.extend(next);
        }
        part
    }

    /// A PIN-encrypted credential is not found without the PIN.
    fn find(&mut self, name: &[u8], authorised: bool) -> Result<&mut Credential, Refusal> {
        let mut all = self.credentials.iter_mut();
        let found = all.find(|c| c.name == name && (authorised || !c.pin_encrypted));
        found.ok_or(0x6a82)
    }

    /// Whether a name is taken, PIN-encrypted or not.
    fn is_taken(&self, name: &[u8]) -> bool {
        self.credentials.iter().any(|c| c.name == name)
    }

    fn store(&mut self, new: Credential, authorised: bool) -> Result<(), Refusal> {
        if self.is_full() {
            return Err(0x6a84);
        }
        if self.is_taken(&new.name) {
            return Err(0x6983);
        }
        if !authorised && (new.pin_encrypted || matches!(new.otp, Otp::ReverseHotp { .. })) {
            return Err(0x6982);
        }
        self.credentials.push(new);
        Ok(())
    }

    fn update(&mut self, update: Update<'_>, authorised: bool) -> Result<(), Refusal> {
        let Update { name, new_name, properties, safe } = update;
        if new_name.is_some_and(|new_name| self.is_taken(new_name)) {
            return Err(0x6983);
        }
        let credential = self.find(name, authorised)?;
        if !authorised && properties.is_some_and(pin_encrypts) {
            return Err(0x6982);
        }
        if let Some(new_name) = new_name {
            credential.name = new_name.to_vec();
        }
        if let Some(properties) = properties {
            credential.set_properties(properties);
        }
        credential.safe.overlay(safe);
        Ok(())
    }

    fn try_pin(&mut self, tried: &[u8]) -> Result<(), Refusal> {
        let pin = self.pin.as_mut().filter(|pin| pin.tries_left > 0).ok_or(0x6982_u16)?;
        if pin.secret.expose() == tried {
            pin.tries_left = TRIES;
            Ok(())
        } else {
            pin.tries_left -= 1;
            Err(0x6300)
        }
    }

    fn forget_everything(&mut self) {
        self.credentials.clear();
        self.pin = None;
        self.salt = self.challenges.next();
    }
}
