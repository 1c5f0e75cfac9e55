//! Looks at the tokens that are there, by reads only, and holds each one briefly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enroll::Survey;
use oath::UnixTime;
use token::{
    Attachment, Candidate, Channel, ChannelError, Origin, Random, Session, SessionError,
    SmartCardChannel, TokenIdentity, TokenSource, Unrecognised,
};

use crate::{Now, Problem};

/// A candidate with the source that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) candidate: Candidate,
}

impl Place {
    /// The id that views use.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.source, self.candidate.id.0)
    }

    pub(crate) fn reader(&self) -> &str {
        match &self.candidate.attachment {
            Attachment::SmartCard { reader, .. } => reader,
            Attachment::Hid { name, .. } => name,
        }
    }

    pub(crate) fn is_practice(&self) -> bool {
        self.candidate.origin == Origin::Practice
    }
}

/// What a look found.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    Token(Box<Survey>),
    Stranger(Unrecognised),
    Trouble(SessionError),
}

impl Look {
    pub(crate) fn has_serial(&self, serial: &str) -> bool {
        match self {
            Self::Token(survey) => survey.identity().serial.0 == serial,
            Self::Stranger(_) | Self::Trouble(_) => false,
        }
    }

    /// Whether both are the same token, seen over two interfaces.
    fn is_same_token(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(one), Self::Token(two)) => {
                let (a, b) = (one.identity(), two.identity());
                one.origin() == two.origin() && (a.family, &a.serial) == (b.family, &b.serial)
            }
            _ => false,
        }
    }

    /// How long a look is remembered while the thing stays where it is; `None`
    /// without end.
    ///
    /// A card that does not answer costs its whole patience each time, so it is
    /// not asked at every turn; but it is asked again, since it may answer by then.
    fn good_for(&self) -> Option<Duration> {
        match self {
            Self::Token(_) | Self::Stranger(_) => None,
            Self::Trouble(
                SessionError::Channel(ChannelError::Silent) | SessionError::Malformed { .. },
            ) => Some(Duration::from_secs(5)),
            Self::Trouble(_) => Some(Duration::ZERO),
        }
    }
}

/// A look that is remembered.
struct Known {
    look: Look,
    until: Option<UnixTime>,
}

/// Everything that is there.
pub(crate) struct Table {
    pub(crate) problem: Option<Problem>,
    pub(crate) places: Vec<(Place, Look)>,
}

/// Looks at tokens, one at a time.
pub(crate) struct Looker {
    sources: Vec<Arc<dyn TokenSource>>,
    now: Now,
    random: Random,
    /// Remembered looks. Its lock is also what makes talking to tokens one
    /// conversation at a time.
    known: Mutex<HashMap<String, Known>>,
}

impl Looker {
    pub(crate) fn new(sources: Vec<Arc<dyn TokenSource>>, now: Now, random: Random) -> Self {
        Self { sources, now, random, known: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn sources(&self) -> &[Arc<dyn TokenSource>] {
        &self.sources
    }

    /// Everything that is there; what is new is looked at.
    pub(crate) fn table(&self) -> Table {
        let mut known = self.lock();
        let (problem, places) = self.places();
        let mut remembered = HashMap::new();
        let mut looked: Vec<(Place, Look)> = Vec::new();
        for place in places {
            let id = place.id();
            let now = self.now();
            let fresh = |known: &Known| known.until.is_none_or(|until| now < until);
            let known = known.remove(&id).filter(fresh).unwrap_or_else(|| {
                let look = self.look(&place);
                let until = look.good_for().map(|time| self.now().plus(time));
                Known { look, until }
            });
            // A key with two interfaces is one key, and the first source's way to it
            // is the one that is used.
            if !looked.iter().any(|(_, other)| known.look.is_same_token(other)) {
                looked.push((place, known.look.clone()));
            }
            remembered.insert(id, known);
        }
        *known = remembered;
        Table { problem, places: looked }
    }

    /// Talks to the token at `place`; nobody else does meanwhile. What is brought
    /// along comes back when the conversation does not begin.
    pub(crate) fn talk<Brought, T>(
        &self,
        place: &Place,
        brought: Brought,
        conversation: impl FnOnce(&mut dyn Session, Brought) -> T,
    ) -> Result<T, (Brought, Failure)> {
        let _held = self.lock();
        match self.open(place) {
            Ok(Ok(mut session)) => Ok(conversation(&mut *session, brought)),
            Ok(Err(stranger)) => Err((brought, Failure::Stranger(stranger))),
            Err(error) => Err((brought, Failure::Session(error))),
        }
    }

    /// Holds the card at `place` without asking who it is; nobody else talks meanwhile.
    pub(crate) fn hold<T>(
        &self,
        place: &Place,
        conversation: impl FnOnce(Box<dyn SmartCardChannel>) -> T,
    ) -> Result<T, SessionError> {
        let _held = self.lock();
        let source = self.sources.get(place.source).ok_or(ChannelError::NotThere)?;
        match source.connect(&place.candidate.id)? {
            Channel::SmartCard(card) => Ok(conversation(card)),
            // Its id was a card's a moment ago.
            Channel::Hid(_) => Err(ChannelError::NotThere.into()),
        }
    }

    /// The place where the token with this identity is now: where it was, or
    /// wherever it was put back.
    pub(crate) fn find(&self, last: &Place, identity: &TokenIdentity) -> Option<Place> {
        let table = self.table();
        let is_it = |look: &Look| match look {
            Look::Token(survey) => {
                let found = survey.identity();
                found.family == identity.family && found.serial == identity.serial
            }
            Look::Stranger(_) | Look::Trouble(_) => false,
        };
        let mut places = table.places.into_iter();
        places
            .find(|(place, look)| place.source == last.source && is_it(look))
            .map(|(place, _)| place)
    }

    /// Forgets a remembered look, after the token was changed.
    pub(crate) fn forget(&self, place: &Place) {
        self.lock().remove(&place.id());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // A panic while looking leaves at worst a look too few.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> (Option<Problem>, Vec<Place>) {
        let mut problem = None;
        let mut places = Vec::new();
        for (source, tokens) in self.sources.iter().enumerate() {
            match tokens.candidates() {
                Ok(there) => {
                    places.extend(there.into_iter().map(|candidate| Place { source, candidate }));
                }
                Err(error) => problem = problem.or(Some(Problem::from(&error))),
            }
        }
        (problem, places)
    }

    fn look(&self, place: &Place) -> Look {
        let taken = self.open(place).map(|opened| {
            opened
                .map(|mut session| Survey::peek(&mut *session, place.candidate.origin, self.now()))
        });
        match taken {
            Ok(Ok(survey)) => Look::Token(Box::new(survey)),
            Ok(Err(stranger)) => Look::Stranger(stranger),
            Err(error) => Look::Trouble(error),
        }
    }

    fn now(&self) -> UnixTime {
        (self.now)()
    }

    fn open(&self, place: &Place) -> Result<Result<Box<dyn Session>, Unrecognised>, SessionError> {
        let source = self.sources.get(place.source).ok_or(ChannelError::NotThere)?;
        let channel = source.connect(&place.candidate.id)?;
        token::open(&place.candidate, channel, &self.random)
    }
}

/// Why a conversation did not begin.
#[derive(Debug)]
pub(crate) enum Failure {
    Session(SessionError),
    Stranger(Unrecognised),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Session(error) => Self::from(&error),
            Failure::Stranger(stranger) => stranger.into(),
        }
    }
}
