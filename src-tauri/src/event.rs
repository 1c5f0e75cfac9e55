//! What the window hears without asking. `backend.ts` has the same names.

/// The tokens came or went.
pub(crate) const TOKENS: &str = "tokens";
/// A practice token looks different.
pub(crate) const FACES: &str = "faces";
/// How far a write has come.
pub(crate) const PROGRESS: &str = "progress";
/// The stage that a dropped picture led to.
pub(crate) const RUN: &str = "run";
/// Why a dropped picture led nowhere.
pub(crate) const PROBLEM: &str = "problem";
