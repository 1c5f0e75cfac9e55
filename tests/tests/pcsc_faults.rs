//! What `transport` makes of everything that goes wrong between the real smart-card
//! service and a card: each fault that was seen with pcscd (rigs/FACTS.md section 7),
//! with the answer that a caller gets, and how soon.
#![cfg(target_os = "linux")]

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use pcsc::{Context, Disposition, Protocols, Scope, ShareMode};
use sower_tests::card::{ATR, Applet, Card};
use sower_tests::pcscd::in_private_pcscd;
use token::{
    Attachment, Candidate, CandidateId, Channel, ChannelError, CommandApdu, SmartCardChannel,
    TokenSource,
};
use transport::{Finding, Limits, PcscSource, ServiceState, SlotState, diagnose};

/// A USB key's answer to reset: contact, T=1.
const KEY_ATR: &[u8] = &[
    0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0, 0x21, 0xC0, 0x57, 0x59,
    0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0x40,
];

/// Long enough for a loaded machine, short enough for a quick suite.
const LIMITS: Limits = Limits {
    card: Duration::from_millis(500),
    touch: Duration::from_millis(1500),
    connect: Duration::from_millis(1500),
    sharing: Duration::from_millis(500),
    key_sharing: Duration::from_secs(1),
    release: Duration::from_secs(1),
};

/// What a bounded call may take beyond its limit on a loaded machine.
const SLACK: Duration = Duration::from_secs(2);

/// A card that does what the instruction byte says, and tells what it was asked.
struct Obedient {
    selected: bool,
    asked: Sender<u8>,
    /// Lets `LATE` be answered.
    go: Receiver<()>,
}

const SELECT: u8 = 0xA4;
/// Answered `9000` if the card was selected since it got power, else `6D00`.
const IS_SELECTED: u8 = 0x01;
const SILENCE: u8 = 0x02;
const ONE_BYTE: u8 = 0x03;
const GARBLED: u8 = 0x04;
const LATE: u8 = 0x05;
const LONGEST: u8 = 0x06;

impl Applet for Obedient {
    fn transmit(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let ins = *command.get(1)?;
        // The test may have ended already.
        let _ = self.asked.send(ins);
        match ins {
            SELECT => {
                self.selected = true;
                Some(vec![0x90, 0x00])
            }
            IS_SELECTED if self.selected => Some(vec![0x90, 0x00]),
            SILENCE => None,
            ONE_BYTE => Some(vec![0x90]),
            GARBLED => Some(vec![0xFF, 0x00, 0x55, 0x12, 0x34]),
            LATE => {
                let _ = self.go.recv();
                Some(vec![0x90, 0x00])
            }
            LONGEST => Some([vec![7; 256], vec![0x90, 0x00]].concat()),
            _ => Some(vec![0x6D, 0x00]),
        }
    }

    fn reset(&mut self) {
        self.selected = false;
    }
}

/// The test's ends of a card's queues.
struct Line {
    asked: Receiver<u8>,
    go: Sender<()>,
}

fn obedient() -> (Obedient, Line) {
    let (asked, asked_here) = mpsc::channel();
    let (go_here, go) = mpsc::channel();
    let applet = Obedient { selected: false, asked, go };
    let line = Line { asked: asked_here, go: go_here };
    (applet, line)
}

fn command(ins: u8) -> CommandApdu {
    CommandApdu::new([0x00, ins, 0x00, 0x00], &[]).with_le(0)
}

/// The status word and the number of data bytes.
fn send(channel: &mut dyn SmartCardChannel, ins: u8) -> Result<(u16, usize), ChannelError> {
    let answer = channel.transmit(&command(ins))?;
    Ok((answer.status().0, answer.data().len()))
}

fn open(source: &PcscSource, id: &CandidateId) -> Result<Box<dyn SmartCardChannel>, ChannelError> {
    match source.connect(id)? {
        Channel::SmartCard(channel) => Ok(channel),
        Channel::Hid(_) => panic!("PC/SC has only smart cards"),
    }
}

