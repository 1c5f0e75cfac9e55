//! Releases of the hardware and what differs between them (token2-fido-otp.md
//! sections 1, 3 and 4), as data.

use crate::applet::contactless_atr;

/// One release and its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The name for people.
    pub title: &'static str,
    /// The first five digits of the serial number.
    prefix: u32,
    /// The USB product id, which the answer to reset repeats.
    product: u16,
    /// Whether it has the commands of "OTP protection".
    pub(super) otp_pin: bool,
    /// Whether it tells its serial number only after `80 C5 03 00`.
    pub(super) serial_is_hidden: bool,
    /// Whether its answer to reset names it.
    named_by_atr: bool,
}

/// How the key is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Its own USB interface, NFC or a T=1 reader: short and extended length.
    Blocks,
    /// A T=0 contact reader: short length, answers by GET RESPONSE.
    Bytes,
}

impl Release {
    /// R3.1, without an OTP PIN; it hides its serial number at first.
    pub const R3_1: Self = Self {
        title: "PIN+ R3.1",
        prefix: 76_105,
        product: 0x0022,
        otp_pin: false,
        serial_is_hidden: true,
        named_by_atr: true,
    };

    /// R3.2, without an OTP PIN.
    pub const R3_2: Self =
        Self { title: "PIN+ R3.2", prefix: 77_103, serial_is_hidden: false, ..Self::R3_1 };

    /// R3.3, without an OTP PIN, with an answer to reset that names nothing.
    pub const R3_3: Self =
        Self { title: "PIN+ R3.3", prefix: 66_103, named_by_atr: false, ..Self::R3_2 };

    /// R3.4, whose records can be protected by an OTP PIN.
    pub const R3_4: Self = Self { title: "PIN+ R3.4", prefix: 65_103, otp_pin: true, ..Self::R3_2 };

    /// Every release, for tables.
    pub const ALL: [Self; 4] = [Self::R3_1, Self::R3_2, Self::R3_3, Self::R3_4];

    /// Prefix, check digit, eight digits.
    pub(super) fn serial(&self, number: u32) -> String {
        let digits = format!("{:05}{:08}", self.prefix, number % 100_000_000);
        let check = digits.bytes().map(|digit| u32::from(digit - b'0')).sum::<u32>() % 10;
        let (prefix, rest) = digits.split_at(5);
        format!("{prefix}{check}{rest}")
    }

    /// The answer to reset: 15 historical bytes from offset 7 (section 1).
    pub(super) fn atr(&self, number: u32, link: Link) -> Vec<u8> {
        if !self.named_by_atr {
            return contactless_atr(&[]);
        }
        let mut atr = match link {
            Link::Blocks => vec![0x3b, 0xff, 0x18, 0x00, 0x00, 0x81, 0x01],
            Link::Bytes => vec![0x3b, 0xff, 0x18, 0x00, 0x00, 0x10, 0x80],
        };
        let [high, low] = self.product.to_be_bytes();
        atr.extend([0x86, 0x8e, high, low, 0x60, 0x00, 0x60]);
        atr.extend(format!("{:08}", number % 100_000_000).bytes());
        if link == Link::Blocks {
            // T=0 alone has no check byte.
            let check = atr[1..].iter().fold(0, |sum, byte| sum ^ byte);
            atr.push(check);
        }
        atr
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::unhex;

    #[test]
    fn the_sheets_answers_to_reset() {
        let bio3 = Release { product: 0x0204, ..Release::R3_2 };
        let expected = unhex("3BFF1800008101868E02046000603534303935333033 64");
        assert_eq!(bio3.atr(54_095_303, Link::Blocks), expected);
        let mini = Release { product: 0x0016, ..Release::R3_2 };
        let expected = unhex("3BFF1800001080868E00166000603335373830353238");
        assert_eq!(mini.atr(35_780_528, Link::Bytes), expected);
    }

    #[test]
    fn a_serial_has_fourteen_digits_and_its_prefix() {
        let serial = Release::R3_4.serial(1);
        assert_eq!((serial.len(), &serial[..5], &serial[6..]), (14, "65103", "00000001"));
    }
}
