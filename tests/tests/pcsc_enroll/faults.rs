//! What goes wrong while the desk writes by the bus, and what it then says that
//! the token holds. Told by the real service, which loses and reorders more than
//! an emulated channel does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::{Problem, RunView, WhatView};
use emulator::families::token2_nfc_single_profile::{self as token2, OTPC_P2_I};
use emulator::families::yubikey_oath::{self, Product, YubikeyOath};
use emulator::{Applet, At, Fault, Script, TrayId};
use sower_tests::bus::{Bus, KEY_WRITES, TOKEN2_WRITES};
use sower_tests::pcscd::in_private_pcscd;
use transport::{Limits, PcscSource};

use super::bus;

const PUT: u8 = 0x01;
const WRITE_SEED: u8 = 0xc5;

/// A fault at the first command with this INS byte from now on.
fn arm(bus: &Bus, id: TrayId, ins: u8, fault: Fault) {
    let at = At::Instruction { ins, nth: 0 };
    bus.tray.arm(id, &[Script { at, fault }]);
}

/// The problem of a write that failed, and whether the token can be asked.
fn failed(view: RunView) -> (Problem, bool) {
    match view {
        RunView::Failed { problem, can_settle, .. } => (problem, can_settle),
        other => panic!("{other:?}"),
    }
}

fn settle(bus: &Bus) -> RunView {
    let settled = bus.desk.settle(&mut |_| {});
    settled.expect("the token can be asked again")
}

#[test]
fn a_key_that_left_after_the_write_is_asked_when_it_is_back() {
    let test = "faults::a_key_that_left_after_the_write_is_asked_when_it_is_back";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.put(0, Box::new(yubikey_oath::practice()));
        // After it wrote, and before: only the first is a success.
        for (fault, state) in
            [(Fault::RemovedBefore, "untouched"), (Fault::RemovedAfter, "written")]
        {
            bus.desk.start_over();
            assert_eq!(bus.plan_canary(0), "nothing");
            arm(&bus, id, PUT, fault);
            let (problem, can_settle) = failed(bus.write());
            assert_eq!(problem.token.as_deref(), Some("unknown"), "{problem:?}");
            assert!(can_settle);
            // Asked in vain, it stays as it was.
            let gone = bus.desk.settle(&mut |_| {}).expect_err("it is not there");
            assert_eq!(gone.code, "token-gone");

            bus.tray.insert(id);
            bus.seen(0);
            match settle(&bus) {
                RunView::Confirmed { .. } => assert_eq!(state, "written"),
                other => {
                    let (problem, _) = failed(other);
                    assert_eq!(problem.token.as_deref(), Some(state), "{problem:?}");
                }
            }
            assert_eq!(bus.holds_canary(id), state == "written");
        }
    });
}

#[test]
fn a_key_that_is_put_back_at_once_is_asked_by_the_desk_itself() {
    let test = "faults::a_key_that_is_put_back_at_once_is_asked_by_the_desk_itself";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.put(0, Box::new(yubikey_oath::practice()));
        bus.plan_canary(0);
        arm(&bus, id, PUT, Fault::RemovedAfter);
        let tray = bus.tray.clone();
        let hand = std::thread::spawn(move || {
            let left = Bus::has_left(&tray, id);
            tray.insert(id);
            left
        });
        let view = bus.write();
        assert!(hand.join().expect("the hand is steady"), "it never left");
        // The service may not have shown it again before the desk lost patience.
        let view = match view {
            RunView::Failed { ref problem, can_settle, .. } => {
                assert_eq!(problem.token.as_deref(), Some("unknown"), "{problem:?}");
                assert!(can_settle);
                bus.seen(0);
                settle(&bus)
            }
            other => other,
        };
        assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
        assert!(bus.holds_canary(id));
    });
}

#[test]
fn a_display_token_that_left_during_the_write_is_not_guessed_about() {
    let test = "faults::a_display_token_that_left_during_the_write_is_not_guessed_about";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let bus = bus(pcscd, 1);
        let id = bus.put(0, Box::new(token2::practice()));
        for fault in [Fault::RemovedBefore, Fault::RemovedAfter] {
            bus.desk.start_over();
            bus.plan_canary(0);
            arm(&bus, id, WRITE_SEED, fault);
            let (problem, can_settle) = failed(bus.write());
            assert_eq!(problem.token.as_deref(), Some("unknown"), "{problem:?}");
            assert!(!can_settle, "it tells nothing");
            assert_eq!(bus.holds_canary(id), fault == Fault::RemovedAfter);
            assert!(bus.desk.receipt().is_err(), "nothing was done");
            bus.tray.insert(id);
            bus.seen(0);
        }
        // Done again, it comes out right.
        bus.desk.start_over();
        bus.plan_canary(0);
        let view = bus.write();
        assert!(matches!(view, RunView::Written { .. }), "{view:?}");
        bus.power_cycle(0, id);
        let view = bus.desk.judge(&bus.display(id)).expect("a code is awaited");
        assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
    });
}

