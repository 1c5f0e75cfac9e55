//! Drivers and sessions: what recognises a family and what talks to one token.

use std::fmt;
use std::sync::Arc;

use oath::{Code, Response, SharedSecret, TimeStep, UnixTime};
use zeroize::Zeroizing;

use crate::{
    Attachment, Candidate, Capabilities, Channel, ChannelError, CommandApdu, DRIVERS, SessionError,
    StatusWord, WriteFailure, WritePlan,
};

/// Fills a buffer with bytes that nobody can foresee.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a token waits for a person to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To touch it.
    Touch,
    /// To say yes on its own screen.
    Approve,
}

/// Called at the moment at which a token waits for a person, while a call into its
/// session goes on.
pub type Summons = Arc<dyn Fn(Deed) + Send + Sync>;

/// Recognises one family and opens sessions with its tokens.
pub trait Driver: Sync {
    /// The family, described for people and for tables.
    fn family(&self) -> &'static Family;
    /// The HID interfaces that may be tokens of this family, for whoever lists the
    /// bus; keyboards and mice are nobody's business.
    fn hid_interfaces(&self) -> &'static [HidInterface] {
        &[]
    }
    /// What the way a candidate is attached tells already. Sends nothing.
    fn recognises(&self, candidate: &Candidate) -> Recognition;
    /// Selects and reads the identity by the reads that the sheet documents;
    /// never writes. A token of another family gives the channel back. The session
    /// draws what nobody may foresee, such as keys for one use, from `random`.
    fn open(
        &self,
        candidate: &Candidate,
        channel: Channel,
        random: &Random,
    ) -> Result<Box<dyn Session>, OpenError>;
}

/// A conversation with one token, from its opening to its drop.
pub trait Session: Send {
    /// Who this is.
    fn identity(&self) -> &TokenIdentity;
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;
    /// Whom to call from now on when the token waits for a person. A family that
    /// never waits for one calls nobody.
    fn summon_by(&mut self, _: Summons) {}
    /// Opens a guarded token. One try; a wrong key is never repeated.
    fn unlock(&mut self, key: &Unlock) -> Result<(), SessionError>;
    /// What is on it already, as far as it tells. Read before anything is overwritten.
    fn entries(&mut self) -> Result<Vec<Entry>, SessionError>;
    /// Writes the secret as planned, with the clock set to `now` where there is
    /// one. A failure says what the token holds.
    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Result<(), WriteFailure>;
    /// Asks the token for evidence of what was written. A token with a clock of
    /// its own is left with `now` in it.
    fn prove(
        &mut self,
        plan: &WritePlan,
        question: Question,
        now: UnixTime,
    ) -> Result<Proof, SessionError>;
}

/// What a HID interface has to be to be looked at. What is `None` does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HidInterface {
    /// USB vendor id.
    pub vendor: u16,
    /// USB product id.
    pub product: Option<u16>,
    /// Usage page of a top collection.
    pub usage_page: Option<u16>,
}

impl HidInterface {
    /// Whether an interface is of this kind.
    pub const fn fits(&self, vendor: u16, product: u16, usage_page: u16) -> bool {
        const fn free_or(wanted: Option<u16>, is: u16) -> bool {
            match wanted {
                None => true,
                Some(wanted) => wanted == is,
            }
        }
        self.vendor == vendor
            && free_or(self.product, product)
            && free_or(self.usage_page, usage_page)
    }
}

/// The HID interfaces that any driver knows.
pub fn hid_interfaces() -> Vec<HidInterface> {
    DRIVERS.iter().flat_map(|driver| driver.hid_interfaces()).copied().collect()
}

/// What the way a candidate is attached tells about its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// It is one of this family.
    Yes,
    /// It is not.
    No,
    /// Only an answer of the token can tell.
    MustAsk,
}

/// Why [`Driver::open`] opened no session.
#[derive(Debug)]
pub enum OpenError {
    /// It is a token of another family; here is the channel for the next driver.
    NotThisFamily(Channel),
    /// It is known for something that no driver here writes to; nobody else
    /// needs to ask.
    Stranger(Unrecognised),
    /// It went wrong.
    Failed(SessionError),
}

impl<E: Into<SessionError>> From<E> for OpenError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A token's serial number or, where it tells none, what is as good for telling
/// two tokens apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(pub String);

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIdentity {
    /// The family's name.
    pub family: &'static str,
    /// The model, for people.
    pub model: String,
    /// The serial number.
    pub serial: Serial,
    /// The firmware's version, where it is told.
    pub firmware: Option<String>,
    /// The token's own clock at the moment of reading, where it is told.
    pub clock: Option<UnixTime>,
}

/// What opens a guarded token, as somebody typed it: a password, a PIN or a key.
/// `Debug` shows nothing of it.
pub struct Unlock(pub Zeroizing<String>);

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlock(hidden)")
    }
}

/// Something that is on a token already, or a numbered place for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its full name or title, unreadable bytes replaced; empty if it has none.
    pub name: String,
    /// Its place, where places have numbers.
    pub slot: Option<Slot>,
    /// Whether something is there.
    pub taken: Taken,
}

