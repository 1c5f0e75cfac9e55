//! Journeys with the one closed token of which a part is public: it is asked only when
//! somebody says that it is there, tells of itself and its code, and has its clock set.
//! The maker's app is played by a token that holds the secret from the beginning.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use desk::{RunView, ToldView};
use emulator::closed::protectimus_slim::{MODEL, ProtectimusSlim};
use emulator::{Fault, Script, TrayId};
use serde_json::Value;
use sower_tests::paths;
use sower_tests::world::{CANARY, World, canary, canary_uri};

/// Operations of the protocol: the third byte of a message.
const INFORMATION: u8 = 0x10;
const CODE: u8 = 0x42;
const CLOCK: u8 = 0x12;

const NOTHING: [u8; 0] = [];

fn slim() -> ProtectimusSlim {
    ProtectimusSlim::new(1, canary().expose())
}

/// The operations that were sent to a token in its own protocol, in order.
fn asked(world: &World, id: TrayId) -> Vec<u8> {
    let log = world.tray.log(id);
    log.iter().filter(|sent| sent.header[0] == 0x86).map(|sent| sent.header[2]).collect()
}

/// A world with a token on the reader and the canary handed over for its model.
fn handed(token: ProtectimusSlim) -> (World, TrayId, String) {
    let world = World::new();
    let id = world.put(Box::new(token));
    world.desk.read_text(&canary_uri()).expect("the canary is a credential");
    let view = world.desk.hand_over(MODEL, None).expect("a stage");
    assert!(matches!(view, RunView::Assisted { told: None, .. }), "{view:?}");
    let token = world.token().id;
    (world, id, token)
}

/// The same, and somebody said that the maker's app has written.
fn reported(token: ProtectimusSlim) -> (World, TrayId, String) {
    let (world, id, token) = handed(token);
    world.desk.handed_written().expect("somebody said so");
    world.tray.arm(id, &[]);
    (world, id, token)
}

fn told(view: &RunView) -> &ToldView {
    match view {
        RunView::Assisted { told: Some(told), .. } | RunView::Written { told: Some(told), .. } => {
            told
        }
        other => panic!("nothing was told: {other:?}"),
    }
}

/// The verdict's code of a run that goes on or is confirmed.
fn verdict(view: &RunView) -> &str {
    match view {
        RunView::Written { verdict: Some(verdict), .. } | RunView::Confirmed { verdict, .. } => {
            &verdict.code
        }
        other => panic!("nothing was judged: {other:?}"),
    }
}

