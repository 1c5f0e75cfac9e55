//! The stages. See the crate's opening paragraph for the rule they keep.

use intake::Credential;
use oath::{SharedSecret, TimeStep, UnixTime, code_at, respond};
use token::{
    Entry, Label, Misfit, Origin, PeriodRule, Places, Proof, ProofClass, Question, SameName,
    Session, SessionError, Slot, Taken, TokenIdentity, TokenState, Wish, WriteFailure, WritePlan,
};

use crate::receipt::{ReceiptCredential, ReceiptEvidence, ReceiptToken, WrittenBy, rfc3339};
use crate::survey::whole_seconds;
use crate::verdict::typed_by_key;
use crate::{Evidence, Outcome, Receipt, Rejection, Survey, judge};

/// A credential that is at hand.
#[derive(Debug)]
pub struct Captured {
    credential: Credential,
}

/// What the operator chose besides the token.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// A name for the entry, in place of the one made from the credential.
    pub name: Option<String>,
    /// The number of the place, where places have numbers, instead of the first
    /// free one.
    pub slot: Option<u16>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token wants its password before it tells what is on it.
    Locked,
    /// The credential does not fit the token; every reason there is.
    Unfit(Vec<Misfit>),
}

impl Captured {
    /// The first stage.
    pub const fn new(credential: Credential) -> Self {
        Self { credential }
    }

    /// Whose it is.
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Gives the credential back, to choose another or this one again.
    pub fn release(self) -> Credential {
        self.credential
    }

    /// Compares the credential with a token. Nothing is sent.
    pub fn plan(self, survey: Survey, choice: &Choice) -> Result<Planned, (Self, Refusal)> {
        let wish = Wish {
            secret: self.credential.secret(),
            parameters: *self.credential.parameters(),
            label: Label {
                issuer: self.credential.issuer(),
                organisation: self.credential.organisation(),
                account: self.credential.account(),
            },
            name: choice.name.as_deref(),
        };
        let plan = match survey.capabilities().plan(&wish) {
            Ok(plan) => plan,
            Err(misfits) => return Err((self, Refusal::Unfit(misfits))),
        };
        let Some(entries) = survey.entries() else {
            return Err((self, Refusal::Locked));
        };
        if let Some(other) = mixed_up(&survey, &plan) {
            return Err((self, Refusal::Unfit(vec![Misfit::NameMixedUp { other }])));
        }
        let mut plan = plan;
        let mut slot = None;
        let replaces = match survey.capabilities().places {
            Places::Single => Replaces::WhateverIsThere,
            Places::Slots { .. } => {
                let Some((chosen, taken)) = place(entries, choice.slot) else {
                    return Err((self, Refusal::Unfit(vec![Misfit::NoSuchSlot])));
                };
                plan = plan.in_slot(chosen.number);
                slot = Some(chosen);
                match taken {
                    Taken::No => Replaces::Nothing,
                    Taken::Yes => Replaces::Entry,
                    Taken::NotTold => Replaces::WhateverIsThere,
                }
            }
            Places::Named { .. } => {
                let taken = |name| entries.iter().any(|entry| entry.name == name);
                if plan.name().is_some_and(taken) { Replaces::Entry } else { Replaces::Nothing }
            }
            Places::Unlisted => Replaces::EntryNotTold,
        };
        Ok(Planned { captured: self, survey, plan, slot, replaces })
    }
}

/// The place of a number or, without one, the first that is free, else the first
/// that does not tell, else the first: what it holds is then asked about.
fn place(entries: &[Entry], number: Option<u16>) -> Option<(Slot, Taken)> {
    let mut slots = entries.iter().filter_map(|entry| Some((entry.slot.clone()?, entry.taken)));
    if let Some(number) = number {
        return slots.find(|(slot, _)| slot.number == number);
    }
    let slots: Vec<_> = slots.collect();
    [Taken::No, Taken::NotTold, Taken::Yes]
        .into_iter()
        .find_map(|wanted| slots.iter().find(|(_, taken)| *taken == wanted).cloned())
}

/// An entry that the token would take for the planned one, by its name's beginning.
fn mixed_up(survey: &Survey, plan: &WritePlan) -> Option<String> {
    let Places::Named { same_name: SameName::MixesUpPrefixes, .. } = survey.capabilities().places
    else {
        return None;
    };
    let name = plan.name()?;
    let mut others = survey.entries()?.iter().map(|entry| &entry.name);
    others.find(|other| *other != name && other.starts_with(name)).cloned()
}

/// What has to give way for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaces {
    /// Nothing: the entry is a new one.
    Nothing,
    /// The entry of the same name.
    Entry,
    /// The entry of the same name, and nothing tells whether there is one.
    EntryNotTold,
    /// The one place of the token, and nothing tells whether something is in it.
    WhateverIsThere,
}

