//! Every way into the window but the file field, each to a practice token that proves
//! itself: files dropped by another program, its clipboard.
#![cfg(target_os = "linux")]

use std::fs;

use sower_tests::hand::{drop_files, hold_clipboard};
use sower_tests::paths;
use sower_tests::window::Window;

/// As Microsoft shows it (facts/microsoft-enrollment.md section 1.2). The secret is the
/// one that `cargo xtask test` looks for in everything that tests leave behind.
const KEY_URI: &str = "otpauth://totp/Example+Works+Ltd.%3aalice%40example.com\
                       ?secret=canarycanarycanarycanarycanary23&issuer=Microsoft";

/// The model of a practice token that computes.
const COMPUTES: &str = "YubiKey";

#[tokio::test]
async fn a_picture_that_is_dropped_is_enrolled() {
    let window = Window::open("drop").await;
    let picture = window.drawn(KEY_URI, "dropped.png");
    drop_files(window.display(), &[&picture]);
    enrol_alice(window).await;
}

#[tokio::test]
async fn of_several_files_that_are_dropped_one_account_is_chosen() {
    let window = Window::open("drop-several").await;
    let kit = paths::root().join("tests/kit");
    let (vault, other) =
        (kit.join("vaults/aegis-encrypted.json"), kit.join("pictures/microsoft-push.png"));
    let picture = window.drawn(KEY_URI, "alice.png");
    drop_files(window.display(), &[&vault, &other, &picture]);
    window.stage("found").await;
    let shown = window.text("main").await;
    for told in ["From alice.png", "From aegis-encrypted.json", "Open this file by itself."] {
        assert!(shown.contains(told), "`{told}` is missing in:\n{shown}");
    }
    window.check_and_keep("1-several").await;
    window.press_in("alice@example.com", "Use this account").await;
    enrol_alice(window).await;
}

#[tokio::test]
async fn a_vault_that_is_dropped_asks_for_its_password() {
    let window = Window::open("drop-vault").await;
    let vault = paths::root().join("tests/kit/vaults/aegis-encrypted.json");
    drop_files(window.display(), &[&vault]);
    window.stage("asked").await;
    window.fill("#file-password", "correct house").await;
    window.press("Open").await;
    window.find("[data-code=wrong-file-password]").await;
    window.check_and_keep("1-asked").await;
    window.fill("#file-password", "correct horse").await;
    window.press("Open").await;
    window.stage("captured").await;
    window.press_in(COMPUTES, "Use this token").await;
    window.stage("planned").await;
    window.press("Write to token").await;
    window.stage("confirmed").await;
    window.close().await;
}

#[tokio::test]
async fn a_picture_on_the_clipboard_is_enrolled() {
    let window = Window::open("clipboard").await;
    let picture = fs::read(window.drawn(KEY_URI, "copied.png")).expect("it was drawn");
    hold_clipboard(window.display(), "image/png", picture);
    window.press("Paste").await;
    enrol_alice(window).await;
}

#[tokio::test]
async fn a_text_on_the_clipboard_is_enrolled() {
    let window = Window::open("clipboard-text").await;
    hold_clipboard(window.display(), "UTF8_STRING", KEY_URI.as_bytes().to_vec());
    window.press("Paste").await;
    enrol_alice(window).await;
}

/// From the account that was read to the proof, on a token that computes.
async fn enrol_alice(window: Window) {
    window.stage("captured").await;
    let shown = window.text("main").await;
    assert!(shown.contains("alice@example.com"), "{shown}");
    window.press_in(COMPUTES, "Use this token").await;
    window.stage("planned").await;
    window.press("Write to token").await;
    window.stage("confirmed").await;
    assert_eq!(window.text("h1").await, "Confirmed");
    window.close().await;
}
