//! Messages to an OnlyKey and its words, 64-byte reports (onlykey.md section 2).

use std::collections::BTreeMap;

use oath::SharedSecret;
use zeroize::Zeroizing;

use crate::SessionError;

/// A report with the zero of its number in front.
pub(super) const REPORT_LEN: usize = 65;
/// A slot's label.
pub(super) const LABEL_LEN: usize = 16;
/// The longest secret. The firmware looks for four zeros behind it and would look
/// beyond the report for them.
pub(super) const SECRET_LEN: usize = 53;
/// So many zeros end a secret for the firmware.
pub(super) const ZEROS: usize = 4;

/// A message, ready to be written. Wiped when dropped.
pub(super) type Message = Zeroizing<[u8; REPORT_LEN]>;

const SET_TIME: u8 = 0xe4;
const GET_LABELS: u8 = 0xe5;
const SET_SLOT: u8 = 0xe6;

fn message(message: u8, data: &[&[u8]]) -> Message {
    let mut report = Zeroizing::new([0; REPORT_LEN]);
    report[1..5].fill(0xff);
    report[5] = message;
    let mut at = 6;
    for piece in data {
        report[at..at + piece.len()].copy_from_slice(piece);
        at += piece.len();
    }
    report
}

/// Tells the time, in seconds since 1970, and asks for the state.
pub(super) fn set_time(seconds: u32) -> Message {
    message(SET_TIME, &[&seconds.to_be_bytes()])
}

/// Asks for the label of each slot.
pub(super) fn get_labels() -> Message {
    message(GET_LABELS, &[])
}

/// A field of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Label,
    /// What the slot types as second factor.
    Kind,
    Key,
}

impl Field {
    const fn number(self) -> u8 {
        match self {
            Self::Label => 1,
            Self::Kind => 8,
            Self::Key => 9,
        }
    }

    /// What the key says once the field is set. Firmware of 2020 has other words for
    /// the secret, and does not set the kind with it.
    const fn done(self) -> &'static [&'static str] {
        match self {
            Self::Label => &["Successfully set Label"],
            Self::Kind => &["Successfully set 2FA Type"],
            Self::Key => &["Successfully set 2FA Key", OLD_KEY_SET],
        }
    }
}

const OLD_KEY_SET: &str = "Successfully set TOTP Key";

/// Sets the label; `None` for one that no slot takes.
pub(super) fn set_label(slot: u8, label: &str) -> Option<Message> {
    let fits = (1..=LABEL_LEN).contains(&label.len());
    fits.then(|| set(slot, Field::Label, label.as_bytes()))
}

/// Has the slot type time-based codes.
pub(super) fn set_kind(slot: u8) -> Message {
    set(slot, Field::Kind, b"g")
}

/// Sets the secret; `None` for one that the firmware would cut or not find.
pub(super) fn set_key(slot: u8, secret: &SharedSecret) -> Option<Message> {
    let bytes = secret.expose();
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let cut = bytes[..end].windows(ZEROS).any(|run| run.iter().all(|byte| *byte == 0));
    (bytes.len() <= SECRET_LEN && !cut).then(|| set(slot, Field::Key, bytes))
}

fn set(slot: u8, field: Field, data: &[u8]) -> Message {
    message(SET_SLOT, &[&[slot, field.number()], data])
}

/// What a report of the key says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Unlocked. Said once when it is, and in answer to the time.
    Unlocked,
    /// Locked. Said again and again while it is, without being asked.
    Locked,
    /// Never set up, said like the one before.
    NotSetUp,
    /// A slot's label, and its number from 1.
    Label(u8, String),
    /// A field is set; `old` where the words are those of older firmware.
    Done { field: Field, old: bool },
    /// Refused, for this reason, and nothing was done.
    Refused(SessionError),
    /// Refused or failed, for a reason that is not in the sheet.
    Failed,
    /// Something else: another program's answer, or nothing that can be read.
    Other,
}

