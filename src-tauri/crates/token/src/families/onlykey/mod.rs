//! OnlyKey and OnlyKey DUO, over HID (onlykey.md).
//!
//! A key types its codes like a keyboard, and tells neither a code nor its clock. It
//! takes the time once per power-up, from whoever tells it first, so it is told only
//! where the time is known: when something is written and when a code is to be typed.
//! To be opened it is asked for its labels, which changes nothing. PINs, keys, wiping
//! a slot and every setting are not in this file.

mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use oath::{Algorithm, Period, SharedSecret, UnixTime};
use zeroize::Zeroizing;

use self::wire::{Field, Message, Model, Word};
use crate::hid::{after_sending, drain};
use crate::{HidInterface, 
    Access, Attachment, Candidate, Capabilities, Channel, ChannelError, ClockRule, Entry, Family,
    Guard, HidChannel, NameRule, OpenError, PeriodRule, Places, Presence, Proof, ProofClass,
    Question, Random, Recognition, Rung, Serial, Session, SessionError, Slot, Taken, TokenIdentity,
    TokenState, Unlock, WriteFailure, WritePlan, ZeroRule,
};

/// Recognises a key by vendor, product and the interface that takes commands.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "onlykey",
    title: "OnlyKey",
    models: &["OnlyKey", "OnlyKey DUO"],
    channel: "USB (HID)",
    capabilities: capabilities(Model::Duo),
    evidence: Rung::OthersCode,
    evidence_source: "Requests equal those of the maker's own tool, run against a stand-in, and \
                      python-onlykey finds what is written and the other way round, both on an \
                      emulated key; the answers' words were read in the firmware's source. The \
                      most bytes of a secret, and what an empty label means, are inferred.",
};

/// How long the key may take for one report. It writes to its flash and blinks
/// before it looks for the next message.
const LONGEST: Duration = Duration::from_secs(3);
/// How long after a label no other is expected; they come every 20 ms.
const NO_MORE: Duration = Duration::from_millis(500);
/// How long the queue must be quiet before the first message.
const QUIET: Duration = Duration::from_millis(50);
/// Reports that are no answer and are let pass.
const MOST_FOREIGN: usize = 64;

const fn capabilities(model: Model) -> Capabilities {
    Capabilities {
        access: Access::Writable,
        secret: 1..=wire::SECRET_LEN,
        long_secret_hashed: false,
        zeros: ZeroRule::NoRunOf(wire::ZEROS),
        algorithms: &[Algorithm::Sha1],
        digits: &[6],
        period: PeriodRule::Stored(&[Period::S30]),
        name: NameRule::Title { most_bytes: wire::LABEL_LEN },
        places: Places::Slots { count: model.slots() as u16 },
        guard: Guard::None,
        presence: Presence::None,
        clock: ClockRule::SetOnWrite { erases_secret: false },
        proof: ProofClass::Types,
    }
}

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn hid_interfaces(&self) -> &'static [HidInterface] {
        &[
            HidInterface { vendor: 0x1d50, product: Some(0x60fc), usage_page: None },
            HidInterface { vendor: 0x16c0, product: Some(0x0486), usage_page: None },
        ]
    }

    fn recognises(&self, candidate: &Candidate) -> Recognition {
        if is_command_interface(&candidate.attachment) { Recognition::Yes } else { Recognition::No }
    }

    /// A key that is locked or was never set up is not opened: what it has cannot be
    /// read. It is unlocked with its own buttons, and then asked anew.
    fn open(
        &self,
        candidate: &Candidate,
        channel: Channel,
        _: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let Attachment::Hid { serial, .. } = &candidate.attachment else {
            return Err(OpenError::NotThisFamily(channel));
        };
        let device = match (self.recognises(candidate), channel) {
            (Recognition::Yes, Channel::Hid(device)) => device,
            (_, channel) => return Err(OpenError::NotThisFamily(channel)),
        };
        let mut key = Key { device };
        let (model, _) = key.labels()?;
        Ok(Box::new(OnlyKey {
            key,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: model.title().to_owned(),
                // The same number for many keys; there is no better one.
                serial: match serial.as_str() {
                    "" => Serial(format!("not told ({})", candidate.id.0)),
                    told => Serial(told.to_owned()),
                },
                // Told only in answer to the time.
                firmware: None,
                clock: None,
            },
            capabilities: capabilities(model),
            model,
        }))
    }
}

