//! Keeps the window from being driven from outside.
//!
//! The web engines take orders from whoever sets a variable in the environment: they
//! can be automated, or inspected from afar. The tests of the window need the first,
//! so a debug build allows it; a release build starts itself again without those
//! variables. (Removing them from the running process would be unsafe code.)

use std::process::{Command, ExitCode};

/// The variables by which a web engine can be driven or inspected.
const VARIABLES: &[&str] = &[
    "TAURI_WEBVIEW_AUTOMATION",
    "WEBKIT_INSPECTOR_SERVER",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
];

/// Starts this program again where it could be driven; gives how that ended, or
/// `None` where there is no need.
pub(crate) fn start_again_undriven() -> Option<ExitCode> {
    let driven = VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(debug_assertions) || !driven {
        return None;
    }
    let Ok(program) = std::env::current_exe() else {
        return Some(ExitCode::FAILURE);
    };
    let mut again = Command::new(program);
    again.args(std::env::args_os().skip(1));
    for name in VARIABLES {
        again.env_remove(name);
    }
    Some(replace_by(again))
}

#[cfg(unix)]
fn replace_by(mut program: Command) -> ExitCode {
    use std::os::unix::process::CommandExt;
    // It comes back only when it failed.
    let _ = program.exec();
    ExitCode::FAILURE
}

#[cfg(not(unix))]
fn replace_by(mut program: Command) -> ExitCode {
    match program.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::FAILURE,
    }
}
