//! Gives Tauri the names of the commands, so that a capability can permit each of
//! them by name and everything else is refused.
//!
//! The window's page (`ui/dist`) is built into the program, so it has to be built
//! before; `cargo xtask run` and `cargo xtask test` do that.

use tauri_build::{AppManifest, Attributes};

/// Every command of `src/commands.rs` and `src/assisted.rs`.
const COMMANDS: &[&str] = &[
    "view",
    "painted",
    "open_picture",
    "read_picture",
    "paste",
    "read_longer",
    "answer",
    "choose",
    "tokens",
    "plan",
    "write",
    "settle",
    "prove",
    "judge",
    "stop",
    "back",
    "start_over",
    "save_receipt",
    "families",
    "closed_models",
    "hand_over",
    "reveal",
    "handed_written",
    "ask_handed",
    "set_handed_clock",
    "judge_told",
    "practice_faces",
    "press",
];

fn main() {
    // Tauri itself does not watch every file of the page.
    println!("cargo:rerun-if-changed=../ui/dist");
    let manifest = AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(Attributes::new().app_manifest(manifest))
        .expect("the window's page is built (`npm run build` in ui) and tauri.conf.json is right");
}
