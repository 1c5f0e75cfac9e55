//! Nitrokey 3 with the Secrets app, over PC/SC and over the FIDO interface
//! (nitrokey-secrets.md).
//!
//! The app has the name and the tags of YKOATH and rules of its own: a name that
//! is taken is refused, a deletion wants a touch, and only truncated codes are told.
//! Plain entries are written, which need no PIN even where one is set; entries
//! behind the PIN are neither offered nor seen. RESET and every command about the
//! PIN are not in this file.

mod ctaphid;
mod wire;

use std::sync::Arc;

use data_encoding::HEXLOWER;
use oath::{Algorithm, Code, Digits, SharedSecret, TimeStep, UnixTime};

use self::ctaphid::CtapHid;
use self::wire::{Listed, SelectAnswer};
use crate::{
    Access, Attachment, Candidate, Capabilities, Channel, ChannelError, Characters, ClockRule, CommandApdu,
    Continuation, Deed, Entry, EntryName, Family, Guard, HidInterface, NameRule, OpenError, PeriodPrefix, PeriodRule,
    Places, Presence, Proof, ProofClass, Question, Random, Recognition, ResponseApdu, Rung,
    SameName, Serial, Session, SessionError, SmartCardChannel, StatusWord, Summons, TokenIdentity,
    TokenState, Unlock, Unrecognised, WriteFailure, WritePlan, ZeroRule, exchange, exchange_once,
};

/// Recognises the app by the serial number in its answer to SELECT.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "nitrokey-secrets",
    title: "Nitrokey 3",
    models: &["Nitrokey 3A NFC", "Nitrokey 3C NFC", "Nitrokey 3A Mini"],
    channel: "USB (PC/SC, or the FIDO interface by HID)",
    capabilities: CAPABILITIES,
    evidence: Rung::OthersCode,
    evidence_source: "Requests equal those of the maker's own library, byte for byte on HID, and \
                      that library reads what is written and the other way round, over PC/SC \
                      and over HID, both from an emulated key; the Le byte on PC/SC is inferred from other keys.",
};

const CAPABILITIES: Capabilities = Capabilities {
    access: Access::Writable,
    secret: 1..=wire::LONGEST_KEY,
    long_secret_hashed: true,
    zeros: ZeroRule::Harmless,
    // PUT takes SHA-512 and CALCULATE refuses it.
    algorithms: &[Algorithm::Sha1, Algorithm::Sha256],
    digits: &[6, 7, 8],
    period: PeriodRule::HostOnly,
    name: NameRule::Entry(EntryName {
        most_bytes: wire::LONGEST_NAME,
        fields: None,
        characters: Characters::Utf8,
        period: PeriodPrefix::Never,
        joint: ":",
    }),
    places: Places::Named { most: Some(50), same_name: SameName::Refuses },
    guard: Guard::None,
    presence: Presence::TouchToReplace,
    clock: ClockRule::None,
    proof: ProofClass::Computes,
};

/// Vendor and product of the Nitrokey 3, and the usage page of the FIDO interface.
/// The Nitrokey Passkey, `20A0:42F3`, has no such app.
const HID: (u16, u16, u16) = (0x20a0, 0x42b2, 0xf1d0);

/// Status words of PUT and DELETE that mean "not done" (sheet section 3). Internal
/// trouble, `6400`, `6500` and `6A88`, is not among them.
const REFUSALS: [u16; 8] = [0x6982, 0x6983, 0x6985, 0x6a80, 0x6a81, 0x6a82, 0x6a84, 0x6d00];

/// A name that is taken.
const NAME_EXISTS: StatusWord = StatusWord(0x6983);

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    /// Reader names and ATRs prove nothing (pcsc-nfc.md section 2): every card is
    /// asked. On HID the maker's numbers tell.
    fn hid_interfaces(&self) -> &'static [HidInterface] {
        const { &[HidInterface { vendor: HID.0, product: Some(HID.1), usage_page: Some(HID.2) }] }
    }

    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match &candidate.attachment {
            Attachment::SmartCard { .. } => Recognition::MustAsk,
            Attachment::Hid { vendor, product, usage_page, .. }
                if (*vendor, *product, *usage_page) == HID =>
            {
                Recognition::Yes
            }
            Attachment::Hid { .. } => Recognition::No,
        }
    }

    fn open(
        &self,
        _: &Candidate,
        channel: Channel,
        random: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        match channel {
            Channel::SmartCard(card) => open_card(card),
            Channel::Hid(device) => open_hid(CtapHid::new(device, random.clone())),
        }
    }
}

