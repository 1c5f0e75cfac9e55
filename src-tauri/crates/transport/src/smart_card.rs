//! Cards in and on PC/SC readers, as a [`TokenSource`].
//!
//! Listing, watching and talking each have a context of their own, because a
//! silent card blocks every other call on the context that talks to it
//! (rigs/FACTS.md section 7). Cards are not judged by their answer to reset: any
//! slot that reports a card is a candidate (pcsc-nfc.md section 2).

mod channel;
mod error;
mod service;
mod slot;
mod watch;
mod worker;

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pcsc::{Context, State};
use token::{
    Attachment, Candidate, CandidateId, Channel, ChannelError, Origin, Patience, TokenSource,
    TokenWatch,
};

use self::channel::{Abandoned, CardChannel};
use self::slot::{Slot, is_sam};
use self::watch::PcscWatch;
use self::worker::Target;

pub(crate) use self::error::{Phase, map_error, service_is_gone};
pub(crate) use self::service::establish;
#[cfg(target_os = "linux")]
pub(crate) use self::service::socket;
pub(crate) use self::slot::slots;

/// The smart-card readers of this computer.
#[derive(Default)]
pub struct PcscSource {
    limits: Limits,
    bus: Mutex<Bus>,
    abandoned: Abandoned,
}

/// How long the source waits for what. PC/SC itself has no time-outs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the answer of a card working by itself.
    pub card: Duration,
    /// For the answer of a card that waits for a touch.
    pub touch: Duration,
    /// For all of a connect: another program's transaction is waited for.
    pub connect: Duration,
    /// For a reader that another program holds exclusively, within `connect`.
    pub sharing: Duration,
    /// The same for a key that is its own reader: switching its interface takes
    /// it up to 3 s (pcsc-nfc.md section 4).
    pub key_sharing: Duration,
    /// For a card to be let go when its channel is dropped.
    pub release: Duration,
}

impl Limits {
    const fn of(&self, patience: Patience) -> Duration {
        match patience {
            Patience::Card => self.card,
            Patience::Touch => self.touch,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            card: Patience::Card.limit(),
            touch: Patience::Touch.limit(),
            connect: Duration::from_secs(5),
            sharing: Duration::from_millis(600),
            key_sharing: Duration::from_secs(3),
            release: Duration::from_secs(1),
        }
    }
}

impl PcscSource {
    /// A source with the usual limits. Nothing is asked of the service yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A source with limits of its own, for tests.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn bus(&self) -> MutexGuard<'_, Bus> {
        // Each look replaces all that the last one left, so one that panicked
        // half-way did no harm.
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenSource for PcscSource {
    fn candidates(&self) -> Result<Vec<Candidate>, ChannelError> {
        let mut bus = self.bus();
        let slots = bus.look()?;
        let candidates = slots
            .into_iter()
            .filter_map(|slot| {
                let card = bus.cards.get(&slot.reader)?;
                Some(Candidate {
                    id: card.id.clone(),
                    attachment: Attachment::SmartCard {
                        reader: slot.reader.to_string_lossy().into_owned(),
                        atr: slot.atr,
                    },
                    origin: Origin::Bus,
                })
            })
            .collect();
        Ok(candidates)
    }

    fn connect(&self, id: &CandidateId) -> Result<Channel, ChannelError> {
        let target = {
            let mut bus = self.bus();
            bus.look()?;
            bus.target(id).ok_or(ChannelError::NotThere)?
        };
        let channel = CardChannel::open(&target, self.limits, &self.abandoned)?;
        Ok(Channel::SmartCard(Box::new(channel)))
    }

    fn watch(&self) -> Box<dyn TokenWatch> {
        Box::new(PcscWatch::new())
    }
}

/// What was seen at the last look, and the context for the next one.
#[derive(Default)]
struct Bus {
    context: Option<Context>,
    cards: HashMap<CString, Card>,
    appearances: u64,
}

/// A card since it appeared.
struct Card {
    id: CandidateId,
    /// The service's count of insertions and removals in the slot; macOS leaves it 0.
    events: u32,
    atr: Vec<u8>,
}

impl Bus {
    /// Looks at all slots and gives a new id to each card that was not there at the
    /// last look, or that was out in between.
    fn look(&mut self) -> Result<Vec<Slot>, ChannelError> {
        let mut slots = self.slots()?;
        let readers: Vec<_> =
            slots.iter().map(|s| s.reader.to_string_lossy().into_owned()).collect();
        slots.retain(|slot| {
            slot.state.contains(State::PRESENT) && !is_sam(&slot.reader.to_string_lossy(), &readers)
        });
        let mut before = std::mem::take(&mut self.cards);
        for slot in &slots {
            let known = before
                .remove(&slot.reader)
                .filter(|card| card.events == slot.events && card.atr == slot.atr);
            let card = known.unwrap_or_else(|| {
                self.appearances += 1;
                let reader = slot.reader.to_string_lossy();
                Card {
                    id: CandidateId(format!("{reader} #{}", self.appearances)),
                    events: slot.events,
                    atr: slot.atr.clone(),
                }
            });
            self.cards.insert(slot.reader.clone(), card);
        }
        Ok(slots)
    }

    /// All slots, over a new context if the service went away and came back. The
    /// service counts insertions from 0 then, so that every card counts as new.
    fn slots(&mut self) -> Result<Vec<Slot>, ChannelError> {
        if let Some(context) = &self.context {
            match slots(context) {
                Ok(slots) => return Ok(slots),
                Err(error) if service_is_gone(error) => {}
                Err(error) => return Err(map_error(error, Phase::Look)),
            }
        }
        self.context = None;
        self.cards.clear();
        let context = match establish() {
            // Windows stops its service with the last reader, and then the thing to
            // do is to plug one in (pcsc-nfc.md section 4).
            Err(ChannelError::ServiceMissing) if cfg!(windows) => return Ok(Vec::new()),
            context => context?,
        };
        let slots = slots(&context).map_err(|error| map_error(error, Phase::Look))?;
        self.context = Some(context);
        Ok(slots)
    }

    fn target(&self, id: &CandidateId) -> Option<Target> {
        let (reader, card) = self.cards.iter().find(|(_, card)| card.id == *id)?;
        Some(Target { id: id.clone(), reader: reader.clone(), events: card.events })
    }
}
