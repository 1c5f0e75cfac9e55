//! A YubiKey without the OATH applet: HMAC-SHA1 challenge-response in one of its two
//! slots, over the keyboard interface (yubikey-otp-hid.md).
//!
//! A fallback: there are two slots, no name, no period and no digits, and the host
//! truncates. A key with CCID is better written by `yubikey-oath`. Slot 1 often holds
//! what the key left the factory with, so slot 2 is offered first. No access code is
//! ever set, no touch is ever asked for, and deleting, swapping and updating slots are
//! not in this file.

mod frame;

use oath::{Algorithm, Response, SharedSecret, TimeStep, UnixTime};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use self::frame::{Link, NotDone, PAYLOAD_LEN, Status, checksum};
use crate::{HidInterface, 
    Access, Attachment, Candidate, Capabilities, Channel, ClockRule, Entry, Family, Guard,
    NameRule, OpenError, PeriodRule, Places, Presence, Proof, ProofClass, Question, Random,
    Recognition, Rung, Serial, Session, SessionError, Slot, Taken, TokenIdentity, TokenState,
    Unlock, WriteFailure, WritePlan, ZeroRule,
};

/// Recognises a key's keyboard by vendor, product and usage.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "yubikey-otp-hid",
    title: "YubiKeys without the OATH applet",
    models: &["YubiKey 2.2 and later", "YubiKey Standard", "YubiKey Edge", "YubiKey Plus"],
    channel: "USB (HID, the keyboard interface)",
    capabilities: CAPABILITIES,
    evidence: Rung::OthersCode,
    evidence_source: "Requests equal those of the maker's own library, run against a stand-in, \
                      and ykman computes from what is written and the other way round, both on \
                      emulated keys of firmware 2.4 and 3.4. For keys without the OATH applet alone: where a key has CCID, yubikey-oath \
                      is the better way, and that it is inferred here.",
};

const CAPABILITIES: Capabilities = Capabilities {
    access: Access::Writable,
    secret: 1..=KEY_LEN,
    // From 21 to 64 bytes there is no key of 20 bytes with the same codes.
    long_secret_hashed: true,
    zeros: ZeroRule::Harmless,
    algorithms: &[Algorithm::Sha1],
    digits: &[6, 7, 8],
    period: PeriodRule::HostOnly,
    name: NameRule::None,
    places: Places::Slots { count: 2 },
    guard: Guard::None,
    presence: Presence::None,
    clock: ClockRule::None,
    proof: ProofClass::Computes,
};

const VENDOR: u16 = 0x1050;
/// Products with slots (sheet section 1).
const PRODUCTS: [u16; 10] =
    [0x0010, 0x0110, 0x0111, 0x0114, 0x0116, 0x0401, 0x0403, 0x0405, 0x0407, 0x0410];
/// Generic desktop, keyboard.
const KEYBOARD: (u16, u16) = (0x0001, 0x0006);

/// The first firmware with HMAC challenge-response.
const LEAST_VERSION: [u8; 3] = [2, 2, 0];

/// The longest secret.
const KEY_LEN: usize = 20;

/// The slots in the order in which they are offered.
const SLOTS: [u8; 2] = [2, 1];

const SERIAL: u8 = 0x10;

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn hid_interfaces(&self) -> &'static [HidInterface] {
        &[
            HidInterface { vendor: VENDOR, product: None, usage_page: Some(0x0001) },
        ]
    }

    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match candidate.attachment {
            Attachment::Hid { vendor: VENDOR, product, usage_page, usage, .. }
                if PRODUCTS.contains(&product) && (usage_page, usage) == KEYBOARD =>
            {
                Recognition::Yes
            }
            Attachment::Hid { .. } | Attachment::SmartCard { .. } => Recognition::No,
        }
    }

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
        let mut link = Link::new(device);
        let status = link.status()?;
        if status.version < LEAST_VERSION {
            return Err(OpenError::Failed(SessionError::FirmwareTooOld));
        }
        let serial = link.ask::<4>(SERIAL, &[0; PAYLOAD_LEN], "SERIAL")?;
        let [major, minor, patch] = status.version;
        Ok(Box::new(OtpSlots {
            link,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: "YubiKey, OTP slots".to_owned(),
                serial: match serial {
                    Some(bytes) => Serial(u32::from_be_bytes(*bytes).to_string()),
                    // A key that keeps its number to itself is known by its place alone.
                    None => Serial(format!("not told ({})", candidate.id.0)),
                },
                firmware: Some(format!("{major}.{minor}.{patch}")),
                clock: None,
            },
        }))
    }
}

struct OtpSlots {
    link: Link,
    identity: TokenIdentity,
}

