//! Every exchange of every family, cut, refused, silenced and garbled once: the
//! token state that is reported must be what the emulated token really holds.
//!
//! The write is driven through the desk, as in the product, so the states are
//! those that a person is told, after the desk has asked the token where it can.
//! The conditions are in `cards.rs` and `hid.rs`, what is true in `truth.rs`.

mod cards;
mod case;
mod hid;
mod truth;

use std::collections::BTreeMap;
use std::fmt::Write;

use desk::{Choice, Problem, RunView, WhatView};
use emulator::{Fault, Script, TrayId};
use sower_tests::world::{World, canary_uri, factory_pin};

use case::{Answers, Case, Ends};
use truth::{Holding, holdings, is_true};

/// Every family as its practice token, so that a new one is broken in every way
/// without a line here, and in the conditions that are known of it. One family does
/// not tell what it holds but by a code, which its practice token cannot change.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for family in emulator::FAMILIES {
        let make = || emulator::practice(family).expect("a family of the list");
        let case = Case::boxed(format!("{family}, practice token"), Box::new(make));
        let case = Case { password: factory_pin(family), ..case };
        cases.push(match *family {
            "mooltipass" => hid::of_mooltipass(case),
            _ => case,
        });
    }
    cases.extend(cards::token2_nfc_single_profile());
    cases.extend(cards::yubikey_oath());
    cases.extend(cards::token2_molto2());
    cases.extend(cards::feitian_otp_applet());
    cases.extend(cards::token2_fido_otp());
    cases.extend(hid::nitrokey_secrets());
    cases.extend(hid::nitrokey_pro());
    cases.extend(hid::yubikey_otp_hid());
    cases.extend(hid::onlykey());
    cases.extend(hid::mooltipass());
    cases
}

/// A desk with one token, and the canary planned for it.
struct Planned {
    world: World,
    id: TrayId,
    /// What has to give way, as the desk told.
    replaces: String,
    /// Whether the token tells what it holds, by its own word.
    tells: bool,
}

/// Captures the canary and plans it; what else came of that is the error.
fn plan(case: &Case) -> Result<Planned, (Box<RunView>, Option<Problem>)> {
    let world = World::new();
    let id = world.put((case.make)());
    world.desk.read_text(&canary_uri()).expect("the canary is a credential");
    let token = world.token();
    let tells = match &token.what {
        WhatView::Token { proof, .. } => matches!(proof.as_str(), "computes" | "reads-clock"),
        WhatView::Trouble { problem } => {
            return Err((Box::new(world.desk.view()), Some(problem.clone())));
        }
        other => panic!("{}: {other:?}", case.title),
    };
    let choice = Choice { name: None, slot: case.slot };
    let password = case.password.map(|password| password.to_owned().into());
    match world.desk.plan(&token.id, &choice, password) {
        Ok(RunView::Planned { plan, .. }) => {
            let tells = tells && case.answers != Answers::Never;
            Ok(Planned { world, id, replaces: plan.replaces, tells })
        }
        Ok(RunView::Locked { problem, .. }) => Err((Box::new(world.desk.view()), problem)),
        Ok(other) => Err((Box::new(other), None)),
        Err(problem) => Err((Box::new(world.desk.view()), Some(problem))),
    }
}

struct Told {
    /// The state that was told; `None` for a confirmation.
    state: Option<String>,
    problem: Option<Problem>,
    replaces: String,
    tells: bool,
    before: Vec<Holding>,
    after: Vec<Holding>,
    /// Exchanges from the beginning of the write on.
    exchanges: usize,
}

/// Writes the canary with one fault, or none, and tells what was reported.
fn attempt(case: &Case, fault: Option<Script>) -> Told {
    let Planned { world, id, replaces, tells } =
        plan(case).unwrap_or_else(|(view, problem)| panic!("{}: {view:?} {problem:?}", case.title));
    let before = holdings(&world, id);
    if case.touched {
        world.tray.press(id);
    }
    world.tray.arm(id, fault.as_slice());
    let (state, problem) = match world.write() {
        RunView::Confirmed { .. } => (None, None),
        RunView::Written { problem, .. } => (Some("written".to_owned()), problem),
        RunView::Failed { problem, .. }
        // The key was not this token's, as far as could be heard.
        | RunView::Locked { problem: Some(problem), .. } => (problem.token.clone(), Some(problem)),
        other => panic!("{}: {other:?}", case.title),
    };
    let (after, exchanges) = (holdings(&world, id), world.tray.exchanges(id));
    let tells = tells && (case.answers == Answers::Always || before != after);
    Told { state, problem, replaces, tells, before, after, exchanges }
}

