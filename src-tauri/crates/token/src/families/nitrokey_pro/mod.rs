//! Nitrokey Pro, Nitrokey Storage and Librem Key, over HID (nitrokey-pro.md).
//!
//! A stick computes codes for its own clock, which has no battery: the host sets
//! it, asks for a code and sets it again. Titles and secrets go into a buffer first
//! and from there to a slot with one command, so up to that command nothing is
//! changed. The admin PIN is typed and sent once; three wrong ones block it. Factory
//! reset, erasing and every command that changes a PIN or a setting are not in this
//! file.

mod stick;
mod wire;

use oath::{Algorithm, SharedSecret, TimeStep, UnixTime};
use zeroize::Zeroizing;

use self::stick::{DONE, NOT_AUTHORISED, Stick, Unanswered, refused};
use self::wire::{PASSWORD_LEN, Request, TemporaryPassword};
use crate::{HidInterface, 
    Access, Attachment, Candidate, Capabilities, Channel, ChannelError, ClockRule, Entry, Family,
    Guard, NameRule, OpenError, PeriodRule, Places, Presence, Proof, ProofClass, Question, Random,
    Recognition, Rung, Serial, Session, SessionError, Slot, Taken, TokenIdentity, TokenState,
    Unlock, WriteFailure, WritePlan, ZeroRule,
};

/// Recognises a stick by vendor and product.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "nitrokey-pro",
    title: "Nitrokey Pro and Storage",
    models: &[
        "Nitrokey Pro",
        "Nitrokey Pro 2",
        "Nitrokey Storage",
        "Nitrokey Storage 2",
        "Librem Key",
    ],
    channel: "USB (HID)",
    capabilities: capabilities(Model::Pro, None),
    evidence: Rung::MakersBytes,
    evidence_source: "Requests equal those of the maker's own library, run against a stand-in \
                      with the firmware's rules. Beyond them, the second part of a short secret \
                      is always sent. That answers name their request was read in firmware of \
                      the Pro and is inferred for the Storage.",
};

/// What is in a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    Pro,
    LibremKey,
    Storage,
}

impl Model {
    const fn of(vendor: u16, product: u16) -> Option<Self> {
        match (vendor, product) {
            (0x20a0, 0x4108) => Some(Self::Pro),
            (0x316d, 0x4c4b) => Some(Self::LibremKey),
            (0x20a0, 0x4109) => Some(Self::Storage),
            _ => None,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Pro => "Nitrokey Pro",
            Self::LibremKey => "Librem Key",
            Self::Storage => "Nitrokey Storage",
        }
    }

    /// A Storage takes a write to a fifteenth slot with thanks and does nothing.
    const fn slots(self) -> u8 {
        match self {
            Self::Pro | Self::LibremKey => 15,
            Self::Storage => 14,
        }
    }

    /// The first firmware that takes a secret in parts.
    const fn least_version(self) -> (u8, u8) {
        match self {
            Self::Pro | Self::LibremKey => (0, 8),
            Self::Storage => (0, 54),
        }
    }
}

/// The first slot for time-based codes.
const FIRST_SLOT: u8 = 0x20;

const WRONG_PIN: u8 = 4;
/// What WRITE TO SLOT says when it did nothing: a broken request, no such slot, not
/// authorised, no title, not supported, not known (sheet section 2).
const REFUSALS: [u8; 6] = [1, 2, NOT_AUTHORISED, 7, 8, 9];

