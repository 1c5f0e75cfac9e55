//! How answers go out: at once, in parts by GET RESPONSE, or not before they are
//! asked for with their length (pcsc-nfc.md section 3).

use super::release::Link;
use super::{Token2FidoOtp, WRONG_LENGTH, WRONG_ORDER};

impl Token2FidoOtp {
    /// `00 C0 00 00 Le`.
    pub(super) fn get_response(&mut self, raw: &[u8]) -> Vec<u8> {
        let waits = self.remaining.len();
        match expected_length(raw) {
            _ if waits == 0 => WRONG_ORDER.to_be_bytes().to_vec(),
            None => WRONG_LENGTH.to_be_bytes().to_vec(),
            Some(length) if self.link == Link::Bytes && length > waits => too_long(waits),
            Some(length) => self.part(length.min(waits)),
        }
    }

    /// What goes out at once of an answer, with its status word.
    pub(super) fn deliver(&mut self, raw: &[u8], answer: Vec<u8>) -> Vec<u8> {
        let is_extended = is_extended(raw);
        let asked = expected_length(raw);
        self.remaining = answer;
        let waits = self.remaining.len();
        match (self.link, asked) {
            (Link::Bytes, Some(length)) if waits > 0 && length != waits => {
                self.remaining.clear();
                too_long(waits)
            }
            (Link::Bytes, None) => self.part(0),
            (Link::Blocks, _) if !is_extended => self.part(waits.min(256)),
            (Link::Bytes, Some(_)) | (Link::Blocks, _) => self.part(waits),
        }
    }

    fn part(&mut self, length: usize) -> Vec<u8> {
        let mut answer: Vec<u8> = self.remaining.drain(..length).collect();
        answer.extend(match self.remaining.len() {
            0 => [0x90, 0x00],
            // 0 stands for 256 and more.
            left => [0x61, u8::try_from(left).unwrap_or(0)],
        });
        answer
    }
}

/// Whether a command has extended length.
pub(super) fn is_extended(raw: &[u8]) -> bool {
    raw.len() >= 7 && raw[4] == 0
}

/// The Le of a command without data; `None` if there is none.
pub(super) fn expected_length(raw: &[u8]) -> Option<usize> {
    match raw {
        [_, _, _, _, 0] => Some(0x100),
        [_, _, _, _, length] => Some(usize::from(*length)),
        [_, _, _, _, 0, 0, 0] => Some(0x1_0000),
        [_, _, _, _, 0, high, low] => Some(usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// `6Cxx`: ask again with the length that there is.
fn too_long(length: usize) -> Vec<u8> {
    vec![0x6c, u8::try_from(length).unwrap_or(0)]
}
