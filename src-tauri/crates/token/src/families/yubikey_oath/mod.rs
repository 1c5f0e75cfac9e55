//! Keys with the YKOATH applet: YubiKey, NEO, CanoKey, pico-fido, Solo 2, by the
//! sheets `yubikey-oath.md` and `canokey-pico-solo2.md`.
//!
//! The key has no clock: the host asks for any step, so the proof needs no
//! waiting and no typing. Names are listed before anything is written, and what
//! is replaced is deleted first, because products differ in what a second entry
//! of one name does. RESET is not in this file.

mod access;
mod product;
mod wire;

use data_encoding::BASE64_NOPAD;
use oath::{Code, Digits, Response, SharedSecret, TimeStep, UnixTime};
use sha2::{Digest, Sha256};

use self::access::Access;
use self::product::Product;
use self::wire::{Calculated, Form, SelectAnswer};
use crate::{
    Attachment, Candidate, Capabilities, Channel, CommandApdu, Continuation, Entry, Family, Guard,
    OpenError, Proof, Question, Random, Recognition, ResponseApdu, Rung, Serial, Session,
    SessionError, SmartCardChannel, StatusWord, TokenIdentity, TokenState, Unlock, WriteFailure,
    WritePlan, exchange, exchange_once,
};

/// Recognises the applet by its answer to SELECT.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "yubikey-oath",
    title: "Keys with a YKOATH applet",
    models: &["YubiKey 4 and 5", "YubiKey NEO", "CanoKey", "pico-fido, RS-Key", "Solo 2"],
    channel: "USB or NFC reader (PC/SC)",
    capabilities: product::capabilities(
        Product::YubiKey { sha512: true, most: 32, mixes_up_prefixes: false },
        Guard::None,
    ),
    evidence: Rung::OthersCode,
    evidence_source: "Vectors of the maker's client and of two firmwares; \
                      ykman and canokey-manager read what is written and the other way round, from emulated keys.",
};

/// A CanoKey has 100 entries, and no part of its list is empty.
const MOST_HIDDEN_PARTS: usize = 128;

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    /// Reader names and ATRs prove nothing (pcsc-nfc.md section 2): every card is asked.
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
        random: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let Channel::SmartCard(mut card) = channel else {
            return Err(OpenError::NotThisFamily(channel));
        };
        let reader = match &candidate.attachment {
            Attachment::SmartCard { reader, .. } => reader.as_str(),
            Attachment::Hid { .. } => "",
        };
        let answer = send(&mut *card, &wire::select(), "SELECT")?;
        let Some(selected) = SelectAnswer::parse(&answer) else {
            return Err(if product::is_canokey_of_old(&answer, reader) {
                OpenError::Failed(SessionError::FirmwareTooOld)
            } else {
                OpenError::NotThisFamily(Channel::SmartCard(card))
            });
        };
        let Some(product) = Product::of(&selected, reader) else {
            return Err(OpenError::NotThisFamily(Channel::SmartCard(card)));
        };
        let guard = match selected.challenge {
            Some(_) => Guard::Password,
            None => Guard::None,
        };
        let [major, minor, patch] = selected.version;
        Ok(Box::new(YkOath {
            card,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: product.title().to_owned(),
                serial: device_id(&selected.salt),
                firmware: Some(format!("{major}.{minor}.{patch}")),
                clock: None,
            },
            capabilities: product::capabilities(product, guard),
            product,
            selected,
            access: None,
            random: random.clone(),
        }))
    }
}

/// What ykman shows as device id: the serial number is not in this applet, but
/// the salt differs from key to key and changes only with a reset.
fn device_id(salt: &[u8]) -> Serial {
    Serial(BASE64_NOPAD.encode(&Sha256::digest(salt)[..16]))
}

struct YkOath {
    card: Box<dyn SmartCardChannel>,
    identity: TokenIdentity,
    capabilities: Capabilities,
    product: Product,
    selected: SelectAnswer,
    /// The key derived from the password; the password itself is not kept.
    access: Option<Access>,
    random: Random,
}

