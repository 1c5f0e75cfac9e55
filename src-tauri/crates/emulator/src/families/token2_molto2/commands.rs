//! The commands (token2-molto2.md section 3).

use oath::{Algorithm, Digits, Parameters, Period, SharedSecret, UnixTime};

use super::cipher::{Key, unpad};
use super::slots::Slot;
use super::{Awaiting, Deletion, Screen, Session, Token2Molto2, TriesTold};
use crate::wire::Command;

/// A status word other than `9000`. `9060` is no refusal, but no more can be
/// said before ▲ is pressed either.
type Refusal = u16;

const WAITING: Refusal = 0x9060;
const WRONG_LENGTH: Refusal = 0x6700;
const NOT_AUTHENTICATED: Refusal = 0x6983;
const BAD_DATA: Refusal = 0x6a80;
const NOTHING_THERE: Refusal = 0x6a83;
const UNKNOWN_INS: Refusal = 0x6d00;
const UNKNOWN_CLASS: Refusal = 0x6e00;
const LE_ON_SLOT_READ: Refusal = 0x6ffb;

/// Wrong answers in a row before it locks.
pub(super) const TRIES: u8 = 8;
/// The longest title, in bytes.
const MOST_TITLE: usize = 12;

impl Token2Molto2 {
    /// The answer to one command, without `9000`.
    pub(super) fn answer(&mut self, raw: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        if !matches!(raw.first(), Some(0x80 | 0x84)) {
            return Err(UNKNOWN_CLASS);
        }
        let command = Command::parse(raw).ok_or(WRONG_LENGTH)?;
        // A length byte that stands alone must be zero.
        if command.data.is_empty() && raw[4..].iter().any(|byte| *byte != 0) {
            return Err(WRONG_LENGTH);
        }
        match (command.cla, command.ins) {
            (0x80, 0x41) if command.data.is_empty() => self.info(&command, now),
            (0x80, 0x41) => self.public_block(&command),
            (0x80, 0x4b) => self.challenge(&command),
            (0x80, 0xce) => self.authenticate(&command),
            (0x80, 0xe6) => self.delete(&command),
            (0x80, 0x56) => self.begin_factory_reset(&command),
            (0x80, 0xd8) => self.lock_screen(&command),
            (0x84, 0xc5) => self.store_seed(&command),
            (0x84, 0xd4) => self.configure(&command, now),
            (0x84, 0xd5) => self.store_title(&command),
            (0x84, 0xd7) => self.begin_new_key(&command),
            (_, 0x41 | 0x4b | 0xce | 0xe6 | 0x56 | 0xd8 | 0xc5 | 0xd4 | 0xd5 | 0xd7) => {
                Err(UNKNOWN_CLASS)
            }
            _ => Err(UNKNOWN_INS),
        }
    }

    /// `80 41 00 00 00`: serial and clock, to be read by anyone.
    fn info(&self, command: &Command<'_>, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        bare(command, [0, 0])?;
        let serial = self.serial();
        let length = u8::try_from(serial.len()).unwrap_or(u8::MAX);
        let clock = u32::try_from(self.clock.reads(now).as_secs()).unwrap_or(u32::MAX);
        let mut answer = vec![0x95, length.saturating_add(8), 0x02, length];
        answer.extend_from_slice(serial.as_bytes());
        answer.extend_from_slice(&[0x11, 0x04]);
        answer.extend_from_slice(&clock.to_be_bytes());
        Ok(answer)
    }

    /// `80 41 00 <slot> 01 70`: all but the seed, to be read by anyone.
    fn public_block(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        match (command.data, command.le) {
            ([0x70], false) => {}
            ([0x70], true) => return Err(LE_ON_SLOT_READ),
            ([_], false) => return Err(BAD_DATA),
            _ => return Err(WRONG_LENGTH),
        }
        let slot = self.addressed(command, 0x00)?;
        Ok([&[0x95, 0x1f, 0x70, 0x1d], slot.public_block().as_slice()].concat())
    }

