//! What a window or a terminal drives.
//!
//! The desk holds one run, the straight line of `enroll`, and turns intents into
//! stages and failures into problems with a code. It does not know whether its
//! tokens are real, it draws nothing, and nothing that leaves it in a view, a
//! problem or a receipt holds a secret, a Key URI, a scanned text or a code. The one
//! way out for a secret is [`Desk::reveal`], for a maker's tool.

mod asked;
mod assisted;
mod clock;
mod closed_card;
mod desk;
mod found;
mod input;
mod look;
mod present;
mod problem;
mod reading;
mod run;
mod setup;
mod state;
mod talks;
mod view;
mod watch;
mod words;

pub use assisted::{Drawing, Revealed};
pub use clock::{ClockDoubt, doubt_clock};
pub use desk::Desk;
pub use enroll::Choice;
pub use input::{Bytes, Input, read_capped, read_paths};
pub use reading::{EntryView, ReadView, read_files};
pub use setup::{Now, Setup};
pub use view::{
    ClosedView, CredentialView, Facts, FamilyView, FindingView, MisfitView, PictureView, PlanView,
    Problem, Progress, RunView, SaidView, SlotView, TokenView, TokensView, ToldView, VerdictView,
    WhatView,
};
pub use watch::Watch;
pub use words::{Said, Words};
