//! Errors become problems here: one exhaustive match an error type.

use enroll::ProofFailure;
use qr::PictureError;
use token::{ChannelError, SessionError, TokenState, Unrecognised, WriteFailure};

use crate::{Facts, Problem};

impl Problem {
    /// A problem with its facts.
    pub fn new<const N: usize>(code: &str, facts: [(&str, String); N]) -> Self {
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { code: code.to_owned(), facts, token: None }
    }

    fn plain(code: &str) -> Self {
        Self { code: code.to_owned(), facts: Facts::new(), token: None }
    }

    /// This problem, with what the token holds.
    #[must_use]
    pub(crate) fn with_state(mut self, state: TokenState) -> Self {
        self.token = Some(state_code(state).to_owned());
        self
    }

    pub(crate) fn wrong_stage() -> Self {
        Self::plain("wrong-stage")
    }

    pub(crate) fn needs_permission() -> Self {
        Self::plain("needs-permission").with_state(TokenState::Untouched)
    }

    /// A wrong clock written to a token is a dead token.
    pub(crate) fn clock_impossible() -> Self {
        Self::plain("clock-impossible").with_state(TokenState::Untouched)
    }

    pub(crate) fn unknown_token() -> Self {
        Self::plain("unknown-token")
    }

    pub(crate) fn unknown_model() -> Self {
        Self::plain("unknown-model")
    }

    /// Nothing of the model's protocol is public.
    pub(crate) fn model_not_readable() -> Self {
        Self::plain("model-not-readable")
    }

    /// What lies there is known to be something else, and is not asked.
    pub(crate) fn not_this_model() -> Self {
        Self::plain("not-this-model")
    }

    /// The card did not answer like a token of the model.
    pub(crate) fn answers_otherwise() -> Self {
        Self::plain("answers-otherwise")
    }

    pub(crate) fn no_clock_to_set() -> Self {
        Self::plain("no-clock-to-set")
    }

    /// The connection broke at the message that sets the clock.
    pub(crate) fn clock_not_known() -> Self {
        Self::plain("clock-not-known")
    }

    /// The token took the time and did not tell its code afterwards.
    pub(crate) fn clock_not_proven() -> Self {
        Self::plain("clock-not-proven")
    }

    pub(crate) fn qr_too_long() -> Self {
        Self::plain("qr-too-long")
    }

    /// The codes of [`Self::no_code_found`].
    pub(crate) const NO_CODE: [&'static str; 2] = ["no-code-found", "no-code-read"];

    /// The same with the word that a longer look is possible.
    pub(crate) fn with_longer_look(mut self) -> Self {
        self.facts.insert("longer".to_owned(), "yes".to_owned());
        self
    }

    pub(crate) fn no_code_found(unread: u32) -> Self {
        Self::plain(if unread == 0 { "no-code-found" } else { "no-code-read" })
    }
}

/// The word for a token's state.
pub(crate) const fn state_code(state: TokenState) -> &'static str {
    match state {
        TokenState::Untouched => "untouched",
        TokenState::Written => "written",
        TokenState::Emptied => "emptied",
        TokenState::OldSecretNewSettings => "old-secret-new-settings",
        TokenState::Unknown => "unknown",
    }
}

/// The word for something that is no token of a known family.
pub(crate) const fn stranger_code(stranger: Unrecognised) -> &'static str {
    match stranger {
        Unrecognised::StorageCard => "storage-card",
        Unrecognised::FidoKey => "fido-key",
        Unrecognised::Nitrokey3 => "nitrokey-3",
        Unrecognised::Unknown => "unknown-card",
    }
}

impl From<Unrecognised> for Problem {
    fn from(stranger: Unrecognised) -> Self {
        Self::new("stranger", [("what", stranger_code(stranger).to_owned())])
    }
}

impl From<&ChannelError> for Problem {
    fn from(error: &ChannelError) -> Self {
        match error {
            ChannelError::Removed => Self::plain("token-removed"),
            ChannelError::Silent => Self::plain("token-silent"),
            ChannelError::NoAnswer => Self::plain("token-no-answer"),
            ChannelError::Reset => Self::plain("token-reset"),
            ChannelError::Busy { likely } => {
                Self::new("reader-busy", [("likely", likely.unwrap_or_default().to_owned())])
            }
            ChannelError::NotPermitted => Self::plain("not-permitted"),
            ChannelError::ServiceMissing => Self::plain("service-missing"),
            ChannelError::NotThere => Self::plain("token-gone"),
            ChannelError::Unresponsive => Self::plain("card-unresponsive"),
            ChannelError::Failed { code } => {
                Self::new("bus-failed", [("code", format!("{code:08X}"))])
            }
        }
    }
}

