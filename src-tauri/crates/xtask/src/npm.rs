//! The web part of the window: its packages, and its scripts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::{packages, process, workspace};

/// Installs exactly the locked packages, unless they are there already.
pub(crate) fn install() -> Result<(), Failure> {
    if is_current(&folder()) {
        return Ok(());
    }
    process::run(&mut ci()?)
}

/// `npm ci`, which also says so when the lock file and the manifest disagree.
pub(crate) fn ci() -> Result<Command, Failure> {
    command(&["ci", "--no-audit", "--no-fund"])
}

/// One of the scripts in `ui/package.json`.
pub(crate) fn script(name: &str) -> Result<Command, Failure> {
    command(&["run", name])
}

fn command(words: &[&str]) -> Result<Command, Failure> {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let npm = packages::find_program(name).ok_or(Failure::NoInterpreter {
        name: "npm",
        hint: "install Node 20 or later and start again",
    })?;
    let mut command = Command::new(npm);
    command.args(words).current_dir(folder());
    Ok(command)
}

fn folder() -> PathBuf {
    workspace::root().join("ui")
}

/// npm writes its own list into the folder as the last thing it does, so the age of
/// that list tells whether an installation was finished, and when.
fn is_current(folder: &Path) -> bool {
    let changed = |path: PathBuf| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    let locked = changed(folder.join("package-lock.json"));
    let installed = changed(folder.join("node_modules").join(".package-lock.json"));
    installed.is_some() && installed >= locked
}
