//! `read`: what is in pictures, exports, vaults and seed files, without secrets.

use std::fmt::Write;

use desk::{Desk, EntryView, ReadView, SaidView, Setup, read_files};
use serde_json::json;
use zeroize::Zeroizing;

use crate::Ended;
use crate::args;
use crate::end::End;
use crate::print::{Printer, lines};
use crate::prompt;
use crate::show::{credential_text, picture_text};

/// The finding that is an export, which is read further.
const EXPORT: &str = "app-export";

pub(crate) fn read(read: &args::Read, printer: &Printer) -> Ended {
    let fail = |problem| {
        printer.problem(&problem);
        End::NoCredential
    };
    let mut files = Vec::with_capacity(read.files.len());
    for path in &read.files {
        files.push(prompt::file_or_input(path).map_err(fail)?);
    }
    let desk = Desk::new(Setup::of(Vec::new()));
    if let [picture] = files.as_slice()
        && let Ok(view) = desk.inspect_picture(picture)
        && view.findings.iter().all(|finding| finding.code != EXPORT)
    {
        let enrollable = view.findings.iter().any(|finding| finding.credential.is_some());
        printer.result(&json!(view), || picture_text(&view, printer));
        return Ok(if enrollable { End::Done } else { End::NoCredential });
    }
    let encoding = read.encoding.as_deref();
    let password = password_from_file(read).map_err(fail)?;
    let asked = password.is_none();
    let mut view = read_files(&files, password, encoding).map_err(fail)?;
    if asked
        && let ReadView::Question { question } = &view
        && let Some(password) = ask(question, printer)
    {
        view = read_files(&files, Some(password), encoding).map_err(fail)?;
    }
    printer.result(&json!(view), || text(&view, printer));
    let enrollable = match &view {
        ReadView::Entries { entries, .. } => entries.iter().any(|found| found.credential.is_some()),
        ReadView::Question { .. } | ReadView::Refused { .. } => false,
    };
    Ok(if enrollable { End::Done } else { End::NoCredential })
}

/// A password that a person types; nobody is asked where nobody can answer.
fn ask(question: &SaidView, printer: &Printer) -> Option<Zeroizing<String>> {
    let key = match question.code.as_str() {
        "password-needed" => "cli-read-ask-password",
        "key-needed" => "cli-read-ask-key",
        _ => return None,
    };
    if !prompt::is_interactive() {
        return None;
    }
    printer.note(&printer.say(&format!("question-{}", question.code), &question.facts).message);
    prompt::password(&printer.message(key)).filter(|password| !password.is_empty())
}

fn password_from_file(read: &args::Read) -> Result<Option<Zeroizing<String>>, desk::Problem> {
    let Some(path) = &read.password_file else {
        return Ok(None);
    };
    let bytes = prompt::file_or_input(path)?;
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    Ok(text.lines().next().map(|line| Zeroizing::new(line.to_owned())))
}

fn text(view: &ReadView, printer: &Printer) -> String {
    match view {
        ReadView::Question { question } => said("question", question, printer),
        ReadView::Refused { reason } => said("finding", reason, printer),
        ReadView::Entries { title, entries, remarks, form: _ } => {
            let mut text = format!("{title}\n");
            for entry in entries {
                let _ = writeln!(text, "{}. {}", entry.place, entry_text(entry, printer));
            }
            for remark in remarks {
                let _ = writeln!(text, "{}", said("remark", remark, printer));
            }
            text
        }
    }
}

/// A credential with its token, or the name and why it is none.
fn entry_text(entry: &EntryView, printer: &Printer) -> String {
    let mut text = match (&entry.credential, &entry.unusable) {
        (Some(credential), _) => credential_text(credential, printer),
        (None, Some(reason)) => {
            let mut words = said("finding", reason, printer);
            // Some reasons name the cell themselves.
            if reason.facts.contains_key("column") && !reason.code.starts_with("cell-") {
                let cell = printer.say("cli-read-cell", &reason.facts).message;
                words = format!("{cell} {words}");
            }
            format!("{}\n   {}", entry.name, words.replace('\n', "\n   "))
        }
        (None, None) => entry.name.clone(),
    };
    let token: Vec<&str> = [&entry.serial, &entry.manufacturer, &entry.model]
        .into_iter()
        .filter_map(|told| told.as_deref())
        .collect();
    let token = token.join(", ");
    // Where nobody's name is told, the token's number tells the entry from others.
    if text.starts_with('\n') {
        text.insert_str(0, &token);
    } else if !token.is_empty() {
        let _ = write!(text, "\n   {token}");
    }
    text
}

fn said(kind: &str, said: &SaidView, printer: &Printer) -> String {
    lines(&printer.say(&format!("{kind}-{}", said.code), &said.facts))
}