impl Replaces {
    /// The word that receipts and screens use.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Entry => "entry",
            Self::EntryNotTold => "entry-not-told",
            Self::WhateverIsThere => "whatever-is-there",
        }
    }
}

/// A credential and a token that fit.
#[derive(Debug)]
pub struct Planned {
    captured: Captured,
    survey: Survey,
    plan: WritePlan,
    slot: Option<Slot>,
    replaces: Replaces,
}

impl Planned {
    /// Whose it is.
    pub const fn credential(&self) -> &Credential {
        self.captured.credential()
    }

    /// The token that it was planned for.
    pub const fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The entry's full name, where the token holds names.
    pub fn name(&self) -> Option<&str> {
        self.plan.name()
    }

    /// The place, where places have numbers.
    pub const fn slot(&self) -> Option<&Slot> {
        self.slot.as_ref()
    }

    /// What has to give way. Ask before [`Planned::permit_replacing`].
    pub const fn replaces(&self) -> Replaces {
        self.replaces
    }

    /// Whether the operator's word is still needed.
    pub const fn needs_permission(&self) -> bool {
        !matches!(self.replaces, Replaces::Nothing) && !self.plan.replaces()
    }

    /// The operator's word that what is there may be replaced.
    #[must_use]
    pub fn permit_replacing(mut self) -> Self {
        self.plan = self.plan.replacing();
        self
    }

    /// Back to the choice of a token.
    pub fn back(self) -> Captured {
        self.captured
    }

    /// Writes, if the session is with the token of the plan and permission was
    /// given where it is needed. `now` goes into the token's clock.
    pub fn write(
        self,
        session: &mut dyn Session,
        now: UnixTime,
    ) -> Result<Written, (Self, WriteFailure)> {
        if self.needs_permission() {
            return Err((self, WriteFailure::untouched(SessionError::NameTaken)));
        }
        if !self.is_the_planned_token(session.identity()) {
            return Err((self, WriteFailure::untouched(SessionError::AnotherToken)));
        }
        match session.write(&self.plan, self.captured.credential.secret(), now) {
            Ok(()) => Ok(Written { planned: self, at: now, clock_after: None }),
            Err(failure) => Err((self, failure)),
        }
    }

    /// After a write with an unknown outcome: asks the token, by reads only,
    /// what it holds. Only a token that computes can tell.
    ///
    /// `challenge` is a step that nobody could foresee; `written_at` the time of the
    /// write in question, and `cleared` what its failure said.
    pub fn settle(
        self,
        session: &mut dyn Session,
        challenge: TimeStep,
        written_at: UnixTime,
        cleared: bool,
        now: UnixTime,
    ) -> Result<Settled, (Self, SessionError)> {
        match self.what_is_there(session, challenge, cleared, now) {
            Ok(TokenState::Written) => {
                Ok(Settled::Written(Written { planned: self, at: written_at, clock_after: None }))
            }
            Ok(state) => Ok(Settled::NotWritten(self, state)),
            Err(error) => Err((self, error)),
        }
    }

    /// Whether [`Planned::settle`] can find anything out.
    pub const fn can_settle(&self) -> bool {
        matches!(self.survey.capabilities().proof, ProofClass::Computes | ProofClass::ReadsClock)
    }

    fn what_is_there(
        &self,
        session: &mut dyn Session,
        challenge: TimeStep,
        cleared: bool,
        now: UnixTime,
    ) -> Result<TokenState, SessionError> {
        if !self.is_the_planned_token(session.identity()) {
            return Err(SessionError::AnotherToken);
        }
        if !self.can_settle() {
            return Ok(TokenState::Unknown);
        }
        let entries = session.entries()?;
        let there = match &self.slot {
            // Its code is all that such a token tells.
            None if self.replaces == Replaces::EntryNotTold => true,
            Some(slot) => entries.iter().any(|entry| {
                entry.slot.as_ref().is_some_and(|found| found.number == slot.number)
                    && entry.taken != Taken::No
            }),
            None => entries.iter().any(|entry| Some(entry.name.as_str()) == self.name()),
        };
        if !there {
            return Ok(match self.replaces {
                Replaces::Nothing => TokenState::Untouched,
                Replaces::Entry | Replaces::EntryNotTold | Replaces::WhateverIsThere => {
                    TokenState::Emptied
                }
            });
        }
        let mut right = true;
        for question in self.questions(challenge, now) {
            let proof = match session.prove(&self.plan, question, now) {
                Err(SessionError::NoSuchEntry) if self.slot.is_some() => {
                    right = false;
                    break;
                }
                other => other?,
            };
            match self.is_right(question, &proof) {
                Some(answer) => right &= answer,
                None => return Ok(TokenState::Unknown),
            }
        }
        Ok(match self.replaces {
            _ if right => TokenState::Written,
            // The entry that was to give way never did.
            Replaces::Entry if !cleared => TokenState::Untouched,
            // There is an entry that is neither the old one nor the new one, or nobody
            // ever knew of an old one.
            Replaces::Entry
            | Replaces::EntryNotTold
            | Replaces::Nothing
            | Replaces::WhateverIsThere => TokenState::Unknown,
        })
    }

