//! The part of a run that closed tokens take: the maker's tool writes, and the desk
//! judges the code that the token shows afterwards.
//!
//! The secret is handed out by [`Desk::reveal`] alone, once for each call, which
//! stands for one deliberate press. It is in no view, no problem and no event.

use enroll::{Captured, Checked, Handed, Receipt, Reported, SeedText, Unchecked};
use oath::UnixTime;
use qrcode::{Color, QrCode};
use token::{CLOSED, ClosedModel, Doubt, SeedForm};
use zeroize::Zeroizing;

use crate::closed_card::Heard;
use crate::run::Run;
use crate::state::State;
use crate::{
    ClosedView, Desk, MisfitView, Problem, RunView, TokenView, ToldView, VerdictView, WhatView,
    present,
};

impl Desk {
    /// Every model that only its maker's tool can write.
    pub fn closed_models() -> Vec<ClosedView> {
        CLOSED.iter().map(view_of).collect()
    }

    /// Hands the credential over to the maker's tool of a model, by its code. `serial`
    /// is what stands on the token, where somebody typed it; only the receipt holds it.
    pub fn hand_over(&self, model: &str, serial: Option<&str>) -> Result<RunView, Problem> {
        let model = ClosedModel::of(model).ok_or_else(Problem::unknown_model)?;
        let mut state = self.lock();
        let elsewhere =
            matches!(&state.run, Run::Assisted(assisted) if assisted.can_go_elsewhere());
        if !elsewhere && !matches!(state.run, Run::Captured(_)) {
            return Err(Problem::wrong_stage());
        }
        let captured = state.take_captured()?;
        state.run = Run::Assisted(match captured.hand_over(model, serial) {
            Ok(handed) => Assisted::Handed { handed, told: None },
            Err((captured, misfits)) => {
                let misfits = misfits.iter().map(present::misfit).collect();
                Assisted::Unfit { captured, model, misfits }
            }
        });
        Ok(state.view())
    }

    /// The secret in one of the model's forms (`base32`, `hex` or `qr`), because
    /// somebody pressed for it. Whoever calls this shows it to that person for a while
    /// and keeps it nowhere.
    pub fn reveal(&self, form: &str) -> Result<Revealed, Problem> {
        let state = self.lock();
        let Run::Assisted(Assisted::Handed { handed, .. }) = &state.run else {
            return Err(Problem::wrong_stage());
        };
        let mut forms = handed.model().forms.iter().copied();
        let form = forms.find(|known| known.code() == form).ok_or_else(Problem::wrong_stage)?;
        let seed = handed.seed(form).ok_or_else(Problem::wrong_stage)?;
        let drawing = match form {
            SeedForm::Base32 | SeedForm::Hex => None,
            SeedForm::KeyUriQr => Some(Drawing::of(seed.expose())?),
        };
        Ok(Revealed { seed, drawing })
    }

    /// Takes the operator's word that the maker's tool has written the secret. Its
    /// code is still to be judged.
    pub fn handed_written(&self) -> Result<RunView, Problem> {
        let at = (self.now)();
        let answer = self.lock().assisted(|assisted| assisted.written(at));
        answer.unwrap_or_else(|| Err(Problem::wrong_stage()))
    }
}

/// A secret that was asked for. It has no `Debug` and is wiped when dropped.
pub struct Revealed {
    seed: SeedText,
    drawing: Option<Drawing>,
}

impl Revealed {
    /// Its form: `base32`, `hex` or `qr`.
    pub const fn form(&self) -> &'static str {
        self.seed.form().code()
    }

    /// The text; `None` where there is a drawing to look at instead.
    pub fn text(&self) -> Option<&str> {
        self.drawing.is_none().then(|| self.seed.expose())
    }

    /// The QR code.
    pub const fn drawing(&self) -> Option<&Drawing> {
        self.drawing.as_ref()
    }
}

/// A QR code, without its white border.
pub struct Drawing {
    width: usize,
    dark: Zeroizing<Vec<bool>>,
}

impl Drawing {
    fn of(text: &str) -> Result<Self, Problem> {
        let code = QrCode::new(text).map_err(|_| Problem::qr_too_long())?;
        let width = code.width();
        let dark = code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { width, dark: Zeroizing::new(dark) })
    }

    /// Modules along each side.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether the module of this column and row is dark; the border is light.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        column < self.width && self.dark.get(row * self.width + column) == Some(&true)
    }

    /// The dark modules as the path of an SVG drawing, one unit each.
    pub fn path(&self) -> Zeroizing<String> {
        use std::fmt::Write;
        let mut path = Zeroizing::new(String::with_capacity(self.dark.len() * LONGEST_MODULE));
        for (row, column) in (0..self.width).flat_map(|row| (0..self.width).map(move |c| (row, c)))
        {
            if self.is_dark(column, row) {
                // Writing to a text cannot fail.
                let _ = write!(path, "M{column} {row}h1v1h-1z");
            }
        }
        path
    }
}