const fn capabilities(model: Model, tries_left: Option<u8>) -> Capabilities {
    Capabilities {
        access: Access::Writable,
        secret: 1..=wire::SECRET_LEN,
        long_secret_hashed: true,
        zeros: ZeroRule::NotAlone,
        algorithms: &[Algorithm::Sha1],
        digits: &[6, 8],
        // The Pro computes with 16 bits of the 64 that it stores.
        period: PeriodRule::Within(1..=65_535),
        name: NameRule::Title { most_bytes: wire::NAME_LEN },
        places: Places::Slots { count: model.slots() as u16 },
        guard: Guard::Pin { tries_left },
        presence: Presence::None,
        clock: ClockRule::SetOnWrite { erases_secret: false },
        proof: ProofClass::ReadsClock,
    }
}

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn hid_interfaces(&self) -> &'static [HidInterface] {
        &[
            HidInterface { vendor: 0x20a0, product: Some(0x4108), usage_page: None },
            HidInterface { vendor: 0x20a0, product: Some(0x4109), usage_page: None },
            HidInterface { vendor: 0x316d, product: Some(0x4c4b), usage_page: None },
        ]
    }

    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match model_of(candidate) {
            Some(_) => Recognition::Yes,
            None => Recognition::No,
        }
    }

    fn open(
        &self,
        candidate: &Candidate,
        channel: Channel,
        random: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let (model, device) = match (model_of(candidate), channel) {
            (Some(model), Channel::Hid(device)) => (model, device),
            (_, channel) => return Err(OpenError::NotThisFamily(channel)),
        };
        let mut stick = Stick::new(device);
        let status = match model {
            Model::Pro | Model::LibremKey => stick.done(&wire::get_status())?.pro_status(),
            Model::Storage => stick.done(&wire::get_device_status())?.storage_status().ok_or(
                SessionError::Malformed { exchange: "GET DEVICE STATUS", what: "it was not done" },
            )?,
        };
        if status.version < model.least_version() {
            return Err(OpenError::Failed(SessionError::FirmwareTooOld));
        }
        let tries_left = stick.done(&wire::admin_tries())?.tries();
        let (major, minor) = status.version;
        // What this means stands in the sheet: the code cannot be asked for.
        let model_title = if status.codes_want_pin {
            format!("{}, codes behind the user PIN", model.title())
        } else {
            model.title().to_owned()
        };
        Ok(Box::new(NitrokeyPro {
            stick,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: model_title,
                serial: Serial(format!("{:08x}", status.serial)),
                firmware: Some(format!("{major}.{minor}")),
                clock: None,
            },
            capabilities: capabilities(model, Some(tries_left)),
            model,
            temporary: None,
            random: random.clone(),
        }))
    }
}

fn model_of(candidate: &Candidate) -> Option<Model> {
    match candidate.attachment {
        Attachment::Hid { vendor, product, .. } => Model::of(vendor, product),
        Attachment::SmartCard { .. } => None,
    }
}

struct NitrokeyPro {
    stick: Stick,
    identity: TokenIdentity,
    capabilities: Capabilities,
    model: Model,
    /// What stands for the admin PIN once that was right; the PIN itself is not kept.
    temporary: Option<TemporaryPassword>,
    random: Random,
}

impl Session for NitrokeyPro {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Sends the admin PIN once, and not at all when no try is left or no stick has
    /// such a PIN.
    fn unlock(&mut self, key: &Unlock) -> Result<(), SessionError> {
        let tries = match self.capabilities.guard {
            Guard::Pin { tries_left: Some(tries) } => tries,
            _ => self.admin_tries()?,
        };
        if tries == 0 {
            return Err(SessionError::Blocked);
        }
        let pin = key.0.as_bytes();
        let temporary = self.temporary_password();
        let never = pin.is_empty() || pin.contains(&0);
        let Some(request) = wire::first_authenticate(pin, &temporary).filter(|_| !never) else {
            return Err(SessionError::WrongKey { tries_left: Some(tries) });
        };
        // From here on it is not known how many are left, until it is asked again.
        self.capabilities.guard = Guard::Pin { tries_left: None };
        self.temporary = None;
        let answer = self.stick.ask(&request).map_err(|unanswered| unanswered.cause)?;
        match answer.status() {
            DONE => {
                self.temporary = Some(temporary);
                Ok(())
            }
            WRONG_PIN => Err(SessionError::WrongKey { tries_left: self.admin_tries().ok() }),
            status => Err(refused(&request, status)),
        }
    }

