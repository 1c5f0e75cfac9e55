//! CTAPHID: messages in reports of 64 bytes, channels, and what is said while a
//! touch is awaited (nitrokey-secrets.md section 2).

use std::collections::VecDeque;
use std::mem;

use oath::UnixTime;

use super::app::{Secrets, TOUCH_MILLIS};
use crate::wire::Command;

const REPORT: usize = 64;
/// Payload in the first report of a message, and in each further one.
const FIRST: usize = 57;
const FURTHER: usize = 59;
/// The largest message of a Nitrokey 3.
const MOST: usize = 3072;

const BROADCAST: u32 = 0xffff_ffff;

const PING: u8 = 0x01;
const INIT: u8 = 0x06;
const WINK: u8 = 0x08;
const CANCEL: u8 = 0x11;
const KEEPALIVE: u8 = 0x3b;
const ERROR: u8 = 0x3f;
const SECRETS: u8 = 0x70;

/// Protocol version 2, firmware 1.8.0, and the capabilities: wink and CBOR.
const ABOUT: [u8; 5] = [0x02, 0x01, 0x08, 0x00, 0x05];

/// "A touch is awaited" in a keep-alive, and how often one comes, in ms.
const TOUCH_AWAITED: u8 = 0x02;
const KEEPALIVE_MILLIS: u64 = 100;

/// How long the reports of one request may take, in ms.
const REQUEST_MILLIS: u64 = 550;

/// The payload of an error.
#[derive(Clone, Copy)]
enum Fault {
    Command = 0x01,
    Length = 0x03,
    Sequence = 0x04,
    Timeout = 0x05,
    Busy = 0x06,
    Channel = 0x0b,
}

/// The HID interface of one key.
#[derive(Default)]
pub(super) struct CtapHid {
    state: State,
    last_channel: u32,
    input: VecDeque<Vec<u8>>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Receiving(Receiving),
    Answering(Answering),
}

/// A request whose further reports have not all come.
struct Receiving {
    channel: u32,
    command: u8,
    length: usize,
    payload: Vec<u8>,
    next: u8,
    since: UnixTime,
}

/// A command for the app that has no answer yet.
struct Answering {
    channel: u32,
    apdu: Vec<u8>,
    since: UnixTime,
    kept_alive: Option<UnixTime>,
}

impl CtapHid {
    /// One output report.
    pub(super) fn write(&mut self, app: &mut Secrets, report: &[u8], now: UnixTime) {
        let without_number = report.strip_prefix(&[0]).filter(|rest| rest.len() == REPORT);
        let report = without_number.unwrap_or(report);
        if report.len() != REPORT {
            return;
        }
        let &[c3, c2, c1, c0, mark, high, low, ..] = report else {
            return;
        };
        self.go_on(app, now);
        let channel = u32::from_be_bytes([c3, c2, c1, c0]);
        if mark & 0x80 == 0 {
            self.continue_request(channel, mark, &report[5..], now);
        } else {
            let length = usize::from(u16::from_be_bytes([high, low]));
            self.begin_request(channel, mark & 0x7f, length, &report[7..], now);
        }
    }

    /// The next input report.
    pub(super) fn read(&mut self, app: &mut Secrets, now: UnixTime) -> Option<Vec<u8>> {
        if self.input.is_empty() {
            self.go_on(app, now);
        }
        self.input.pop_front()
    }

    /// Whether a command waits for a touch.
    pub(super) fn awaits_touch(&self, app: &Secrets, now: UnixTime) -> bool {
        match &self.state {
            State::Idle | State::Receiving(_) => false,
            State::Answering(waiting) => waiting.awaits_touch(app, now),
        }
    }

    fn begin_request(
        &mut self,
        channel: u32,
        command: u8,
        length: usize,
        payload: &[u8],
        now: UnixTime,
    ) {
        let busy_with = match &self.state {
            State::Idle => None,
            State::Receiving(Receiving { channel, .. })
            | State::Answering(Answering { channel, .. }) => Some(*channel),
        };
        match busy_with {
            None => {}
            // Whoever starts anew ends what was going on.
            Some(_) if command == INIT => self.state = State::Idle,
            Some(owner) if owner != channel => return self.complain(channel, Fault::Busy),
            Some(_) if command == CANCEL => return self.cancel(),
            Some(_) => {
                self.state = State::Idle;
                return self.complain(channel, Fault::Sequence);
            }
        }
        let is_open = (1..=self.last_channel).contains(&channel);
        if !(is_open || (command == INIT && channel == BROADCAST)) {
            return self.complain(channel, Fault::Channel);
        }
        if length > MOST {
            return self.complain(channel, Fault::Length);
        }
        let payload = payload[..length.min(FIRST)].to_vec();
        if length > FIRST {
            let next = 0;
            self.state =
                State::Receiving(Receiving { channel, command, length, payload, next, since: now });
        } else {
            self.dispatch(channel, command, payload, now);
        }
    }

