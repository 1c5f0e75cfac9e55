//! Where the repository, its binaries and the tools of the tests lie.

use std::path::{Path, PathBuf};

/// The top folder of the repository.
///
/// # Panics
///
/// Never: this package lies one folder below the top.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package lies one folder below the top")
}

/// A binary of the workspace (`sower`, `sower-desktop`), built in the same profile
/// as the running test.
///
/// # Panics
///
/// When it is not there. Cargo builds binaries only for tests of their own package,
/// so `cargo build --workspace` has to come first; `cargo xtask test` does that.
pub fn binary(name: &str) -> PathBuf {
    let running = std::env::current_exe().expect("the system tells a program its own place");
    // target/debug/deps/rig-0123 for a test, target/release/bench for a binary.
    let mut folder = running.parent().unwrap_or(Path::new("."));
    if folder.ends_with("deps") {
        folder = folder.parent().unwrap_or(folder);
    }
    let binary = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        binary.is_file(),
        "{} is not there: run `cargo build --workspace` first",
        binary.display()
    );
    binary
}

/// ykman, the client of another author (`SOWER_YKMAN`, or where `cargo xtask setup`
/// puts it).
///
/// # Panics
///
/// When it is not there.
pub fn ykman() -> PathBuf {
    let program = std::env::var_os("SOWER_YKMAN")
        .map_or_else(|| root().join("target/tools/ykman/bin/ykman"), PathBuf::from);
    assert!(program.is_file(), "{} is not there: run `cargo xtask setup` first", program.display());
    program
}

/// A folder for what a test leaves behind to be looked at (pictures, logs, exports);
/// created when it is not there. `cargo xtask test` empties it before a run and
/// searches it for the tests' secret afterwards.
///
/// # Panics
///
/// When it cannot be created.
pub fn artifacts() -> PathBuf {
    let folder = std::env::var_os("SOWER_ARTIFACTS")
        .map_or_else(|| root().join("target/test-artifacts"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// A folder with more samples than the repository holds, for wider measurements, if
/// `SOWER_SHARED` names one.
pub fn shared() -> Option<PathBuf> {
    std::env::var_os("SOWER_SHARED").map(PathBuf::from)
}
