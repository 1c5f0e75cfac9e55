//! Requests to a stick, each sent once, and the answers, which are asked for until
//! they are there (nitrokey-pro.md section 2).

use std::time::Duration;

use oath::Code;
use zeroize::Zeroizing;

use super::wire::{self, Answer, Look, REPORT_LEN, Request};
use crate::hid::{Polled, Wait};
use crate::{ChannelError, HidChannel, SessionError, StatusWord};

/// How long one command may take: a PIN goes to the smart card, which another
/// program may be using.
const LONGEST: Duration = Duration::from_secs(5);

pub(super) const DONE: u8 = 0;
pub(super) const EMPTY: u8 = 3;
pub(super) const NOT_AUTHORISED: u8 = 5;

/// A request that got no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) cause: SessionError,
    /// Whether the stick may have got it.
    pub(super) sent: bool,
}

/// One request at a time, and its answer.
pub(super) struct Stick(Polled);

impl Stick {
    pub(super) fn new(device: Box<dyn HidChannel>) -> Self {
        Self(Polled::new(device))
    }

    /// Sends a request once and asks for its answer until there is one.
    ///
    /// An answer whose own checksum is wrong is got again. The maker's library takes
    /// such answers, so one that is the same twice is one.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        let Self(device) = self;
        device.set(request.report()).map_err(|error| Unanswered {
            sent: error.may_have_taken_effect(),
            cause: error.into(),
        })?;
        let unanswered = |cause| Unanswered { cause, sent: true };
        let mut wait = Wait::of(LONGEST);
        let mut doubtful: Option<Zeroizing<Vec<u8>>> = None;
        loop {
            let report = device.get(REPORT_LEN).map_err(|error| unanswered(error.into()))?;
            let foreign = match Answer::look(&report, request) {
                Look::Answer { answer, sum_is_right: true } => return Ok(answer),
                Look::Answer { answer, sum_is_right: false } => {
                    if doubtful.as_ref() == Some(&report) {
                        return Ok(answer);
                    }
                    doubtful = Some(report);
                    Some("its checksum")
                }
                Look::Busy => None,
                Look::Foreign(what) => Some(what),
            };
            match (device.pause(&mut wait), foreign) {
                (Ok(()), _) => {}
                (Err(ChannelError::Silent), Some(what)) => {
                    let exchange = request.named;
                    return Err(unanswered(SessionError::Malformed { exchange, what }));
                }
                (Err(error), _) => return Err(unanswered(error.into())),
            }
        }
    }

    /// The answer to a request that was done.
    pub(super) fn done(&mut self, request: &Request) -> Result<Answer, SessionError> {
        let answer = self.ask(request).map_err(|unanswered| unanswered.cause)?;
        match answer.status() {
            DONE => Ok(answer),
            status => Err(refused(request, status)),
        }
    }

    /// The title of a slot; `None` for an empty one.
    pub(super) fn title(&mut self, slot: u8) -> Result<Option<String>, SessionError> {
        let request = wire::read_slot_name(slot);
        let answer = self.ask(&request).map_err(|unanswered| unanswered.cause)?;
        match answer.status() {
            DONE => Ok(Some(answer.name())),
            EMPTY => Ok(None),
            status => Err(refused(&request, status)),
        }
    }

    /// The code of a slot for the stick's own clock. [`SessionError::Locked`] where
    /// the owner has put codes behind the user PIN, which is never asked for here.
    pub(super) fn code(&mut self, slot: u8) -> Result<Code, SessionError> {
        let request = wire::get_code(slot);
        let answer = self.ask(&request).map_err(|unanswered| unanswered.cause)?;
        match answer.status() {
            DONE => answer
                .code()
                .map(|(number, digits)| Code::from_truncated(number, digits))
                .ok_or(SessionError::Malformed { exchange: request.named, what: "digits" }),
            EMPTY => Err(SessionError::NoSuchEntry),
            status => Err(refused(&request, status)),
        }
    }
}

/// A status that is not "done".
pub(super) fn refused(request: &Request, status: u8) -> SessionError {
    match status {
        // Another program authenticated itself meanwhile, or the stick lost its power.
        NOT_AUTHORISED => SessionError::Locked,
        _ => SessionError::Refused { exchange: request.named, status: StatusWord(status.into()) },
    }
}
