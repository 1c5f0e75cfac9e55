//! A picture that is dropped on the window. The system hands over its path, so it is
//! read here, and the window hears what came of it.

use std::path::Path;
use std::sync::Arc;

use desk::Desk;
use tauri::async_runtime::spawn_blocking;
use tauri::{AppHandle, DragDropEvent, Emitter, Manager, Runtime, Window, WindowEvent};

use crate::event;

/// Reads what was dropped; of several files the first.
pub(crate) fn read<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    if let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event
        && let Some(path) = paths.first()
    {
        let (app, path) = (window.app_handle().clone(), path.clone());
        spawn_blocking(move || read_file(&app, &path));
    }
}

fn read_file<R: Runtime>(app: &AppHandle<R>, path: &Path) {
    let desk = Arc::clone(&app.state::<Arc<Desk>>());
    let heard = match desk::read_capped(path).and_then(|bytes| desk.read_picture(&bytes)) {
        Ok(run) => app.emit(event::RUN, run),
        Err(problem) => app.emit(event::PROBLEM, problem),
    };
    // Only a window that is gone hears nothing.
    drop(heard);
}