/// Whether what was told is true, and no lazier than it has to be.
fn verdict(told: &Told, fault: Fault) -> bool {
    match told.state.as_deref() {
        // Confirmed in spite of the fault: then it must hold it.
        None => is_true("written", &told.replaces, &told.before, &told.after),
        // Not knowing is true where nothing can be asked: a token that does not
        // tell, or one that is gone.
        Some("unknown") => {
            let gone = matches!(
                fault,
                Fault::RemovedBefore
                    | Fault::RemovedAfter
                    | Fault::SwappedBefore
                    | Fault::Silent
                    | Fault::SilentBefore
            );
            !told.tells || gone
        }
        Some(state) => is_true(state, &told.replaces, &told.before, &told.after),
    }
}

/// What is wrong with an unharmed write in this condition, if anything.
fn misled(case: &Case, clean: &Told) -> Option<String> {
    let Told { state, problem, .. } = clean;
    let has = |code| problem.as_ref().is_some_and(|problem| problem.code == code);
    let as_expected = match case.ends {
        // A token that computes is confirmed, all others wait for a code.
        Ends::Proven if clean.tells => state.is_none(),
        Ends::Proven => state.as_deref() == Some("written") && problem.is_none(),
        Ends::Unproven(code) => state.as_deref() == Some("written") && has(code),
        Ends::Refused(code) => state.as_deref() == Some("untouched") && has(code),
        Ends::Unknown(code) => state.as_deref() == Some("unknown") && has(code),
    };
    let replaces = case.replaces.is_none_or(|replaces| clean.replaces == replaces);
    if as_expected && replaces && verdict(clean, Fault::Empty) && clean.exchanges >= 3 {
        return None;
    }
    Some(format!(
        "{}, no fault, {} exchanges: told {state:?}, problem {problem:?}, replaces {}\n   \
         before {:?}\n   after {:?}",
        case.title, clean.exchanges, clean.replaces, clean.before, clean.after
    ))
}

/// The first exchange after which the token is another one: until then, "unknown" is
/// the lazy answer. Where nothing can be seen to change, none is.
fn first_change(case: &Case, clean: &Told) -> usize {
    let changes = |exchange: &usize| {
        let cut = attempt(case, Some(Script::at_exchange(*exchange, Fault::RemovedAfter)));
        cut.before != cut.after
    };
    if clean.before == clean.after { 0 } else { (0..clean.exchanges).find(changes).unwrap_or(0) }
}

#[test]
fn after_every_fault_the_reported_state_is_the_true_one() {
    let mut wrong = String::new();
    let (mut total, mut unknown, mut confirmed) = (0, 0, 0);
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    let cases = cases();
    for case in &cases {
        let clean = attempt(case, None);
        if let Some(misled) = misled(case, &clean) {
            let _ = writeln!(wrong, "{misled}");
            continue;
        }
        let changing = first_change(case, &clean);
        for exchange in 0..clean.exchanges {
            for fault in Fault::ALL {
                let told = attempt(case, Some(Script::at_exchange(exchange, fault)));
                let is_unknown = told.state.as_deref() == Some("unknown");
                let lazy = is_unknown && exchange + case.reports <= changing;
                total += 1;
                unknown += usize::from(is_unknown);
                confirmed += usize::from(told.state.is_none());
                if lazy || !verdict(&told, fault) {
                    let _ = writeln!(
                        wrong,
                        "{}, exchange {exchange} of {}, {fault:?}: told {:?}{}, problem {:?}\n   \
                         before {:?}\n   after {:?}",
                        case.title,
                        clean.exchanges,
                        told.state,
                        if lazy { " before anything changed" } else { "" },
                        told.problem,
                        told.before,
                        told.after
                    );
                }
            }
        }
        let family = case.title.split(',').next().unwrap_or_default();
        *families.entry(family.to_owned()).or_default() += clean.exchanges * Fault::ALL.len();
    }
    println!(
        "conformance: {total} cases (exchange x fault x family and condition), \
         {unknown} told as unknown, {confirmed} confirmed in spite of the fault; \
         {} conditions: {families:?}",
        cases.len()
    );
    assert!(wrong.is_empty(), "{wrong}");
    assert!(total > 500, "only {total} cases");
}

/// What a token is not fit for is said before anything is written, and nothing is.
#[test]
fn what_cannot_be_planned_is_turned_back_untouched() {
    let mut turned_back = Vec::new();
    turned_back.extend(cards::turned_back());
    turned_back.extend(hid::turned_back());
    for (case, code) in turned_back {
        let (view, problem) = match plan(&case) {
            Ok(planned) => panic!("{}: planned, replaces {}", case.title, planned.replaces),
            Err(turned_back) => turned_back,
        };
        let told = match (&problem, &*view) {
            (Some(problem), _) => problem.code.clone(),
            (None, RunView::Unfit { misfits, .. }) => misfits[0].code.clone(),
            (None, RunView::Locked { guard, .. }) => format!("locked-{guard}"),
            (None, other) => panic!("{}: {other:?}", case.title),
        };
        assert_eq!(told, code, "{}", case.title);
    }
}
