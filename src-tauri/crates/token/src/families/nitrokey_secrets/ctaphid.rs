//! CTAPHID: ISO 7816 commands in 64-byte reports of the FIDO interface
//! (nitrokey-secrets.md section 2; CTAP 2.1 section 11.2).
//!
//! The interface belongs to everybody: a browser may talk on it at the same time,
//! and every program sees every report. So only reports of our own channel count,
//! and after anything that went wrong another channel is asked for, on which a
//! late answer is nobody's. No clock is read: waiting is bounded by the time-out
//! of each report and by how many reports are let pass.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::{
    ChannelError, CommandApdu, Deed, HidChannel, Patience, Random, ResponseApdu, SmartCardChannel,
    Summons,
};

/// A channel of the FIDO interface that carries commands to the Secrets app.
pub(super) struct CtapHid {
    device: Box<dyn HidChannel>,
    random: Random,
    /// Given by the token; none before the first message and after a failure.
    channel: Option<u32>,
    summons: Option<Summons>,
}

const REPORT_LEN: usize = 64;
const FIRST_LEN: usize = REPORT_LEN - 7;
const NEXT_LEN: usize = REPORT_LEN - 5;
/// 57 bytes in the first packet and 59 in each of 128 more.
const MOST_BYTES: usize = FIRST_LEN + 128 * NEXT_LEN;

const BROADCAST: u32 = 0xffff_ffff;
const INIT: u8 = 0x86;
/// The vendor command 70, in which the app takes ISO 7816 commands.
const APDU: u8 = 0xf0;
const KEEPALIVE: u8 = 0xbb;
/// What a keep-alive says when the key waits for a touch.
const WAITS_FOR_TOUCH: u8 = 0x02;
const ERROR: u8 = 0xbf;
const CANCEL: u8 = 0x91;

/// Error bytes that the framing layer says before the app sees the command:
/// command, length, sequence, time-out within the message, channel.
const NOT_TAKEN: [u32; 5] = [0xbf01, 0xbf03, 0xbf04, 0xbf05, 0xbf0b];

/// Reports of others, or left over, that are let pass for one message.
const MOST_FOREIGN: u32 = 1000;
/// Reports that may wait in the queue from before.
const MOST_STALE: usize = 256;

impl CtapHid {
    /// Sends nothing yet.
    pub(super) fn new(device: Box<dyn HidChannel>, random: Random) -> Self {
        Self { device, random, channel: None, summons: None }
    }

    /// Whom to call when the key says that it waits for a touch.
    pub(super) fn summon_by(&mut self, summons: Summons) {
        self.summons = Some(summons);
    }

    /// The interface, for the next driver.
    pub(super) fn into_device(self) -> Box<dyn HidChannel> {
        self.device
    }

    /// Asks for a channel. The nonce tells our answer from another program's.
    fn init(&mut self) -> Result<u32, ChannelError> {
        self.drain()?;
        let mut nonce = [0; 8];
        (self.random)(&mut nonce);
        self.send(BROADCAST, INIT, &nonce)?;
        let mut wait = Wait::of(Patience::Card);
        loop {
            let answer = self.receive(BROADCAST, INIT, &mut wait)?;
            if let (true, Some([a, b, c, d])) = (answer.starts_with(&nonce), answer.get(8..12)) {
                return Ok(u32::from_be_bytes([*a, *b, *c, *d]));
            }
            wait.let_pass()?;
        }
    }

    /// Throws away what waits in the queue from an earlier conversation.
    fn drain(&mut self) -> Result<(), ChannelError> {
        for _ in 0..MOST_STALE {
            match self.device.read(Duration::ZERO) {
                Ok(stale) => drop(Zeroizing::new(stale)),
                Err(ChannelError::Silent) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self, channel: u32, command: u8, message: &[u8]) -> Result<(), ChannelError> {
        for packet in packets(channel, command, message) {
            self.device.write(&*packet)?;
        }
        Ok(())
    }

    /// The message that answers a command of ours.
    fn receive(
        &mut self,
        channel: u32,
        command: u8,
        wait: &mut Wait,
    ) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        let (len, mut message) = loop {
            match self.packet(channel, wait)? {
                Packet::First { command: answered, len, data } if answered == command => {
                    break (len, data);
                }
                // The end of a message whose beginning was drained, or an answer
                // to something else.
                Packet::First { .. } | Packet::Next { .. } => wait.let_pass()?,
            }
        };
        if len > MOST_BYTES {
            return Err(ChannelError::NoAnswer);
        }
        let mut due = 0;
        while message.len() < len {
            match self.packet(channel, wait)? {
                Packet::Next { sequence, data } if sequence == due => {
                    message.extend_from_slice(&data);
                    due += 1;
                }
                // A packet is missing, and an answer with a hole is none.
                Packet::First { .. } | Packet::Next { .. } => return Err(ChannelError::NoAnswer),
            }
        }
        message.truncate(len);
        Ok(message)
    }

    /// The next packet of this channel that is neither a keep-alive nor an error.
    fn packet(&mut self, channel: u32, wait: &mut Wait) -> Result<Packet, ChannelError> {
        loop {
            let report = self.device.read(wait.for_each).map_err(after_sending)?;
            match Packet::parse(&Zeroizing::new(report), channel) {
                Some(Packet::First { command: KEEPALIVE, data, .. }) => {
                    if let (Some(&WAITS_FOR_TOUCH), Some(summons)) = (data.first(), &self.summons) {
                        summons(Deed::Touch);
                    }
                    wait.stay()?;
                }
                Some(Packet::First { command: ERROR, data, .. }) => {
                    return Err(refusal(data.first().copied()));
                }
                Some(packet) => return Ok(packet),
                None => wait.let_pass()?,
            }
        }
    }
}

impl SmartCardChannel for CtapHid {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => self.init()?,
        };
        let sent = self.send(channel, APDU, &without_le(command));
        let answer =
            sent.and_then(|()| self.receive(channel, APDU, &mut Wait::of(command.patience())));
        match &answer {
            // Asking for a channel while another program is at work would end that work.
            Ok(_) | Err(ChannelError::Busy { .. }) => self.channel = Some(channel),
            // A touch that comes after nobody waits any more should do nothing. That
            // the word gets there is not needed: the outcome is unknown either way.
            Err(ChannelError::Silent) => drop(self.send(channel, CANCEL, &[])),
            Err(_) => {}
        }
        status_last(&answer?)
    }
}