/// Two tokens of one model, and the INS bytes that change them.
type Twins = (Box<dyn Applet>, Box<dyn Applet>, &'static [u8]);

fn twins() -> [Twins; 2] {
    let token2 = |number| token2::Token2NfcSingleProfile::new(OTPC_P2_I, number);
    let key = |number| YubikeyOath::new(Product::YUBIKEY_5_7, number);
    [
        (Box::new(token2(1)), Box::new(token2(2)), TOKEN2_WRITES),
        (Box::new(key(1)), Box::new(key(2)), KEY_WRITES),
    ]
}

#[test]
fn a_token_that_was_exchanged_after_the_plan_is_not_written() {
    let test = "faults::a_token_that_was_exchanged_after_the_plan_is_not_written";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        for seen in [true, false] {
            for (planned, other, writes) in twins() {
                let bus = bus(pcscd, 1);
                let planned = bus.put(0, planned);
                let other = bus.add(0, other);
                let before = bus.seen(0);
                bus.plan_canary(0);
                bus.tray.arm(planned, &[]);
                // Faster than the service looks, unless it is given the time.
                bus.tray.insert(other);
                if seen {
                    bus.wait_for(|tokens| {
                        tokens.iter().any(|token| {
                            token.what != before.what
                                && matches!(token.what, WhatView::Token { .. })
                        })
                    });
                }
                let (problem, _) = failed(bus.write());
                // Unseen, it is noticed at the first exchange or by who answers it.
                let codes: &[&str] = if seen {
                    &["token-gone"]
                } else {
                    &["token-gone", "token-reset", "another-token"]
                };
                assert!(codes.contains(&problem.code.as_str()), "{problem:?}");
                assert_eq!(problem.token.as_deref(), Some("untouched"), "{problem:?}");
                for id in [planned, other] {
                    assert!(!bus.was_sent(id, writes), "written all the same");
                    assert!(!bus.holds_canary(id));
                }
                bus.tray.remove(other);
                bus.wait_for(<[_]>::is_empty);
            }
        }
    });
}

#[test]
fn a_silent_token_holds_up_neither_the_desk_nor_the_other_reader() {
    const LIMITS: Limits = Limits {
        card: Duration::from_millis(500),
        touch: Duration::from_millis(1500),
        connect: Duration::from_millis(1500),
        sharing: Duration::from_millis(500),
        key_sharing: Duration::from_secs(1),
        release: Duration::from_secs(1),
    };
    // One silent command, three looks in vain with the patience between them, and
    // as much again for a loaded machine.
    let limit = (LIMITS.card + 3 * LIMITS.connect + Duration::from_millis(1500)) * 2;
    let test = "faults::a_silent_token_holds_up_neither_the_desk_nor_the_other_reader";
    in_private_pcscd(test, &["Left", "Right"], |pcscd| {
        let source = Arc::new(PcscSource::with_limits(LIMITS));
        let bus = Bus::new(pcscd, 2, source);
        let id = bus.put(0, Box::new(yubikey_oath::practice()));
        bus.plan_canary(0);
        arm(&bus, id, PUT, Fault::Silent);
        let begun = Instant::now();
        let (problem, can_settle) = failed(bus.write());
        assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
        assert_eq!(problem.code, "token-silent");
        assert_eq!(problem.token.as_deref(), Some("unknown"));
        assert!(can_settle);

        // The other reader is served meanwhile.
        bus.put(1, Box::new(token2::practice()));
        let begun = Instant::now();
        let table = bus.desk.tokens();
        assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
        // The service does not promise an order of its readers.
        let in_reader = |name: &str| {
            let mut tokens = table.tokens.iter();
            let token = tokens.find(|token| token.reader.starts_with(name));
            token.map(|token| &token.what)
        };
        match (in_reader("Left"), in_reader("Right")) {
            (Some(WhatView::Trouble { problem }), Some(WhatView::Token { .. })) => {
                assert_eq!(problem.code, "token-silent");
            }
            other => panic!("{other:?}"),
        }

        // Taken off and put back it answers, and tells that the write was done.
        bus.tray.remove(id);
        bus.wait_for(|tokens| tokens.len() == 1);
        bus.tray.insert(id);
        bus.seen(0);
        let view = settle(&bus);
        assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
        assert!(bus.holds_canary(id));
    });
}
