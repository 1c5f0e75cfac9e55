//! Data codewords to text: the segments of ISO/IEC 18004 section 7.4.
//!
//! A stream that breaks a rule of the standard is refused as a whole. This is one of
//! the guards against a wrong correction, so it is strict where real encoders are: the
//! modes, the counts, the values of digits and letters, and the padding.

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, WINDOWS_1252};
use zeroize::Zeroizing;

use crate::symbol::Version;

/// The text of all segments; `None` when the codewords are no stream of segments.
pub(crate) fn text(data: &[u8], version: Version) -> Option<Zeroizing<String>> {
    let mut bits = Bits { data, at: 0 };
    let mut text = Zeroizing::new(String::new());
    let mut bytes = Bytes { pending: Zeroizing::new(vec![]), encoding: None };
    let mut segments = 0;
    loop {
        // Fewer than four bits left stand for the terminator (section 7.4.9).
        let mode = if bits.left() < 4 { 0 } else { bits.take(4)? };
        match mode {
            0b0000 => break,
            0b0001 => bytes.pending.extend(numeric(&mut bits, version)?.iter()),
            0b0010 => bytes.pending.extend(alphanumeric(&mut bits, version)?.iter()),
            0b0100 => {
                let count = bits.take(count_bits(version, [8, 16, 16]))?;
                for _ in 0..count {
                    bytes.pending.push(bits.byte()?);
                }
            }
            0b1000 => {
                bytes.flush(&mut text);
                let kanji = kanji(&mut bits, version)?;
                text.push_str(&SHIFT_JIS.decode_without_bom_handling(&kanji).0);
            }
            0b0111 => {
                bytes.flush(&mut text);
                bytes.encoding = Some(extended_channel(&mut bits)?);
            }
            // Structured append: position, count and parity of a message in parts. The
            // part is given as it stands.
            0b0011 => {
                bits.take(16)?;
                continue;
            }
            // FNC1 in first position, and in second with its application indicator.
            0b0101 => continue,
            0b1001 => {
                bits.take(8)?;
                continue;
            }
            _ => return None,
        }
        segments += 1;
    }
    bytes.flush(&mut text);
    (segments > 0 && !text.is_empty() && padding_is_regular(data, bits.at)).then_some(text)
}

/// Bits of a character count by version group (table 3).
fn count_bits(version: Version, groups: [usize; 3]) -> usize {
    match version.number() {
        0..=9 => groups[0],
        10..=26 => groups[1],
        _ => groups[2],
    }
}

/// Three digits in ten bits, two in seven, one in four.
fn numeric(bits: &mut Bits<'_>, version: Version) -> Option<Zeroizing<Vec<u8>>> {
    let mut left = bits.take(count_bits(version, [10, 12, 14]))?;
    let mut digits = Zeroizing::new(Vec::new());
    while left > 0 {
        let (count, width, bound) = match left {
            1 => (1, 4, 10),
            2 => (2, 7, 100),
            _ => (3, 10, 1000),
        };
        let mut value = bits.take(width).filter(|&value| value < bound)?;
        let mut divisor = bound / 10;
        for _ in 0..count {
            digits.push(b"0123456789"[value / divisor]);
            value %= divisor;
            divisor = (divisor / 10).max(1);
        }
        left -= count;
    }
    Some(digits)
}

/// Two characters in eleven bits, one in six.
fn alphanumeric(bits: &mut Bits<'_>, version: Version) -> Option<Zeroizing<Vec<u8>>> {
    /// Table 5.
    const CHARACTERS: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut left = bits.take(count_bits(version, [9, 11, 13]))?;
    let mut characters = Zeroizing::new(Vec::new());
    while left >= 2 {
        let pair = bits.take(11)?;
        characters.push(*CHARACTERS.get(pair / 45)?);
        characters.push(CHARACTERS[pair % 45]);
        left -= 2;
    }
    if left == 1 {
        characters.push(*CHARACTERS.get(bits.take(6)?)?);
    }
    Some(characters)
}

/// Characters of thirteen bits, as Shift JIS (section 7.4.6).
fn kanji(bits: &mut Bits<'_>, version: Version) -> Option<Zeroizing<Vec<u8>>> {
    let count = bits.take(count_bits(version, [8, 10, 12]))?;
    let mut bytes = Zeroizing::new(Vec::new());
    for _ in 0..count {
        let packed = bits.take(13)?;
        let offset = packed / 0xc0 * 0x100 + packed % 0xc0;
        let code = offset + if offset < 0x1f00 { 0x8140 } else { 0xc140 };
        bytes.extend(u16::try_from(code).ok()?.to_be_bytes());
    }
    Some(bytes)
}

