//! Whole journeys in the real window, from the picture to the receipt, with practice
//! tokens.
#![cfg(target_os = "linux")]

use sower_tests::window::Window;

/// As Microsoft shows it (facts/microsoft-enrollment.md section 1.2): the prefix of
/// the label is the organisation, and the issuer is Microsoft. The secret is the one
/// that `cargo xtask test` looks for in everything that tests leave behind.
const KEY_URI: &str = "otpauth://totp/Example+Works+Ltd.%3aalice%40example.com\
                       ?secret=canarycanarycanarycanarycanary23&issuer=Microsoft";

/// The code for Microsoft's own app.
const PUSH: &str = "phonefactor://activate_account\
                    ?code=123456789&url=https%3a%2f%2fmobileappcommunicator.example%2fpad%2f1";

/// The one practice token with a power button has a display that goes dark.
const POWER: &str = ".face [data-press=power]";
const SWITCHED_ON: &str = ".face [data-press=power][aria-pressed=true]";
const SWITCHED_OFF: &str = ".face [data-press=power][aria-pressed=false]";
const DISPLAY: &str = ".face:has([data-press=power]) .lcd:not([data-display=''])";

/// The models of a practice token that computes and of one with a display.
const COMPUTES: &str = "YubiKey";
const DISPLAYS: &str = "OTPC-P2-i";

#[tokio::test]
async fn a_token_with_a_display_is_written_and_confirmed() {
    let window = Window::open("display").await;
    window.check_and_keep("1-empty").await;
    reach_written_with_display(&window).await;
    let code = read_display(&window).await;
    window.fill("#code", &code).await;
    window.check_and_keep("4-written").await;
    window.press("Check the code").await;
    window.stage("confirmed").await;
    assert_eq!(window.text("h1").await, "Confirmed");
    let shown = window.text("main").await;
    assert!(shown.contains("practice token shows the right code for alice@example.com"));
    save_receipt(&window, "confirmed").await;
    window.check_and_keep("5-confirmed").await;
    window.press("Next token").await;
    window.stage("empty").await;
    window.close().await;
}

#[tokio::test]
async fn a_key_that_computes_is_written_and_confirms_itself() {
    let window = Window::open("key").await;
    reach_captured(&window).await;
    window.press_in(COMPUTES, "Use this token").await;
    window.stage("planned").await;
    window.check_and_keep("1-planned").await;
    window.press("Write to token").await;
    window.stage("confirmed").await;
    let shown = window.text("main").await;
    assert!(shown.contains("The token computed the right code."), "{shown}");
    save_receipt(&window, "confirmed").await;
    window.close().await;
}

#[tokio::test]
async fn a_wrong_code_confirms_nothing() {
    let window = Window::open("wrong-code").await;
    reach_written_with_display(&window).await;
    let code = read_display(&window).await;
    window.fill("#code", &with_every_digit_changed(&code)).await;
    window.press("Check the code").await;
    assert!(window.text("[data-code=no-match]").await.contains("This code does not match."));
    window.stage("written").await;
    window.check_and_keep("1-no-match").await;
    window.press("Stop without confirming").await;
    window.stage("unconfirmed").await;
    assert_eq!(window.text("h1").await, "Written, not confirmed");
    save_receipt(&window, "written-not-confirmed").await;
    window.check_and_keep("2-unconfirmed").await;
    window.close().await;
}

#[tokio::test]
async fn the_code_for_microsofts_own_app_is_sent_back_with_the_way_out() {
    let window = Window::open("push").await;
    window.read_code(PUSH).await;
    window.stage("found").await;
    let said = window.text("[data-code=microsoft-push]").await;
    assert!(said.contains("There is no secret in it."), "{said}");
    assert!(said.contains("I want to use a different authenticator app"), "{said}");
    window.check_and_keep("1-rescue").await;
    window.press("Read something else").await;
    window.stage("empty").await;
    window.close().await;
}

#[tokio::test]
async fn the_page_can_do_nothing_but_its_own_commands() {
    let window = Window::open("closed").await;
    let refused = |command: &str| {
        format!(
            "const done = arguments[0];
             window.__TAURI_INTERNALS__.invoke('{command}')
                .then(() => done('done'), (error) => done('refused: ' + JSON.stringify(error)));"
        )
    };
    for command in [
        "plugin:window|close",
        "plugin:dialog|open",
        "plugin:dialog|save",
        "plugin:fs|read_text_file",
        "plugin:event|emit",
        "plugin:app|version",
        "no_such_command",
    ] {
        let answer = window.ask_and_wait(&refused(command)).await;
        let answer = answer.as_str().unwrap_or_default();
        assert!(answer.starts_with("refused"), "{command}: {answer}");
    }
    let known = window.ask_and_wait(&refused("view")).await;
    assert_eq!(known, "done");
    assert_eq!(window.ask("return typeof window.__TAURI__").await, "undefined");
    let evaluated = window
        .ask(
            "const made = document.createElement('script');
             made.textContent = 'window.ran = true';
             document.head.append(made);
             return window.ran === true;",
        )
        .await;
    assert_eq!(evaluated, false, "the content policy forbids inline scripts");
    let left =
        window.ask("window.location.href = 'https://example.com/'; return location.href;").await;
    assert!(left.as_str().is_some_and(|url| url.starts_with("tauri://localhost")));
    // The page is still there and answers.
    window.stage("empty").await;
    window.close().await;
}

async fn reach_captured(window: &Window) {
    window.read_code(KEY_URI).await;
    window.stage("captured").await;
    let shown = window.text("main").await;
    for fact in ["alice@example.com", "Example Works Ltd.", "Microsoft"] {
        assert!(shown.contains(fact), "`{fact}` is missing in:\n{shown}");
    }
}

async fn reach_written_with_display(window: &Window) {
    reach_captured(window).await;
    window.find(SWITCHED_ON).await;
    window.check_and_keep("2-captured").await;
    window.press_in(DISPLAYS, "Use this token").await;
    window.stage("planned").await;
    window.press_at("#replace").await;
    window.check_and_keep("3-planned").await;
    window.press("Write to token").await;
    window.stage("written").await;
}

/// Switches the token off and on, as the window says, and reads it.
async fn read_display(window: &Window) -> String {
    window.press_at(POWER).await;
    window.find(SWITCHED_OFF).await;
    window.press_at(POWER).await;
    let display = window.find(DISPLAY).await;
    let code = display.attr("data-display").await.expect("the page is open");
    code.expect("it was looked for by this attribute")
}

async fn save_receipt(window: &Window, outcome: &str) {
    window.press("Save receipt…").await;
    window.find("[data-saved=true]").await;
    let receipts = window.receipts();
    let [(name, text)] = receipts.as_slice() else {
        panic!("one receipt was saved, and there are {}", receipts.len());
    };
    assert!(name.starts_with("sower-receipt-"), "{name}");
    let receipt: serde_json::Value = serde_json::from_str(text).expect("a receipt is JSON");
    assert_eq!(receipt["outcome"], outcome);
    assert_eq!(receipt["practice"], true);
    assert_eq!(receipt["credential"]["account"], "alice@example.com");
    assert!(!text.to_lowercase().contains("canary"), "the receipt holds the secret");
}

fn with_every_digit_changed(code: &str) -> String {
    let change = |digit: char| match digit.to_digit(10) {
        Some(value) => char::from_digit((value + 5) % 10, 10).unwrap_or(digit),
        None => digit,
    };
    code.chars().map(change).collect()
}
