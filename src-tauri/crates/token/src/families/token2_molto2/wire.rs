//! The bytes of the Molto2's commands and answers (token2-molto2.md section 3).

use oath::{Algorithm, Parameters, SharedSecret, UnixTime};

use super::cipher::Key;
use crate::{CommandApdu, ResponseApdu, StatusWord, Taken, WritePlan};

/// The most slots of any model; they are numbered from 0.
pub(super) const MOST_SLOTS: u8 = 100;

/// The display goes dark after 30 s.
const DISPLAY_30_S: u8 = 1;

/// `80 41 00 00 00`: serial number and clock. A read.
pub(super) fn device_info() -> CommandApdu {
    CommandApdu::new([0x80, 0x41, 0x00, 0x00], &[]).with_le(0)
}

/// Serial number and clock, by offset: 3 bytes, `N`, `N` characters, 2 bytes, 4
/// bytes of UTC. No recorded answer backs the bytes in between, so they are not
/// looked at, and neither is what may follow.
pub(super) fn info(answer: &ResponseApdu) -> Option<(String, UnixTime)> {
    let (len, rest) = answer.data().get(3..)?.split_first()?;
    let (serial, rest) = rest.split_at_checked(usize::from(*len))?;
    let clock: [u8; 4] = rest.get(2..6)?.try_into().ok()?;
    let serial = std::str::from_utf8(serial).ok()?;
    if serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    Some((serial.to_owned(), UnixTime::from_secs(u64::from(u32::from_be_bytes(clock)))))
}

/// `80 41 00 slot 01 70`: a slot's public block. A read, and without an Le byte:
/// the token answers one with `6FFB`.
pub(super) fn slot_block(slot: u8) -> CommandApdu {
    CommandApdu::new([0x80, 0x41, 0x00, slot], &[0x70])
}

/// The public block of a slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The title without the zeros behind it, 16 bytes at most.
    pub(super) title: Vec<u8>,
    /// Hash, period and digits, as they stand on the wire; defaults when nothing
    /// is there.
    settings: [u8; 3],
    /// Whether a seed is there.
    pub(super) taken: Taken,
}

impl Block {
    /// `95 n 70 n` and 29 bytes. More bytes than the sheet knows are left alone,
    /// lengths that do not add up are not.
    pub(super) fn parse(answer: &ResponseApdu) -> Option<Self> {
        let [0x95, outer, 0x70, inner, block @ ..] = answer.data() else {
            return None;
        };
        let len = block.len();
        if usize::from(*outer) != len + 2 || usize::from(*inner) != len {
            return None;
        }
        let (_flag, rest) = block.split_first()?;
        let (title, rest) = rest.split_at_checked(16)?;
        let (_times, rest) = rest.split_at_checked(8)?;
        let [hash, period, digits, present, ..] = *rest else {
            return None;
        };
        let end = title.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Some(Self {
            title: title[..end].to_vec(),
            settings: [hash, period, digits],
            taken: match present {
                0 => Taken::No,
                1 => Taken::Yes,
                _ => Taken::NotTold,
            },
        })
    }

    /// How this block differs from what the plan would have written.
    pub(super) fn difference(&self, plan: &WritePlan) -> Option<Difference> {
        if self.taken != Taken::Yes {
            Some(Difference::NoSecret)
        } else if Some(self.settings) != settings(*plan.parameters()) {
            Some(Difference::Settings)
        } else if self.title != plan.name().unwrap_or_default().as_bytes() {
            Some(Difference::Title)
        } else {
            None
        }
    }
}

/// What a slot that was read again does not have as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// No seed is there.
    NoSecret,
    /// Another hash, period or number of digits.
    Settings,
    /// Another title; the codes are those of the plan.
    Title,
}

/// `80 4B 08 00 00`: eight random bytes of the token.
pub(super) fn challenge() -> CommandApdu {
    CommandApdu::new([0x80, 0x4b, 0x08, 0x00], &[]).with_le(0)
}

/// `80 CE 00 00 10`: the answer to the challenge. It may count a try.
pub(super) fn answer(key: &Key, challenge: [u8; 8]) -> CommandApdu {
    CommandApdu::new([0x80, 0xce, 0x00, 0x00], &key.answer(challenge))
}

