//! What can be found out about the buses without touching a token, for a person
//! whose token does not show up. Facts only; the words are made elsewhere.

use token::ChannelError;

use pcsc::State;

use crate::smart_card::{Phase, establish, map_error, slots};

/// One fact (pcsc-nfc.md section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Whether the smart-card service lets us in.
    Service(ServiceState),
    /// Linux: the service's socket is not there; pcscd is not installed or not started.
    NoServiceSocket,
    /// Linux: the driver for USB readers and keys (libccid) was not found.
    NoReaderDriver,
    /// The service knows no reader.
    NoReader,
    /// A slot of a reader.
    Reader {
        /// The reader's name, for people.
        name: String,
        /// What is in it.
        slot: SlotState,
    },
    /// Linux: a kernel module is loaded that takes readers with an NFC chip of
    /// NXP's (ACR122U) away from the service.
    KernelTakesReaders {
        /// The module's name: `nfc`, `pn533` or `pn533_usb`.
        module: &'static str,
    },
    /// Linux: gpg's scdaemon runs; it may hold a reader for itself.
    ScdaemonRuns,
}

/// How the smart-card service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It runs and lets us in.
    Answers,
    /// It does not run or is not installed.
    Missing,
    /// It does not let this user or this session in.
    NotPermitted,
    /// Something else.
    Failed {
        /// The PC/SC error number.
        code: u32,
    },
}

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// No card, or none that the reader feels.
    Empty,
    /// A card that started up.
    Card,
    /// A card that another program holds for itself.
    Held,
    /// A card that does not start up.
    Mute,
    /// The reader cannot be asked.
    Unavailable,
}

/// Finds out what stands between this computer and its tokens.
pub fn diagnose() -> Vec<Finding> {
    let mut findings = Vec::new();
    let asked = establish()
        .and_then(|context| slots(&context).map_err(|error| map_error(error, Phase::Look)));
    match asked {
        Ok(slots) => {
            findings.push(Finding::Service(ServiceState::Answers));
            if slots.is_empty() {
                findings.push(Finding::NoReader);
            }
            findings.extend(slots.into_iter().map(|slot| Finding::Reader {
                name: slot.reader.to_string_lossy().into_owned(),
                slot: slot_state(slot.state),
            }));
        }
        Err(error) => findings.push(Finding::Service(service_state(&error))),
    }
    findings.extend(system::findings());
    findings
}

/// Whether gpg's smart-card daemon runs; false where that cannot be known.
pub(crate) fn scdaemon_runs() -> bool {
    system::scdaemon_runs()
}

const fn service_state(error: &ChannelError) -> ServiceState {
    match error {
        ChannelError::NotPermitted => ServiceState::NotPermitted,
        ChannelError::Failed { code } => ServiceState::Failed { code: *code },
        ChannelError::ServiceMissing
        | ChannelError::Removed
        | ChannelError::Silent
        | ChannelError::NoAnswer
        | ChannelError::Reset
        | ChannelError::Busy { .. }
        | ChannelError::NotThere
        | ChannelError::Unresponsive => ServiceState::Missing,
    }
}

fn slot_state(state: State) -> SlotState {
    if state.intersects(State::UNAVAILABLE | State::UNKNOWN) {
        SlotState::Unavailable
    } else if !state.contains(State::PRESENT) {
        SlotState::Empty
    } else if state.contains(State::MUTE) {
        SlotState::Mute
    } else if state.contains(State::EXCLUSIVE) {
        SlotState::Held
    } else {
        SlotState::Card
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;

    use super::Finding;
    use crate::smart_card::socket;

    /// Where distributions keep the drivers for readers (Debian and Arch, Fedora).
    const DRIVERS: [&str; 3] = [
        "/usr/lib/pcsc/drivers/ifd-ccid.bundle",
        "/usr/lib64/pcsc/drivers/ifd-ccid.bundle",
        "/usr/local/lib/pcsc/drivers/ifd-ccid.bundle",
    ];

    pub(super) fn findings() -> Vec<Finding> {
        let mut findings = Vec::new();
        if !socket::path().exists() {
            findings.push(Finding::NoServiceSocket);
        }
        if !DRIVERS.iter().any(|driver| Path::new(driver).exists()) {
            findings.push(Finding::NoReaderDriver);
        }
        let modules = fs::read_to_string("/proc/modules").unwrap_or_default();
        findings.extend(
            modules_that_take_readers(&modules)
                .map(|module| Finding::KernelTakesReaders { module }),
        );
        if scdaemon_runs() {
            findings.push(Finding::ScdaemonRuns);
        }
        findings
    }

    pub(super) fn scdaemon_runs() -> bool {
        let Ok(processes) = fs::read_dir("/proc") else {
            return false;
        };
        processes.flatten().any(|process| {
            fs::read_to_string(process.path().join("comm"))
                .is_ok_and(|name| name.trim_end() == "scdaemon")
        })
    }

    fn modules_that_take_readers(modules: &str) -> impl Iterator<Item = &'static str> {
        ["pn533_usb", "pn533", "nfc"].into_iter().filter(|module| {
            modules.lines().any(|line| line.split_whitespace().next() == Some(module))
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn modules_are_known_by_their_whole_names() {
            let modules = "pn533_usb 20480 0 - Live 0x0\nnfcsim 1 0 - Live 0x0\n\
                           nfc 131072 1 pn533, Live 0x0\n";
            let found: Vec<_> = modules_that_take_readers(modules).collect();
            assert_eq!(found, ["pn533_usb", "nfc"]);
            assert_eq!(modules_that_take_readers("").count(), 0);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Finding;

    pub(super) const fn findings() -> Vec<Finding> {
        Vec::new()
    }

    pub(super) const fn scdaemon_runs() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_described_by_what_to_do_next() {
        let check = |state, expected| assert_eq!(slot_state(state), expected);
        check(State::EMPTY, SlotState::Empty);
        check(State::PRESENT, SlotState::Card);
        check(State::PRESENT | State::INUSE, SlotState::Card);
        check(State::PRESENT | State::EXCLUSIVE | State::INUSE, SlotState::Held);
        check(State::PRESENT | State::MUTE, SlotState::Mute);
        check(State::UNAVAILABLE, SlotState::Unavailable);
    }
}
