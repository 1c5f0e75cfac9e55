//! A connection to one HID interface, as its user sees it: bounded in time, and over
//! once the device left.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use token::{ChannelError, FeatureChannel, ReportChannel};
use zeroize::Zeroizing;

use super::interface::Interface;
use super::worker::{Order, Worker};

/// For all of an open. The system may have to wake the device.
const OPEN: Duration = Duration::from_secs(5);

/// For a transfer. The kernel gives up by itself after 5 s (rigs/FACTS.md section 7),
/// and then it is looked whether the device is still there.
const TRANSFER: Duration = Duration::from_secs(7);

/// For a device to be let go when its channel is dropped.
const RELEASE: Duration = Duration::from_secs(1);

/// Sends orders to the worker that holds the device, and waits for its answers.
pub(super) struct WorkerChannel {
    /// `None` when it is over; without it, the worker lets the device go.
    orders: Option<Sender<Order>>,
    answers: Receiver<Result<Vec<u8>, ChannelError>>,
    /// The error that ended it, which is the answer to everything later.
    ended: Option<ChannelError>,
}

impl WorkerChannel {
    /// Opens the interface, holds it, and reads away what was said before.
    pub(super) fn open(target: Interface) -> Result<Self, ChannelError> {
        let (ready, told) = mpsc::channel();
        let (orders, incoming) = mpsc::channel();
        let (results, answers) = mpsc::channel();
        let worker = Worker { ready, orders: incoming, answers: results };
        std::thread::Builder::new()
            .name("hid".to_owned())
            .spawn(move || worker.run(&target))
            .map_err(|_| BROKEN)?;
        match told.recv_timeout(OPEN) {
            Ok(Ok(())) => Ok(Self { orders: Some(orders), answers, ended: None }),
            Ok(Err(error)) => Err(error),
            // The worker still waits, but will notice that nobody does.
            Err(RecvTimeoutError::Timeout) => Err(ChannelError::Unresponsive),
            Err(RecvTimeoutError::Disconnected) => Err(BROKEN),
        }
    }

    fn ask(&mut self, order: Order, at_most: Duration) -> Result<Vec<u8>, ChannelError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        let (answer, over) = match sent.then(|| self.answers.recv_timeout(at_most)) {
            // The next device at the same place is another one.
            Some(Ok(Err(error @ ChannelError::Removed))) => (Err(error), true),
            Some(Ok(answer)) => (answer, false),
            // The worker is stuck in the system; whatever it gets belongs to nobody.
            Some(Err(RecvTimeoutError::Timeout)) => (Err(ChannelError::Silent), true),
            Some(Err(RecvTimeoutError::Disconnected)) | None => (Err(BROKEN), true),
        };
        if over {
            self.orders = None;
            self.ended = answer.as_ref().err().cloned();
        }
        answer
    }
}

impl ReportChannel for WorkerChannel {
    fn write(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        self.ask(Order::Write(Zeroizing::new(report.to_vec())), TRANSFER).map(drop)
    }

    fn read(&mut self, at_most: Duration) -> Result<Vec<u8>, ChannelError> {
        self.ask(Order::Read(at_most), at_most.saturating_add(RELEASE))
    }
}

impl FeatureChannel for WorkerChannel {
    fn set(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        self.ask(Order::Set(Zeroizing::new(report.to_vec())), TRANSFER).map(drop)
    }

    fn get(&mut self, report_number: u8, len: usize) -> Result<Vec<u8>, ChannelError> {
        self.ask(Order::Get { number: report_number, len }, TRANSFER)
    }
}

impl Drop for WorkerChannel {
    fn drop(&mut self) {
        // Who drops it may want to open the device again, so it should be free by
        // then; a worker that is stuck is not waited for.
        if self.orders.take().is_some() {
            let _ = self.answers.recv_timeout(RELEASE);
        }
    }
}

/// The worker could not be started or broke off.
const BROKEN: ChannelError = ChannelError::Failed { code: 0 };