/// The numbers of the key, current and old. The old ones belong to a maker of circuit
/// boards, so that the product's name must tell. Which interface takes commands goes
/// by the serial number (sheet section 1).
fn is_command_interface(attachment: &Attachment) -> bool {
    let Attachment::Hid { vendor, product, usage_page, name, serial, .. } = attachment else {
        return false;
    };
    let is_onlykey = match (vendor, product) {
        (0x1d50, 0x60fc) => true,
        (0x16c0, 0x0486) => name.to_ascii_lowercase().contains("onlykey"),
        _ => false,
    };
    let page = if serial == "1000000000" { 0xffab } else { 0xf1d0 };
    is_onlykey && *usage_page == page
}

struct OnlyKey {
    key: Key,
    identity: TokenIdentity,
    capabilities: Capabilities,
    model: Model,
}

impl Session for OnlyKey {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// A key is unlocked with its own buttons.
    fn unlock(&mut self, _: &Unlock) -> Result<(), SessionError> {
        Ok(())
    }

    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        let labels = self.labels()?;
        let entry = |(number, name): (u8, String)| Entry {
            taken: taken(&name),
            name,
            slot: Some(Slot { number: u16::from(number), label: self.model.label(number) }),
        };
        Ok(labels.into_iter().map(entry).collect())
    }

    /// The secret goes first: a key that refuses it has still its old label, and one
    /// that breaks off before the new label types the right codes.
    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Result<(), WriteFailure> {
        let Some(write) = Write::of(self.model, plan, secret, now) else {
            return Err(WriteFailure::untouched(NOT_FOR_THIS));
        };
        let labels = self.labels().map_err(WriteFailure::untouched)?;
        let is_taken = labels.get(&write.slot).is_some_and(|name| taken(name) == Taken::Yes);
        if is_taken && !plan.replaces() {
            return Err(WriteFailure::untouched(SessionError::NameTaken));
        }
        self.key.tell_time(&write.time).map_err(WriteFailure::untouched)?;
        let failed = |token, cause| WriteFailure { token, cause, cleared: false };
        let old = match self.key.set(Field::Key, &write.key) {
            Ok(Set { old }) => old,
            Err(NotSet { cause, surely: true }) => return Err(WriteFailure::untouched(cause)),
            Err(NotSet { cause, surely: false }) => {
                return Err(failed(TokenState::Unknown, cause));
            }
        };
        // Firmware that says it in today's words has set the kind with the secret.
        let kind_not_set = if old { TokenState::Unknown } else { TokenState::Written };
        self.key
            .set(Field::Kind, &write.kind)
            .map_err(|not_set| failed(kind_not_set, not_set.cause))?;
        self.key
            .set(Field::Label, &write.label)
            .map_err(|not_set| failed(TokenState::Written, not_set.cause))?;
        Ok(())
    }

    /// Tells the time, in case nobody has since the key was plugged in.
    fn prove(&mut self, _: &WritePlan, _: Question, now: UnixTime) -> Result<Proof, SessionError> {
        let time = time(now).ok_or(NOT_FOR_THIS)?;
        self.key.quieten()?;
        self.key.tell_time(&time)?;
        Ok(Proof::MustBeTyped { clock: None })
    }
}

impl OnlyKey {
    /// The labels, of the same model as before.
    fn labels(&mut self) -> Result<BTreeMap<u8, String>, SessionError> {
        match self.key.labels()? {
            (model, labels) if model == self.model => Ok(labels),
            _ => Err(SessionError::AnotherToken),
        }
    }
}

/// A label means a slot in use; without one, there may still be a second factor.
const fn taken(label: &str) -> Taken {
    if label.is_empty() { Taken::NotTold } else { Taken::Yes }
}

/// A plan that is not of this token, or a time that it cannot hold.
const NOT_FOR_THIS: SessionError =
    SessionError::Malformed { exchange: "plan", what: "nothing that this key takes" };

/// Every message of a write that changes something.
struct Write {
    slot: u8,
    time: Message,
    key: Message,
    kind: Message,
    label: Message,
}

impl Write {
    fn of(model: Model, plan: &WritePlan, secret: &SharedSecret, now: UnixTime) -> Option<Self> {
        let slot = u8::try_from(plan.slot()?).ok()?;
        let parameters = plan.parameters();
        let fits = (1..=model.slots()).contains(&slot)
            && parameters.algorithm == Algorithm::Sha1
            && parameters.digits.get() == 6
            && parameters.period == Period::S30;
        if !fits {
            return None;
        }
        Some(Self {
            slot,
            time: time(now)?,
            key: wire::set_key(slot, secret)?,
            kind: wire::set_kind(slot),
            label: wire::set_label(slot, plan.name()?)?,
        })
    }
}

