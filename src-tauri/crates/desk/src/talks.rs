//! The desk's conversations with tokens. Each opens a token, does its part in one
//! hold and lets the token go; nothing here waits for a person.

use enroll::{Captured, Choice, Planned, ProofFailure, Proven, Refusal, Settled, Survey, Written};
use oath::TimeStep;
use token::{ChannelError, Session, SessionError, TokenState, Unlock, WriteFailure};
use zeroize::Zeroizing;

use crate::look::{Failure, Place};
use crate::run::{Chosen, Failed, Run, is_typed};
use crate::{Desk, Problem, Progress, present};

/// How often a token that left during a write is looked for before the operator
/// is asked.
const SEARCHES: u32 = 3;

/// What a closer look at a token found.
pub(crate) enum Closer {
    /// Who it is and what is on it.
    Survey(Box<Survey>),
    /// The password was wrong.
    WrongKey(Problem),
}

impl Desk {
    /// The token with this id, or the one that had it before and was put back since.
    pub(crate) fn chosen(
        &self,
        token: &str,
        password: Option<Zeroizing<String>>,
        before: Option<&Chosen>,
    ) -> Result<Chosen, Problem> {
        let mut places = self.looker.table().places;
        let at = places.iter().position(|(place, _)| place.id() == token).or_else(|| {
            // What was looked for after a break lies elsewhere, and is shown as before.
            let serial = before.filter(|before| before.view.id == token)?.serial()?;
            places.iter().position(|(_, look)| look.has_serial(serial))
        });
        let (place, look) =
            at.map(|at| places.swap_remove(at)).ok_or_else(Problem::unknown_token)?;
        // A name that is changed does not ask for the password again.
        let kept = before
            .filter(|before| before.serial().is_some_and(|serial| look.has_serial(serial)))
            .and_then(|before| before.password.clone());
        let view = present::token(&place, &look);
        Ok(Chosen { place, view, password: password.or(kept) })
    }

    /// Reads what is on the token.
    pub(crate) fn look_closely(&self, chosen: &Chosen) -> Result<Closer, Problem> {
        match self.survey(chosen) {
            // A card that was exchanged faster than the system notices lies in
            // the same place under the same id: only its identity tells.
            Ok(survey) if chosen.serial() != Some(&survey.identity().serial.0) => {
                self.looker.forget(&chosen.place);
                let problem = Problem::from(&SessionError::AnotherToken);
                Err(problem.with_state(TokenState::Untouched))
            }
            Ok(survey) => Ok(Closer::Survey(Box::new(survey))),
            Err(Failure::Session(error @ SessionError::WrongKey { .. })) => {
                Ok(Closer::WrongKey(Problem::from(&error)))
            }
            Err(failure) => Err(Problem::from(failure)),
        }
    }

    fn survey(&self, chosen: &Chosen) -> Result<Survey, Failure> {
        let key = Self::key(chosen);
        let place = &chosen.place;
        let talked = self.looker.talk(place, (), |session, ()| {
            self.open_with(session, key.as_ref())?;
            Survey::take(session, place.candidate.origin, (self.now)())
        });
        match talked {
            Ok(survey) => survey.map_err(Failure::Session),
            Err(((), failure)) => Err(failure),
        }
    }

