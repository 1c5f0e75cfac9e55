//! A channel to a HID device on the tray, with the errors of a real one
//! (rigs/FACTS.md section 7).

use std::sync::Arc;
use std::time::Duration;

use token::{ChannelError, FeatureChannel, ReportChannel};

use super::world::HidWrite;
use super::{Shared, TrayId};

/// Holds one appearance of one device until it is dropped. Once the device left,
/// the handle is dead.
pub(super) struct PracticeHid {
    shared: Arc<Shared>,
    token: TrayId,
    appearance: u64,
}

impl PracticeHid {
    pub(super) fn new(shared: Arc<Shared>, token: TrayId, appearance: u64) -> Self {
        Self { shared, token, appearance }
    }

    fn send(&self, what: &HidWrite<'_>) -> Result<(), ChannelError> {
        self.shared.take_time();
        self.shared
            .hid(self.token, self.appearance, |world, now| world.hid_write(self.token, what, now))
    }
}

impl ReportChannel for PracticeHid {
    fn write(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        self.send(&HidWrite::Output(report))
    }

    fn read(&mut self, at_most: Duration) -> Result<Vec<u8>, ChannelError> {
        self.shared.hid_wait(self.token, at_most);
        self.shared.hid(self.token, self.appearance, |world, now| {
            world.hid_read(self.token, now).ok_or(ChannelError::Silent)
        })
    }
}

impl FeatureChannel for PracticeHid {
    fn set(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        self.send(&HidWrite::Feature(report))
    }

    fn get(&mut self, report_number: u8, len: usize) -> Result<Vec<u8>, ChannelError> {
        self.shared.hid_wait(self.token, TOUCH_POLL);
        self.shared.hid(self.token, self.appearance, |world, now| {
            world.hid_get(self.token, report_number, len, now)
        })
    }
}

/// How long a device that waits for a touch takes for each answer "not yet".
const TOUCH_POLL: Duration = Duration::from_millis(50);

impl Drop for PracticeHid {
    fn drop(&mut self) {
        self.shared.lock().release_hid(self.token, self.appearance);
    }
}
