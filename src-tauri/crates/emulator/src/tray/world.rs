//! What is where: tokens, readers, who talks to whom, and what goes wrong.

use std::time::Duration;

use oath::UnixTime;
use token::{Attachment, ChannelError};

use super::TrayId;
use crate::faults::{Armed, Fault, Script, garble};
use crate::{Applet, Stalled};

/// A command that was sent to a token: its header and lengths, never its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Class, instruction, P1 and P2; zeros where the command was shorter.
    pub header: [u8; 4],
    /// The bytes after the header: length bytes, data and Le.
    pub body_length: usize,
}

/// How an exchange ended.
pub(crate) enum Outcome {
    /// With these bytes, which may be too few or flipped.
    Answer(Vec<u8>),
    /// Without any, and there will be none.
    Silence,
    /// The token left during the command.
    Left,
    /// Another token lies there now.
    Swapped {
        /// Which one.
        token: TrayId,
        /// Its appearance.
        appearance: u64,
    },
}

/// One thing that a host does to a HID device.
pub(crate) enum HidWrite<'a> {
    /// An output report.
    Output(&'a [u8]),
    /// A feature report that is set.
    Feature(&'a [u8]),
}

/// What becomes of what a HID device answers next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NextAnswer {
    #[default]
    AsItIs,
    /// With flipped bits.
    Garbled,
    /// So many bytes of it; an input report that is too short is dropped by the
    /// system.
    Cut(usize),
}

/// Everything on the tray.
#[derive(Default)]
pub(crate) struct World {
    tokens: Vec<Token>,
    /// Counts appearances, so that each has a number of its own.
    appearances: u64,
    changes: u64,
    /// Names of readers that the real service serves.
    served: Vec<String>,
    pub(super) exchange_time: Duration,
    pub(super) touch_time: Duration,
}

struct Token {
    applet: Box<dyn Applet>,
    reader: String,
    inserted: bool,
    /// The number of its present appearance in the reader's field.
    appearance: Option<u64>,
    /// The appearance that a channel holds.
    held: Option<u64>,
    silent: bool,
    next_answer: NextAnswer,
    armed: Armed,
    log: Vec<Logged>,
}

impl World {
    pub(super) fn add(&mut self, applet: Box<dyn Applet>, reader: &str) -> TrayId {
        self.tokens.push(Token {
            applet,
            reader: reader.to_owned(),
            inserted: false,
            appearance: None,
            held: None,
            silent: false,
            next_answer: NextAnswer::AsItIs,
            armed: Armed::default(),
            log: Vec::new(),
        });
        self.changes += 1;
        TrayId(self.tokens.len() - 1)
    }

    pub(super) fn ids(&self) -> Vec<TrayId> {
        (0..self.tokens.len()).map(TrayId).collect()
    }

    /// Ids are made by `add` alone and tokens never leave the list. An id of
    /// another tray is the caller's mistake.
    fn token(&self, id: TrayId) -> &Token {
        &self.tokens[id.0]
    }

    fn token_mut(&mut self, id: TrayId) -> &mut Token {
        &mut self.tokens[id.0]
    }

    pub(super) fn applet(&self, id: TrayId) -> &dyn Applet {
        self.token(id).applet.as_ref()
    }

