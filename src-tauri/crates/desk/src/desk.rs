//! One run at a time, driven by intents.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enroll::{Captured, Choice, Proven, Refusal, Settled, Survey, Written};
use intake::{Finding, Source};
use oath::TimeStep;
use qr::Effort;
use token::{Session, SessionError, TokenState, Unlock, WriteFailure};
use zeroize::Zeroizing;

use crate::clock::{ClockDoubt, doubt_clock};
use crate::look::{Failure, Looker, Place};
use crate::run::{Chosen, Picture, Run, is_typed};
use crate::setup::{Now, Random};
use crate::watch::Seen;
use crate::{
    FamilyView, PictureView, Problem, Progress, RunView, Setup, TokenView, TokensView, Watch,
    WhatView, present,
};

/// The program's version, for receipts.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How often a token that left during a write is looked for before the operator
/// is asked.
const SEARCHES: u32 = 3;

/// The desk. Every intent answers with the stage that it led to; an intent that
/// fails leaves the stage as it was.
pub struct Desk {
    looker: Looker,
    now: Now,
    random: Random,
    patience: Duration,
    state: Mutex<State>,
}

struct State {
    run: Run,
    picture: Option<Picture>,
    /// Which finding of the picture is in use.
    in_use: Option<usize>,
    /// Serials of tokens that refused the authentication. They are not asked a
    /// second time: some firmware counts and locks for good.
    refused: HashSet<String>,
}

impl Desk {
    /// A desk with an empty run.
    pub fn new(setup: Setup) -> Self {
        Self {
            looker: Looker::new(setup.sources, Arc::clone(&setup.now)),
            now: setup.now,
            random: setup.random,
            patience: setup.patience,
            state: Mutex::new(State {
                run: Run::Empty,
                picture: None,
                in_use: None,
                refused: HashSet::new(),
            }),
        }
    }

    /// The stage now.
    pub fn view(&self) -> RunView {
        self.lock().view()
    }

    /// Every family that can be programmed.
    pub fn families() -> Vec<FamilyView> {
        present::families()
    }

    /// Reads a picture. A single credential is taken at once; anything else is
    /// shown and has to be chosen, however many there are.
    pub fn read_picture(&self, bytes: &[u8]) -> Result<RunView, Problem> {
        let picture = open_picture(bytes)?;
        let mut state = self.lock();
        state.take_picture(picture)?;
        Ok(state.view())
    }

    /// Tells what is in a picture; the run stays as it is.
    pub fn inspect_picture(&self, bytes: &[u8]) -> Result<PictureView, Problem> {
        open_picture(bytes).map(|picture| picture.view())
    }

    /// Takes a Key URI or a secret that was typed, pasted or kept in a file.
    pub fn read_text(&self, text: &str) -> Result<RunView, Problem> {
        let nowhere = [(0.0, 0.0); 4];
        let finding = intake::classify(text, Source::Typed);
        let picture = Picture {
            width: 0,
            height: 0,
            unread: 0,
            findings: vec![(Some(finding), nowhere)],
        };
        let mut state = self.lock();
        state.take_picture(picture)?;
        Ok(state.view())
    }

