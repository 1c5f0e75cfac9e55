//! A connection to one card, as its user sees it: bounded in time, and over after
//! the first error.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pcsc::Error;
use token::{CandidateId, ChannelError, CommandApdu, ResponseApdu, SmartCardChannel};
use zeroize::Zeroizing;

use super::Limits;
use super::worker::{Target, Worker};

/// Sends commands to the worker that holds the card, and waits for its answers.
pub(super) struct CardChannel {
    /// `None` when it is over; without it, the worker lets the card go.
    commands: Option<Sender<Zeroizing<Vec<u8>>>>,
    answers: Receiver<Result<ResponseApdu, ChannelError>>,
    /// The error that ended it, which is the answer to everything later: the same
    /// handle may lead to another card by now.
    ended: Option<ChannelError>,
    id: CandidateId,
    worker: Weak<()>,
    limits: Limits,
    abandoned: Abandoned,
}

impl CardChannel {
    /// Connects to the card and takes it for itself, within the limit.
    pub(super) fn open(
        target: &Target,
        limits: Limits,
        abandoned: &Abandoned,
    ) -> Result<Self, ChannelError> {
        let (ready, told) = mpsc::channel();
        let (commands, orders) = mpsc::channel();
        let (results, answers) = mpsc::channel();
        let alive = Arc::new(());
        let channel = Self {
            commands: Some(commands),
            answers,
            ended: None,
            id: target.id.clone(),
            worker: Arc::downgrade(&alive),
            limits,
            abandoned: abandoned.clone(),
        };
        let worker = Worker { ready, commands: orders, answers: results, alive };
        let its_target = target.clone();
        std::thread::Builder::new()
            .name("smart card".to_owned())
            .spawn(move || worker.run(&its_target, &limits))
            .map_err(|_| failed(Error::NoMemory))?;
        match told.recv_timeout(limits.connect) {
            Ok(Ok(())) => Ok(channel),
            Ok(Err(error)) => Err(channel.given_up(error)),
            // The worker still waits, but will notice that nobody does.
            Err(RecvTimeoutError::Timeout) => {
                let error = if abandoned.holds(&target.id) {
                    ChannelError::Silent
                } else {
                    ChannelError::Busy { likely: target.likely_holder() }
                };
                Err(channel.given_up(error))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(channel.given_up(failed(Error::InternalError)))
            }
        }
    }

    /// Ends it before it was in use: there is nothing to wait for.
    fn given_up(mut self, error: ChannelError) -> ChannelError {
        self.commands = None;
        error
    }

    fn exchange(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        let sent =
            self.commands.as_ref().is_some_and(|commands| commands.send(command.encode()).is_ok());
        if !sent {
            return Err(failed(Error::InternalError));
        }
        match self.answers.recv_timeout(self.limits.of(command.patience())) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                self.abandoned.add(&self.id, &self.worker);
                Err(ChannelError::Silent)
            }
            Err(RecvTimeoutError::Disconnected) => Err(failed(Error::InternalError)),
        }
    }
}

impl SmartCardChannel for CardChannel {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        self.exchange(command).inspect_err(|error| {
            self.ended = Some(error.clone());
            self.commands = None;
        })
    }
}

impl Drop for CardChannel {
    fn drop(&mut self) {
        // Who drops it may want to connect again, so the card should be free by
        // then; a worker that is stuck with a silent card is not waited for.
        let in_use = self.commands.take().is_some();
        if in_use {
            let _ = self.answers.recv_timeout(self.limits.release);
        }
    }
}

/// The silent cards whose workers could not let go of them yet.
#[derive(Clone, Default)]
pub(super) struct Abandoned(Arc<Mutex<HashMap<CandidateId, Weak<()>>>>);

impl Abandoned {
    fn add(&self, id: &CandidateId, worker: &Weak<()>) {
        let mut all = self.all();
        all.retain(|_, worker| worker.strong_count() > 0);
        all.insert(id.clone(), worker.clone());
    }

    fn holds(&self, id: &CandidateId) -> bool {
        self.all().get(id).is_some_and(|w| w.strong_count() > 0)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CandidateId, Weak<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn failed(error: Error) -> ChannelError {
    ChannelError::Failed { code: error as u32 }
}
