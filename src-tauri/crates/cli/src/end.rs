//! How the program can end. The numbers are documented in the README and stable.

use std::process::ExitCode;

use desk::Problem;

/// An end, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Done; for `enroll`, confirmed.
    Done,
    /// Something went wrong that touched no token and is none of the below.
    Failed,
    /// The picture or file gave no credential.
    NoCredential,
    /// No token could be written; what is on it is as it was.
    Untouched,
    /// The secret is on the token, but nothing was confirmed.
    NotConfirmed,
    /// The write broke off: the token is changed, or it cannot be known.
    Changed,
}

impl End {
    pub(crate) fn code(self) -> ExitCode {
        // 2 is clap's, for words on the command line that it does not understand.
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::NoCredential => 3,
            Self::Untouched => 4,
            Self::NotConfirmed => 5,
            Self::Changed => 6,
        })
    }

    /// After a failed write, by what the token holds.
    pub(crate) fn after(problem: &Problem) -> Self {
        match problem.token.as_deref() {
            None | Some("untouched") => Self::Untouched,
            Some("written") => Self::NotConfirmed,
            Some(_) => Self::Changed,
        }
    }
}
