//! The window: Tauri around the desk.
//!
//! Nothing is decided here but which sources of tokens the desk is given and where a
//! receipt is saved. Each command is one call into `desk`; the window's page sees
//! views, never a file, a device or a secret. What the page may do at all stands in
//! `capabilities/main.json`, and where its content comes from in `tauri.conf.json`.

mod arguments;
mod assisted;
mod clipboard;
mod commands;
mod driven;
mod dropped;
mod event;
mod faces;
mod navigation;
mod receipts;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser;
use desk::{Desk, Setup};
use tauri::{AppHandle, Builder, Emitter, Manager, Runtime};

pub use arguments::Arguments;
pub use assisted::{QrView, SeedView};
pub use commands::FirstFrame;
pub use faces::{FaceView, Practice};
pub use receipts::Receipts;

/// Opens the window and stays until it is closed.
pub fn run() -> ExitCode {
    if let Some(ended) = driven::start_again_undriven() {
        return ended;
    }
    let arguments = Arguments::parse();
    let mut setup = Setup::of(Vec::new());
    let practice = Practice::with_every_family(Arc::clone(&setup.now));
    let mut builder = Builder::default();
    if !arguments.practice_only {
        setup.sources.extend(transport::buses(token::hid_interfaces()));
        // Two windows must not talk to one token. It comes before everything else,
        // because a second program ends inside it.
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| show(app)));
    }
    setup.sources.push(practice.source());
    let desk = Arc::new(Desk::new(setup));
    let receipts = arguments.receipt_dir.map_or(Receipts::Asked, Receipts::Folder);
    let first_frame =
        if arguments.report_first_frame { FirstFrame::Reported } else { FirstFrame::Unnoticed };
    let builder = builder.manage(first_frame);
    match furnish(builder, desk, practice, receipts).run(tauri::generate_context!()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sower-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Gives a builder everything that the page talks to. It works for any runtime, so
/// that tests can do without a window.
pub fn furnish<R: Runtime>(
    builder: Builder<R>,
    desk: Arc<Desk>,
    practice: Practice,
    receipts: Receipts,
) -> Builder<R> {
    builder
        .plugin(tauri_plugin_dialog::init())
        .plugin(navigation::only_our_page())
        .manage(desk)
        .manage(practice)
        .manage(receipts)
        .invoke_handler(tauri::generate_handler![
            commands::view,
            commands::painted,
            commands::open_picture,
            commands::read_picture,
            commands::paste,
            commands::read_longer,
            commands::answer,
            commands::choose,
            commands::tokens,
            commands::plan,
            commands::write,
            commands::settle,
            commands::prove,
            commands::judge,
            commands::stop,
            commands::back,
            commands::start_over,
            commands::save_receipt,
            commands::families,
            assisted::closed_models,
            assisted::hand_over,
            assisted::reveal,
            assisted::handed_written,
            assisted::ask_handed,
            assisted::set_handed_clock,
            assisted::judge_told,
            commands::practice_faces,
            commands::press,
        ])
        .on_window_event(dropped::read)
        .setup(|app| {
            watch(app.handle());
            Ok(())
        })
}

/// Tells the window when tokens come or go and when a practice token looks different.
fn watch<R: Runtime>(app: &AppHandle<R>) {
    let window = app.clone();
    let desk = Arc::clone(&app.state::<Arc<Desk>>());
    desk.summon_by(commands::progress(app));
    let tokens = desk.watch(Box::new(move |tokens| {
        // A window that is gone has no use for them.
        drop(window.emit(event::TOKENS, tokens));
    }));
    // Kept as long as the program runs.
    app.manage(Mutex::new(tokens));
    faces::watch(app);
}

/// Brings the window to the front: that is what starting the program a second time
/// is for.
fn show<R: Runtime>(app: &AppHandle<R>) {
    for window in app.webview_windows().values() {
        // Each fails only for a window that is about to close.
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}