impl Entry {
    /// One of a token whose entries have names and no numbers.
    pub const fn named(name: String) -> Self {
        Self { name, slot: None, taken: Taken::Yes }
    }
}

/// A numbered place of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The number on the wire.
    pub number: u16,
    /// What its owner knows it by, such as `3` or `1a`.
    pub label: String,
}

/// Whether a place holds a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The token does not tell.
    NotTold,
}

/// What the token is asked to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The key and the hash, by a step nobody could foresee. The token answers
    /// with all it has, the full HMAC where it returns one.
    Key(TimeStep),
    /// The code of this step, truncated by the token itself.
    Code(TimeStep),
}

/// The token's evidence.
#[derive(Debug)]
pub enum Proof {
    /// The full HMAC that it computed.
    Computed(Response),
    /// The code that it computed.
    Code(Code),
    /// It returns nothing of the kind: what it shows or types must be typed here.
    MustBeTyped {
        /// The token's clock, read after the write, where it is told.
        clock: Option<UnixTime>,
    },
}

/// A token family for people and tables.
#[derive(Debug)]
pub struct Family {
    /// The one name of driver, emulator, sheet, vectors and words.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The models that belong to it.
    pub models: &'static [&'static str],
    /// The channel, for people.
    pub channel: &'static str,
    /// What a usual member can do.
    pub capabilities: Capabilities,
    /// The highest rung of the evidence ladder that was reached.
    pub evidence: Rung,
    /// Where that evidence comes from, one sentence for the operator.
    pub evidence_source: &'static str,
}

/// The evidence ladder, from paper to hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// The protocol sheet alone.
    Sheet,
    /// Our own emulator, written from the sheet by reading the wire anew.
    Emulator,
    /// Published vectors.
    Vectors,
    /// Bytes of the maker's own tool or firmware.
    MakersBytes,
    /// Other people's client or firmware.
    OthersCode,
    /// The real thing.
    Hardware,
}

/// What is there when no driver claims a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognised {
    /// A storage card or transit card by its answer to reset.
    #[error("a storage card, not a token")]
    StorageCard,
    /// A FIDO key without an authenticator applet that can be written.
    #[error("a FIDO key, not a programmable token")]
    FidoKey,
    /// A Nitrokey 3 whose Secrets app does not answer.
    #[error("a Nitrokey 3 without its Secrets app")]
    Nitrokey3,
    /// Nothing that is known.
    #[error("nothing that is known")]
    Unknown,
}

/// Asks each driver in turn, by reads only, and opens a session with the token.
///
/// The outer error is a failure on the way; the inner one names what is there
/// instead of a token.
pub fn open(
    candidate: &Candidate,
    mut channel: Channel,
    random: &Random,
) -> Result<Result<Box<dyn Session>, Unrecognised>, SessionError> {
    if let Attachment::SmartCard { atr, .. } = &candidate.attachment
        && is_storage_card(atr)
    {
        return Ok(Err(Unrecognised::StorageCard));
    }
    for driver in DRIVERS {
        match driver.recognises(candidate) {
            Recognition::No => {}
            Recognition::Yes | Recognition::MustAsk => {
                match driver.open(candidate, channel, random) {
                    Ok(session) => return Ok(Ok(session)),
                    Err(OpenError::NotThisFamily(back)) => channel = back,
                    Err(OpenError::Stranger(stranger)) => return Ok(Err(stranger)),
                    Err(OpenError::Failed(error)) => return Err(error),
                }
            }
        }
    }
    Ok(Err(name_the_stranger(channel)?))
}

/// A storage card's made-up answer to reset names the PC/SC workgroup's
/// application, `A0 00 00 03 06` (pcsc-nfc.md section 2).
fn is_storage_card(atr: &[u8]) -> bool {
    atr.starts_with(&[0x3b, 0x8f, 0x80, 0x01, 0x80, 0x4f, 0x0c, 0xa0, 0x00, 0x00, 0x03, 0x06])
}

fn name_the_stranger(channel: Channel) -> Result<Unrecognised, ChannelError> {
    let Channel::SmartCard(mut card) = channel else {
        return Ok(Unrecognised::Unknown);
    };
    let fido = [0xa0, 0x00, 0x00, 0x06, 0x47, 0x2f, 0x00, 0x01];
    let select = CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &fido).with_le(0);
    if card.transmit(&select)?.status() == StatusWord::OK {
        return Ok(Unrecognised::FidoKey);
    }
    Ok(Unrecognised::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_fits() {
        let check = |product, usage_page, expected| {
            let wanted = HidInterface { vendor: 0x1050, product, usage_page };
            assert_eq!(wanted.fits(0x1050, 0x0407, 0xf1d0), expected, "{wanted:?}");
            assert!(!wanted.fits(0x1051, 0x0407, 0xf1d0), "{wanted:?}");
        };
        check(None, None, true);
        check(Some(0x0407), None, true);
        check(Some(0x0406), None, false);
        check(None, Some(0x0001), false);
        check(Some(0x0407), Some(0xf1d0), true);
        check(Some(0x0406), Some(0xf1d0), false);
    }
}