impl Word {
    pub(super) fn of(report: &[u8]) -> Self {
        if let Some((number, label)) = label(report) {
            return Self::Label(number, label);
        }
        let end = report.iter().position(|byte| *byte == 0).unwrap_or(report.len());
        let Ok(text) = std::str::from_utf8(&report[..end]) else {
            return Self::Other;
        };
        if text.starts_with("UNLOCKED") {
            return Self::Unlocked;
        }
        if text.starts_with("INITIALIZED") {
            return Self::Locked;
        }
        if text.starts_with("UNINITIALIZED") {
            return Self::NotSetUp;
        }
        for field in [Field::Label, Field::Kind, Field::Key] {
            if field.done().contains(&text) {
                return Self::Done { field, old: text == OLD_KEY_SET };
            }
        }
        if !text.starts_with("Error") {
            return Self::Other;
        }
        let reason = REASONS.iter().find(|(beginning, _)| text.starts_with(beginning));
        reason.map_or(Self::Failed, |(_, reason)| Self::Refused(reason.clone()))
    }
}

/// The reasons of the sheet (section 3 and 4). The second of those for a key that was
/// never set up is older firmware's; the last is a key without a PIN, which does not
/// keep a password and a code in one slot.
const REASONS: [(&str, SessionError); 5] = [
    ("Error device locked", SessionError::LockedOnDevice),
    ("Error not in config mode", SessionError::NotInSetUpMode),
    ("Error OnlyKey must be initialized", SessionError::NotSetUp),
    ("Error you must set a PIN first", SessionError::NotSetUp),
    ("Error password already enabled", SessionError::NotSetUp),
];

/// `number|label`. The number is a byte, in which ten is 16; behind the label a
/// report may hold anything.
fn label(report: &[u8]) -> Option<(u8, String)> {
    let [number, b'|', text @ ..] = report else {
        return None;
    };
    let number = match number {
        1..=9 => *number,
        16..=30 => *number - 6,
        _ => return None,
    };
    let text = &text[..text.len().min(LABEL_LEN)];
    // Flash that was never written is all ones.
    let end = text.iter().position(|byte| matches!(byte, 0x00 | 0xff)).unwrap_or(text.len());
    Some((number, String::from_utf8_lossy(&text[..end]).into_owned()))
}

