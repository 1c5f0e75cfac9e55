//! What a session can fail with, and what the token holds afterwards.

use crate::{ChannelError, StatusWord};

/// Why a session did not do what was asked: facts, and whose fault it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The bytes did not get through.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The token wants its password first.
    #[error("the token is locked with a password")]
    Locked,
    /// The password, PIN or key was wrong.
    #[error("wrong password")]
    WrongKey {
        /// Tries that are left, where the token counts them.
        tries_left: Option<u8>,
    },
    /// The token would not take the host's authentication. It is not tried
    /// again: some firmware counts and locks for good.
    #[error("the token refused the authentication")]
    AuthenticationRefused,
    /// The token is locked and is opened on the token itself.
    #[error("the token is locked on the device")]
    LockedOnDevice,
    /// The token was never set up by its maker's program.
    #[error("the token is not set up")]
    NotSetUp,
    /// No try is left; the maker's program resets it.
    #[error("no try is left")]
    Blocked,
    /// Nobody touched the token, pressed its button or said yes on it in time.
    #[error("nobody confirmed on the token")]
    NotTouched,
    /// Its owner allows changes in a special mode alone.
    #[error("the token's owner allows changes in its set-up mode alone")]
    NotInSetUpMode,
    /// There is no room for another entry.
    #[error("the token is full")]
    Full,
    /// There is no entry of this name.
    #[error("the token has no such entry")]
    NoSuchEntry,
    /// An entry of this name is there, and nobody said to replace it.
    #[error("the token has an entry of this name")]
    NameTaken,
    /// The token does not allow this over this connection (FIPS keys over NFC).
    #[error("the token does not allow this over this connection")]
    NotOverThisConnection,
    /// The token's firmware speaks an older form of the protocol.
    #[error("the token's firmware is too old")]
    FirmwareTooOld,
    /// The token is known for reading only.
    #[error("this token is not written to")]
    ReadOnly,
    /// Another token is there than the one that was planned for.
    #[error("another token is there")]
    AnotherToken,
    /// The token said no, with a status word that has no better name here.
    #[error("{exchange} was refused with {status}")]
    Refused {
        /// The exchange, in the words of the sheet.
        exchange: &'static str,
        /// The status word.
        status: StatusWord,
    },
    /// The token's answer is not of the protocol's form.
    #[error("the answer to {exchange} is malformed: {what}")]
    Malformed {
        /// The exchange, in the words of the sheet.
        exchange: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// What the token holds after a failed write. It must be TRUE: the first thing
/// that a person is told after a failure is this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenState {
    /// Everything is as it was before.
    Untouched,
    /// The new secret is on it, whole; only the proof is missing.
    Written,
    /// What was in this place is gone and the new secret is not there.
    Emptied,
    /// The old secret is still there, but settings and clock are the new ones,
    /// so its codes may differ from what its owner's service expects.
    OldSecretNewSettings,
    /// It cannot be known: the connection broke while a change was under way.
    Unknown,
}

/// A write that did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause} (token: {token:?})")]
pub struct WriteFailure {
    /// What the token holds now.
    pub token: TokenState,
    /// Why.
    pub cause: SessionError,
    /// Whether what had to give way was surely removed before the break. With
    /// [`TokenState::Unknown`] it tells what an entry that is found later cannot be.
    pub cleared: bool,
}

impl WriteFailure {
    /// A failure before anything could change.
    pub fn untouched(cause: impl Into<SessionError>) -> Self {
        Self { token: TokenState::Untouched, cause: cause.into(), cleared: false }
    }
}
