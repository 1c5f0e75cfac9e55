//! A Nitrokey 3 and its "Secrets" app, as a card over USB (CCID) and over
//! CTAPHID (nitrokey-secrets.md).
//!
//! Where the sheet is silent:
//!
//! * On CCID an answer is given to a command without Le as the dispatcher does
//!   it: `61xx` and no data, all of it by GET RESPONSE. `xx` is `00` when more
//!   than 255 bytes are left. GET RESPONSE without anything to fetch is `6F00`,
//!   SEND REMAINING is `6985`, and so is VERIFY CODE, which is not modelled.
//! * An APDU whose lengths do not add up is `6F00` on CCID and error `03` on
//!   CTAPHID. Wrong P1 P2 are `6D00`, chaining is `6884`, another class `6E00`,
//!   a command before SELECT on CCID `6A82`.
//! * PUT of a touch credential without PIN waits for touch too, before it looks
//!   for room and name. So does GET CREDENTIAL of one. A PIN-encrypted
//!   credential never waits. A press is good for 15 seconds and one command.
//! * LIST leaves PIN-encrypted names out unless the PIN was verified just before;
//!   its length bytes are plain bytes, not BER. PUT, DELETE and UPDATE parse
//!   before they wait. Surplus bytes are `6A80`, and so are digits other than
//!   6 to 8, an empty PIN or name and a challenge that has not 8 bytes.
//! * A full key says `6A84` before it looks at the name. VERIFY and CHANGE PIN
//!   with the PIN blocked, and SET PIN with one set, are `6982` without touch. A
//!   wrong old PIN counts as a try. SET PIN authorises nothing.
//! * Over CTAPHID a LIST is cut between entries at 3070 bytes; INIT always gives
//!   a new channel; the other apps' commands are `01`; cancelling ends a command
//!   that waits for touch with `6500`; a request has 550 ms to arrive.

mod app;
mod credential;
mod ctaphid;
mod request;

use oath::{Algorithm, Digits, SharedSecret, UnixTime};

use crate::wire::Command;
use crate::{Applet, Button, Face, Held, Hid, HidDevice, Identity, Stalled};

use app::{AID, Secrets};
use credential::Credential;
use ctaphid::CtapHid;

/// The one name of the family.
pub const FAMILY: &str = "nitrokey-secrets";

/// The practice key: a Nitrokey 3 over CCID without entries and without a PIN.
pub fn practice() -> NitrokeySecrets {
    NitrokeySecrets::new(0x4e4b_0301)
}

/// The key is its own reader (section 1).
const READER: &str = "Nitrokey Nitrokey 3 [CCID/ICCD Interface] 00 00";

/// What a reader reports: interface bytes, `]Nitrokey`, zeros (section 1).
const ATR: [u8; 19] = [
    0x3b, 0x8f, 0x01, 0x80, 0x5d, 0x4e, 0x69, 0x74, 0x72, 0x6f, 0x6b, 0x65, 0x79, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x6a,
];

/// A status word other than `9000`.
type Refusal = u16;

/// One key. A real one is there on both ways at once; this one is on one of them.
pub struct NitrokeySecrets {
    app: Secrets,
    way: Way,
}

/// How the key is attached.
enum Way {
    Ccid(Card),
    Hid(CtapHid),
}

/// The card's dispatcher, which stands between the reader and the app.
#[derive(Default)]
struct Card {
    selected: bool,
    unfetched: Vec<u8>,
}

impl NitrokeySecrets {
    /// A Nitrokey 3 with app version 4.14.0 over CCID, without entries and
    /// without a PIN. Its serial number is told as four bytes.
    pub fn new(serial: u32) -> Self {
        Self { app: Secrets::new(serial), way: Way::Ccid(Card::default()) }
    }

    /// There by its FIDO HID interface instead of as a card.
    #[must_use]
    pub fn by_hid(mut self) -> Self {
        self.way = Way::Hid(CtapHid::default());
        self
    }

