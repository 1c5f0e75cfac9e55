//! `cargo xtask bench`: the measurements live in the tests package; this builds
//! them as the product is released and hands the words on.

use crate::failure::Failure;
use crate::process;
use crate::setup::{Purpose, setup};
use crate::workspace;

/// Measures; `words` are the bench's own.
pub(crate) fn bench(words: &[&str]) -> Result<(), Failure> {
    setup(Purpose::Terminal)?;
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "--package", "sower-tests", "--bin"]);
    cargo.args(["bench", "--"]).args(words);
    process::run(&mut cargo)
}
