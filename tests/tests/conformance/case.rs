//! One kind of token in one condition, and what an unharmed write leads to there.

use emulator::Applet;
use oath::SharedSecret;

/// One kind of token in one condition.
pub(crate) struct Case {
    /// The family's name, a comma, the condition.
    pub(crate) title: String,
    pub(crate) make: Box<dyn Fn() -> Box<dyn Applet>>,
    /// The password, PIN or key that is typed.
    pub(crate) password: Option<&'static str>,
    /// The place that is chosen, where places have numbers.
    pub(crate) slot: Option<u16>,
    /// Whether somebody touches it right before the write.
    pub(crate) touched: bool,
    /// Whether it answers when it is asked what it holds, if its kind does.
    pub(crate) answers: Answers,
    /// The most reports of a message that changes it: with the first, it is under way.
    pub(crate) reports: usize,
    /// What has to give way, where the condition is about that.
    pub(crate) replaces: Option<&'static str>,
    pub(crate) ends: Ends,
}

/// Whether a token answers when it is asked what it holds, if its kind does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    Always,
    /// Once the new secret is on it.
    AsNew,
    Never,
}

/// What an unharmed write leads to.
#[derive(Clone, Copy)]
pub(crate) enum Ends {
    /// To the secret on the token and, where the token can give it, to its proof.
    Proven,
    /// To the secret on the token without its proof, because of this problem.
    Unproven(&'static str),
    /// To this problem, and nothing is changed.
    Refused(&'static str),
    /// To this problem, and it cannot be known what becomes of the write.
    Unknown(&'static str),
}

impl Case {
    pub(crate) fn new<T: Applet + 'static>(title: String, make: impl Fn() -> T + 'static) -> Self {
        Self::boxed(title, Box::new(move || Box::new(make())))
    }

    pub(crate) fn boxed(title: String, make: Box<dyn Fn() -> Box<dyn Applet>>) -> Self {
        Self {
            title,
            make,
            password: None,
            slot: None,
            touched: false,
            answers: Answers::Always,
            reports: 1,
            replaces: None,
            ends: Ends::Proven,
        }
    }

    /// Opened with this.
    pub(crate) const fn opened_by(mut self, password: &'static str) -> Self {
        self.password = Some(password);
        self
    }

    /// Into the place of this number on the wire.
    pub(crate) const fn into_slot(mut self, slot: u16) -> Self {
        self.slot = Some(slot);
        self
    }

    /// Touched right before the write.
    pub(crate) const fn touched(mut self) -> Self {
        self.touched = true;
        self
    }

    /// Gives no proof when it is asked.
    pub(crate) const fn mute(mut self) -> Self {
        self.answers = Answers::Never;
        self
    }

    /// Is asked in vain what it holds while the old entry is there.
    pub(crate) const fn asks_for_touch(mut self) -> Self {
        self.answers = Answers::AsNew;
        self
    }

    /// Is changed by messages of so many reports.
    pub(crate) const fn in_reports(mut self, most: usize) -> Self {
        self.reports = most;
        self
    }

    /// An entry has to give way.
    pub(crate) const fn replacing(mut self, what: &'static str) -> Self {
        self.replaces = Some(what);
        self
    }

    /// Ends so.
    pub(crate) const fn ends(mut self, ends: Ends) -> Self {
        self.ends = ends;
        self
    }
}

/// What was there before, 20 bytes.
pub(crate) fn old_secret() -> SharedSecret {
    SharedSecret::new(b"an older secret here".to_vec())
}
