//! Token2 FIDO2 keys with the OTP application, by the sheet `token2-fido-otp.md`.
//!
//! The key has no clock and returns the code of any time that it is sent, so the
//! proof needs no waiting and no typing. By smart card alone: how HID is framed is
//! contradictory in the sheet, so nothing is sent there. Erasing all is a write
//! without data, which the type of what is written rules out (`seal.rs`).

mod identity;
mod pin;
mod seal;
mod wire;

use oath::{Algorithm, SharedSecret, UnixTime};
use zeroize::Zeroizing;

use self::pin::PinSession;
use self::seal::{DeviceKey, HostKey, SealedRecord};
use self::wire::{ClearRecord, FlagForm, Name, Page, PinFlag};
use crate::{
    Access, Attachment, Candidate, Capabilities, Channel, Characters, ClockRule, CommandApdu,
    Continuation, Entry, EntryName, Family, Guard, NameRule, OpenError, PeriodPrefix, PeriodRule,
    Places, Presence, Proof, ProofClass, Question, Random, Recognition, ResponseApdu, Rung,
    SameName, Session, SessionError, SmartCardChannel, StatusWord, TokenIdentity, TokenState,
    Unlock, WriteFailure, WritePlan, ZeroRule, exchange, exchange_once,
};

/// Recognises the application by SELECT and by how it answers two reads.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "token2-fido-otp",
    title: "Token2 FIDO2 keys with OTP",
    models: &["T2F2 (second generation)", "PIN+ and PIN+ Mini", "Bio2 and Bio3", "FIDO2 cards"],
    channel: "USB or NFC reader (PC/SC)",
    capabilities: capabilities(Guard::None),
    evidence: Rung::Vectors,
    evidence_source: "Vectors of a script of our own, whose records the maker's functions decode \
                      and the other way round; commands, status words and the PIN session are \
                      only read in the maker's and other clients' code, that short commands \
                      suit every reader is inferred, and HID, where the sources contradict \
                      each other, is not written.",
};

/// The time with which names are listed: the codes that come with them are of 1970
/// and open nothing.
const LISTING_TIME: u64 = 59;

/// A key has 50 records and no page is empty.
const MOST_PAGES: usize = 64;

/// Status words of a write that mean "not done" (sheet section 3.5, and the two for
/// an application that is not selected). `9100` is not among them: the sheet has it
/// for the finger of a Bio3, and it does not look like a refusal.
const REFUSALS: [u16; 15] = [
    0x6700, 0x6982, 0x6983, 0x6984, 0x6985, 0x6a80, 0x6a81, 0x6a83, 0x6a84, 0x6a86, 0x6af8, 0x6d00,
    0x6e00, 0x6ff9, 0x6ffa,
];

/// An entry that only an extended command would carry, which many readers refuse.
const TOO_LONG: SessionError = SessionError::Malformed {
    exchange: "plan",
    what: "name and secret together are too long for a short command",
};

const fn capabilities(guard: Guard) -> Capabilities {
    Capabilities {
        access: Access::Writable,
        secret: 1..=64,
        long_secret_hashed: false,
        zeros: ZeroRule::Harmless,
        algorithms: &[Algorithm::Sha1, Algorithm::Sha256],
        digits: &[4, 5, 6, 7, 8, 9, 10],
        period: PeriodRule::Within(1..=65_535),
        name: NameRule::Entry(EntryName {
            most_bytes: 129,
            fields: Some((64, 64)),
            characters: Characters::Ascii,
            period: PeriodPrefix::Never,
            joint: ":",
        }),
        places: Places::Named { most: Some(50), same_name: SameName::Overwrites },
        guard,
        presence: Presence::None,
        clock: ClockRule::None,
        proof: ProofClass::Computes,
    }
}

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    /// A PID or an ATR is no proof of absence, so every card is asked.
    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match candidate.attachment {
            Attachment::SmartCard { .. } => Recognition::MustAsk,
            Attachment::Hid { .. } => Recognition::No,
        }
    }

    /// A card that says yes to any SELECT gives no flag and no key, and is let go.
    fn open(
        &self,
        candidate: &Candidate,
        channel: Channel,
        random: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let Channel::SmartCard(mut card) = channel else {
            return Err(OpenError::NotThisFamily(channel));
        };
        if send(&mut *card, &wire::select_otp(), "SELECT")?.status() != StatusWord::OK {
            return Err(OpenError::NotThisFamily(Channel::SmartCard(card)));
        }
        let flag = send(&mut *card, &wire::pin_flag(FlagForm::Short), "PIN FLAG")?;
        let key = send(&mut *card, &wire::device_key(), "DEVICE KEY")?;
        let flag = told(&flag).and_then(|data| PinFlag::parse(data, FlagForm::Short));
        let refused = key.status();
        let key = told(&key).and_then(DeviceKey::parse);
        let guard = match (&flag, &key) {
            (Some(flag), _) => flag.guard(),
            // A release before 3.4, which knows no PIN.
            (None, Some(_)) => Guard::None,
            // No key is given while a PIN is set.
            (None, None) if refused == StatusWord(0x6a81) => Guard::Pin { tries_left: None },
            (None, None) if wants_finger(refused) => {
                return Err(SessionError::LockedOnDevice.into());
            }
            (None, None) => return Err(OpenError::NotThisFamily(Channel::SmartCard(card))),
        };
        let serial = told_serial(&mut *card)?;
        let atr = match &candidate.attachment {
            Attachment::SmartCard { atr, .. } => atr.as_slice(),
            Attachment::Hid { .. } => &[],
        };
        let identity = TokenIdentity {
            family: FAMILY.name,
            model: identity::model(serial.as_deref()),
            serial: identity::serial(serial, atr, key.as_ref()).ok_or(SessionError::Malformed {
                exchange: "SERIAL",
                what: "nothing tells this key from another",
            })?,
            firmware: None,
            clock: None,
        };
        Ok(Box::new(Token2Key {
            card,
            identity,
            capabilities: capabilities(guard),
            pin_session: None,
            random: random.clone(),
        }))
    }
}