/// Whether the framing layer refused the command, so that it surely did nothing.
pub(super) fn not_taken(error: &ChannelError) -> bool {
    matches!(error, ChannelError::Failed { code } if NOT_TAKEN.contains(code))
}

/// Whether the token has no app behind the vendor command.
pub(super) fn no_such_app(error: &ChannelError) -> bool {
    *error == ChannelError::Failed { code: 0xbf01 }
}

/// How long one message is waited for.
struct Wait {
    for_each: Duration,
    keepalives: u128,
    foreign: u32,
}

impl Wait {
    /// Firmware that was read sends no keep-alives for this command at all, so each
    /// report has the whole time; where they come, every 100 ms or so, four times
    /// as many as that time holds are taken for life.
    fn of(patience: Patience) -> Self {
        let for_each = patience.limit();
        Self { for_each, keepalives: for_each.as_millis() / 25, foreign: MOST_FOREIGN }
    }

    /// Waits on after a keep-alive, while there is patience.
    fn stay(&mut self) -> Result<(), ChannelError> {
        self.keepalives = self.keepalives.checked_sub(1).ok_or(ChannelError::Silent)?;
        Ok(())
    }

    /// Waits on after a report that means nothing to us.
    fn let_pass(&mut self) -> Result<(), ChannelError> {
        self.foreign = self.foreign.checked_sub(1).ok_or(ChannelError::Silent)?;
        Ok(())
    }
}

/// One report of a channel.
#[derive(Debug, PartialEq, Eq)]
enum Packet {
    /// Begins a message of `len` bytes.
    First { command: u8, len: usize, data: Zeroizing<Vec<u8>> },
    /// Goes on with it.
    Next { sequence: u8, data: Zeroizing<Vec<u8>> },
}

impl Packet {
    /// `None` for a report of another channel or of another size.
    fn parse(report: &[u8], channel: u32) -> Option<Self> {
        let (id, rest) = report.split_first_chunk::<4>()?;
        if report.len() != REPORT_LEN || u32::from_be_bytes(*id) != channel {
            return None;
        }
        match rest {
            [command @ 0x80..=0xff, high, low, data @ ..] => {
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                let data = Zeroizing::new(data[..data.len().min(len)].to_vec());
                Some(Self::First { command: *command, len, data })
            }
            [sequence, data @ ..] => {
                Some(Self::Next { sequence: *sequence, data: Zeroizing::new(data.to_vec()) })
            }
            [] => None,
        }
    }
}

/// The output reports of a message, each with its report number, zero, in front.
fn packets(channel: u32, command: u8, message: &[u8]) -> Vec<Zeroizing<[u8; 1 + REPORT_LEN]>> {
    let len = u16::try_from(message.len()).expect("a short APDU has at most 261 bytes");
    let packet = |head: &[u8], data: &[u8]| {
        let mut report = Zeroizing::new([0; 1 + REPORT_LEN]);
        report[1..5].copy_from_slice(&channel.to_be_bytes());
        let (begin, end) = (5 + head.len(), 5 + head.len() + data.len());
        report[5..begin].copy_from_slice(head);
        report[begin..end].copy_from_slice(data);
        report
    };
    let [high, low] = len.to_be_bytes();
    let (first, rest) = message.split_at(message.len().min(FIRST_LEN));
    let mut packets = vec![packet(&[command, high, low], first)];
    packets
        .extend((0..).zip(rest.chunks(NEXT_LEN)).map(|(sequence, data)| packet(&[sequence], data)));
    packets
}

/// The command as the maker's own library sends it here: without an Le byte.
fn without_le(command: &CommandApdu) -> Zeroizing<Vec<u8>> {
    let mut bytes = command.encode();
    let len = match bytes.get(4) {
        Some(lc) if bytes.len() > 5 => 5 + usize::from(*lc),
        _ => 4,
    };
    bytes.truncate(len);
    bytes
}

/// The status word stands before the data here, and behind it in ISO 7816.
fn status_last(message: &[u8]) -> Result<ResponseApdu, ChannelError> {
    let (status, data) = message.split_at_checked(2).ok_or(ChannelError::NoAnswer)?;
    ResponseApdu::parse([data, status].concat())
}

fn refusal(code: Option<u8>) -> ChannelError {
    match code {
        None => ChannelError::NoAnswer,
        Some(0x06) => ChannelError::Busy { likely: None },
        Some(code) => ChannelError::Failed { code: 0xbf00 | u32::from(code) },
    }
}

/// Once a command is sent, no failure to read says that nothing was sent.
fn after_sending(error: ChannelError) -> ChannelError {
    if error.may_have_taken_effect() { error } else { ChannelError::Removed }
}

#[cfg(test)]
pub(super) mod tests;
