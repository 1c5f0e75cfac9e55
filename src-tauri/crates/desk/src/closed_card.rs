//! A closed token on a reader: the public part of its protocol tells who it is and its
//! code, and sets its clock. No part writes a secret.
//!
//! Only a card that the operator named is asked, and none that is known to be something
//! else. Each call holds the card once, and nothing in it waits for a person. What a
//! token tells goes into a view; its code goes to the judgement and nowhere else.

use oath::{Code, Period, UnixTime};
use token::protectimus_slim::{ClockFailure, Information, ProtectimusSlim};
use token::{Attachment, ClosedModel, Origin, PublicPart, SessionError, TokenState, Unrecognised};

use crate::clock::{ClockDoubt, doubt_clock};
use crate::look::{Look, Place};
use crate::present::facts;
use crate::run::Run;
use crate::{Desk, Facts, MisfitView, Problem, RunView, ToldView};

impl Desk {
    /// What the token on a reader tells of itself. The operator says that it is of the
    /// `model`; `token` is the id of what lies there. The run stays as it is.
    pub fn ask_closed(&self, model: &str, token: &str) -> Result<ToldView, Problem> {
        let model = ClosedModel::of(model).ok_or_else(Problem::unknown_model)?;
        self.converse(model, token, Deed::Ask, None).map(|heard| heard.told)
    }

    /// Sets the clock of such a token to this computer's, and has it tell its code
    /// afterwards, which no credential is there to judge. The run stays as it is.
    pub fn set_closed_clock(&self, model: &str, token: &str) -> Result<ToldView, Problem> {
        let model = ClosedModel::of(model).ok_or_else(Problem::unknown_model)?;
        self.converse(model, token, Deed::SetClock, None).map(|heard| heard.told)
    }

    /// Asks the token of an assisted run what it tells of itself.
    pub fn ask_handed(&self, token: &str) -> Result<RunView, Problem> {
        self.hear(token, Deed::Ask)
    }

    /// Sets the clock of the token of an assisted run and has it tell its code in the
    /// same hold. Where somebody said that the maker's tool has written, that code is
    /// judged, and a right one proves clock and secret.
    pub fn set_handed_clock(&self, token: &str) -> Result<RunView, Problem> {
        self.hear(token, Deed::SetClock)
    }

    /// Has the token tell its code, and judges it as a typed one is judged.
    pub fn judge_told(&self, token: &str) -> Result<RunView, Problem> {
        self.hear(token, Deed::TellCode)
    }

    fn hear(&self, token: &str, deed: Deed) -> Result<RunView, Problem> {
        let mut state = self.lock();
        let handed = match &state.run {
            Run::Assisted(assisted) => assisted.handed(),
            _ => None,
        };
        let handed = handed.ok_or_else(Problem::wrong_stage)?;
        let (model, period) = (handed.model(), handed.credential().parameters().period);
        let heard = self.converse(model, token, deed, Some(period))?;
        let heard = state.assisted(|assisted| (assisted.heard(heard), Ok(())));
        heard.unwrap_or_else(|| Err(Problem::wrong_stage()))
    }

    /// One hold of the named card.
    fn converse(
        &self,
        model: &'static ClosedModel,
        token: &str,
        deed: Deed,
        wanted: Option<Period>,
    ) -> Result<Heard, Problem> {
        match model.public {
            Some(PublicPart::ProtectimusSlim) => {}
            None => return Err(Problem::model_not_readable()),
        }
        let is_impossible = doubt_clock((self.now)(), false) == ClockDoubt::Impossible;
        if deed == Deed::SetClock && is_impossible {
            return Err(Problem::clock_impossible());
        }
        let place = self.named(token)?;
        let talked = self.looker.hold(&place, |card| {
            let mut slim = ProtectimusSlim::open(card).map_err(|error| not_understood(&error))?;
            let clock = match deed {
                Deed::Ask | Deed::TellCode => Clock::NotAsked,
                Deed::SetClock => set_clock(&mut slim, (self.now)())?,
            };
            let code = match deed {
                Deed::Ask => None,
                Deed::TellCode => Some(slim.code().map_err(|error| not_understood(&error))?),
                Deed::SetClock => Some(slim.code().map_err(|_| clock.without_code())?),
            };
            let told = told(slim.information(), clock, &place, wanted);
            Ok(Heard { told, code, at: (self.now)(), origin: place.candidate.origin })
        });
        talked.map_err(|error| Problem::from(&error))?
    }

