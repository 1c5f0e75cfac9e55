//! What the numbers of PC/SC mean for us.
//!
//! The same number means different things before a command and during one: before
//! it, nothing was sent; during it, the card may have acted. An error that says
//! "nothing was sent" is only made where that is certain.

use pcsc::Error;
use token::ChannelError;

/// What was under way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// Reaching the service, listing readers and cards.
    Look,
    /// Connecting to a card, up to and including the begin of the transaction.
    Connect {
        /// The program that is likely to hold this reader.
        likely: Option<&'static str>,
    },
    /// An exchange of APDUs.
    Transmit,
}

/// Translates an error of PC/SC.
pub(crate) fn map_error(error: Error, phase: Phase) -> ChannelError {
    match phase {
        Phase::Look => looking(error),
        Phase::Connect { likely } => connecting(error, likely),
        Phase::Transmit => transmitting(error),
    }
}

/// Whether the context is of no more use and a new one may be.
pub(crate) const fn service_is_gone(error: Error) -> bool {
    matches!(
        error,
        Error::NoService | Error::ServiceStopped | Error::InvalidHandle | Error::CommError
    )
}

const fn looking(error: Error) -> ChannelError {
    match error {
        Error::NoService | Error::ServiceStopped | Error::InvalidHandle => {
            ChannelError::ServiceMissing
        }
        // pcscd closes the connection of a client that polkit does not let in,
        // which libpcsclite reports as a transport error.
        Error::CommError | Error::NoAccess | Error::SecurityViolation => ChannelError::NotPermitted,
        other => failed(other),
    }
}

const fn connecting(error: Error, likely: Option<&'static str>) -> ChannelError {
    match error {
        Error::SharingViolation => ChannelError::Busy { likely },
        Error::NoAccess | Error::SecurityViolation => ChannelError::NotPermitted,
        Error::NoSmartcard
        | Error::RemovedCard
        | Error::UnknownReader
        | Error::ReaderUnavailable
        | Error::NoReadersAvailable => ChannelError::NotThere,
        Error::UnresponsiveCard | Error::UnpoweredCard => ChannelError::Unresponsive,
        Error::NoService | Error::ServiceStopped | Error::InvalidHandle => {
            ChannelError::ServiceMissing
        }
        other => failed(other),
    }
}

const fn transmitting(error: Error) -> ChannelError {
    match error {
        Error::RemovedCard
        | Error::NoSmartcard
        | Error::UnknownReader
        | Error::ReaderUnavailable => ChannelError::Removed,
        Error::ResetCard | Error::NotTransacted | Error::UnpoweredCard => ChannelError::Reset,
        Error::UnresponsiveCard => ChannelError::NoAnswer,
        Error::Timeout => ChannelError::Silent,
        // These two are refusals: the service did not pass the command on.
        Error::SharingViolation => ChannelError::Busy { likely: None },
        Error::NoAccess | Error::SecurityViolation => ChannelError::NotPermitted,
        // A service that dies during a command leaves the outcome open, which
        // `ServiceMissing` would deny.
        other => failed(other),
    }
}

const fn failed(error: Error) -> ChannelError {
    ChannelError::Failed { code: error as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPG: Option<&str> = Some("gpg");

    #[track_caller]
    fn check(phase: Phase, cases: &[(Error, ChannelError)]) {
        for (error, expected) in cases {
            assert_eq!(map_error(*error, phase), *expected, "{error:?} in {phase:?}");
        }
    }

    #[test]
    fn looking() {
        use ChannelError::{Failed, NotPermitted, ServiceMissing};
        check(
            Phase::Look,
            &[
                (Error::NoService, ServiceMissing),
                (Error::ServiceStopped, ServiceMissing),
                (Error::InvalidHandle, ServiceMissing),
                (Error::CommError, NotPermitted),
                (Error::SecurityViolation, NotPermitted),
                (Error::NoAccess, NotPermitted),
                (Error::NoMemory, Failed { code: 0x8010_0006 }),
            ],
        );
    }

    #[test]
    fn connecting() {
        use ChannelError::{Busy, Failed, NotPermitted, NotThere, ServiceMissing, Unresponsive};
        check(
            Phase::Connect { likely: GPG },
            &[
                (Error::SharingViolation, Busy { likely: GPG }),
                (Error::NoAccess, NotPermitted),
                (Error::SecurityViolation, NotPermitted),
                (Error::NoSmartcard, NotThere),
                (Error::RemovedCard, NotThere),
                (Error::UnknownReader, NotThere),
                (Error::ReaderUnavailable, NotThere),
                (Error::UnresponsiveCard, Unresponsive),
                (Error::UnpoweredCard, Unresponsive),
                (Error::NoService, ServiceMissing),
                (Error::ServiceStopped, ServiceMissing),
                (Error::ProtoMismatch, Failed { code: 0x8010_000f }),
            ],
        );
    }

    #[test]
    fn transmitting() {
        use ChannelError::{Busy, Failed, NoAnswer, NotPermitted, Removed, Reset, Silent};
        check(
            Phase::Transmit,
            &[
                (Error::RemovedCard, Removed),
                (Error::ReaderUnavailable, Removed),
                (Error::NotTransacted, Reset),
                (Error::ResetCard, Reset),
                (Error::UnpoweredCard, Reset),
                (Error::UnresponsiveCard, NoAnswer),
                (Error::Timeout, Silent),
                (Error::SharingViolation, Busy { likely: None }),
                (Error::SecurityViolation, NotPermitted),
                (Error::NoService, Failed { code: 0x8010_001d }),
                (Error::CommError, Failed { code: 0x8010_0013 }),
                (Error::InsufficientBuffer, Failed { code: 0x8010_0008 }),
            ],
        );
    }

    #[test]
    fn during_a_command_only_refusals_say_that_nothing_happened() {
        let open = [
            Error::NoService,
            Error::ServiceStopped,
            Error::CommError,
            Error::UnresponsiveCard,
            Error::ReaderUnavailable,
            Error::UnknownReader,
            Error::NoSmartcard,
            Error::InternalError,
        ];
        for error in open {
            let mapped = map_error(error, Phase::Transmit);
            assert!(mapped.may_have_taken_effect(), "{error:?}");
        }
    }
}
