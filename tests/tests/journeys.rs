//! Whole journeys at the desk, with practice tokens and a clock that stands
//! still: what people do right and what they do wrong.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use desk::{Choice, Progress, RunView, WhatView};
use emulator::families::nitrokey_secrets;
use emulator::families::token2_nfc_single_profile::{
    OTPC_P2_I, Token2NfcSingleProfile, UNKNOWN_PREFIX,
};
use emulator::families::yubikey_oath::{Product, YubikeyOath};
use emulator::{At, Fault, Script, practice};
use oath::{Algorithm, Digits, SharedSecret};
use sower_tests::world::{BEGINNING, CANARY, World, canary, canary_uri, serial};

const TOKEN2: &str = "token2-nfc-single-profile";
const YKOATH: &str = "yubikey-oath";

/// facts/microsoft-enrollment.md 1.2: the "work" fixture.
const WORK: &str =
    "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl&issuer=Microsoft";

fn planned(world: &World, text: &str) -> RunView {
    world.desk.read_text(text).expect("a credential");
    world.desk.plan(&world.token().id, &Choice::default(), None).expect("a plan")
}

fn display(world: &World, id: emulator::TrayId) -> String {
    world.tray.face(id).display.expect("the display is on")
}

#[test]
fn a_display_token_is_confirmed_by_the_code_that_the_facts_say() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    planned(&world, WORK);
    let written = world.write();
    assert!(matches!(written, RunView::Written { typed: true, .. }), "{written:?}");
    world.power_cycle(id);
    world.pass(30);
    assert_eq!(display(&world, id), "004167", "the code of 2030-01-01 00:00:00");
    let confirmed = world.desk.judge("004 167").expect("judged");
    let RunView::Confirmed { verdict, .. } = confirmed else { panic!("{confirmed:?}") };
    assert_eq!(verdict.code, "right-typed");
    assert_eq!(verdict.facts.get("offset").map(String::as_str), Some("0"));
}

#[test]
fn a_key_proves_itself_without_typing() {
    let world = World::new();
    let id = world.put(practice(YKOATH).expect("family"));
    let RunView::Planned { plan, .. } = planned(&world, WORK) else { panic!("not planned") };
    assert_eq!(plan.name.as_deref(), Some("Microsoft (Contoso):adele@contoso.com"));
    assert_eq!(plan.replaces, "nothing");
    let confirmed = world.desk.write(false, &mut |_| {}).expect("written");
    let RunView::Confirmed { verdict, .. } = confirmed else { panic!("{confirmed:?}") };
    assert_eq!(verdict.code, "right-computed");
    let held = world.tray.holds(id);
    assert!(held[0].secret.expose().starts_with(&[0xd5, 0xc9, 0x07]), "the work seed is on it");
    assert_eq!(held[0].secret.len(), 14, "padded to 14 bytes");
}

#[test]
fn somebody_is_called_to_the_token_that_waits_for_a_touch() {
    let taken =
        || nitrokey_secrets::practice().occupied(&["Microsoft (Contoso):adele@contoso.com"]);
    for (key, calls) in [
        (nitrokey_secrets::practice(), false),
        (taken(), true),
        (nitrokey_secrets::practice().by_hid(), false),
        (taken().by_hid(), true),
    ] {
        let world = World::new();
        let id = world.put(Box::new(key));
        let called = Arc::new(Mutex::new(Vec::new()));
        let (heard, tray) = (Arc::clone(&called), world.tray.clone());
        world.desk.summon_by(move |step| {
            heard.lock().expect("alone").push(step);
            // Who is called comes and touches it.
            tray.press(id);
        });
        planned(&world, WORK);
        let confirmed = world.desk.write(calls, &mut |_| {}).expect("written");
        assert!(matches!(confirmed, RunView::Confirmed { .. }), "{confirmed:?}");
        let called = called.lock().expect("alone");
        assert_eq!(called.contains(&Progress::Touch), calls, "{called:?}");
    }
}