    /// A slot tells its title without the PIN, but nothing can be done with that.
    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        if self.temporary.is_none() {
            return Err(SessionError::Locked);
        }
        (0..self.model.slots())
            .map(|index| {
                let title = self.stick.title(FIRST_SLOT + index)?;
                Ok(Entry {
                    taken: if title.is_some() { Taken::Yes } else { Taken::No },
                    name: title.unwrap_or_default(),
                    slot: Some(Slot {
                        number: u16::from(FIRST_SLOT + index),
                        label: (index + 1).to_string(),
                    }),
                })
            })
            .collect()
    }

    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Result<(), WriteFailure> {
        let Some(temporary) = &self.temporary else {
            return Err(WriteFailure::untouched(SessionError::Locked));
        };
        // All of it is complete before anything is sent.
        let Some(write) = Write::of(self.model, plan, temporary, secret, now) else {
            return Err(WriteFailure::untouched(NOT_FOR_THIS));
        };
        let title = self.stick.title(write.slot).map_err(WriteFailure::untouched)?;
        if title.is_some() && !plan.replaces() {
            return Err(WriteFailure::untouched(SessionError::NameTaken));
        }
        // These fill a buffer in memory, from where nothing goes to a slot by itself.
        for data in &write.data {
            self.stick.done(data).map_err(WriteFailure::untouched)?;
        }
        let failed = |token, cause| WriteFailure { token, cause, cleared: false };
        match self.stick.ask(&write.to_slot) {
            Ok(answer) if answer.status() == DONE => {}
            Ok(answer) => {
                let status = answer.status();
                let refusal = REFUSALS.contains(&status);
                let token = if refusal { TokenState::Untouched } else { TokenState::Unknown };
                return Err(failed(token, refused(&write.to_slot, status)));
            }
            Err(Unanswered { cause, sent: true }) => {
                return Err(failed(TokenState::Unknown, cause));
            }
            Err(Unanswered { cause, sent: false }) => return Err(WriteFailure::untouched(cause)),
        }
        match self.stick.done(&write.clock) {
            Ok(_) => Ok(()),
            Err(cause) => Err(failed(TokenState::Written, cause)),
        }
    }

    /// Sets the clock to the middle of the step, asks for the code, and sets the
    /// clock to `now` whatever came of it.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        now: UnixTime,
    ) -> Result<Proof, SessionError> {
        let (Question::Key(step) | Question::Code(step)) = question;
        let slot = slot_of(self.model, plan).ok_or(NOT_FOR_THIS)?;
        let middle = middle(step, plan.parameters().period.as_secs()).ok_or(NOT_FOR_THIS)?;
        let back = wire::set_time(seconds(now).ok_or(NOT_FOR_THIS)?);
        let asked = match self.stick.done(&wire::set_time(middle)) {
            Ok(_) => self.stick.code(slot),
            Err(cause) => Err(cause),
        };
        if let Err(cause @ SessionError::Channel(ChannelError::Removed)) = asked {
            return Err(cause);
        }
        let back = self.stick.done(&back);
        let code = asked?;
        back?;
        Ok(Proof::Code(code))
    }
}

/// A plan that is not of this token, or a time that no clock of this family holds.
const NOT_FOR_THIS: SessionError =
    SessionError::Malformed { exchange: "plan", what: "nothing that this stick takes" };

impl NitrokeyPro {
    /// A read; spends nothing.
    fn admin_tries(&mut self) -> Result<u8, SessionError> {
        let tries = self.stick.done(&wire::admin_tries())?.tries();
        self.capabilities.guard = Guard::Pin { tries_left: Some(tries) };
        Ok(tries)
    }

    /// Without a zero, since programs and firmware of this family have taken it for
    /// a C string. That a zero becomes a one costs less than a bit in all.
    fn temporary_password(&self) -> TemporaryPassword {
        let mut temporary = Zeroizing::new([0; PASSWORD_LEN]);
        (self.random)(&mut *temporary);
        temporary.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 1);
        temporary
    }
}

/// Every request of a write that changes something.
struct Write {
    slot: u8,
    data: [Request; 3],
    to_slot: Request,
    clock: Request,
}

impl Write {
    /// `None` for what no stick takes, or not this one.
    fn of(
        model: Model,
        plan: &WritePlan,
        temporary: &TemporaryPassword,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Option<Self> {
        let parameters = plan.parameters();
        let slot = slot_of(model, plan)?;
        let eight_digits = match (parameters.algorithm, parameters.digits.get()) {
            (Algorithm::Sha1, 6) => false,
            (Algorithm::Sha1, 8) => true,
            _ => return None,
        };
        let period = u16::try_from(parameters.period.as_secs()).ok()?;
        Some(Self {
            slot,
            data: wire::otp_data(temporary, plan.name()?, secret)?,
            to_slot: wire::write_to_slot(temporary, slot, period, eight_digits),
            clock: wire::set_time(seconds(now)?),
        })
    }
}

/// The plan's slot, if this stick has it.
fn slot_of(model: Model, plan: &WritePlan) -> Option<u8> {
    let slot = u8::try_from(plan.slot()?).ok()?;
    (FIRST_SLOT..FIRST_SLOT + model.slots()).contains(&slot).then_some(slot)
}

fn seconds(time: UnixTime) -> Option<u32> {
    u32::try_from(time.as_secs()).ok()
}

/// A point in time in the middle of a step, so that neither of its ends is near.
fn middle(step: TimeStep, period: u32) -> Option<u32> {
    let begins = u32::try_from(step.0).ok()?.checked_mul(period)?;
    begins.checked_add(period / 2)
}

#[cfg(test)]
mod tests;