    /// What the token is asked. One that computes answers for a step that nobody
    /// could foresee, which proves key and hash, and for the **next** step, which
    /// proves what its owner will type. One that computes for its own clock is
    /// asked for this step and the next: a far step would be written to its clock.
    fn questions(&self, challenge: TimeStep, now: UnixTime) -> [Question; 2] {
        let period = self.credential().parameters().period;
        let step = now.step(period);
        // A token that stores the period is asked by time and not by step, and may
        // count its seconds in 32 bits.
        let challenge = match self.survey.capabilities().period {
            PeriodRule::Stored(_) | PeriodRule::Within(_) => {
                TimeStep(challenge.0 % u64::from(u32::MAX / period.as_secs()))
            }
            PeriodRule::InName | PeriodRule::HostOnly => challenge,
        };
        let first = match self.survey.capabilities().proof {
            ProofClass::Computes | ProofClass::Types | ProofClass::Displays => {
                Question::Key(challenge)
            }
            ProofClass::ReadsClock => Question::Code(step),
        };
        [first, Question::Code(step.next())]
    }

    /// Whether an answer is the right one; `None` if it is none.
    fn is_right(&self, question: Question, proof: &Proof) -> Option<bool> {
        let (Question::Key(step) | Question::Code(step)) = question;
        match proof {
            Proof::Computed(response) => Some(*response == self.expected(step)),
            Proof::Code(code) => {
                Some(*code == code_at(self.secret(), self.credential().parameters(), step))
            }
            Proof::MustBeTyped { .. } => None,
        }
    }

    fn expected(&self, step: TimeStep) -> oath::Response {
        respond(self.secret(), self.credential().parameters().algorithm, step)
    }

    fn secret(&self) -> &SharedSecret {
        self.captured.credential.secret()
    }

    fn is_the_planned_token(&self, found: &TokenIdentity) -> bool {
        let planned = self.survey.identity();
        planned.family == found.family && planned.serial == found.serial
    }
}

/// What a token held after a write with an unknown outcome.
#[derive(Debug)]
pub enum Settled {
    /// The new secret: go on to the proof.
    Written(Written),
    /// Something else.
    NotWritten(Planned, TokenState),
}

/// The secret is on the token; nothing is proven. Dropping this is an outcome of
/// its own, never a success.
#[derive(Debug)]
#[must_use = "a write without proof is not a success"]
pub struct Written {
    planned: Planned,
    at: UnixTime,
    clock_after: Option<i64>,
}

/// What a proof attempt led to.
#[derive(Debug)]
pub enum Proven {
    /// The token's own computation was right.
    Confirmed(Confirmed),
    /// A person must type what the token shows: go on with [`Written::judge`].
    MustBeTyped(Written),
}

/// Why the token's own computation proved nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFailure {
    /// It could not be asked.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// It computed something else: it does not hold what was written.
    #[error("the token computed another code")]
    Mismatch,
}

impl Written {
    /// Whose it is.
    pub const fn credential(&self) -> &Credential {
        self.planned.credential()
    }

    /// The token as it was before the write.
    pub const fn survey(&self) -> &Survey {
        self.planned.survey()
    }

    /// The place that was written, where places have numbers.
    pub const fn slot(&self) -> Option<&Slot> {
        self.planned.slot()
    }

    /// Seconds by which the token's clock was ahead right after the write, where
    /// it was read.
    pub const fn clock_offset(&self) -> Option<i64> {
        self.clock_after
    }

    /// Asks the token to prove itself: the full response to `challenge`, a step
    /// that nobody could foresee, proves key and hash; the code of the **next**
    /// step proves what its owner will type.
    pub fn prove(
        mut self,
        session: &mut dyn Session,
        challenge: TimeStep,
        now: UnixTime,
    ) -> Result<Proven, (Self, ProofFailure)> {
        if !self.planned.is_the_planned_token(session.identity()) {
            return Err((self, SessionError::AnotherToken.into()));
        }
        match self.ask(session, challenge, now) {
            Ok(Answer::Right) => Ok(Proven::Confirmed(Confirmed {
                written: self,
                at: now,
                evidence: Evidence::Computed,
            })),
            Ok(Answer::MustBeTyped { clock }) => {
                self.clock_after = clock.map(|clock| whole_seconds(clock, now));
                Ok(Proven::MustBeTyped(self))
            }
            Err(failure) => Err((self, failure)),
        }
    }

