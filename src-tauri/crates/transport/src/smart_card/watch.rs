//! Notices cards and readers that come and go, over a context of its own.

use std::ffi::{CStr, CString};
use std::time::{Duration, Instant};

use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, State};
use token::TokenWatch;

use super::establish;

/// How often a missing service is looked for.
const LOOK_FOR_SERVICE_EVERY: Duration = Duration::from_secs(1);

/// How long nothing is asked after an error, so that a caller who waits in a loop
/// does not spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(300);

/// The shortest time between two questions. Other programs' use of a card, and the
/// list of readers on some systems, are told as news again and again.
const ASK_AT_MOST_EVERY: Duration = Duration::from_millis(100);

/// How often readers are listed anew. macOS does not tell reliably that a reader
/// came or went (pcsc-nfc.md section 4).
const LIST_EVERY: Duration =
    if cfg!(target_os = "macos") { Duration::from_secs(1) } else { Duration::from_secs(30) };

/// A watch, over what was there when it was made. Without a service there was
/// nothing, and the service's coming is the first news.
pub(super) struct PcscWatch {
    watched: Option<Watched>,
}

impl PcscWatch {
    /// Begins to watch now: what changes before the first wait is news as well.
    pub(super) fn new() -> Self {
        Self { watched: begin(Instant::now()) }
    }
}

struct Watched {
    context: Context,
    readers: Vec<CString>,
    states: Vec<ReaderState>,
    seen: Vec<Seen>,
}

/// What of a slot's state is news. That a program uses a card is none: our own
/// connections would wake us.
type Seen = (State, u32);

/// How a part of a wait ended.
enum News {
    Changed,
    Nothing,
}

impl TokenWatch for PcscWatch {
    fn wait(&mut self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let left = || until.saturating_duration_since(Instant::now());
        let Some(watched) = &mut self.watched else {
            self.watched = begin(until);
            return;
        };
        loop {
            match watched.look(left().min(LIST_EVERY)) {
                Ok(News::Changed) => return,
                Ok(News::Nothing) if left().is_zero() => return,
                Ok(News::Nothing) => std::thread::sleep(left().min(ASK_AT_MOST_EVERY)),
                Err(_) => {
                    // Whatever it was, it is news, and a new context is the remedy.
                    self.watched = None;
                    std::thread::sleep(left().min(PAUSE_AFTER_ERROR));
                    return;
                }
            }
        }
    }
}

/// Waits for the service, gently.
fn begin(until: Instant) -> Option<Watched> {
    loop {
        let watched = establish().ok().and_then(|c| Watched::new(c).ok());
        let left = until.saturating_duration_since(Instant::now());
        if watched.is_some() || left.is_zero() {
            return watched;
        }
        std::thread::sleep(left.min(LOOK_FOR_SERVICE_EVERY));
    }
}

impl Watched {
    fn new(context: Context) -> Result<Self, Error> {
        let readers = list(&context)?;
        let pnp: &CStr = PNP_NOTIFICATION();
        let mut states: Vec<_> = readers
            .iter()
            .map(CString::as_c_str)
            .chain([pnp])
            .map(|reader| ReaderState::new(reader, State::UNAWARE))
            .collect();
        match context.get_status_change(Duration::ZERO, &mut states) {
            Ok(()) | Err(Error::Timeout) => {}
            Err(error) => return Err(error),
        }
        let mut watched = Self { context, readers, states, seen: Vec::new() };
        watched.take_note();
        Ok(watched)
    }

    /// Waits for one change of state. `Nothing` may come early.
    fn look(&mut self, at_most: Duration) -> Result<News, Error> {
        match self.context.get_status_change(at_most, &mut self.states) {
            Ok(()) | Err(Error::Timeout) => {}
            Err(error) => return Err(error),
        }
        let before = std::mem::take(&mut self.seen);
        self.take_note();
        if list(&self.context)? != self.readers {
            let context = self.context.clone();
            *self = Self::new(context)?;
            return Ok(News::Changed);
        }
        Ok(if self.seen == before { News::Nothing } else { News::Changed })
    }

    fn take_note(&mut self) {
        let of_interest = State::PRESENT | State::EMPTY | State::MUTE | State::UNAVAILABLE;
        for state in &mut self.states {
            state.sync_current_state();
        }
        // The last one stands for the list of readers, which is compared itself.
        self.seen = self.states[..self.readers.len()]
            .iter()
            .map(|state| (state.event_state() & of_interest, state.event_count()))
            .collect();
    }
}

fn list(context: &Context) -> Result<Vec<CString>, Error> {
    match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        readers => readers,
    }
}
