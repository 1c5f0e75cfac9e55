//! The commands for tokens that only their maker's tool can write.
//!
//! [`reveal`] is the one command whose answer holds a secret: the page asks for it
//! when somebody presses, shows it and lets it go (SECURITY.md, the explicit
//! exceptions). The type is no part of the desk's contract, so that nothing there
//! can be serialised with a secret in it.

use desk::{ClosedView, Desk, Drawing, Problem, Revealed};
use serde::Serialize;
use ts_rs::TS;

use crate::commands::{Answer, DeskState, at};

/// A secret, for the page to show for a while.
// It has no `Debug`, and what is sent to the page is not wiped.
#[derive(Serialize, TS)]
pub struct SeedView {
    /// Its form: `base32`, `hex` or `qr`.
    pub form: String,
    /// The text; null where it is drawn.
    pub text: Option<String>,
    /// The drawing; null where it is a text.
    pub qr: Option<QrView>,
}

/// A QR code without its white border.
#[derive(Serialize, TS)]
pub struct QrView {
    /// Modules along each side.
    pub width: u32,
    /// The dark modules as the path of an SVG drawing, one unit each.
    pub path: String,
}

/// Every model that only its maker's tool can write.
#[tauri::command]
pub(crate) fn closed_models() -> Vec<ClosedView> {
    Desk::closed_models()
}

/// Hands the credential over to the maker's tool of a model.
#[tauri::command]
pub(crate) async fn hand_over(
    desk: DeskState<'_>,
    model: String,
    serial: Option<String>,
) -> Answer {
    at(&desk, move |desk| desk.hand_over(&model, serial.as_deref())).await
}

/// The secret, once, because somebody pressed for it.
#[tauri::command]
pub(crate) async fn reveal(desk: DeskState<'_>, form: String) -> Result<SeedView, Problem> {
    at(&desk, move |desk| desk.reveal(&form).map(|revealed| view(&revealed))).await
}

/// Asks the token of an assisted run, on the reader that was named, who it is.
#[tauri::command]
pub(crate) async fn ask_handed(desk: DeskState<'_>, token: String) -> Answer {
    at(&desk, move |desk| desk.ask_handed(&token)).await
}

/// Sets that token's clock and has its code told.
#[tauri::command]
pub(crate) async fn set_handed_clock(desk: DeskState<'_>, token: String) -> Answer {
    at(&desk, move |desk| desk.set_handed_clock(&token)).await
}

/// Has that token tell its code and judges it.
#[tauri::command]
pub(crate) async fn judge_told(desk: DeskState<'_>, token: String) -> Answer {
    at(&desk, move |desk| desk.judge_told(&token)).await
}

/// Takes the operator's word that the maker's tool has written it.
#[tauri::command]
pub(crate) async fn handed_written(desk: DeskState<'_>) -> Answer {
    at(&desk, Desk::handed_written).await
}

fn view(revealed: &Revealed) -> SeedView {
    SeedView {
        form: revealed.form().to_owned(),
        text: revealed.text().map(str::to_owned),
        qr: revealed.drawing().map(drawn),
    }
}

fn drawn(drawing: &Drawing) -> QrView {
    QrView {
        width: u32::try_from(drawing.width()).unwrap_or(u32::MAX),
        path: drawing.path().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use ts_rs::Config;

    use super::*;

    /// The window's copies of the types. `SOWER_BLESS=1` writes them, a plain run
    /// compares.
    #[test]
    fn the_windows_types_of_a_seed_are_current() {
        fn check<T: TS + 'static>() {
            let config = Config::default();
            let text = T::export_to_string(&config).expect("it can be exported");
            let name = format!("../ui/src/contract/{}.ts", T::ident(&config));
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            if std::env::var_os("SOWER_BLESS").is_some() {
                fs::write(&path, &text).expect("the contract is written");
            }
            let there = fs::read_to_string(&path).unwrap_or_default();
            assert!(there == text, "run with SOWER_BLESS=1");
        }
        check::<SeedView>();
        check::<QrView>();
    }
}
