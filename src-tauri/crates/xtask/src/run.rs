//! `cargo xtask run`: from a fresh checkout to the product on the screen.
//!
//! Without a display there is nothing to open a window on, so neither the window
//! nor its web engine is built, and the same journey happens in the terminal: the
//! sample picture, an emulated token, its code read off the emulated display.

use crate::failure::Failure;
use crate::process;
use crate::setup::{Purpose, setup};
use crate::{npm, workspace};

/// The journey for machines without a display.
const JOURNEY: &[&str] = &[
    "enroll",
    "--picture",
    "docs/sample/microsoft-work-account.png",
    "--practice",
    "token2-nfc-single-profile",
    "--code-from-display",
];

/// Builds and starts; words after `--` go to the program.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let (ours, theirs) = match words.iter().position(|word| *word == "--") {
        Some(at) => (&words[..at], &words[at + 1..]),
        None => (words, &[][..]),
    };
    let profile: &[&str] = match ours {
        [] => &[],
        ["--release"] => &["--release"],
        _ => return Err(Failure::Usage(format!("run {}", ours.join(" ")))),
    };
    if has_display() {
        setup(Purpose::Window)?;
        npm::install()?;
        process::run(&mut npm::script("build")?)?;
        return start("sower-desktop", "sower-desktop", profile, theirs);
    }
    println!("There is no display here, so the same journey runs in the terminal.");
    setup(Purpose::Terminal)?;
    let words = if theirs.is_empty() { JOURNEY } else { theirs };
    start("cli", "sower", profile, words)
}

fn start(package: &str, program: &str, profile: &[&str], words: &[&str]) -> Result<(), Failure> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--package", package, "--bin", program]);
    cargo.args(profile).arg("--").args(words);
    process::run_interactive(&mut cargo)
}

/// Windows and macOS always have one; elsewhere X11 and Wayland name theirs.
fn has_display() -> bool {
    let named = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || named("DISPLAY") || named("WAYLAND_DISPLAY")
}