/// `80 E6 00 slot 00`: deletes a slot's seed and keeps its title.
pub(super) fn delete(slot: u8) -> CommandApdu {
    CommandApdu::new([0x80, 0xe6, 0x00, slot], &[]).with_le(0)
}

/// The three commands that fill a slot, complete before the first is sent.
pub(super) struct Filling {
    /// The seed.
    pub(super) seed: CommandApdu,
    /// The title.
    pub(super) title: CommandApdu,
    /// Display time, clock, hash, digits and period.
    pub(super) config: CommandApdu,
}

impl Filling {
    /// `None` with a slot, parameters, a title, a secret or a time that no such
    /// token takes.
    pub(super) fn of(
        key: &Key,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Option<Self> {
        let slot = slot(plan)?;
        Some(Self {
            seed: seed(key, slot, secret)?,
            title: title(key, slot, plan.name()?)?,
            config: config(key, slot, *plan.parameters(), now)?,
        })
    }
}

/// The plan's slot, where it has one that a Molto2 can have.
pub(super) fn slot(plan: &WritePlan) -> Option<u8> {
    plan.slot().and_then(|slot| u8::try_from(slot).ok()).filter(|slot| *slot < MOST_SLOTS)
}

/// `84 C5 01 slot`: the seed, 1 to 63 bytes. One of zeros alone would clear the
/// slot, so there is no such command here.
fn seed(key: &Key, slot: u8, secret: &SharedSecret) -> Option<CommandApdu> {
    let bytes = secret.expose();
    let fits = (1..=63).contains(&bytes.len()) && bytes.iter().any(|byte| *byte != 0);
    fits.then(|| key.secured([0xc5, 0x01, slot], &key.padded(bytes)))
}

/// `84 D5 00 slot`: the title, 1 to 12 bytes.
fn title(key: &Key, slot: u8, title: &str) -> Option<CommandApdu> {
    let fits = (1..=12).contains(&title.len());
    fits.then(|| key.secured([0xd5, 0x00, slot], &key.padded(title.as_bytes())))
}

/// `84 D4 01 slot`: display time, clock, hash, digits and period in one.
fn config(key: &Key, slot: u8, parameters: Parameters, now: UnixTime) -> Option<CommandApdu> {
    let [hash, period, digits] = settings(parameters)?;
    let [t0, t1, t2, t3] = u32::try_from(now.as_secs()).ok()?.to_be_bytes();
    let body = [
        0x81,
        0x14,
        0x1f,
        0x01,
        DISPLAY_30_S,
        0x0f,
        0x04,
        t0,
        t1,
        t2,
        t3,
        0x86,
        0x09,
        0x0a,
        0x01,
        hash,
        0x0b,
        0x01,
        digits,
        0x0d,
        0x01,
        period,
    ];
    Some(key.secured([0xd4, 0x01, slot], &body))
}

/// Hash, period and digits on the wire, where a Molto2 knows them.
fn settings(parameters: Parameters) -> Option<[u8; 3]> {
    let hash = match parameters.algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => return None,
    };
    let period = match parameters.period.as_secs() {
        30 => 30,
        60 => 60,
        _ => return None,
    };
    let digits = parameters.digits.get();
    matches!(digits, 4 | 6 | 8 | 10).then_some([hash, period, digits])
}

