//! Feitian's FIDO keys with an OTP applet, by part A of the sheet
//! `feitian-otp-applet.md`.
//!
//! All that is known of the applet comes from one client, so whatever that client
//! does not do is not done here either. The key has no clock: the host asks for any
//! step, and the proof needs no waiting and no typing. Names are listed before
//! anything is written, and what is replaced is deleted first, because nobody says
//! what a second entry of one name does. An access code, a reset and entries that
//! ask for a touch are not in this folder.

mod wire;

#[cfg(test)]
mod tests;

use oath::{Algorithm, Code, Digits, Period, SharedSecret, UnixTime};

use crate::{
    Access, Attachment, Candidate, Capabilities, Channel, Characters, ClockRule, CommandApdu,
    Continuation, Entry, EntryName, Family, Guard, NameRule, OpenError, PeriodPrefix, PeriodRule,
    Places, Presence, Proof, ProofClass, Question, Random, Recognition, ResponseApdu, Rung,
    SameName, Serial, Session, SessionError, SmartCardChannel, StatusWord, TokenIdentity,
    TokenState, Unlock, WriteFailure, WritePlan, ZeroRule, exchange, exchange_once,
};

/// Recognises the applet by its answer to SELECT.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "feitian-otp-applet",
    title: "Feitian FIDO keys with an OTP applet",
    models: &["ePass FIDO", "BioPass FIDO"],
    channel: "USB or NFC reader (PC/SC)",
    capabilities: CAPABILITIES,
    evidence: Rung::Vectors,
    evidence_source: "This is experimental: one client's source only, of which our vectors are a \
                      port; its authors list no such key as tested, and none was run by us.",
};

const CAPABILITIES: Capabilities = Capabilities {
    access: Access::Writable,
    secret: 1..=wire::LONGEST_SECRET,
    long_secret_hashed: false,
    zeros: ZeroRule::Harmless,
    algorithms: &[Algorithm::Sha1, Algorithm::Sha256],
    digits: &[6, 8],
    // The name keeps it, and the client knows these two alone.
    period: PeriodRule::Stored(&[Period::S30, Period::S60]),
    name: NameRule::Entry(EntryName {
        most_bytes: wire::LONGEST_NAME,
        fields: None,
        characters: Characters::Utf8,
        period: PeriodPrefix::ColonAlways,
        joint: "_#_",
    }),
    // Nobody says what a second entry of one name does; the worse is assumed.
    places: Places::Named { most: None, same_name: SameName::Overwrites },
    guard: Guard::None,
    presence: Presence::None,
    clock: ClockRule::None,
    proof: ProofClass::Computes,
};

/// Older firmware takes a shorter LIST.
const WRONG_LENGTH: StatusWord = StatusWord(0x6700);

/// The status words that mean "not done": those of the sheet's section A.3, and the
/// two by which a card says that it does not know a command (ISO 7816-4 section 5.6).
const REFUSALS: [u16; 7] = [0x6700, 0x6982, 0x6984, 0x6a80, 0x6a84, 0x6d00, 0x6e00];

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    /// The maker's USB number is known, those of the keys with this applet are not.
    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match candidate.attachment {
            Attachment::SmartCard { .. } => Recognition::MustAsk,
            Attachment::Hid { .. } => Recognition::No,
        }
    }

    fn open(
        &self,
        candidate: &Candidate,
        channel: Channel,
        _: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let Channel::SmartCard(mut card) = channel else {
            return Err(OpenError::NotThisFamily(channel));
        };
        if read(&mut *card, &wire::select(), "SELECT")?.status() != StatusWord::OK {
            return Err(OpenError::NotThisFamily(Channel::SmartCard(card)));
        }
        Ok(Box::new(Feitian {
            card,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: "Feitian key".to_owned(),
                // The applet tells no number. One appearance of one key is all that
                // can be told from another, so a key that was taken away is another
                // key until somebody chooses it again.
                serial: Serial(candidate.id.0.clone()),
                firmware: None,
                clock: None,
            },
        }))
    }
}

struct Feitian {
    card: Box<dyn SmartCardChannel>,
    identity: TokenIdentity,
}