impl PinFlag {
    const fn guard(&self) -> Guard {
        if self.is_set { Guard::Pin { tries_left: Some(self.tries_left) } } else { Guard::None }
    }
}

/// Reads the serial number in the FIDO application, whose answer to SELECT does not
/// matter because Windows forbids it to some, and comes back. The command that
/// would make release 3.1 tell its number is not sent: nothing says that it is a read.
fn told_serial(card: &mut dyn SmartCardChannel) -> Result<Option<String>, SessionError> {
    send(card, &wire::select_fido(), "SELECT FIDO")?;
    let answer = send(card, &wire::serial(), "SERIAL")?;
    let serial = told(&answer).and_then(wire::parse_serial);
    let back = send(card, &wire::select_otp(), "SELECT")?;
    match back.status() {
        StatusWord::OK => Ok(serial),
        status => Err(SessionError::Refused { exchange: "SELECT", status }),
    }
}

struct Token2Key {
    card: Box<dyn SmartCardChannel>,
    identity: TokenIdentity,
    capabilities: Capabilities,
    /// Open after the PIN, until the session ends or the channel breaks.
    pin_session: Option<PinSession>,
    random: Random,
}

impl Session for Token2Key {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The flag is read before, so that no try is spent where none is left.
    fn unlock(&mut self, key: &Unlock) -> Result<(), SessionError> {
        let Guard::Pin { .. } = self.capabilities.guard else {
            return Ok(());
        };
        let flag = self.pin_flag(FlagForm::Short)?;
        self.capabilities.guard = flag.guard();
        if !flag.is_set {
            return Ok(());
        }
        let tries_left = Some(flag.tries_left);
        match (flag.tries_left, key.0.is_empty()) {
            (0, _) => Err(SessionError::Blocked),
            // No PIN is empty, so no try is spent on it.
            (_, true) => Err(SessionError::WrongKey { tries_left }),
            (_, false) => self.verify(&key.0),
        }
    }

    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        let names = self.names()?;
        Ok(names.iter().map(|name| Entry::named(name.full())).collect())
    }

    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        _: UnixTime,
    ) -> Result<(), WriteFailure> {
        let name = planned_name(plan).map_err(WriteFailure::untouched)?;
        let entry = ClearRecord::entry(&name, *plan.parameters(), secret)
            .ok_or(SessionError::Malformed {
                exchange: "plan",
                what: "parameters that no such key takes",
            })
            .map_err(WriteFailure::untouched)?;
        // Known before anything has to give way to it.
        if self.pin_session.is_none() && !SealedRecord::is_short_enough(&entry) {
            return Err(WriteFailure::untouched(TOO_LONG));
        }
        let names = self.names().map_err(WriteFailure::untouched)?;
        let mut before = TokenState::Untouched;
        if names.contains(&name) {
            if !plan.replaces() {
                return Err(WriteFailure::untouched(SessionError::NameTaken));
            }
            self.change(&ClearRecord::deletion(&name), "DELETE", before)?;
            before = TokenState::Emptied;
        }
        self.change(&entry, "WRITE", before)
    }

    /// Either question has the same answer: the code at the beginning of the step.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        _: UnixTime,
    ) -> Result<Proof, SessionError> {
        let (Question::Key(step) | Question::Code(step)) = question;
        let name = planned_name(plan)?;
        let period = u64::from(plan.parameters().period.as_secs());
        // The key is sent seconds, not steps.
        let time = step.0.checked_mul(period).ok_or(SessionError::Malformed {
            exchange: "READ ONE",
            what: "a time step beyond 64 bits of seconds",
        })?;
        let answer = self.ask(&wire::read_one(time, &name), "READ ONE")?;
        match wire::parse_one(&answer) {
            Some((answered, code)) if answered == name => Ok(Proof::Code(code)),
            Some(_) => Err(SessionError::Malformed { exchange: "READ ONE", what: "another entry" }),
            None => Err(SessionError::Malformed { exchange: "READ ONE", what: "no code" }),
        }
    }
}

