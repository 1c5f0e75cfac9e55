//! SM4 (GB/T 32907) as the token uses it: token2-molto2.md section 2.

use sha1::{Digest, Sha1};
use sm4::Sm4;
use sm4::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// The key that SM4 is run with: the first 16 bytes of the customer key's SHA-1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(pub(super) [u8; 16]);

impl Key {
    /// From a customer key.
    pub(super) fn from_customer(key: &[u8]) -> Self {
        let digest: [u8; 20] = Sha1::digest(key).into();
        let (first, _) = digest.split_first_chunk::<16>().expect("20 bytes hold 16");
        Self(*first)
    }

    /// A block enciphered.
    pub(super) fn encipher(self, block: [u8; 16]) -> [u8; 16] {
        let mut block = Array(block);
        Sm4::new(&Array(self.0)).encrypt_block(&mut block);
        block.0
    }

    /// Whole blocks deciphered one by one (ECB).
    pub(super) fn decipher(self, blocks: &[u8]) -> Vec<u8> {
        let cipher = Sm4::new(&Array(self.0));
        let mut plain = Vec::with_capacity(blocks.len());
        for block in blocks.as_chunks::<16>().0 {
            let mut block = Array(*block);
            cipher.decrypt_block(&mut block);
            plain.extend_from_slice(&block.0);
        }
        plain
    }

    /// The MAC of a command: over its header, whose class is `80` whatever class
    /// was sent, the length of the body alone, and the body.
    pub(super) fn mac(self, [ins, p1, p2]: [u8; 3], body: &[u8]) -> [u8; 4] {
        let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
        self.mac_of([&[0x80, ins, p1, p2, length], body].concat())
    }

    /// The first four bytes of the last CBC block, with a zero IV. `80 00…`
    /// fills the last block unless it is full already.
    fn mac_of(self, mut input: Vec<u8>) -> [u8; 4] {
        if !input.len().is_multiple_of(16) {
            input.push(0x80);
            input.resize(input.len().next_multiple_of(16), 0);
        }
        let mut chain = [0; 16];
        for block in input.as_chunks::<16>().0 {
            for (chained, byte) in chain.iter_mut().zip(block) {
                *chained ^= byte;
            }
            chain = self.encipher(chain);
        }
        let [a, b, c, d, ..] = chain;
        [a, b, c, d]
    }
}

/// What stands before the padding `80 00…`; `None` if nothing is padded.
pub(super) fn unpad(plain: &[u8]) -> Option<&[u8]> {
    let end = plain.iter().rposition(|byte| *byte != 0)?;
    (plain[end] == 0x80).then_some(&plain[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::unhex;

    fn factory() -> Key {
        Key::from_customer(super::super::FACTORY_KEY)
    }

    #[test]
    fn the_standards_check_vector_and_the_factory_key() {
        let key = Key([
            0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54,
            0x32, 0x10,
        ]);
        assert_eq!(key.encipher(key.0).to_vec(), unhex("681EDF34D206965E86B3E94F536E4246"));
        assert_eq!(key.decipher(&key.encipher(key.0)), key.0);
        assert_eq!(factory().0.to_vec(), unhex("099250FDB017F442DA429ECBBEE17F79"));
    }

    #[test]
    fn the_sheets_macs() {
        let check = |input: Vec<u8>, expected: &str| {
            assert_eq!(factory().mac_of(input).to_vec(), unhex(expected));
        };
        check((0..16).collect(), "FEF940AD");
        check(b"hello world test!!".to_vec(), "2CF7C205");
        let body = unhex("546AE3CFFA1255447DD0F3F678522476");
        assert_eq!(factory().mac([0xc5, 0x01, 0x02], &body), [0xc5, 0xbb, 0x6c, 0x63]);
        let body = unhex("47B16DDC255D2EBA2977379D69438604");
        assert_eq!(factory().mac([0xd5, 0x00, 0x02], &body), [0x2f, 0x6b, 0xf1, 0x23]);
    }

    #[test]
    fn the_sheets_padded_seed_and_title() {
        let seed = factory().decipher(&unhex("546AE3CFFA1255447DD0F3F678522476"));
        assert_eq!(seed, unhex("48656C6C6F21DEADBEEF800000000000"));
        let title = factory().decipher(&unhex("47B16DDC255D2EBA2977379D69438604"));
        assert_eq!(title, unhex("4D6963726F736F667480000000000000"));
    }

    #[test]
    fn padding_ends_at_the_last_byte_that_is_not_zero() {
        assert_eq!(unpad(&[1, 0x80, 0x80, 0, 0]), Some(&[1, 0x80][..]));
        assert_eq!(unpad(&[1, 0, 0x80]), Some(&[1, 0][..]));
        assert_eq!(unpad(&[0x80, 0]), Some(&[][..]));
        assert_eq!(unpad(&[1, 2, 0]), None);
        assert_eq!(unpad(&[0, 0]), None);
        assert_eq!(unpad(&[]), None);
    }
}
