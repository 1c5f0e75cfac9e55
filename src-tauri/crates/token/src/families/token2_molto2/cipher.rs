//! SM4 under the customer key: the answer to a challenge, the encryption of seeds
//! and titles, and the MAC behind every authenticated command
//! (token2-molto2.md sections 2 and 3.3).

use data_encoding::HEXLOWER_PERMISSIVE;
use sha1::{Digest, Sha1};
use sm4::Sm4;
use sm4::cipher::{Block, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::CommandApdu;

/// The maker's customer key, which every new token has.
const FACTORY: [u8; 16] = *b"TOKEN2MOLTO1-KEY";

/// The longest body before its MAC: a seed of 63 bytes in four blocks.
const LONGEST_BODY: usize = 64;

/// A customer key, ready for use: SM4 under the first 16 bytes of its SHA-1.
pub(super) struct Key(Sm4);

impl Key {
    /// The maker's, which is public.
    pub(super) fn factory() -> Self {
        Self::of(&FACTORY)
    }

    /// What somebody typed: 16 ASCII characters or 32 hexadecimal digits; `None`
    /// when it is neither.
    pub(super) fn typed(text: &str) -> Option<Self> {
        match text.len() {
            16 if text.is_ascii() => Some(Self::of(text.as_bytes())),
            32 => {
                let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().map(Zeroizing::new)?;
                Some(Self::of(&bytes))
            }
            _ => None,
        }
    }

    fn of(customer_key: &[u8]) -> Self {
        let digest: Zeroizing<[u8; 20]> = Zeroizing::new(Sha1::digest(customer_key).into());
        Self(Sm4::new_from_slice(&digest[..16]).expect("SM4 takes keys of 16 bytes"))
    }

    /// The answer to a challenge: both encrypted together, the challenge first and
    /// eight zero bytes behind it.
    pub(super) fn answer(&self, challenge: [u8; 8]) -> [u8; 16] {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&challenge);
        self.encrypt(&mut block);
        block
    }

    /// Encrypts `80 00…` behind a seed or a title, in whole blocks. The seed is
    /// always padded, so that 16, 32 and 48 bytes get a block more.
    pub(super) fn padded(&self, plain: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut blocks = Zeroizing::new(vec![0; (plain.len() / 16 + 1) * 16]);
        blocks[..plain.len()].copy_from_slice(plain);
        blocks[plain.len()] = 0x80;
        self.encrypt(&mut blocks);
        blocks
    }

    /// A command of class `84` with its MAC: SM4-CBC with a zero IV over the header
    /// with class `80`, the length without the MAC and the body, filled behind
    /// `80` only where it does not end on a block; the first four bytes of the
    /// last block.
    pub(super) fn secured(&self, [ins, p1, p2]: [u8; 3], body: &[u8]) -> CommandApdu {
        let mut data = Zeroizing::new(Vec::with_capacity(LONGEST_BODY + 4));
        data.extend_from_slice(body);
        data.extend_from_slice(&self.mac([ins, p1, p2], body));
        CommandApdu::new([0x84, ins, p1, p2], &data)
    }

    fn mac(&self, [ins, p1, p2]: [u8; 3], body: &[u8]) -> [u8; 4] {
        let len = u8::try_from(body.len()).expect("a body has at most 64 bytes");
        let mut input = Zeroizing::new(Vec::with_capacity(LONGEST_BODY + 16));
        input.extend_from_slice(&[0x80, ins, p1, p2, len]);
        input.extend_from_slice(body);
        self.last_block(&mut input)
    }

    fn last_block(&self, input: &mut Vec<u8>) -> [u8; 4] {
        if !input.len().is_multiple_of(16) {
            input.push(0x80);
            input.resize(input.len().next_multiple_of(16), 0);
        }
        let mut chain = [0; 16];
        for block in input.chunks_exact(16) {
            for (state, byte) in chain.iter_mut().zip(block) {
                *state ^= byte;
            }
            self.encrypt(&mut chain);
        }
        let [a, b, c, d, ..] = chain;
        [a, b, c, d]
    }

    /// SM4-ECB in place; whole blocks alone.
    fn encrypt(&self, blocks: &mut [u8]) {
        for block in blocks.chunks_exact_mut(16) {
            let block: &mut Block<Sm4> =
                block.try_into().expect("chunks of 16 bytes are blocks of SM4");
            self.0.encrypt_block(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        HEXUPPER.encode(bytes)
    }

    /// The check vector of the standard, quoted in the sheet's section 2.
    #[test]
    fn the_cipher_is_sm4() {
        let mut block = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10";
        let key = Key(Sm4::new_from_slice(&block).expect("16 bytes"));
        key.encrypt(&mut block);
        assert_eq!(hex(&block), "681EDF34D206965E86B3E94F536E4246");
    }

    /// The factory key of the sheet's section 2 and row 1 of its section 8.
    #[test]
    fn the_key_is_cut_from_the_hash_of_the_customer_key() {
        assert_eq!(hex(&Sha1::digest(FACTORY)[..16]), "099250FDB017F442DA429ECBBEE17F79");
        let challenge = 0x1122_3344_5566_7788_u64.to_be_bytes();
        let expected = "550EC1328F963EB02972BB141E1CF521";
        assert_eq!(hex(&Key::factory().answer(challenge)), expected);
        for typed in ["TOKEN2MOLTO1-KEY", "544F4B454E324D4F4C544F312D4B4559"] {
            let key = Key::typed(typed).expect("a key");
            assert_eq!(hex(&key.answer(challenge)), expected);
            let key = Key::typed(&typed.to_ascii_lowercase()).expect("a key");
            assert_eq!(hex(&key.answer(challenge)) == expected, typed.len() == 32);
        }
    }

    #[test]
    fn what_is_no_customer_key_is_told_before_anything_is_sent() {
        for typed in ["", "TOKEN2MOLTO1-KE", "MyNewCustomerKéy", "MyNewCustomerKe\u{e9}"] {
            assert!(Key::typed(typed).is_none(), "{typed}");
        }
        assert!(Key::typed("g44F4B454E324D4F4C544F312D4B4559").is_none());
        assert!(Key::typed("MyNewCustomerKey").is_some());
    }

    /// The MACs of the maker's own tests, section 8 of the sheet.
    #[test]
    fn macs_are_the_makers() {
        let key = Key::factory();
        assert_eq!(hex(&key.last_block(&mut (0..16).collect())), "FEF940AD");
        assert_eq!(hex(&key.last_block(&mut b"hello world test!!".to_vec())), "2CF7C205");
    }
}
