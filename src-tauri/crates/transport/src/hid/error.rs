//! What hidapi's errors mean for us.
//!
//! hidapi passes some numbers of the system on, and puts others into a text. The same
//! number means different things while opening, when nothing was sent, and later,
//! when the token may have acted.

use std::time::Duration;

use hidapi::HidError;
use token::ChannelError;

/// What the kernel gives a token for a control transfer (5 s), less a margin. uhid,
/// which carries Bluetooth, reports its end as a plain error of input and output.
const KERNEL_WAITED: Duration = Duration::from_millis(4500);

/// What went wrong, whatever was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The device is not there any more.
    Gone,
    /// The system does not let this user.
    NotPermitted,
    /// Another program holds it for itself.
    Held,
    /// No answer within the system's own limit.
    Late,
    /// Input or output failed, and the system does not say why.
    Failed,
    /// A signal came; nothing was sent or read.
    Interrupted,
    /// Another number of the system's, 0 if there is none.
    Other(u32),
}

/// An error of hidapi while listing or opening.
pub(super) fn opening(error: &HidError) -> ChannelError {
    nothing_sent(cause(error))
}

/// An error of the system while opening a device's node.
#[cfg(target_os = "linux")]
pub(super) fn opening_node(error: &std::io::Error) -> ChannelError {
    nothing_sent(number(error.raw_os_error().unwrap_or(0)))
}

/// An error while talking, which took so long.
pub(super) fn talking(error: &HidError, took: Duration) -> ChannelError {
    match cause(error) {
        Cause::Gone => ChannelError::Removed,
        Cause::Late => ChannelError::Silent,
        Cause::Failed if took >= KERNEL_WAITED => ChannelError::Silent,
        // Refusals in the middle of a talk are nothing that the system documents, so
        // that it stays open what happened.
        Cause::NotPermitted => ChannelError::Failed { code: raw::NOT_PERMITTED },
        Cause::Held => ChannelError::Failed { code: raw::HELD },
        Cause::Failed => ChannelError::Failed { code: raw::FAILED },
        Cause::Interrupted => ChannelError::Failed { code: raw::INTERRUPTED },
        Cause::Other(code) => ChannelError::Failed { code },
    }
}

/// Whether a wait was cut short by a signal and may simply go on.
pub(super) fn is_interrupted(error: &HidError) -> bool {
    cause(error) == Cause::Interrupted
}

/// Whether the device itself said no, so that it is certainly there.
pub(super) fn is_stall(error: &ChannelError) -> bool {
    *error == ChannelError::Failed { code: raw::STALLED }
}

const fn nothing_sent(cause: Cause) -> ChannelError {
    match cause {
        Cause::Gone => ChannelError::NotThere,
        Cause::NotPermitted => ChannelError::NotPermitted,
        Cause::Held => ChannelError::Busy { likely: None },
        Cause::Late => ChannelError::Unresponsive,
        Cause::Failed => ChannelError::Failed { code: raw::FAILED },
        Cause::Interrupted => ChannelError::Failed { code: raw::INTERRUPTED },
        Cause::Other(code) => ChannelError::Failed { code },
    }
}

fn cause(error: &HidError) -> Cause {
    match error {
        HidError::IoError { error } => number(error.raw_os_error().unwrap_or(0)),
        HidError::HidApiError { message } => text(message),
        HidError::HidApiErrorEmpty
        | HidError::FromWideCharError { .. }
        | HidError::InitializationError
        | HidError::InvalidZeroSizeData
        | HidError::IncompleteSendError { .. }
        | HidError::SetBlockingModeError { .. }
        | HidError::OpenHidDeviceWithDeviceInfoError { .. } => Cause::Other(0),
    }
}

fn number(number: i32) -> Cause {
    let code = number.cast_unsigned();
    match code {
        code if raw::GONE.contains(&code) => Cause::Gone,
        raw::NOT_PERMITTED | raw::NOT_THE_OWNER => Cause::NotPermitted,
        raw::HELD => Cause::Held,
        raw::LATE => Cause::Late,
        raw::FAILED => Cause::Failed,
        raw::INTERRUPTED => Cause::Interrupted,
        code => Cause::Other(code),
    }
}

/// Finds the number in a text of hidapi's.
fn text(message: &str) -> Cause {
    if message.contains("disconnected") {
        return Cause::Gone;
    }
    raw::numbered(message).map_or(Cause::Other(0), number)
}

/// Linux (asm-generic/errno-base.h and errno.h).
#[cfg(target_os = "linux")]
mod raw {
    pub(super) const NOT_PERMITTED: u32 = 13;
    pub(super) const NOT_THE_OWNER: u32 = 1;
    pub(super) const HELD: u32 = 16;
    pub(super) const LATE: u32 = 110;
    pub(super) const FAILED: u32 = 5;
    pub(super) const INTERRUPTED: u32 = 4;
    pub(super) const STALLED: u32 = 32;
    /// ENOENT, ENXIO, ENODEV, ESHUTDOWN.
    pub(super) const GONE: [u32; 4] = [2, 6, 19, 108];