    /// Takes one credential of the picture.
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
        TokensView {
            problem: table.problem,
            tokens: table.places.into_iter().map(view).collect(),
        }
    }

    /// Compares the credential with a token. `name` replaces the entry's name;
    /// `password` opens a guarded token, with one try.
    pub fn plan(
        &self,
        token: &str,
        name: Option<&str>,
        password: Option<Zeroizing<String>>,
    ) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let (captured, before) = state.take_captured()?;
        let chosen = match self.chosen(token, password, before.as_ref()) {
            Ok(chosen) => chosen,
            Err(problem) => {
                state.run = Run::Captured(captured);
                return Err(problem);
            }
        };
        let serial = serial_of(&chosen);
        if serial.is_some_and(|serial| state.refused.contains(&serial)) {
            state.run = Run::Captured(captured);
            return Err(Problem::from(&SessionError::AuthenticationRefused)
                .with_state(TokenState::Untouched));
        }
        let survey = self.look_closely(&chosen);
        let (run, answer) = match survey {
            Ok(survey) => (
                plan(
                    captured,
                    survey,
                    &Choice {
                        name: name.map(str::to_owned),
                    },
                    chosen,
                ),
                Ok(()),
            ),
            Err(Failure::Session(error @ SessionError::WrongKey { .. })) => {
                let problem = Some(Problem::from(&error));
                (
                    Run::Locked {
                        captured,
                        chosen: chosen.without_password(),
                        problem,
                    },
                    Ok(()),
                )
            }
            Err(failure) => (Run::Captured(captured), Err(Problem::from(failure))),
        };
        state.run = run;
        answer.map(|()| state.view())
    }

    /// Writes as planned, and has a token that computes prove itself in the same
    /// hold. `replace` is the operator's word that what is there may give way.
    pub fn write(
        &self,
        replace: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let (planned, chosen) = match std::mem::replace(&mut state.run, Run::Empty) {
            Run::Planned { planned, chosen } => (planned, chosen),
            other => {
                state.run = other;
                return Err(Problem::wrong_stage());
            }
        };
        let planned = if replace {
            planned.permit_replacing()
        } else {
            planned
        };
        if planned.needs_permission() {
            state.run = Run::Planned { planned, chosen };
            return Err(Problem::needs_permission());
        }
        let written_at = (self.now)();
        if present::sets_clock(&planned) && doubt_clock(written_at, false) == ClockDoubt::Impossible
        {
            state.run = Run::Planned { planned, chosen };
            return Err(Problem::clock_impossible());
        }
        progress(Progress::Connecting);
        let place = self.looker.find(&chosen.place, planned.survey().identity());
        let Some(place) = place else {
            let problem = Problem::from(&SessionError::Channel(token::ChannelError::NotThere))
                .with_state(TokenState::Untouched);
            state.run = Run::Failed {
                planned,
                chosen,
                problem,
                written_at,
            };
            return Ok(state.view());
        };
        let chosen = Chosen { place, ..chosen };
        let key = self.key(chosen.password.as_ref());
        let challenge = self.challenge();
        // The plan goes into the conversation and comes back out of it, also
        // when the conversation does not begin.
        let mut waiting = Some(planned);
        let talked = self.looker.talk(&chosen.place, |session| {
            let planned = waiting.take()?;
            if let Err(cause) = open_with(session, key.as_ref()) {
                return Some(Err((planned, WriteFailure::untouched(cause))));
            }
            progress(Progress::Writing);
            let now = (self.now)();
            Some(planned.write(session, now).map(|written| {
                progress(Progress::Proving);
                written.prove(session, challenge, (self.now)())
            }))
        });
        self.looker.forget(&chosen.place);
        state.run = match (talked, waiting) {
            (Ok(Some(Ok(proof))), _) => proven(proof, chosen),
            (Ok(Some(Err((planned, failure)))), _) => {
                if failure.cause == SessionError::AuthenticationRefused {
                    state.refused.extend(serial_of(&chosen));
                }
                let problem = Problem::from(&failure);
                let failed = Run::Failed {
                    planned,
                    chosen,
                    problem,
                    written_at,
                };
                if failure.token == TokenState::Unknown {
                    self.settled(failed, progress).0
                } else {
                    failed
                }
            }
            (Err(failure), Some(planned)) => {
                let problem = Problem::from(failure).with_state(TokenState::Untouched);
                Run::Failed {
                    planned,
                    chosen,
                    problem,
                    written_at,
                }
            }
            (Ok(None) | Err(_), _) => Run::Empty,
        };
        Ok(state.view())
    }

    /// Asks the token, by reads only, what it holds after a broken write.
    pub fn settle(&self, progress: &mut dyn FnMut(Progress)) -> Result<RunView, Problem> {
        let mut state = self.lock();
        if !matches!(state.run, Run::Failed { .. }) {
            return Err(Problem::wrong_stage());
        }
        let failed = std::mem::replace(&mut state.run, Run::Empty);
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
        let identity = written.survey().identity().clone();
        let Some(place) = self.looker.find(&chosen.place, &identity) else {
            let gone = SessionError::Channel(token::ChannelError::NotThere);
            state.run = Run::unproven(written, chosen, &gone.into());
            return Ok(state.view());
        };
        let chosen = Chosen { place, ..chosen };
        state.run = self.proof(written, chosen);
        Ok(state.view())
    }

    /// Judges the code that a person read from the token's display, or gives
    /// beside the token's own proof: a wrong code takes a confirmation back.
    pub fn judge(&self, typed: &str) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let at = (self.now)();
        let (judged, chosen) = match std::mem::replace(&mut state.run, Run::Empty) {
            Run::Confirmed {
                confirmed, chosen, ..
            } => (confirmed.judge(typed, at), chosen),
            Run::Written {
                written, chosen, ..
            } => (written.judge(typed, at), chosen),
            other => {
                state.run = other;
                return Err(Problem::wrong_stage());
            }
        };
        state.run = match judged {
            Ok(confirmed) => Run::Confirmed {
                confirmed,
                chosen,
                saved: false,
            },
            Err((written, rejection)) => {
                let verdict = Some(present::rejection(rejection, is_typed(&written)));
                Run::Written {
                    written,
                    chosen,
                    problem: None,
                    verdict,
                }
            }
        };
        Ok(state.view())
    }

    /// Ends without a proof: written, not confirmed.
    pub fn stop(&self) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let (written, chosen) = state.take_written()?;
        let unconfirmed = written.give_up((self.now)());
        state.run = Run::Unconfirmed {
            unconfirmed,
            chosen,
            saved: false,
        };
        Ok(state.view())
    }

    /// The receipt as JSON, at the end of a run.
    pub fn receipt(&self) -> Result<String, Problem> {
        let state = self.lock();
        let receipt = match &state.run {
            Run::Confirmed { confirmed, .. } => confirmed.receipt(VERSION),
            Run::Unconfirmed { unconfirmed, .. } => unconfirmed.receipt(VERSION),
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
        state.run = Run::Empty;
        state.picture = None;
        state.in_use = None;
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
            let seen = if table.tokens.iter().any(trouble) {
                Seen::NotAll
            } else {
                Seen::Everything
            };
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

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic inside an intent leaves an empty run, which is a true one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(
        &self,
        token: &str,
        password: Option<Zeroizing<String>>,
        before: Option<&Chosen>,
    ) -> Result<Chosen, Problem> {
        let table = self.looker.table();
        let mut places = table.places;
        // A token that was taken away and put back since has another id; a try
        // again means the same token wherever it lies now.
        let at = places
            .iter()
            .position(|(place, _)| place.id() == token)
            .or_else(|| {
                let before = before.filter(|before| before.place.id() == token)?;
                let serial = serial_of(before)?;
                places.iter().position(|(_, look)| look.has_serial(&serial))
            });
        let (place, look) = at
            .map(|at| places.swap_remove(at))
            .ok_or_else(Problem::unknown_token)?;
        let view = present::token(&place, &look);
        // A name that is changed does not ask for the password again.
        let kept = before
            .filter(|before| serial_of(before).is_some_and(|serial| look.has_serial(&serial)))
            .and_then(|before| before.password.clone());
        Ok(Chosen {
            place,
            view,
            password: password.or(kept),
        })
    }

    fn look_closely(&self, chosen: &Chosen) -> Result<Survey, Failure> {
        let key = self.key(chosen.password.as_ref());
        let place = &chosen.place;
        self.looker
            .talk(place, |session| {
                open_with(session, key.as_ref())?;
                Survey::take(session, place.candidate.origin, (self.now)())
            })?
            .map_err(Failure::Session)
    }

    fn proof(&self, written: Written, chosen: Chosen) -> Run {
        let key = self.key(chosen.password.as_ref());
        let challenge = self.challenge();
        let mut waiting = Some(written);
        let talked = self.looker.talk(&chosen.place, |session| {
            let written = waiting.take()?;
            Some(match open_with(session, key.as_ref()) {
                Ok(()) => written.prove(session, challenge, (self.now)()),
                Err(cause) => Err((written, cause.into())),
            })
        });
        match (talked, waiting) {
            (Ok(Some(proof)), _) => proven(proof, chosen),
            (Err(Failure::Session(error)), Some(written)) => {
                Run::unproven(written, chosen, &error.into())
            }
            (Err(Failure::Stranger(_)), Some(written)) => {
                Run::unproven(written, chosen, &SessionError::AnotherToken.into())
            }
            (Ok(None) | Err(_), _) => Run::Empty,
        }
    }

    /// Looks for the token of a broken write and asks it; without an answer the
    /// run comes back as it was, with the reason.
    fn settled(&self, failed: Run, progress: &mut dyn FnMut(Progress)) -> (Run, Option<Problem>) {
        let (planned, chosen, problem, written_at) = match failed {
            Run::Failed {
                planned,
                chosen,
                problem,
                written_at,
            } if planned.can_settle() => (planned, chosen, problem, written_at),
            other => return (other, None),
        };
        progress(Progress::Settling);
        let Some(place) = self.search(&chosen.place, &planned) else {
            let gone = Problem::from(&SessionError::Channel(token::ChannelError::NotThere));
            return (
                Run::Failed {
                    planned,
                    chosen,
                    problem,
                    written_at,
                },
                Some(gone),
            );
        };
        let chosen = Chosen { place, ..chosen };
        let key = self.key(chosen.password.as_ref());
        let challenge = self.challenge();
        let mut waiting = Some(planned);
        let talked = self.looker.talk(&chosen.place, |session| {
            let planned = waiting.take()?;
            Some(match open_with(session, key.as_ref()) {
                Ok(()) => planned.settle(session, challenge, written_at),
                Err(cause) => Err((planned, cause)),
            })
        });
        match (talked, waiting) {
            (Ok(Some(Ok(Settled::Written(written)))), _) => (self.proof(written, chosen), None),
            (Ok(Some(Ok(Settled::NotWritten(planned, state)))), _) => {
                let problem = problem.with_state(state);
                (
                    Run::Failed {
                        planned,
                        chosen,
                        problem,
                        written_at,
                    },
                    None,
                )
            }
            (Ok(Some(Err((planned, error)))), _) => {
                let reason = Problem::from(&error);
                (
                    Run::Failed {
                        planned,
                        chosen,
                        problem,
                        written_at,
                    },
                    Some(reason),
                )
            }
            (Err(failure), Some(planned)) => {
                let reason = Problem::from(failure);
                (
                    Run::Failed {
                        planned,
                        chosen,
                        problem,
                        written_at,
                    },
                    Some(reason),
                )
            }
            (Ok(None) | Err(_), _) => (Run::Empty, None),
        }
    }

    fn search(&self, last: &Place, planned: &enroll::Planned) -> Option<Place> {
        let identity = planned.survey().identity();
        // Made before the first look, so that nothing that happens in between is missed.
        let mut watch = self.looker.sources().get(last.source)?.watch();
        for attempt in 0..SEARCHES {
            // What is remembered of this place is from before the break.
            self.looker.forget(last);
            if let Some(place) = self.looker.find(last, identity) {
                return Some(place);
            }
            if attempt + 1 < SEARCHES && !self.patience.is_zero() {
                watch.wait(self.patience / SEARCHES);
            }
        }
        None
    }

    fn key(&self, password: Option<&Zeroizing<String>>) -> Option<Unlock> {
        password.map(|password| {
            let mut challenge = [0; 8];
            (self.random)(&mut challenge);
            Unlock::Password {
                password: password.clone(),
                challenge,
            }
        })
    }

    fn challenge(&self) -> TimeStep {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes);
        TimeStep(u64::from_be_bytes(bytes))
    }
}