impl Session for YkOath {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn unlock(&mut self, key: &Unlock) -> Result<(), SessionError> {
        let Some(card_challenge) = self.selected.challenge.clone() else {
            return Ok(());
        };
        let mut challenge = [0; 8];
        (self.random)(&mut challenge);
        let access = Access::derive(&key.0, &self.selected.salt, challenge);
        self.validate(&access, &card_challenge)?;
        self.access = Some(access);
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
        let name = plan.name().unwrap_or_default().as_bytes();
        let put = wire::put(name, *plan.parameters(), secret);
        let names = self.names().map_err(WriteFailure::untouched)?;
        let taken = names.iter().any(|known| known == name);
        if self.product.mixes_up_prefixes()
            && names.iter().any(|known| known != name && known.starts_with(name))
        {
            return Err(WriteFailure::untouched(SessionError::NameTaken));
        }
        let mut before = TokenState::Untouched;
        if taken {
            if !plan.replaces() {
                return Err(WriteFailure::untouched(SessionError::NameTaken));
            }
            self.change(&wire::delete(name), "DELETE", before)?;
            before = TokenState::Emptied;
        }
        self.change(&put, "PUT", before)
    }

    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        _: UnixTime,
    ) -> Result<Proof, SessionError> {
        let name = plan.name().unwrap_or_default().as_bytes();
        let calculated = match question {
            Question::Key(step) => match self.calculate(name, step, Form::Full) {
                // A product that knows the truncated form only says that P2 is wrong.
                Err(SessionError::Refused { status: StatusWord(0x6b00 | 0x6a86), .. }) => {
                    self.calculate(name, step, Form::Truncated)?
                }
                other => other?,
            },
            Question::Code(step) => self.calculate(name, step, Form::Truncated)?,
        };
        // What the key answers decides, not what it was asked: some products
        // answer either question in the one form that they have.
        match calculated {
            Calculated::Full(mac) => Ok(Proof::Computed(Response::new(mac))),
            Calculated::Truncated { digits, number } => {
                let digits = Digits::new(u64::from(digits)).map_err(|_| {
                    SessionError::Malformed { exchange: "CALCULATE", what: "digits" }
                })?;
                Ok(Proof::Code(Code::from_truncated(number, digits)))
            }
        }
    }
}

impl YkOath {
    /// Sends a command that needs an open key.
    ///
    /// A Solo 2 with a password forgets after each command that it was opened;
    /// it is selected and opened anew before each (canokey-pico-solo2.md, rule 5).
    fn ask(
        &mut self,
        command: &CommandApdu,
        named: &'static str,
    ) -> Result<ResponseApdu, SessionError> {
        self.open_if_needed()?;
        exchange(&mut *self.card, command, self.product.continuation(), named)
    }

    fn open_if_needed(&mut self) -> Result<(), SessionError> {
        if self.selected.challenge.is_some() && self.access.is_none() {
            return Err(SessionError::Locked);
        }
        if self.product.forgets_after_each_command()
            && let Some(access) = self.access.take()
        {
            let reopened = self.reopen(&access);
            self.access = Some(access);
            reopened?;
        }
        Ok(())
    }

    fn reopen(&mut self, access: &Access) -> Result<(), SessionError> {
        let answer = send(&mut *self.card, &wire::select(), "SELECT")?;
        let selected = SelectAnswer::parse(&answer)
            .ok_or(SessionError::Malformed { exchange: "SELECT", what: "no version" })?;
        if selected.salt != self.selected.salt {
            return Err(SessionError::AnotherToken);
        }
        match selected.challenge {
            Some(challenge) => self.validate(access, &challenge),
            None => Ok(()),
        }
    }

    fn validate(&mut self, access: &Access, card_challenge: &[u8]) -> Result<(), SessionError> {
        let command = wire::validate(&access.sign(card_challenge), access.challenge());
        let answer = send(&mut *self.card, &command, "VALIDATE")?;
        match answer.status() {
            StatusWord::OK if wire::validated(&answer).is_some_and(|mac| access.accepts(&mac)) => {
                Ok(())
            }
            StatusWord::OK => Err(SessionError::Malformed {
                exchange: "VALIDATE",
                what: "the key does not know the password either",
            }),
            status if self.product.wrong_password().contains(&status.0) => {
                Err(SessionError::WrongKey { tries_left: None })
            }
            status => Err(SessionError::Refused { exchange: "VALIDATE", status }),
        }
    }

