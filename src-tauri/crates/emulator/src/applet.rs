//! What an emulated token is to everyone who plays with it: bytes in and out, a
//! face, a button, and the truth about what it holds.

use std::fmt;

use oath::{Algorithm, Digits, Period, SharedSecret, UnixTime};

/// One emulated token of one family.
///
/// It keeps no time of its own accord: every call that depends on time is told
/// the world's time.
pub trait Applet: Send {
    /// Who it is. Never changes.
    fn identity(&self) -> Identity;
    /// The answer to reset that a reader reports for it (pcsc-nfc.md section 2).
    /// Empty for a token that is no card.
    fn atr(&self) -> Vec<u8> {
        Vec::new()
    }
    /// One command APDU in, one response APDU with its status word out. A token
    /// that is no card knows no command.
    fn transmit(&mut self, _command: &[u8], _now: UnixTime) -> Vec<u8> {
        vec![0x6d, 0x00]
    }
    /// The reader's name, for a token that is its own reader.
    fn reader(&self) -> Option<&'static str> {
        None
    }
    /// What it enumerates as, if it is a HID device and no card.
    fn hid_device(&self) -> Option<HidDevice> {
        None
    }
    /// Its HID interface; there exactly when [`Applet::hid_device`] is.
    fn hid(&mut self) -> Option<&mut dyn Hid> {
        None
    }
    /// Power was lost or the card was reset: selection, authentication and
    /// unfetched parts of answers are gone; what is stored stays.
    fn reset(&mut self);
    /// A person presses its button.
    fn press(&mut self, now: UnixTime);
    /// What a person sees.
    fn face(&self, now: UnixTime) -> Face;
    /// Whether it is switched on, so that a reader's field sees it.
    fn is_on(&self) -> bool {
        true
    }
    /// Whether this command would wait for the button if it were sent now.
    fn awaits_press(&self, _command: &[u8], _now: UnixTime) -> bool {
        false
    }
    /// What it really holds, whatever it has answered.
    fn holds(&self) -> Vec<Held>;
    /// Another token of the same model, as it leaves the factory.
    fn another(&self) -> Box<dyn Applet>;
}

/// A HID interface, as the host's driver sees it.
pub trait Hid: Send {
    /// An output report: its number, 0 where there are no numbers, then its bytes.
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled>;
    /// The next input report that waits, without a number where there are none.
    fn read(&mut self, now: UnixTime) -> Option<Vec<u8>>;
    /// Sets a feature report: its number, then its bytes.
    fn set_feature(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled>;
    /// Gets a feature report of at most `len` bytes: its number, then its bytes.
    fn get_feature(&mut self, number: u8, len: usize, now: UnixTime) -> Result<Vec<u8>, Stalled>;
}

/// The device does not know this kind of report, and stalled it without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled;

/// What a HID device tells of itself when it is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HidDevice {
    /// USB vendor id.
    pub vendor: u16,
    /// USB product id.
    pub product: u16,
    /// Usage page of the top collection.
    pub usage_page: u16,
    /// Usage of the top collection.
    pub usage: u16,
    /// The number of its interface.
    pub interface: u8,
    /// Manufacturer string.
    pub manufacturer: &'static str,
    /// Product string.
    pub name: String,
    /// Serial string; empty if it tells none.
    pub serial: String,
    /// Bytes of an input and of an output report; 0 if it has none.
    pub report_length: usize,
    /// Bytes of a feature report; 0 if it has none.
    pub feature_length: usize,
}

impl HidDevice {
    /// A report descriptor of one vendor-style collection without report numbers
    /// (HID 1.11 section 6.2.2): input and output, then feature, of bytes.
    ///
    /// # Panics
    ///
    /// When a report is longer than 255 bytes; none of the sheets' is.
    pub fn report_descriptor(&self) -> Vec<u8> {
        let [page_low, page_high] = self.usage_page.to_le_bytes();
        let [usage_low, usage_high] = self.usage.to_le_bytes();
        let mut bytes = vec![0x06, page_low, page_high, 0x0a, usage_low, usage_high, 0xa1, 0x01];
        // Values of 0 to 255.
        bytes.extend([0x15, 0x00, 0x26, 0xff, 0x00]);
        let mut reports = |length: usize, items: &[u8]| {
            let count = u8::try_from(length).expect("reports of the sheets are short");
            for (usage, item) in (0x20..).zip(items.iter().filter(|_| count > 0)) {
                // The size once more, as firmware does: a FIDO library forgets it.
                bytes.extend([0x75, 0x08, 0x95, count, 0x09, usage, *item, 0x02]);
            }
        };
        reports(self.report_length, &[0x81, 0x91]);
        reports(self.feature_length, &[0xb1]);
        bytes.push(0xc0);
        bytes
    }
}

