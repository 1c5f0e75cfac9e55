//! One run at a time, driven by intents.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enroll::{Choice, Rejection};
use intake::{Answers, SecretEncoding};
use qr::{Effort, PictureError};
use token::{Random, SessionError, Summons, TokenState, WriteFailure};
use zeroize::Zeroizing;

use crate::clock::{ClockDoubt, doubt_clock};
use crate::found::{Handed, read};
use crate::input::Input;
use crate::look::Looker;
use crate::run::{Chosen, Failed, Run, is_typed};
use crate::setup::Now;
use crate::state::State;
use crate::talks::compared;
use crate::watch::Seen;
use crate::{
    FamilyView, PictureView, Problem, Progress, RunView, Setup, TokenView, TokensView, Watch,
    WhatView, present,
};

/// The program's version, for receipts.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The desk. Every intent answers with the stage that it led to; an intent that
/// fails leaves the stage as it was.
pub struct Desk {
    pub(crate) looker: Looker,
    pub(crate) now: Now,
    pub(crate) random: Random,
    pub(crate) patience: Duration,
    summons: Mutex<Summons>,
    state: Mutex<State>,
}

impl Desk {
    /// A desk with an empty run.
    pub fn new(setup: Setup) -> Self {
        Self {
            looker: Looker::new(setup.sources, Arc::clone(&setup.now), Arc::clone(&setup.random)),
            now: setup.now,
            random: setup.random,
            patience: setup.patience,
            summons: Mutex::new(Arc::new(|_| {})),
            state: Mutex::new(State::new()),
        }
    }

    /// Whom to tell, from now on, that a token waits for a person. It is called
    /// during the intents that talk to tokens, on their thread.
    pub fn summon_by(&self, told: impl Fn(Progress) + Send + Sync + 'static) {
        let summons: Summons = Arc::new(move |deed| told(present::deed(deed)));
        *self.summons.lock().unwrap_or_else(PoisonError::into_inner) = summons;
    }

