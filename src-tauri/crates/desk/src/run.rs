//! The stage that a run is in, with what it owns.

use enroll::{Captured, Confirmed, Planned, ProofFailure, Unconfirmed, Written};
use oath::UnixTime;
use token::ProofClass;
use zeroize::Zeroizing;

use crate::asked::Asked;
use crate::assisted::Assisted;
use crate::found::Found;
use crate::look::Place;
use crate::{MisfitView, Problem, RunView, TokenView, VerdictView, WhatView, present};

/// Four corners in pixels: top left, top right, bottom right, bottom left.
pub(crate) type Corners = [(f32, f32); 4];

/// A token that was chosen, with its password while the run lasts.
pub(crate) struct Chosen {
    pub(crate) place: Place,
    pub(crate) view: TokenView,
    pub(crate) password: Option<Zeroizing<String>>,
}

/// A write that did not end well.
pub(crate) struct Failed {
    pub(crate) planned: Planned,
    pub(crate) chosen: Chosen,
    /// What went wrong, and what the token holds.
    pub(crate) problem: Problem,
    /// When the write began.
    pub(crate) written_at: UnixTime,
    /// Whether what had to give way was surely removed.
    pub(crate) cleared: bool,
}

impl Chosen {
    /// What the token wants before it tells what is on it.
    pub(crate) fn guard(&self) -> &'static str {
        match &self.view.what {
            WhatView::Token { tries_left: Some(_), .. } => "pin",
            WhatView::Token { .. }
            | WhatView::Closed { .. }
            | WhatView::Stranger { .. }
            | WhatView::Trouble { .. } => "password",
        }
    }

    /// The serial number, where it is a token that tells one.
    pub(crate) fn serial(&self) -> Option<&String> {
        match &self.view.what {
            WhatView::Token { serial, .. } => Some(serial),
            WhatView::Closed { .. } | WhatView::Stranger { .. } | WhatView::Trouble { .. } => None,
        }
    }
}

/// The run.
pub(crate) enum Run {
    Empty,
    Found,
    Asked(Asked),
    Captured(Captured),
    Locked {
        captured: Captured,
        chosen: Chosen,
        /// What it wants: `password`, `pin` or `key`.
        guard: &'static str,
        problem: Option<Problem>,
    },
    Unfit {
        captured: Captured,
        chosen: Chosen,
        misfits: Vec<MisfitView>,
    },
    Planned {
        planned: Planned,
        chosen: Chosen,
    },
    Failed(Failed),
    Written {
        written: Written,
        chosen: Chosen,
        problem: Option<Problem>,
        verdict: Option<VerdictView>,
    },
    Confirmed {
        confirmed: Confirmed,
        chosen: Chosen,
        saved: bool,
    },
    Unconfirmed {
        unconfirmed: Unconfirmed,
        chosen: Chosen,
        saved: bool,
    },
    /// The maker's tool writes, and the desk judges.
    Assisted(Assisted),
}

impl Run {
    /// The credential, where nothing was written or the write failed; else the run
    /// as it was.
    pub(crate) fn into_captured(self) -> Result<Captured, Self> {
        match self {
            Self::Captured(captured)
            | Self::Locked { captured, .. }
            | Self::Unfit { captured, .. } => Ok(captured),
            Self::Planned { planned, .. } | Self::Failed(Failed { planned, .. }) => {
                Ok(planned.back())
            }
            Self::Assisted(assisted) => assisted.into_captured().map_err(Self::Assisted),
            other @ (Self::Empty
            | Self::Found
            | Self::Asked(_)
            | Self::Written { .. }
            | Self::Confirmed { .. }
            | Self::Unconfirmed { .. }) => Err(other),
        }
    }

