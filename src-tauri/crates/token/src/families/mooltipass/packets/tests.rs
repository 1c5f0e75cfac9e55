//! Messages in reports, and what other programs and faults make of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::{FeatureChannel, ReportChannel};

/// What a scripted device does with the next message.
#[derive(Clone)]
pub(in super::super) enum Then {
    /// Answers the command with this payload.
    Says(u16, Vec<u8>),
    /// Tells these reports.
    Tells(Vec<Vec<u8>>),
    /// The packet of this number cannot be sent, with this error.
    Breaks(u8, ChannelError),
    /// The message is sent, and a read fails with this error.
    Fails(ChannelError),
}

/// A device that follows a script, a step for each message, and keeps what it is
/// sent. Where the script ends it is silent.
#[derive(Clone, Default)]
pub(in super::super) struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    script: VecDeque<Then>,
    sent: Vec<Vec<u8>>,
    told: VecDeque<Vec<u8>>,
    unread: Option<ChannelError>,
}

impl Script {
    pub(in super::super) fn of(script: Vec<Then>) -> Self {
        let this = Self::default();
        this.0.lock().expect("alone").script = script.into();
        this
    }

    fn telling(stale: Vec<Vec<u8>>, script: Vec<Then>) -> Self {
        let this = Self::of(script);
        this.0.lock().expect("alone").told = stale.into();
        this
    }

    /// The output reports, without report numbers.
    pub(in super::super) fn sent(&self) -> Vec<Vec<u8>> {
        self.0.lock().expect("alone").sent.clone()
    }

    /// The commands of the messages that were sent.
    pub(in super::super) fn commands(&self) -> Vec<u16> {
        let begins = |report: &&Vec<u8>| report[..2] != [0xff, 0xff] && report[1] >> 4 == 0;
        let command = |report: &Vec<u8>| u16::from_le_bytes([report[2], report[3]]);
        self.sent().iter().filter(begins).map(command).collect()
    }
}

impl ReportChannel for Script {
    fn write(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        let mut state = self.0.lock().expect("alone");
        assert_eq!((report.len(), report[0]), (1 + REPORT_LEN, 0));
        let (number, last) = (report[2] >> 4, report[2] & 0x0f);
        let reset = report[1..3] == [0xff, 0xff];
        if let Some(Then::Breaks(at, error)) = state.script.front()
            && *at == number
            && !reset
        {
            return Err(error.clone());
        }
        state.sent.push(report[1..].to_vec());
        if number == last && !reset {
            match state.script.pop_front() {
                Some(Then::Says(command, payload)) => state.told.extend(message(command, &payload)),
                Some(Then::Tells(reports)) => state.told.extend(reports),
                Some(Then::Fails(error)) => state.unread = Some(error),
                Some(Then::Breaks(..)) | None => {}
            }
        }
        Ok(())
    }

    fn read(&mut self, _: Duration) -> Result<Vec<u8>, ChannelError> {
        let mut state = self.0.lock().expect("alone");
        let unread = state.unread.clone().unwrap_or(ChannelError::Silent);
        state.told.pop_front().ok_or(unread)
    }
}

impl FeatureChannel for Script {
    fn set(&mut self, _: &[u8]) -> Result<(), ChannelError> {
        Err(ChannelError::Silent)
    }

    fn get(&mut self, _: u8, _: usize) -> Result<Vec<u8>, ChannelError> {
        Err(ChannelError::Silent)
    }
}

/// The input reports of an answer.
fn message(command: u16, payload: &[u8]) -> Vec<Vec<u8>> {
    let len = u16::try_from(payload.len()).expect("short");
    let bytes = [&command.to_le_bytes()[..], &len.to_le_bytes(), payload].concat();
    let last = bytes.len().div_ceil(62) - 1;
    let report = |(number, data): (usize, &[u8])| {
        let numbers = u8::try_from(number << 4 | last).expect("16 packets");
        let mut report = vec![u8::try_from(data.len()).expect("62 bytes"), numbers];
        report.extend_from_slice(data);
        report.resize(REPORT_LEN, 0);
        report
    };
    bytes.chunks(62).enumerate().map(report).collect()
}

const COMMAND: u16 = 0x0011;

fn question() -> Message {
    Message::new(COMMAND, "STATUS", Zeroizing::default())
}

fn long() -> Message {
    Message::new(COMMAND, "STATUS", Zeroizing::new(vec![7; 100]))
}

fn link(script: Vec<Then>) -> (Link, Script) {
    let script = Script::of(script);
    (Link::new(Box::new(script.clone())), script)
}

fn retry() -> Then {
    Then::Says(PLEASE_RETRY, vec![])
}

/// How a message ends, and how long was waited.
fn asked(message: &Message, script: Vec<Then>) -> (Result<Vec<u8>, Unanswered>, Duration) {
    let (mut link, _) = link(script);
    let answer = link.ask(message).map(|payload| payload.to_vec());
    (answer, link.waited())
}

#[test]
fn the_flip_bit_is_set_anew_first_and_then_toggles() {
    let (mut link, script) = link(vec![Then::Says(COMMAND, vec![5]); 3]);
    for _ in 0..3 {
        assert_eq!(*link.ask(&question()).expect("answered"), [5]);
    }
    let first: Vec<_> = script.sent().iter().map(|report| report[0]).collect();
    assert_eq!(first, [0xff, 0x04, 0x84, 0x04]);
}