    pub(super) fn log(&self, id: TrayId) -> &[Logged] {
        &self.token(id).log
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn is_inserted(&self, id: TrayId) -> bool {
        self.token(id).inserted
    }

    pub(super) fn insert(&mut self, id: TrayId) {
        let reader = self.token(id).reader.clone();
        for other in self.ids() {
            if other != id && self.token(other).reader == reader {
                self.remove(other);
            }
        }
        self.token_mut(id).inserted = true;
        self.settle(id);
    }

    pub(super) fn remove(&mut self, id: TrayId) {
        self.token_mut(id).inserted = false;
        self.settle(id);
    }

    pub(super) fn press(&mut self, id: TrayId, now: UnixTime) {
        self.token_mut(id).applet.press(now);
        self.changes += 1;
        self.settle(id);
    }

    pub(super) fn arm(&mut self, id: TrayId, faults: &[Script]) {
        let token = self.token_mut(id);
        token.armed = Armed::new(faults);
        token.log.clear();
    }

    /// Lets a token appear or disappear, if its place or its switch says so.
    fn settle(&mut self, id: TrayId) {
        let number = self.appearances + 1;
        let token = self.token_mut(id);
        let is_there = token.inserted && token.applet.is_on();
        if is_there == token.appearance.is_some() {
            return;
        }
        token.applet.reset();
        token.silent = false;
        token.next_answer = NextAnswer::AsItIs;
        token.appearance = is_there.then_some(number);
        self.appearances = number;
        self.changes += 1;
    }

    /// The tokens that a channel can be opened to: appearance and how they are
    /// attached.
    pub(super) fn seen(&self) -> Vec<(u64, Attachment)> {
        let here = self.tokens.iter().filter(|t| !self.served.contains(&t.reader));
        here.filter_map(|token| {
            let attachment = match token.applet.hid_device() {
                Some(device) => Attachment::Hid {
                    vendor: device.vendor,
                    product: device.product,
                    usage_page: device.usage_page,
                    usage: device.usage,
                    name: device.name,
                    serial: device.serial,
                },
                None => Attachment::SmartCard {
                    reader: match token.applet.reader() {
                        Some(reader) => reader.to_owned(),
                        None => token.reader.clone(),
                    },
                    atr: token.applet.atr(),
                },
            };
            Some((token.appearance?, attachment))
        })
        .collect()
    }

    /// Whether a token is a HID device.
    pub(super) fn is_hid(&self, id: TrayId) -> bool {
        self.token(id).applet.hid_device().is_some()
    }

    pub(crate) fn is_here(&self, id: TrayId, appearance: u64) -> bool {
        self.token(id).appearance == Some(appearance)
    }

    /// Holds a token for one channel.
    pub(super) fn hold(&mut self, appearance: u64) -> Result<TrayId, ChannelError> {
        let index = self
            .tokens
            .iter()
            .position(|token| token.appearance == Some(appearance))
            .ok_or(ChannelError::NotThere)?;
        let token = &mut self.tokens[index];
        if token.held == Some(appearance) {
            return Err(ChannelError::Busy { likely: None });
        }
        // A card that fell silent does not start up; a HID device is opened by the
        // system without asking it.
        if token.silent && token.applet.hid_device().is_none() {
            return Err(ChannelError::Unresponsive);
        }
        token.held = Some(appearance);
        Ok(TrayId(index))
    }

    /// A channel is closed, and resets the card, so that nothing stays unlocked.
    pub(super) fn release(&mut self, id: TrayId, appearance: u64) {
        let token = self.token_mut(id);
        if token.held == Some(appearance) {
            token.held = None;
            if token.appearance == Some(appearance) {
                token.applet.reset();
            }
        }
    }

    /// A handle of a HID device is closed, of which the device learns nothing.
    pub(super) fn release_hid(&mut self, id: TrayId, appearance: u64) {
        let token = self.token_mut(id);
        if token.held == Some(appearance) {
            token.held = None;
        }
    }

    pub(super) fn awaits_press(&self, id: TrayId, command: &[u8], now: UnixTime) -> bool {
        let token = self.token(id);
        !token.silent && token.applet.awaits_press(command, now)
    }

    /// One command for a token that is here.
    pub(super) fn exchange(&mut self, id: TrayId, command: &[u8], now: UnixTime) -> Outcome {
        let token = self.token_mut(id);
        let number = token.log.len();
        let mut header = [0; 4];
        for (to, from) in header.iter_mut().zip(command) {
            *to = *from;
        }
        token.log.push(Logged { header, body_length: command.len().saturating_sub(4) });
        if token.silent {
            return Outcome::Silence;
        }
        let Some(fault) = token.armed.take(number, command.get(1).copied()) else {
            return Outcome::Answer(token.applet.transmit(command, now));
        };
        match fault {
            Fault::RemovedBefore => {
                self.remove(id);
                Outcome::Left
            }
            Fault::RemovedAfter => {
                token.applet.transmit(command, now);
                self.remove(id);
                Outcome::Left
            }
            Fault::Refused(status) => Outcome::Answer(status.to_be_bytes().to_vec()),
            Fault::Silent => {
                token.applet.transmit(command, now);
                token.silent = true;
                Outcome::Silence
            }
            Fault::SilentBefore => {
                token.silent = true;
                Outcome::Silence
            }
            Fault::Garbled => Outcome::Answer(garble(token.applet.transmit(command, now))),
            Fault::Empty => {
                token.applet.transmit(command, now);
                Outcome::Answer(Vec::new())
            }
            Fault::Short => {
                let mut answer = token.applet.transmit(command, now);
                answer.truncate(1);
                Outcome::Answer(answer)
            }
            Fault::SwappedBefore => self.swap(id),
        }
    }

    /// One report for a HID device that is here (rigs/FACTS.md section 7).
    pub(crate) fn hid_write(
        &mut self,
        id: TrayId,
        what: &HidWrite<'_>,
        now: UnixTime,
    ) -> Result<(), ChannelError> {
        let (report, unanswered) = match what {
            // A feature report is acknowledged by the device, an output report is not.
            HidWrite::Output(report) => (*report, Ok(())),
            HidWrite::Feature(report) => (*report, Err(ChannelError::Silent)),
        };
        let token = self.token_mut(id);
        let number = token.log.len();
        let mut header = [0; 4];
        for (to, from) in header.iter_mut().zip(report) {
            *to = *from;
        }
        token.log.push(Logged { header, body_length: report.len().saturating_sub(4) });
        if token.silent {
            return unanswered;
        }
        let effect = |token: &mut Token| match (token.applet.hid(), what) {
            (Some(hid), HidWrite::Output(report)) => hid.write(report, now),
            (Some(hid), HidWrite::Feature(report)) => hid.set_feature(report, now),
            (None, _) => Err(Stalled),
        };
        let done = |done: Result<(), Stalled>| done.map_err(|Stalled| STALLED);
        match token.armed.take(number, None) {
            None => done(effect(token)),
            Some(Fault::RemovedBefore) => {
                self.remove(id);
                Err(ChannelError::Removed)
            }
            Some(Fault::RemovedAfter) => {
                let _ = effect(token);
                self.remove(id);
                Err(ChannelError::Removed)
            }
            Some(Fault::Refused(_)) => Err(STALLED),
            Some(Fault::Silent) => {
                let _ = effect(token);
                token.silent = true;
                unanswered
            }
            Some(Fault::SilentBefore) => {
                token.silent = true;
                unanswered
            }
            Some(Fault::Garbled) => {
                token.next_answer = NextAnswer::Garbled;
                done(effect(token))
            }
            Some(Fault::Empty) => {
                token.next_answer = NextAnswer::Cut(0);
                done(effect(token))
            }
            Some(Fault::Short) => {
                token.next_answer = NextAnswer::Cut(1);
                done(effect(token))
            }
            Some(Fault::SwappedBefore) => {
                // A handle does not go over to another device.
                self.swap(id);
                Err(ChannelError::Removed)
            }
        }
    }

    /// The next input report of a HID device that is here; nothing if none waits.
    pub(crate) fn hid_read(&mut self, id: TrayId, now: UnixTime) -> Option<Vec<u8>> {
        let token = self.token_mut(id);
        if token.silent {
            return None;
        }
        let report = token.applet.hid()?.read(now)?;
        match std::mem::take(&mut token.next_answer) {
            NextAnswer::AsItIs => Some(report),
            NextAnswer::Garbled => Some(flipped(report)),
            NextAnswer::Cut(_) => None,
        }
    }

    /// A feature report of a HID device that is here.
    pub(crate) fn hid_get(
        &mut self,
        id: TrayId,
        number: u8,
        len: usize,
        now: UnixTime,
    ) -> Result<Vec<u8>, ChannelError> {
        let token = self.token_mut(id);
        if token.silent {
            return Err(ChannelError::Silent);
        }
        let hid = token.applet.hid().ok_or(STALLED)?;
        let mut report = hid.get_feature(number, len, now).map_err(|Stalled| STALLED)?;
        match std::mem::take(&mut token.next_answer) {
            NextAnswer::AsItIs => Ok(report),
            NextAnswer::Garbled => Ok(flipped(report)),
            NextAnswer::Cut(length) => {
                report.truncate(length);
                Ok(report)
            }
        }
    }

    fn swap(&mut self, id: TrayId) -> Outcome {
        let token = self.token(id);
        let (other, reader) = (token.applet.another(), token.reader.clone());
        let other = self.add(other, &reader);
        self.insert(other);
        match self.token(other).appearance {
            Some(appearance) => Outcome::Swapped { token: other, appearance },
            // Another token that is switched off is no token in a field.
            None => Outcome::Left,
        }
    }
}

/// What Linux reports for a stalled control transfer: EPIPE, "Broken pipe".
const STALLED: ChannelError = ChannelError::Failed { code: 32 };

fn flipped(mut report: Vec<u8>) -> Vec<u8> {
    for byte in &mut report {
        *byte ^= 0x55;
    }
    report
}

/// For the real service, which sees readers and not tokens.
#[cfg(target_os = "linux")]
impl World {
    /// Gives a reader to the real service, or takes it back.
    pub(crate) fn serve(&mut self, reader: &str, served: bool) {
        self.served.retain(|other| other != reader);
        if served {
            self.served.push(reader.to_owned());
        }
        self.changes += 1;
    }

    /// The token that appears in a reader.
    pub(crate) fn in_reader(&self, reader: &str) -> Option<(TrayId, u64)> {
        let mut tokens = self.tokens.iter().enumerate();
        tokens.find_map(|(index, token)| {
            let appearance = token.appearance.filter(|_| token.reader == reader)?;
            Some((TrayId(index), appearance))
        })
    }

    /// The reader switched the card's power or reset it.
    pub(crate) fn power(&mut self, id: TrayId, appearance: u64) {
        if self.is_here(id, appearance) {
            self.token_mut(id).applet.reset();
        }
    }

    /// The answer to reset.
    pub(crate) fn atr(&self, id: TrayId) -> Vec<u8> {
        self.applet(id).atr()
    }

    /// Lifts a token and puts it back at once: another appearance.
    pub(crate) fn lift_for_a_moment(&mut self, id: TrayId, appearance: u64) {
        if self.is_here(id, appearance) {
            self.remove(id);
            self.insert(id);
        }
    }
}
