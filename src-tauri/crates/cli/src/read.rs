//! `read`: what is in pictures, exports, vaults and seed files, without secrets.

use std::fmt::Write;

use desk::{Desk, EntryView, ReadView, SaidView, Setup, read_files};
use serde_json::json;

use crate::Ended;
use crate::args;
use crate::end::End;
use crate::print::{Printer, lines};
use crate::prompt;
use crate::question;
use crate::show::{credential_text, picture_text};

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
    {
        let enrollable = view.findings.iter().any(|finding| finding.credential.is_some());
        printer.result(&json!(view), || picture_text(&view, printer));
        return Ok(if enrollable { End::Done } else { End::NoCredential });
    }
    let encoding = read.encoding.as_deref();
    let password = question::password_in(read.password_file.as_deref()).map_err(fail)?;
    let asked = password.is_none();
    let mut view = read_files(&files, password, encoding).map_err(fail)?;
    if asked
        && let ReadView::Question { question } = &view
        && let Some(password) = question::ask(question, printer)
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

fn text(view: &ReadView, printer: &Printer) -> String {
    match view {
        ReadView::Question { question } => question::text(question, printer),
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
            let words = question::reason("finding", &reason.code, &reason.facts, printer);
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