/// Watches until the candidates are as wanted.
fn wait_for(source: &PcscSource, wanted: impl Fn(&[Candidate]) -> bool) -> Vec<Candidate> {
    let begun = Instant::now();
    let mut watch = source.watch();
    loop {
        let candidates = source.candidates().expect("the service answers");
        if wanted(&candidates) {
            return candidates;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{candidates:?}");
        watch.wait(Duration::from_secs(5));
    }
}

/// Watches until there is exactly one card, and gives its id.
fn wait_for_card(source: &PcscSource) -> CandidateId {
    wait_for(source, |c| c.len() == 1).remove(0).id
}

fn in_reader(candidates: &[Candidate], name: &str) -> CandidateId {
    let candidate = candidates
        .iter()
        .find(|c| matches!(&c.attachment, Attachment::SmartCard { reader, .. } if reader == name));
    candidate.expect("there is a card in that reader").id.clone()
}

#[track_caller]
fn within<T>(limit: Duration, call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = call();
    let took = begun.elapsed();
    assert!(took < limit + SLACK, "it took {took:?} of {limit:?}");
    result
}

#[test]
fn a_card_is_listed_with_its_reader_and_answers() {
    let test = "a_card_is_listed_with_its_reader_and_answers";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        assert_eq!(source.candidates(), Ok(vec![]));
        let (applet, _line) = obedient();
        let _card = Card::insert(pcscd.port(0, 1), ATR, applet);
        let candidates = wait_for(&source, |c| !c.is_empty());
        assert_eq!(
            candidates[0].attachment,
            Attachment::SmartCard { reader: pcscd.reader_name(0, 1), atr: ATR.to_vec() }
        );
        let id = &candidates[0].id;
        let mut channel = open(&source, id).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
        assert_eq!(send(&mut *channel, LONGEST), Ok((0x9000, 256)));
        // Garbled is what the driver has to notice: here it is passed on.
        assert_eq!(send(&mut *channel, GARBLED), Ok((0x1234, 3)));
        // To be talked to makes no new card of it.
        drop(channel);
        assert_eq!(source.candidates().expect("looked").remove(0).id, *id);
        drop(open(&source, id).expect("still there"));
    });
}

#[test]
fn a_card_that_leaves_during_a_command_gave_no_answer() {
    let test = "a_card_that_leaves_during_a_command_gave_no_answer";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(Limits { card: Duration::from_secs(10), ..LIMITS });
        let (applet, line) = obedient();
        let card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let id = wait_for_card(&source);
        let mut channel = open(&source, &id).expect("the card is there");
        let lifted = std::thread::spawn(move || {
            line.asked.recv().expect("the command arrives");
            drop(card);
            line
        });
        let error = send(&mut *channel, SILENCE).expect_err("the card left");
        assert_eq!(error, ChannelError::NoAnswer);
        assert!(error.may_have_taken_effect());
        let line = lifted.join().expect("it was lifted");
        assert_eq!(send(&mut *channel, SELECT), Err(ChannelError::NoAnswer));
        assert_eq!(line.asked.try_iter().count(), 0);
    });
}

#[test]
fn an_answer_of_one_byte_is_none() {
    in_private_pcscd("an_answer_of_one_byte_is_none", &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, line) = obedient();
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let id = wait_for_card(&source);
        let mut channel = open(&source, &id).expect("the card is there");
        assert_eq!(send(&mut *channel, ONE_BYTE), Err(ChannelError::NoAnswer));
        // Over after the first error: nothing more reaches the card by this channel.
        assert_eq!(send(&mut *channel, SELECT), Err(ChannelError::NoAnswer));
        assert_eq!(line.asked.try_iter().collect::<Vec<_>>(), [ONE_BYTE]);
        let mut channel = open(&source, &id).expect("the card is free again");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
    });
}