    /// Judges a code that a person typed at `at`.
    pub fn judge(self, typed: &str, at: UnixTime) -> Result<Confirmed, (Self, Rejection)> {
        let credential = self.planned.credential();
        let parameters = credential.parameters();
        let typed = match self.survey().capabilities().proof {
            ProofClass::Types => match typed_by_key(typed, parameters.digits) {
                Ok(code) => code,
                Err(rejection) => return Err((self, rejection)),
            },
            ProofClass::Computes | ProofClass::ReadsClock | ProofClass::Displays => typed,
        };
        match judge(credential.secret(), credential.parameters(), typed, at) {
            Ok(evidence) => Ok(Confirmed { written: self, at, evidence }),
            Err(rejection) => Err((self, rejection)),
        }
    }

    /// Ends without a proof.
    pub const fn give_up(self, at: UnixTime) -> Unconfirmed {
        Unconfirmed { written: self, at }
    }

    fn ask(
        &self,
        session: &mut dyn Session,
        challenge: TimeStep,
        now: UnixTime,
    ) -> Result<Answer, ProofFailure> {
        for question in self.planned.questions(challenge, now) {
            let proof = session.prove(&self.planned.plan, question, now)?;
            if let Proof::MustBeTyped { clock } = proof {
                return Ok(Answer::MustBeTyped { clock });
            }
            if self.planned.is_right(question, &proof) != Some(true) {
                return Err(ProofFailure::Mismatch);
            }
        }
        Ok(Answer::Right)
    }

    fn receipt(&self, sower: &'static str, outcome: Outcome, ended_at: UnixTime) -> Receipt {
        let credential = self.credential();
        let survey = self.survey();
        let identity = survey.identity();
        Receipt {
            schema: "sower-receipt/1",
            sower,
            outcome,
            written_by: WrittenBy::Sower,
            practice: survey.origin() == Origin::Practice,
            token: ReceiptToken {
                family: identity.family,
                model: identity.model.clone(),
                serial: Some(identity.serial.0.clone()),
                firmware: identity.firmware.clone(),
                entry: self.planned.name().map(str::to_owned),
                slot: self.planned.slot().map(|slot| slot.label.clone()),
                replaced: self.planned.replaces.code(),
                clock_offset_before: survey.clock_offset(),
                clock_offset_after: self.clock_after,
            },
            credential: ReceiptCredential::of(credential),
            written_at: Some(rfc3339(self.at)),
            reported_at: None,
            ended_at: rfc3339(ended_at),
            evidence: None,
        }
    }
}

enum Answer {
    Right,
    MustBeTyped { clock: Option<UnixTime> },
}

/// Proven. Nothing but a proof makes one.
#[derive(Debug)]
pub struct Confirmed {
    written: Written,
    at: UnixTime,
    evidence: Evidence,
}

impl Confirmed {
    /// Whose it is.
    pub const fn credential(&self) -> &Credential {
        self.written.credential()
    }

    /// The token as it was before the write.
    pub const fn survey(&self) -> &Survey {
        self.written.survey()
    }

    /// Judges a code that is given beside the proof. A wrong one takes the
    /// confirmation back: a code that somebody read is never waved through.
    pub fn judge(self, typed: &str, at: UnixTime) -> Result<Self, (Written, Rejection)> {
        let evidence = self.evidence;
        self.written.judge(typed, at).map(|confirmed| match evidence {
            Evidence::Computed => Self { evidence, ..confirmed },
            Evidence::Typed { .. } | Evidence::Told { .. } => confirmed,
        })
    }

    /// What the confirmation rests on.
    pub const fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// The receipt. `sower` is the program's version.
    pub fn receipt(&self, sower: &'static str) -> Receipt {
        let evidence = Some(ReceiptEvidence::from(self.evidence));
        Receipt { evidence, ..self.written.receipt(sower, Outcome::Confirmed, self.at) }
    }
}

/// Written, not confirmed: the operator stopped before the proof.
#[derive(Debug)]
pub struct Unconfirmed {
    written: Written,
    at: UnixTime,
}

impl Unconfirmed {
    /// Whose it is.
    pub const fn credential(&self) -> &Credential {
        self.written.credential()
    }

    /// The token as it was before the write.
    pub const fn survey(&self) -> &Survey {
        self.written.survey()
    }

    /// The receipt, which says that nothing was checked.
    pub fn receipt(&self, sower: &'static str) -> Receipt {
        self.written.receipt(sower, Outcome::WrittenNotConfirmed, self.at)
    }
}