/// `63xx`: the tries that are left. The maker writes of the whole second byte, a
/// token was seen to answer `63C7`; a high nibble of `C` is therefore not counted.
pub(super) fn wrong_key(status: StatusWord) -> Option<u8> {
    match status.0.to_be_bytes() {
        [0x63, counter @ 0xc0..=0xcf] => Some(counter & 0x0f),
        [0x63, counter] => Some(counter),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;
    use oath::{Digits, Period};

    use super::*;

    fn hex(command: &CommandApdu) -> String {
        HEXUPPER.encode(&command.encode())
    }

    fn answer_of(text: &str) -> ResponseApdu {
        let bytes = HEXUPPER.decode(text.as_bytes()).expect("hex");
        ResponseApdu::parse(bytes).expect("an answer")
    }

    fn check_seed(slot: u8, secret: &[u8], expected: &str) {
        let secret = SharedSecret::new(secret.to_vec());
        let command = seed(&Key::factory(), slot, &secret).expect("a length that fits");
        assert_eq!(hex(&command), expected);
    }

    /// Rows 1 and 2 of the sheet's section 8 and the commands of its section 3.
    #[test]
    fn commands_without_a_mac_are_the_sheets() {
        assert_eq!(hex(&device_info()), "8041000000");
        assert_eq!(hex(&slot_block(2)), "804100020170");
        assert_eq!(hex(&slot_block(99)), "804100630170");
        assert_eq!(hex(&challenge()), "804B080000");
        assert_eq!(hex(&delete(7)), "80E6000700");
        let answer = answer(&Key::factory(), 0x1122_3344_5566_7788_u64.to_be_bytes());
        assert_eq!(hex(&answer), "80CE000010550EC1328F963EB02972BB141E1CF521");
    }

    /// Rows 3, 6, 8, 9 and 11 of the sheet's section 8.
    #[test]
    fn seeds_are_the_makers() {
        check_seed(
            2,
            b"Hello!\xde\xad\xbe\xef",
            "84C5010214546AE3CFFA1255447DD0F3F678522476C5BB6C63",
        );
        check_seed(
            99,
            b"12345678901234567890",
            "84C50163245D848C69EB8E884E7D20591FF89ADEFF31FD80354BF08248E60D457774BBF06EB0596B49",
        );
        let counting: Vec<u8> = (0..16).collect();
        check_seed(
            0,
            &counting,
            "84C5010024FEF940AD4489C15B2645934F9A68B1769D199F6663A6F7234F37AD5487AFF2725F13ADCD",
        );
        check_seed(
            7,
            b"12345678901234567890123456789012",
            "84C50107345D848C69EB8E884E7D20591FF89ADEFF381D65B0547F2F6AEDB2EE32AA2947E59D199F6663A6F7234F37AD5487AFF272E3E94A8F",
        );
        check_seed(
            1,
            &[0xab; 63],
            "84C5010144B8A82969F646A1576A2B51CA62405F5CB8A82969F646A1576A2B51CA62405F5CB8A82969F646A1576A2B51CA62405F5CF1FACD7D081967118B0E8BBABAAFCBFC9460DBA6",
        );
    }

    #[test]
    fn a_seed_that_would_clear_the_slot_or_is_too_long_makes_no_command() {
        for secret in [vec![], vec![0; 20], vec![1; 64]] {
            assert!(seed(&Key::factory(), 0, &SharedSecret::new(secret)).is_none());
        }
    }

    /// Rows 4 and 7 of the sheet's section 8, and keyroost's own.
    #[test]
    fn titles_are_the_makers() {
        let key = Key::factory();
        let check = |slot, text, expected: &str| {
            assert_eq!(hex(&title(&key, slot, text).expect("a title")), expected);
        };
        check(2, "Microsoft", "84D500021447B16DDC255D2EBA2977379D694386042F6BF123");
        check(99, "RFC6238-SHA1", "84D50063145C77E38D531BF33F7AE3A188892AD2E419A8C744");
        check(3, "hello", "84D5000314AA6492E824DF9E2BE60917D1226AE8965AF94611");
        for text in ["", "thirteen long"] {
            assert!(title(&key, 0, text).is_none());
        }
    }

    fn parameters(algorithm: Algorithm, digits: u64, period: Period) -> Parameters {
        Parameters { algorithm, digits: Digits::new(digits).expect("digits"), period }
    }

    /// Row 5 of the sheet's section 8. Row 10 has another display time, which we
    /// do not write; the bytes behind it are compared all the same.
    #[test]
    fn settings_are_the_makers() {
        let key = Key::factory();
        let now = UnixTime::from_secs(1_700_000_000);
        let usual = parameters(Algorithm::Sha1, 6, Period::S30);
        assert_eq!(
            hex(&config(&key, 2, usual, now).expect("settings")),
            "84D401021A81141F01010F046553F10086090A01010B01060D011E7E191AD9"
        );
        let other = parameters(Algorithm::Sha256, 8, Period::S60);
        let bytes = hex(&config(&key, 7, other, now).expect("settings"));
        assert!(bytes.starts_with("84D401071A81141F0101"), "{bytes}");
        assert_eq!(bytes[20..54], *"0F046553F10086090A01020B01080D013C");
        let row10 = "81141F01030F046553F10086090A01020B01080D013C";
        let row10 = HEXUPPER.decode(row10.as_bytes()).expect("hex");
        assert_eq!(
            hex(&key.secured([0xd4, 0x01, 7], &row10)),
            "84D401071A81141F01030F046553F10086090A01020B01080D013C3D35A0F5"
        );
    }

    /// Row 12 of the sheet's section 8 and keyroost's: the clock alone, which the
    /// driver never sends, checks the MAC once more.
    #[test]
    fn macs_of_commands_that_are_not_sent_agree_too() {
        let key = Key::factory();
        let clock = |slot, time: u32| {
            let [a, b, c, d] = time.to_be_bytes();
            hex(&key.secured([0xd4, 0x01, slot], &[0x81, 0x06, 0x0f, 0x04, a, b, c, d]))
        };
        assert_eq!(clock(2, 1_700_000_000), "84D401020C81060F046553F100D57026B2");
        assert!(clock(0, 0x6612_3456).ends_with("42304790"));
    }

    #[test]
    fn what_no_molto2_knows_makes_no_settings() {
        let seconds = |seconds| Period::new(seconds).expect("a period");
        for wrong in [
            parameters(Algorithm::Sha512, 6, Period::S30),
            parameters(Algorithm::Sha1, 7, Period::S30),
            parameters(Algorithm::Sha1, 6, seconds(45)),
            parameters(Algorithm::Sha1, 6, seconds(286)),
        ] {
            assert!(settings(wrong).is_none());
        }
        let far = UnixTime::from_secs(u64::from(u32::MAX) + 1);
        let usual = parameters(Algorithm::Sha1, 6, Period::S30);
        assert!(config(&Key::factory(), 0, usual, far).is_none());
    }

    /// The sample of the sheet's section 8: an empty slot that kept its title.
    #[test]
    fn a_slot_tells_what_it_holds() {
        let sample = "951F701D204F6C640000000000000000000000000000\
                      00000000000000011E06009000";
        let block = Block::parse(&answer_of(sample)).expect("a block");
        assert_eq!(block.title, b"Old");
        assert_eq!(block.settings, [1, 30, 6]);
        assert_eq!(block.taken, Taken::No);
        let odd = sample.replace("1E06009000", "1E06029000");
        assert_eq!(Block::parse(&answer_of(&odd)).expect("a block").taken, Taken::NotTold);
    }

    #[test]
    fn a_block_whose_lengths_do_not_add_up_is_none() {
        let whole = HEXUPPER
            .decode(b"951F701D204F6C64000000000000000000000000000000000000000000011E0600")
            .expect("hex");
        for len in 0..whole.len() {
            let mut short = whole[..len].to_vec();
            short.extend_from_slice(&[0x90, 0x00]);
            assert_eq!(Block::parse(&ResponseApdu::parse(short).expect("an answer")), None);
        }
        for broken in ["701D951F009000", "9502700000009000", "95007000", "9000"] {
            assert_eq!(Block::parse(&answer_of(broken)), None);
        }
    }

    #[test]
    fn serial_and_clock_are_read_by_offset() {
        let info = |text: &str| info(&answer_of(text));
        let (serial, clock) = info("95100208313233343536373811046553F1009000").expect("an info");
        assert_eq!((serial.as_str(), clock.as_secs()), ("12345678", 1_700_000_000));
        let zeros = info("000000083132333435363738 0000 6553F1009000".replace(' ', "").as_str());
        assert!(zeros.is_some());
        for broken in [
            "9000",
            "9510029000",
            "951002FF31329000",
            "95100200110465539000",
            "951002083132333435363738110465539000",
            "95100208310A33343536373811046553F1009000",
        ] {
            assert!(info(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn tries_are_counted_in_both_ways() {
        let check = |status, tries| assert_eq!(wrong_key(StatusWord(status)), tries);
        check(0x63c7, Some(7));
        check(0x63c0, Some(0));
        check(0x6305, Some(5));
        check(0x9000, None);
        check(0x6983, None);
    }
}