#[test]
fn a_card_put_back_is_another_candidate_and_the_old_channel_is_dead() {
    let test = "a_card_put_back_is_another_candidate_and_the_old_channel_is_dead";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, line) = obedient();
        let card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let first = wait_for_card(&source);
        let mut channel = open(&source, &first).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
        let applet = card.remove();
        wait_for(&source, <[_]>::is_empty);
        assert_eq!(open(&source, &first).err(), Some(ChannelError::NotThere));
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let second = wait_for_card(&source);
        assert_ne!(first, second);
        line.asked.try_iter().for_each(drop);
        assert_eq!(send(&mut *channel, SELECT), Err(ChannelError::Removed));
        assert_eq!(send(&mut *channel, SELECT), Err(ChannelError::Removed));
        assert_eq!(line.asked.try_iter().count(), 0);
        assert_eq!(open(&source, &first).err(), Some(ChannelError::NotThere));
        let mut channel = open(&source, &second).expect("the card is there");
        assert_eq!(send(&mut *channel, IS_SELECTED), Ok((0x6D00, 0)));
    });
}

#[test]
fn a_card_exchanged_between_two_looks_is_another_candidate() {
    let test = "a_card_exchanged_between_two_looks_is_another_candidate";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, _line) = obedient();
        let card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let first = wait_for_card(&source);
        // Another source watches; this one does not look until it is asked.
        let applet = card.remove();
        let other = PcscSource::new();
        wait_for(&other, <[_]>::is_empty);
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        wait_for_card(&other);
        assert_eq!(open(&source, &first).err(), Some(ChannelError::NotThere));
        assert_ne!(source.candidates().expect("looked").remove(0).id, first);
    });
}

#[test]
fn a_card_exchanged_too_quickly_to_be_noticed_is_not_talked_to() {
    let test = "a_card_exchanged_too_quickly_to_be_noticed_is_not_talked_to";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, line) = obedient();
        let card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let id = wait_for_card(&source);
        let mut channel = open(&source, &id).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
        let applet = card.remove();
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        line.asked.try_iter().for_each(drop);
        let error = send(&mut *channel, IS_SELECTED).expect_err("the card was out");
        // The service looks every 0.4 s, and only by luck at the right moment.
        let noticed = wait_for_card(&source) != id;
        let expected = if noticed { ChannelError::Removed } else { ChannelError::Reset };
        assert_eq!(error, expected);
        assert!(error.may_have_taken_effect());
        assert_eq!(send(&mut *channel, IS_SELECTED), Err(expected));
        assert_eq!(line.asked.try_iter().count(), 0);
        let id = wait_for_card(&source);
        let mut channel = open(&source, &id).expect("the card is there");
        assert_eq!(send(&mut *channel, IS_SELECTED), Ok((0x6D00, 0)));
    });
}

#[test]
fn a_silent_card_holds_up_nothing_but_its_own_reader() {
    let test = "a_silent_card_holds_up_nothing_but_its_own_reader";
    in_private_pcscd(test, &["Left", "Right"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (silent, line) = obedient();
        let left = Card::insert(pcscd.port(0, 0), ATR, silent);
        let (lively, _other_line) = obedient();
        let _right = Card::insert(pcscd.port(1, 0), ATR, lively);
        let candidates = wait_for(&source, |c| c.len() == 2);
        let left_id = in_reader(&candidates, &pcscd.reader_name(0, 0));
        let right_id = in_reader(&candidates, &pcscd.reader_name(1, 0));

        let mut channel = open(&source, &left_id).expect("the card is there");
        let begun = Instant::now();
        let error = within(LIMITS.card, || send(&mut *channel, SILENCE));
        assert_eq!(error, Err(ChannelError::Silent));
        assert!(begun.elapsed() >= LIMITS.card);
        // At once, and the card is not asked again.
        let again = within(Duration::ZERO, || send(&mut *channel, SELECT));
        assert_eq!(again, Err(ChannelError::Silent));
        within(Duration::ZERO, || drop(channel));
        assert_eq!(line.asked.try_iter().collect::<Vec<_>>(), [SILENCE]);

        // Meanwhile, with the first thread still stuck in the library:
        let now = within(Duration::ZERO, || source.candidates()).expect("looked");
        assert_eq!(now, candidates);
        let mut watch = source.watch();
        within(Duration::from_millis(600), || {
            watch.wait(Duration::from_millis(300));
            watch.wait(Duration::from_millis(300));
        });
        let mut channel = within(LIMITS.connect, || open(&source, &right_id)).expect("it is free");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
        drop(channel);
        let retry = within(LIMITS.connect, || open(&source, &left_id)).err();
        assert_eq!(retry, Some(ChannelError::Silent));

        // Lifted and put back, the card is as good as new.
        let applet = left.remove();
        wait_for(&source, |c| c.len() == 1);
        let _left = Card::insert(pcscd.port(0, 0), ATR, applet);
        let candidates = wait_for(&source, |c| c.len() == 2);
        let new_id = in_reader(&candidates, &pcscd.reader_name(0, 0));
        assert_ne!(new_id, left_id);
        let mut channel = open(&source, &new_id).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
    });
}