impl State {
    fn view(&self) -> RunView {
        self.run.view(self.picture.as_ref())
    }

    /// A picture that arrives while a written token waits for its proof, or for
    /// somebody to see what became of it, is turned away: it would silently
    /// throw that token's run away.
    fn take_picture(&mut self, picture: Picture) -> Result<(), Problem> {
        if matches!(self.run, Run::Written { .. } | Run::Failed { .. }) {
            return Err(Problem::wrong_stage());
        }
        let single = match picture.findings.as_slice() {
            [(Some(Finding::Credential(_)), _)] => picture.unread == 0,
            _ => false,
        };
        self.run = Run::Found;
        self.picture = Some(picture);
        self.in_use = None;
        if single {
            self.use_finding(0)?;
        }
        Ok(())
    }

    fn use_finding(&mut self, index: usize) -> Result<(), Problem> {
        let place = self
            .picture
            .as_mut()
            .and_then(|picture| picture.findings.get_mut(index))
            .map(|(finding, _)| finding)
            .ok_or_else(Problem::wrong_stage)?;
        match place.take() {
            Some(Finding::Credential(credential)) => {
                self.run = Run::Captured(Captured::new(credential));
                self.in_use = Some(index);
                Ok(())
            }
            other => {
                *place = other;
                Err(Problem::wrong_stage())
            }
        }
    }