/// How many slots a key has, by how many labels it told: 12 or 24, from 1 without a
/// gap.
pub(super) fn model(labels: &BTreeMap<u8, String>) -> Option<Model> {
    let all = |count: u8| labels.keys().copied().eq(1..=count);
    [Model::Classic, Model::Duo].into_iter().find(|model| all(model.slots()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Classic,
    Duo,
}

impl Model {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Classic => "OnlyKey",
            Self::Duo => "OnlyKey DUO",
        }
    }

    /// Of the profile that is unlocked.
    pub(super) const fn slots(self) -> u8 {
        match self {
            Self::Classic => 12,
            Self::Duo => 24,
        }
    }

    /// A slot by its button: `1a` to `6b` for a short and a long press of six buttons
    /// or, in one of four colours, of three.
    pub(super) fn label(self, slot: u8) -> String {
        let index = slot.saturating_sub(1);
        let (colour, buttons) = match self {
            Self::Classic => ("", 6),
            Self::Duo => (["green ", "blue ", "yellow ", "purple "][usize::from(index / 6 % 4)], 3),
        };
        let press = ['a', 'b'][usize::from(index / buttons % 2)];
        format!("{colour}{}{press}", index % buttons + 1)
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn check(message: &Message, expected: &str) {
        assert_eq!(HEXLOWER.encode(&message[1..]), format!("{expected:0<128}"));
        assert_eq!(message[0], 0);
    }

    fn secret() -> SharedSecret {
        SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
    }

    #[test]
    fn messages_are_the_sheets() {
        check(&set_time(1_700_000_000), "ffffffffe46553f100");
        check(&get_labels(), "ffffffffe5");
        check(&set_label(1, "Microsoft").expect("fits"), "ffffffffe601014d6963726f736f6674");
        check(&set_kind(1), "ffffffffe6010867");
        check(&set_key(7, &secret()).expect("fits"), "ffffffffe6070948656c6c6f21deadbeef");
    }

    #[test]
    fn what_the_firmware_would_cut_makes_no_message() {
        let fits = |secret: Vec<u8>| set_key(1, &SharedSecret::new(secret)).is_some();
        assert!(fits(vec![1; 53]));
        assert!(!fits(vec![1; 54]));
        assert!(!fits(vec![]));
        assert!(!fits(vec![0; 4]));
        assert!(!fits(vec![1, 0, 0, 0, 0, 1]));
        assert!(!fits(vec![0, 0, 0, 0, 1]));
        assert!(fits(vec![1, 0, 0, 0, 1, 0, 0, 0, 0]));
        assert!(set_label(1, "").is_none());
        assert!(set_label(1, &"x".repeat(17)).is_none());
        assert!(set_label(1, &"x".repeat(16)).is_some());
    }

    #[test]
    fn words_are_understood() {
        let word = |text: &str| {
            let mut report = text.as_bytes().to_vec();
            report.resize(64, 0);
            Word::of(&report)
        };
        assert_eq!(word("UNLOCKEDv3.0.4-prodc"), Word::Unlocked);
        assert_eq!(word("INITIALIZED"), Word::Locked);
        assert_eq!(word("INITIALIZED-D"), Word::Locked);
        assert_eq!(word("UNINITIALIZED"), Word::NotSetUp);
        assert_eq!(word("UNINITIALIZEDv3.0.4-prodc"), Word::NotSetUp);
        let done = |field| Word::Done { field, old: false };
        assert_eq!(word("Successfully set Label"), done(Field::Label));
        assert_eq!(word("Successfully set 2FA Key"), done(Field::Key));
        assert_eq!(word("Successfully set 2FA Type"), done(Field::Kind));
        let old = Word::Done { field: Field::Key, old: true };
        assert_eq!(word("Successfully set TOTP Key"), old);
        let refused = [
            ("Error device locked", SessionError::LockedOnDevice),
            ("Error not in config mode", SessionError::NotInSetUpMode),
            (
                "Error not in config mode, hold button 6 down for 5 sec",
                SessionError::NotInSetUpMode,
            ),
            ("Error OnlyKey must be initialized first", SessionError::NotSetUp),
            ("Error you must set a PIN first on OnlyKey", SessionError::NotSetUp),
            (
                "Error password already enabled on this slot, device PIN required",
                SessionError::NotSetUp,
            ),
        ];
        for (text, reason) in refused {
            assert_eq!(word(text), Word::Refused(reason));
        }
        assert_eq!(word("Error of another kind"), Word::Failed);
        assert_eq!(word("Successfully set Username"), Word::Other);
        assert_eq!(word(""), Word::Other);
        assert_eq!(Word::of(&[]), Word::Other);
        assert_eq!(Word::of(&[0xff; 64]), Word::Other);
        let garbled: Vec<u8> = b"UNLOCKEDv3.0.4".iter().map(|byte| byte ^ 0x55).collect();
        assert_eq!(Word::of(&garbled), Word::Other);
    }

    #[test]
    fn labels_are_read_up_to_their_end() {
        let is = |report: &[u8], number, label: &str| {
            assert_eq!(Word::of(report), Word::Label(number, label.to_owned()));
        };
        is(b"\x01|Microsoft\0\0", 1, "Microsoft");
        is(b"\x09|", 9, "");
        is(b"\x10|sixteen letters.and what is behind", 10, "sixteen letters.");
        is(b"\x12|\xff\xff\xff", 12, "");
        is(b"\x1e|last", 24, "last");
        for number in [0, 10, 15, 31, 255] {
            assert_eq!(Word::of(&[number, b'|', b'x']), Word::Other, "{number}");
        }
        assert_eq!(Word::of(b"\x01"), Word::Other);
        assert_eq!(Word::of(b"\x01-x"), Word::Other);
    }

    #[test]
    fn the_number_of_labels_tells_the_model() {
        let told = |numbers: &[u8]| {
            model(&numbers.iter().map(|number| (*number, String::new())).collect())
        };
        let up_to = |last| (1..=last).collect::<Vec<u8>>();
        assert_eq!(told(&up_to(12)), Some(Model::Classic));
        assert_eq!(told(&up_to(24)), Some(Model::Duo));
        for odd in [up_to(0), up_to(11), up_to(13), up_to(23), up_to(25), (2..=13).collect()] {
            assert_eq!(told(&odd), None);
        }
    }

    #[test]
    fn slots_are_named_by_their_buttons() {
        let names = |model: Model| (1..=model.slots()).map(move |slot| model.label(slot));
        let classic: Vec<_> = names(Model::Classic).collect();
        assert_eq!(classic.join(" "), "1a 2a 3a 4a 5a 6a 1b 2b 3b 4b 5b 6b");
        let duo: Vec<_> = names(Model::Duo).collect();
        assert_eq!(duo[..6].join(","), "green 1a,green 2a,green 3a,green 1b,green 2b,green 3b");
        assert_eq!((duo[6].as_str(), duo[23].as_str()), ("blue 1a", "purple 3b"));
    }
}