impl From<&SessionError> for Problem {
    fn from(error: &SessionError) -> Self {
        match error {
            SessionError::Channel(error) => error.into(),
            SessionError::Locked => Self::plain("token-locked"),
            SessionError::WrongKey { tries_left: None } => Self::plain("wrong-password"),
            SessionError::WrongKey { tries_left: Some(left) } => {
                Self::new("wrong-password", [("tries-left", left.to_string())])
            }
            SessionError::LockedOnDevice => Self::plain("locked-on-device"),
            SessionError::NotSetUp => Self::plain("not-set-up"),
            SessionError::Blocked => Self::plain("token-blocked"),
            SessionError::NotTouched => Self::plain("not-touched"),
            SessionError::NotInSetUpMode => Self::plain("not-in-set-up-mode"),
            SessionError::AuthenticationRefused => Self::plain("authentication-refused"),
            SessionError::Full => Self::plain("token-full"),
            SessionError::NoSuchEntry => Self::plain("no-such-entry"),
            SessionError::NameTaken => Self::plain("name-taken"),
            SessionError::NotOverThisConnection => Self::plain("not-over-this-connection"),
            SessionError::FirmwareTooOld => Self::plain("firmware-too-old"),
            SessionError::ReadOnly => Self::plain("token-read-only"),
            SessionError::AnotherToken => Self::plain("another-token"),
            SessionError::Refused { exchange, status } => Self::new(
                "refused",
                [("exchange", (*exchange).to_owned()), ("status", status.to_string())],
            ),
            SessionError::Malformed { exchange, what } => Self::new(
                "malformed",
                [("exchange", (*exchange).to_owned()), ("what", (*what).to_owned())],
            ),
        }
    }
}

impl From<&WriteFailure> for Problem {
    fn from(failure: &WriteFailure) -> Self {
        Self::from(&failure.cause).with_state(failure.token)
    }
}

impl From<&ProofFailure> for Problem {
    fn from(failure: &ProofFailure) -> Self {
        let (problem, state) = match failure {
            // The write was acknowledged, and yet the entry is not there.
            ProofFailure::Session(error @ SessionError::NoSuchEntry) => {
                (Self::from(error), TokenState::Unknown)
            }
            ProofFailure::Session(error) => (Self::from(error), TokenState::Written),
            ProofFailure::Mismatch => (Self::plain("proof-mismatch"), TokenState::Unknown),
        };
        problem.with_state(state)
    }
}

impl From<&PictureError> for Problem {
    fn from(error: &PictureError) -> Self {
        let facts = error.facts().into_iter();
        Self {
            code: error.code().to_owned(),
            facts: facts.map(|(name, value)| (name.to_owned(), value)).collect(),
            token: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use token::StatusWord;

    use super::*;
    use crate::Words;

    /// Every code that can reach a person has a message and a next step.
    #[test]
    fn every_problem_has_words() {
        let channel = [
            ChannelError::Removed,
            ChannelError::Silent,
            ChannelError::NoAnswer,
            ChannelError::Reset,
            ChannelError::Busy { likely: None },
            ChannelError::NotPermitted,
            ChannelError::ServiceMissing,
            ChannelError::NotThere,
            ChannelError::Unresponsive,
            ChannelError::Failed { code: 7 },
        ];
        let session = [
            SessionError::Locked,
            SessionError::WrongKey { tries_left: Some(2) },
            SessionError::WrongKey { tries_left: None },
            SessionError::LockedOnDevice,
            SessionError::NotSetUp,
            SessionError::Blocked,
            SessionError::NotTouched,
            SessionError::NotInSetUpMode,
            SessionError::AuthenticationRefused,
            SessionError::Full,
            SessionError::NoSuchEntry,
            SessionError::NameTaken,
            SessionError::NotOverThisConnection,
            SessionError::FirmwareTooOld,
            SessionError::ReadOnly,
            SessionError::AnotherToken,
            SessionError::Refused { exchange: "PUT", status: StatusWord(0x6a80) },
            SessionError::Malformed { exchange: "LIST", what: "lengths" },
        ];
        let problems = channel
            .iter()
            .map(Problem::from)
            .chain(session.iter().map(Problem::from))
            .chain([Problem::from(&ProofFailure::Mismatch)])
            .chain([
                Problem::wrong_stage(),
                Problem::needs_permission(),
                Problem::clock_impossible(),
                Problem::unknown_token(),
                Problem::unknown_model(),
                Problem::model_not_readable(),
                Problem::not_this_model(),
                Problem::answers_otherwise(),
                Problem::no_clock_to_set(),
                Problem::clock_not_known(),
                Problem::clock_not_proven(),
                Problem::qr_too_long(),
                Problem::no_code_found(0),
                Problem::no_code_found(1),
                Problem::from(Unrecognised::Unknown),
                Problem::plain("file-unreadable"),
                Problem::plain("file-too-large"),
                Problem::plain("save-failed"),
            ]);
        let words = Words::english();
        for problem in problems {
            let key = format!("problem-{}", problem.code);
            assert!(words.knows(&key), "no words for {key}");
            let said = words.say(&key, &problem.facts);
            assert!(said.next.is_some_and(|next| !next.is_empty()), "no next step for {key}");
        }
        for state in [
            TokenState::Untouched,
            TokenState::Written,
            TokenState::Emptied,
            TokenState::OldSecretNewSettings,
            TokenState::Unknown,
        ] {
            assert!(words.knows(&format!("state-{}", state_code(state))));
        }
        for stranger in [
            Unrecognised::StorageCard,
            Unrecognised::FidoKey,
            Unrecognised::Nitrokey3,
            Unrecognised::Unknown,
        ] {
            assert!(words.knows(&format!("stranger-{}", stranger_code(stranger))));
        }
    }

    #[test]
    fn every_finding_and_picture_error_has_words() {
        let words = Words::english();
        let findings = intake::KeyUriError::CODES.iter().chain(intake::Foreign::CODES);
        for code in findings {
            assert!(words.knows(&format!("finding-{code}")), "no words for finding-{code}");
        }
        for code in intake::Note::CODES {
            assert!(words.knows(&format!("note-{code}")), "no words for note-{code}");
        }
        for code in PictureError::CODES {
            assert!(words.knows(&format!("problem-{code}")), "no words for problem-{code}");
        }
    }
}
