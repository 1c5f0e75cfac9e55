//! What a desk remembers between intents: the run, and what it came from.

use std::collections::HashSet;

use enroll::{Captured, Planned, Written};
use intake::{Answers, SecretEncoding};
use qr::Effort;
use zeroize::Zeroizing;

use crate::asked::Asked;
use crate::found::{Found, Handed, read};
use crate::input::Input;
use crate::run::{Chosen, Failed, Run};
use crate::{Problem, RunView};

/// The run with what led to it.
pub(crate) struct State {
    pub(crate) run: Run,
    pub(crate) found: Option<Found>,
    /// What was handed over last, while a longer look at it may find more.
    missed: Option<Vec<Input>>,
    /// Which finding of it is in use.
    pub(crate) in_use: Option<usize>,
    /// Serials of tokens that refused the authentication. They are not asked a
    /// second time: some firmware counts and locks for good.
    pub(crate) refused: HashSet<String>,
    /// Serials of tokens that have another key than their maker's public one.
    pub(crate) keyed: HashSet<String>,
}

impl State {
    /// An empty run.
    pub(crate) fn new() -> Self {
        Self {
            run: Run::Empty,
            found: None,
            missed: None,
            in_use: None,
            refused: HashSet::new(),
            keyed: HashSet::new(),
        }
    }

    pub(crate) fn view(&self) -> RunView {
        self.run.view(self.found.as_ref(), self.missed.is_some())
    }

    /// What arrives while a written token waits for its proof, or for somebody to see
    /// what became of it, is turned away: it would silently throw that token's run
    /// away.
    pub(crate) fn may_take(&self) -> Result<(), Problem> {
        let handed = matches!(&self.run, Run::Assisted(assisted) if assisted.is_under_way());
        if handed || matches!(self.run, Run::Written { .. } | Run::Failed(_)) {
            return Err(Problem::wrong_stage());
        }
        Ok(())
    }

    /// Reads what was handed over; another picture of an export that is begun goes on
    /// with it.
    pub(crate) fn take(&mut self, inputs: Vec<Input>) -> Result<(), Problem> {
        self.may_take()?;
        self.missed = None;
        self.take_by(inputs, Effort::default())
    }

    /// Looks longer at what was handed over last.
    pub(crate) fn take_longer(&mut self) -> Result<(), Problem> {
        self.may_take()?;
        let missed = self.missed.take().ok_or_else(Problem::wrong_stage)?;
        self.take_by(missed, Effort::harder())
    }

    fn take_by(&mut self, inputs: Vec<Input>, effort: Effort) -> Result<(), Problem> {
        let again = effort != Effort::harder();
        let begun = match (&self.run, &self.found) {
            (Run::Found, Some(found)) => found.begun(),
            _ => Vec::new(),
        };
        match read(&inputs, &Answers::default(), begun.clone(), effort) {
            Ok(Handed::Found(found)) => {
                let missing = found.is_missing_codes();
                self.lay_out(found)?;
                self.missed = (missing && again).then_some(inputs);
                Ok(())
            }
            Ok(Handed::Asked(question)) => {
                self.start_over();
                self.run = Run::Asked(Asked::new(inputs, begun, question));
                Ok(())
            }
            Err(problem) if again && Problem::NO_CODE.contains(&problem.code.as_str()) => {
                self.missed = Some(inputs);
                Err(problem.with_longer_look())
            }
            Err(problem) => Err(problem),
        }
    }

    /// Reads again with an answer.
    pub(crate) fn answer(
        &mut self,
        password: Option<Zeroizing<String>>,
        encoding: Option<SecretEncoding>,
    ) -> Result<(), Problem> {
        let Run::Asked(asked) = &mut self.run else {
            return Err(Problem::wrong_stage());
        };
        match asked.answer(password, encoding)? {
            Some(Handed::Found(found)) => self.lay_out(found),
            Some(Handed::Asked(_)) | None => Ok(()),
        }
    }

    fn lay_out(&mut self, found: Found) -> Result<(), Problem> {
        let single = found.single();
        self.run = Run::Found;
        self.found = Some(found);
        self.in_use = None;
        single.map_or(Ok(()), |index| self.use_finding(index))
    }

    pub(crate) fn use_finding(&mut self, index: usize) -> Result<(), Problem> {
        let credential = self
            .found
            .as_mut()
            .and_then(|found| found.take(index))
            .ok_or_else(Problem::wrong_stage)?;
        self.run = Run::Captured(Captured::new(credential));
        self.in_use = Some(index);
        self.missed = None;
        Ok(())
    }

    pub(crate) fn take_captured(&mut self) -> Result<Captured, Problem> {
        match std::mem::replace(&mut self.run, Run::Empty).into_captured() {
            Ok(taken) => Ok(taken),
            Err(other) => Err(self.turn_away(other)),
        }
    }

    pub(crate) fn take_written(&mut self) -> Result<(Written, Chosen), Problem> {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Written { written, chosen, .. } => Ok((written, chosen)),
            other => Err(self.turn_away(other)),
        }
    }

    pub(crate) fn take_planned(&mut self) -> Result<(Planned, Chosen), Problem> {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Planned { planned, chosen } => Ok((planned, chosen)),
            other => Err(self.turn_away(other)),
        }
    }

    pub(crate) fn take_failed(&mut self) -> Result<Failed, Problem> {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Failed(failed) => Ok(failed),
            other => Err(self.turn_away(other)),
        }
    }

    /// Puts back a run that an intent does not fit.
    fn turn_away(&mut self, run: Run) -> Problem {
        self.run = run;
        Problem::wrong_stage()
    }

    /// Forgets the run; what tokens refused is not forgotten.
    pub(crate) fn start_over(&mut self) {
        self.run = Run::Empty;
        self.missed = None;
        self.found = None;
        self.in_use = None;
    }

    pub(crate) fn step_back(&mut self) {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Captured(captured) => {
                let index = self.in_use.take();
                match (index, self.found.as_mut().filter(|found| found.is_choice())) {
                    (Some(index), Some(found)) => {
                        found.put_back(index, captured.release());
                        self.run = Run::Found;
                    }
                    (_, _) => self.found = None,
                }
            }
            Run::Found | Run::Asked(_) => self.found = None,
            Run::Assisted(assisted) => {
                self.run = assisted.back().map_or_else(Run::Assisted, Run::Captured);
            }
            other => match other.into_captured() {
                Ok(captured) => self.run = Run::Captured(captured),
                Err(other) => self.run = other,
            },
        }
    }
}
