//! The practice tokens as a person would see them on the desk: a display, a button,
//! what is written on the back.
//!
//! The desk does not know that its practice tokens are emulated, so their faces go
//! from the tray to the window directly. The type is no part of the desk's contract,
//! because a real token has no face that a program could show.

use std::sync::Arc;
use std::time::Duration;

use desk::Problem;
use emulator::{Button, Face, Now, Tray};
use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, Runtime};
use token::TokenSource;
use ts_rs::TS;

use crate::event;

/// What a person sees of a practice token.
// It shows a code, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
pub struct FaceView {
    /// Its id on the tray.
    pub id: String,
    /// Its model, for people.
    pub title: String,
    /// Its serial number; empty when it has none on its back.
    pub serial: String,
    /// Whether it is switched on.
    pub on: bool,
    /// What its display shows; null when it is blank or when there is none.
    pub display: Option<String>,
    /// What can be pressed on it: `power`, `touch` or `next`.
    pub buttons: Vec<String>,
    /// What else there is to see, one line each.
    pub lines: Vec<String>,
    /// Seconds until its display changes.
    pub seconds_left: Option<u32>,
}

/// The practice tokens, all in their readers from the start.
#[derive(Clone, Debug)]
pub struct Practice {
    tray: Tray,
}

impl Practice {
    /// One token of every emulated family, switched on, in a reader of its own, in a
    /// world with this time.
    pub fn with_every_family(now: Now) -> Self {
        let tray = Tray::new(now).with_touch_time(TOUCH_TIME);
        tray.lay_out();
        Self { tray }
    }

    /// The tokens as a source for the desk.
    pub fn source(&self) -> Arc<dyn TokenSource> {
        Arc::new(self.tray.clone())
    }

    /// What a person sees of them now.
    pub(crate) fn faces(&self) -> Vec<FaceView> {
        let faces = self.tray.faces().into_iter().enumerate();
        faces.map(|(place, (_, face))| view(place, face)).collect()
    }

    /// Presses a button.
    pub(crate) fn press(&self, token: &str, button: &str) -> Result<(), Problem> {
        let faces = self.tray.faces().into_iter().enumerate();
        let mut meant = faces.filter(|(place, (_, face))| {
            place.to_string() == token && face.buttons.iter().any(|b| name(*b) == button)
        });
        let (_, (id, _)) = meant.next().ok_or_else(|| Problem::new("unknown-token", []))?;
        self.tray.press(id);
        Ok(())
    }
}

/// Tells the window what changed on the faces, as long as the program runs: at once
/// when something was pressed or written, and when the displays count on.
pub(crate) fn watch<R: Runtime>(app: &AppHandle<R>) {
    let practice = Practice::clone(&app.state::<Practice>());
    let window = app.clone();
    std::thread::spawn(move || {
        let mut watch = practice.tray.watch();
        let mut shown = practice.faces();
        loop {
            watch.wait(EVERY);
            let faces = practice.faces();
            if faces != shown {
                // A window that is gone has no use for them.
                drop(window.emit(event::FACES, &faces));
                shown = faces;
            }
        }
    });
}

/// How often the faces are looked at; displays count in seconds.
const EVERY: Duration = Duration::from_secs(1);

/// How long a key waits for a touch, as real ones do (yubikey-oath.md).
const TOUCH_TIME: Duration = Duration::from_secs(15);

fn view(place: usize, face: Face) -> FaceView {
    FaceView {
        id: place.to_string(),
        title: face.title,
        serial: face.serial.unwrap_or_default(),
        on: face.on,
        display: face.display,
        buttons: face.buttons.iter().map(|b| name(*b).to_owned()).collect(),
        lines: face.lines,
        seconds_left: face.seconds_left,
    }
}

const fn name(button: Button) -> &'static str {
    match button {
        Button::Power => "power",
        Button::Touch => "touch",
        Button::Next => "next",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use oath::UnixTime;
    use ts_rs::Config;

    use super::*;

    /// The window's copy of the type. `SOWER_BLESS=1` writes it, a plain run compares.
    #[test]
    fn the_windows_type_of_a_face_is_current() {
        let text = FaceView::export_to_string(&Config::default()).expect("it can be exported");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/contract/FaceView.ts");
        if std::env::var_os("SOWER_BLESS").is_some() {
            fs::write(&path, &text).expect("the contract is written");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "run with SOWER_BLESS=1");
    }

    #[test]
    fn a_button_that_a_token_does_not_have_is_not_pressed() {
        let practice = Practice::with_every_family(Arc::new(|| UnixTime::from_secs(0)));
        let faces = practice.faces();
        assert_eq!(faces.len(), emulator::FAMILIES.len());
        for face in &faces {
            for button in ["power", "touch", "eject"] {
                let pressed = practice.press(&face.id, button).is_ok();
                assert_eq!(pressed, face.buttons.iter().any(|b| b == button));
            }
        }
        assert!(practice.press("no-such-token", "power").is_err());
    }
}
