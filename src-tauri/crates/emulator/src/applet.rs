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
    fn atr(&self) -> Vec<u8>;
    /// One command APDU in, one response APDU with its status word out.
    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8>;
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