#[test]
fn a_wrong_code_confirms_nothing_and_stopping_says_so() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    planned(&world, WORK);
    world.write();
    let view = world.desk.judge("123456").expect("judged");
    let RunView::Written { verdict: Some(verdict), .. } = view else { panic!("{view:?}") };
    assert_eq!(verdict.code, "no-match");
    assert!(world.desk.receipt().is_err(), "no receipt before the end");
    // A second try with the right code still counts.
    world.power_cycle(id);
    let shown = display(&world, id);
    assert!(matches!(world.desk.judge(&shown), Ok(RunView::Confirmed { .. })));

    planned_again(&world);
    let stopped = world.desk.stop().expect("stopped");
    assert!(matches!(stopped, RunView::Unconfirmed { .. }), "{stopped:?}");
    let receipt = world.desk.receipt().expect("receipt");
    assert!(receipt.contains(r#""outcome": "written-not-confirmed""#), "{receipt}");
    assert!(receipt.contains(r#""evidence": null"#), "{receipt}");
}

fn planned_again(world: &World) {
    world.desk.start_over();
    planned(world, WORK);
    world.write();
}

#[test]
fn a_display_that_was_not_switched_off_and_on_is_not_believed() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    planned(&world, WORK);
    world.write();
    let stale = display(&world, id);
    let view = world.desk.judge(&stale).expect("judged");
    assert!(matches!(view, RunView::Written { verdict: Some(_), .. }), "{view:?}");
}

#[test]
fn a_code_two_steps_away_is_not_believed() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    planned(&world, WORK);
    world.write();
    world.power_cycle(id);
    let shown = display(&world, id);
    world.pass(60);
    let view = world.desk.judge(&shown).expect("judged");
    assert!(matches!(view, RunView::Written { verdict: Some(_), .. }), "{view:?}");
}

#[test]
fn what_is_there_gives_way_only_when_somebody_says_so() {
    let name = "Microsoft (Contoso):adele@contoso.com";
    let old = || SharedSecret::new(vec![7; 20]);
    let world = World::new();
    let key = YubikeyOath::new(Product::YUBIKEY_5_4, 9).holding(
        name,
        old(),
        Algorithm::Sha1,
        Digits::SIX,
    );
    let id = world.put(Box::new(key));
    let RunView::Planned { plan, .. } = planned(&world, WORK) else { panic!("not planned") };
    assert_eq!(plan.replaces, "entry");
    let refused = world.desk.write(false, &mut |_| {}).expect_err("nobody was asked");
    assert_eq!(refused.code, "needs-permission");
    assert_eq!(refused.token.as_deref(), Some("untouched"));
    assert_eq!(world.tray.holds(id)[0].secret.expose(), old().expose());
    let view = world.desk.write(true, &mut |_| {}).expect("written");
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
    assert_eq!(world.tray.holds(id).len(), 1, "replaced, not added");
}

#[test]
fn a_password_is_tried_once_and_a_wrong_one_is_told() {
    let world = World::new();
    world.put(Box::new(YubikeyOath::new(Product::YUBIKEY_5_7, 9).protected_by("correct horse")));
    world.desk.read_text(WORK).expect("a credential");
    let token = world.token();
    let WhatView::Token { locked, .. } = &token.what else { panic!("{token:?}") };
    assert!(locked);
    let plan = |password: Option<&str>| {
        let password = password.map(|text| text.to_owned().into());
        world.desk.plan(&token.id, &Choice::default(), password).expect("answered")
    };
    assert!(matches!(plan(None), RunView::Locked { problem: None, .. }));
    let RunView::Locked { problem: Some(problem), .. } = plan(Some("wrong")) else {
        panic!("a wrong password opens nothing");
    };
    assert_eq!(problem.code, "wrong-password");
    assert!(matches!(plan(Some("correct horse")), RunView::Planned { .. }));
    let view = world.desk.write(false, &mut |_| {}).expect("written");
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
}

#[test]
fn a_refused_authentication_is_not_tried_a_second_time() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    planned(&world, WORK);
    let answer =
        Script { at: At::Instruction { ins: 0xce, nth: 0 }, fault: Fault::Refused(0x6983) };
    world.tray.arm(id, &[answer]);
    let RunView::Failed { problem, .. } = world.write() else { panic!("it was refused") };
    assert_eq!(problem.code, "authentication-refused");
    assert_eq!(problem.token.as_deref(), Some("untouched"));
    world.tray.arm(id, &[]);
    let sent = world.tray.log(id).len();
    let again =
        world.desk.plan(&world.token().id, &Choice::default(), None).expect_err("not again");
    assert_eq!(again.code, "authentication-refused");
    world.desk.start_over();
    world.desk.read_text(WORK).expect("a credential");
    let again =
        world.desk.plan(&world.token().id, &Choice::default(), None).expect_err("nor for the next");
    assert_eq!(again.code, "authentication-refused");
    let authenticates = |header: [u8; 4]| [0x4b, 0xce].contains(&header[1]);
    assert!(!world.tray.log(id)[sent..].iter().any(|logged| authenticates(logged.header)));
}