fn time(now: UnixTime) -> Option<Message> {
    Some(wire::set_time(u32::try_from(now.as_secs()).ok()?))
}

/// A field that is set.
struct Set {
    /// In the words of older firmware.
    old: bool,
}

/// A field that is not set, or not surely.
struct NotSet {
    cause: SessionError,
    surely: bool,
}

/// One message at a time, and the reports that come.
struct Key {
    device: Box<dyn HidChannel>,
}

impl Key {
    /// Throws away what was said before.
    fn quieten(&mut self) -> Result<(), ChannelError> {
        drain(&mut *self.device, QUIET)
    }

    /// The labels of all slots, and the model by their number. Whatever was asked
    /// before, by anyone, is answered before them.
    fn labels(&mut self) -> Result<(Model, BTreeMap<u8, String>), SessionError> {
        self.quieten()?;
        self.device.write(&*wire::get_labels())?;
        let mut labels = BTreeMap::new();
        let mut otherwise = SessionError::Channel(ChannelError::Silent);
        for _ in 0..MOST_FOREIGN {
            let at_most = if labels.is_empty() { LONGEST } else { NO_MORE };
            match self.word(at_most) {
                Ok(Word::Label(number, label)) => {
                    labels.insert(number, label);
                    if labels.len() == usize::from(Model::Duo.slots()) {
                        break;
                    }
                }
                Ok(Word::Refused(reason)) => return Err(reason),
                // Said without being asked; what is asked is answered all the same.
                Ok(Word::Locked) => otherwise = SessionError::LockedOnDevice,
                Ok(Word::NotSetUp) => otherwise = SessionError::NotSetUp,
                Ok(Word::Unlocked | Word::Done { .. } | Word::Failed | Word::Other) => {}
                Err(ChannelError::Silent) => break,
                Err(error) => return Err(error.into()),
            }
        }
        match wire::model(&labels) {
            Some(model) => Ok((model, labels)),
            None if labels.is_empty() => Err(otherwise),
            None => Err(SessionError::Malformed { exchange: "GETLABELS", what: "slots" }),
        }
    }

    /// Tells the time. A key that has one keeps it and says the same.
    fn tell_time(&mut self, time: &Message) -> Result<(), SessionError> {
        self.device.write(&**time)?;
        for _ in 0..MOST_FOREIGN {
            match self.word(LONGEST)? {
                Word::Unlocked => return Ok(()),
                Word::Locked => return Err(SessionError::LockedOnDevice),
                Word::NotSetUp => return Err(SessionError::NotSetUp),
                Word::Refused(reason) => return Err(reason),
                Word::Label(..) | Word::Done { .. } | Word::Failed | Word::Other => {}
            }
        }
        Err(SessionError::Malformed { exchange: "SETTIME", what: "no state" })
    }

    /// Sends a message that changes a field, once.
    fn set(&mut self, field: Field, message: &Message) -> Result<Set, NotSet> {
        self.device.write(&**message).map_err(|error| NotSet {
            surely: !error.may_have_taken_effect(),
            cause: error.into(),
        })?;
        let unsure = |cause| NotSet { cause, surely: false };
        let exchange = "SETSLOT";
        let mut odd = false;
        for _ in 0..MOST_FOREIGN {
            match self.word(LONGEST) {
                Ok(Word::Done { field: done, old }) if done == field => return Ok(Set { old }),
                Ok(Word::Refused(cause)) => return Err(NotSet { cause, surely: true }),
                Ok(Word::Failed) => {
                    let what = "an error that is not known here";
                    return Err(unsure(SessionError::Malformed { exchange, what }));
                }
                Ok(Word::Other) => odd = true,
                Ok(
                    Word::Unlocked
                    | Word::Locked
                    | Word::NotSetUp
                    | Word::Label(..)
                    | Word::Done { .. },
                ) => {}
                Err(ChannelError::Silent) if odd => break,
                Err(error) => return Err(unsure(error.into())),
            }
        }
        Err(unsure(SessionError::Malformed { exchange, what: "no word about it" }))
    }

    fn word(&mut self, at_most: Duration) -> Result<Word, ChannelError> {
        let report = self.device.read(at_most).map_err(after_sending)?;
        Ok(Word::of(&Zeroizing::new(report)))
    }
}

#[cfg(test)]
mod tests;
