//! HID interfaces on USB and Bluetooth, as a [`TokenSource`].
//!
//! Only interfaces that the caller wants are listed: keyboards and mice are HID
//! devices as well, and nobody's business. Listing and watching open nothing, on
//! Linux not even the device's node. Each channel has a thread of its own, so that a
//! device that hangs never hangs who talks to it (rigs/FACTS.md sections 6 and 7).

mod access;
mod channel;
mod error;
mod interface;
mod watch;
mod worker;

use std::sync::{Mutex, MutexGuard, PoisonError};

use token::{
    Attachment, Candidate, CandidateId, Channel, ChannelError, HidInterface, Origin, TokenSource,
    TokenWatch,
};

use self::channel::WorkerChannel;
use self::interface::{Interface, list};
use self::watch::HidWatch;

/// The HID interfaces of this computer that may be tokens.
pub struct HidSource {
    wanted: Vec<HidInterface>,
    bus: Mutex<Bus>,
}

/// One fact about a wanted device, for a person whose token cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HidFinding {
    /// A wanted device is attached.
    Device {
        /// Its product string, for people.
        name: String,
        /// Whether it can be opened.
        access: HidAccess,
    },
    /// Linux: a device is not permitted, and the udev rules that permit it
    /// (`60-sower.rules`) are not installed.
    NoRules,
}

/// Whether a device can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HidAccess {
    /// It can.
    Open,
    /// The system does not let this user.
    NotPermitted,
    /// Another program, or a channel of this one, holds it.
    Held,
    /// It left just now, or failed otherwise.
    Failed,
}

impl HidSource {
    /// A source of the interfaces that fit one of `wanted`. Nothing is listed yet.
    pub fn new(wanted: Vec<HidInterface>) -> Self {
        Self { wanted, bus: Mutex::default() }
    }

    /// Finds out what stands between this computer and its HID tokens. Opens each
    /// device for a moment; sends nothing.
    pub fn diagnose(&self) -> Result<Vec<HidFinding>, ChannelError> {
        let mut interfaces = list(&self.wanted)?;
        // One interface may have several collections; it is opened as a whole.
        interfaces.dedup_by(|a, b| a.path == b.path);
        let mut findings: Vec<_> = interfaces
            .into_iter()
            .map(|interface| {
                let access = match access::try_open(&interface) {
                    Ok(()) => HidAccess::Open,
                    Err(ChannelError::NotPermitted) => HidAccess::NotPermitted,
                    Err(ChannelError::Busy { .. }) => HidAccess::Held,
                    Err(_) => HidAccess::Failed,
                };
                HidFinding::Device { name: interface.name, access }
            })
            .collect();
        let refused = |finding: &HidFinding| {
            matches!(finding, HidFinding::Device { access: HidAccess::NotPermitted, .. })
        };
        if findings.iter().any(refused) && !access::rules_are_installed() {
            findings.push(HidFinding::NoRules);
        }
        Ok(findings)
    }

    fn bus(&self) -> MutexGuard<'_, Bus> {
        // Each look replaces all that the last one left, so one that panicked
        // half-way did no harm.
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenSource for HidSource {
    fn candidates(&self) -> Result<Vec<Candidate>, ChannelError> {
        let mut bus = self.bus();
        bus.look(list(&self.wanted)?);
        let candidates = bus
            .seen
            .iter()
            .map(|(id, interface)| Candidate {
                id: id.clone(),
                attachment: interface.attachment(),
                origin: Origin::Bus,
            })
            .collect();
        Ok(candidates)
    }

    fn connect(&self, id: &CandidateId) -> Result<Channel, ChannelError> {
        let target = {
            let mut bus = self.bus();
            bus.look(list(&self.wanted)?);
            bus.interface(id).ok_or(ChannelError::NotThere)?
        };
        Ok(Channel::Hid(Box::new(WorkerChannel::open(target)?)))
    }

    fn watch(&self) -> Box<dyn TokenWatch> {
        Box::new(HidWatch::new(self.wanted.clone()))
    }
}

/// What was seen at the last look.
#[derive(Default)]
struct Bus {
    seen: Vec<(CandidateId, Interface)>,
    appearances: u64,
}

impl Bus {
    /// Keeps the ids of what is still there and gives new ones to what is new.
    fn look(&mut self, now: Vec<Interface>) {
        let mut before = std::mem::take(&mut self.seen);
        for interface in now {
            let known = before.iter().position(|(_, known)| *known == interface);
            let id = known.map_or_else(
                || {
                    self.appearances += 1;
                    let path = interface.path.to_string_lossy();
                    CandidateId(format!("{path} #{}", self.appearances))
                },
                |index| before.swap_remove(index).0,
            );
            self.seen.push((id, interface));
        }
    }

    fn interface(&self, id: &CandidateId) -> Option<Interface> {
        let (_, interface) = self.seen.iter().find(|(known, _)| known == id)?;
        Some(interface.clone())
    }
}

impl Interface {
    fn attachment(&self) -> Attachment {
        Attachment::Hid {
            vendor: self.vendor,
            product: self.product,
            usage_page: self.usage_page,
            usage: self.usage,
            name: self.name.clone(),
            serial: self.serial.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(path: &str, appearance: &str) -> Interface {
        Interface {
            path: std::ffi::CString::new(path).expect("no zero byte"),
            appearance: appearance.to_owned(),
            vendor: 0x20a0,
            product: 0x4108,
            usage_page: 0xff00,
            usage: 1,
            name: "Nitrokey Pro".to_owned(),
            serial: String::new(),
        }
    }

    fn ids(bus: &Bus) -> Vec<&str> {
        bus.seen.iter().map(|(id, _)| id.0.as_str()).collect()
    }

    #[test]
    fn an_id_lasts_as_long_as_its_appearance() {
        let mut bus = Bus::default();
        bus.look(vec![interface("/dev/hidraw0", "a"), interface("/dev/hidraw1", "b")]);
        assert_eq!(ids(&bus), ["/dev/hidraw0 #1", "/dev/hidraw1 #2"]);
        bus.look(vec![interface("/dev/hidraw1", "b")]);
        assert_eq!(ids(&bus), ["/dev/hidraw1 #2"]);
        // Back at the same place, and the other one replugged between two looks.
        bus.look(vec![interface("/dev/hidraw0", "a"), interface("/dev/hidraw1", "c")]);
        assert_eq!(ids(&bus), ["/dev/hidraw0 #3", "/dev/hidraw1 #4"]);
        assert_eq!(bus.interface(&CandidateId("/dev/hidraw0 #1".to_owned())), None);
    }
}
