//! Work that may panic or never end, on a thread of its own.
//!
//! Readers of pictures do both (facts/qr-decoding.md section 5). A thread cannot be
//! killed, so one that is overdue is left behind: it finds nobody to report to and
//! ends at its next chance, or keeps one core busy until the program ends. What it
//! reported before is kept.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

/// Where guarded work puts its results as it finds them.
pub(crate) struct Reporter<T>(Sender<T>);

impl<T> Reporter<T> {
    /// Hands one result over. A caller that has gone is not an error.
    pub(crate) fn tell(&self, report: T) {
        let _gone = self.0.send(report);
    }
}

/// How guarded work came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It returned.
    Finished,
    /// It panicked; the panic's message is dropped unread.
    Panicked,
    /// It was still running at the deadline and was left behind.
    Overdue,
    /// The system gave no thread.
    NotStarted,
}

/// Runs `work` until it ends or `until` has come, whichever is first.
pub(crate) fn run<T: Send + 'static>(
    name: &str,
    until: Instant,
    work: impl FnOnce(&Reporter<T>) + Send + 'static,
) -> (Vec<T>, Ending) {
    let (sender, receiver) = mpsc::channel();
    let started =
        thread::Builder::new().name(name.to_owned()).spawn(move || work(&Reporter(sender)));
    let Ok(thread) = started else {
        return (vec![], Ending::NotStarted);
    };
    let mut reports = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(report) => reports.push(report),
            Err(RecvTimeoutError::Timeout) => return (reports, Ending::Overdue),
            // The sender is gone, so the thread is at its end: this wait is short.
            Err(RecvTimeoutError::Disconnected) => {
                let ending = match thread.join() {
                    Ok(()) => Ending::Finished,
                    Err(_message) => Ending::Panicked,
                };
                return (reports, ending);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn work_that_returns() {
        let (reports, ending) = run("test", soon(), |reporter| reporter.tell(1));
        assert_eq!((reports, ending), (vec![1], Ending::Finished));
    }

    #[test]
    fn work_that_panics_keeps_what_it_told() {
        let (reports, ending) = run("test", soon(), |reporter| {
            reporter.tell(1);
            panic!("a reader gave up");
        });
        assert_eq!((reports, ending), (vec![1], Ending::Panicked));
    }

    #[test]
    fn work_that_hangs_is_left_behind() {
        let until = Instant::now() + Duration::from_millis(50);
        let (reports, ending) = run("test", until, |reporter| {
            reporter.tell(1);
            loop {
                thread::park();
            }
        });
        assert_eq!((reports, ending), (vec![1], Ending::Overdue));
    }
}