/// On PC/SC the card splits long answers as ISO 7816-4 says; what the app splits
/// itself is continued by SEND REMAINING, and `exchange` tries the one after the other.
fn open_card(mut card: Box<dyn SmartCardChannel>) -> Result<Box<dyn Session>, OpenError> {
    let by = Continuation::GetResponse;
    let answer = exchange(&mut *card, &wire::select(), by, "SELECT")?;
    match SelectAnswer::parse(&answer) {
        Some(selected) => Ok(Box::new(Secrets::new(Way::Card(card), by, &selected))),
        None => Err(OpenError::NotThisFamily(Channel::SmartCard(card))),
    }
}

/// On HID no SELECT is needed; it is sent for the serial number in its answer.
fn open_hid(mut ctap: CtapHid) -> Result<Box<dyn Session>, OpenError> {
    let by = Continuation::SendRemaining;
    let answer = match exchange(&mut ctap, &wire::select(), by, "SELECT") {
        Err(SessionError::Channel(error)) if ctaphid::no_such_app(&error) => {
            return Err(OpenError::Stranger(Unrecognised::Nitrokey3));
        }
        other => other?,
    };
    match (SelectAnswer::parse(&answer), answer.status()) {
        (Some(selected), _) => Ok(Box::new(Secrets::new(Way::Hid(ctap), by, &selected))),
        // An app from before serial numbers were told lists its entries otherwise.
        (None, StatusWord::OK) => Err(OpenError::Failed(SessionError::FirmwareTooOld)),
        (None, _) => Err(OpenError::NotThisFamily(Channel::Hid(ctap.into_device()))),
    }
}

struct Secrets {
    way: Way,
    by: Continuation,
    identity: TokenIdentity,
    summons: Option<Summons>,
}

/// How commands get to the app.
enum Way {
    Card(Box<dyn SmartCardChannel>),
    Hid(CtapHid),
}

impl SmartCardChannel for Way {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        match self {
            Self::Card(card) => card.transmit(command),
            Self::Hid(ctap) => ctap.transmit(command),
        }
    }
}

impl Session for Secrets {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn summon_by(&mut self, summons: Summons) {
        if let Way::Hid(ctap) = &mut self.way {
            ctap.summon_by(Arc::clone(&summons));
        }
        self.summons = Some(summons);
    }

    /// Plain entries are behind nothing, and no try of the PIN is ever spent.
    fn unlock(&mut self, _: &Unlock) -> Result<(), SessionError> {
        Ok(())
    }

    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        let entry =
            |listed: Listed| Entry::named(String::from_utf8_lossy(&listed.name).into_owned());
        Ok(self.list()?.into_iter().map(entry).collect())
    }

    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        _: UnixTime,
    ) -> Result<(), WriteFailure> {
        let name = plan.name().unwrap_or_default();
        // Complete before the first command is sent, so that nothing on this side
        // can fail between them.
        let Some(put) = wire::put(name, *plan.parameters(), secret) else {
            return Err(WriteFailure::untouched(SessionError::Malformed {
                exchange: "plan",
                what: "a name, secret or hash that no such key takes",
            }));
        };
        let mut before = TokenState::Untouched;
        if let Some(taken) = self.find(name).map_err(WriteFailure::untouched)? {
            if !plan.replaces() || !taken.holds_codes_only() {
                return Err(WriteFailure::untouched(SessionError::NameTaken));
            }
            // Over PC/SC nothing else tells that the key waits.
            if let Some(summons) = &self.summons {
                summons(Deed::Touch);
            }
            self.change(&wire::delete(name), "DELETE", before)?;
            before = TokenState::Emptied;
        }
        self.change(&put, "PUT", before)
    }

    /// The key truncates, so either question is answered with a code.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        _: UnixTime,
    ) -> Result<Proof, SessionError> {
        let name = plan.name().unwrap_or_default();
        // What is there may not be what was written: after a break it is looked for.
        match self.find(name)? {
            None => return Err(SessionError::NoSuchEntry),
            Some(listed) if !listed.is_time_based() => {
                return Err(SessionError::Malformed {
                    exchange: "LIST",
                    what: "the entry counts, and asking it would change it",
                });
            }
            Some(_) => {}
        }
        let (Question::Key(step) | Question::Code(step)) = question;
        let (digits, number) = self.calculate(name, step)?;
        let digits = Digits::new(u64::from(digits))
            .map_err(|_| SessionError::Malformed { exchange: "CALCULATE", what: "digits" })?;
        Ok(Proof::Code(Code::from_truncated(number, digits)))
    }
}