    /// Has this salt, for the sheet's vectors.
    #[must_use]
    pub fn salted(mut self, salt: [u8; 8]) -> Self {
        self.app.salt = salt;
        self
    }

    /// With another app version, such as an old one.
    #[must_use]
    pub fn telling(mut self, version: [u8; 3]) -> Self {
        self.app.version = version;
        self
    }

    /// With this PIN and all 8 tries.
    #[must_use]
    pub fn with_pin(mut self, pin: &str) -> Self {
        self.app.set_pin(pin.as_bytes());
        self
    }

    /// With only so many tries left for its PIN, if it has one; 0 is blocked.
    #[must_use]
    pub fn with_tries_left(mut self, tries: u8) -> Self {
        self.app.leave_tries(tries);
        self
    }

    /// Holds one more time-based credential: plain, without touch or PIN.
    #[must_use]
    pub fn holding(
        mut self,
        name: &str,
        key: SharedSecret,
        algorithm: Algorithm,
        digits: Digits,
    ) -> Self {
        self.app.credentials.push(Credential::plain(name, key, algorithm, digits));
        self
    }

    /// The credential that it was given last needs touch for each code.
    #[must_use]
    pub fn needing_touch(mut self) -> Self {
        if let Some(last) = self.app.credentials.last_mut() {
            last.touch = true;
        }
        self
    }

    /// The credential that it was given last is encrypted under the PIN.
    #[must_use]
    pub fn needing_pin(mut self) -> Self {
        if let Some(last) = self.app.credentials.last_mut() {
            last.pin_encrypted = true;
        }
        self
    }

    /// Holds credentials with these names already, each with a secret nobody
    /// knows.
    #[must_use]
    pub fn occupied(mut self, names: &[&str]) -> Self {
        for name in names {
            self.app.occupy(name);
        }
        self
    }

    /// Holds 50 credentials, as many as fit.
    #[must_use]
    pub fn full(mut self) -> Self {
        let mut number = 1;
        while !self.app.is_full() {
            self.app.occupy(&format!("Entry {number}"));
            number += 1;
        }
        self
    }
}

impl Card {
    fn transmit(&mut self, app: &mut Secrets, raw: &[u8], now: UnixTime) -> Vec<u8> {
        let Some(command) = Command::parse(raw) else {
            self.unfetched.clear();
            return 0x6f00_u16.to_be_bytes().to_vec();
        };
        let most = expected(raw, &command);
        if (command.cla, command.ins) == (0x00, 0xc0) {
            return if self.unfetched.is_empty() {
                0x6f00_u16.to_be_bytes().to_vec()
            } else {
                self.part(most)
            };
        }
        self.unfetched.clear();
        let selects = command.ins == 0xa4 && command.p1 & 0x04 != 0 && command.data == AID;
        if !(self.selected || selects) {
            return 0x6a82_u16.to_be_bytes().to_vec();
        }
        // The dispatcher holds a whole answer, so the app need not cut it.
        let (data, status) = app.call(&command, usize::MAX, now);
        if status != 0x9000 {
            return status.to_be_bytes().to_vec();
        }
        self.selected = true;
        self.unfetched = data;
        self.part(most)
    }

    /// The next part of an answer, at most so many bytes, with its status word.
    fn part(&mut self, most: usize) -> Vec<u8> {
        let rest = self.unfetched.split_off(most.min(self.unfetched.len()));
        let mut answer = std::mem::replace(&mut self.unfetched, rest);
        answer.extend(match u8::try_from(self.unfetched.len()) {
            Ok(0) => [0x90, 0x00],
            Ok(left) => [0x61, left],
            Err(_) => [0x61, 0x00],
        });
        answer
    }
}

impl Applet for NitrokeySecrets {
    fn identity(&self) -> Identity {
        let [major, minor, patch] = self.app.version;
        Identity {
            family: FAMILY,
            title: format!("Nitrokey 3 (Secrets {major}.{minor}.{patch})"),
            serial: Some(format!("{:08x}", self.app.serial)),
        }
    }

