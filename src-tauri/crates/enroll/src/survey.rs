//! What a short look at a token found, kept after the token is let go.

use oath::UnixTime;
use token::{Capabilities, Entry, Guard, Origin, Session, SessionError, TokenIdentity};

/// Who the token is, what it can do and what is on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    identity: TokenIdentity,
    capabilities: Capabilities,
    entries: Option<Vec<Entry>>,
    origin: Origin,
    taken_at: UnixTime,
}

impl Survey {
    /// Reads what an open session tells. A guarded token that was not unlocked
    /// keeps its entries to itself.
    pub fn take(
        session: &mut dyn Session,
        origin: Origin,
        now: UnixTime,
    ) -> Result<Self, SessionError> {
        let entries = match session.entries() {
            Ok(entries) => Some(entries),
            Err(SessionError::Locked) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            identity: session.identity().clone(),
            capabilities: session.capabilities().clone(),
            entries,
            origin,
            taken_at: now,
        })
    }

    /// The same without asking what is on it: enough for a list of tokens.
    pub fn peek(session: &mut dyn Session, origin: Origin, now: UnixTime) -> Self {
        Self {
            identity: session.identity().clone(),
            capabilities: session.capabilities().clone(),
            entries: None,
            origin,
            taken_at: now,
        }
    }

    /// Who it is.
    pub const fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    /// What it can do.
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// What is on it; `None` while it is locked or was not asked.
    pub fn entries(&self) -> Option<&[Entry]> {
        self.entries.as_deref()
    }

    /// Whether it is a thing that can be held in a hand.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether a password or a PIN has to be typed first.
    pub const fn is_guarded(&self) -> bool {
        matches!(self.capabilities.guard, Guard::Password | Guard::Pin { .. })
    }

    /// Seconds by which the token's clock was ahead of this computer's when it
    /// was read; negative when it was behind.
    pub fn clock_offset(&self) -> Option<i64> {
        self.identity.clock.map(|clock| whole_seconds(clock, self.taken_at))
    }
}

/// Token clocks tell whole seconds, so the host's is cut to them as well.
pub(crate) fn whole_seconds(token: UnixTime, host: UnixTime) -> i64 {
    token.seconds_since(UnixTime::from_secs(host.as_secs()))
}