    /// `80 4B 08 00 00`: a new challenge ends what the last one had opened.
    fn challenge(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        bare(command, [0x08, 0x00])?;
        let challenge = self.challenges.next();
        self.session = Session::Challenged(challenge);
        Ok(challenge.to_vec())
    }

    /// `80 CE 00 00 10`: one answer to one challenge, and eight wrong ones in a
    /// row.
    fn authenticate(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        if command.data.len() != 16 || command.le {
            return Err(WRONG_LENGTH);
        }
        let Session::Challenged(challenge) = self.session else {
            return Err(BAD_DATA);
        };
        if (command.p1, command.p2) != (0, 0) {
            return Err(BAD_DATA);
        }
        self.session = Session::Idle;
        let mut block = [0; 16];
        block[..8].copy_from_slice(&challenge);
        if self.tries_left > 0 && command.data == self.key.encipher(block) {
            self.session = Session::Authenticated;
            self.tries_left = TRIES;
            return Ok(Vec::new());
        }
        self.tries_left = self.tries_left.saturating_sub(1);
        Err(match self.tries_told {
            TriesTold::LowNibble => 0x63c0 | u16::from(self.tries_left),
            TriesTold::WholeByte => 0x6300 | u16::from(self.tries_left),
        })
    }

    /// `80 E6 00 <slot> 00`: the seed goes, the title stays.
    fn delete(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        if !command.data.is_empty() || !command.le {
            return Err(WRONG_LENGTH);
        }
        match self.deletion {
            Deletion::Anyone => {}
            Deletion::Authenticated => self.check_authenticated()?,
        }
        let slot = self.addressed(command, 0x00)?;
        slot.seed.take().ok_or(NOTHING_THERE)?;
        Ok(Vec::new())
    }

    /// `80 56 00 00 00`: done when ▲ is pressed, for anyone.
    fn begin_factory_reset(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        bare(command, [0, 0])?;
        self.awaiting = Some(Awaiting::FactoryReset);
        Err(WAITING)
    }

    /// `80 D8 0C 02 00` locks the screen, `80 D8 0C 02 01 01` unlocks it.
    fn lock_screen(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        if matches!(self.screen, Screen::NotLockable) {
            return Err(UNKNOWN_INS);
        }
        let screen = match (command.data, command.le) {
            ([], true) => Screen::Locked,
            ([0x01], false) => Screen::Unlocked,
            ([_], false) => return Err(BAD_DATA),
            _ => return Err(WRONG_LENGTH),
        };
        self.check_authenticated()?;
        if (command.p1, command.p2) != (0x0c, 0x02) {
            return Err(BAD_DATA);
        }
        self.screen = screen;
        Ok(Vec::new())
    }

    /// `84 C5 01 <slot>`: the seed, enciphered. Padding that is more or less
    /// than the vendor's is refused; nothing but zeros empties the slot.
    fn store_seed(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        let body = self.checked_body(command, &[16, 32, 48, 64])?;
        let key = self.key;
        let slot = self.addressed(command, 0x01)?;
        let mut plain = key.decipher(body);
        if plain.iter().all(|byte| *byte == 0) {
            slot.seed = None;
            return Ok(Vec::new());
        }
        let length = unpad(&plain).ok_or(BAD_DATA)?.len();
        if length == 0 || plain.len() != (length / 16 + 1) * 16 {
            return Err(BAD_DATA);
        }
        plain.truncate(length);
        slot.seed = Some(SharedSecret::new(plain));
        slot.touched = true;
        self.selected = command.p2;
        Ok(Vec::new())
    }

    /// `84 D5 00 <slot> 14`: the title, enciphered.
    fn store_title(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        let body = self.checked_body(command, &[16])?;
        let key = self.key;
        let slot = self.addressed(command, 0x00)?;
        let plain = key.decipher(body);
        let title = unpad(&plain).ok_or(BAD_DATA)?;
        if title.is_empty() || title.len() > MOST_TITLE || str::from_utf8(title).is_err() {
            return Err(BAD_DATA);
        }
        slot.set_title(title);
        slot.touched = true;
        self.selected = command.p2;
        Ok(Vec::new())
    }

