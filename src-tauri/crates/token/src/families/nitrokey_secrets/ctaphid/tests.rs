//! Reports of the sheet, and what other programs and faults make of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;

use super::*;
use crate::{FeatureChannel, ReportChannel};

/// Hands out reports and keeps what was written, in hex, without the zeros at
/// the end. `stale` was there before; the others come after the first write.
#[derive(Clone, Default)]
pub(in super::super) struct Script {
    pub(in super::super) stale: Arc<Mutex<VecDeque<Vec<u8>>>>,
    pub(in super::super) reports: Arc<Mutex<VecDeque<Vec<u8>>>>,
    pub(in super::super) sent: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub(in super::super) fn of(reports: &[&str]) -> Self {
        let script = Self::default();
        let reports = reports.iter().map(|hex| report(hex));
        script.reports.lock().expect("alone").extend(reports);
        script
    }

    pub(in super::super) fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("alone").clone()
    }
}

fn report(hex: &str) -> Vec<u8> {
    let mut bytes = HEXLOWER.decode(hex.as_bytes()).expect("hex");
    bytes.resize(REPORT_LEN, 0);
    bytes
}

impl ReportChannel for Script {
    fn write(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        assert_eq!((report.len(), report[0]), (65, 0));
        let end = report.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
        self.sent.lock().expect("alone").push(HEXLOWER.encode(&report[1..end]));
        Ok(())
    }

