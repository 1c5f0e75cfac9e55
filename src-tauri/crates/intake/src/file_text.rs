//! The bytes of a file to text: UTF-8, UTF-16 in both orders, else Windows-1252.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use zeroize::Zeroizing;

/// A text and whether it had to be guessed.
pub(crate) struct FileText {
    pub(crate) text: Zeroizing<String>,
    /// It is no Unicode; every byte was taken for a Windows-1252 character.
    pub(crate) guessed: bool,
}

/// Decodes a file; `None` when it is no text at all.
pub(crate) fn decode(bytes: &[u8]) -> Option<FileText> {
    let (encoding, skipped) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, length),
        None => (without_mark(bytes), 0),
    };
    if let Some(text) = decode_with(encoding, &bytes[skipped..]) {
        return is_text(&text).then_some(FileText { text, guessed: false });
    }
    let text = decode_with(WINDOWS_1252, bytes)?;
    is_text(&text).then_some(FileText { text, guessed: true })
}

/// UTF-16 without a mark shows by the zeros in every other byte of its ASCII.
fn without_mark(bytes: &[u8]) -> &'static Encoding {
    let start = &bytes[..bytes.len().min(64) & !1];
    let zeros = |offset| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    match (zeros(0), zeros(1)) {
        (0, low) if half >= 2 && low * 2 > half => UTF_16LE,
        (high, 0) if half >= 2 && high * 2 > half => UTF_16BE,
        _ => UTF_8,
    }
}

/// Decodes into room that suffices, so that no copy is left behind when it grows.
fn decode_with(encoding: &'static Encoding, bytes: &[u8]) -> Option<Zeroizing<String>> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len())?;
    let mut text = Zeroizing::new(String::with_capacity(room));
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    matches!(result, encoding_rs::DecoderResult::InputEmpty).then_some(text)
}

/// Hardly any control characters: line ends, tabs, and a stray zero at the end.
fn is_text(text: &str) -> bool {
    let odd = text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
    odd * 20 <= text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str, guessed: bool) {
        let decoded = decode(bytes).expect("text");
        assert_eq!((decoded.text.as_str(), decoded.guessed), (expected, guessed));
    }

    #[test]
    fn every_way_that_spreadsheets_write_text() {
        let utf16 = |text: &str, little: bool| -> Vec<u8> {
            let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
            text.encode_utf16().flat_map(bytes).collect()
        };
        check(b"serial,secret", "serial,secret", false);
        check(b"\xef\xbb\xbfserial", "serial", false);
        check("Müller".as_bytes(), "Müller", false);
        check(&[&[0xff, 0xfe][..], &utf16("serial;ü", true)].concat(), "serial;ü", false);
        check(&[&[0xfe, 0xff][..], &utf16("serial;ü", false)].concat(), "serial;ü", false);
        check(&utf16("serial", true), "serial", false);
        check(&utf16("serial", false), "serial", false);
        check(b"M\xfcller", "Müller", true);
    }

    #[test]
    fn what_is_no_text() {
        assert!(decode(&[0, 2, 0x22, 0xe0, 5, 0x59, 1, 2, 3, 0xff, 0x81, 4, 5, 6]).is_none());
    }
}