/// The encoding that an ECI designator names (section 7.4.2; AIM's register).
fn extended_channel(bits: &mut Bits<'_>) -> Option<&'static Encoding> {
    let first = bits.take(8)?;
    let designator = match first {
        0x00..=0x7f => first,
        0x80..=0xbf => (first & 0x3f) << 8 | bits.take(8)?,
        0xc0..=0xdf => (first & 0x1f) << 16 | bits.take(16)?,
        _ => return None,
    };
    let label: &[u8] = match designator {
        4 => b"iso-8859-2",
        5 => b"iso-8859-3",
        6 => b"iso-8859-4",
        7 => b"iso-8859-5",
        8 => b"iso-8859-6",
        9 => b"iso-8859-7",
        10 => b"iso-8859-8",
        11 => b"iso-8859-9",
        12 => b"iso-8859-10",
        13 => b"iso-8859-11",
        15 => b"iso-8859-13",
        16 => b"iso-8859-14",
        17 => b"iso-8859-15",
        18 => b"iso-8859-16",
        20 => b"shift_jis",
        21 => b"windows-1250",
        22 => b"windows-1251",
        24 => b"windows-1256",
        25 => b"utf-16be",
        26 => b"utf-8",
        28 => b"big5",
        29 | 32 => b"gb18030",
        30 => b"euc-kr",
        // 1 and 3 are Latin 1; what the register does not name is read like it.
        _ => b"iso-8859-1",
    };
    Encoding::for_label(label)
}

/// Bytes of neighbouring segments, which may share a character of several bytes.
struct Bytes {
    pending: Zeroizing<Vec<u8>>,
    encoding: Option<&'static Encoding>,
}

impl Bytes {
    fn flush(&mut self, text: &mut String) {
        if self.pending.is_empty() {
            return;
        }
        let encoding = self.encoding.unwrap_or_else(|| guess(&self.pending));
        text.push_str(&encoding.decode_without_bom_handling(&self.pending).0);
        self.pending = Zeroizing::new(vec![]);
    }
}

/// What bytes without an ECI are: the standard says Latin 1, encoders write UTF-8, and
/// old Japanese ones Shift JIS.
fn guess(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else if SHIFT_JIS
        .decode_without_bom_handling_and_without_replacement(bytes)
        .is_some_and(|text| text.chars().any(|c| c > '\u{2fff}'))
    {
        SHIFT_JIS
    } else {
        WINDOWS_1252
    }
}

/// Behind the terminator two bytes alternate: EC and 11 by the standard, others by
/// some encoders. A wrong correction leaves anything there.
fn padding_is_regular(data: &[u8], used_bits: usize) -> bool {
    let padding = data.get(used_bits.div_ceil(8)..).unwrap_or(&[]);
    if padding.len() < 6 {
        return true;
    }
    let odd = padding.windows(3).filter(|three| three[0] != three[2]).count();
    odd * 3 <= padding.len()
}

/// Bits from the most significant on.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        self.data.len() * 8 - self.at
    }

    /// At most 16 bits; `None` past the end.
    fn take(&mut self, count: usize) -> Option<usize> {
        if self.left() < count {
            return None;
        }
        let bit = |at: usize| usize::from(self.data[at / 8] >> (7 - at % 8) & 1);
        let value = (self.at..self.at + count).fold(0, |value, at| value << 1 | bit(at));
        self.at += count;
        Some(value)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(8).and_then(|byte| u8::try_from(byte).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    fn check(bits: &str, expected: Option<&str>) {
        let mut data: Vec<u8> = vec![];
        let bits: Vec<u8> = bits.bytes().filter(|b| matches!(b, b'0' | b'1')).collect();
        for byte in bits.chunks(8) {
            let value = byte.iter().fold(0, |value, bit| value << 1 | (bit - b'0'));
            data.push(value << (8 - byte.len()));
        }
        let read = text(&data, Version::new(1).expect("1 to 40"));
        assert_eq!(read.as_ref().map(|text| text.as_str()), expected, "{bits:?}");
    }

    #[test]
    fn the_examples_of_the_standard() {
        // Section 7.4.3: "01234567"; section 7.4.4: "AC-42".
        check("0001 0000001000 0000001100 0101011001 1000011 0000", Some("01234567"));
        check("0010 000000101 00111001110 11100111001 000010 0000", Some("AC-42"));
        // Section 7.4.6: 点茗, 935F and E4AA in Shift JIS.
        check("1000 00000010 0110110011111 1101010101010 0000", Some("点茗"));
    }

    #[test]
    fn bytes_by_their_encoding() {
        check("0100 00000010 11000011 10101001 0000", Some("é"));
        check("0100 00000001 11101001 0000", Some("é"));
        check("0100 00000010 10010011 01011111 0000", Some("点"));
        // ECI 9 is ISO 8859-7; the example of section 7.4.2.
        check(
            "0111 00001001 0100 00000101 10100001 10100010 10100011 10100100 10100101 0000",
            Some("‘’£€₯"),
        );
        // A character of two bytes that two segments share.
        check("0100 00000001 11000011 0100 00000001 10101001 0000", Some("é"));
    }

    #[test]
    fn what_breaks_the_rules_is_no_text() {
        check("", None);
        check("0000", None);
        check("1111 0000", None);
        check("0001 0000000001 1111 0000", None);
        check("0001 0000000011 1111111111 0000", None);
        check("0010 000000010 11111111111 0000", None);
        check("0100 11111111 01000001", None);
        check("0100 00000000 0000", None);
        // Seven bytes behind the terminator that do not alternate.
        check(
            "0100 00000001 01000001 0000 0000 00000001 00000010 00000011 00000100 00000101 \
             00000110 00000111",
            None,
        );
    }

    #[test]
    fn no_bytes_panic() {
        let mut noise = Noise::new(3);
        for _ in 0..20_000 {
            let length = noise.below(60);
            let data: Vec<u8> = (0..length).map(|_| noise.below(256) as u8).collect();
            let version = Version::new(1 + noise.below(40)).expect("1 to 40");
            let _ = text(&data, version);
        }
    }
}
