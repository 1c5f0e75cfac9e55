//! Token2 Molto2 and Molto2v2, 50 or 100 slots over USB, by the sheet
//! `token2-molto2.md`.
//!
//! A device with a display and no way to read a code or a seed: its slots, their
//! titles and settings and its clock can be read by anybody, so these are compared
//! after the write, and a person types what the display shows. The customer key is
//! tried once a session, the maker's public one unless another was given, because
//! wrong ones are counted. Factory reset, new customer key and screen lock are not
//! in this folder.

mod cipher;
mod wire;

#[cfg(test)]
mod tests;

use oath::{Algorithm, Period, SharedSecret, UnixTime};

use self::cipher::Key;
use self::wire::{Block, Difference, Filling};
use crate::{
    Access, Attachment, Candidate, Capabilities, Channel, ClockRule, CommandApdu, Continuation,
    Entry, Family, Guard, NameRule, OpenError, PeriodRule, Places, Presence, Proof, ProofClass,
    Question, Random, Recognition, ResponseApdu, Rung, Serial, Session, SessionError, Slot,
    SmartCardChannel, StatusWord, Taken, TokenIdentity, TokenState, Unlock, WriteFailure,
    WritePlan, ZeroRule, exchange, exchange_once,
};

/// Recognises these tokens by the name of their reader, which is the token itself.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "token2-molto2",
    title: "Token2 Molto2, many slots over USB",
    models: &["Molto2", "Molto2v2"],
    channel: "USB (PC/SC)",
    capabilities: CAPABILITIES,
    evidence: Rung::MakersBytes,
    evidence_source: "Requests equal those of the maker's own tool, run against a stub; the form \
                      of the serial number's answer is inferred, and sources contradict each \
                      other on the padding of seeds and on what deletes one.",
};

const CAPABILITIES: Capabilities = Capabilities {
    access: Access::Writable,
    secret: 1..=63,
    long_secret_hashed: false,
    zeros: ZeroRule::NotAlone,
    algorithms: &[Algorithm::Sha1, Algorithm::Sha256],
    digits: &[4, 6, 8, 10],
    period: PeriodRule::Stored(&[Period::S30, Period::S60]),
    name: NameRule::Title { most_bytes: 12 },
    places: Places::Slots { count: wire::MOST_SLOTS as u16 },
    guard: Guard::FactoryKey,
    presence: Presence::PressAfter,
    clock: ClockRule::SetOnWrite { erases_secret: false },
    proof: ProofClass::Displays,
};

/// The fewest slots of any model (sheet section 1).
const FEWEST_SLOTS: u8 = 50;

/// Nothing is there to delete (sheet section 3.5).
const NOTHING_THERE: StatusWord = StatusWord(0x6a83);

/// The status words that surely mean "not done". The sheet names `63xx` and `6A83`
/// and calls all others failures; these are the checking errors of ISO 7816-4
/// section 5.6, which a card tells before it begins. After any other word it is
/// unknown what became of the command.
const REFUSALS: [u16; 10] =
    [0x6700, 0x6982, 0x6983, 0x6985, 0x6a80, 0x6a83, 0x6a86, 0x6b00, 0x6d00, 0x6e00];

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    /// The token is its own reader and needs no SELECT, so a question would not
    /// tell it from other cards. The brand stands in the names of FIDO keys and of
    /// an NFC reader too; `molto` stands in these alone (sheet section 1).
    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match &candidate.attachment {
            Attachment::SmartCard { reader, .. }
                if reader.to_ascii_lowercase().contains("molto") =>
            {
                Recognition::Yes
            }
            Attachment::SmartCard { .. } | Attachment::Hid { .. } => Recognition::No,
        }
    }

    fn open(
        &self,
        _: &Candidate,
        channel: Channel,
        _: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let Channel::SmartCard(mut card) = channel else {
            return Err(OpenError::NotThisFamily(channel));
        };
        let answer = read(&mut *card, &wire::device_info(), "DEVICE INFO")?;
        if answer.status() != StatusWord::OK {
            return Err(OpenError::NotThisFamily(Channel::SmartCard(card)));
        }
        let (serial, clock) = wire::info(&answer).ok_or(NO_INFO)?;
        Ok(Box::new(Molto2 {
            card,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: "Molto2".to_owned(),
                serial: Serial(serial),
                firmware: None,
                clock: Some(clock),
            },
            key: Key::factory(),
            authentication: Authentication::Untried,
        }))
    }
}

