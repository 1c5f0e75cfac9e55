//! `enroll`: the whole line, with the desk deciding and a person, a script or a
//! practice token's display answering.

use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use desk::{
    Choice, Desk, Facts, Input, Now, PlanView, Problem, RunView, Setup, TokenView, VerdictView,
    WhatView,
};
use emulator::{Tray, TrayId};
use oath::UnixTime;
use serde_json::{Value, json};
use token::TokenSource;
use zeroize::Zeroizing;

use crate::Ended;
use crate::args::Enroll;
use crate::end::End;
use crate::print::{Printer, lines};
use crate::prompt;
use crate::question;
use crate::show;

pub(crate) fn enroll(arguments: &Enroll, printer: &Printer) -> Ended {
    let bench = Bench::set_up(arguments, printer)?;
    let run = Run { arguments, printer, bench, input_taken: Cell::new(false) };
    run.check_receipt_place()?;
    if let Some(model) = &arguments.closed {
        run.check_closed(model)?;
        run.capture()?;
        let view = run.hand_over(model)?;
        return run.confirm(view);
    }
    run.capture()?;
    let token = run.choose_token()?;
    let like = printer.form();
    run.desk().summon_by(move |step| Printer::new(like).progress(step));
    let view = run.plan(&token)?;
    let view = run.write(&view)?;
    run.confirm(view)
}

/// The desk, and the practice token on it if there is one.
struct Bench {
    desk: Desk,
    practice: Option<(Arc<Tray>, TrayId)>,
}

impl Bench {
    fn set_up(arguments: &Enroll, printer: &Printer) -> Result<Self, End> {
        let Some(family) = &arguments.practice else {
            let buses = transport::buses(token::hid_interfaces());
            return Ok(Self { desk: Desk::new(Setup::of(buses)), practice: None });
        };
        let mut setup = Setup::of(Vec::new());
        if let Some(seconds) = arguments.practice_time {
            setup.now = beginning_at(UnixTime::from_secs(seconds), Arc::clone(&setup.now));
        }
        let Some(token) = emulator::practice(family) else {
            printer.refuse("cli-no-such-family");
            return Err(End::Failed);
        };
        let tray = Arc::new(Tray::new(Arc::clone(&setup.now)));
        let id = tray.add(token, "Practice reader");
        tray.insert(id);
        if !tray.face(id).on {
            tray.press(id);
        }
        setup.sources.push(Arc::clone(&tray) as Arc<dyn TokenSource>);
        Ok(Self { desk: Desk::new(setup), practice: Some((tray, id)) })
    }
}

/// A clock that shows `start` now and goes on at the pace of `real`.
fn beginning_at(start: UnixTime, real: Now) -> Now {
    let begun = real().as_millis();
    Arc::new(move || {
        let passed = real().as_millis().saturating_sub(begun);
        UnixTime::from_millis(start.as_millis().saturating_add(passed))
    })
}

pub(crate) struct Run<'a> {
    pub(crate) arguments: &'a Enroll,
    pub(crate) printer: &'a Printer,
    bench: Bench,
    /// Whether the picture came from standard input, so that nothing else can.
    pub(crate) input_taken: Cell<bool>,
}