#[test]
fn the_flip_bit_is_set_anew_after_a_failure() {
    let (mut link, script) =
        link(vec![Then::Tells(vec![]), Then::Says(COMMAND, vec![5]), Then::Says(COMMAND, vec![5])]);
    let silent = Unanswered { cause: ChannelError::Silent, taken: true };
    assert_eq!(link.ask(&question()).expect_err("silence"), silent);
    link.ask(&question()).expect("answered");
    link.ask(&question()).expect("answered");
    let first: Vec<_> = script.sent().iter().map(|report| report[0]).collect();
    assert_eq!(first, [0xff, 0x04, 0xff, 0x04, 0x84]);
}

#[test]
fn a_long_message_is_cut_into_packets() {
    let packets = long().packets(true);
    assert_eq!(packets.len(), 2);
    assert_eq!(packets[0][..8], [0, 0xbe, 0x01, 0x11, 0, 100, 0, 7]);
    assert_eq!(packets[1][..4], [0, 0xaa, 0x11, 7]);
    assert_eq!(packets[1][44], 7);
    assert!(packets[1][45..].iter().all(|byte| *byte == 0));
}

#[test]
fn an_answer_of_many_packets_is_put_together() {
    let payload: Vec<u8> = (0..200).collect();
    let (answer, _) = asked(&question(), vec![Then::Says(COMMAND, payload.clone())]);
    assert_eq!(answer, Ok(payload));
}

#[test]
fn what_is_of_others_is_let_pass() {
    let mut reports = message(0x0003, &[1; 90]);
    reports.push(vec![]);
    reports.push(vec![0x04; 8]);
    // An acknowledgement, a number beyond the last, a length beyond the report.
    for head in [[0x44, 0x00], [0x04, 0x10], [0x3f, 0x00]] {
        let mut odd = vec![head[0], head[1], 0x11, 0, 0, 0];
        odd.resize(REPORT_LEN, 0);
        reports.push(odd);
    }
    reports.extend(message(COMMAND, &[5]));
    let (answer, _) = asked(&question(), vec![Then::Tells(reports)]);
    assert_eq!(answer, Ok(vec![5]));
}

#[test]
fn what_waits_from_before_is_no_answer() {
    let script = Script::telling(message(COMMAND, &[1]), vec![Then::Says(COMMAND, vec![5])]);
    let mut link = Link::new(Box::new(script));
    assert_eq!(*link.ask(&question()).expect("answered"), [5]);
}

#[test]
fn an_answer_that_is_none_is_none() {
    let unsure = Unanswered { cause: ChannelError::NoAnswer, taken: true };
    let two = message(COMMAND, &[1; 90]);
    let mut short = message(COMMAND, &[1; 4]);
    short[0][0] = 6;
    let mut headless = message(COMMAND, &[]);
    headless[0][0] = 3;
    for reports in [vec![two[0].clone(), two[0].clone()], short, headless] {
        let (answer, _) = asked(&question(), vec![Then::Tells(reports)]);
        assert_eq!(answer, Err(unsure.clone()));
    }
    let (answer, waited) = asked(&question(), vec![Then::Tells(vec![two[0].clone()])]);
    assert_eq!(answer, Err(Unanswered { cause: ChannelError::Silent, taken: true }));
    assert_eq!(waited, Duration::from_millis(5250));
}

#[test]
fn a_busy_device_is_asked_again_and_not_for_ever() {
    let mut script = vec![retry(); 3];
    script.push(Then::Says(COMMAND, vec![5]));
    let (answer, waited) = asked(&question(), script);
    assert_eq!((answer, waited), (Ok(vec![5]), SLICE * 3));
    let (mut link, script) = link(vec![retry(); 100]);
    let busy = ChannelError::Busy { likely: Some("Moolticute") };
    let unanswered = link.ask(&question()).expect_err("busy");
    assert_eq!(unanswered, Unanswered { cause: busy, taken: true });
    assert_eq!(script.commands().len(), 20);
}

/// A noisy neighbour does not hold it up for ever.
#[test]
fn waiting_ends_among_foreign_reports() {
    let foreign: Vec<_> = (0..5000).flat_map(|_| message(0x0003, &[1])).collect();
    let (answer, _) = asked(&question(), vec![Then::Tells(foreign)]);
    assert_eq!(answer, Err(Unanswered { cause: ChannelError::Silent, taken: true }));
}

#[test]
fn an_approval_is_waited_for_longer() {
    let (_, waited) = asked(&question(), vec![]);
    assert_eq!(waited, Duration::from_millis(5250));
    let (_, waited) = asked(&question().waiting_for_approval(), vec![]);
    assert_eq!(waited, Duration::from_millis(30_250));
}

#[test]
fn only_a_message_that_is_whole_may_be_taken() {
    let unanswered = |then| asked(&long(), vec![then]).0.expect_err("unanswered");
    for (packet, error, taken) in [
        (0, ChannelError::Removed, false),
        (1, ChannelError::Removed, true),
        (1, ChannelError::NotThere, false),
    ] {
        let expected = Unanswered { cause: error.clone(), taken };
        assert_eq!(unanswered(Then::Breaks(packet, error)), expected);
    }
    let expected = Unanswered { cause: ChannelError::Removed, taken: true };
    assert_eq!(unanswered(Then::Fails(ChannelError::NotThere)), expected);
    // It may have been taken before the device asked for it again.
    let script = vec![retry(), Then::Breaks(0, ChannelError::Removed)];
    let (answer, _) = asked(&long(), script);
    assert_eq!(answer, Err(Unanswered { cause: ChannelError::Removed, taken: true }));
}