    pub(crate) fn summons(&self) -> Summons {
        Arc::clone(&self.summons.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stage now.
    pub fn view(&self) -> RunView {
        self.lock().view()
    }

    /// Every family that can be programmed.
    pub fn families() -> Vec<FamilyView> {
        present::families()
    }

    /// Reads what was handed over: pictures, texts and files of any kind, one or many.
    /// A single credential is taken at once; anything else is shown and has to be
    /// chosen, however many there are. A file that is encrypted, or that can be read in
    /// more than one way, asks.
    pub fn read(&self, inputs: Vec<Input>) -> Result<RunView, Problem> {
        let mut state = self.lock();
        state.take(inputs)?;
        Ok(state.view())
    }

    /// Reads one picture, or one file of another kind.
    pub fn read_picture(&self, bytes: &[u8]) -> Result<RunView, Problem> {
        self.read(vec![Input::unnamed(Zeroizing::new(bytes.to_vec()))])
    }

    /// Takes a text that was typed or pasted.
    pub fn read_text(&self, text: &str) -> Result<RunView, Problem> {
        self.read_picture(text.as_bytes())
    }

    /// Looks longer, some seconds, at what was handed over last and held a code that was
    /// not read.
    pub fn read_longer(&self) -> Result<RunView, Problem> {
        let mut state = self.lock();
        state.take_longer()?;
        Ok(state.view())
    }

    /// Answers what a file asked: its password or key, or `base32`, `hex`, `base64`.
    pub fn answer(
        &self,
        password: Option<Zeroizing<String>>,
        encoding: Option<&str>,
    ) -> Result<RunView, Problem> {
        let mut state = self.lock();
        state.answer(password, encoding.and_then(SecretEncoding::from_code))?;
        Ok(state.view())
    }

    /// Tells which codes are in a picture, one by one; the run stays as it is. What is
    /// no such picture is left to [`crate::read_files`].
    pub fn inspect_picture(&self, bytes: &[u8]) -> Result<PictureView, Problem> {
        let input = Input::unnamed(Zeroizing::new(bytes.to_vec()));
        match read(&[input], &Answers::default(), Vec::new(), Effort::default())? {
            Handed::Found(found) if found.is_codes() => Ok(found.view(false)),
            Handed::Found(_) | Handed::Asked(_) => Err(Problem::from(&PictureError::NotAPicture)),
        }
    }

    /// Takes one credential of what was read.
    pub fn choose(&self, finding: u32) -> Result<RunView, Problem> {
        let mut state = self.lock();
        if !matches!(state.run, Run::Found) {
            return Err(Problem::wrong_stage());
        }
        state.use_finding(usize::try_from(finding).unwrap_or(usize::MAX))?;
        Ok(state.view())
    }

    /// The tokens that are there. What is new is asked who it is, by reads only.
    pub fn tokens(&self) -> TokensView {
        let table = self.looker.table();
        let view = |(place, look)| present::token(&place, &look);
        TokensView { problem: table.problem, tokens: table.places.into_iter().map(view).collect() }
    }

    /// Compares the credential with a token. `choice` is what the operator wants
    /// otherwise; `password` opens a guarded token, with one try.
    pub fn plan(
        &self,
        token: &str,
        choice: &Choice,
        password: Option<Zeroizing<String>>,
    ) -> Result<RunView, Problem> {
        let mut state = self.lock();
        if !state.run.is_plannable() {
            return Err(Problem::wrong_stage());
        }
        // The run is taken apart only when there is something to go on to.
        let chosen = self.chosen(token, password, state.run.chosen())?;
        if chosen.serial().is_some_and(|serial| state.refused.contains(serial)) {
            let refused = Problem::from(&SessionError::AuthenticationRefused);
            return Err(refused.with_state(TokenState::Untouched));
        }
        let keyed = chosen.serial().is_some_and(|serial| state.keyed.contains(serial));
        if keyed && chosen.password.is_none() {
            let captured = state.take_captured()?;
            state.run = Run::Locked { captured, chosen, guard: "key", problem: None };
            return Ok(state.view());
        }
        let closer = self.look_closely(&chosen)?;
        state.run = compared(state.take_captured()?, closer, choice, chosen);
        Ok(state.view())
    }

    /// Writes as planned, and has a token that computes prove itself in the same
    /// hold. `replace` is the operator's word that what is there may give way.
    pub fn write(
        &self,
        replace: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let (planned, chosen) = state.take_planned()?;
        let planned = if replace { planned.permit_replacing() } else { planned };
        let reason = if planned.needs_permission() {
            Some(Problem::needs_permission())
        } else if present::sets_clock(&planned)
            && doubt_clock((self.now)(), false) == ClockDoubt::Impossible
        {
            Some(Problem::clock_impossible())
        } else {
            None
        };
        if let Some(reason) = reason {
            state.run = Run::Planned { planned, chosen };
            return Err(reason);
        }
        state.run = match self.write_and_prove(planned, chosen, progress) {
            Ok(run) => run,
            Err((failed, Some(failure))) if failure.token == TokenState::Unknown => {
                self.settled(failed, progress).0
            }
            // The maker's public key is not this token's: its owner's is asked for.
            Err((failed, Some(failure))) if is_wrong_key(&failure) => {
                let Failed { planned, chosen, problem, .. } = failed;
                state.keyed.extend(chosen.serial().cloned());
                let chosen = Chosen { password: None, ..chosen };
                let captured = planned.back();
                Run::Locked { captured, chosen, guard: "key", problem: Some(problem) }
            }
            Err((failed, failure)) => {
                if failure.is_some_and(|f| f.cause == SessionError::AuthenticationRefused) {
                    state.refused.extend(failed.chosen.serial().cloned());
                }
                Run::Failed(failed)
            }
        };
        Ok(state.view())
    }

    /// Asks the token, by reads only, what it holds after a broken write.
    pub fn settle(&self, progress: &mut dyn FnMut(Progress)) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let failed = state.take_failed()?;
        let (run, problem) = self.settled(failed, progress);
        state.run = run;
        match problem {
            Some(problem) => Err(problem),
            None => Ok(state.view()),
        }
    }

    /// Asks a token that computes for its proof again.
    pub fn prove(&self, progress: &mut dyn FnMut(Progress)) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let (written, chosen) = state.take_written()?;
        progress(Progress::Proving);
        state.run = self.prove_again(written, chosen);
        Ok(state.view())
    }

