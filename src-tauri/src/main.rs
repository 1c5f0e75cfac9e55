//! The program of the window.

// A window program has no console on Windows; a debug build keeps it for its log.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    sower_desktop::run()
}