    fn read(&mut self, at_most: Duration) -> Result<Vec<u8>, ChannelError> {
        let queue = if at_most.is_zero() { &self.stale } else { &self.reports };
        queue.lock().expect("alone").pop_front().ok_or(ChannelError::Silent)
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

/// The nonce of the sheet.
pub(in super::super) fn nonce() -> Random {
    Arc::new(|bytes: &mut [u8]| {
        for (byte, value) in bytes.iter_mut().zip(0xa1..) {
            *byte = value;
        }
    })
}

pub(in super::super) const INIT_IN: &str = "ffffffff860011a1a2a3a4a5a6a7a8000000010201080005";
const DONE: &str = "00000001f000029000";

fn transmit(script: &Script, command: &CommandApdu) -> Result<(Vec<u8>, u16), ChannelError> {
    let mut ctap = CtapHid::new(Box::new(script.clone()), nonce());
    let answer = ctap.transmit(command)?;
    Ok((answer.data().to_vec(), answer.status().0))
}

fn list() -> CommandApdu {
    CommandApdu::new([0, 0xa1, 0, 0], &[1]).with_le(0)
}

/// nitrokey-secrets.md section 6: INIT, SELECT and PUT as HID reports.
#[test]
fn reports_are_the_sheets() {
    let answer = "00000001f000179000\
                  7903040e00710800112233445566778f04deadbeef";
    let script = Script::of(&[INIT_IN, answer, "00000001bb000102", DONE]);
    let mut ctap = CtapHid::new(Box::new(script.clone()), nonce());
    let aid = [0xa0, 0, 0, 5, 0x27, 0x21, 1];
    let select = CommandApdu::new([0, 0xa4, 4, 0], &aid).with_le(0);
    let answer = ctap.transmit(&select).expect("answer");
    assert_eq!(HEXLOWER.encode(answer.data()), "7903040e00710800112233445566778f04deadbeef");
    let put = "711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f6d\
               730c210648656c6c6f21deadbeef7800";
    let put = HEXLOWER.decode(put.as_bytes()).expect("hex");
    let put = CommandApdu::new([0, 1, 0, 0], &put).with_le(0);
    assert_eq!(ctap.transmit(&put).expect("answer").status().0, 0x9000);
    assert_eq!(
        script.sent(),
        [
            "ffffffff860008a1a2a3a4a5a6a7a8",
            "00000001f0000c00a4040007a0000005272101",
            "00000001f00032000100002d711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f\
             6d730c210648656c6c6f21deadbeef78",
        ]
    );
}

#[test]
fn somebody_is_called_when_the_key_says_that_it_waits() {
    let script = Script::of(&[INIT_IN, "00000001bb000101", "00000001bb000102", DONE]);
    let mut ctap = CtapHid::new(Box::new(script), nonce());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let called = Arc::clone(&calls);
    ctap.summon_by(Arc::new(move |deed| called.lock().expect("alone").push(deed)));
    assert_eq!(ctap.transmit(&list()).expect("answer").status().0, 0x9000);
    assert_eq!(*calls.lock().expect("alone"), [Deed::Touch], "working alone calls nobody");
}

#[test]
fn long_messages_are_cut_and_joined() {
    let first = format!("00000001f00098{}", "00".repeat(57));
    let second = format!("0000000100{}", "01".repeat(59));
    let third = format!("0000000101{}", "02".repeat(59));
    let script = Script::of(&[INIT_IN, &first, &second, &third]);
    let command = CommandApdu::new([0, 1, 0, 0], &[7; 120]).with_le(0);
    let (data, status) = transmit(&script, &command).expect("answer");
    assert_eq!((data.len(), status, data.last()), (150, 0, Some(&2)));
    let sent = script.sent();
    assert!(sent[1].starts_with("00000001f0007d0001000078070707"), "{}", sent[1]);
    assert_eq!(sent[2], format!("0000000100{}", "07".repeat(59)));
    assert_eq!(sent[3], format!("0000000101{}", "07".repeat(9)));
}

#[test]
fn what_is_not_ours_is_let_pass() {
    let script = Script::of(&[
        "ffffffff860011a1a2a3a4a5a6a7a9000000090201080005", // another program's channel
        INIT_IN,
        "00000009f00003900001", // another program's answer
        "00000001050000",       // the end of something
        "0000000190000100",     // an answer to something else
        "00000001bb000101",
        DONE,
    ]);
    script.stale.lock().expect("alone").push_back(report("00000001f000026982"));
    assert_eq!(transmit(&script, &list()), Ok((vec![], 0x9000)));
}

#[test]
fn a_missing_packet_is_no_answer() {
    let first = format!("00000001f00098{}", "00".repeat(57));
    for next in ["0000000101", DONE, "0000000140"] {
        let script = Script::of(&[INIT_IN, &first, next]);
        assert_eq!(transmit(&script, &list()), Err(ChannelError::NoAnswer), "{next}");
    }
    let script = Script::of(&[INIT_IN, "00000001f0ffff"]);
    assert_eq!(transmit(&script, &list()), Err(ChannelError::NoAnswer));
    for short in ["00000001f00000", "00000001f0000190", "00000001bf0000"] {
        let script = Script::of(&[INIT_IN, short]);
        assert_eq!(transmit(&script, &list()), Err(ChannelError::NoAnswer), "{short}");
    }
}

#[test]
fn error_bytes_say_what_was_not_taken() {
    let error = |code: &str| {
        let script = Script::of(&[INIT_IN, &format!("00000001bf0001{code}")]);
        transmit(&script, &list()).expect_err("an error")
    };
    assert_eq!(error("06"), ChannelError::Busy { likely: None });
    assert!(no_such_app(&error("01")));
    for code in ["01", "03", "04", "05", "0b"] {
        assert!(not_taken(&error(code)), "{code}");
    }
    assert!(!not_taken(&error("7f")));
    assert!(error("7f").may_have_taken_effect());
}

#[test]
fn waiting_ends_and_is_called_off() {
    let keepalives = vec!["00000001bb000102"; 2000];
    let script = Script::of(&[&[INIT_IN][..], &keepalives].concat());
    let delete = list().waiting_for_touch();
    assert_eq!(transmit(&script, &delete), Err(ChannelError::Silent));
    assert_eq!(script.reports.lock().expect("alone").len(), 999);
    assert_eq!(script.sent().last().map(String::as_str), Some("0000000191"));
    let others = vec!["00000009bb000102"; 2000];
    let script = Script::of(&[&[INIT_IN][..], &others].concat());
    assert_eq!(transmit(&script, &list()), Err(ChannelError::Silent));
}

#[test]
fn after_a_failure_another_channel_is_asked_for() {
    let script = Script::of(&[
        INIT_IN,
        "ffffffff860011a1a2a3a4a5a6a7a8000000020201080005",
        "00000001f000026a82", // late, for the channel of before
        "00000002f000029000",
    ]);
    let later = script.reports.lock().expect("alone").split_off(1);
    let mut ctap = CtapHid::new(Box::new(script.clone()), nonce());
    assert_eq!(ctap.transmit(&list()).err(), Some(ChannelError::Silent));
    script.reports.lock().expect("alone").extend(later);
    assert_eq!(ctap.transmit(&list()).expect("answer").status().0, 0x9000);
}
