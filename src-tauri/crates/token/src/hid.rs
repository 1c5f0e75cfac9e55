//! Waiting for a HID device without a clock.
//!
//! What a device does takes time, and its feature reports are asked again until it
//! is done. How often is counted. Between two looks an input report is waited for,
//! which is the one way of this crate to let time pass.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::{ChannelError, HidChannel};

/// The pause between two looks at a busy device.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks that do what a pause does, where no pause can be made: a transfer of a
/// feature report takes a millisecond or more.
const LOOKS_FOR_A_PAUSE: u32 = 20;

/// Reports that may wait in the queue from before.
const MOST_STALE: usize = 256;

/// A HID device that is asked by feature reports.
pub(crate) struct Polled {
    device: Box<dyn HidChannel>,
    /// Whether its input reports cannot be waited for: a system may keep those of
    /// keyboards to itself.
    deaf: bool,
}

/// How long is waited on, in looks.
pub(crate) struct Wait(u32);

impl Wait {
    /// About so long in all, on a device that can be paused for.
    pub(crate) fn of(time: Duration) -> Self {
        let pauses = u32::try_from(time.as_millis() / PAUSE.as_millis()).unwrap_or(u32::MAX);
        Self(pauses.saturating_mul(LOOKS_FOR_A_PAUSE))
    }
}

impl Polled {
    pub(crate) fn new(device: Box<dyn HidChannel>) -> Self {
        Self { device, deaf: false }
    }

    /// Sets a feature report without a number: a zero, then its bytes.
    pub(crate) fn set(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        self.device.set(report)
    }

    /// Gets the feature report without a number, of `len` bytes with the zero in front.
    pub(crate) fn get(&mut self, len: usize) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        self.device.get(0, len).map(Zeroizing::new).map_err(after_sending)
    }

    /// Lets time pass between two looks; [`ChannelError::Silent`] when it is over.
    pub(crate) fn pause(&mut self, wait: &mut Wait) -> Result<(), ChannelError> {
        let mut looks = 1;
        if !self.deaf {
            match self.device.read(PAUSE) {
                // A keyboard that types meanwhile. What it types is nobody's business.
                Ok(typed) => drop(Zeroizing::new(typed)),
                Err(ChannelError::Silent) => looks = LOOKS_FOR_A_PAUSE,
                Err(ChannelError::Removed) => return Err(ChannelError::Removed),
                Err(_) => self.deaf = true,
            }
        }
        wait.0 = wait.0.checked_sub(looks).ok_or(ChannelError::Silent)?;
        Ok(())
    }
}