    fn names(&mut self) -> Result<Vec<Vec<u8>>, SessionError> {
        let answer = self.ask(&wire::list(), "LIST")?;
        match answer.status() {
            StatusWord::OK => {
                let mut names = listed(&answer)?;
                if self.product.may_go_on_behind_an_end() {
                    self.add_hidden_names(&mut names)?;
                }
                Ok(names)
            }
            // CanoKey firmware below 1.5 knows other instruction bytes.
            StatusWord(0x6d00) => Err(SessionError::FirmwareTooOld),
            status => Err(self.refusal("LIST", status)),
        }
    }

    /// Asks a CanoKey for what it may not have said: before firmware 3.0.1 each part of
    /// its list ends like the last one. Which firmware it has its applet does not tell,
    /// so all of them are asked, until one says that there is no more.
    fn add_hidden_names(&mut self, names: &mut Vec<Vec<u8>>) -> Result<(), SessionError> {
        for _ in 0..MOST_HIDDEN_PARTS {
            let part = send(&mut *self.card, &wire::send_remaining(), "LIST")?;
            if part.status() != StatusWord::OK || part.data().is_empty() {
                return Ok(());
            }
            names.extend(listed(&part)?);
        }
        Err(SessionError::Malformed { exchange: "LIST", what: "an answer without end" })
    }

    fn calculate(
        &mut self,
        name: &[u8],
        step: TimeStep,
        form: Form,
    ) -> Result<Calculated, SessionError> {
        let answer = self.ask(&wire::calculate(name, step, form), "CALCULATE")?;
        match answer.status() {
            StatusWord::OK => wire::calculated(&answer)
                .ok_or(SessionError::Malformed { exchange: "CALCULATE", what: "no response" }),
            StatusWord(0x6984) => Err(SessionError::NoSuchEntry),
            status => Err(self.refusal("CALCULATE", status)),
        }
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
        // Selecting and proving the password again changes nothing, however it ends.
        self.open_if_needed().map_err(|cause| WriteFailure { token: before, cause, cleared })?;
        match exchange_once(&mut *self.card, command, named) {
            Ok(answer) if answer.status() == StatusWord::OK => Ok(()),
            Ok(answer) => {
                let cause = self.refusal(named, answer.status());
                // Somebody else's entry has come between the deletion and this.
                let filled_again = cleared && cause == SessionError::NameTaken;
                let refused = product::REFUSALS.contains(&answer.status().0)
                    || self.product.is_full(answer.status());
                let sure = refused && !filled_again;
                Err(WriteFailure {
                    token: if sure { before } else { TokenState::Unknown },
                    cause,
                    cleared,
                })
            }
            Err(cause) => {
                let nothing_sent =
                    matches!(&cause, SessionError::Channel(e) if !e.may_have_taken_effect());
                Err(WriteFailure {
                    token: if nothing_sent { before } else { TokenState::Unknown },
                    cause,
                    cleared,
                })
            }
        }
    }

    fn refusal(&self, exchange: &'static str, status: StatusWord) -> SessionError {
        match status.0 {
            _ if self.product.is_full(status) && exchange == "PUT" => SessionError::Full,
            0x6982 => SessionError::Locked,
            0x6985 if self.product.forgets_after_each_command() => SessionError::Locked,
            // Not listed a moment ago, and there all the same: somebody was faster.
            0x6985 if exchange == "PUT" && self.product.refuses_a_second_entry() => {
                SessionError::NameTaken
            }
            // A key of the FIPS series wants a secure channel over NFC.
            0x6985 if exchange == "PUT" => SessionError::NotOverThisConnection,
            0x6984 if exchange == "DELETE" => SessionError::NoSuchEntry,
            _ => SessionError::Refused { exchange, status },
        }
    }
}

fn listed(answer: &ResponseApdu) -> Result<Vec<Vec<u8>>, SessionError> {
    wire::listed(answer).ok_or(SessionError::Malformed { exchange: "LIST", what: "lengths" })
}

fn send(
    card: &mut dyn SmartCardChannel,
    command: &CommandApdu,
    named: &'static str,
) -> Result<ResponseApdu, SessionError> {
    exchange(card, command, Continuation::SendRemaining, named)
}
