//! `clock`: what a token that only its maker's tool can write tells of itself, and its
//! clock. There is no credential, so its code is not judged.

use std::fmt::Write;
use std::sync::Arc;

use desk::{Desk, Facts, Setup, TokensView, ToldView, WhatView};
use emulator::Tray;
use emulator::closed::protectimus_slim;
use serde_json::json;
use token::TokenSource;

use crate::Ended;
use crate::args::Clock;
use crate::end::End;
use crate::print::{Printer, lines};

pub(crate) fn clock(wish: &Clock, printer: &Printer) -> Ended {
    let models = Desk::closed_models();
    let reason = match models.iter().find(|model| model.code == wish.model) {
        None => Some("cli-closed-no-such-model"),
        Some(model) if !model.readable => Some("problem-model-not-readable"),
        Some(_) => None,
    };
    if let Some(reason) = reason {
        printer.refuse(reason);
        return Err(End::Failed);
    }
    let desk = Desk::new(Setup::of(sources(wish)));
    let tokens = desk.tokens();
    if let Some(problem) = tokens.problem.as_ref().filter(|_| tokens.tokens.is_empty()) {
        printer.problem(problem);
        return Err(End::Untouched);
    }
    let token = only_card(&tokens, wish.reader.as_deref()).map_err(|key| {
        printer.refuse(key);
        End::Untouched
    })?;
    printer.note(&printer.message("told-unproven"));
    let told = if wish.set {
        desk.set_closed_clock(&wish.model, &token)
    } else {
        desk.ask_closed(&wish.model, &token)
    };
    let told = told.map_err(|problem| {
        printer.problem(&problem);
        // Without a word on the token, nothing that would change it was sent; and these
        // two say that the clock may be another now.
        match problem.code.as_str() {
            "clock-not-known" | "clock-not-proven" => End::Changed,
            _ => End::Untouched,
        }
    })?;
    printer.result(&json!(told), || told_text(&told, printer));
    Ok(if told.clock == "not-known" { End::Changed } else { End::Done })
}

fn sources(wish: &Clock) -> Vec<Arc<dyn TokenSource>> {
    if !wish.practice {
        return transport::buses(token::hid_interfaces());
    }
    let tray = Tray::new(Setup::of(Vec::new()).now);
    tray.lay(Box::new(protectimus_slim::practice()), "Practice reader");
    vec![Arc::new(tray)]
}

/// The one card that could be such a token, on the reader of this name if one is given;
/// else the words for what is in the way.
pub(crate) fn only_card(tokens: &TokensView, reader: Option<&str>) -> Result<String, &'static str> {
    let mut cards = tokens.tokens.iter().filter(|token| match (&token.what, reader) {
        // Who names the reader says which card is meant, and the desk has the last word.
        (_, Some(reader)) => token.reader == reader,
        (WhatView::Stranger { code }, None) => code == "unknown-card",
        (WhatView::Trouble { .. }, None) => true,
        (WhatView::Token { .. } | WhatView::Closed { .. }, None) => false,
    });
    match (cards.next(), cards.next(), reader) {
        (Some(card), None, _) => Ok(card.id.clone()),
        (Some(_), Some(_), _) => Err("cli-clock-several-cards"),
        (None, _, Some(_)) => Err("cli-clock-no-such-reader"),
        (None, _, None) => Err("cli-clock-no-card"),
    }
}

fn told_text(told: &ToldView, printer: &Printer) -> String {
    let mut text = String::new();
    let has_clock = if told.has_clock { "yes" } else { "no" };
    let _ = writeln!(text, "hardware: {}", told.hardware);
    let _ = writeln!(text, "firmware: {}", told.firmware);
    let _ = writeln!(text, "clock: {has_clock}");
    let _ = writeln!(text, "period: {} s", told.period);
    for warning in &told.warnings {
        let said = printer.say(&format!("told-{}", warning.code), &warning.facts);
        let _ = writeln!(text, "{}", lines(&said));
    }
    if told.clock != "not-asked" {
        let _ = writeln!(text, "{}", printer.message(&format!("told-clock-{}", told.clock)));
        let said = printer.say("cli-clock-needs-credential", &Facts::new());
        let _ = writeln!(text, "{}", lines(&said));
    }
    if told.practice {
        let _ = writeln!(text, "{}", printer.message("cli-clock-practice"));
    }
    text
}
