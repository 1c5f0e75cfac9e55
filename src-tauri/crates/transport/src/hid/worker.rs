//! The thread that talks to one HID interface.
//!
//! A transfer can take as long as the kernel likes, and hidapi's handle belongs to
//! one thread. So each connection has a thread of its own, and who waits for an
//! answer can give up.

use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use hidapi::{HidApi, HidDevice, HidResult};
use token::ChannelError;
use zeroize::{Zeroize, Zeroizing};

use super::access::Hold;
use super::error::{is_interrupted, is_stall, opening, talking};
use super::interface::{Interface, library};

/// The longest input report that is read: full-speed tokens send 64 bytes.
const INPUT_BYTES: usize = 1024;

/// The quiet after which nothing said before the open is expected any more. Linux'
/// usbhid itself throws away what comes in the first 50 ms.
const QUIET: Duration = Duration::from_millis(20);

/// How many reports are read away at most: the kernel's queue has 64, and a device
/// that talks all the time must not keep us.
const STALE_REPORTS: usize = 128;

/// How long the system may take to notice that a device left, after a transfer to
/// it failed.
const NOTICED_WITHIN: Duration = Duration::from_millis(500);

/// The pause between two looks whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One thing to do.
pub(super) enum Order {
    /// Send an output report: its number, then its bytes.
    Write(Zeroizing<Vec<u8>>),
    /// Wait for an input report.
    Read(Duration),
    /// Set a feature report: its number, then its bytes.
    Set(Zeroizing<Vec<u8>>),
    /// Get a feature report.
    Get {
        /// Its number.
        number: u8,
        /// Its length, the number included.
        len: usize,
    },
}

/// The worker's ends of its queues.
pub(super) struct Worker {
    /// Told once, when the device is held or will not be.
    pub(super) ready: Sender<Result<(), ChannelError>>,
    /// What to do. Its end is the order to let the device go.
    pub(super) orders: Receiver<Order>,
    /// One answer an order, empty for what has none. Its end tells that the device
    /// was let go.
    pub(super) answers: Sender<Result<Vec<u8>, ChannelError>>,
}

impl Worker {
    /// Holds the device until the orders end or the device leaves.
    pub(super) fn run(self, target: &Interface) {
        match open(target) {
            Ok((device, _hold)) => {
                if self.ready.send(Ok(())).is_ok() {
                    self.obey(&device, target);
                }
            }
            Err(error) => {
                // Nobody listens if the open was given up.
                let _ = self.ready.send(Err(error));
            }
        }
        // Last of all, so that its end means what it says.
        drop(self.answers);
    }

    fn obey(&self, device: &HidDevice, target: &Interface) {
        while let Ok(order) = self.orders.recv() {
            let begun = Instant::now();
            let answer = match &order {
                Order::Write(report) => write(device, report, begun),
                Order::Read(at_most) => read(device, *at_most),
                Order::Set(report) => nothing(device.send_feature_report(report), begun),
                Order::Get { number, len } => get(device, *number, *len, begun),
            };
            let quiet = matches!(order, Order::Read(_)) && answer == Err(ChannelError::Silent);
            let answer = match answer {
                Err(error) if !quiet && left(&error, target) => Err(ChannelError::Removed),
                answer => answer,
            };
            let over = answer == Err(ChannelError::Removed);
            if self.answers.send(answer).is_err() || over {
                return;
            }
        }
    }
}

fn open(target: &Interface) -> Result<(HidDevice, Hold), ChannelError> {
    let hold = Hold::take(target)?;
    let device = {
        let _turn = library();
        HidApi::new().and_then(|api| api.open_path(&target.path))
    };
    // Asked only now, when the handle cannot go over to another device any more.
    if !target.is_there() {
        return Err(ChannelError::NotThere);
    }
    let device = device.map_err(|error| opening(&error))?;
    read_away(&device);
    Ok((device, hold))
}

/// Takes in what the device still has to say to whoever talked to it before.
fn read_away(device: &HidDevice) {
    for _ in 0..STALE_REPORTS {
        // An error will be there again when it matters.
        let Ok(1..) = read_once(device, QUIET).map(|report| report.len()) else {
            return;
        };
    }
}

fn write(device: &HidDevice, report: &[u8], begun: Instant) -> Result<Vec<u8>, ChannelError> {
    let written = device.write(report).map_err(|error| talking(&error, begun.elapsed()))?;
    // Windows counts the bytes up to the longest report of the device.
    if written < report.len() {
        return Err(ChannelError::Failed { code: 0 });
    }
    Ok(Vec::new())
}

fn read(device: &HidDevice, at_most: Duration) -> Result<Vec<u8>, ChannelError> {
    let begun = Instant::now();
    loop {
        let left = at_most.saturating_sub(begun.elapsed());
        match read_once(device, left) {
            Ok(report) if report.is_empty() => return Err(ChannelError::Silent),
            Ok(report) => return Ok(report),
            Err(error) if is_interrupted(&error) && !left.is_zero() => {}
            Err(error) => return Err(talking(&error, begun.elapsed())),
        }
    }
}

/// An empty report stands for none.
fn read_once(device: &HidDevice, at_most: Duration) -> HidResult<Vec<u8>> {
    let mut buffer = Zeroizing::new([0; INPUT_BYTES]);
    let millis = i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX);
    let length = device.read_timeout(buffer.as_mut_slice(), millis)?;
    Ok(buffer[..length].to_vec())
}

fn get(
    device: &HidDevice,
    number: u8,
    len: usize,
    begun: Instant,
) -> Result<Vec<u8>, ChannelError> {
    let mut report = vec![0; len.max(1)];
    report[0] = number;
    match device.get_feature_report(&mut report) {
        Ok(0) => Err(ChannelError::NoAnswer),
        Ok(length) => {
            report.truncate(length);
            Ok(report)
        }
        Err(error) => {
            report.zeroize();
            Err(talking(&error, begun.elapsed()))
        }
    }
}

fn nothing(done: HidResult<()>, begun: Instant) -> Result<Vec<u8>, ChannelError> {
    done.map(|()| Vec::new()).map_err(|error| talking(&error, begun.elapsed()))
}

/// Whether the device left, given that a transfer failed so. A transfer that was
/// under way fails in many ways, and some of them before the system took note.
fn left(error: &ChannelError, target: &Interface) -> bool {
    if *error == ChannelError::Removed {
        return true;
    }
    // Only a device that is there can stall.
    if is_stall(error) {
        return false;
    }
    let begun = Instant::now();
    loop {
        if !target.is_there() {
            return true;
        }
        if begun.elapsed() >= NOTICED_WITHIN {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
