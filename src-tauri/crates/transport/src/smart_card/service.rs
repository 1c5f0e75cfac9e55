//! The way to the smart-card service, and why it may be closed.

use pcsc::{Context, Scope};
use token::ChannelError;

use super::{Phase, map_error};

/// A new context.
pub(crate) fn establish() -> Result<Context, ChannelError> {
    Context::establish(Scope::User).map_err(|error| match map_error(error, Phase::Look) {
        ChannelError::ServiceMissing if socket::is_forbidden() => ChannelError::NotPermitted,
        other => other,
    })
}

/// libpcsclite says "no service" too when it may not open the service's socket, as
/// in a sandbox without that permission (pcsc-nfc.md section 5).
#[cfg(target_os = "linux")]
pub(crate) mod socket {
    use std::io::ErrorKind;
    use std::os::unix::net::UnixStream;
    use std::path::PathBuf;

    /// Where the service's socket is for this process.
    pub(crate) fn path() -> PathBuf {
        std::env::var_os("PCSCLITE_CSOCK_NAME")
            .map_or_else(|| PathBuf::from("/run/pcscd/pcscd.comm"), PathBuf::from)
    }

    pub(super) fn is_forbidden() -> bool {
        UnixStream::connect(path()).is_err_and(|e| e.kind() == ErrorKind::PermissionDenied)
    }
}

#[cfg(not(target_os = "linux"))]
mod socket {
    pub(super) const fn is_forbidden() -> bool {
        false
    }
}