/// Who an emulated token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The family's name, the same everywhere.
    pub family: &'static str,
    /// The model, for people.
    pub title: String,
    /// The serial number, if the model tells one.
    pub serial: Option<String>,
}

/// A token's button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Switches on and off.
    Power,
    /// Says that a person is there.
    Touch,
    /// Goes on to what the display shows next, or says yes to what it asks.
    Next,
}

/// What a person who looks at the token sees. `Debug` hides the display.
#[derive(Clone, PartialEq, Eq)]
pub struct Face {
    /// The family's name.
    pub family: &'static str,
    /// The model, for people.
    pub title: String,
    /// The serial number on its back, if there is one.
    pub serial: Option<String>,
    /// Whether it is switched on.
    pub on: bool,
    /// What the display shows; `None` if it is dark or there is none.
    pub display: Option<String>,
    /// How long the displayed code stays, in whole seconds, at least 1.
    pub seconds_left: Option<u32>,
    /// Its buttons.
    pub buttons: &'static [Button],
    /// What else there is to say, such as the names of its entries.
    pub lines: Vec<String>,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face")
            .field("title", &self.title)
            .field("serial", &self.serial)
            .field("on", &self.on)
            .field("display", &self.display.as_ref().map(|_| "hidden"))
            .field("lines", &self.lines.len())
            .finish_non_exhaustive()
    }
}

/// Whether codes move with time or with a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Time-based (RFC 6238).
    Totp,
    /// Counter-based (RFC 4226).
    Hotp,
}

/// One secret that a token really holds, with what it stores beside it.
#[derive(Debug)]
pub struct Held {
    /// The entry's name, where entries have names.
    pub name: Option<String>,
    /// The secret's bytes as they are stored, padding included.
    pub secret: SharedSecret,
    /// The hash.
    pub algorithm: Algorithm,
    /// The number of digits.
    pub digits: Digits,
    /// The period, where the token stores one.
    pub period: Option<Period>,
    /// Time or counter.
    pub kind: Kind,
    /// Whether a code needs the button.
    pub touch: bool,
}

/// A contactless answer to reset, made by the reader from at most 15 historical
/// bytes (PC/SC part 3, pcsc-nfc.md section 2).
pub(crate) fn contactless_atr(historical: &[u8]) -> Vec<u8> {
    let historical = &historical[..historical.len().min(15)];
    // At most 15, so it fits the low half of the format byte.
    let count = u8::try_from(historical.len()).unwrap_or(15);
    let mut atr = vec![0x3b, 0x80 | count, 0x80, 0x01];
    atr.extend_from_slice(historical);
    let check = atr[1..].iter().fold(0, |sum, byte| sum ^ byte);
    atr.push(check);
    atr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_byte_of_an_answer_to_reset_is_the_sheets() {
        // pcsc-nfc.md section 8.
        let historical =
            [0x80, 0x4f, 0x0c, 0xa0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x03, 0, 0, 0, 0];
        assert_eq!(contactless_atr(&historical).last(), Some(&0x68));
        assert_eq!(contactless_atr(&[]), [0x3b, 0x80, 0x80, 0x01, 0x01]);
    }

    #[test]
    fn debug_hides_the_display() {
        let face = Face {
            family: "x",
            title: "X".into(),
            serial: None,
            on: true,
            display: Some("123456".into()),
            seconds_left: Some(3),
            buttons: &[],
            lines: Vec::new(),
        };
        assert!(!format!("{face:?}").contains("123456"));
    }
}
