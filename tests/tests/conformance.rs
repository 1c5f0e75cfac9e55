//! Every exchange of every family, cut, refused, silenced and garbled once: the
//! token state that is reported must be what the emulated token really holds.
//!
//! The write is driven through the desk, as in the product, so the states are
//! those that a person is told, after the desk has asked the token where it can.

use std::fmt::Write;

use desk::{Problem, RunView, WhatView};
use emulator::families::token2_nfc_single_profile::{OTPC_P1_I, OTPC_P2_I, Token2NfcSingleProfile};
use emulator::families::yubikey_oath::{Product, YubikeyOath};
use emulator::{Applet, Fault, Held, Script, TrayId};
use oath::{Algorithm, Digits, Period, SharedSecret};
use sower_tests::world::{World, canary};

const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
const PASSWORD: &str = "correct horse";

/// One kind of token in one condition.
struct Case {
    title: String,
    make: Box<dyn Fn() -> Box<dyn Applet>>,
    password: Option<&'static str>,
    /// Whether the desk can ask the token what it holds.
    tells: bool,
}

/// Whether a family's tokens tell what they hold, by their own word.
fn practised(family: &str) -> bool {
    let world = World::new();
    world.put(emulator::practice(family).expect("a family of the list"));
    match world.token().what {
        WhatView::Token { proof, .. } => proof == "computes",
        other => panic!("{family}: {other:?}"),
    }
}

fn old_secret() -> SharedSecret {
    SharedSecret::new(b"an older secret here".to_vec())
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // Every family as its practice token, so that a new one is broken in every way
    // without a line here; the conditions below are what each of these adds.
    for family in emulator::FAMILIES {
        let tells = practised(family);
        cases.push(Case {
            title: format!("{family}, practice token"),
            make: Box::new(|| emulator::practice(family).expect("a family of the list")),
            password: None,
            tells,
        });
    }
    for (title, prefix) in [("restricted", OTPC_P2_I), ("keeps its seed", OTPC_P1_I)] {
        cases.push(Case {
            title: format!("token2-nfc-single-profile, {title}"),
            make: Box::new(move || {
                Box::new(Token2NfcSingleProfile::new(prefix, 7).holding(
                    old_secret(),
                    Algorithm::Sha256,
                    Period::S60,
                ))
            }),
            password: None,
            tells: false,
        });
    }
    for product in Product::ALL {
        cases.push(Case {
            title: format!("yubikey-oath, {}, empty", product.title),
            make: Box::new(move || Box::new(YubikeyOath::new(product, 1))),
            password: None,
            tells: true,
        });
        cases.push(Case {
            title: format!("yubikey-oath, {}, name taken", product.title),
            make: Box::new(move || {
                Box::new(YubikeyOath::new(product, 1).holding(
                    NAME,
                    old_secret(),
                    Algorithm::Sha1,
                    Digits::SIX,
                ))
            }),
            password: None,
            tells: true,
        });
        cases.push(Case {
            title: format!("yubikey-oath, {}, password, name taken", product.title),
            make: Box::new(move || {
                Box::new(YubikeyOath::new(product, 1).protected_by(PASSWORD).holding(
                    NAME,
                    old_secret(),
                    Algorithm::Sha1,
                    Digits::SIX,
                ))
            }),
            password: Some(PASSWORD),
            tells: true,
        });
    }
    cases
}

/// What a token holds, as far as it matters to the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holding {
    name: Option<String>,
    is_canary: bool,
    secret_len: usize,
    algorithm: Algorithm,
    period: Option<Period>,
}

fn holdings(world: &World, id: TrayId) -> Vec<Holding> {
    let is_canary = |held: &Held| {
        let canary = canary();
        // What is stored may be padded with zeros.
        held.secret.expose().starts_with(canary.expose())
            && held.secret.expose()[canary.len()..].iter().all(|byte| *byte == 0)
    };
    let holding = |held: Held| Holding {
        is_canary: is_canary(&held),
        name: held.name,
        secret_len: held.secret.len(),
        algorithm: held.algorithm,
        period: held.period,
    };
    world.tray.holds(id).into_iter().map(holding).collect()
}

