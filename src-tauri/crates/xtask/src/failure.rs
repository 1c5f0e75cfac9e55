//! What can go wrong here, in words for the person at the terminal.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a command of this program stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The words on the command line mean nothing.
    Usage(String),
    /// A program could not be started at all.
    NotStarted {
        /// The program and its arguments.
        command: String,
        source: io::Error,
    },
    /// A program ended, and not with success.
    Ended {
        command: String,
        /// The exit code; `None` when a signal ended it.
        code: Option<i32>,
    },
    /// A file or folder could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// Something of the system is missing and cannot be installed from here.
    Missing {
        /// Debian's names of what is missing.
        packages: Vec<&'static str>,
        reason: &'static str,
    },
    /// Node or Python is not there: the two that are not ours to install.
    NoInterpreter { name: &'static str, hint: &'static str },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(words) => write!(f, "not a command: {words}"),
            Self::NotStarted { command, source } => {
                write!(f, "could not start `{command}`: {source}")
            }
            Self::Ended { command, code: Some(code) } => {
                write!(f, "`{command}` ended with {code}")
            }
            Self::Ended { command, code: None } => write!(f, "`{command}` was ended by a signal"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Missing { packages, reason } => {
                write!(f, "{reason}. Please install (Debian's names): {}", packages.join(" "))
            }
            Self::NoInterpreter { name, hint } => write!(f, "{name} was not found: {hint}"),
        }
    }
}
