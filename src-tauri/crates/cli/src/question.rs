//! What a file asks before it can be read, and who answers: an option or a person.

use std::path::Path;

use desk::{Facts, Problem, SaidView};
use zeroize::Zeroizing;

use crate::print::{Printer, lines};
use crate::prompt;

/// The question with what to do about it on the command line.
pub(crate) fn text(question: &SaidView, printer: &Printer) -> String {
    let mut said = printer.say(&format!("question-{}", question.code), &question.facts);
    let how = match question.code.as_str() {
        "encoding-needed" => "cli-read-how-encoding",
        _ => "cli-read-how-password",
    };
    let next = said.next.take().unwrap_or_default();
    said.next = Some(format!("{next} {}", printer.message(how)));
    lines(&said)
}

/// A password that a person types; nobody is asked where nobody can answer.
pub(crate) fn ask(question: &SaidView, printer: &Printer) -> Option<Zeroizing<String>> {
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

/// The first line of a file.
pub(crate) fn password_in(path: Option<&Path>) -> Result<Option<Zeroizing<String>>, Problem> {
    let Some(path) = path else {
        return Ok(None);
    };
    let bytes = prompt::file_or_input(path)?;
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    Ok(text.lines().next().map(|line| Zeroizing::new(line.to_owned())))
}

/// The reason, with the cell that it is about where it does not name it itself.
pub(crate) fn reason(kind: &str, code: &str, facts: &Facts, printer: &Printer) -> String {
    let mut said = printer.say(&format!("{kind}-{code}"), facts);
    // Among several files, nobody is asked for one of them.
    if kind == "question" {
        said.next = Some(printer.message("finding-alone"));
    }
    let words = lines(&said);
    if facts.contains_key("column") && !code.starts_with("cell-") {
        let cell = printer.say("finding-cell", facts).message;
        return format!("{cell} {words}");
    }
    words
}