impl Session for OtpSlots {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    /// Nothing guards the slots but an access code, which is neither known nor asked for.
    fn unlock(&mut self, _: &Unlock) -> Result<(), SessionError> {
        Ok(())
    }

    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        let status = self.link.status()?;
        let entry = |slot: u8| Entry {
            name: String::new(),
            slot: Some(Slot { number: u16::from(slot), label: slot.to_string() }),
            taken: taken(status, slot),
        };
        Ok(SLOTS.map(entry).into())
    }

    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        _: UnixTime,
    ) -> Result<(), WriteFailure> {
        let (Some(slot), Some(payload)) = (slot_of(plan), configuration(plan, secret)) else {
            return Err(WriteFailure::untouched(NOT_FOR_THIS));
        };
        let status = self.link.status().map_err(WriteFailure::untouched)?;
        if status.is_taken(slot.number) && !plan.replaces() {
            return Err(WriteFailure::untouched(SessionError::NameTaken));
        }
        match self.link.change(slot.write, &payload, slot.number, "WRITE SLOT") {
            Ok(()) => Ok(()),
            Err(NotDone { cause, sent: false }) => Err(WriteFailure::untouched(cause)),
            Err(NotDone { cause, sent: true }) => {
                Err(WriteFailure { token: TokenState::Unknown, cause, cleared: false })
            }
        }
    }

    /// The full HMAC either way: the key knows neither codes nor digits.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        _: UnixTime,
    ) -> Result<Proof, SessionError> {
        let (Question::Key(step) | Question::Code(step)) = question;
        let slot = slot_of(plan).ok_or(NOT_FOR_THIS)?;
        let status = self.link.status()?;
        // What is written here never wants a touch, so that is another secret.
        if !status.is_taken(slot.number) || status.wants_touch(slot.number) {
            return Err(SessionError::NoSuchEntry);
        }
        let response = self.link.ask::<20>(slot.challenge, &challenge(step), "CHALLENGE")?;
        let response = response.ok_or(SessionError::NoSuchEntry)?;
        Ok(Proof::Computed(Response::new(response.to_vec())))
    }
}

/// A plan that is not of this token.
const NOT_FOR_THIS: SessionError =
    SessionError::Malformed { exchange: "plan", what: "nothing that this key takes" };

/// A slot and its commands (sheet section 3).
struct SlotCommands {
    number: u8,
    write: u8,
    challenge: u8,
}

fn slot_of(plan: &WritePlan) -> Option<SlotCommands> {
    match plan.slot()? {
        1 => Some(SlotCommands { number: 1, write: 0x01, challenge: 0x30 }),
        2 => Some(SlotCommands { number: 2, write: 0x03, challenge: 0x38 }),
        _ => None,
    }
}

const fn taken(status: Status, slot: u8) -> Taken {
    if status.is_taken(slot) { Taken::Yes } else { Taken::No }
}

/// The configuration of a slot, with no access code before or after. `None` for a
/// secret or parameters that no slot takes.
fn configuration(plan: &WritePlan, secret: &SharedSecret) -> Option<Zeroizing<[u8; PAYLOAD_LEN]>> {
    /// Where the fields stand (sheet section 3).
    const UID: usize = 16;
    const KEY: usize = 22;
    const EXTENDED_FLAGS: usize = 45;
    const SUM: usize = 50;
    /// May be updated, and the serial number is told to programs.
    const ALLOW_UPDATE_SERIAL_VISIBLE: u8 = 0x24;
    const CHALLENGE_RESPONSE: u8 = 0x40;
    /// HMAC, of challenges under 64 bytes, without a touch.
    const HMAC_SHORT_CHALLENGE: u8 = 0x26;

    if plan.parameters().algorithm != Algorithm::Sha1 || secret.is_empty() {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    if secret.len() > Algorithm::Sha1.block_len() {
        key.copy_from_slice(&Sha1::digest(secret.expose()));
    } else {
        key.get_mut(..secret.len())?.copy_from_slice(secret.expose());
    }
    let mut payload = Zeroizing::new([0; PAYLOAD_LEN]);
    let (front, back) = key.split_at(16);
    payload[KEY..KEY + 16].copy_from_slice(front);
    payload[UID..UID + 4].copy_from_slice(back);
    payload[EXTENDED_FLAGS..EXTENDED_FLAGS + 3].copy_from_slice(&[
        ALLOW_UPDATE_SERIAL_VISIBLE,
        CHALLENGE_RESPONSE,
        HMAC_SHORT_CHALLENGE,
    ]);
    let sum = !checksum(&payload[..SUM]);
    payload[SUM..SUM + 2].copy_from_slice(&sum.to_le_bytes());
    Some(payload)
}

/// A step as a challenge. The key takes the bytes at the end that are alike for
/// filling, so what fills it must differ from the last byte of the step.
fn challenge(step: TimeStep) -> [u8; PAYLOAD_LEN] {
    let step = step.to_bytes();
    let mut payload = [u8::from(step[7] == 0); PAYLOAD_LEN];
    payload[..8].copy_from_slice(&step);
    payload
}

#[cfg(test)]
mod tests;
