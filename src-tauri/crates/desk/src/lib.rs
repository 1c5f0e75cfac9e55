//! What a window or a terminal drives.
//!
//! The desk holds one run, the straight line of `enroll`, and turns intents into
//! stages and failures into problems with a code. It does not know whether its
//! tokens are real, it draws nothing, and nothing that leaves it in a view, a
//! problem or a receipt holds a secret, a Key URI, a scanned text or a code.

mod clock;
mod desk;
mod look;
mod present;
mod problem;
mod run;
mod setup;
mod state;
mod talks;
mod view;
mod watch;
mod words;

pub use clock::{ClockDoubt, doubt_clock};
pub use desk::Desk;
pub use setup::{Now, Random, Setup, read_capped};
pub use view::{
    CredentialView, Facts, FamilyView, FindingView, MisfitView, PictureView, PlanView, Problem,
    Progress, RunView, TokenView, TokensView, VerdictView, WhatView,
};
pub use watch::Watch;
pub use words::{Said, Words};
