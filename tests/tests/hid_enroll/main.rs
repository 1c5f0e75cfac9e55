//! The whole line over a real kernel's USB and hidraw: every family of HID tokens is
//! enrolled and proven by the desk, and cut off in the middle of a write. Everything
//! but the token itself is the product as it ships, from the desk or the terminal
//! program down to the kernel, in a guest that has USB (`sower_tests::guest`).
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod cuts;
mod program;
mod proofs;

use std::sync::Arc;

use desk::{PlanView, Progress, RunView, TokenView, WhatView};
use emulator::families::mooltipass::Mooltipass;
use emulator::families::nitrokey_secrets;
use emulator::{Applet, FAMILIES, practice};
use serde_json::Value;
use sower_tests::bus::tells_canary;
use sower_tests::usbip::port::Port;
use transport::HidSource;

/// The families that speak HID, in the order of their names.
const ON_HID: [&str; 5] =
    ["mooltipass", "nitrokey-pro", "nitrokey-secrets", "onlykey", "yubikey-otp-hid"];

/// A fresh token of each family that is on HID: every practice token that is a HID
/// device, and the one that practises as a card but is both.
fn tokens() -> Vec<Box<dyn Applet>> {
    let mut tokens: Vec<_> = FAMILIES
        .iter()
        .map(|family| practice(family).expect("it is in the list"))
        .filter(|token| token.hid_device().is_some())
        .collect();
    tokens.push(Box::new(nitrokey_secrets::practice().by_hid()));
    let mut families: Vec<_> = tokens.iter().map(|token| token.identity().family).collect();
    families.sort_unstable();
    assert_eq!(families, ON_HID);
    tokens
}

/// Tokens that wait for a person, and what the desk has to call one for.
fn waiting() -> Vec<(Box<dyn Applet>, Progress)> {
    const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
    let taken = nitrokey_secrets::practice().by_hid().occupied(&[NAME]);
    let asking = Mooltipass::new(4_002);
    vec![(Box::new(taken), Progress::Touch), (Box::new(asking), Progress::Approve)]
}

/// The interface of a token among those that the product looks at, and no other, so
/// that ports stand side by side.
fn source(token: &dyn Applet) -> Arc<HidSource> {
    let device = token.hid_device().expect("this token is a HID device");
    let mut interfaces = token::hid_interfaces();
    interfaces.retain(|known| known.fits(device.vendor, device.product, device.usage_page));
    assert!(!interfaces.is_empty(), "the product does not look at {device:?}");
    Arc::new(HidSource::new(interfaces))
}

/// The token plugged in, and its family's name.
fn plugged(token: Box<dyn Applet>) -> (Port, &'static str) {
    let family = token.identity().family;
    let source = source(&*token);
    let port = Port::with(token, source);
    let TokenView { what, practice, .. } = port.seen();
    assert!(!practice, "{family} is taken for a toy");
    match what {
        WhatView::Token { family: told, .. } => assert_eq!(told, family),
        other => panic!("{family}: {other:?}"),
    }
    (port, family)
}

fn planned(view: RunView) -> PlanView {
    match view {
        RunView::Planned { plan, .. } => plan,
        other => panic!("{other:?}"),
    }
}

/// Does what a person does whose token does not prove itself: brings its next code to
/// light and types it. Gives the end, and whether it was typed.
fn confirmed(port: &Port, view: RunView) -> (RunView, bool) {
    let RunView::Written { problem: None, typed: true, how, .. } = &view else {
        return (view, false);
    };
    match how.as_str() {
        "press-key" => port.press(),
        // The place that was written last is shown already.
        "choose-place" => {}
        other => panic!("no HID token is asked to {other}"),
    }
    let code = port.display().expect("it was made to show a code");
    (port.desk.judge(&code).expect("a code is awaited"), true)
}

/// The run has ended with this outcome, and the receipt tells so, tells of a real
/// token and holds nothing secret.
fn check_receipt(port: &Port, family: &str, outcome: &str) -> Value {
    let text = port.desk.receipt().expect("the run has ended");
    assert!(!tells_canary(&text), "the receipt holds the secret");
    let receipt: Value = serde_json::from_str(&text).expect("a receipt is JSON");
    assert_eq!(receipt["practice"], false, "{receipt}");
    assert_eq!(receipt["outcome"], outcome, "{receipt}");
    assert_eq!(receipt["token"]["family"], family, "{receipt}");
    receipt
}
