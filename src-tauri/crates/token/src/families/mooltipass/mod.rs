//! Mooltipass Mini BLE, over HID (mooltipass.md).
//!
//! A password keeper that its owner's smart card unlocks. It asks on its own screen
//! before it stores a credential and before it tells a code, and it never tells which
//! credentials it has: a new one and a changed one are the same message, and only its
//! screen says which of the two it is. Its clock is set by the host. Commands of its
//! memory management, of settings and of cards are not in this file.

mod packets;
mod wire;

use std::time::Duration;

use oath::{Algorithm, Code, Digits, SharedSecret, UnixTime};

use self::packets::{Link, Message, USUAL_OWNER};
use self::wire::{LOGIN_UNITS, Name, SECRET_LEN, SERVICE_UNITS, Status, Told};
use crate::{
    Access, Attachment, Candidate, Capabilities, Channel, ChannelError, Characters, ClockRule, Deed,
    Entry, EntryName, Family, Guard, HidInterface, NameRule, OpenError, PeriodPrefix, PeriodRule,
    Places, Presence, Proof, ProofClass, Question, Random, Recognition, Rung, Serial, Session,
    SessionError, Summons, TokenIdentity, TokenState, Unlock, WriteFailure, WritePlan, ZeroRule,
};

/// Recognises a Mini BLE by vendor, product and usage.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "mooltipass",
    title: "Mooltipass Mini BLE",
    models: &["Mooltipass Mini BLE"],
    channel: "USB (HID)",
    capabilities: CAPABILITIES,
    evidence: Rung::Vectors,
    evidence_source: "Requests equal vectors that were computed with the packet rules of the \
                      maker's own program. Answers, the flags of the state among them, were read \
                      in the maker's code and never seen on a wire; in what form a code is told \
                      or denied, and that silence to the question for one means old firmware, is \
                      inferred.",
};

const CAPABILITIES: Capabilities = Capabilities {
    access: Access::Writable,
    secret: 1..=SECRET_LEN,
    long_secret_hashed: true,
    zeros: ZeroRule::Harmless,
    algorithms: &[Algorithm::Sha1],
    digits: &[6, 7, 8],
    period: PeriodRule::Within(30..=99),
    // The device counts UTF-16 units, of which no text has more than it has bytes in
    // UTF-8.
    name: NameRule::Entry(EntryName {
        most_bytes: SERVICE_UNITS + 1 + LOGIN_UNITS,
        fields: Some((SERVICE_UNITS, LOGIN_UNITS)),
        characters: Characters::Utf8,
        period: PeriodPrefix::Never,
        joint: ":",
    }),
    places: Places::Unlisted,
    guard: Guard::None,
    presence: Presence::ApproveOnDevice,
    clock: ClockRule::SetOnWrite { erases_secret: false },
    proof: ProofClass::ReadsClock,
};

/// Vendor, product, usage page and usage. The vendor's number is shared by many
/// makers, and the device has a keyboard and a FIDO interface beside this one.
const HID: (u16, u16, u16, u16) = (0x1209, 0x4321, 0xff31, 0x0074);

/// How far into a step the clock is set for a question. The device computes when its
/// owner says yes, up to 25.6 s later, and the shortest step has 30 s: from the
/// middle of a step a slow yes would give the code of the next.
const INTO_STEP: Duration = Duration::from_secs(1);

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn hid_interfaces(&self) -> &'static [HidInterface] {
        const { &[HidInterface { vendor: HID.0, product: Some(HID.1), usage_page: Some(HID.2) }] }
    }

    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match &candidate.attachment {
            Attachment::Hid { vendor, product, usage_page, usage, .. }
                if (*vendor, *product, *usage_page, *usage) == HID =>
            {
                Recognition::Yes
            }
            Attachment::Hid { .. } | Attachment::SmartCard { .. } => Recognition::No,
        }
    }

    /// A locked device is opened too: it is unlocked while it is looked at.
    fn open(
        &self,
        candidate: &Candidate,
        channel: Channel,
        _: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let device = match (self.recognises(candidate), channel) {
            (Recognition::Yes, Channel::Hid(device)) => device,
            (_, channel) => return Err(OpenError::NotThisFamily(channel)),
        };
        let mut mini =
            MiniBle { link: Link::new(device), identity: identity(candidate), now: None, summons: None };
        mini.status()?;
        Ok(Box::new(mini))
    }
}

/// No message of the sheet tells a serial number or a version.
fn identity(candidate: &Candidate) -> TokenIdentity {
    let serial = match &candidate.attachment {
        Attachment::Hid { serial, .. } if !serial.is_empty() => serial.clone(),
        Attachment::Hid { .. } | Attachment::SmartCard { .. } => {
            format!("not told ({})", candidate.id.0)
        }
    };
    TokenIdentity {
        family: FAMILY.name,
        model: FAMILY.title.to_owned(),
        serial: Serial(serial),
        firmware: None,
        clock: None,
    }
}

struct MiniBle {
    link: Link,
    identity: TokenIdentity,
    /// The time that was given last. What was waited since then is counted.
    now: Option<UnixTime>,
    summons: Option<Summons>,
}

impl Session for MiniBle {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    /// Nothing opens it but its card and the PIN on its own wheel.
    fn unlock(&mut self, _: &Unlock) -> Result<(), SessionError> {
        Ok(())
    }

    fn summon_by(&mut self, summons: Summons) {
        self.summons = Some(summons);
    }