    fn take_captured(&mut self) -> Result<(Captured, Option<Chosen>), Problem> {
        match std::mem::replace(&mut self.run, Run::Empty).into_captured() {
            Ok(taken) => Ok(taken),
            Err(other) => {
                self.run = other;
                Err(Problem::wrong_stage())
            }
        }
    }

    fn take_written(&mut self) -> Result<(Written, Chosen), Problem> {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Written {
                written, chosen, ..
            } => Ok((written, chosen)),
            other => {
                self.run = other;
                Err(Problem::wrong_stage())
            }
        }
    }

    fn step_back(&mut self) {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Captured(captured) => {
                let several = self.picture.as_ref().is_some_and(|p| p.findings.len() > 1);
                let place = self.in_use.take().filter(|_| several).and_then(|index| {
                    self.picture
                        .as_mut()
                        .and_then(|picture| picture.findings.get_mut(index))
                });
                if let Some((finding, _)) = place {
                    *finding = Some(Finding::Credential(captured.release()));
                    self.run = Run::Found;
                } else {
                    self.picture = None;
                }
            }
            Run::Found => self.picture = None,
            other => match other.into_captured() {
                Ok((captured, _)) => self.run = Run::Captured(captured),
                Err(other) => self.run = other,
            },
        }
    }
}