struct Molto2 {
    card: Box<dyn SmartCardChannel>,
    identity: TokenIdentity,
    /// The owner's customer key once it was given, else the maker's.
    key: Key,
    authentication: Authentication,
}

/// The one answer to a challenge that a session sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Authentication {
    /// It was not sent yet.
    Untried,
    /// The token took it, and takes secured commands until the connection ends.
    Accepted,
    /// It was sent and not taken, or what came of it is unknown.
    Spent,
}

impl Session for Molto2 {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    /// Keeps the customer key for the authentication within `write`. What cannot be
    /// one is called wrong at once: nothing is sent, and no try is spent.
    fn unlock(&mut self, key: &Unlock) -> Result<(), SessionError> {
        let key = Key::typed(&key.0).ok_or(SessionError::WrongKey { tries_left: None })?;
        match self.authentication {
            Authentication::Untried => self.key = key,
            Authentication::Accepted => {}
            Authentication::Spent => return Err(SessionError::AuthenticationRefused),
        }
        Ok(())
    }

    /// Every slot by its number. No command tells how many there are, so they are
    /// read until the token says no (sheet section 1).
    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        let mut entries = Vec::new();
        for slot in 0..wire::MOST_SLOTS {
            match self.block(slot) {
                Ok(block) => entries.push(entry(slot, &block)),
                Err(SessionError::Refused { .. }) if slot > 0 => break,
                Err(SessionError::Malformed { .. }) if slot >= FEWEST_SLOTS => break,
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }

    /// Slot block, authentication, deletion of what gives way, seed, title,
    /// settings with the clock, and the slot block again.
    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Result<(), WriteFailure> {
        // All commands are complete before the first is sent, so that nothing on
        // this side can fail between them.
        let filling = Filling::of(&self.key, plan, secret, now);
        let (Some(slot), Some(filling)) = (wire::slot(plan), filling) else {
            return Err(WriteFailure::untouched(SessionError::Malformed {
                exchange: "plan",
                what: "a slot or parameters that no such token takes",
            }));
        };
        let found = self.block(slot).map_err(WriteFailure::untouched)?;
        // Where the token does not tell, something may be there.
        if found.taken != Taken::No && !plan.replaces() {
            return Err(WriteFailure::untouched(SessionError::NameTaken));
        }
        self.authenticate().map_err(WriteFailure::untouched)?;
        let cleared = self.clear(slot, found.taken)?;
        let before = if cleared { TokenState::Emptied } else { TokenState::Untouched };
        let failed = |token| move |not_done: NotDone| not_done.failure(token, cleared);
        self.send(&filling.seed, "WRITE SEED").map_err(failed(before))?;
        // From here to the settings the new seed has the old digits, period and
        // clock, and no state of a token is called that.
        self.send(&filling.title, "WRITE TITLE").map_err(failed(TokenState::Unknown))?;
        self.send(&filling.config, "WRITE CONFIG").map_err(failed(TokenState::Unknown))?;
        self.read_back(slot, plan).map_err(|(token, cause)| WriteFailure { token, cause, cleared })
    }

    /// Reads serial, clock and slot again; the code itself only the display tells.
    fn prove(&mut self, plan: &WritePlan, _: Question, _: UnixTime) -> Result<Proof, SessionError> {
        let answer = read(&mut *self.card, &wire::device_info(), "DEVICE INFO")?;
        require_ok(&answer, "DEVICE INFO")?;
        let (serial, clock) = wire::info(&answer).ok_or(NO_INFO)?;
        if serial != self.identity.serial.0 {
            return Err(SessionError::AnotherToken);
        }
        self.identity.clock = Some(clock);
        let slot = wire::slot(plan)
            .ok_or(SessionError::Malformed { exchange: "plan", what: "no slot" })?;
        self.read_back(slot, plan).map_err(|(_, cause)| cause)?;
        Ok(Proof::MustBeTyped { clock: Some(clock) })
    }
}

impl Molto2 {
    fn block(&mut self, slot: u8) -> Result<Block, SessionError> {
        let answer = read(&mut *self.card, &wire::slot_block(slot), "SLOT BLOCK")?;
        require_ok(&answer, "SLOT BLOCK")?;
        Block::parse(&answer)
            .ok_or(SessionError::Malformed { exchange: "SLOT BLOCK", what: "lengths" })
    }