    /// Those that the kernel's USB and HID layers give for a transfer.
    const NAMES: [(&str, i32); 16] = [
        ("EPERM", 1),
        ("ENOENT", 2),
        ("EINTR", 4),
        ("EIO", 5),
        ("ENXIO", 6),
        ("EACCES", 13),
        ("EBUSY", 16),
        ("ENODEV", 19),
        ("EINVAL", 22),
        ("EPIPE", 32),
        ("EPROTO", 71),
        ("EOVERFLOW", 75),
        ("EILSEQ", 84),
        ("ECONNRESET", 104),
        ("ESHUTDOWN", 108),
        ("ETIMEDOUT", 110),
    ];

    /// `ioctl (GFEATURE): EPIPE: Broken pipe`.
    pub(super) fn numbered(message: &str) -> Option<i32> {
        message.split(": ").find_map(|part| {
            let (_, number) = NAMES.iter().find(|(name, _)| *name == part)?;
            Some(*number)
        })
    }
}

/// Windows (winerror.h).
#[cfg(windows)]
mod raw {
    pub(super) const NOT_PERMITTED: u32 = 5;
    pub(super) const NOT_THE_OWNER: u32 = 1314;
    pub(super) const HELD: u32 = 32;
    pub(super) const LATE: u32 = 121;
    pub(super) const FAILED: u32 = 1117;
    pub(super) const INTERRUPTED: u32 = 995;
    /// A stalled transfer is "a device attached to the system is not functioning".
    pub(super) const STALLED: u32 = 31;
    /// File or path not found, no such device, device not connected.
    pub(super) const GONE: [u32; 5] = [2, 3, 433, 1167, 1617];

    pub(super) fn numbered(message: &str) -> Option<i32> {
        message.contains("WaitTimedOut").then_some(LATE.cast_signed())
    }
}

/// macOS (IOReturn.h).
#[cfg(target_os = "macos")]
mod raw {
    pub(super) const NOT_PERMITTED: u32 = 0xe000_02e2;
    pub(super) const NOT_THE_OWNER: u32 = 0xe000_02c1;
    pub(super) const HELD: u32 = 0xe000_02c5;
    pub(super) const LATE: u32 = 0xe000_02d6;
    pub(super) const FAILED: u32 = 0xe000_02ca;
    pub(super) const INTERRUPTED: u32 = 0xe000_02eb;
    pub(super) const STALLED: u32 = 0xe000_404f;
    /// No device, not attached, terminated.
    pub(super) const GONE: [u32; 3] = [0xe000_02c0, 0xe000_02d9, 0xe000_0010];

    /// `IOHIDDeviceSetReport failed: (0xE00002C0) no such device`.
    pub(super) fn numbered(message: &str) -> Option<i32> {
        let (_, number) = message.split_once("(0x")?;
        let (number, _) = number.split_once(')')?;
        u32::from_str_radix(number, 16).ok().map(u32::cast_signed)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use ChannelError::{Busy, Failed, NotPermitted, NotThere, Removed, Silent, Unresponsive};

    fn numbered(number: i32) -> HidError {
        HidError::IoError { error: std::io::Error::from_raw_os_error(number) }
    }

    fn told(message: &str) -> HidError {
        HidError::HidApiError { message: message.to_owned() }
    }

    #[test]
    fn while_opening_nothing_was_sent() {
        let check = |number, expected| assert_eq!(opening(&numbered(number)), expected, "{number}");
        check(13, NotPermitted);
        check(1, NotPermitted);
        check(2, NotThere);
        check(6, NotThere);
        check(19, NotThere);
        check(16, Busy { likely: None });
        check(110, Unresponsive);
        check(12, Failed { code: 12 });
    }

    /// The rows of rigs/FACTS.md section 7, in hidapi's own words.
    #[test]
    fn while_talking_it_stays_open_what_happened() {
        let soon = Duration::from_millis(3);
        let late = Duration::from_secs(5);
        let check = |error: HidError, took, expected: ChannelError| {
            assert_eq!(talking(&error, took), expected, "{error} after {took:?}");
            assert!(expected.may_have_taken_effect());
        };
        check(told("ioctl (GFEATURE): ETIMEDOUT: Connection timed out"), late, Silent);
        check(told("ioctl (GFEATURE): EIO: I/O error"), late, Silent);
        check(told("ioctl (GFEATURE): EIO: I/O error"), soon, Failed { code: 5 });
        check(told("ioctl (GFEATURE): EPIPE: Broken pipe"), soon, Failed { code: 32 });
        check(told("ioctl (GFEATURE): ENODEV: No such device"), soon, Removed);
        check(told("unexpected poll error (device disconnected)"), soon, Removed);
        check(told("something that is new"), soon, Failed { code: 0 });
        check(numbered(19), soon, Removed);
        check(numbered(108), soon, Removed);
        check(numbered(110), late, Silent);
        check(numbered(71), soon, Failed { code: 71 });
        check(numbered(13), soon, Failed { code: 13 });
        check(HidError::IncompleteSendError { sent: 3, all: 65 }, soon, Failed { code: 0 });
    }

    #[test]
    fn a_stall_is_an_answer() {
        assert!(is_stall(&talking(&told("ioctl (GFEATURE): EPIPE: Broken pipe"), Duration::ZERO)));
        assert!(!is_stall(&Removed));
        assert!(is_interrupted(&numbered(4)));
    }
}