    /// Finds the token of the plan, writes and has it prove itself in one hold.
    /// The failure's state decides what the caller does next.
    pub(crate) fn write_and_prove(
        &self,
        planned: Planned,
        chosen: Chosen,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Run, (Failed, Option<WriteFailure>)> {
        progress(Progress::Connecting);
        let written_at = (self.now)();
        let Some(place) = self.looker.find(&chosen.place, planned.survey().identity()) else {
            let problem = gone().with_state(TokenState::Untouched);
            return Err((Failed { planned, chosen, problem, written_at, cleared: false }, None));
        };
        let chosen = Chosen { place, ..chosen };
        let key = Self::key(&chosen);
        let challenge = self.challenge();
        let talked = self.looker.talk(&chosen.place, planned, |session, planned| {
            if let Err(cause) = self.open_with(session, key.as_ref()) {
                return Err((planned, WriteFailure::untouched(cause)));
            }
            progress(Progress::Writing);
            planned.write(session, (self.now)()).map(|written| {
                progress(Progress::Proving);
                written.prove(session, challenge, (self.now)())
            })
        });
        self.looker.forget(&chosen.place);
        match talked {
            Ok(Ok(proof)) => Ok(proven(proof, chosen)),
            Ok(Err((planned, failure))) => {
                let problem = Problem::from(&failure);
                let cleared = failure.cleared;
                Err((Failed { planned, chosen, problem, written_at, cleared }, Some(failure)))
            }
            Err((planned, failure)) => {
                let problem = Problem::from(failure).with_state(TokenState::Untouched);
                Err((Failed { planned, chosen, problem, written_at, cleared: false }, None))
            }
        }
    }

    /// Asks a token for its proof again, wherever it lies now.
    pub(crate) fn prove_again(&self, written: Written, chosen: Chosen) -> Run {
        let Some(place) = self.looker.find(&chosen.place, written.survey().identity()) else {
            let gone = SessionError::Channel(ChannelError::NotThere);
            return Run::unproven(written, chosen, &gone.into());
        };
        self.proof(written, Chosen { place, ..chosen })
    }

    fn proof(&self, written: Written, chosen: Chosen) -> Run {
        let key = Self::key(&chosen);
        let challenge = self.challenge();
        let talked = self.looker.talk(&chosen.place, written, |session, written| {
            match self.open_with(session, key.as_ref()) {
                Ok(()) => written.prove(session, challenge, (self.now)()),
                Err(cause) => Err((written, cause.into())),
            }
        });
        match talked {
            Ok(proof) => proven(proof, chosen),
            Err((written, Failure::Session(error))) => {
                Run::unproven(written, chosen, &error.into())
            }
            Err((written, Failure::Stranger(_))) => {
                Run::unproven(written, chosen, &SessionError::AnotherToken.into())
            }
        }
    }

    /// Looks for the token of a broken write and asks it, by reads only, what it
    /// holds; without an answer the run comes back as it was, with the reason.
    pub(crate) fn settled(
        &self,
        failed: Failed,
        progress: &mut dyn FnMut(Progress),
    ) -> (Run, Option<Problem>) {
        if !failed.planned.can_settle() {
            return (Run::Failed(failed), None);
        }
        progress(Progress::Settling);
        let Some(place) = self.search(&failed.chosen.place, &failed.planned) else {
            return (Run::Failed(failed), Some(gone()));
        };
        let Failed { planned, chosen, problem, written_at, cleared } = failed;
        let chosen = Chosen { place, ..chosen };
        let key = Self::key(&chosen);
        let challenge = self.challenge();
        let talked = self.looker.talk(&chosen.place, planned, |session, planned| {
            match self.open_with(session, key.as_ref()) {
                Ok(()) => planned.settle(session, challenge, written_at, cleared, (self.now)()),
                Err(cause) => Err((planned, cause)),
            }
        });
        let (planned, problem, reason) = match talked {
            Ok(Ok(Settled::Written(written))) => return (self.proof(written, chosen), None),
            Ok(Ok(Settled::NotWritten(planned, state))) => {
                (planned, problem.with_state(state), None)
            }
            Ok(Err((planned, error))) => (planned, problem, Some(Problem::from(&error))),
            Err((planned, failure)) => (planned, problem, Some(Problem::from(failure))),
        };
        (Run::Failed(Failed { planned, chosen, problem, written_at, cleared }), reason)
    }

    fn search(&self, last: &Place, planned: &Planned) -> Option<Place> {
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

    fn open_with(
        &self,
        session: &mut dyn Session,
        key: Option<&Unlock>,
    ) -> Result<(), SessionError> {
        session.summon_by(self.summons());
        key.map_or(Ok(()), |key| session.unlock(key))
    }

    fn key(chosen: &Chosen) -> Option<Unlock> {
        chosen.password.clone().map(Unlock)
    }

    fn challenge(&self) -> TimeStep {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes);
        TimeStep(u64::from_be_bytes(bytes))
    }
}

fn gone() -> Problem {
    Problem::from(&SessionError::Channel(ChannelError::NotThere))
}

/// Compares the credential with what a closer look found.
pub(crate) fn compared(captured: Captured, closer: Closer, choice: &Choice, chosen: Chosen) -> Run {
    let survey = match closer {
        Closer::Survey(survey) => *survey,
        Closer::WrongKey(problem) => {
            let chosen = Chosen { password: None, ..chosen };
            let guard = chosen.guard();
            return Run::Locked { captured, chosen, guard, problem: Some(problem) };
        }
    };
    match captured.plan(survey, choice) {
        Ok(planned) => Run::Planned { planned, chosen },
        Err((captured, Refusal::Locked)) => {
            let guard = chosen.guard();
            Run::Locked { captured, chosen, guard, problem: None }
        }
        Err((captured, Refusal::Unfit(misfits))) => {
            let misfits = misfits.iter().map(present::misfit).collect();
            Run::Unfit { captured, chosen, misfits }
        }
    }
}

fn proven(proof: Result<Proven, (Written, ProofFailure)>, chosen: Chosen) -> Run {
    match proof {
        Ok(Proven::Confirmed(confirmed)) => Run::Confirmed { confirmed, chosen, saved: false },
        Ok(Proven::MustBeTyped(written)) => {
            Run::Written { written, chosen, problem: None, verdict: None }
        }
        // A display token that left right after the write is no trouble: its
        // owner takes it off the reader to switch it off and on anyway.
        Err((written, ProofFailure::Session(SessionError::Channel(_)))) if is_typed(&written) => {
            Run::Written { written, chosen, problem: None, verdict: None }
        }
        Err((written, failure)) => Run::unproven(written, chosen, &failure),
    }
}