impl Session for Feitian {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    /// How a key with an access code is opened is not public: one that has a code
    /// refuses the list with `6982`, and there it ends.
    fn unlock(&mut self, _: &Unlock) -> Result<(), SessionError> {
        Ok(())
    }

    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        let names = self.names()?;
        let entry = |name: Vec<u8>| Entry::named(String::from_utf8_lossy(&name).into_owned());
        Ok(names.into_iter().map(entry).collect())
    }

    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        _: UnixTime,
    ) -> Result<(), WriteFailure> {
        let name = plan.name().unwrap_or_default();
        let put = wire::put(name, *plan.parameters(), secret).ok_or_else(|| {
            WriteFailure::untouched(SessionError::Malformed {
                exchange: "plan",
                what: "a name or parameters that no such key takes",
            })
        })?;
        let names = self.names().map_err(WriteFailure::untouched)?;
        let mut before = TokenState::Untouched;
        if names.iter().any(|known| known == name.as_bytes()) {
            if !plan.replaces() {
                return Err(WriteFailure::untouched(SessionError::NameTaken));
            }
            self.change(&wire::delete(name), "DELETE", before)?;
            before = TokenState::Emptied;
        }
        self.change(&put, "PUT", before)
    }

    /// The key truncates by itself, so either question is answered with a code.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        _: UnixTime,
    ) -> Result<Proof, SessionError> {
        let (Question::Key(step) | Question::Code(step)) = question;
        let command = wire::calculate(plan.name().unwrap_or_default(), step);
        let answer = read(&mut *self.card, &command, "CALCULATE")?;
        require_ok(&answer, "CALCULATE")?;
        let (digits, number) = wire::calculated(&answer)
            .ok_or(SessionError::Malformed { exchange: "CALCULATE", what: "no code" })?;
        let digits = Digits::new(u64::from(digits))
            .map_err(|_| SessionError::Malformed { exchange: "CALCULATE", what: "digits" })?;
        Ok(Proof::Code(Code::from_truncated(number, digits)))
    }
}

impl Feitian {
    fn names(&mut self) -> Result<Vec<Vec<u8>>, SessionError> {
        let mut answer = read(&mut *self.card, &wire::list(), "LIST")?;
        if answer.status() == WRONG_LENGTH {
            answer = read(&mut *self.card, &wire::list_of_older_firmware(), "LIST")?;
        }
        require_ok(&answer, "LIST")?;
        wire::listed(&answer).ok_or(SessionError::Malformed { exchange: "LIST", what: "lengths" })
    }

    /// Sends a command that changes the key; `before` is what the key holds when
    /// the command is surely without effect.
    fn change(
        &mut self,
        command: &CommandApdu,
        named: &'static str,
        before: TokenState,
    ) -> Result<(), WriteFailure> {
        let cleared = before == TokenState::Emptied;
        let (surely_not_done, cause) = match exchange_once(&mut *self.card, command, named) {
            Ok(answer) => match require_ok(&answer, named) {
                Ok(()) => return Ok(()),
                Err(cause) => (REFUSALS.contains(&answer.status().0), cause),
            },
            Err(cause) => {
                let sent = !matches!(&cause, SessionError::Channel(error)
                    if !error.may_have_taken_effect());
                (!sent, cause)
            }
        };
        let token = if surely_not_done { before } else { TokenState::Unknown };
        Err(WriteFailure { token, cause, cleared })
    }
}

fn read(
    card: &mut dyn SmartCardChannel,
    command: &CommandApdu,
    named: &'static str,
) -> Result<ResponseApdu, SessionError> {
    exchange(card, command, Continuation::GetResponse, named)
}

/// `6982`, a key with an access code, stays a refusal with its number: to ask for a
/// code that nothing here can send would lead nowhere.
fn require_ok(answer: &ResponseApdu, exchange: &'static str) -> Result<(), SessionError> {
    match answer.status() {
        StatusWord::OK => Ok(()),
        StatusWord(0x6984) => Err(SessionError::NotTouched),
        StatusWord(0x6a84) => Err(SessionError::Full),
        status => Err(SessionError::Refused { exchange, status }),
    }
}