impl Token2Key {
    /// Agreement, random number, proof of the PIN: the proof is sent once.
    fn verify(&mut self, pin: &str) -> Result<(), SessionError> {
        // The agreement ends the keys of a session before it.
        self.pin_session = None;
        let host = self.host_key()?;
        let answer = send(&mut *self.card, &wire::agreement(&host), "AGREEMENT")?;
        // Behind the key stands a signature, which is not looked at.
        let device = required(&answer, "AGREEMENT")?
            .get(..64)
            .and_then(DeviceKey::parse)
            .ok_or(SessionError::Malformed { exchange: "AGREEMENT", what: "no public key" })?;
        let flag = self.pin_flag(FlagForm::WithRandom)?;
        let random = flag
            .random
            .ok_or(SessionError::Malformed { exchange: "PIN FLAG", what: "no random number" })?;
        let session = PinSession::derive(&host.agree(&device));
        let verification = session.verification(pin, &random, &self.fresh_iv());
        let verify = wire::verify_pin(&verification);
        match exchange_once(&mut *self.card, &verify, "VERIFY PIN")?.status() {
            StatusWord::OK => {
                self.pin_session = Some(session);
                Ok(())
            }
            StatusWord(0x6982) => {
                let tries_left = self.pin_flag(FlagForm::Short).ok().map(|flag| flag.tries_left);
                self.capabilities.guard = Guard::Pin { tries_left };
                Err(SessionError::WrongKey { tries_left })
            }
            status => Err(refusal("VERIFY PIN", status)),
        }
    }

    fn pin_flag(&mut self, form: FlagForm) -> Result<PinFlag, SessionError> {
        let answer = send(&mut *self.card, &wire::pin_flag(form), "PIN FLAG")?;
        PinFlag::parse(required(&answer, "PIN FLAG")?, form)
            .ok_or(SessionError::Malformed { exchange: "PIN FLAG", what: "length" })
    }

    /// Every name of the key, of both kinds of entries: one by counter takes its
    /// name as well as one by time.
    fn names(&mut self) -> Result<Vec<Name>, SessionError> {
        let mut answer = match self.ask(&wire::read_all(LISTING_TIME), "READ ALL") {
            Err(SessionError::NoSuchEntry) => return Ok(Vec::new()),
            other => other?,
        };
        let mut names = Vec::new();
        if answer.is_empty() {
            return Ok(names);
        }
        for _ in 0..MOST_PAGES {
            let page = Page::parse(&answer)
                .ok_or(SessionError::Malformed { exchange: "READ ALL", what: "lengths" })?;
            names.extend(page.names);
            if !page.more {
                return Ok(names);
            }
            answer = match self.ask(&wire::read_more(LISTING_TIME), "READ MORE") {
                // Pages that end before they said so may hide a name.
                Err(SessionError::NoSuchEntry) => Zeroizing::default(),
                other => other?,
            };
        }
        Err(SessionError::Malformed { exchange: "READ ALL", what: "pages without end" })
    }