    /// What lies there, if it is a card that may be such a token.
    fn named(&self, token: &str) -> Result<Place, Problem> {
        let places = self.looker.table().places;
        let found = places.into_iter().find(|(place, _)| place.id() == token);
        let (place, look) = found.ok_or_else(Problem::unknown_token)?;
        let may_be = match (&place.candidate.attachment, &look) {
            (Attachment::SmartCard { .. }, Look::Stranger(Unrecognised::Unknown))
            | (Attachment::SmartCard { .. }, Look::Trouble(_)) => true,
            (
                Attachment::SmartCard { .. },
                Look::Token(_)
                | Look::Stranger(
                    Unrecognised::StorageCard | Unrecognised::FidoKey | Unrecognised::Nitrokey3,
                ),
            )
            | (Attachment::Hid { .. }, _) => false,
        };
        if may_be { Ok(place) } else { Err(Problem::not_this_model()) }
    }
}

/// What is wanted of the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Ask,
    TellCode,
    SetClock,
}

/// What a token told, for the run.
pub(crate) struct Heard {
    pub(crate) told: ToldView,
    pub(crate) code: Option<Code>,
    /// When the code was told.
    pub(crate) at: UnixTime,
    pub(crate) origin: Origin,
}

/// What became of the clock, as long as the token still answers.
#[derive(Clone, Copy)]
enum Clock {
    NotAsked,
    Taken,
    NotKnown,
}

impl Clock {
    const fn code(self) -> &'static str {
        match self {
            Self::NotAsked => "not-asked",
            Self::Taken => "taken",
            Self::NotKnown => "not-known",
        }
    }

    /// The token was to prove its clock by its code and did not tell it.
    fn without_code(self) -> Problem {
        match self {
            Self::NotAsked | Self::Taken => Problem::clock_not_proven(),
            Self::NotKnown => Problem::clock_not_known(),
        }
    }
}

fn set_clock(slim: &mut ProtectimusSlim, now: UnixTime) -> Result<Clock, Problem> {
    match slim.set_clock(now) {
        Ok(()) => Ok(Clock::Taken),
        Err(ClockFailure::NoClock) => Err(Problem::no_clock_to_set()),
        Err(ClockFailure::OutOfRange) => Err(Problem::clock_impossible()),
        Err(ClockFailure::NotSet(cause)) => {
            Err(Problem::from(&cause).with_state(TokenState::Untouched))
        }
        Err(ClockFailure::Unknown(SessionError::Channel(_))) => Err(Problem::clock_not_known()),
        // It is still there, and its code tells more than this answer did.
        Err(ClockFailure::Unknown(_)) => Ok(Clock::NotKnown),
    }
}

/// An answer of another form is another card's, or a reader's that passes nothing on.
fn not_understood(error: &SessionError) -> Problem {
    match error {
        SessionError::Refused { .. } | SessionError::Malformed { .. } => {
            Problem::answers_otherwise()
        }
        _ => Problem::from(error),
    }
}

fn told(
    information: &Information,
    clock: Clock,
    place: &Place,
    wanted: Option<Period>,
) -> ToldView {
    let period = information.period.as_secs();
    let mut warnings = Vec::new();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != information.period) {
        warnings.push(MisfitView {
            code: "period".to_owned(),
            facts: facts([("told", period.to_string()), ("wanted", wanted.as_secs().to_string())]),
        });
    }
    if !information.has_clock {
        warnings.push(MisfitView { code: "no-clock".to_owned(), facts: Facts::new() });
    }
    ToldView {
        token: place.id(),
        practice: place.is_practice(),
        reader: place.reader().to_owned(),
        hardware: format!("{:x}", information.hardware),
        firmware: information.firmware_version(),
        has_clock: information.has_clock,
        period,
        clock: clock.code().to_owned(),
        warnings,
    }
}