    /// Compares a slot with what was written into it, and says what the token holds
    /// if it cannot be read or differs.
    fn read_back(&mut self, slot: u8, plan: &WritePlan) -> Result<(), (TokenState, SessionError)> {
        let block = self.block(slot).map_err(|cause| (TokenState::Written, cause))?;
        let (token, what) = match block.difference(plan) {
            None => return Ok(()),
            Some(Difference::NoSecret) => (TokenState::Unknown, "no seed after the write"),
            Some(Difference::Settings) => (TokenState::Unknown, "not the settings written"),
            Some(Difference::Title) => (TokenState::Written, "not the title written"),
        };
        Err((token, SessionError::Malformed { exchange: "SLOT BLOCK", what }))
    }

    fn authenticate(&mut self) -> Result<(), SessionError> {
        match self.authentication {
            Authentication::Untried => {}
            Authentication::Accepted => return Ok(()),
            Authentication::Spent => return Err(SessionError::AuthenticationRefused),
        }
        let answer = read(&mut *self.card, &wire::challenge(), "CHALLENGE")?;
        require_ok(&answer, "CHALLENGE")?;
        let challenge: [u8; 8] = answer.data().try_into().map_err(|_| SessionError::Malformed {
            exchange: "CHALLENGE",
            what: "not eight bytes",
        })?;
        self.authentication = Authentication::Spent;
        let command = wire::answer(&self.key, challenge);
        match exchange_once(&mut *self.card, &command, "ANSWER")?.status() {
            StatusWord::OK => {
                self.authentication = Authentication::Accepted;
                Ok(())
            }
            status => Err(match wire::wrong_key(status) {
                Some(left) => SessionError::WrongKey { tries_left: Some(left) },
                None => SessionError::AuthenticationRefused,
            }),
        }
    }

    /// Deletes what has to give way, and tells whether something surely did.
    fn clear(&mut self, slot: u8, taken: Taken) -> Result<bool, WriteFailure> {
        if taken == Taken::No {
            return Ok(false);
        }
        match self.send(&wire::delete(slot), "DELETE SEED") {
            Ok(()) => Ok(true),
            // It did not tell before whether a seed was there, and now it did.
            Err(NotDone { cause: SessionError::Refused { status: NOTHING_THERE, .. }, .. })
                if taken == Taken::NotTold =>
            {
                Ok(false)
            }
            Err(not_done) => Err(not_done.failure(TokenState::Untouched, false)),
        }
    }

    /// Sends a command that changes the token.
    fn send(&mut self, command: &CommandApdu, named: &'static str) -> Result<(), NotDone> {
        match exchange_once(&mut *self.card, command, named) {
            Ok(answer) => match answer.status() {
                StatusWord::OK => Ok(()),
                status => Err(NotDone {
                    surely: REFUSALS.contains(&status.0) || wire::wrong_key(status).is_some(),
                    cause: SessionError::Refused { exchange: named, status },
                }),
            },
            Err(cause) => {
                let sent = !matches!(&cause, SessionError::Channel(error)
                    if !error.may_have_taken_effect());
                Err(NotDone { surely: !sent, cause })
            }
        }
    }
}

/// A command that changes the token and did not end with `9000`.
struct NotDone {
    /// Whether it surely changed nothing.
    surely: bool,
    cause: SessionError,
}

impl NotDone {
    fn failure(self, before: TokenState, cleared: bool) -> WriteFailure {
        let token = if self.surely { before } else { TokenState::Unknown };
        WriteFailure { token, cause: self.cause, cleared }
    }
}

const NO_INFO: SessionError =
    SessionError::Malformed { exchange: "DEVICE INFO", what: "no serial number and clock" };

fn entry(slot: u8, block: &Block) -> Entry {
    Entry {
        name: String::from_utf8_lossy(&block.title).into_owned(),
        slot: Some(Slot { number: u16::from(slot), label: slot.to_string() }),
        taken: block.taken,
    }
}

fn read(
    card: &mut dyn SmartCardChannel,
    command: &CommandApdu,
    named: &'static str,
) -> Result<ResponseApdu, SessionError> {
    exchange(card, command, Continuation::GetResponse, named)
}

fn require_ok(answer: &ResponseApdu, exchange: &'static str) -> Result<(), SessionError> {
    match answer.status() {
        StatusWord::OK => Ok(()),
        status => Err(SessionError::Refused { exchange, status }),
    }
}
