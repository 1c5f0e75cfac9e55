//! Prints: text for people, or one JSON document for programs.
//!
//! Questions and hints go to standard error, so that standard output is the
//! result alone.

use std::io::{Write, stderr, stdout};

use desk::{Facts, Problem, Progress, Said, SaidView, Words};
use serde_json::Value;

/// Prints in one of the two forms.
pub(crate) struct Printer {
    json: bool,
    words: Words,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, words: Words::english() }
    }

    /// Whether it prints for programs: what another thread makes one of its own of,
    /// because the words are not shared between threads.
    pub(crate) const fn form(&self) -> bool {
        self.json
    }

    /// How far a conversation with a token has come.
    pub(crate) fn progress(&self, step: Progress) {
        if let Ok(Value::String(step)) = serde_json::to_value(step) {
            self.note(&self.message(&format!("progress-{step}")));
        }
    }

    /// The result: `document` for programs, `text` for people.
    pub(crate) fn result(&self, document: &Value, text: impl FnOnce() -> String) {
        if self.json {
            say_out(&format!("{document:#}"));
        } else {
            say_out(text().trim_end());
        }
    }

    /// What a person who follows along should know; not for programs.
    pub(crate) fn note(&self, line: &str) {
        if !self.json {
            say_err(line);
        }
    }

    /// A problem, in both forms: what the token holds, what went wrong, what to do.
    pub(crate) fn problem(&self, problem: &Problem) {
        if self.json {
            say_out(&format!("{:#}", serde_json::json!({ "problem": problem })));
            return;
        }
        if let Some(state) = &problem.token {
            say_err(&self.say(&format!("state-{state}"), &Facts::new()).message);
        }
        say_err(&lines(&self.say(&format!("problem-{}", problem.code), &problem.facts)));
    }

    /// The words for a key that only the terminal says, as a problem of its own.
    pub(crate) fn refuse(&self, key: &str) {
        if self.json {
            say_out(&format!("{:#}", serde_json::json!({ "problem": { "code": key } })));
        } else {
            say_err(&lines(&self.say(key, &Facts::new())));
        }
    }

    /// What ends a command before there was a result: a code with its facts, or text.
    pub(crate) fn asked(&self, said: &SaidView, text: impl FnOnce() -> String) {
        if self.json {
            say_out(&format!("{:#}", serde_json::json!({ "problem": said })));
        } else {
            say_err(&text());
        }
    }

    /// The words for a key.
    pub(crate) fn say(&self, key: &str, facts: &Facts) -> Said {
        self.words.say(key, facts)
    }

    /// The message for a key without facts.
    pub(crate) fn message(&self, key: &str) -> String {
        self.say(key, &Facts::new()).message
    }
}

/// A reader that is gone must not end a run that holds a token.
fn say_out(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

fn say_err(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

/// Message, detail and next step, each on a line of its own.
pub(crate) fn lines(said: &Said) -> String {
    let mut text = said.message.clone();
    if let Some(detail) = &said.detail {
        text.push('\n');
        text.push_str(detail);
    }
    if let Some(next) = &said.next {
        text.push_str("\n  -> ");
        text.push_str(next);
    }
    text
}
