//! The straight line: captured, planned, written, confirmed, receipt.
//!
//! Each stage is a struct that owns the credential and is consumed by the next;
//! a stage that is turned back returns itself with the reason. Only a proof
//! makes a [`Confirmed`], and only a [`Confirmed`] makes a receipt that says so. What
//! only its maker's tool can write takes the line of `handed.rs`, which ends in a
//! [`Checked`] by a typed code.
//! There is no clock, no thread, no sleep and no randomness here: time and
//! challenges are arguments, and the bytes go through the session handed in.

#![expect(clippy::result_large_err, reason = "a stage that is turned back returns itself")]

mod handed;
mod receipt;
mod seed;
mod stages;
mod survey;
mod verdict;

pub use handed::{Checked, Handed, Reported, Unchecked};
pub use receipt::{Outcome, Receipt, WrittenBy};
pub use seed::SeedText;
pub use stages::Captured;
pub use stages::{
    Choice, Confirmed, Planned, ProofFailure, Proven, Refusal, Replaces, Settled, Unconfirmed,
    Written,
};
pub use survey::Survey;
pub use verdict::{Evidence, Rejection, judge};