    fn continue_request(&mut self, channel: u32, sequence: u8, payload: &[u8], now: UnixTime) {
        let State::Receiving(request) = &mut self.state else {
            return;
        };
        if request.channel != channel {
            return;
        }
        if request.next != sequence {
            self.state = State::Idle;
            return self.complain(channel, Fault::Sequence);
        }
        let missing = request.length - request.payload.len();
        request.payload.extend_from_slice(&payload[..missing.min(FURTHER)]);
        request.next += 1;
        if missing <= FURTHER {
            let (command, payload) = (request.command, mem::take(&mut request.payload));
            self.state = State::Idle;
            self.dispatch(channel, command, payload, now);
        }
    }

    fn dispatch(&mut self, channel: u32, command: u8, payload: Vec<u8>, now: UnixTime) {
        match command {
            INIT if payload.len() == 8 => {
                self.last_channel += 1;
                let answer = [payload.as_slice(), &self.last_channel.to_be_bytes(), &ABOUT];
                self.send(channel, INIT, &answer.concat());
            }
            PING => self.send(channel, PING, &payload),
            WINK if payload.is_empty() => self.send(channel, WINK, &[]),
            SECRETS if Command::parse(&payload).is_some() => {
                self.state = State::Answering(Answering {
                    channel,
                    apdu: payload,
                    since: now,
                    kept_alive: None,
                });
            }
            INIT | WINK | SECRETS => self.complain(channel, Fault::Length),
            // There is nothing to cancel, and no answer.
            CANCEL => {}
            _ => self.complain(channel, Fault::Command),
        }
    }

    /// Does what is due: gives up a request that stays away, answers a command,
    /// or says that a touch is awaited.
    fn go_on(&mut self, app: &mut Secrets, now: UnixTime) {
        match &mut self.state {
            State::Idle => {}
            State::Receiving(request) => {
                if millis_since(request.since, now) > REQUEST_MILLIS {
                    let channel = request.channel;
                    self.state = State::Idle;
                    self.complain(channel, Fault::Timeout);
                }
            }
            State::Answering(waiting) => {
                if waiting.awaits_touch(app, now) {
                    let due = |at| millis_since(at, now) >= KEEPALIVE_MILLIS;
                    if waiting.kept_alive.is_none_or(due) {
                        waiting.kept_alive = Some(now);
                        let channel = waiting.channel;
                        self.send(channel, KEEPALIVE, &[TOUCH_AWAITED]);
                    }
                    return;
                }
                let channel = waiting.channel;
                // Only what can be parsed is dispatched.
                let answer = Command::parse(&waiting.apdu).map(|c| app.call(&c, MOST - 2, now));
                let (data, status) = answer.unwrap_or((Vec::new(), 0x6f00));
                self.state = State::Idle;
                self.send(channel, SECRETS, &[&status.to_be_bytes(), data.as_slice()].concat());
            }
        }
    }

    fn cancel(&mut self) {
        if let State::Answering(Answering { channel, .. }) = self.state {
            self.state = State::Idle;
            self.send(channel, SECRETS, &0x6500_u16.to_be_bytes());
        }
    }

    fn complain(&mut self, channel: u32, fault: Fault) {
        self.send(channel, ERROR, &[fault as u8]);
    }

    /// Queues one message, in as many reports as it takes.
    fn send(&mut self, channel: u32, command: u8, payload: &[u8]) {
        let (first, further) = payload.split_at(payload.len().min(FIRST));
        // Nothing here is longer than the largest message.
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut report = channel.to_be_bytes().to_vec();
        report.push(0x80 | command);
        report.extend_from_slice(&length);
        report.extend_from_slice(first);
        report.resize(REPORT, 0);
        self.input.push_back(report);
        for (sequence, part) in (0_u8..=0x7f).zip(further.chunks(FURTHER)) {
            let mut report = channel.to_be_bytes().to_vec();
            report.push(sequence);
            report.extend_from_slice(part);
            report.resize(REPORT, 0);
            self.input.push_back(report);
        }
    }
}

impl Answering {
    fn awaits_touch(&self, app: &Secrets, now: UnixTime) -> bool {
        millis_since(self.since, now) < TOUCH_MILLIS
            && Command::parse(&self.apdu).is_some_and(|command| app.awaits_touch(&command, now))
    }
}

fn millis_since(at: UnixTime, now: UnixTime) -> u64 {
    now.as_millis().saturating_sub(at.as_millis())
}