/// A look that failed is not remembered for ever: the card may answer by then.
#[test]
fn a_token_that_could_not_be_asked_is_asked_again() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    world.tray.arm(id, &[Script::at_exchange(0, Fault::Short)]);
    let trouble = world.token();
    assert!(matches!(trouble.what, WhatView::Trouble { .. }), "{trouble:?}");
    let token = world.token();
    assert!(matches!(token.what, WhatView::Token { .. }), "{token:?}");

    let (tell, told) = std::sync::mpsc::channel();
    let id = world.tray.add(practice(YKOATH).expect("family"), "Another reader");
    world.tray.arm(id, &[Script::at_exchange(0, Fault::Short)]);
    let watch = world.desk.watch(Box::new(move |table| {
        // The test may have ended already.
        let _ = tell.send(table);
    }));
    world.tray.insert(id);
    let known = |token: &desk::TokenView| matches!(token.what, WhatView::Token { .. });
    let all_known =
        |table: desk::TokensView| table.tokens.len() == 2 && table.tokens.iter().all(known);
    let patience = std::time::Duration::from_secs(20);
    while !all_known(told.recv_timeout(patience).expect("news of both tokens")) {}
    drop(watch);
}

#[test]
fn a_try_again_finds_the_token_that_was_put_back() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    planned(&world, WORK);
    let before = world.token().id;
    world.tray.arm(id, &[Script::at_exchange(1, Fault::RemovedBefore)]);
    let RunView::Failed { problem, .. } = world.write() else { panic!("it was cut") };
    assert_eq!(problem.token.as_deref(), Some("untouched"));
    world.tray.insert(id);
    assert_ne!(world.token().id, before, "put back, it has another id");
    let again = world.desk.plan(&before, &Choice::default(), None).expect("found");
    assert!(matches!(again, RunView::Planned { .. }), "{again:?}");
}

/// A key that continues by GET RESPONSE and throws the rest away at anything else,
/// with a list that does not fit one answer (rigs/FACTS.md 7b).
#[test]
fn a_long_list_is_read_whole_however_it_is_continued() {
    for product in [Product::PICO_FIDO, Product::YUBIKEY_5_7, Product::YUBIKEY_5_4] {
        for product in [product.wanting_get_response(), product.cutting_at(50)] {
            let world = World::new();
            let mut key = YubikeyOath::new(product, 9);
            for number in 0..15 {
                let name = format!("Microsoft (Contoso):somebody{number}@contoso.com");
                let secret = SharedSecret::new(vec![number; 20]);
                key = key.holding(&name, secret, Algorithm::Sha1, Digits::SIX);
            }
            world.put(Box::new(key));
            let uri = WORK.replace("adele", "somebody14");
            let RunView::Planned { plan, .. } = planned(&world, &uri) else {
                panic!("{} cannot be planned for", product.title);
            };
            assert_eq!(plan.replaces, "entry", "the last of the list was seen");
            let view = world.desk.write(true, &mut |_| {}).expect("written");
            assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
        }
    }
}

/// A try again with nobody there must not lose what is known of a broken write.
#[test]
fn a_try_again_without_the_token_leaves_the_failure_as_it_was() {
    let world = World::new();
    let id = world.put(practice(YKOATH).expect("family"));
    planned(&world, WORK);
    let put = Script { at: At::Instruction { ins: 0x01, nth: 0 }, fault: Fault::RemovedAfter };
    world.tray.arm(id, &[put]);
    let token = world.token().id;
    let RunView::Failed { problem, can_settle, .. } = world.write() else { panic!("not cut") };
    assert_eq!(problem.token.as_deref(), Some("unknown"));
    assert!(can_settle);
    let failed = world.desk.view();
    assert!(world.desk.plan(&token, &Choice::default(), None).is_err(), "nobody is there");
    assert_eq!(world.desk.view(), failed);
    world.tray.insert(id);
    let view = world.desk.settle(&mut |_| {}).expect("it is back");
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
}

