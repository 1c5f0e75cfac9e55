//! The thread that talks to one card.
//!
//! A command to a silent card never returns, and nothing but the card's leaving
//! ends it. So each connection has a thread and a context of its own: who waits for
//! the answer can give up, and the thread ends by itself when the card leaves.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use pcsc::{
    Card, Context, Disposition, Error, Protocols, ReaderState, ShareMode, State, Transaction,
};
use token::{CandidateId, ChannelError, ResponseApdu};
use zeroize::{Zeroize, Zeroizing};

use super::slot::{is_contactless, is_key, slot};
use super::{Limits, Phase, establish, map_error};

/// The longest answer is 256 bytes and a status word. Some services refuse buffers
/// over 65 538 bytes, some cards send more than they should (pcsc-nfc.md section 3).
const ANSWER_BYTES: usize = 4096;

/// The pause between two tries at a reader that is held.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// pcscd looks every 0.4 s at readers that do not tell by themselves.
const SERVICE_LOOKS_WITHIN: Duration = Duration::from_millis(500);

/// A card as it was seen, to be refused if it was exchanged since.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) id: CandidateId,
    pub(super) reader: CString,
    pub(super) events: u32,
}

impl Target {
    /// The program that is known to hold readers like this one.
    pub(super) fn likely_holder(&self) -> Option<&'static str> {
        let key = is_key(&self.reader.to_string_lossy());
        (key || crate::diagnose::scdaemon_runs()).then_some("gpg-agent (scdaemon)")
    }

    fn phase(&self) -> Phase {
        Phase::Connect { likely: self.likely_holder() }
    }
}

/// How the talk with a card ended.
#[derive(Clone, Copy)]
enum End {
    /// The card is there, as far as its last answer tells.
    LetGo,
    /// The card left, or the way to it broke.
    Broken,
}

/// The worker's ends of its queues.
pub(super) struct Worker {
    /// Told once, when the card is held or will not be.
    pub(super) ready: Sender<Result<(), ChannelError>>,
    /// Command APDUs. Its end is the order to let the card go.
    pub(super) commands: Receiver<Zeroizing<Vec<u8>>>,
    /// One answer a command. Its end tells that the card was let go.
    pub(super) answers: Sender<Result<ResponseApdu, ChannelError>>,
    /// Held as long as this thread may hold the card.
    pub(super) alive: Arc<()>,
}

impl Worker {
    /// Holds the card until the commands end or one fails.
    pub(super) fn run(self, target: &Target, limits: &Limits) {
        if let Err(error) = self.hold(target, limits) {
            // Nobody listens if the connect was given up.
            let _ = self.ready.send(Err(error));
        }
        drop(self.alive);
    }

    fn hold(&self, target: &Target, limits: &Limits) -> Result<(), ChannelError> {
        let context = establish()?;
        let mut card = connect(&context, target, limits)?;
        let held = self.talk_in_transaction(&context, &mut card, target);
        // By default a card that is let go is reset, which is decided in `talk`.
        let _ = card.disconnect(Disposition::LeaveCard);
        held
    }

    fn talk_in_transaction(
        &self,
        context: &Context,
        card: &mut Card,
        target: &Target,
    ) -> Result<(), ChannelError> {
        // Another program may have reset the card just now. Nothing was selected
        // yet, so that to connect once more is all it takes.
        for _ in 0..3 {
            match card.transaction2() {
                Ok(transaction) => return self.talk(context, transaction, target),
                Err((card, Error::ResetCard)) => card
                    .reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard)
                    .map_err(|error| map_error(error, target.phase()))?,
                Err((_, error)) => return Err(map_error(error, target.phase())),
            }
        }
        Err(ChannelError::Busy { likely: target.likely_holder() })
    }

    fn talk(
        &self,
        context: &Context,
        transaction: Transaction<'_>,
        target: &Target,
    ) -> Result<(), ChannelError> {
        // Asked only now, when the card cannot be exchanged unnoticed any more.
        let now = slot(context, &target.reader).map_err(|e| map_error(e, target.phase()))?;
        if now.events != target.events || !now.state.contains(State::PRESENT) {
            return Err(ChannelError::NotThere);
        }
        if self.ready.send(Ok(())).is_err() {
            return Ok(());
        }
        let end = self.answer_commands(&transaction);
        // Contactless cards keep their power on the reader: what is unlocked would
        // stay so for the next program. Keys are left to their other programs.
        let reset = is_contactless(&now.atr)
            && match end {
                End::LetGo => true,
                // One that is back has to be powered anew. In vain, a reset makes
                // pcscd 1.9.9 take the slot for empty until it sees a card leave,
                // so that one that is back before its next look is never seen.
                End::Broken => stays(context, target),
            };
        let disposition = if reset { Disposition::ResetCard } else { Disposition::LeaveCard };
        // It fails when the card or the service is gone, and then so is the state.
        let _ = transaction.end(disposition);
        Ok(())
    }

    fn answer_commands(&self, card: &Card) -> End {
        let mut buffer = Zeroizing::new([0; ANSWER_BYTES]);
        while let Ok(command) = self.commands.recv() {
            let bytes = card.transmit(&command, buffer.as_mut_slice());
            let end = match &bytes {
                // An empty answer is what a card gives that leaves (FACTS.md section 7).
                Ok([]) | Err(_) => End::Broken,
                Ok(_) => End::LetGo,
            };
            let answer = bytes
                .map_err(|error| map_error(error, Phase::Transmit))
                .and_then(|bytes| ResponseApdu::parse(bytes.to_vec()));
            buffer.zeroize();
            let failed = answer.is_err();
            // After an error the handle may lead to another card (FACTS.md section 7).
            if self.answers.send(answer).is_err() || failed {
                return end;
            }
        }
        End::LetGo
    }
}

/// Whether the service still sees the card after it had time to look.
fn stays(context: &Context, target: &Target) -> bool {
    let until = Instant::now() + SERVICE_LOOKS_WITHIN;
    let mut states = [ReaderState::new(target.reader.clone(), State::UNAWARE)];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match context.get_status_change(left, &mut states) {
            Ok(()) | Err(Error::Timeout) => {}
            Err(_) => return false,
        }
        let [state] = &mut states;
        if state.event_count() != target.events || !state.event_state().contains(State::PRESENT) {
            return false;
        }
        if left.is_zero() {
            return true;
        }
        state.sync_current_state();
    }
}

/// Connects, and waits a moment for a reader that another program holds.
fn connect(context: &Context, target: &Target, limits: &Limits) -> Result<Card, ChannelError> {
    let patience =
        if is_key(&target.reader.to_string_lossy()) { limits.key_sharing } else { limits.sharing };
    let begun = Instant::now();
    loop {
        match context.connect(&target.reader, ShareMode::Shared, Protocols::ANY) {
            Ok(card) => return Ok(card),
            Err(Error::SharingViolation) if begun.elapsed() + TRY_EVERY < patience => {
                std::thread::sleep(TRY_EVERY);
            }
            Err(error) => return Err(map_error(error, target.phase())),
        }
    }
}