/// The most characters that a module takes in a path: `M176 176h1v1h-1z`.
const LONGEST_MODULE: usize = 16;

/// Where such a run is.
pub(crate) enum Assisted {
    /// What is known of the model rules this credential out.
    Unfit {
        captured: Captured,
        model: &'static ClosedModel,
        misfits: Vec<MisfitView>,
    },
    Handed {
        handed: Handed,
        told: Option<ToldView>,
    },
    Reported {
        reported: Reported,
        verdict: Option<VerdictView>,
        told: Option<ToldView>,
    },
    Checked {
        checked: Checked,
        saved: bool,
    },
    Unchecked {
        unchecked: Unchecked,
        saved: bool,
    },
}

/// A stage that took an intent, or stayed as it was with the reason.
type Stepped = (Assisted, Result<(), Problem>);

impl Assisted {
    /// Whether a picture that arrives would throw something away: the tool may be
    /// writing, or a code is still to be judged.
    pub(crate) const fn is_under_way(&self) -> bool {
        matches!(self, Self::Handed { .. } | Self::Reported { .. })
    }

    const fn can_go_elsewhere(&self) -> bool {
        matches!(self, Self::Unfit { .. } | Self::Handed { .. })
    }

    /// What was handed over, while the token can still be asked.
    pub(crate) const fn handed(&self) -> Option<&Handed> {
        match self {
            Self::Handed { handed, .. } => Some(handed),
            Self::Reported { reported, .. } => Some(reported.handed()),
            Self::Unfit { .. } | Self::Checked { .. } | Self::Unchecked { .. } => None,
        }
    }

    /// Keeps what a token on a reader told, and judges its code if somebody said that
    /// the maker's tool has written.
    pub(crate) fn heard(self, heard: Heard) -> Self {
        let told = Some(heard.told);
        match (self, heard.code) {
            (Self::Handed { handed, .. }, _) => Self::Handed { handed, told },
            (Self::Reported { reported, .. }, Some(code)) => {
                match reported.judge_told(&code, heard.at, heard.origin) {
                    Ok(checked) => Self::Checked { checked, saved: false },
                    Err((reported, rejection)) => {
                        let verdict = Some(present::told_rejection(rejection));
                        Self::Reported { reported, verdict, told }
                    }
                }
            }
            (Self::Reported { reported, .. }, None) => {
                Self::Reported { reported, verdict: None, told }
            }
            (other @ (Self::Unfit { .. } | Self::Checked { .. } | Self::Unchecked { .. }), _) => {
                other
            }
        }
    }

    pub(crate) fn into_captured(self) -> Result<Captured, Self> {
        match self {
            Self::Unfit { captured, .. } => Ok(captured),
            Self::Handed { handed, .. } => Ok(handed.back()),
            other @ (Self::Reported { .. } | Self::Checked { .. } | Self::Unchecked { .. }) => {
                Err(other)
            }
        }
    }

    /// One stage back: a word that was given is taken back first.
    pub(crate) fn back(self) -> Result<Captured, Self> {
        match self {
            Self::Reported { reported, told, .. } => {
                Err(Self::Handed { handed: reported.again(), told })
            }
            other @ (Self::Unfit { .. }
            | Self::Handed { .. }
            | Self::Checked { .. }
            | Self::Unchecked { .. }) => other.into_captured(),
        }
    }

    fn written(self, at: UnixTime) -> Stepped {
        match self {
            Self::Handed { handed, told } => {
                (Self::Reported { reported: handed.written(at), verdict: None, told }, Ok(()))
            }
            other => (other, Err(Problem::wrong_stage())),
        }
    }

    pub(crate) fn judge(self, typed: &str, at: UnixTime) -> Stepped {
        let Self::Reported { reported, told, .. } = self else {
            return (self, Err(Problem::wrong_stage()));
        };
        let judged = match reported.judge(typed, at) {
            Ok(checked) => Self::Checked { checked, saved: false },
            Err((reported, rejection)) => {
                let verdict = Some(present::rejection(rejection, true));
                Self::Reported { reported, verdict, told }
            }
        };
        (judged, Ok(()))
    }

    pub(crate) fn stop(self, at: UnixTime) -> Stepped {
        match self {
            Self::Reported { reported, .. } => {
                (Self::Unchecked { unchecked: reported.give_up(at), saved: false }, Ok(()))
            }
            other => (other, Err(Problem::wrong_stage())),
        }
    }