    fn atr(&self) -> Vec<u8> {
        match self.way {
            Way::Ccid(_) => ATR.to_vec(),
            Way::Hid(_) => Vec::new(),
        }
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        match &mut self.way {
            Way::Ccid(card) => card.transmit(&mut self.app, command, now),
            Way::Hid(_) => vec![0x6d, 0x00],
        }
    }

    fn reader(&self) -> Option<&'static str> {
        match self.way {
            Way::Ccid(_) => Some(READER),
            Way::Hid(_) => None,
        }
    }

    fn hid_device(&self) -> Option<HidDevice> {
        match self.way {
            Way::Ccid(_) => None,
            Way::Hid(_) => Some(HidDevice {
                vendor: 0x20a0,
                product: 0x42b2,
                usage_page: 0xf1d0,
                usage: 0x01,
                interface: 1,
                manufacturer: "Nitrokey",
                name: "Nitrokey 3".to_owned(),
                serial: String::new(),
                report_length: 64,
                feature_length: 0,
            }),
        }
    }

    fn hid(&mut self) -> Option<&mut dyn Hid> {
        match self.way {
            Way::Ccid(_) => None,
            Way::Hid(_) => Some(self),
        }
    }

    fn reset(&mut self) {
        self.way = self.way.anew();
        self.app.forget_session();
    }

    fn press(&mut self, now: UnixTime) {
        self.app.touched = Some(now);
    }

    fn awaits_press(&self, command: &[u8], now: UnixTime) -> bool {
        match &self.way {
            Way::Ccid(card) => {
                card.selected
                    && Command::parse(command).is_some_and(|c| self.app.awaits_touch(&c, now))
            }
            // It is asked about the command that it has.
            Way::Hid(hid) => hid.awaits_touch(&self.app, now),
        }
    }

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let names = self.app.credentials.iter().map(|c| &c.name);
        Face {
            family,
            title,
            serial,
            on: true,
            display: None,
            seconds_left: None,
            buttons: &[Button::Touch],
            lines: names.map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        self.app.credentials.iter().filter_map(Credential::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        let other = Self::new(self.app.serial.wrapping_add(1)).telling(self.app.version);
        Box::new(Self { way: self.way.anew(), ..other })
    }
}

/// Reports have no numbers here, so a written one begins with 0; one of 64 bytes
/// is understood too, and another length is not heard (section 2).
impl Hid for NitrokeySecrets {
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        match &mut self.way {
            Way::Ccid(_) => Err(Stalled),
            Way::Hid(hid) => {
                hid.write(&mut self.app, report, now);
                Ok(())
            }
        }
    }

    fn read(&mut self, now: UnixTime) -> Option<Vec<u8>> {
        match &mut self.way {
            Way::Ccid(_) => None,
            Way::Hid(hid) => hid.read(&mut self.app, now),
        }
    }

    fn set_feature(&mut self, _report: &[u8], _now: UnixTime) -> Result<(), Stalled> {
        Err(Stalled)
    }

    fn get_feature(&mut self, _: u8, _: usize, _: UnixTime) -> Result<Vec<u8>, Stalled> {
        Err(Stalled)
    }
}

impl Way {
    /// The same way with nothing under way.
    fn anew(&self) -> Self {
        match self {
            Self::Ccid(_) => Self::Ccid(Card::default()),
            Self::Hid(_) => Self::Hid(CtapHid::default()),
        }
    }
}

/// How many bytes a command's Le lets come at once; 0 without Le.
fn expected(raw: &[u8], command: &Command<'_>) -> usize {
    /// The largest message of a Nitrokey 3 less its status word (section 2).
    const MOST: usize = 3070;
    let extended = raw.len() >= 7 && raw[4] == 0;
    match raw {
        _ if !command.le => 0,
        [.., high, low] if extended => match usize::from(u16::from_be_bytes([*high, *low])) {
            0 => MOST,
            most => most.min(MOST),
        },
        [.., 0] | [] => 256,
        [.., most] => usize::from(*most),
    }
}

#[cfg(test)]
mod tests;
