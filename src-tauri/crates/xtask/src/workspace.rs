//! Where things lie.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The top folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .expect("this crate lies three folders below the top")
}

/// Programs for the tests, each in a folder of its own. It stays inside the
/// repository even when cargo's target folder does not: tests look for it there.
pub(crate) fn tools() -> PathBuf {
    root().join("target").join("tools")
}

/// Everything that the steps of `cargo xtask test` printed.
pub(crate) fn test_output() -> PathBuf {
    root().join("target").join("test-output.log")
}

/// What tests leave behind for a person to look at: pictures, logs, exports.
pub(crate) fn test_artifacts() -> PathBuf {
    root().join("target").join("test-artifacts")
}

/// The cargo that runs this program, in the top folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Whether this runs unattended: `CI=true`, as every CI service sets it.
pub(crate) fn unattended() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