    pub(crate) fn receipt(&self, sower: &'static str) -> Option<Receipt> {
        match self {
            Self::Checked { checked, .. } => Some(checked.receipt(sower)),
            Self::Unchecked { unchecked, .. } => Some(unchecked.receipt(sower)),
            Self::Unfit { .. } | Self::Handed { .. } | Self::Reported { .. } => None,
        }
    }

    pub(crate) const fn receipt_saved(&mut self) {
        if let Self::Checked { saved, .. } | Self::Unchecked { saved, .. } = self {
            *saved = true;
        }
    }

    pub(crate) fn view(&self) -> RunView {
        match self {
            Self::Unfit { captured, model, misfits } => RunView::Assisted {
                credential: present::credential(captured.credential()),
                model: view_of(model),
                misfits: misfits.clone(),
                told: None,
            },
            Self::Handed { handed, told } => RunView::Assisted {
                credential: present::credential(handed.credential()),
                model: view_of(handed.model()),
                misfits: Vec::new(),
                told: told.clone(),
            },
            Self::Reported { reported, verdict, told } => {
                let handed = reported.handed();
                let parameters = handed.credential().parameters();
                RunView::Written {
                    credential: present::credential(handed.credential()),
                    token: token_of(handed, told.as_ref().is_some_and(|told| told.practice)),
                    problem: None,
                    verdict: verdict.clone(),
                    digits: parameters.digits.get(),
                    period: parameters.period.as_secs(),
                    typed: true,
                    how: "makers-tool".to_owned(),
                    slot: None,
                    clock_offset: None,
                    told: told.clone(),
                }
            }
            Self::Checked { checked, saved } => RunView::Confirmed {
                credential: present::credential(checked.handed().credential()),
                token: token_of(checked.handed(), checked.is_practice()),
                verdict: present::evidence_verdict(checked.evidence()),
                receipt_saved: *saved,
            },
            Self::Unchecked { unchecked, saved } => RunView::Unconfirmed {
                credential: present::credential(unchecked.handed().credential()),
                token: token_of(unchecked.handed(), false),
                receipt_saved: *saved,
            },
        }
    }
}

impl State {
    /// Does a step of such a run; `None` if the run is another.
    pub(crate) fn assisted(
        &mut self,
        step: impl FnOnce(Assisted) -> Stepped,
    ) -> Option<Result<RunView, Problem>> {
        match std::mem::replace(&mut self.run, Run::Empty) {
            Run::Assisted(assisted) => {
                let (assisted, answer) = step(assisted);
                self.run = Run::Assisted(assisted);
                Some(answer.map(|()| self.view()))
            }
            other => {
                self.run = other;
                None
            }
        }
    }
}

fn view_of(model: &'static ClosedModel) -> ClosedView {
    ClosedView {
        code: model.code.to_owned(),
        maker: model.maker.to_owned(),
        model: model.model.to_owned(),
        tool: model.tool.map(str::to_owned),
        forms: model.forms.iter().map(|form| form.code().to_owned()).collect(),
        steps: model.steps.iter().map(|step| (*step).to_owned()).collect(),
        doubts: model.doubts().into_iter().map(|doubt: Doubt| doubt.code().to_owned()).collect(),
        readable: model.public.is_some(),
        source: model.source.to_owned(),
    }
}

/// A token that nobody but its owner sees, unless it lies on a reader.
fn token_of(handed: &Handed, practice: bool) -> TokenView {
    let model = handed.model();
    TokenView {
        id: model.code.to_owned(),
        practice,
        reader: String::new(),
        what: WhatView::Closed {
            code: model.code.to_owned(),
            model: format!("{} {}", model.maker, model.model),
            serial: handed.serial().map(str::to_owned),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_and_its_path_have_the_same_modules() {
        let drawing = Drawing::of("HELLO").expect("a short text");
        assert_eq!(drawing.width(), 21);
        // The corner of the finder pattern and the light line around it.
        assert!(drawing.is_dark(0, 0) && !drawing.is_dark(7, 0));
        assert!(!drawing.is_dark(21, 0) && !drawing.is_dark(0, 21), "the border is light");
        let dark = (0..21 * 21).filter(|at| drawing.is_dark(at % 21, at / 21)).count();
        assert_eq!(drawing.path().matches('M').count(), dark);
        assert!(drawing.path().starts_with("M0 0h1v1h-1z"));
    }

    #[test]
    fn what_no_qr_code_holds_is_told() {
        let problem = Drawing::of(&"x".repeat(3000)).err().expect("too long");
        assert_eq!(problem.code, "qr-too-long");
    }
}