impl Secrets {
    fn new(way: Way, by: Continuation, selected: &SelectAnswer) -> Self {
        let app = |[major, minor, patch]: [u8; 3]| format!("Secrets app {major}.{minor}.{patch}");
        let identity = TokenIdentity {
            family: FAMILY.name,
            model: FAMILY.title.to_owned(),
            serial: Serial(HEXLOWER.encode(&selected.serial)),
            firmware: selected.version.map(app),
            clock: None,
        };
        Self { way, by, identity, summons: None }
    }

    fn ask(
        &mut self,
        command: &CommandApdu,
        named: &'static str,
    ) -> Result<ResponseApdu, SessionError> {
        exchange(&mut self.way, command, self.by, named)
    }

    fn list(&mut self) -> Result<Vec<Listed>, SessionError> {
        let answer = self.ask(&wire::list(), "LIST")?;
        match answer.status() {
            StatusWord::OK => wire::listed(&answer)
                .ok_or(SessionError::Malformed { exchange: "LIST", what: "lengths" }),
            status => Err(SessionError::Refused { exchange: "LIST", status }),
        }
    }

    fn find(&mut self, name: &str) -> Result<Option<Listed>, SessionError> {
        let entries = self.list()?;
        Ok(entries.into_iter().find(|listed| listed.name == name.as_bytes()))
    }

    fn calculate(&mut self, name: &str, step: TimeStep) -> Result<(u8, u32), SessionError> {
        let answer = self.ask(&wire::calculate(name, step), "CALCULATE")?;
        match answer.status() {
            StatusWord::OK => wire::calculated(&answer)
                .ok_or(SessionError::Malformed { exchange: "CALCULATE", what: "no code" }),
            StatusWord(0x6a82) => Err(SessionError::NoSuchEntry),
            StatusWord(0x6982) => Err(SessionError::NotTouched),
            status => Err(SessionError::Refused { exchange: "CALCULATE", status }),
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
        let replaced = before == TokenState::Emptied;
        let (nothing_done, cause, cleared) = match exchange_once(&mut self.way, command, named) {
            Ok(answer) => match answer.status() {
                StatusWord::OK => return Ok(()),
                // The firmware says that an entry is deleted without looking whether
                // it is, so this may be the old one.
                status @ NAME_EXISTS if replaced => (false, refusal(named, status), false),
                status => (REFUSALS.contains(&status.0), refusal(named, status), replaced),
            },
            Err(cause) => (not_taken(&cause), cause, replaced),
        };
        let token = if nothing_done { before } else { TokenState::Unknown };
        Err(WriteFailure { token, cause, cleared })
    }
}

/// Whether the command surely did not reach the app.
fn not_taken(cause: &SessionError) -> bool {
    match cause {
        SessionError::Channel(error) => !error.may_have_taken_effect() || ctaphid::not_taken(error),
        _ => false,
    }
}

fn refusal(exchange: &'static str, status: StatusWord) -> SessionError {
    match status.0 {
        0x6982 if exchange == "DELETE" => SessionError::NotTouched,
        0x6a82 if exchange == "DELETE" => SessionError::NoSuchEntry,
        // Not listed and there all the same: an entry behind the PIN.
        0x6983 if exchange == "PUT" => SessionError::NameTaken,
        0x6a84 if exchange == "PUT" => SessionError::Full,
        _ => SessionError::Refused { exchange, status },
    }
}

#[cfg(test)]
mod tests;