/// Throws away the input reports that wait in the queue, and those that still come
/// within `quiet` of each other.
pub(crate) fn drain(device: &mut dyn HidChannel, quiet: Duration) -> Result<(), ChannelError> {
    for _ in 0..MOST_STALE {
        match device.read(quiet) {
            Ok(stale) => drop(Zeroizing::new(stale)),
            Err(ChannelError::Silent) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Once something is sent, no failure to read says that nothing was sent.
pub(crate) fn after_sending(error: ChannelError) -> ChannelError {
    if error.may_have_taken_effect() { error } else { ChannelError::Removed }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{FeatureChannel, ReportChannel};

    /// What a scripted device does with the next report that it is sent.
    #[derive(Clone)]
    pub(crate) enum Then {
        /// Takes it; these reports can be got from then on, the last one for ever.
        Tells(Vec<Vec<u8>>),
        /// The report cannot be sent, with this error.
        Fails(ChannelError),
    }

    /// A device that follows a script and keeps what it is sent.
    #[derive(Clone, Default)]
    pub(crate) struct Script(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        script: VecDeque<Then>,
        told: VecDeque<Vec<u8>>,
        sent: Vec<Vec<u8>>,
        /// Input reports from before, and the error of a read without any.
        stale: VecDeque<Vec<u8>>,
        unread: Option<ChannelError>,
        reads: usize,
    }

    impl Script {
        /// A device with something to tell before it is sent anything.
        pub(crate) fn telling(told: Vec<Vec<u8>>, script: Vec<Then>) -> Self {
            let this = Self::default();
            {
                let mut state = this.0.lock().expect("alone");
                state.told = told.into();
                state.script = script.into();
            }
            this
        }

        pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
            self.0.lock().expect("alone").sent.clone()
        }

        fn take(&self, report: &[u8]) -> Result<Vec<Vec<u8>>, ChannelError> {
            let mut state = self.0.lock().expect("alone");
            state.sent.push(report.to_vec());
            match state.script.pop_front() {
                Some(Then::Tells(told)) => Ok(told),
                Some(Then::Fails(error)) => Err(error),
                None => Err(ChannelError::Removed),
            }
        }
    }

    impl ReportChannel for Script {
        /// A device with interrupt reports tells all of it at once.
        fn write(&mut self, report: &[u8]) -> Result<(), ChannelError> {
            let told = self.take(report)?;
            self.0.lock().expect("alone").stale.extend(told);
            Ok(())
        }

        fn read(&mut self, _: Duration) -> Result<Vec<u8>, ChannelError> {
            let mut state = self.0.lock().expect("alone");
            state.reads += 1;
            let unread = state.unread.clone().unwrap_or(ChannelError::Silent);
            state.stale.pop_front().ok_or(unread)
        }
    }

    impl FeatureChannel for Script {
        fn set(&mut self, report: &[u8]) -> Result<(), ChannelError> {
            let told = self.take(report)?;
            if !told.is_empty() {
                self.0.lock().expect("alone").told = told.into();
            }
            Ok(())
        }

        fn get(&mut self, number: u8, len: usize) -> Result<Vec<u8>, ChannelError> {
            assert_eq!(number, 0);
            let mut state = self.0.lock().expect("alone");
            let mut report = match state.told.len() {
                0 => return Err(ChannelError::Silent),
                1 => state.told[0].clone(),
                _ => state.told.pop_front().expect("more than one"),
            };
            report.truncate(len);
            Ok(report)
        }
    }

    fn pauses(script: &Script) -> (u32, ChannelError, usize) {
        let mut polled = Polled::new(Box::new(script.clone()));
        let mut wait = Wait::of(Duration::from_millis(200));
        for number in 0.. {
            if let Err(error) = polled.pause(&mut wait) {
                return (number, error, script.0.lock().expect("alone").reads);
            }
        }
        unreachable!("a wait ends")
    }

    #[test]
    fn a_wait_ends_whether_or_not_a_pause_can_be_made() {
        let quiet = Script::default();
        assert_eq!(pauses(&quiet), (10, ChannelError::Silent, 11));
        let deaf = Script::default();
        deaf.0.lock().expect("alone").unread = Some(ChannelError::Failed { code: 5 });
        assert_eq!(pauses(&deaf), (200, ChannelError::Silent, 1));
        let gone = Script::default();
        gone.0.lock().expect("alone").unread = Some(ChannelError::Removed);
        assert_eq!(pauses(&gone), (0, ChannelError::Removed, 1));
        let typing = Script::default();
        typing.0.lock().expect("alone").stale.extend(vec![vec![0; 8]; 1000]);
        assert_eq!(pauses(&typing), (200, ChannelError::Silent, 201));
    }

    #[test]
    fn what_waits_from_before_is_thrown_away() {
        let mut script = Script::default();
        script.0.lock().expect("alone").stale.extend(vec![vec![1; 64]; 3]);
        drain(&mut script, Duration::ZERO).expect("drained");
        assert_eq!(script.read(Duration::ZERO), Err(ChannelError::Silent));
        script.0.lock().expect("alone").unread = Some(ChannelError::Removed);
        assert_eq!(drain(&mut script, Duration::ZERO), Err(ChannelError::Removed));
    }
}
