//! The Protectimus Slim NFC (protectimus-slim.md), as it comes from its maker's
//! app: with a secret and a clock.
//!
//! Where the sheet is silent: the byte after the operation, the ones between the told
//! ones and the last one of the information are 0, and so are the high halves of a
//! code's bytes. SET CLOCK is answered by its operation and its check byte. Whatever is
//! no message of the sheet, and a message whose length or check byte is wrong, has no
//! effect and is answered by `6E00`, as ISO cards answer a class that they do not know.
//! A token without a clock takes the time and does nothing. The chip answers without
//! the button; the display needs it.

use oath::{Algorithm, Digits, Period, SharedSecret, UnixTime};

use crate::applet::contactless_atr;
use crate::clock::TokenClock;
use crate::otp;
use crate::{Applet, Button, Face, Held, Identity, Kind};

/// What it is called, as the list of closed tokens calls it.
pub const MODEL: &str = "protectimus-slim-nfc";

/// The practice token: 30 s, a clock that is four minutes slow, a secret of its own.
pub fn practice() -> ProtectimusSlim {
    ProtectimusSlim::new(1, b"practice slim nfc")
}

/// What a command that is none is answered.
const UNKNOWN: [u8; 2] = [0x6e, 0x00];

/// Seconds by which the practice token's clock is slow.
const SLOW: i64 = 240;

/// One token.
pub struct ProtectimusSlim {
    number: u32,
    secret: Vec<u8>,
    period: Period,
    clock: Option<TokenClock>,
    told: Told,
    is_on: bool,
}

/// Which code is told by READ CODE.
enum Told {
    /// That of now.
    Now,
    /// The one that was computed when it was switched on last: the published script
    /// has a person press the button between setting the clock and reading.
    SinceSwitchedOn(Option<String>),
}

impl ProtectimusSlim {
    /// A token of 30 s with this secret. Its clock is slow by four minutes.
    pub fn new(number: u32, secret: &[u8]) -> Self {
        // Its rate is the world's, so that any moment does.
        let beginning = UnixTime::from_secs(86_400);
        Self {
            number,
            secret: secret.to_vec(),
            period: Period::S30,
            clock: Some(TokenClock::new(beginning, -SLOW, 0)),
            told: Told::Now,
            is_on: false,
        }
    }

    /// Codes of 60 s.
    #[must_use]
    pub const fn with_sixty_seconds(mut self) -> Self {
        self.period = Period::S60;
        self
    }

    /// A clock that agrees with the world.
    #[must_use]
    pub const fn with_right_clock(mut self) -> Self {
        self.clock = Some(TokenClock::EXACT);
        self
    }

    /// No clock: its time stands still.
    #[must_use]
    pub const fn without_clock(mut self) -> Self {
        self.clock = None;
        self
    }

    /// Tells, until its button is pressed, the code that was shown last.
    #[must_use]
    pub fn telling_what_was_shown(mut self) -> Self {
        self.told = Told::SinceSwitchedOn(None);
        self
    }

    fn code(&self, now: UnixTime) -> String {
        let shows = self.clock.map_or(0, |clock| clock.reads(now).as_secs());
        let step = shows / u64::from(self.period.as_secs());
        otp::code(Algorithm::Sha1, &self.secret, step, Digits::SIX.get())
    }

    fn information(&self) -> Vec<u8> {
        let clock = u8::from(self.clock.is_some());
        let period = if self.period == Period::S60 { 0x10 } else { 0x00 };
        answer(&[0x10, 0x00, 0x03, 0x01, 0x05, 0x00, clock, 0x00, period, 0x00])
    }

    fn tell_code(&mut self, now: UnixTime) -> Vec<u8> {
        let code = match &self.told {
            Told::SinceSwitchedOn(Some(shown)) => shown.clone(),
            Told::SinceSwitchedOn(None) | Told::Now => self.code(now),
        };
        if let Told::SinceSwitchedOn(shown) = &mut self.told {
            *shown = Some(code.clone());
        }
        let mut data = vec![0x42];
        data.extend(code.bytes().map(|digit| digit & 0x0f));
        answer(&data)
    }