impl Run<'_> {
    pub(crate) fn desk(&self) -> &Desk {
        &self.bench.desk
    }

    /// A receipt replaces nothing, and a place that cannot be written is told before
    /// a token is changed.
    fn check_receipt_place(&self) -> Result<(), End> {
        let Some(path) = &self.arguments.receipt else {
            return Ok(());
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let is_folder = folder.is_none_or(Path::is_dir);
        if is_folder && !path.exists() {
            return Ok(());
        }
        self.printer.refuse("cli-receipt-place");
        Err(End::Failed)
    }

    /// Reads the picture or text and settles on one credential.
    fn capture(&self) -> Result<(), End> {
        let fail = |problem: Problem| {
            self.printer.problem(&problem);
            End::NoCredential
        };
        let arguments = self.arguments;
        let inputs = self.inputs(&arguments.picture, arguments.text.as_deref()).map_err(fail)?;
        let view = match self.desk().read(inputs) {
            Err(problem) if arguments.longer && problem.facts.contains_key("longer") => {
                self.desk().read_longer().map_err(fail)?
            }
            Ok(RunView::Found { picture }) if arguments.longer && picture.longer => {
                self.desk().read_longer().map_err(fail)?
            }
            read => read.map_err(fail)?,
        };
        let view = self.answered(view)?;
        let view = match (show::findings(&view), arguments.finding) {
            // A number that was given is meant: with one code in sight it can only be 1.
            (None, Some(number)) if number != 1 => {
                self.printer.refuse("cli-no-such-finding");
                return Err(End::NoCredential);
            }
            (None, _) => view,
            (Some(_), Some(number)) if number > 0 => {
                self.desk().choose(number - 1).map_err(|_| self.not_enrollable(&view))?
            }
            (Some(_), _) => return Err(self.not_enrollable(&view)),
        };
        if let RunView::Captured { credential } = &view {
            self.printer.note(&show::credential_text(credential, self.printer));
        }
        Ok(())
    }

    fn inputs(&self, paths: &[PathBuf], text: Option<&Path>) -> Result<Vec<Input>, Problem> {
        let mut inputs = Vec::new();
        for path in paths.iter().map(PathBuf::as_path).chain(text) {
            if path.as_os_str() == "-" {
                self.input_taken.set(true);
                inputs.push(Input::unnamed(prompt::file_or_input(path)?));
            } else {
                inputs.extend(desk::read_paths(&[path.to_owned()])?);
            }
        }
        Ok(inputs)
    }

    /// Answers what a file asks, with the options or by asking a person once.
    fn answered(&self, mut view: RunView) -> Result<RunView, End> {
        let fail = |problem: Problem| {
            self.printer.problem(&problem);
            End::NoCredential
        };
        let file = self.arguments.input_password_file.as_deref();
        let mut password = question::password_in(file).map_err(fail)?;
        let mut encoding = self.arguments.encoding.as_deref();
        loop {
            let RunView::Asked { question, refusal, .. } = &view else {
                return Ok(view);
            };
            let known = match question.code.as_str() {
                "encoding-needed" => encoding.take().map(|encoding| (None, Some(encoding))),
                _ => password
                    .take()
                    .or_else(|| {
                        let first = refusal.is_none() && file.is_none();
                        first.then(|| question::ask(question, self.printer)).flatten()
                    })
                    .map(|password| (Some(password), None)),
            };
            let Some((password, encoding)) = known else {
                let code = refusal.as_ref().unwrap_or(question);
                self.printer.asked(code, || match refusal {
                    Some(said) => {
                        question::reason("finding", &said.code, &said.facts, self.printer)
                    }
                    None => question::text(question, self.printer),
                });
                return Err(End::NoCredential);
            };
            view = self.desk().answer(password, encoding).map_err(fail)?;
        }
    }

    fn not_enrollable(&self, view: &RunView) -> End {
        if let Some(picture) = show::findings(view) {
            let several = picture.findings.iter().any(|finding| finding.credential.is_some());
            let key = if several { "cli-several-findings" } else { "cli-not-enrollable" };
            self.printer.note(&show::picture_text(picture, self.printer));
            self.printer.refuse(key);
        }
        End::NoCredential
    }

    /// The practice token, the token that was named, or the only one there is.
    fn choose_token(&self) -> Result<String, End> {
        let table = self.desk().tokens();
        if let Some(problem) = &table.problem {
            self.printer.problem(problem);
            return Err(End::Untouched);
        }
        let tokens: Vec<&TokenView> = match &self.arguments.token {
            Some(serial) => table.tokens.iter().filter(|token| has_serial(token, serial)).collect(),
            None => table.tokens.iter().collect(),
        };
        match (tokens.as_slice(), &self.arguments.token) {
            ([token], _) => {
                self.printer.note(&show::token_text(token, self.printer));
                Ok(token.id.clone())
            }
            ([], None) => Err(self.refuse("cli-no-tokens")),
            ([], Some(_)) => Err(self.refuse("cli-no-such-token")),
            (several, _) => {
                for token in several {
                    self.printer.note(&show::token_text(token, self.printer));
                }
                Err(self.refuse("cli-several-tokens"))
            }
        }
    }

    pub(crate) fn refuse(&self, key: &str) -> End {
        self.printer.refuse(key);
        End::Untouched
    }

    /// Compares, with the password if the token wants one.
    fn plan(&self, token: &str) -> Result<RunView, End> {
        let mut password = self.password_from_file()?;
        let mut choice = Choice { name: self.arguments.name.clone(), slot: None };
        loop {
            let asked = password.is_some();
            let view = self
                .desk()
                .plan(token, &choice, password.take())
                .map_err(|problem| self.untouched(&problem))?;
            match view {
                RunView::Locked { problem: Some(problem), .. } => {
                    return Err(self.untouched(&problem));
                }
                RunView::Locked { .. } if !asked && prompt::is_interactive() => {
                    password = prompt::password(&self.printer.message("cli-ask-password"));
                    if password.is_none() {
                        return Err(self.refuse("cli-needs-password"));
                    }
                }
                RunView::Locked { .. } => return Err(self.refuse("cli-needs-password")),
                RunView::Unfit { misfits, .. } => {
                    let document = json!({ "misfits": misfits });
                    self.printer.result(&document, || {
                        let said = misfits.iter().map(|misfit| {
                            let key = format!("misfit-{}", misfit.code);
                            lines(&self.printer.say(&key, &misfit.facts))
                        });
                        said.collect::<Vec<_>>().join("\n")
                    });
                    return Err(End::Untouched);
                }
                RunView::Planned { plan, .. } if !self.is_in_place(&plan) => {
                    // The labels of places are known only now.
                    let wanted = self.arguments.slot.as_deref();
                    let slot = plan.slots.iter().find(|slot| wanted == Some(&*slot.label));
                    match slot {
                        Some(slot) => choice.slot = Some(slot.number),
                        None => return Err(self.refuse("cli-no-such-slot")),
                    }
                }
                planned => return Ok(planned),
            }
        }
    }

    /// Whether the plan is for the place that was asked for.
    fn is_in_place(&self, plan: &PlanView) -> bool {
        let planned = plan.slot.as_ref().map(|slot| slot.label.as_str());
        self.arguments.slot.as_deref().is_none_or(|wanted| planned == Some(wanted))
    }

    fn password_from_file(&self) -> Result<Option<Zeroizing<String>>, End> {
        let Some(path) = &self.arguments.password_file else {
            return Ok(None);
        };
        let bytes = prompt::file_or_input(path).map_err(|problem| self.untouched(&problem))?;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        Ok(text.lines().next().map(|line| Zeroizing::new(line.to_owned())))
    }

    pub(crate) fn untouched(&self, problem: &Problem) -> End {
        self.printer.problem(problem);
        End::Untouched
    }

    /// Asks before anything is replaced, then writes.
    fn write(&self, view: &RunView) -> Result<RunView, End> {
        let replaces = match view {
            RunView::Planned { plan, .. } => plan.replaces.as_str(),
            _ => "nothing",
        };
        let replace = replaces != "nothing";
        // A practice token of one run holds nothing that anyone could miss.
        if replace && !self.arguments.overwrite && self.bench.practice.is_none() {
            self.printer.note(&self.printer.message(&format!("cli-replaces-{replaces}")));
            if !prompt::is_interactive() || self.input_taken.get() {
                return Err(self.refuse("cli-needs-overwrite"));
            }
            if !prompt::yes(&self.printer.message("cli-ask-replace")) {
                return Err(self.refuse("cli-declined"));
            }
        }
        let mut progress = |step| self.printer.progress(step);
        let view = self
            .desk()
            .write(replace, &mut progress)
            .map_err(|problem| self.untouched(&problem))?;
        match &view {
            RunView::Failed { problem, .. } => {
                self.printer.problem(problem);
                Err(End::after(problem))
            }
            _ => Ok(view),
        }
    }

    /// The proof: what the token computed, and every code that somebody gives.
    fn confirm(&self, mut view: RunView) -> Ended {
        let how = match &view {
            RunView::Written { typed: true, how, .. } => Some(how.clone()),
            _ => None,
        };
        if let Some(how) = how.filter(|_| self.arguments.code_from_display) {
            view = self.read_the_display(&how)?;
        } else if matches!(view, RunView::Written { typed: true, .. }) {
            view = self.ask_for_codes(view)?;
        } else if matches!(view, RunView::Confirmed { .. }) && !self.arguments.code_from_display {
            view = self.judge_a_given_code(view)?;
        }
        let mut reason = None;
        if let RunView::Written { problem, .. } = &view {
            reason.clone_from(problem);
            if let Some(problem) = problem {
                self.printer.note(&lines(
                    &self.printer.say(&format!("problem-{}", problem.code), &problem.facts),
                ));
            }
            view = self.desk().stop().map_err(|problem| self.untouched(&problem))?;
        }
        self.finish(&view, reason.as_ref())
    }

    /// Does with the practice token what a person does, and types what it shows.
    fn read_the_display(&self, how: &str) -> Result<RunView, End> {
        let shown = self.bench.practice.as_ref().and_then(|(tray, id)| {
            let presses = match how {
                "switch-off-on" => 2,
                "press-key" => 1,
                // The place that was written last is on the display already.
                _ => 0,
            };
            for _ in 0..presses {
                tray.press(*id);
            }
            self.printer.note(&self.printer.message(&format!("cli-press-{how}")));
            tray.face(*id).display
        });
        let Some(shown) = shown.map(Zeroizing::new) else {
            return Err(self.refuse("cli-no-code"));
        };
        // The face of a practice token is a toy's; no real token's code is shown.
        self.printer.note(&format!("{}: {}", self.printer.message("cli-display"), *shown));
        self.judge(&shown)
    }

    fn ask_for_codes(&self, mut view: RunView) -> Result<RunView, End> {
        if self.input_taken.get() {
            let said = self.printer.say("cli-standard-input-taken", &Facts::new());
            self.printer.note(&lines(&said));
            return Ok(view);
        }
        let mut given = false;
        let question = prompt::is_interactive().then(|| self.printer.message("cli-ask-code"));
        while matches!(view, RunView::Written { .. }) {
            let typed = prompt::line(question.as_deref());
            let Some(typed) = typed else {
                if !given {
                    let said = self.printer.say("cli-no-code", &Facts::new());
                    self.printer.note(&lines(&said));
                }
                break;
            };
            given = true;
            view = self.judge(&typed)?;
        }
        Ok(view)
    }

    /// A token that computes needs no typing, but a code that a script hands in
    /// is never waved through.
    fn judge_a_given_code(&self, view: RunView) -> Result<RunView, End> {
        if self.input_taken.get() {
            return Ok(view);
        }
        prompt::handed_in().map_or(Ok(view), |typed| self.judge(&typed))
    }

    pub(crate) fn judge(&self, typed: &str) -> Result<RunView, End> {
        let view = self.desk().judge(typed).map_err(|problem| self.untouched(&problem))?;
        if let RunView::Written { verdict: Some(verdict), .. } = &view {
            self.printer.note(&self.verdict(verdict));
        }
        Ok(view)
    }

    pub(crate) fn verdict(&self, verdict: &VerdictView) -> String {
        lines(&self.printer.say(&format!("verdict-{}", verdict.code), &verdict.facts))
    }

    fn finish(&self, view: &RunView, reason: Option<&Problem>) -> Ended {
        let receipt = self.desk().receipt().map_err(|problem| self.untouched(&problem))?;
        let (end, headline, verdict) = match view {
            RunView::Confirmed { verdict, .. } => (End::Done, "cli-confirmed", Some(verdict)),
            // Of a token that its maker's tool wrote, no problem tells what it holds.
            _ if self.arguments.closed.is_some() => (End::NotConfirmed, "cli-not-confirmed", None),
            _ => (reason.map_or(End::NotConfirmed, End::after), "cli-not-confirmed", None),
        };
        let mut saved = end;
        if let Some(path) = &self.arguments.receipt {
            if let Err(error) = save_new(path, &receipt) {
                let reason = [("reason", error.kind().to_string())];
                self.printer.note(&lines(&self.printer.say(
                    "problem-save-failed",
                    &Facts::from(reason.map(|(name, value)| (name.to_owned(), value))),
                )));
                saved = if end == End::Done { End::Failed } else { end };
            } else {
                self.desk().receipt_saved();
                self.printer.note(&self.printer.message("cli-receipt-saved"));
            }
        }
        let receipt: Value = serde_json::from_str(&receipt).unwrap_or(Value::Null);
        let document =
            json!({ "confirmed": end == End::Done, "receipt": receipt, "problem": reason });
        self.printer.result(&document, || {
            let mut text = self.printer.message(headline);
            if let Some(verdict) = verdict {
                text.push('\n');
                text.push_str(&self.verdict(verdict));
            }
            if self.bench.practice.is_some() {
                text.push('\n');
                text.push_str(&self.printer.message("cli-practice"));
            }
            text
        });
        Ok(saved)
    }
}

/// Writes a file that is not there yet.
fn save_new(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}

fn has_serial(token: &TokenView, wanted: &str) -> bool {
    match &token.what {
        WhatView::Token { serial, .. } => serial == wanted,
        WhatView::Closed { .. } | WhatView::Stranger { .. } | WhatView::Trouble { .. } => false,
    }
}
