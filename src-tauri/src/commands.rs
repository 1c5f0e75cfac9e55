//! What the window may ask for: one command an intent, each one call into the desk,
//! off the thread that draws. `backend.ts` has the same list.

use std::sync::Arc;

use desk::{Choice, Desk, FamilyView, Problem, Progress, RunView, TokensView};
use tauri::async_runtime::spawn_blocking;
use tauri::ipc::{InvokeBody, Request};
use tauri::{AppHandle, Emitter, Runtime, State, WebviewWindow};
use tauri_plugin_dialog::{DialogExt, FilePath};
use zeroize::Zeroizing;

use crate::clipboard::{self, Content};
use crate::event;
use crate::faces::{FaceView, Practice};
use crate::receipts::{self, Receipts};

pub(crate) type DeskState<'a> = State<'a, Arc<Desk>>;
pub(crate) type Answer = Result<RunView, Problem>;

/// The stage now.
#[tauri::command]
pub(crate) async fn view(desk: DeskState<'_>) -> Answer {
    at(&desk, |desk| Ok(desk.view())).await
}

/// What is done with the news that the first frame is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFrame {
    /// Nothing.
    Unnoticed,
    /// It is printed, for whoever measures.
    Reported,
}

/// The page's word that its first frame is on the screen.
#[tauri::command]
pub(crate) async fn painted(first_frame: State<'_, FirstFrame>) -> Result<(), Problem> {
    match *first_frame {
        FirstFrame::Unnoticed => {}
        FirstFrame::Reported => println!("first frame"),
    }
    Ok(())
}

/// Asks for pictures or files in the system's dialog and reads them; nothing when
/// cancelled. They are read here, so the window needs no access to files.
#[tauri::command]
pub(crate) async fn open_picture<R: Runtime>(
    window: WebviewWindow<R>,
    desk: DeskState<'_>,
) -> Result<Option<RunView>, Problem> {
    at(&desk, move |desk| {
        let dialog = window.dialog().file().set_parent(&window);
        // Without a filter: what a file is, its content says.
        let Some(files) = dialog.blocking_pick_files() else {
            return Ok(None);
        };
        let paths: Result<Vec<_>, _> = files.into_iter().map(FilePath::into_path).collect();
        desk.read(desk::read_paths(&paths.map_err(|_| unreadable())?)?).map(Some)
    })
    .await
}

/// Reads the picture or file that is the body of the request.
#[tauri::command]
pub(crate) async fn read_picture(request: Request<'_>, desk: DeskState<'_>) -> Answer {
    let bytes = match request.body() {
        InvokeBody::Raw(bytes) => Zeroizing::new(bytes.clone()),
        InvokeBody::Json(_) => return Err(unreadable()),
    };
    at(&desk, move |desk| desk.read_picture(&bytes)).await
}

/// Reads what is on the clipboard: a picture, or else a text.
#[tauri::command]
pub(crate) async fn paste(desk: DeskState<'_>) -> Answer {
    at(&desk, |desk| match clipboard::content()? {
        Content::Picture(png) => desk.read_picture(&png),
        Content::Text(text) => desk.read_text(&text),
    })
    .await
}

/// Looks longer at what was handed over last.
#[tauri::command]
pub(crate) async fn read_longer(desk: DeskState<'_>) -> Answer {
    at(&desk, Desk::read_longer).await
}

/// Answers what a file asked.
#[tauri::command]
pub(crate) async fn answer(
    desk: DeskState<'_>,
    password: Option<String>,
    encoding: Option<String>,
) -> Answer {
    let password = password.map(Zeroizing::new);
    at(&desk, move |desk| desk.answer(password, encoding.as_deref())).await
}

/// Takes one credential of what was read.
#[tauri::command]
pub(crate) async fn choose(desk: DeskState<'_>, finding: u32) -> Answer {
    at(&desk, move |desk| desk.choose(finding)).await
}

/// The tokens that are there.
#[tauri::command]
pub(crate) async fn tokens(desk: DeskState<'_>) -> Result<TokensView, Problem> {
    at(&desk, |desk| Ok(desk.tokens())).await
}

/// Compares the credential with a token.
#[tauri::command]
pub(crate) async fn plan(
    desk: DeskState<'_>,
    token: String,
    name: Option<String>,
    slot: Option<u16>,
    password: Option<String>,
) -> Answer {
    let choice = Choice { name, slot };
    let password = password.map(Zeroizing::new);
    at(&desk, move |desk| desk.plan(&token, &choice, password)).await
}

