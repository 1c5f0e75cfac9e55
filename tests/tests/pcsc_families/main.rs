//! The families that came after the first two, over the real smart card service:
//! enrolled and proven, replaced with permission, opened with a PIN or customer key,
//! told apart, and told the truth about when they leave half-way. And clients that
//! others wrote, which read what we wrote and write what we read.
#![cfg(target_os = "linux")]

mod beside;
mod ckman;
mod computes;
mod molto2;
mod nitrokey;
mod slim;
mod twins;

use std::path::PathBuf;
use std::sync::Arc;

use desk::{Choice, Problem, RunView};
use emulator::families::{feitian_otp_applet, nitrokey_secrets, token2_fido_otp, token2_molto2};
use emulator::{Applet, TrayId};
use serde_json::Value;
use sower_tests::bus::{Bus, tells_canary};
use sower_tests::paths;
use sower_tests::pcscd::Pcscd;
use transport::PcscSource;

/// A family, as these tests need it.
struct Make {
    family: &'static str,
    /// What the system calls its readers; most of these tokens are their own.
    reader: &'static str,
    /// Token number so and so, as it leaves the factory.
    token: fn(u32) -> Box<dyn Applet>,
    /// Whether a command with this class, instruction, P1 and P2 changes a token.
    changes: fn([u8; 4]) -> bool,
}

const NITROKEY: Make = Make {
    family: nitrokey_secrets::FAMILY,
    reader: "Nitrokey Nitrokey 3 [CCID/ICCD Interface]",
    token: |number| Box::new(nitrokey_secrets::NitrokeySecrets::new(number)),
    changes: |header| matches!(header, [0x00, 0x01..=0x04 | 0xb3 | 0xb4 | 0xb7, ..]),
};

const FEITIAN: Make = Make {
    family: feitian_otp_applet::FAMILY,
    reader: "FT ePass FIDO CCID",
    token: |number| Box::new(feitian_otp_applet::FeitianOtpApplet::new(number)),
    changes: |header| matches!(header, [0x00, 0x08 | 0x09, ..]),
};

const TOKEN2_FIDO: Make = Make {
    family: token2_fido_otp::FAMILY,
    reader: "TOKEN2 FIDO2 Security Key",
    token: |number| {
        let release = token2_fido_otp::Release::R3_4;
        Box::new(token2_fido_otp::Token2FidoOtp::new(release, number))
    },
    changes: |header| matches!(header, [0x80, 0xc5, 0x05, 0x02 | 0x05 | 0x08]),
};

/// Recognised by the name of its reader alone.
const MOLTO2: Make = Make {
    family: token2_molto2::FAMILY,
    reader: "TOKEN2 Molto2 [CCID Interface]",
    token: |number| {
        Box::new(token2_molto2::Token2Molto2::new(token2_molto2::Model::Molto2v2, number))
    },
    changes: |header| matches!(header, [0x84, 0xc5 | 0xd4 | 0xd5 | 0xd7, ..] | [0x80, 0xe6, ..]),
};

/// A desk and a tray at the first `readers` readers, with the usual limits.
fn bus(pcscd: &Pcscd, readers: usize) -> Bus {
    Bus::new(pcscd, readers, Arc::new(PcscSource::new()))
}

/// The places in the log of a token's commands, since it was armed, that change it.
fn changes(bus: &Bus, id: TrayId, make: &Make) -> Vec<usize> {
    let log = bus.tray.log(id).into_iter().enumerate();
    log.filter(|(_, sent)| (make.changes)(sent.header)).map(|(place, _)| place).collect()
}

/// Takes the canary and plans it for the token in a reader; gives the view.
fn planned(bus: &Bus, reader: usize, choice: &Choice, key: Option<&str>) -> RunView {
    bus.desk.start_over();
    bus.capture_canary();
    let key = key.map(|key| key.to_owned().into());
    bus.desk.plan(&bus.seen(reader).id, choice, key).expect("the token can be looked at")
}

/// What a plan replaces.
fn replaces(view: RunView) -> String {
    match view {
        RunView::Planned { plan, .. } => plan.replaces,
        other => panic!("{other:?}"),
    }
}

/// Why a token stays locked, and what opens it: the problem's code and tries left.
fn locked(view: RunView, wanted: &str) -> Option<(String, Option<String>)> {
    match view {
        RunView::Locked { guard, problem, .. } => {
            assert_eq!(guard, wanted);
            problem.map(|problem| {
                let tries = problem.facts.get("tries-left").cloned();
                (problem.code, tries)
            })
        }
        other => panic!("{other:?}"),
    }
}

/// The problem of a write that failed, and whether the token can be asked.
fn failed(view: RunView) -> (Problem, bool) {
    match view {
        RunView::Failed { problem, can_settle, .. } => (problem, can_settle),
        other => panic!("{other:?}"),
    }
}

/// Nothing may be replaced without the operator's word.
fn check_needs_permission(bus: &Bus, id: TrayId, make: &Make) {
    bus.tray.arm(id, &[]);
    let refused = bus.desk.write(false, &mut |_| {}).expect_err("nobody permitted it");
    assert_eq!(refused.code, "needs-permission");
    assert_eq!(refused.token.as_deref(), Some("untouched"));
    assert!(changes(bus, id, make).is_empty(), "{}: written all the same", make.family);
}

/// It ended with a confirmation by this verdict, and the receipt tells so, tells of a
/// real token and holds nothing secret.
fn check_confirmed(bus: &Bus, view: &RunView, make: &Make, verdict: &str) -> Value {
    match view {
        RunView::Confirmed { verdict: told, .. } => assert_eq!(told.code, verdict),
        other => panic!("{}: {other:?}", make.family),
    }
    let text = bus.desk.receipt().expect("the run has ended");
    assert!(!tells_canary(&text), "the receipt holds the secret");
    let receipt: Value = serde_json::from_str(&text).expect("a receipt is JSON");
    assert_eq!(receipt["practice"], false, "{receipt}");
    assert_eq!(receipt["outcome"], "confirmed", "{receipt}");
    assert_eq!(receipt["token"]["family"], make.family, "{receipt}");
    receipt
}

/// A program of other people.
fn client(folder: &str, program: &str) -> PathBuf {
    let program = paths::root().join("target/tools").join(folder).join("bin").join(program);
    assert!(program.is_file(), "{} is not there: run `cargo xtask setup` first", program.display());
    program
}
