//! Drivers and sessions: what recognises a family and what talks to one token.

use std::fmt;

use oath::{Code, Response, SharedSecret, TimeStep, UnixTime};
use zeroize::Zeroizing;

use crate::{
    Attachment, Candidate, Capabilities, Channel, ChannelError, CommandApdu, DRIVERS, SessionError,
    StatusWord, WriteFailure, WritePlan,
};

/// Recognises one family and opens sessions with its tokens.
pub trait Driver: Sync {
    /// The family, described for people and for tables.
    fn family(&self) -> &'static Family;
    /// What the way a candidate is attached tells already. Sends nothing.
    fn recognises(&self, candidate: &Candidate) -> Recognition;
    /// Selects and reads the identity by the reads that the sheet documents;
    /// never writes. A token of another family gives the channel back.
    fn open(&self, candidate: &Candidate, channel: Channel) -> Result<Box<dyn Session>, OpenError>;
}

/// A conversation with one token, from its opening to its drop.
pub trait Session: Send {
    /// Who this is.
    fn identity(&self) -> &TokenIdentity;
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;
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
    /// Asks the token for evidence of what was written.
    fn prove(&mut self, plan: &WritePlan, question: Question) -> Result<Proof, SessionError>;
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

/// What opens a guarded token. `Debug` shows nothing of it.
pub enum Unlock {
    /// A password, and eight random bytes for the token to sign in return.
    Password {
        /// The password as typed.
        password: Zeroizing<String>,
        /// Eight bytes from the system's random source.
        challenge: [u8; 8],
    },
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlock::Password(hidden)")
    }
}

/// Something that is on a token already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its full name, unreadable bytes replaced.
    pub name: String,
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
    /// It returns nothing of the kind: a person must type what it shows. Here is
    /// its clock, read after the write.
    MustBeTyped {
        /// The token's clock at the moment of reading.
        clock: UnixTime,
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
    /// A Nitrokey 3, whose applet has the same name and other rules.
    #[error("a Nitrokey 3")]
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
) -> Result<Result<Box<dyn Session>, Unrecognised>, SessionError> {
    if let Attachment::SmartCard { atr, .. } = &candidate.attachment
        && is_storage_card(atr)
    {
        return Ok(Err(Unrecognised::StorageCard));
    }
    for driver in DRIVERS {
        match driver.recognises(candidate) {
            Recognition::No => {}
            Recognition::Yes | Recognition::MustAsk => match driver.open(candidate, channel) {
                Ok(session) => return Ok(Ok(session)),
                Err(OpenError::NotThisFamily(back)) => channel = back,
                Err(OpenError::Stranger(stranger)) => return Ok(Err(stranger)),
                Err(OpenError::Failed(error)) => return Err(error),
            },
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