    fn set_clock(&mut self, time: [u8; 6], now: UnixTime) -> Vec<u8> {
        let [period, s0, s1, s2, s3, into] = time;
        let step = u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
        let seconds = step * u64::from(period) + u64::from(into);
        if let Some(clock) = &mut self.clock {
            clock.set(now, UnixTime::from_secs(seconds));
        }
        answer(&[0x12])
    }
}

impl Applet for ProtectimusSlim {
    fn identity(&self) -> Identity {
        Identity {
            family: MODEL,
            title: "Protectimus Slim NFC".to_owned(),
            serial: Some(format!("{:08}", self.number)),
        }
    }

    fn atr(&self) -> Vec<u8> {
        contactless_atr(&[])
    }

    fn transmit(&mut self, message: &[u8], now: UnixTime) -> Vec<u8> {
        match opened(message) {
            Some([0x10]) => self.information(),
            Some([0x42, 0x00]) => self.tell_code(now),
            Some([0x12, 0x00, 0x00, time @ ..]) => match time.try_into() {
                Ok(time) => self.set_clock(time, now),
                Err(_) => UNKNOWN.to_vec(),
            },
            Some(_) | None => UNKNOWN.to_vec(),
        }
    }

    fn reset(&mut self) {}

    fn press(&mut self, now: UnixTime) {
        self.is_on = !self.is_on;
        let code = self.code(now);
        if let Told::SinceSwitchedOn(shown) = &mut self.told {
            *shown = Some(code);
        }
    }

