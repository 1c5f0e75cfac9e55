//! What a desk remembers between intents: the run, and the picture behind it.

use std::collections::HashSet;

use enroll::{Captured, Planned, Written};
use intake::{Finding, Source};
use qr::Effort;

use crate::run::{Chosen, Failed, Picture, Run};
use crate::{Problem, RunView};

/// The run with what led to it.
pub(crate) struct State {
    pub(crate) run: Run,
    pub(crate) picture: Option<Picture>,
    /// Which finding of the picture is in use.
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
            picture: None,
            in_use: None,
            refused: HashSet::new(),
            keyed: HashSet::new(),
        }
    }

    pub(crate) fn view(&self) -> RunView {
        self.run.view(self.picture.as_ref())
    }

    /// A picture that arrives while a written token waits for its proof, or for
    /// somebody to see what became of it, is turned away: it would silently
    /// throw that token's run away.
    pub(crate) fn take_picture(&mut self, picture: Picture) -> Result<(), Problem> {
        let handed = matches!(&self.run, Run::Assisted(assisted) if assisted.is_under_way());
        if handed || matches!(self.run, Run::Written { .. } | Run::Failed(_)) {
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

    pub(crate) fn use_finding(&mut self, index: usize) -> Result<(), Problem> {
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
        self.picture = None;
        self.in_use = None;
    }

    pub(crate) fn step_back(&mut self) {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Captured(captured) => {
                let several = self.picture.as_ref().is_some_and(|p| p.findings.len() > 1);
                let place = self.in_use.take().filter(|_| several).and_then(|index| {
                    self.picture.as_mut().and_then(|picture| picture.findings.get_mut(index))
                });
                if let Some((finding, _)) = place {
                    *finding = Some(Finding::Credential(captured.release()));
                    self.run = Run::Found;
                } else {
                    self.picture = None;
                }
            }
            Run::Found => self.picture = None,
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

/// Reads a picture and classifies every code in it.
pub(crate) fn open_picture(bytes: &[u8]) -> Result<Picture, Problem> {
    let reading = qr::read(bytes, Effort::default()).map_err(|error| Problem::from(&error))?;
    let unread = u32::try_from(reading.unread).unwrap_or(u32::MAX);
    if reading.codes.is_empty() {
        return Err(Problem::no_code_found(unread));
    }
    let classify =
        |code: qr::FoundCode| (Some(intake::classify(code.text(), Source::Picture)), code.corners);
    Ok(Picture {
        width: reading.width,
        height: reading.height,
        unread,
        findings: reading.codes.into_iter().map(classify).collect(),
    })
}