    /// Judges the code that a person read from the token's display, or gives
    /// beside the token's own proof: a wrong code takes a confirmation back.
    pub fn judge(&self, typed: &str) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let at = (self.now)();
        if let Some(answer) = state.assisted(|assisted| assisted.judge(typed, at)) {
            return answer;
        }
        let (judged, chosen) = match std::mem::replace(&mut state.run, Run::Empty) {
            Run::Confirmed { confirmed, chosen, .. } => (confirmed.judge(typed, at), chosen),
            Run::Written { written, chosen, .. } => (written.judge(typed, at), chosen),
            other => {
                state.run = other;
                return Err(Problem::wrong_stage());
            }
        };
        state.run = match judged {
            Ok(confirmed) => Run::Confirmed { confirmed, chosen, saved: false },
            Err((written, rejection)) => {
                if rejection == Rejection::NoClock {
                    // It is told the time by the question for its proof.
                    let Run::Written { written, chosen, problem, .. } =
                        self.prove_again(written, chosen)
                    else {
                        return Err(Problem::wrong_stage());
                    };
                    let verdict = Some(present::rejection(rejection, true));
                    state.run = Run::Written { written, chosen, problem, verdict };
                    return Ok(state.view());
                }
                let verdict = Some(present::rejection(rejection, is_typed(&written)));
                Run::Written { written, chosen, problem: None, verdict }
            }
        };
        Ok(state.view())
    }

    /// Ends without a proof: written, not confirmed.
    pub fn stop(&self) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let at = (self.now)();
        if let Some(answer) = state.assisted(|assisted| assisted.stop(at)) {
            return answer;
        }
        let (written, chosen) = state.take_written()?;
        let unconfirmed = written.give_up(at);
        state.run = Run::Unconfirmed { unconfirmed, chosen, saved: false };
        Ok(state.view())
    }

    /// The receipt as JSON, at the end of a run.
    pub fn receipt(&self) -> Result<String, Problem> {
        let state = self.lock();
        let receipt = match &state.run {
            Run::Confirmed { confirmed, .. } => confirmed.receipt(VERSION),
            Run::Unconfirmed { unconfirmed, .. } => unconfirmed.receipt(VERSION),
            Run::Assisted(assisted) => {
                assisted.receipt(VERSION).ok_or_else(Problem::wrong_stage)?
            }
            _ => return Err(Problem::wrong_stage()),
        };
        let mut text = serde_json::to_string_pretty(&receipt)
            .map_err(|error| Problem::new("save-failed", [("reason", error.to_string())]))?;
        text.push('\n');
        Ok(text)
    }

    /// Notes that the receipt was saved.
    pub fn receipt_saved(&self) -> RunView {
        let mut state = self.lock();
        if let Run::Confirmed { saved, .. } | Run::Unconfirmed { saved, .. } = &mut state.run {
            *saved = true;
        } else if let Run::Assisted(assisted) = &mut state.run {
            assisted.receipt_saved();
        }
        state.view()
    }

    /// One stage back, as long as nothing was written.
    pub fn back(&self) -> RunView {
        let mut state = self.lock();
        state.step_back();
        state.view()
    }

    /// Forgets everything about this run.
    pub fn start_over(&self) -> RunView {
        let mut state = self.lock();
        state.start_over();
        state.view()
    }

    /// Calls `changed` with all tokens, now and whenever they come or go, until
    /// the watch is dropped.
    pub fn watch(self: &Arc<Self>, changed: Box<dyn Fn(TokensView) + Send + Sync>) -> Watch {
        let desk = Arc::downgrade(self);
        let told: Mutex<Option<TokensView>> = Mutex::new(None);
        let look = move || {
            let Some(desk) = desk.upgrade() else {
                return Seen::Everything;
            };
            // Held while looking, so that an older table is never told after a newer.
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let table = desk.tokens();
            let trouble = |token: &TokenView| matches!(token.what, WhatView::Trouble { .. });
            let seen =
                if table.tokens.iter().any(trouble) { Seen::NotAll } else { Seen::Everything };
            if told.as_ref() != Some(&table) {
                changed(table.clone());
                *told = Some(table);
            }
            seen
        };
        Watch::start(
            self.looker.sources(),
            &(Arc::new(look) as Arc<dyn Fn() -> Seen + Send + Sync>),
        )
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic inside an intent leaves an empty run, which is a true one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a write ended because the token has another key than was used.
fn is_wrong_key(failure: &WriteFailure) -> bool {
    failure.token == TokenState::Untouched && matches!(failure.cause, SessionError::WrongKey { .. })
}