    /// The token that was chosen, while nothing was written.
    pub(crate) fn chosen(&self) -> Option<&Chosen> {
        match self {
            Self::Locked { chosen, .. }
            | Self::Unfit { chosen, .. }
            | Self::Planned { chosen, .. }
            | Self::Failed(Failed { chosen, .. }) => Some(chosen),
            Self::Empty
            | Self::Found
            | Self::Asked(_)
            | Self::Captured(_)
            | Self::Written { .. }
            | Self::Confirmed { .. }
            | Self::Unconfirmed { .. }
            | Self::Assisted(_) => None,
        }
    }

    /// Whether there is a credential that can still be planned for a token.
    pub(crate) fn is_plannable(&self) -> bool {
        matches!(self, Self::Captured(_)) || self.chosen().is_some()
    }

    /// After a proof that came to nothing.
    pub(crate) fn unproven(written: Written, chosen: Chosen, failure: &ProofFailure) -> Self {
        Self::Written { written, chosen, problem: Some(Problem::from(failure)), verdict: None }
    }

    pub(crate) fn view(&self, found: Option<&Found>, longer: bool) -> RunView {
        match self {
            Self::Empty => RunView::Empty,
            Self::Found => match found {
                Some(found) => RunView::Found { picture: found.view(longer) },
                None => RunView::Empty,
            },
            Self::Asked(asked) => asked.view(),
            Self::Captured(captured) => {
                RunView::Captured { credential: present::credential(captured.credential()) }
            }
            Self::Locked { captured, chosen, guard, problem } => RunView::Locked {
                credential: present::credential(captured.credential()),
                token: chosen.view.clone(),
                guard: (*guard).to_owned(),
                problem: problem.clone(),
            },
            Self::Unfit { captured, chosen, misfits } => RunView::Unfit {
                credential: present::credential(captured.credential()),
                token: chosen.view.clone(),
                misfits: misfits.clone(),
            },
            Self::Planned { planned, chosen } => RunView::Planned {
                credential: present::credential(planned.credential()),
                token: chosen.view.clone(),
                plan: present::plan(planned),
            },
            Self::Failed(Failed { planned, chosen, problem, .. }) => RunView::Failed {
                credential: present::credential(planned.credential()),
                token: chosen.view.clone(),
                problem: problem.clone(),
                can_settle: planned.can_settle() && problem.token.as_deref() == Some("unknown"),
            },
            Self::Written { written, chosen, problem, verdict } => {
                let parameters = written.credential().parameters();
                RunView::Written {
                    credential: present::credential(written.credential()),
                    token: chosen.view.clone(),
                    problem: problem.clone(),
                    verdict: verdict.clone(),
                    digits: parameters.digits.get(),
                    period: parameters.period.as_secs(),
                    typed: is_typed(written),
                    how: how_code(written).to_owned(),
                    slot: written.slot().map(|slot| slot.label.clone()),
                    clock_offset: written.clock_offset(),
                    told: None,
                }
            }
            Self::Confirmed { confirmed, chosen, saved } => RunView::Confirmed {
                credential: present::credential(confirmed.credential()),
                token: chosen.view.clone(),
                verdict: present::evidence_verdict(confirmed.evidence()),
                receipt_saved: *saved,
            },
            Self::Unconfirmed { unconfirmed, chosen, saved } => RunView::Unconfirmed {
                credential: present::credential(unconfirmed.credential()),
                token: chosen.view.clone(),
                receipt_saved: *saved,
            },
            Self::Assisted(assisted) => assisted.view(),
        }
    }
}

/// Whether the proof is a code that a person types.
pub(crate) fn is_typed(written: &Written) -> bool {
    match written.survey().capabilities().proof {
        ProofClass::Displays | ProofClass::Types => true,
        ProofClass::Computes | ProofClass::ReadsClock => false,
    }
}

/// How a token's next code comes to light.
fn how_code(written: &Written) -> &'static str {
    match written.survey().capabilities().proof {
        ProofClass::Types => "press-key",
        ProofClass::Displays if written.slot().is_some() => "choose-place",
        ProofClass::Displays | ProofClass::Computes | ProofClass::ReadsClock => "switch-off-on",
    }
}