/// Whether a reported state is what the token holds.
fn is_true(state: &str, before: &[Holding], after: &[Holding]) -> bool {
    let has_canary = after.iter().any(|held| held.is_canary);
    match state {
        "untouched" => before == after,
        "written" => has_canary,
        "emptied" => after.is_empty() && !before.is_empty(),
        "old-secret-new-settings" => match (before, after) {
            ([old], [new]) => {
                !new.is_canary
                    && old.secret_len == new.secret_len
                    && (new.algorithm, new.period) == (Algorithm::Sha1, Some(Period::S30))
            }
            _ => false,
        },
        other => panic!("no such state: {other}"),
    }
}

struct Told {
    /// The state that was told; `None` for a confirmation.
    state: Option<String>,
    problem: Option<Problem>,
    before: Vec<Holding>,
    after: Vec<Holding>,
    /// Exchanges from the beginning of the write on.
    exchanges: usize,
}

/// Writes the canary with one fault, or none, and tells what was reported.
fn attempt(case: &Case, fault: Option<Script>) -> Told {
    let world = World::new();
    let id = world.put((case.make)());
    world.plan_canary(case.password);
    let before = holdings(&world, id);
    world.tray.arm(id, fault.as_slice());
    let view = world.write();
    let (state, problem) = match view {
        RunView::Confirmed { .. } => (None, None),
        RunView::Written { problem, .. } => (Some("written".to_owned()), problem),
        RunView::Failed { problem, .. } => (problem.token.clone(), Some(problem)),
        other => panic!("{}: {other:?}", case.title),
    };
    Told {
        state,
        problem,
        before,
        after: holdings(&world, id),
        exchanges: world.tray.exchanges(id),
    }
}

#[test]
fn after_every_fault_the_reported_state_is_the_true_one() {
    let mut wrong = String::new();
    let (mut total, mut unknown, mut confirmed) = (0, 0, 0);
    for case in cases() {
        let clean = attempt(&case, None);
        let proven = clean.state.as_deref().is_none_or(|state| state == "written");
        assert!(proven, "{}: {:?}", case.title, clean.problem);
        assert!(clean.exchanges >= 3, "{} exchanges", clean.exchanges);
        for exchange in 0..clean.exchanges {
            for fault in Fault::ALL {
                total += 1;
                let told = attempt(&case, Some(Script::at_exchange(exchange, fault)));
                let verdict = match told.state.as_deref() {
                    // Confirmed in spite of the fault: then it must hold it.
                    None => {
                        confirmed += 1;
                        is_true("written", &told.before, &told.after)
                    }
                    // Not knowing is true where nothing can be asked: a token
                    // that does not tell, or one that is gone.
                    Some("unknown") => {
                        unknown += 1;
                        let gone = matches!(
                            fault,
                            Fault::RemovedBefore
                                | Fault::RemovedAfter
                                | Fault::SwappedBefore
                                | Fault::Silent
                                | Fault::SilentBefore
                        );
                        !case.tells || gone
                    }
                    Some(state) => is_true(state, &told.before, &told.after),
                };
                if !verdict {
                    let _ = writeln!(
                        wrong,
                        "{}, exchange {exchange}, {fault:?}: told {:?}, problem {:?}\n   before {:?}\n   after {:?}",
                        case.title, told.state, told.problem, told.before, told.after
                    );
                }
            }
        }
    }
    println!(
        "conformance: {total} cases (exchange x fault x family and condition), \
         {unknown} told as unknown, {confirmed} confirmed in spite of the fault"
    );
    assert!(wrong.is_empty(), "{wrong}");
    assert!(total > 500, "only {total} cases");
}

/// "Unknown" must not be the lazy answer: it is allowed only from the first
/// exchange on that changes the token.
#[test]
fn before_anything_is_changed_every_fault_leaves_the_token_untouched() {
    // SELECT, look, challenge and answer for the display token; SELECT and LIST for
    // the key.
    let reads = [("token2-nfc-single-profile", 4), ("yubikey-oath", 2)];
    for case in cases().into_iter().filter(|case| case.password.is_none()) {
        let reads = reads.iter().find(|(family, _)| case.title.starts_with(family));
        let (_, reads) = reads.expect("a family of the list");
        for exchange in 0..*reads {
            for fault in Fault::ALL {
                let told = attempt(&case, Some(Script::at_exchange(exchange, fault)));
                let state = told.state.as_deref();
                let harmless = matches!(state, Some("untouched" | "written") | None);
                assert!(harmless, "{} {exchange} {fault:?}: {state:?}", case.title);
                if state == Some("untouched") {
                    assert_eq!(told.before, told.after, "{} {exchange} {fault:?}", case.title);
                }
            }
        }
    }
}