/// yubikey-oath.md section 3, point 6: firmware 4.0.0 to 4.3.4.
#[test]
fn a_key_that_mixes_up_names_gets_none_that_another_begins_with() {
    let world = World::new();
    let old = Product::YUBIKEY_5_4.telling([4, 3, 3]);
    let longer = "Microsoft (Contoso):adele@contoso.com.example";
    let key = YubikeyOath::new(old, 9).holding(
        longer,
        SharedSecret::new(vec![7; 20]),
        Algorithm::Sha1,
        Digits::SIX,
    );
    world.put(Box::new(key));
    world.desk.read_text(WORK).expect("a credential");
    let token = world.token().id;
    let RunView::Unfit { misfits, .. } =
        world.desk.plan(&token, &Choice::default(), None).expect("compared")
    else {
        panic!("it would replace the other entry");
    };
    assert_eq!(misfits[0].code, "name-mixed-up");
    assert_eq!(misfits[0].facts.get("other").map(String::as_str), Some(longer));
    let planned = world
        .desk
        .plan(&token, &Choice { name: Some("Contoso:adele".to_owned()), slot: None }, None)
        .expect("compared");
    assert!(matches!(planned, RunView::Planned { .. }), "{planned:?}");
}

/// seed-formats.md 1.2, row 12: the target check.
#[test]
fn what_does_not_fit_is_named_before_anything_is_sent() {
    let world = World::new();
    let id = world.put(practice(TOKEN2).expect("family"));
    let uri = format!("{WORK}&digits=8&algorithm=SHA512&period=45");
    world.desk.read_text(&uri).expect("a credential");
    let token = world.token();
    world.tray.arm(id, &[]);
    let RunView::Unfit { misfits, .. } =
        world.desk.plan(&token.id, &Choice::default(), None).expect("compared")
    else {
        panic!("it cannot fit");
    };
    let codes: Vec<_> = misfits.iter().map(|misfit| misfit.code.as_str()).collect();
    assert_eq!(codes, ["algorithm", "digits", "period"]);
    assert!(world.tray.log(id).iter().all(|logged| ![0xd4, 0xc5].contains(&logged.header[1])));
}

#[test]
fn a_token_of_an_unknown_model_is_read_and_not_written() {
    let world = World::new();
    world.put(Box::new(Token2NfcSingleProfile::new(UNKNOWN_PREFIX, 3)));
    let token = world.token();
    let WhatView::Token { read_only, .. } = &token.what else { panic!("{token:?}") };
    assert_eq!(read_only.as_deref(), Some("read-only-unknown-model"));
    world.desk.read_text(WORK).expect("a credential");
    let view = world.desk.plan(&token.id, &Choice::default(), None).expect("compared");
    assert!(matches!(view, RunView::Unfit { .. }), "{view:?}");
}

#[test]
fn another_token_in_the_same_reader_is_not_written_to() {
    for (first, second) in [
        (
            Box::new(Token2NfcSingleProfile::new(OTPC_P2_I, 1)) as Box<dyn emulator::Applet>,
            Box::new(Token2NfcSingleProfile::new(OTPC_P2_I, 2)) as Box<dyn emulator::Applet>,
        ),
        (
            Box::new(YubikeyOath::new(Product::YUBIKEY_5_7, 1)),
            Box::new(YubikeyOath::new(Product::YUBIKEY_5_7, 2)),
        ),
    ] {
        let world = World::new();
        let planned_for = world.put(first);
        planned(&world, WORK);
        world.tray.remove(planned_for);
        let other = world.put(second);
        world.tray.arm(other, &[]);
        let RunView::Failed { problem, .. } = world.write() else { panic!("written to another") };
        assert_eq!(problem.token.as_deref(), Some("untouched"));
        assert_eq!(problem.code, "token-gone");
        let changes = [0xd4, 0xc5, 0x01, 0x02];
        assert!(world.tray.log(other).iter().all(|sent| !changes.contains(&sent.header[1])));
    }
}