    /// `84 D4 01 <slot>`: configuration and clock (`1A`), or the clock alone
    /// (`0C`).
    fn configure(&mut self, command: &Command<'_>, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let body = self.checked_body(command, &[22, 8])?;
        let slot = self.addressed(command, 0x01)?;
        let (time, parameters) = match *body {
            [0x81, 0x06, 0x0f, 0x04, t3, t2, t1, t0] => ([t3, t2, t1, t0], None),
            [
                0x81,
                0x14,
                0x1f,
                0x01,
                0..=3,
                0x0f,
                0x04,
                t3,
                t2,
                t1,
                t0,
                0x86,
                0x09,
                0x0a,
                0x01,
                hash,
                0x0b,
                0x01,
                digits,
                0x0d,
                0x01,
                period,
            ] => ([t3, t2, t1, t0], Some(read_parameters(hash, digits, period)?)),
            _ => return Err(BAD_DATA),
        };
        let time = u32::from_be_bytes(time);
        slot.set_to = time;
        slot.touched = true;
        if let Some(parameters) = parameters {
            slot.parameters = parameters;
            self.selected = command.p2;
        }
        self.clock.set(now, UnixTime::from_secs(u64::from(time)));
        Ok(Vec::new())
    }

    /// `84 D7 00 00 24`: taken when ▲ is pressed.
    fn begin_new_key(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        let body = self.checked_body(command, &[32])?;
        if (command.p1, command.p2) != (0, 0) {
            return Err(BAD_DATA);
        }
        let plain = self.key.decipher(body);
        match unpad(&plain) {
            Some(&[0x00, ref key @ ..]) => {
                let key = <[u8; 16]>::try_from(key).map_err(|_| BAD_DATA)?;
                self.awaiting = Some(Awaiting::NewKey(Key(key)));
                Err(WAITING)
            }
            _ => Err(BAD_DATA),
        }
    }

    /// The body of a class-84 command of one of these lengths, after its MAC was
    /// found right.
    fn checked_body<'a>(
        &self,
        command: &Command<'a>,
        lengths: &[usize],
    ) -> Result<&'a [u8], Refusal> {
        let (body, mac) = command.data.split_last_chunk::<4>().ok_or(WRONG_LENGTH)?;
        if !lengths.contains(&body.len()) || command.le {
            return Err(WRONG_LENGTH);
        }
        self.check_authenticated()?;
        if *mac != self.key.mac([command.ins, command.p1, command.p2], body) {
            return Err(NOT_AUTHENTICATED);
        }
        Ok(body)
    }

    fn check_authenticated(&self) -> Result<(), Refusal> {
        match self.session {
            Session::Authenticated => Ok(()),
            Session::Idle | Session::Challenged(_) => Err(NOT_AUTHENTICATED),
        }
    }

    /// The slot that P2 names, if P1 is what the command wants.
    fn addressed(&mut self, command: &Command<'_>, p1: u8) -> Result<&mut Slot, Refusal> {
        if command.p1 != p1 {
            return Err(BAD_DATA);
        }
        self.slots.get_mut(usize::from(command.p2)).ok_or(NOTHING_THERE)
    }
}

/// A command that is a header with these P1 and P2, and a zero.
fn bare(command: &Command<'_>, p1p2: [u8; 2]) -> Result<(), Refusal> {
    if !command.data.is_empty() || !command.le {
        return Err(WRONG_LENGTH);
    }
    if [command.p1, command.p2] != p1p2 {
        return Err(BAD_DATA);
    }
    Ok(())
}

fn read_parameters(hash: u8, digits: u8, period: u8) -> Result<Parameters, Refusal> {
    let algorithm = match hash {
        1 => Algorithm::Sha1,
        2 => Algorithm::Sha256,
        _ => return Err(BAD_DATA),
    };
    let digits = match digits {
        4 | 6 | 8 | 10 => Digits::new(u64::from(digits)).map_err(|_| BAD_DATA)?,
        _ => return Err(BAD_DATA),
    };
    let period = match period {
        0x1e => Period::S30,
        0x3c => Period::S60,
        _ => return Err(BAD_DATA),
    };
    Ok(Parameters { algorithm, digits, period })
}
