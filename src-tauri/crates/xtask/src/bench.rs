//! `cargo xtask bench`: the measurements live in the tests package; this builds
//! them as the product is released and hands the words on.

use crate::failure::Failure;
use crate::process;
use crate::setup::{Purpose, setup};
use crate::{npm, workspace};

/// Measures; `words` are the bench's own.
pub(crate) fn bench(words: &[&str]) -> Result<(), Failure> {
    setup(Purpose::Test)?;
    // The window is measured as it is released, so its page is built in.
    npm::install()?;
    process::run(&mut npm::script("build")?)?;
    let mut window = workspace::cargo();
    process::run(window.args(["build", "--release", "--package", "sower-desktop"]))?;
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "--package", "sower-tests", "--bin"]);
    cargo.args(["bench", "--"]).args(words);
    process::run(&mut cargo)
}
