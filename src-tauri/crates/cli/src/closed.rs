//! `enroll --closed`: the maker's tool writes, and the desk judges the token's code.
//!
//! The secret is shown on an interactive terminal alone, after a yes, on the screen
//! beside the usual one that keeps no history, and it goes away again by itself.

use std::io::{Write, stderr};
use std::sync::mpsc;
use std::time::Duration;

use desk::{ClosedView, Desk, Drawing, Facts, MisfitView, Revealed, RunView};
use serde_json::json;

use crate::clock;
use crate::end::End;
use crate::enroll::Run;
use crate::print::lines;
use crate::prompt;

/// How long the secret stays on the screen.
const SHOWN: Duration = Duration::from_mins(1);

/// To the terminal's other screen, empty, and back (xterm, DEC private mode 1049).
const OTHER_SCREEN: &str = "\x1b[?1049h\x1b[2J\x1b[H";
const USUAL_SCREEN: &str = "\x1b[2J\x1b[?1049l";

/// Light modules around a QR code (ISO/IEC 18004 section 6.3.8).
const BORDER: usize = 4;

impl Run<'_> {
    /// A model that nobody knows is told before anything is read.
    pub(crate) fn check_closed(&self, model: &str) -> Result<(), End> {
        let models = Desk::closed_models();
        let reason = match models.iter().find(|known| known.code == model) {
            None => "cli-closed-no-such-model",
            Some(known) if self.arguments.told.read_code && !known.readable => {
                "cli-clock-nothing-readable"
            }
            Some(_) => return Ok(()),
        };
        self.printer.refuse(reason);
        Err(End::Failed)
    }

    /// Hands over, shows the secret if somebody wants to see it, and takes the word
    /// that the tool has written it.
    pub(crate) fn hand_over(&self, model: &str) -> Result<RunView, End> {
        let serial = self.arguments.token.as_deref();
        let view =
            self.desk().hand_over(model, serial).map_err(|problem| self.untouched(&problem))?;
        let RunView::Assisted { model, misfits, .. } = &view else {
            return Err(End::Failed);
        };
        if !misfits.is_empty() {
            self.tell_misfits(misfits);
            return Err(End::Untouched);
        }
        self.printer.note(&self.instructions(model));
        if prompt::is_interactive() && !self.input_taken.get() {
            self.with_a_person(model)
        } else {
            self.with_a_script()
        }
    }

    fn with_a_person(&self, model: &ClosedView) -> Result<RunView, End> {
        if prompt::yes(&self.printer.message("cli-closed-ask-show")) {
            let wanted = self.arguments.form.as_ref();
            let mut forms = model.forms.iter();
            let form = forms.find(|form| wanted.is_none_or(|wanted| wanted == *form));
            let form = form.ok_or_else(|| self.refuse("cli-closed-no-such-form"))?;
            let revealed = self.desk().reveal(form).map_err(|problem| self.untouched(&problem))?;
            self.show(revealed);
        }
        if !prompt::yes(&self.printer.message("cli-closed-ask-written")) {
            return Err(self.refuse("cli-closed-not-written"));
        }
        let view = self.desk().handed_written().map_err(|problem| self.untouched(&problem))?;
        if self.arguments.told.read_code { Ok(self.have_it_told()) } else { Ok(view) }
    }

    /// A script that hands in a code says by that that the token was written.
    fn with_a_script(&self) -> Result<RunView, End> {
        self.printer.note(&self.printer.message("cli-closed-not-shown"));
        if self.arguments.told.read_code {
            self.desk().handed_written().map_err(|problem| self.untouched(&problem))?;
            return Ok(self.have_it_told());
        }
        let typed = if self.input_taken.get() { None } else { prompt::line(None) };
        let Some(typed) = typed else {
            return Err(self.refuse("cli-closed-no-code"));
        };
        self.desk().handed_written().map_err(|problem| self.untouched(&problem))?;
        self.judge(&typed)
    }

    /// Has the token on a reader tell its code; its clock is set before if that is
    /// wanted. A token that cannot be asked leaves the code to be typed.
    fn have_it_told(&self) -> RunView {
        self.printer.note(&self.printer.message("told-unproven"));
        let desk = self.desk();
        let reader = self.arguments.told.reader.as_deref();
        let heard = clock::only_card(&desk.tokens(), reader).map(|token| {
            if self.arguments.told.set_clock {
                desk.set_handed_clock(&token)
            } else {
                desk.judge_told(&token)
            }
        });
        let view = match heard {
            Ok(Ok(view)) => view,
            Ok(Err(failed)) => {
                let mut view = desk.view();
                if let RunView::Written { problem, .. } = &mut view {
                    *problem = Some(failed);
                }
                return view;
            }
            Err(key) => {
                self.printer.note(&lines(&self.printer.say(key, &Facts::new())));
                return desk.view();
            }
        };
        if let RunView::Written { told, verdict, .. } = &view {
            for warning in told.iter().flat_map(|told| &told.warnings) {
                let said = self.printer.say(&format!("told-{}", warning.code), &warning.facts);
                self.printer.note(&lines(&said));
            }
            if let Some(verdict) = verdict {
                self.printer.note(&self.verdict(verdict));
            }
        }
        view
    }

    /// What is known of the tool, its steps, and what is not known.
    fn instructions(&self, model: &ClosedView) -> String {
        let mut text = self.printer.message("cli-closed-only-tool");
        let mut line = |words: &str| {
            text.push_str("\n   ");
            text.push_str(words);
        };
        line(&format!("{} {}", model.maker, model.model));
        if let Some(tool) = &model.tool {
            line(tool);
        }
        for (number, step) in (1..).zip(&model.steps) {
            let words = self.printer.message(&format!("step-{step}"));
            line(&format!("{number}. {words}"));
        }
        for doubt in &model.doubts {
            line(&self.printer.message(&format!("doubt-{doubt}")));
        }
        line(&model.source);
        text
    }

    fn tell_misfits(&self, misfits: &[MisfitView]) {
        self.printer.result(&json!({ "misfits": misfits }), || {
            let said = misfits.iter().map(|misfit| {
                lines(&self.printer.say(&format!("misfit-{}", misfit.code), &misfit.facts))
            });
            said.collect::<Vec<_>>().join("\n")
        });
    }

    /// Shows the secret until Enter is pressed, at most for [`SHOWN`].
    fn show(&self, revealed: Revealed) {
        let mut screen = stderr();
        let said = self.printer.say("cli-closed-shown", &Facts::new());
        // What cannot be shown is not there to be hidden either.
        let _ = write!(screen, "{OTHER_SCREEN}{}\n\n", lines(&said));
        if let Some(text) = revealed.text() {
            let _ = writeln!(screen, "{text}");
        }
        if let Some(drawing) = revealed.drawing() {
            draw(drawing, &mut screen);
        }
        let _ = screen.flush();
        drop(revealed);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            prompt::enter();
            // Whoever waited may be gone with the program.
            let _ = tell.send(());
        });
        let pressed = told.recv_timeout(SHOWN).is_ok();
        let _ = write!(screen, "{USUAL_SCREEN}").and_then(|()| screen.flush());
        if pressed {
            self.printer.note(&self.printer.message("cli-closed-hidden"));
        } else {
            // The key is still being waited for, and the next question needs it.
            self.printer.note(&self.printer.message("cli-closed-go-on"));
            let _ = told.recv();
        }
    }
}

/// Draws two rows of modules in one row of characters, dark on light.
fn draw(drawing: &Drawing, to: &mut impl Write) {
    let is_dark = |column: usize, row: usize| {
        let place = column.checked_sub(BORDER).zip(row.checked_sub(BORDER));
        place.is_some_and(|(column, row)| drawing.is_dark(column, row))
    };
    let side = drawing.width() + 2 * BORDER;
    for row in (0..side).step_by(2) {
        // Black on white whatever the terminal's colours are.
        let _ = write!(to, "\x1b[30;107m");
        for column in 0..side {
            let module = match (is_dark(column, row), is_dark(column, row + 1)) {
                (false, false) => ' ',
                (true, false) => '\u{2580}',
                (false, true) => '\u{2584}',
                (true, true) => '\u{2588}',
            };
            let _ = write!(to, "{module}");
        }
        let _ = writeln!(to, "\x1b[0m");
    }
}
