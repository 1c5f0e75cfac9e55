//! Channels, capabilities and the drivers of the token families.
//!
//! A *channel* carries bytes, a *session* talks to one token, a *driver*
//! recognises a family and opens the session. This crate opens no device, reads
//! no clock, draws no random number and knows no service provider: bytes, time
//! and challenges are arguments. A family that no driver claims is never
//! written to.
//!
//! What no driver ever sends: a reset, an erase-all, a second guess of a PIN,
//! password or key.

mod apdu;
mod capabilities;
mod channel;
mod closed;
mod driver;
mod error;
mod families;
mod hid;
mod plan;
pub mod protectimus_slim;
mod tlv;

pub use apdu::{
    CommandApdu, Continuation, Patience, ResponseApdu, StatusWord, exchange, exchange_once,
};
pub use capabilities::{
    Access, Capabilities, Characters, ClockRule, EntryName, Guard, NameRule, PeriodPrefix,
    PeriodRule, Places, Presence, ProofClass, ReadOnlyReason, SameName, ZeroRule,
};
pub use channel::{
    Attachment, Candidate, CandidateId, Channel, ChannelError, FeatureChannel, HidChannel, Origin,
    ReportChannel, SmartCardChannel, TokenSource, TokenWatch,
};
pub use closed::{CLOSED, ClosedModel, Doubt, Doubted, PublicPart, SeedForm, Tag, Told};
pub use driver::{
    Deed, Driver, Entry, Family, HidInterface, OpenError, Proof, Question, Random, Recognition,
    Rung, Serial, Session, Slot, Summons, Taken, TokenIdentity, Unlock, Unrecognised,
    hid_interfaces, open,
};
pub use error::{SessionError, TokenState, WriteFailure};
pub use families::DRIVERS;
pub use plan::{Label, Misfit, Wish, WritePlan};
