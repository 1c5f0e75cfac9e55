//! SM4 (GB/T 32907) as the token uses it: token2-nfc-single-profile.md section 2.

use sm4::Sm4;
use sm4::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// The one public key of every token of this family.
const KEY: [u8; 16] = [
    0x8a, 0xd2, 0x06, 0x88, 0x3c, 0xa3, 0x69, 0x48, 0x2a, 0xb2, 0x71, 0x82, 0xb6, 0xe8, 0x32, 0x24,
];

/// A block enciphered.
pub(super) fn encipher(block: [u8; 16]) -> [u8; 16] {
    let mut block = Array(block);
    Sm4::new(&Array(KEY)).encrypt_block(&mut block);
    block.0
}

/// Whole blocks deciphered one by one (ECB).
pub(super) fn decipher(blocks: &[u8]) -> Vec<u8> {
    let cipher = Sm4::new(&Array(KEY));
    let mut plain = Vec::with_capacity(blocks.len());
    for block in blocks.as_chunks::<16>().0 {
        let mut block = Array(*block);
        cipher.decrypt_block(&mut block);
        plain.extend_from_slice(&block.0);
    }
    plain
}

/// The first four bytes of the last CBC block, with a zero IV, over the header,
/// whose class is `80` whatever class was sent, the body's length and the body.
/// `80 00…` fills the last block unless it is full already.
pub(super) fn mac(ins: u8, p1: u8, p2: u8, body: &[u8]) -> [u8; 4] {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    let mut input = vec![0x80, ins, p1, p2, length];
    input.extend_from_slice(body);
    if !input.len().is_multiple_of(16) {
        input.push(0x80);
        input.resize(input.len().next_multiple_of(16), 0);
    }
    let mut chain = [0; 16];
    for block in input.as_chunks::<16>().0 {
        for (chained, byte) in chain.iter_mut().zip(block) {
            *chained ^= byte;
        }
        chain = encipher(chain);
    }
    let [a, b, c, d, ..] = chain;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GB/T 32907 appendix A, example 1, has another key; the sheet's answer to
    /// the challenge `1122334455667788` (section 9, row 4) has this one.
    #[test]
    fn row_4() {
        let challenge = [
            0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let answer = encipher(challenge);
        assert_eq!(answer[..4], [0x8b, 0x74, 0x50, 0xf2]);
        assert_eq!(decipher(&answer), challenge);
    }
}
