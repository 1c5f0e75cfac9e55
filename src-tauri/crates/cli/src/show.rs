//! `tokens` and `families`, and how findings and credentials are shown.

use std::fmt::Write;
use std::sync::Arc;

use desk::{CredentialView, Desk, FindingView, PictureView, RunView, Setup, TokenView, WhatView};
use serde_json::json;

use crate::args;
use crate::end::End;
use crate::print::{Printer, lines};
use crate::question;

/// Every finding, numbered as `--finding` counts.
pub(crate) fn picture_text(view: &PictureView, printer: &Printer) -> String {
    let mut text = String::new();
    if let Some(title) = &view.title {
        let _ = writeln!(text, "{title}");
    }
    for finding in &view.findings {
        let _ = writeln!(text, "{}. {}", finding.id + 1, finding_text(finding, printer));
    }
    if view.unread > 0 {
        let _ = writeln!(text, "{} more code(s) could not be read.", view.unread);
    }
    for remark in &view.remarks {
        let said = printer.say(&format!("remark-{}", remark.code), &remark.facts);
        let _ = writeln!(text, "{}", lines(&said));
    }
    text
}

fn finding_text(finding: &FindingView, printer: &Printer) -> String {
    let mut text = if let Some(credential) = &finding.credential {
        credential_text(credential, printer)
    } else {
        let reason = question::reason(&finding.kind, &finding.code, &finding.facts, printer);
        let reason = reason.replace('\n', "\n   ");
        if finding.name.is_empty() { reason } else { format!("{}\n   {reason}", finding.name) }
    };
    for told in [&finding.token, &finding.file].into_iter().flatten() {
        let _ = write!(text, "\n   {told}");
    }
    text
}

/// Whose it is and its parameters, and what should be known about it.
pub(crate) fn credential_text(credential: &CredentialView, printer: &Printer) -> String {
    let mut text = format!(
        "{}\n   {}, {} digits, {} s, secret of {} bytes",
        credential.title,
        credential.algorithm,
        credential.digits,
        credential.period,
        credential.secret_bytes
    );
    for note in &credential.notes {
        let _ = write!(text, "\n   {}", printer.message(&format!("note-{note}")));
    }
    text
}

pub(crate) fn tokens(arguments: &args::Tokens, printer: &Printer) -> End {
    let mut sources = transport::buses(token::hid_interfaces());
    if arguments.practice {
        let tray = emulator::Tray::new(Setup::of(Vec::new()).now);
        tray.lay_out();
        sources.push(Arc::new(tray));
    }
    let view = Desk::new(Setup::of(sources)).tokens();
    printer.result(&json!(view), || {
        let mut text = String::new();
        if let Some(problem) = &view.problem {
            let said = printer.say(&format!("problem-{}", problem.code), &problem.facts);
            let _ = writeln!(text, "{}", lines(&said));
        }
        if view.tokens.is_empty() && view.problem.is_none() {
            let _ = writeln!(text, "{}", lines(&printer.say("cli-no-tokens", &desk::Facts::new())));
        }
        for token in &view.tokens {
            let _ = writeln!(text, "{}", token_text(token, printer));
        }
        text
    });
    if view.problem.is_some() { End::Failed } else { End::Done }
}

/// One token in a few lines.
pub(crate) fn token_text(token: &TokenView, printer: &Printer) -> String {
    let practice = if token.practice { "PRACTICE " } else { "" };
    match &token.what {
        WhatView::Token {
            family,
            model,
            serial,
            firmware,
            clock_offset,
            locked,
            tries_left,
            read_only,
            proof,
            evidence,
        } => {
            let mut text = format!("{practice}{serial}  {model}");
            if let Some(firmware) = firmware {
                let _ = write!(text, ", firmware {firmware}");
            }
            let _ = write!(text, "\n   {family}, on {}", token.reader);
            let _ = write!(text, "\n   {}", printer.message(&format!("proof-{proof}")));
            let _ = write!(text, "\n   {}", printer.message(&format!("evidence-{evidence}")));
            if let Some(offset) = clock_offset {
                let _ = write!(text, "\n   clock: {offset:+} s against this computer");
            }
            if *locked {
                let _ = write!(text, "\n   {}", printer.message("problem-token-locked"));
                if let Some(left) = tries_left {
                    let _ = write!(text, " ({left})");
                }
            }
            if let Some(reason) = read_only {
                let _ = write!(text, "\n   {}", printer.message(&format!("misfit-{reason}")));
            }
            text
        }
        // It is on no reader, so it is in no list of what is there.
        WhatView::Closed { model, .. } => format!("{practice}{model}"),
        WhatView::Stranger { code } => {
            let said = printer.say(&format!("stranger-{code}"), &desk::Facts::new());
            format!("{practice}{}: {}", token.reader, lines(&said))
        }
        WhatView::Trouble { problem } => {
            let said = printer.say(&format!("problem-{}", problem.code), &problem.facts);
            format!("{practice}{}: {}", token.reader, lines(&said))
        }
    }
}

pub(crate) fn families(printer: &Printer) -> End {
    let families = Desk::families();
    let closed = Desk::closed_models();
    printer.result(&json!({ "families": families, "closed": closed }), || {
        let mut text = String::new();
        for family in &families {
            let _ = writeln!(text, "{}  {}", family.family, family.title);
            let _ = writeln!(text, "   models: {}", family.models.join(", "));
            let _ = writeln!(text, "   channel: {}", family.channel);
            let proof = printer.message(&format!("proof-{}", family.proof));
            let _ = writeln!(text, "   proof: {} ({proof})", family.proof);
            for (name, limit) in &family.limits {
                let _ = writeln!(text, "   {name}: {limit}");
            }
            let _ = writeln!(text, "   evidence: {} - {}", family.evidence, family.evidence_source);
            let seen = if family.seen_on_hardware { "yes" } else { "no" };
            let _ = writeln!(text, "   seen on hardware: {seen}\n");
        }
        let _ = writeln!(text, "{}:\n", printer.message("cli-closed-heading"));
        for model in &closed {
            let _ = writeln!(text, "{}  {} {}", model.code, model.maker, model.model);
            let _ = writeln!(text, "   tool: {}", model.tool.as_deref().unwrap_or("not known"));
            let _ = writeln!(text, "   secret as: {}", model.forms.join(", "));
            let _ = writeln!(text, "   source: {}\n", model.source);
        }
        text
    });
    End::Done
}

/// The findings of a run that waits for a choice.
pub(crate) fn findings(view: &RunView) -> Option<&PictureView> {
    match view {
        RunView::Found { picture } => Some(picture),
        _ => None,
    }
}