fn codes(told: &ToldView) -> Vec<&str> {
    told.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[test]
fn nobody_asks_it_before_somebody_says_that_it_is_there() {
    let (world, id, token) = handed(slim());
    world.desk.tokens();
    assert_eq!(asked(&world, id), NOTHING, "it was asked unnamed");
    let view = world.desk.ask_handed(&token).expect("it answers");
    assert_eq!(asked(&world, id), [INFORMATION]);
    let told = told(&view);
    assert_eq!((told.firmware.as_str(), told.hardware.as_str()), ("1.5", "3"));
    assert_eq!((told.period, told.has_clock, told.clock.as_str()), (30, true, "not-asked"));
    assert!(told.practice && codes(told).is_empty(), "{told:?}");
}

#[test]
fn what_is_known_to_be_something_else_is_not_asked() {
    for family in emulator::FAMILIES {
        let (world, _, _) = handed(slim());
        let other = emulator::practice(family).expect("it is in the list");
        let other = world.tray.lay(other, "Another reader");
        let tokens = world.desk.tokens().tokens;
        let place = tokens.last().expect("it is there").id.clone();
        let problem = world.desk.ask_handed(&place).expect_err("it is known");
        assert_eq!(problem.code, "not-this-model", "{family}");
        assert_eq!(asked(&world, other), NOTHING, "{family}");
    }
}

#[test]
fn a_model_of_which_nothing_is_public_is_not_asked() {
    let world = World::new();
    let id = world.put(Box::new(slim()));
    let token = world.token().id;
    let problem = world.desk.ask_closed("protectimus-flex", &token).expect_err("closed");
    assert_eq!(problem.code, "model-not-readable");
    assert_eq!(world.desk.ask_closed("no-such", &token).expect_err("none").code, "unknown-model");
    assert_eq!(world.desk.ask_closed(MODEL, "no-such").expect_err("gone").code, "unknown-token");
    assert_eq!(world.desk.ask_handed(&token).expect_err("no run").code, "wrong-stage");
    assert_eq!(asked(&world, id), NOTHING);
}

#[test]
fn its_code_is_judged_as_a_typed_one() {
    let (world, id, token) = reported(slim().with_right_clock());
    let view = world.desk.judge_told(&token).expect("it answers");
    assert_eq!(verdict(&view), "right-told");
    assert_eq!(asked(&world, id), [INFORMATION, CODE], "nothing that changes it was sent");
    let text = world.desk.receipt().expect("a receipt");
    assert!(!text.contains(CANARY));
    let receipt: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(receipt["outcome"], "confirmed");
    assert_eq!(receipt["evidence"]["kind"], "told");
    assert_eq!(receipt["evidence"]["offset_steps"], 0);
    assert_eq!(receipt["written_by"], "makers-tool");
    assert_eq!(receipt["practice"], true, "the code was a practice token's");
}

#[test]
fn a_clock_that_went_wrong_is_set_and_the_code_is_the_proof() {
    // Four minutes slow: no code of its is near the right one.
    let (world, id, token) = reported(slim());
    let view = world.desk.judge_told(&token).expect("it answers");
    assert_eq!(verdict(&view), "no-match-told");
    world.tray.arm(id, &[]);
    let view = world.desk.set_handed_clock(&token).expect("it answers");
    assert_eq!(verdict(&view), "right-told");
    assert_eq!(asked(&world, id), [INFORMATION, CLOCK, CODE], "one hold, once each");
    assert!(matches!(view, RunView::Confirmed { .. }));
}

#[test]
fn before_somebody_says_that_it_is_written_nothing_is_judged() {
    let (world, id, token) = handed(slim());
    world.tray.arm(id, &[]);
    let view = world.desk.set_handed_clock(&token).expect("it answers");
    assert_eq!(told(&view).clock, "taken");
    assert!(matches!(view, RunView::Assisted { .. }), "{view:?}");
    assert_eq!(asked(&world, id), [INFORMATION, CLOCK, CODE]);
    let view = world.desk.handed_written().expect("somebody said so");
    assert_eq!(told(&view).clock, "taken", "it is not forgotten");
    assert_eq!(verdict(&world.desk.judge_told(&token).expect("it answers")), "right-told");
}

#[test]
fn another_period_is_warned_of_and_no_clock_is_not_set() {
    let (world, id, token) = reported(slim().with_sixty_seconds());
    let view = world.desk.ask_handed(&token).expect("it answers");
    let told = told(&view);
    assert_eq!((told.period, codes(told)), (60, vec!["period"]));
    assert_eq!(told.warnings[0].facts["wanted"], "30");
    let view = world.desk.set_handed_clock(&token).expect("it answers");
    assert_eq!(verdict(&view), "no-match-told", "codes of 60 s are no codes of 30 s");
    assert!(asked(&world, id).contains(&CLOCK));

    let (world, id, token) = reported(slim().without_clock());
    let view = world.desk.ask_handed(&token).expect("it answers");
    assert_eq!(codes(self::told(&view)), ["no-clock"]);
    let problem = world.desk.set_handed_clock(&token).expect_err("it has none");
    assert_eq!(problem.code, "no-clock-to-set");
    assert_eq!(asked(&world, id), [INFORMATION, INFORMATION], "no time was sent");
}

#[test]
fn sixty_seconds_are_set_and_judged_where_they_are_wanted() {
    let world = World::new();
    world.put(Box::new(slim().with_sixty_seconds()));
    let token = world.token().id;
    world.desk.read_text(&format!("{}&period=60", canary_uri())).expect("a credential");
    world.desk.hand_over(MODEL, None).expect("a stage");
    world.desk.handed_written().expect("somebody said so");
    let view = world.desk.set_handed_clock(&token).expect("it answers");
    assert_eq!(verdict(&view), "right-told");
}

#[test]
fn one_that_tells_what_was_shown_is_read_again_after_its_button() {
    let (world, id, token) = reported(slim().telling_what_was_shown());
    assert_eq!(verdict(&world.desk.judge_told(&token).expect("it answers")), "no-match-told");
    let view = world.desk.set_handed_clock(&token).expect("it answers");
    assert_eq!(verdict(&view), "no-match-told", "the old code proves nothing");
    assert_eq!(told(&view).clock, "taken");
    world.tray.press(id);
    assert_eq!(verdict(&world.desk.judge_told(&token).expect("it answers")), "right-told");
}

#[test]
fn another_secret_is_not_confirmed() {
    let other = ProtectimusSlim::new(1, b"not the canary").with_right_clock();
    let (world, _, token) = reported(other);
    assert_eq!(verdict(&world.desk.judge_told(&token).expect("it answers")), "no-match-told");
    assert!(world.desk.receipt().is_err(), "no receipt before the end");
    assert!(matches!(world.desk.stop().expect("stopped"), RunView::Unconfirmed { .. }));
}

#[test]
fn an_impossible_date_is_not_set() {
    let world = World::new();
    let id = world.put(Box::new(slim()));
    let token = world.token().id;
    // 2106-02-07, behind which no 32 bits of seconds go.
    world.pass(u64::from(u32::MAX) - world.now().as_secs() + 1);
    let problem = world.desk.set_closed_clock(MODEL, &token).expect_err("impossible");
    assert_eq!(problem.code, "clock-impossible");
    assert_eq!(asked(&world, id), NOTHING, "it was not even asked");
    assert!(world.desk.ask_closed(MODEL, &token).is_ok(), "reading needs no clock");
}

/// Whether the emulated clock is right now, whatever was said of it.
fn is_right(world: &World, id: TrayId) -> bool {
    let mut face = world.tray.face(id);
    if face.display.is_none() {
        world.tray.press(id);
        face = world.tray.face(id);
    }
    let parameters = oath::Parameters::default();
    let right = oath::code_at(&canary(), &parameters, world.now().step(parameters.period));
    face.display.is_some_and(|shown| *right.expose() == shown)
}

/// Every fault at every exchange of setting the clock. What is told must be true, and
/// the run stays where it was.
#[test]
fn whatever_breaks_off_what_is_said_of_the_clock_is_true() {
    for exchange in 0..3 {
        for fault in Fault::ALL {
            let (world, id, token) = reported(slim());
            world.tray.arm(id, &[Script::at_exchange(exchange, fault)]);
            let outcome = world.desk.set_handed_clock(&token);
            let case = format!("{fault:?} at {exchange}: {outcome:?}");
            let sent = asked(&world, id);
            let first: &[u8] = match exchange {
                0 => &[INFORMATION],
                _ => &[INFORMATION, CLOCK],
            };
            assert!(sent.starts_with(first), "{case}: sent {sent:x?}");
            assert!(!sent[first.len()..].contains(&CLOCK), "{case}: sent {sent:x?}");
            match (&outcome, exchange) {
                // Nothing but reads had been sent.
                (Err(problem), 0) => {
                    assert!(!problem.code.starts_with("clock-"), "{case}");
                    assert!(!is_right(&world, id), "{case}");
                }
                (Err(problem), 1) => assert_eq!(problem.code, "clock-not-known", "{case}"),
                (Err(problem), _) => {
                    assert_eq!(problem.code, "clock-not-proven", "{case}");
                    assert!(is_right(&world, id), "{case}");
                }
                // An answer that is none of the protocol: the code decides.
                (Ok(RunView::Confirmed { .. }), 1) => assert!(is_right(&world, id), "{case}"),
                (Ok(RunView::Written { told: Some(told), verdict: Some(verdict), .. }), 1) => {
                    assert_eq!(told.clock, "not-known", "{case}");
                    assert_eq!(verdict.code, "no-match-told", "{case}");
                    assert!(!is_right(&world, id), "{case}");
                }
                _ => panic!("{case}"),
            }
            if outcome.is_err() {
                let view = world.desk.view();
                assert!(matches!(view, RunView::Written { .. }), "{case}: {view:?}");
            }
        }
    }
}

/// The way out that is told after a break at the clock: the code tells.
#[test]
fn after_a_break_the_code_tells_whether_the_clock_was_set() {
    for (fault, set) in [(Fault::RemovedBefore, false), (Fault::RemovedAfter, true)] {
        let (world, id, token) = reported(slim());
        world.tray.arm(id, &[Script::at_exchange(1, fault)]);
        let problem = world.desk.set_handed_clock(&token).expect_err("it broke off");
        assert_eq!(problem.code, "clock-not-known");
        world.tray.insert(id);
        let token = world.token().id;
        let view = world.desk.judge_told(&token).expect("it answers");
        assert_eq!(verdict(&view), if set { "right-told" } else { "no-match-told" });
    }
}

/// Every fault at every exchange of reading the code: an error, or a wrong code that is
/// not confirmed; never a confirmation.
#[test]
fn a_code_that_is_read_badly_confirms_nothing() {
    for exchange in 0..2 {
        for fault in Fault::ALL {
            let (world, id, token) = reported(slim().with_right_clock());
            world.tray.arm(id, &[Script::at_exchange(exchange, fault)]);
            let problem = world.desk.judge_told(&token).expect_err("it was broken");
            assert_ne!(problem.code, "unexpected");
            let broken = matches!(fault, Fault::Garbled | Fault::Refused(_));
            assert_eq!(problem.code == "answers-otherwise", broken, "{fault:?} {problem:?}");
            assert!(matches!(world.desk.view(), RunView::Written { .. }), "{fault:?}");
        }
    }
}

fn sower(arguments: &[&str], input: &str) -> (Option<i32>, Output) {
    let mut child = Command::new(paths::binary("sower"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sower starts");
    // A program that reads nothing closes its end, and that is its right.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("sower ends");
    (output.status.code(), output)
}

#[test]
fn the_terminal_asks_and_sets_without_a_credential() {
    let (end, output) = sower(&["clock", "--model", MODEL, "--practice", "--json"], "");
    assert_eq!(end, Some(0), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!((told["period"].as_u64(), told["clock"].as_str()), (Some(30), Some("not-asked")));
    let (end, output) = sower(&["clock", "--model", MODEL, "--practice", "--set"], "");
    assert_eq!(end, Some(0), "{output:?}");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("The token took this computer's time."), "{out}");
    assert!(out.contains("PRACTICE"), "{out}");
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(notes.contains("inferred"), "that it is unproven is not said: {notes}");
}

#[test]
fn the_terminal_says_what_cannot_be_done() {
    let clock = |model| sower(&["clock", "--model", model, "--practice"], "").0;
    assert_eq!(clock("no-such-model"), Some(1));
    assert_eq!(clock("protectimus-flex"), Some(1));
    for words in [
        &["clock"][..],
        &["clock", "--model", MODEL, "--practice", "--reader", "x"],
        &["enroll", "--text", "-", "--read-code"],
        &["enroll", "--text", "-", "--closed", MODEL, "--set-clock"],
    ] {
        assert_eq!(sower(words, "").0, Some(2), "{words:?}");
    }
    let words = ["enroll", "--text", "-", "--closed", "token2-molto-1", "--read-code", "--json"];
    let (end, output) = sower(&words, &canary_uri());
    assert_eq!(end, Some(1), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(document["problem"]["code"], "cli-clock-nothing-readable");
}