#[test]
fn the_clock_of_a_token_is_told_before_it_is_set_and_right_after() {
    let world = World::new();
    let slow = Token2NfcSingleProfile::new(OTPC_P2_I, 4).with_clock(BEGINNING, -75, 0);
    world.put(Box::new(slow));
    let token = world.token();
    let WhatView::Token { clock_offset, .. } = token.what else { panic!("{token:?}") };
    assert_eq!(clock_offset, Some(-75));
    planned(&world, WORK);
    let RunView::Written { clock_offset, .. } = world.write() else { panic!("not written") };
    assert_eq!(clock_offset, Some(0));
}

#[test]
fn a_code_given_beside_a_keys_own_proof_is_never_waved_through() {
    let world = World::new();
    world.put(practice(YKOATH).expect("family"));
    planned(&world, WORK);
    world.desk.write(false, &mut |_| {}).expect("written");
    let view = world.desk.judge("000000").expect("judged");
    assert!(matches!(view, RunView::Written { .. }), "{view:?}");
    let view = world.desk.prove(&mut |_| {}).expect("proven again");
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
    let view = world.desk.judge("640562").expect("judged");
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
}

#[test]
fn nothing_that_leaves_the_desk_holds_the_secret() {
    for family in [TOKEN2, YKOATH] {
        let world = World::new();
        let id = world.put(practice(family).expect("family"));
        let mut seen = String::new();
        let mut see = |view: &dyn std::fmt::Debug| {
            let _ = writeln!(seen, "{view:?}");
        };
        see(&world.desk.read_text(&canary_uri()));
        see(&world.desk.tokens());
        see(&world.plan_canary(None));
        see(&world.write());
        if family == TOKEN2 {
            world.power_cycle(id);
            see(&world.desk.judge(&display(&world, id)));
        }
        see(&world.desk.receipt());
        see(&world.tray.face(id));
        see(&world.tray.log(id));
        let hex = data_encoding::HEXLOWER.encode(canary().expose());
        for needle in [CANARY.to_lowercase(), hex, "otpauth".to_owned()] {
            assert!(!seen.to_lowercase().contains(&needle), "a leak in {family}");
        }
        assert!(seen.contains("confirmed"), "the journey went to its end");
    }
}

#[test]
fn a_receipt_tells_a_practice_token_from_a_real_one() {
    let world = World::new();
    world.put(practice(YKOATH).expect("family"));
    let token = world.token();
    planned(&world, WORK);
    world.write();
    let receipt: serde_json::Value =
        serde_json::from_str(&world.desk.receipt().expect("receipt")).expect("JSON");
    assert_eq!(receipt["practice"], true);
    assert_eq!(receipt["outcome"], "confirmed");
    assert_eq!(receipt["token"]["serial"].as_str(), serial(&token));
    assert_eq!(receipt["credential"]["organisation"], "Contoso");
    assert_eq!(receipt["credential"]["secret_bytes"], 10);
    assert_eq!(receipt["written_at"], "2029-12-31T23:59:30Z");
    assert_eq!(receipt["evidence"]["kind"], "computed");
}

#[test]
fn an_intent_that_does_not_fit_the_stage_changes_nothing() {
    let world = World::new();
    world.put(practice(YKOATH).expect("family"));
    let stage = world.desk.view();
    assert!(world.desk.write(true, &mut |_| {}).is_err());
    assert!(world.desk.judge("000000").is_err());
    assert!(world.desk.prove(&mut |_| {}).is_err());
    assert!(world.desk.settle(&mut |_| {}).is_err());
    assert!(world.desk.stop().is_err());
    assert!(world.desk.choose(0).is_err());
    assert!(world.desk.plan("0/none", &Choice::default(), None).is_err());
    assert_eq!(world.desk.view(), stage);
    planned(&world, WORK);
    world.desk.write(true, &mut |_| {}).expect("written");
    world.desk.judge("000000").expect("judged");
    let waiting = world.desk.view();
    assert!(world.desk.read_text(WORK).is_err(), "a written token waits for its proof");
    assert_eq!(world.desk.view(), waiting);
    world.desk.prove(&mut |_| {}).expect("proven");
    let confirmed = world.desk.view();
    assert!(world.desk.write(true, &mut |_| {}).is_err(), "no second write");
    assert!(world.desk.plan(&world.token().id, &Choice::default(), None).is_err());
    assert_eq!(world.desk.back(), confirmed);
}