#[test]
fn a_touch_is_waited_for_longer_and_a_late_card_is_let_go() {
    let test = "a_touch_is_waited_for_longer_and_a_late_card_is_let_go";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, line) = obedient();
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let id = wait_for_card(&source);
        let mut channel = open(&source, &id).expect("the card is there");
        let begun = Instant::now();
        let touch = channel.transmit(&command(LATE).waiting_for_touch());
        assert_eq!(touch.err(), Some(ChannelError::Silent));
        assert!(begun.elapsed() >= LIMITS.touch);
        // The answer comes after all. Nobody hears it, and the card is free again.
        line.go.send(()).expect("the card waits");
        let mut channel = open(&source, &id).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
        line.go.send(()).expect("the card is there");
        let touch = channel.transmit(&command(LATE).waiting_for_touch());
        assert!(touch.is_ok_and(|answer| answer.status().0 == 0x9000));
    });
}

#[test]
fn a_reader_held_by_another_program_is_busy() {
    let test = "a_reader_held_by_another_program_is_busy";
    in_private_pcscd(test, &["NFC", "Yubico YubiKey OTP+FIDO+CCID"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, _line) = obedient();
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let (applet, _other_line) = obedient();
        let _key = Card::insert(pcscd.port(1, 0), KEY_ATR, applet);
        let candidates = wait_for(&source, |c| c.len() == 2);
        let context = Context::establish(Scope::User).expect("the service is there");
        for reader in [0, 1] {
            let name = pcscd.reader_name(reader, 0);
            let id = in_reader(&candidates, &name);
            let name = std::ffi::CString::new(name).expect("names have no zero byte");
            let busy = |error: Option<ChannelError>| match error {
                Some(ChannelError::Busy { likely }) => {
                    // A developer's own scdaemon is a suspect for every reader.
                    assert!(reader == 0 || likely == Some("gpg-agent (scdaemon)"));
                }
                other => panic!("{other:?}"),
            };

            let theirs = context
                .connect(&name, ShareMode::Exclusive, Protocols::ANY)
                .expect("nobody else has it");
            busy(within(LIMITS.connect, || open(&source, &id)).err());
            assert!(theirs.disconnect(Disposition::LeaveCard).is_ok());

            let mut theirs = context
                .connect(&name, ShareMode::Shared, Protocols::ANY)
                .expect("nobody else has it");
            let transaction = theirs.transaction().expect("nobody else has one");
            busy(within(LIMITS.connect, || open(&source, &id)).err());
            assert!(transaction.end(Disposition::LeaveCard).is_ok());

            // Shared with a program that does nothing is fine.
            let mut channel = open(&source, &id).expect("it is free");
            assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
            // And while it is ours, it is ours alone.
            let second = within(LIMITS.connect, || open(&source, &id)).err();
            busy(second);
        }
    });
}