    /// None, whatever is on it: no message of the sheet lists them.
    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        self.ready()?;
        Ok(Vec::new())
    }

    /// Whether the plan replaces something cannot be looked at, so it is taken for
    /// granted. The device shows its owner whether a credential is added or changed,
    /// and takes a yes or a no.
    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Result<(), WriteFailure> {
        self.count_from(now);
        // All of it is complete before anything is sent.
        let store = name(plan)
            .and_then(|name| wire::store_totp(name, *plan.parameters(), secret))
            .ok_or(NOT_FOR_THIS)
            .map_err(WriteFailure::untouched)?;
        self.ready().map_err(WriteFailure::untouched)?;
        // The right time harms no credential, and without it no code is told.
        self.set_date(self.present(now)).map_err(WriteFailure::untouched)?;
        self.summon();
        let failed = |token, cause| Err(WriteFailure { token, cause, cleared: false });
        match self.link.ask(&store) {
            Ok(answer) => match wire::is_done(&answer) {
                Some(true) => Ok(()),
                // A no, no answer on the screen in time, or no room: the same word.
                Some(false) => failed(TokenState::Untouched, SessionError::NotTouched),
                None => failed(TokenState::Unknown, malformed(&store, "neither yes nor no")),
            },
            Err(unanswered) => {
                let token =
                    if unanswered.taken { TokenState::Unknown } else { TokenState::Untouched };
                failed(token, unanswered.into())
            }
        }
    }

    /// Sets the clock into the step, asks for the code, which its owner has to
    /// approve, and sets the clock to the present whatever came of it.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        now: UnixTime,
    ) -> Result<Proof, SessionError> {
        self.count_from(now);
        let (Question::Key(step) | Question::Code(step)) = question;
        let parameters = plan.parameters();
        let name = name(plan).ok_or(NOT_FOR_THIS)?;
        let into_step = step.begins(parameters.period).plus(INTO_STEP);
        let date = wire::set_date(into_step).ok_or(NOT_FOR_THIS)?;
        self.ready()?;
        let before = self.link.waited();
        let asked = self.done(&date).and_then(|()| self.code(name, parameters.digits));
        if let Err(cause @ SessionError::Channel(ChannelError::Removed)) = asked {
            return Err(cause);
        }
        let took = self.link.waited().saturating_sub(before) + INTO_STEP;
        let back = self.set_date(self.present(now));
        match (asked, back) {
            // It takes commands, and this one it does not know: its own question ends
            // by itself, and then it says that there is no code.
            (Err(SessionError::Channel(ChannelError::Silent)), Ok(())) => {
                Err(SessionError::FirmwareTooOld)
            }
            // It still waits for its owner.
            (
                Err(SessionError::Channel(ChannelError::Silent)),
                Err(SessionError::Channel(ChannelError::Busy { .. })),
            ) => Err(SessionError::NotTouched),
            (Err(cause), _) | (Ok(_), Err(cause)) => Err(cause),
            // This may be the code of the next step.
            (Ok(_), Ok(())) if took >= Duration::from_secs(parameters.period.as_secs().into()) => {
                Err(SessionError::NotTouched)
            }
            (Ok(code), Ok(())) => Ok(Proof::Code(code)),
        }
    }
}

/// A plan that is not of this device, or a time that its calendar does not hold.
const NOT_FOR_THIS: SessionError =
    SessionError::Malformed { exchange: "plan", what: "nothing that this device takes" };

impl MiniBle {
    /// The device is about to ask its owner.
    fn summon(&self) {
        if let Some(summons) = &self.summons {
            summons(Deed::Approve);
        }
    }

    /// A read.
    fn status(&mut self) -> Result<Status, SessionError> {
        let status = wire::status();
        let answer = self.link.ask(&status)?;
        Status::parse(&answer).ok_or(malformed(&status, "no flags"))
    }

    /// Whether it takes credentials now.
    fn ready(&mut self) -> Result<(), SessionError> {
        match self.status()? {
            Status { unlocked: false, .. } => Err(SessionError::LockedOnDevice),
            Status { managed: true, .. } => Err(ChannelError::Busy { likely: USUAL_OWNER }.into()),
            Status { unlocked: true, managed: false } => Ok(()),
        }
    }

    /// The present: the time that was given and what was waited since. Its owner may
    /// take so long that `now` alone would leave the clock a step behind.
    fn present(&self, now: UnixTime) -> UnixTime {
        now.plus(self.link.waited())
    }

    fn count_from(&mut self, now: UnixTime) {
        if self.now != Some(now) {
            self.now = Some(now);
            self.link.forget_waited();
        }
    }

    fn set_date(&mut self, time: UnixTime) -> Result<(), SessionError> {
        self.done(&wire::set_date(time).ok_or(NOT_FOR_THIS)?)
    }

    fn done(&mut self, message: &Message) -> Result<(), SessionError> {
        match wire::is_done(&self.link.ask(message)?) {
            Some(true) => Ok(()),
            Some(false) => Err(malformed(message, "it was not done")),
            None => Err(malformed(message, "neither yes nor no")),
        }
    }

    fn code(&mut self, name: Name<'_>, digits: Digits) -> Result<Code, SessionError> {
        let get_totp = wire::get_totp(name).ok_or(NOT_FOR_THIS)?;
        self.summon();
        let answer = self.link.ask(&get_totp)?;
        match wire::told(&answer, digits) {
            Some(Told::Code(code)) => Ok(code),
            Some(Told::Nothing) => Err(SessionError::NotTouched),
            None => Err(malformed(&get_totp, "no code")),
        }
    }
}

fn malformed(message: &Message, what: &'static str) -> SessionError {
    SessionError::Malformed { exchange: message.named(), what }
}

/// The plan's name in the device's two fields. The service may not be empty there,
/// nor, before firmware 0.87, the login: a name without a service is both.
fn name(plan: &WritePlan) -> Option<Name<'_>> {
    let login = plan.account()?;
    let service = plan.service().filter(|service| !service.is_empty()).unwrap_or(login);
    Some(Name { service, login })
}

#[cfg(test)]
mod tests;
