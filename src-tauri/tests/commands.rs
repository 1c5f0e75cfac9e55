//! The commands as the page calls them, without a window: names, arguments, answers
//! and rejections in JSON. What a page may call at all is tested in the real window.

use std::sync::Arc;

use desk::{Desk, Setup};
use serde_json::{Value, json};
use sower_desktop::{Practice, Receipts};
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponseBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};

#[test]
fn an_intent_answers_with_the_stage() {
    let (_app, page) = open();
    let empty = json!({"stage": "empty"});
    assert_eq!(call(&page, "view", json!({})), Ok(empty.clone()));
    assert_eq!(call(&page, "start_over", json!({})), Ok(empty.clone()));
    assert_eq!(call(&page, "back", json!({})), Ok(empty));
}

#[test]
fn an_intent_out_of_turn_is_rejected_with_a_code() {
    let (_app, page) = open();
    let wishes = [
        ("choose", json!({"finding": 0})),
        ("plan", json!({"token": "x", "name": null, "password": null})),
        ("write", json!({"replace": true})),
        ("settle", json!({})),
        ("prove", json!({})),
        ("judge", json!({"code": "000000"})),
        ("stop", json!({})),
        ("hand_over", json!({"model": "token2-molto-1", "serial": null})),
        ("handed_written", json!({})),
        ("ask_handed", json!({"token": "x"})),
        ("set_handed_clock", json!({"token": "x"})),
        ("judge_told", json!({"token": "x"})),
        ("save_receipt", json!({})),
    ];
    for (command, arguments) in wishes {
        let problem = call(&page, command, arguments).expect_err(command);
        assert_eq!(problem["code"], "wrong-stage", "{command}");
    }
}

#[test]
fn a_picture_comes_as_the_raw_body() {
    let (_app, page) = open();
    let damaged = InvokeBody::Raw(b"\x89PNG\r\n\x1a\n".to_vec());
    let problem = send(&page, "read_picture", damaged).expect_err("it has no pixels");
    assert_eq!(problem["code"], "picture-damaged");
    let no_picture = InvokeBody::Raw(b"not a picture".to_vec());
    let run = send(&page, "read_picture", no_picture).expect("it is told what it is");
    assert_eq!(run["picture"]["findings"][0]["code"], "unknown");
    let problem = call(&page, "read_picture", json!({})).expect_err("there is no body");
    assert_eq!(problem["code"], "file-unreadable");
}

#[test]
fn a_practice_token_that_is_switched_off_is_not_among_the_tokens() {
    let (_app, page) = open();
    let faces = call(&page, "practice_faces", json!({})).expect("there are faces");
    let faces = faces.as_array().expect("faces are a list");
    let switch =
        |face: &&Value| face["buttons"].as_array().is_some_and(|b| b.contains(&json!("power")));
    let face = faces.iter().find(switch).expect("one has a power button");
    let count = |tokens: &Value| tokens["tokens"].as_array().map_or(0, Vec::len);
    let before = count(&call(&page, "tokens", json!({})).expect("the tray can be looked at"));
    let press = json!({"token": face["id"], "button": "power"});
    assert_eq!(call(&page, "press", press), Ok(Value::Null));
    let after = call(&page, "tokens", json!({})).expect("the tray can be looked at");
    assert_eq!(count(&after), before - 1);
    let is_practice = |token: &Value| token["practice"] == true;
    assert!(after["tokens"].as_array().is_some_and(|all| all.iter().all(is_practice)));
    let problem = call(&page, "press", json!({"token": "x", "button": "power"}));
    assert_eq!(problem.expect_err("there is none")["code"], "unknown-token");
}

#[test]
fn every_family_is_told() {
    let (_app, page) = open();
    let families = call(&page, "families", json!({})).expect("there are families");
    assert!(families.as_array().is_some_and(|all| !all.is_empty()));
}

#[test]
fn a_secret_is_in_the_answer_to_a_press_and_in_nothing_else() {
    let (_app, page) = open();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sample/microsoft-work-account.png");
    let sample = InvokeBody::Raw(std::fs::read(sample).expect("the sample is there"));
    send(&page, "read_picture", sample).expect("the sample can be read");
    let early = call(&page, "reveal", json!({"form": "hex"}));
    assert!(early.is_err_and(|problem| problem["code"] == "wrong-stage"));
    let models = call(&page, "closed_models", json!({})).expect("there are models");
    let is_there = |all: &Vec<Value>| all.iter().any(|model| model["code"] == "token2-molto-1");
    assert!(models.as_array().is_some_and(is_there));
    let wish = json!({"model": "token2-molto-1", "serial": null});
    let mut views = vec![call(&page, "hand_over", wish).expect("it fits")];

    // The secret of the sample (facts/seed-formats.md, "work"); it is not printed.
    let hex = call(&page, "reveal", json!({"form": "hex"}));
    assert!(hex.is_ok_and(|seed| seed["text"] == "d5c907ce7c3bfac582ab" && seed["qr"].is_null()));
    let qr = call(&page, "reveal", json!({"form": "qr"}));
    assert!(qr.is_ok_and(|seed| {
        let path = seed["qr"]["path"].as_str().is_some_and(|path| path.starts_with("M0 0h1"));
        seed["text"].is_null() && seed["qr"]["width"].as_u64() > Some(20) && path
    }));
    views.push(call(&page, "view", json!({})).expect("the stage"));
    views.push(call(&page, "handed_written", json!({})).expect("somebody said so"));
    let views = serde_json::to_string(&views).expect("JSON").to_lowercase();
    assert!(!views.contains("d5c907ce7c3bfac582ab") && !views.contains("2xeqptt4hp5mlavl"));
}

/// The program with practice tokens only, without a window.
fn open() -> (App<MockRuntime>, WebviewWindow<MockRuntime>) {
    let mut setup = Setup::of(Vec::new());
    let practice = Practice::with_every_family(Arc::clone(&setup.now));
    setup.sources.push(practice.source());
    let desk = Arc::new(Desk::new(setup));
    let context = mock_context(tauri::test::noop_assets());
    let app = sower_desktop::furnish(mock_builder(), desk, practice, Receipts::Asked)
        .build(context)
        .expect("the program can be built without a window");
    let page = WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default())
        .build()
        .expect("a window that is not there can be opened");
    (app, page)
}

fn call(
    page: &WebviewWindow<MockRuntime>,
    command: &str,
    arguments: Value,
) -> Result<Value, Value> {
    send(page, command, InvokeBody::Json(arguments))
}

fn send(
    page: &WebviewWindow<MockRuntime>,
    command: &str,
    body: InvokeBody,
) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: page.url().expect("the page has an address"),
        body,
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(page, request).map(|answer| match answer {
        InvokeResponseBody::Json(text) => serde_json::from_str(&text).expect("an answer is JSON"),
        InvokeResponseBody::Raw(_) => panic!("no command answers with bytes"),
    })
}