    /// Sends a read that the PIN guards, and opens what comes back.
    fn ask(
        &mut self,
        command: &CommandApdu,
        named: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, SessionError> {
        self.require_open()?;
        let answer = self.watched(|card| send(card, command, named))?;
        let data = required(&answer, named)?;
        match &self.pin_session {
            None => Ok(Zeroizing::new(data.to_vec())),
            Some(session) => session
                .open(data)
                .ok_or(SessionError::Malformed { exchange: named, what: "the tag or its form" }),
        }
    }

    /// Makes a record fit to be sent, which changes nothing on the key.
    fn seal(&mut self, record: &ClearRecord) -> Result<SealedRecord, SessionError> {
        self.require_open()?;
        if let Some(session) = &self.pin_session {
            return session.protect(record, &self.fresh_iv()).ok_or(TOO_LONG);
        }
        let host = self.host_key()?;
        let answer = self.watched(|card| send(card, &wire::device_key(), "DEVICE KEY"))?;
        let device = DeviceKey::parse(required(&answer, "DEVICE KEY")?)
            .ok_or(SessionError::Malformed { exchange: "DEVICE KEY", what: "no public key" })?;
        SealedRecord::sealed(&host, &device, record).ok_or(TOO_LONG)
    }

    /// Writes or deletes; `before` is what the key holds when that is surely
    /// without effect.
    fn change(
        &mut self,
        record: &ClearRecord,
        named: &'static str,
        before: TokenState,
    ) -> Result<(), WriteFailure> {
        let cleared = before == TokenState::Emptied;
        let sealed =
            self.seal(record).map_err(|cause| WriteFailure { token: before, cause, cleared })?;
        let sent = self.watched(|card| exchange_once(card, &seal::write(&sealed), named));
        let (sure, cause) = match sent {
            Ok(answer) if answer.status() == StatusWord::OK => return Ok(()),
            Ok(answer) => (REFUSALS.contains(&answer.status().0), refusal(named, answer.status())),
            Err(cause) => {
                let nothing_sent =
                    matches!(&cause, SessionError::Channel(e) if !e.may_have_taken_effect());
                (nothing_sent, cause)
            }
        };
        Err(WriteFailure { token: if sure { before } else { TokenState::Unknown }, cause, cleared })
    }

    fn require_open(&self) -> Result<(), SessionError> {
        match (self.capabilities.guard, &self.pin_session) {
            (Guard::Pin { .. }, None) => Err(SessionError::Locked),
            _ => Ok(()),
        }
    }

    /// Forgets the PIN session when the channel breaks: the key has lost it too, or
    /// it is another key that answers now and must not be sent a lock at the end.
    fn watched<T>(
        &mut self,
        talk: impl FnOnce(&mut dyn SmartCardChannel) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let said = talk(&mut *self.card);
        if let Err(SessionError::Channel(_)) = said {
            self.pin_session = None;
        }
        said
    }

    fn host_key(&self) -> Result<HostKey, SessionError> {
        HostKey::draw(&self.random)
            .ok_or(SessionError::Malformed { exchange: "plan", what: "no randomness" })
    }

    fn fresh_iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        (self.random)(&mut iv);
        iv
    }
}

impl Drop for Token2Key {
    /// Locks a key that was opened here, which would stay open for minutes. Whether
    /// it did is not asked: nobody could be told.
    fn drop(&mut self) {
        if self.pin_session.take().is_some() {
            let _ = exchange_once(&mut *self.card, &wire::lock(), "LOCK");
        }
    }
}

fn planned_name(plan: &WritePlan) -> Result<Name, SessionError> {
    Name::new(plan.service().unwrap_or_default(), plan.account().unwrap_or_default())
        .ok_or(SessionError::Malformed { exchange: "plan", what: "a name that no such key takes" })
}

fn send(
    card: &mut dyn SmartCardChannel,
    command: &CommandApdu,
    named: &'static str,
) -> Result<ResponseApdu, SessionError> {
    exchange(card, command, Continuation::GetResponse, named)
}

/// The data of an answer that is a yes.
fn told(answer: &ResponseApdu) -> Option<&[u8]> {
    (answer.status() == StatusWord::OK).then(|| answer.data())
}

fn required<'a>(answer: &'a ResponseApdu, named: &'static str) -> Result<&'a [u8], SessionError> {
    told(answer).ok_or_else(|| refusal(named, answer.status()))
}

/// A Bio3 waits for the finger of its owner.
const fn wants_finger(status: StatusWord) -> bool {
    matches!(status.0, 0x6984 | 0x6ffa | 0x9100)
}

fn refusal(exchange: &'static str, status: StatusWord) -> SessionError {
    match status.0 {
        _ if wants_finger(status) => SessionError::LockedOnDevice,
        0x6982 => SessionError::Locked,
        0x6983 => SessionError::Blocked,
        0x6a81 if exchange == "DEVICE KEY" => SessionError::Locked,
        0x6a84 => SessionError::Full,
        0x6a86 => SessionError::NotOverThisConnection,
        0x6ff9 => SessionError::NotTouched,
        0x6a80 | 0x6a83 if matches!(exchange, "READ ONE" | "READ ALL" | "READ MORE" | "DELETE") => {
            SessionError::NoSuchEntry
        }
        _ => SessionError::Refused { exchange, status },
    }
}

#[cfg(test)]
mod tests;