#[test]
fn a_contactless_card_is_reset_when_let_go_and_a_key_is_left_as_it_is() {
    let test = "a_contactless_card_is_reset_when_let_go_and_a_key_is_left_as_it_is";
    in_private_pcscd(test, &["Any"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        for (atr, left) in [(ATR, 0x6D00), (KEY_ATR, 0x9000)] {
            let (applet, _line) = obedient();
            let card = Card::insert(pcscd.port(0, 0), atr, applet);
            let id = wait_for_card(&source);
            let mut channel = open(&source, &id).expect("the card is there");
            assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
            assert_eq!(send(&mut *channel, IS_SELECTED), Ok((0x9000, 0)));
            drop(channel);
            let mut channel = open(&source, &id).expect("the card is there");
            assert_eq!(send(&mut *channel, IS_SELECTED), Ok((left, 0)));
            drop(channel);
            drop(card);
            wait_for(&source, <[_]>::is_empty);
        }
    });
}

#[test]
fn a_service_that_dies_is_missing_and_one_that_comes_back_is_found() {
    let test = "a_service_that_dies_is_missing_and_one_that_comes_back_is_found";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, _line) = obedient();
        let card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let id = wait_for_card(&source);
        let mut watch = source.watch();
        watch.wait(Duration::ZERO);
        let mut channel = open(&source, &id).expect("the card is there");
        pcscd.kill();

        // What became of the command is open, so it must not be "service missing".
        let error = within(LIMITS.card, || send(&mut *channel, SELECT));
        let error = error.expect_err("the service is dead");
        assert_eq!(error, ChannelError::Failed { code: 0x8010_001D });
        assert!(error.may_have_taken_effect());
        within(LIMITS.release, || drop(channel));
        assert_eq!(source.candidates(), Err(ChannelError::ServiceMissing));
        assert_eq!(open(&source, &id).err(), Some(ChannelError::ServiceMissing));

        // The watch tells of the end, and then takes its time instead of spinning.
        within(Duration::from_secs(1), || {
            watch.wait(Duration::from_mins(1));
        });
        let begun = Instant::now();
        within(Duration::from_millis(700), || {
            watch.wait(Duration::from_millis(700));
        });
        assert!(begun.elapsed() >= Duration::from_millis(700));

        pcscd.restart();
        within(Duration::from_secs(2), || {
            watch.wait(Duration::from_mins(1));
        });
        let applet = card.remove();
        assert_eq!(source.candidates(), Ok(vec![]));
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let new_id = wait_for_card(&source);
        assert_ne!(new_id, id);
        assert_eq!(open(&source, &id).err(), Some(ChannelError::NotThere));
        let mut channel = open(&source, &new_id).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
    });
}

#[test]
fn the_watch_sleeps_through_our_own_connections() {
    let test = "the_watch_sleeps_through_our_own_connections";
    in_private_pcscd(test, &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, _line) = obedient();
        let _card = Card::insert(pcscd.port(0, 0), ATR, applet);
        let id = wait_for_card(&source);
        let mut watch = source.watch();
        watch.wait(Duration::ZERO);
        let watching = std::thread::spawn(move || {
            let begun = Instant::now();
            watch.wait(Duration::from_millis(1500));
            begun.elapsed()
        });
        let mut channel = open(&source, &id).expect("the card is there");
        assert_eq!(send(&mut *channel, SELECT), Ok((0x9000, 0)));
        // Held for so long that the service sees the card in use when it looks.
        let slept = watching.join().expect("it watches");
        drop(channel);
        assert!(slept >= Duration::from_millis(1500), "{slept:?}");
    });
}

#[test]
fn the_diagnosis_tells_what_is_there() {
    in_private_pcscd("the_diagnosis_tells_what_is_there", &["NFC"], |pcscd| {
        let source = PcscSource::with_limits(LIMITS);
        let (applet, _line) = obedient();
        let _card = Card::insert(pcscd.port(0, 1), ATR, applet);
        wait_for_card(&source);
        let found = diagnose();
        let reader =
            |slot, state| Finding::Reader { name: pcscd.reader_name(0, slot), slot: state };
        assert!(found.contains(&Finding::Service(ServiceState::Answers)));
        assert!(found.contains(&reader(0, SlotState::Empty)), "{found:?}");
        assert!(found.contains(&reader(1, SlotState::Card)), "{found:?}");
        pcscd.kill();
        let found = diagnose();
        assert!(found.contains(&Finding::Service(ServiceState::Missing)));
    });
}
