//! What carries bytes to a token, and what lists the tokens that are there.
//!
//! Each kind of channel is a small trait of its own, so that nothing has to
//! answer "not supported on this transport". The real buses are in `transport`,
//! the practice tokens in `emulator`; both implement these traits.

use std::fmt;
use std::time::Duration;

use crate::{CommandApdu, ResponseApdu};

/// Sends command APDUs to one card and returns its answers (ISO 7816-4).
///
/// A channel holds the card for itself from its making to its drop, so keep it
/// short and let nothing wait for a person in between.
pub trait SmartCardChannel: Send {
    /// One exchange. The channel does not chain: `61xx` and `6Cxx` come back as
    /// they are, because families continue answers in different ways
    /// (pcsc-nfc.md section 3).
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError>;
}

/// Interrupt reports of a HID interface, in both directions.
pub trait ReportChannel: Send {
    /// Sends one output report: report number, then its bytes.
    fn write(&mut self, report: &[u8]) -> Result<(), ChannelError>;
    /// Waits for one input report, at most `at_most`; [`ChannelError::Silent`]
    /// when none comes. A late answer stays in the queue, so the caller matches
    /// what it reads to what it asked (rigs/FACTS.md section 7).
    fn read(&mut self, at_most: Duration) -> Result<Vec<u8>, ChannelError>;
}

/// Feature reports of a HID interface.
pub trait FeatureChannel: Send {
    /// Sets one feature report: report number, then its bytes.
    fn set(&mut self, report: &[u8]) -> Result<(), ChannelError>;
    /// Gets one feature report of at most `len` bytes.
    fn get(&mut self, report_number: u8, len: usize) -> Result<Vec<u8>, ChannelError>;
}

/// A HID interface: both kinds of reports go over the same open handle, and a
/// device without one of them stalls it.
pub trait HidChannel: ReportChannel + FeatureChannel {}

impl<T: ReportChannel + FeatureChannel> HidChannel for T {}

/// An open way to one token.
pub enum Channel {
    /// A smart card, by PC/SC.
    SmartCard(Box<dyn SmartCardChannel>),
    /// A HID interface.
    Hid(Box<dyn HidChannel>),
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SmartCard(_) => "Channel::SmartCard",
            Self::Hid(_) => "Channel::Hid",
        })
    }
}

/// Why a channel did not do what was asked.
///
/// Not there, not permitted, busy and service missing are different answers,
/// because the next thing to do differs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The token left. A command that was under way may have taken effect.
    #[error("the token was removed")]
    Removed,
    /// No answer within the time. The command may have taken effect, or may yet.
    #[error("the token did not answer in time")]
    Silent,
    /// An answer too short to be one, under two bytes. This is what the system
    /// reports when a card leaves during a command, so the command may have
    /// taken effect (rigs/FACTS.md section 7).
    #[error("the token's answer was empty")]
    NoAnswer,
    /// The command did not reach the card, or not surely: the card was powered
    /// anew, by another program or by being lifted for a moment. Its state is
    /// gone, and it may be another card.
    #[error("the token was reset")]
    Reset,
    /// Another program holds the reader or the device.
    #[error("another program is using the reader")]
    Busy {
        /// The program that is known to hold readers like this one, if any.
        likely: Option<&'static str>,
    },
    /// The system does not let this user talk to the device or service.
    #[error("not permitted")]
    NotPermitted,
    /// The smart-card service does not run or is not installed.
    #[error("the smart-card service is not running")]
    ServiceMissing,
    /// The reader or the token is not there (any more); nothing was sent.
    #[error("the token is not there")]
    NotThere,
    /// A card is there but does not start up: upside down, dirty or unpowered.
    #[error("the card does not respond")]
    Unresponsive,
    /// Something else, with the system's own number.
    #[error("the system reported error {code:#010x}")]
    Failed {
        /// The number, as the system gives it.
        code: u32,
    },
}

impl ChannelError {
    /// Whether a command that ended so can have changed the token.
    ///
    /// False only where nothing can have been sent.
    pub const fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Removed | Self::Silent | Self::NoAnswer | Self::Reset | Self::Failed { .. } => {
                true
            }
            Self::Busy { .. }
            | Self::NotPermitted
            | Self::ServiceMissing
            | Self::NotThere
            | Self::Unresponsive => false,
        }
    }
}

/// Names one appearance of one token at one place.
///
/// A token that is taken out and put back gets another id, and so does another
/// token in the same reader: an id never outlives the thing it was given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidateId(pub String);

/// Where a candidate is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// A card in or on a PC/SC reader.
    SmartCard {
        /// The reader's name, for people; never an identity (pcsc-nfc.md section 1).
        reader: String,
        /// The answer to reset, up to 33 bytes; empty if not told.
        atr: Vec<u8>,
    },
    /// A HID interface.
    Hid {
        /// USB vendor id.
        vendor: u16,
        /// USB product id.
        product: u16,
        /// Usage page of the top collection.
        usage_page: u16,
        /// Usage of the top collection.
        usage: u16,
        /// Product string, for people.
        name: String,
        /// The USB serial number; empty if none is told.
        serial: String,
    },
}

/// Whether a candidate is a thing that can be held in a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On a bus of this computer.
    Bus,
    /// A practice token. Every screen and every receipt says so.
    Practice,
}

/// Something that may be a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id in its source.
    pub id: CandidateId,
    /// Where it is.
    pub attachment: Attachment,
    /// What kind of thing it is.
    pub origin: Origin,
}

/// Lists tokens and opens channels to them. Shared between threads.
pub trait TokenSource: Send + Sync {
    /// What is there now.
    fn candidates(&self) -> Result<Vec<Candidate>, ChannelError>;
    /// Opens a channel and holds the token until the channel is dropped.
    fn connect(&self, id: &CandidateId) -> Result<Channel, ChannelError>;
    /// A watch with a connection of its own, so that watching never waits for talking.
    fn watch(&self) -> Box<dyn TokenWatch>;
}

/// Notices that tokens come and go.
pub trait TokenWatch: Send {
    /// Returns when something may have changed, or after `at_most`.
    fn wait(&mut self, at_most: Duration);
}