impl Chosen {
    fn without_password(self) -> Self {
        Self {
            password: None,
            ..self
        }
    }
}

fn open_picture(bytes: &[u8]) -> Result<Picture, Problem> {
    let reading = qr::read(bytes, Effort::default()).map_err(|error| Problem::from(&error))?;
    let unread = u32::try_from(reading.unread).unwrap_or(u32::MAX);
    if reading.codes.is_empty() {
        return Err(Problem::no_code_found(unread));
    }
    let classify = |code: qr::FoundCode| {
        (
            Some(intake::classify(code.text(), Source::Picture)),
            code.corners,
        )
    };
    Ok(Picture {
        width: reading.width,
        height: reading.height,
        unread,
        findings: reading.codes.into_iter().map(classify).collect(),
    })
}

fn plan(captured: Captured, survey: Survey, choice: &Choice, chosen: Chosen) -> Run {
    match captured.plan(survey, choice) {
        Ok(planned) => Run::Planned { planned, chosen },
        Err((captured, Refusal::Locked)) => Run::Locked {
            captured,
            chosen,
            problem: None,
        },
        Err((captured, Refusal::Unfit(misfits))) => {
            let misfits = misfits.iter().map(present::misfit).collect();
            Run::Unfit {
                captured,
                chosen,
                misfits,
            }
        }
    }
}

fn proven(proof: Result<Proven, (Written, enroll::ProofFailure)>, chosen: Chosen) -> Run {
    match proof {
        Ok(Proven::Confirmed(confirmed)) => Run::Confirmed {
            confirmed,
            chosen,
            saved: false,
        },
        Ok(Proven::MustBeTyped(written)) => Run::Written {
            written,
            chosen,
            problem: None,
            verdict: None,
        },
        // A display token that left right after the write is no trouble: its
        // owner takes it off the reader to switch it off and on anyway.
        Err((written, enroll::ProofFailure::Session(SessionError::Channel(_))))
            if is_typed(&written) =>
        {
            Run::Written {
                written,
                chosen,
                problem: None,
                verdict: None,
            }
        }
        Err((written, failure)) => Run::unproven(written, chosen, &failure),
    }
}

fn open_with(session: &mut dyn Session, key: Option<&Unlock>) -> Result<(), SessionError> {
    key.map_or(Ok(()), |key| session.unlock(key))
}

fn serial_of(chosen: &Chosen) -> Option<String> {
    match &chosen.view.what {
        WhatView::Token { serial, .. } => Some(serial.clone()),
        WhatView::Stranger { .. } | WhatView::Trouble { .. } => None,
    }
}
