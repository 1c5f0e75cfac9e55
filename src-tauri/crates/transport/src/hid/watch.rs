//! Notices interfaces that come and go, by listing them now and then: no system's
//! own notice comes without a library or a thread more, and listing opens nothing.

use std::time::{Duration, Instant};

use token::{ChannelError, TokenWatch};

use super::interface::{Interface, list};
use token::HidInterface;

/// How often interfaces are listed. Elsewhere than on Linux, where it is a look into
/// a few files, the system asks drivers.
const LIST_EVERY: Duration =
    if cfg!(target_os = "linux") { Duration::from_millis(250) } else { Duration::from_secs(1) };

/// A watch, over what was there when it was made.
pub(super) struct HidWatch {
    wanted: Vec<HidInterface>,
    seen: Result<Vec<Interface>, ChannelError>,
}

impl HidWatch {
    /// Begins to watch now: what changes before the first wait is news as well.
    pub(super) fn new(wanted: Vec<HidInterface>) -> Self {
        let seen = list(&wanted);
        Self { wanted, seen }
    }
}

impl TokenWatch for HidWatch {
    fn wait(&mut self, at_most: Duration) {
        let until = Instant::now() + at_most;
        loop {
            let now = list(&self.wanted);
            if now != self.seen {
                self.seen = now;
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LIST_EVERY));
        }
    }
}
