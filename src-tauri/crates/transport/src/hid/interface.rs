//! The HID interfaces that are attached, as the system lists them.

use std::ffi::{CStr, CString};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hidapi::{DeviceInfo, HidApi};
use token::ChannelError;

use super::error::opening;
use token::HidInterface;

/// One top collection of one interface, at one appearance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// What the system opens it by. A replugged device may get the same one.
    pub(super) path: CString,
    /// Differs from one appearance to the next, where the system tells them apart.
    pub(super) appearance: String,
    pub(super) vendor: u16,
    pub(super) product: u16,
    pub(super) usage_page: u16,
    pub(super) usage: u16,
    pub(super) name: String,
    /// Empty if none is told.
    pub(super) serial: String,
}

/// The wanted interfaces, always in the same order: by path, then by collection.
pub(super) fn list(wanted: &[HidInterface]) -> Result<Vec<Interface>, ChannelError> {
    let _turn = library();
    // A new one each time: hidapi lets no two of them be made at once, but does not
    // keep two from listing anew.
    let api = HidApi::new().map_err(|error| opening(&error))?;
    let mut interfaces: Vec<_> = api
        .device_list()
        .filter(|device| {
            wanted.iter().any(|wanted| {
                wanted.fits(device.vendor_id(), device.product_id(), device.usage_page())
            })
        })
        .filter_map(interface)
        .collect();
    interfaces
        .sort_by(|a, b| (&a.path, a.usage_page, a.usage).cmp(&(&b.path, b.usage_page, b.usage)));
    Ok(interfaces)
}

impl Interface {
    /// Whether it is attached and has not been replugged since it was listed.
    pub(super) fn is_there(&self) -> bool {
        let this = [HidInterface {
            vendor: self.vendor,
            product: Some(self.product),
            usage_page: Some(self.usage_page),
        }];
        list(&this).is_ok_and(|now| now.contains(self))
    }
}

/// On macOS hidapi is a C library with a state of its own that two threads must not
/// touch at once.
pub(super) fn library() -> Option<MutexGuard<'static, ()>> {
    static LIBRARY: Mutex<()> = Mutex::new(());
    cfg!(target_os = "macos").then(|| LIBRARY.lock().unwrap_or_else(PoisonError::into_inner))
}

/// `None` when it left while it was listed.
fn interface(device: &DeviceInfo) -> Option<Interface> {
    Some(Interface {
        path: device.path().to_owned(),
        appearance: appearance(device.path())?,
        vendor: device.vendor_id(),
        product: device.product_id(),
        usage_page: device.usage_page(),
        usage: device.usage(),
        name: device.product_string().unwrap_or_default().to_owned(),
        serial: device.serial_number().unwrap_or_default().to_owned(),
    })
}

/// The kernel counts HID devices up and never reuses a number, and the number is in
/// the place of the node in sysfs (`.../0003:20A0:4108.0007/hidraw/hidraw0`).
#[cfg(target_os = "linux")]
fn appearance(path: &CStr) -> Option<String> {
    let node = std::path::Path::new(path.to_str().ok()?).file_name()?;
    let place = std::path::Path::new("/sys/class/hidraw").join(node).canonicalize().ok()?;
    Some(place.to_string_lossy().into_owned())
}

/// macOS makes a new path for each appearance. Windows does not: there, a device that
/// was out and in again between two looks passes for the same one, but its old
/// handle is dead all the same.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "Linux can fail")]
fn appearance(path: &CStr) -> Option<String> {
    Some(path.to_string_lossy().into_owned())
}
