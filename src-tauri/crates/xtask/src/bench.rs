//! `cargo xtask bench`: the measurements live in the tests package, those of pictures
//! (`bench qr DIR`) beside the readers; this builds them as the product is released and
//! hands the words on.

use crate::failure::Failure;
use crate::process;
use crate::setup::{Purpose, setup};
use crate::{npm, workspace};

/// Measures; `words` are the bench's own.
pub(crate) fn bench(words: &[&str]) -> Result<(), Failure> {
    if let ["qr", rest @ ..] = words {
        return pictures(rest);
    }
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

/// Reads labelled pictures, with the cascade and with each reader alone. It needs
/// nothing of the system, so nothing is installed for it.
fn pictures(words: &[&str]) -> Result<(), Failure> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "--package", "qr", "--example", "bench", "--"]);
    // Paths are those of the terminal, whose folder need not be the top one.
    for word in words {
        if word.starts_with('-') {
            cargo.arg(word);
        } else {
            let path = std::path::absolute(word)
                .map_err(|source| Failure::File { path: (*word).into(), source })?;
            cargo.arg(path);
        }
    }
    process::run(&mut cargo)
}