/// Writes as planned.
#[tauri::command]
pub(crate) async fn write<R: Runtime>(
    app: AppHandle<R>,
    desk: DeskState<'_>,
    replace: bool,
) -> Answer {
    at(&desk, move |desk| desk.write(replace, &mut progress(&app))).await
}

/// Asks the token what it holds after a broken write.
#[tauri::command]
pub(crate) async fn settle<R: Runtime>(app: AppHandle<R>, desk: DeskState<'_>) -> Answer {
    at(&desk, move |desk| desk.settle(&mut progress(&app))).await
}

/// Asks a token that computes for its proof again.
#[tauri::command]
pub(crate) async fn prove<R: Runtime>(app: AppHandle<R>, desk: DeskState<'_>) -> Answer {
    at(&desk, move |desk| desk.prove(&mut progress(&app))).await
}

/// Judges the code that a person read from the token.
#[tauri::command]
pub(crate) async fn judge(desk: DeskState<'_>, code: String) -> Answer {
    let code = Zeroizing::new(code);
    at(&desk, move |desk| desk.judge(&code)).await
}

/// Ends without a proof.
#[tauri::command]
pub(crate) async fn stop(desk: DeskState<'_>) -> Answer {
    at(&desk, Desk::stop).await
}

/// One stage back.
#[tauri::command]
pub(crate) async fn back(desk: DeskState<'_>) -> Answer {
    at(&desk, |desk| Ok(desk.back())).await
}

/// Forgets everything about this run.
#[tauri::command]
pub(crate) async fn start_over(desk: DeskState<'_>) -> Answer {
    at(&desk, |desk| Ok(desk.start_over())).await
}

/// Saves the receipt; nothing when the person cancelled the system's dialog.
#[tauri::command]
pub(crate) async fn save_receipt<R: Runtime>(
    window: WebviewWindow<R>,
    desk: DeskState<'_>,
    place: State<'_, Receipts>,
) -> Result<Option<RunView>, Problem> {
    let place = Receipts::clone(&place);
    at(&desk, move |desk| {
        let receipt = desk.receipt()?;
        let name = receipts::file_name(&desk.view());
        let path = match place {
            Receipts::Folder(folder) => receipts::free_place(&folder, &name),
            Receipts::Asked => {
                let dialog = window.dialog().file().set_parent(&window);
                let Some(file) =
                    dialog.set_file_name(name).add_filter("JSON", &["json"]).blocking_save_file()
                else {
                    return Ok(None);
                };
                file.into_path().map_err(|_| Problem::new("save-failed", []))?
            }
        };
        receipts::save(&path, &receipt)?;
        Ok(Some(desk.receipt_saved()))
    })
    .await
}

/// Every family that can be programmed.
#[tauri::command]
pub(crate) fn families() -> Vec<FamilyView> {
    Desk::families()
}

/// The faces of the practice tokens.
#[tauri::command]
pub(crate) async fn practice_faces(
    practice: State<'_, Practice>,
) -> Result<Vec<FaceView>, Problem> {
    Ok(practice.faces())
}

/// Presses a button of a practice token, also while a write waits for just that.
#[tauri::command]
pub(crate) async fn press(
    practice: State<'_, Practice>,
    token: String,
    button: String,
) -> Result<(), Problem> {
    practice.press(&token, &button)
}

/// One call into the desk on a thread that may wait for a token or a person.
pub(crate) async fn at<T: Send + 'static>(
    desk: &Arc<Desk>,
    call: impl FnOnce(&Desk) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let desk = Arc::clone(desk);
    spawn_blocking(move || call(&desk))
        .await
        // The call panicked; the desk is still in a true stage.
        .unwrap_or_else(|_| Err(Problem::new("unexpected", [])))
}

/// What tells the window how far a conversation with a token has come.
pub(crate) fn progress<R: Runtime>(app: &AppHandle<R>) -> impl Fn(Progress) + Send + Sync + use<R> {
    let app = app.clone();
    // A window that is gone has no use for it.
    move |progress| drop(app.emit(event::PROGRESS, progress))
}

fn unreadable() -> Problem {
    Problem::new("file-unreadable", [])
}
