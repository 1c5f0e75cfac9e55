//! The rig itself: the real smart card service sees our cards, survives and dies as
//! told, and a client of another author gets through to a card.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use pcsc::{Context, Protocols, ReaderState, Scope, ShareMode, State};
use sower_tests::card::{ATR, Applet, Card};
use sower_tests::paths;
use sower_tests::pcscd::{Pcscd, in_private_pcscd};

/// A YKOATH applet that can only be selected: version 5.4.3, a name, no password.
struct Selectable;

impl Applet for Selectable {
    fn transmit(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let answer: &[u8] = match command {
            [0x00, 0xA4, 0x04, 0x00, 0x07, 0xA0, 0x00, 0x00, 0x05, 0x27, 0x21, 0x01, ..] => {
                &[0x79, 3, 5, 4, 3, 0x71, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00]
            }
            _ => &[0x6A, 0x82],
        };
        Some(answer.to_vec())
    }
}

/// A client of the service, waiting for what it waits for without asking again.
fn wait_for(context: &Context, name: &str, wanted: State) {
    let name = std::ffi::CString::new(name).expect("names have no zero byte");
    let mut states = [ReaderState::new(name, State::UNAWARE)];
    loop {
        context
            .get_status_change(Duration::from_secs(5), &mut states)
            .expect("the service sees the change within seconds");
        if states[0].event_state().contains(wanted) {
            return;
        }
        states[0].sync_current_state();
    }
}

fn connect() -> Context {
    Context::establish(Scope::User).expect("the service is there")
}

fn reader_names(context: &Context) -> Vec<String> {
    let names = context.list_readers_owned().expect("the service answers");
    let mut names: Vec<_> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_slot_of_every_reader_has_its_name_and_its_port() {
    let test = "every_slot_of_every_reader_has_its_name_and_its_port";
    in_private_pcscd(test, &["Left", "Right"], |pcscd: &mut Pcscd| {
        let context = connect();
        let slots = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let expected = slots.map(|(reader, slot)| pcscd.reader_name(reader, slot));
        assert_eq!(reader_names(&context), expected);
        for (reader, slot) in slots {
            let name = pcscd.reader_name(reader, slot);
            wait_for(&context, &name, State::EMPTY);
            let card = Card::insert(pcscd.port(reader, slot), ATR, Selectable);
            wait_for(&context, &name, State::PRESENT);
            card.remove();
            wait_for(&context, &name, State::EMPTY);
        }
    });
}

#[test]
fn a_card_answers_quickly() {
    in_private_pcscd("a_card_answers_quickly", &["NFC"], |pcscd| {
        let context = connect();
        let name = pcscd.reader_name(0, 0);
        let _card = Card::insert(pcscd.port(0, 0), ATR, Selectable);
        wait_for(&context, &name, State::PRESENT);
        let name = std::ffi::CString::new(name).expect("names have no zero byte");
        let card =
            context.connect(&name, ShareMode::Shared, Protocols::ANY).expect("the card is there");
        let begun = std::time::Instant::now();
        for _ in 0..100 {
            let mut buffer = [0; 258];
            let answer = card
                .transmit(&[0x00, 0xCA, 0x00, 0x00, 0x00], &mut buffer)
                .expect("the card answers");
            assert_eq!(answer, [0x6A, 0x82]);
        }
        // With delayed acknowledgements it would be four seconds.
        assert!(begun.elapsed() < Duration::from_secs(2));
    });
}

#[test]
fn a_service_that_is_gone_comes_back() {
    in_private_pcscd("a_service_that_is_gone_comes_back", &["NFC"], |pcscd| {
        drop(connect());
        pcscd.kill();
        assert_eq!(Context::establish(Scope::User).err(), Some(pcsc::Error::NoService));
        pcscd.restart();
        assert_eq!(reader_names(&connect()).len(), 2);
    });
}

#[test]
fn ykman_gets_through_to_a_card() {
    in_private_pcscd("ykman_gets_through_to_a_card", &["NFC"], |pcscd| {
        let name = pcscd.reader_name(0, 0);
        let _card = Card::insert(pcscd.port(0, 0), ATR, Selectable);
        wait_for(&connect(), &name, State::PRESENT);
        let output = Command::new(paths::ykman())
            .args(["--reader", &name, "oath", "info"])
            .stdin(Stdio::null())
            .output()
            .expect("ykman starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("5.4.3"), "{output:?}");
    });
}

#[test]
#[should_panic(expected = "ended with")]
fn a_rig_under_a_wrong_name_is_no_success() {
    in_private_pcscd("no_such_test", &["NFC"], |_| {});
}