    fn face(&self, now: UnixTime) -> Face {
        let left = self.clock.map(|clock| {
            let period = self.period.as_secs();
            let into = clock.reads(now).as_secs() % u64::from(period);
            period - u32::try_from(into).unwrap_or(0)
        });
        Face {
            family: MODEL,
            title: self.identity().title,
            serial: self.identity().serial,
            on: self.is_on,
            display: self.is_on.then(|| self.code(now)),
            seconds_left: left.filter(|_| self.is_on),
            buttons: &[Button::Power],
            lines: Vec::new(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        vec![Held {
            name: None,
            secret: SharedSecret::new(self.secret.clone()),
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
            period: Some(self.period),
            kind: Kind::Totp,
            touch: false,
        }]
    }

    fn another(&self) -> Box<dyn Applet> {
        Box::new(Self::new(self.number + 1, b"another slim nfc"))
    }
}

/// The data of a message: `86`, the length of what follows, the data, their XOR.
fn opened(message: &[u8]) -> Option<&[u8]> {
    let (&[0x86, length], rest) = message.split_first_chunk::<2>()? else {
        return None;
    };
    let (sum, data) = rest.split_last()?;
    let adds_up = rest.len() == usize::from(length) && xor(data) == *sum;
    adds_up.then_some(data)
}

/// `AA`, the length of what follows, the data, their XOR.
fn answer(data: &[u8]) -> Vec<u8> {
    // At most ten bytes of data.
    let length = u8::try_from(data.len() + 1).unwrap_or(u8::MAX);
    let mut bytes = vec![0xaa, length];
    bytes.extend_from_slice(data);
    bytes.push(xor(data));
    bytes
}

fn xor(data: &[u8]) -> u8 {
    let mut sum = 0;
    for byte in data {
        sum ^= byte;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::unhex;

    /// RFC 6238 appendix B, of whose codes the last six digits count.
    const RFC: &[u8] = b"12345678901234567890";
    const NOW: UnixTime = UnixTime::from_secs(1_111_111_109);

    fn code(token: &mut ProtectimusSlim, now: UnixTime) -> String {
        let answer = token.transmit(&unhex("8603420042"), now);
        assert_eq!(answer[..3], [0xaa, 0x08, 0x42]);
        let sum = answer[2..9].iter().fold(0, |sum, byte| sum ^ byte);
        assert_eq!((answer.len(), answer[9]), (10, sum));
        answer[3..9].iter().map(|digit| char::from(b'0' + digit)).collect()
    }

    fn token() -> ProtectimusSlim {
        ProtectimusSlim::new(7, RFC).with_right_clock()
    }

    #[test]
    fn it_tells_of_itself_where_the_sheet_says() {
        let told = |mut token: ProtectimusSlim| token.transmit(&unhex("86021010"), NOW);
        let thirty = told(token());
        assert_eq!(thirty, unhex("AA0B1000030105000100000016"));
        // Offsets 5, 6, 9 and 11 of the sheet, which counts the block byte.
        assert_eq!((thirty[4], thirty[5], thirty[8], thirty[10]), (3, 1, 1, 0));
        assert_eq!(told(token().with_sixty_seconds())[10], 0x10);
        assert_eq!(told(token().without_clock())[8], 0);
    }

    #[test]
    fn it_shows_the_codes_of_rfc_6238() {
        assert_eq!(code(&mut token(), UnixTime::from_secs(59)), "287082");
        assert_eq!(code(&mut token(), NOW), "081804");
        let later = UnixTime::from_secs(2_000_000_000);
        assert_eq!(code(&mut token(), later), "279037");
        let mut face = token();
        assert_eq!(face.face(NOW).display, None);
        face.press(NOW);
        assert_eq!(face.face(NOW).display.as_deref(), Some("081804"));
    }

    #[test]
    fn its_clock_is_set_to_the_second() {
        let now = UnixTime::from_secs(1_700_000_000);
        for (hex, period, time) in [
            ("860A1200001E0360AA2A14FB", 30, 1_700_000_000),
            ("860A1200003C01B0551514CB", 60, 1_700_000_000),
            ("860A1200001E000000011D10", 30, 59),
        ] {
            let mut token = ProtectimusSlim::new(7, RFC);
            token.period = Period::new(period).expect("a period");
            assert_eq!(token.transmit(&unhex(hex), now), [0xaa, 0x02, 0x12, 0x12]);
            let clock = token.clock.expect("it has one");
            assert_eq!(clock.reads(now), UnixTime::from_secs(time), "{hex}");
        }
    }

    #[test]
    fn a_new_token_is_slow_and_one_without_a_clock_stays_where_it_is() {
        let mut slow = ProtectimusSlim::new(7, RFC);
        let behind = UnixTime::from_secs(NOW.as_secs() - 240);
        assert_eq!(code(&mut slow, NOW), code(&mut token(), behind));
        let mut still = token().without_clock();
        still.transmit(&unhex("860A1200001E0360AA2A14FB"), NOW);
        assert_eq!(code(&mut still, NOW), code(&mut token(), UnixTime::from_secs(0)));
    }

    #[test]
    fn one_that_tells_what_was_shown_wants_its_button_pressed() {
        let now = UnixTime::from_secs(1_700_000_000);
        let mut token = ProtectimusSlim::new(7, RFC).telling_what_was_shown();
        let before = code(&mut token, now);
        token.transmit(&unhex("860A1200001E0360AA2A14FB"), now);
        assert_eq!(code(&mut token, now), before);
        token.press(now);
        assert_eq!(code(&mut token, now), code(&mut self::token(), now));
    }

    #[test]
    fn what_is_no_message_does_nothing() {
        let mut token = ProtectimusSlim::new(7, RFC);
        let before = code(&mut token, NOW);
        for hex in [
            "00A4040000",
            "86",
            "8600",
            "86021011",
            "86031010",
            "860A1200001E0360AA2A14FA",
            "86091200001E0360AA2A14EF",
            "8602FFFF",
        ] {
            assert_eq!(token.transmit(&unhex(hex), NOW), UNKNOWN, "{hex}");
        }
        assert_eq!(code(&mut token, NOW), before);
    }
}
