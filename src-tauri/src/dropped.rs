//! Pictures, files and folders that are dropped on the window. The system hands over
//! their paths, so they are read here, and the window hears what came of it.

use std::path::PathBuf;
use std::sync::Arc;

use desk::Desk;
use tauri::async_runtime::spawn_blocking;
use tauri::{AppHandle, DragDropEvent, Emitter, Manager, Runtime, Window, WindowEvent};

use crate::event;

/// Reads what was dropped, all of it together.
pub(crate) fn read<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    if let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event
        && !paths.is_empty()
    {
        let (app, paths) = (window.app_handle().clone(), paths.clone());
        spawn_blocking(move || read_files(&app, &paths));
    }
}

fn read_files<R: Runtime>(app: &AppHandle<R>, paths: &[PathBuf]) {
    let desk = Arc::clone(&app.state::<Arc<Desk>>());
    let heard = match desk::read_paths(paths).and_then(|inputs| desk.read(inputs)) {
        Ok(run) => app.emit(event::RUN, run),
        Err(problem) => app.emit(event::PROBLEM, problem),
    };
    // Only a window that is gone hears nothing.
    drop(heard);
}
