//! Token2 second-generation single-profile NFC tokens, by the sheet
//! `token2-nfc-single-profile.md`.
//!
//! A card without a display-back channel: serial and clock can be read, secret
//! and code cannot, so the proof is a person who types what the display shows.
//! The key is public and the same for all tokens; authentication guards nothing
//! but is tried once only, since firmware of before 2025 counts and locks.

use oath::{Algorithm, Period, SharedSecret, UnixTime};
use sm4::Sm4;
use sm4::cipher::{Block, BlockCipherEncrypt, KeyInit};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Access, Attachment, Candidate, Capabilities, Channel, ClockRule, CommandApdu, Continuation,
    Entry, Family, Guard, NameRule, OpenError, PeriodRule, Places, Presence, Proof, ProofClass,
    Question, Random, ReadOnlyReason, Recognition, ResponseApdu, Rung, Serial, Session, SessionError,
    SmartCardChannel, StatusWord, TokenIdentity, TokenState, Unlock, WriteFailure, WritePlan, ZeroRule,
    exchange, exchange_once,
};

/// Recognises these tokens by their answer to Device info.
pub(super) struct Driver;

static FAMILY: Family = Family {
    name: "token2-nfc-single-profile",
    title: "Token2 NFC tokens, one profile (second generation)",
    models: &[
        "OTPC-P1-i",
        "OTPC-P2-i",
        "OTPC-P2-i-NB",
        "miniOTP-2-i",
        "miniOTP-3-i",
        "miniOTP-3-i-NB",
        "C301-i",
        "C302-i",
    ],
    channel: "NFC reader (PC/SC)",
    capabilities: capabilities(Access::Writable, true),
    evidence: Rung::MakersBytes,
    evidence_source: "Requests and answers equal those of the maker's published firmware core.",
};

/// Serial prefixes, models and whether writing settings erases the secret
/// (sheet section 1). An unknown prefix is read and not written.
const MODELS: [(&str, &str, bool); 8] = [
    ("8659612", "OTPC-P1-i", false),
    ("8659622", "OTPC-P2-i", true),
    ("8659621", "OTPC-P2-i-NB", true),
    ("8659600", "miniOTP-2-i", false),
    ("8659601", "miniOTP-3-i", true),
    ("8659609", "miniOTP-3-i-NB", true),
    ("8659610", "C301-i", true),
    ("8659632", "C302-i", false),
];

/// The public key of every token of the family (sheet section 2).
const KEY: [u8; 16] = [
    0x8a, 0xd2, 0x06, 0x88, 0x3c, 0xa3, 0x69, 0x48, 0x2a, 0xb2, 0x71, 0x82, 0xb6, 0xe8, 0x32, 0x24,
];

/// The status words that mean "not done" (sheet section 4). Any other word is
/// not of this protocol, and what became of the command is unknown.
const REFUSALS: [u16; 5] = [0x6983, 0x6a80, 0x6700, 0x6d00, 0x6e00];

const fn capabilities(access: Access, erases_secret: bool) -> Capabilities {
    Capabilities {
        access,
        secret: 1..=63,
        long_secret_hashed: false,
        zeros: ZeroRule::Harmless,
        algorithms: &[Algorithm::Sha1, Algorithm::Sha256],
        digits: &[6],
        period: PeriodRule::Stored(&[Period::S30, Period::S60]),
        name: NameRule::None,
        places: Places::Single,
        guard: Guard::None,
        presence: Presence::PressAfter,
        clock: ClockRule::SetOnWrite { erases_secret },
        proof: ProofClass::Displays,
    }
}

impl crate::Driver for Driver {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    /// No reader name and no ATR is published, so every card is asked.
    fn recognises(&self, candidate: &Candidate) -> Recognition {
        match candidate.attachment {
            Attachment::SmartCard { .. } => Recognition::MustAsk,
            Attachment::Hid { .. } => Recognition::No,
        }
    }

    fn open(
        &self,
        _: &Candidate,
        channel: Channel,
        _: &Random,
    ) -> Result<Box<dyn Session>, OpenError> {
        let Channel::SmartCard(mut card) = channel else {
            return Err(OpenError::NotThisFamily(channel));
        };
        let answer = device_info(&mut *card)?;
        let Some((serial, clock)) = parse_info(&answer) else {
            return Err(OpenError::NotThisFamily(Channel::SmartCard(card)));
        };
        let known = MODELS.iter().find(|(prefix, ..)| serial.starts_with(prefix));
        let (model, access, erases) = match known {
            Some((_, model, erases)) => (*model, Access::Writable, *erases),
            None => ("unknown model", Access::ReadOnly(ReadOnlyReason::UnknownModel), true),
        };
        Ok(Box::new(Token2 {
            card,
            identity: TokenIdentity {
                family: FAMILY.name,
                model: model.to_owned(),
                serial: Serial(serial),
                firmware: None,
                clock: Some(clock),
            },
            capabilities: capabilities(access, erases),
            authentication_spent: false,
        }))
    }
}

struct Token2 {
    card: Box<dyn SmartCardChannel>,
    identity: TokenIdentity,
    capabilities: Capabilities,
    /// The answer to a challenge is sent once per session, come what may.
    authentication_spent: bool,
}

impl Session for Token2 {
    fn identity(&self) -> &TokenIdentity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Nothing guards these tokens; the public key is used within `write`.
    fn unlock(&mut self, _: &Unlock) -> Result<(), SessionError> {
        Ok(())
    }

    /// Nothing tells whether a secret is there.
    fn entries(&mut self) -> Result<Vec<Entry>, SessionError> {
        Ok(Vec::new())
    }

    /// Challenge, answer, settings, secret, in one go: settings erase the secret
    /// of restricted models, so they come first and never alone.
    fn write(
        &mut self,
        plan: &WritePlan,
        secret: &SharedSecret,
        now: UnixTime,
    ) -> Result<(), WriteFailure> {
        if let Access::ReadOnly(_) = self.capabilities.access {
            return Err(WriteFailure::untouched(SessionError::ReadOnly));
        }
        // Both commands are complete before the first is sent, so that nothing
        // on this side can fail between them.
        let (Some(settings), Some(secret)) = (settings(plan, now), seed(secret)) else {
            return Err(WriteFailure::untouched(SessionError::Malformed {
                exchange: "plan",
                what: "parameters that no such token takes",
            }));
        };
        self.authenticate().map_err(WriteFailure::untouched)?;
        self.send(&settings, "WRITE CONFIG").map_err(|sent| sent.failure(TokenState::Untouched))?;
        let after_settings = match self.capabilities.clock {
            ClockRule::SetOnWrite { erases_secret: false } => TokenState::OldSecretNewSettings,
            ClockRule::SetOnWrite { erases_secret: true } | ClockRule::None => TokenState::Emptied,
        };
        self.send(&secret, "WRITE SEED").map_err(|sent| sent.failure(after_settings))
    }

    /// Reads serial and clock again; the code itself only the display tells.
    fn prove(
        &mut self,
        _: &WritePlan,
        _: Question,
        _: UnixTime,
    ) -> Result<Proof, SessionError> {
        let answer = device_info(&mut *self.card)?;
        let (serial, clock) = parse_info(&answer).ok_or(SessionError::Malformed {
            exchange: "DEVICE INFO",
            what: "no serial number and clock",
        })?;
        if serial != self.identity.serial.0 {
            return Err(SessionError::AnotherToken);
        }
        self.identity.clock = Some(clock);
        Ok(Proof::MustBeTyped { clock: Some(clock) })
    }
}

impl Token2 {
    fn authenticate(&mut self) -> Result<(), SessionError> {
        if self.authentication_spent {
            return Err(SessionError::AuthenticationRefused);
        }
        // The sheet's form is `80 4B 08 00 01 00`: one data byte, zero, and no Le.
        let challenge = CommandApdu::new([0x80, 0x4b, 0x08, 0x00], &[0x00]);
        let answer = exchange(&mut *self.card, &challenge, Continuation::GetResponse, "CHALLENGE")?;
        require_ok(&answer, "CHALLENGE")?;
        let challenge: [u8; 8] = answer.data().try_into().map_err(|_| SessionError::Malformed {
            exchange: "CHALLENGE",
            what: "not eight bytes",
        })?;
        self.authentication_spent = true;
        let mut block = [0; 16];
        block[..8].copy_from_slice(&challenge);
        encrypt(&mut block);
        let respond = CommandApdu::new([0x80, 0xce, 0x00, 0x00], &block);
        // Sent only once, and whatever is not a yes is a no that may have been counted.
        match exchange_once(&mut *self.card, &respond, "ANSWER")?.status() {
            StatusWord::OK => Ok(()),
            _ => Err(SessionError::AuthenticationRefused),
        }
    }

    fn send(&mut self, command: &CommandApdu, named: &'static str) -> Result<(), NotDone> {
        match exchange_once(&mut *self.card, command, named) {
            Ok(answer) => match answer.status() {
                StatusWord::OK => Ok(()),
                status => Err(NotDone {
                    changed: if REFUSALS.contains(&status.0) { Some(false) } else { None },
                    cause: SessionError::Refused { exchange: named, status },
                }),
            },
            Err(cause) => {
                let sure = matches!(&cause, SessionError::Channel(e) if !e.may_have_taken_effect());
                Err(NotDone { changed: sure.then_some(false), cause })
            }
        }
    }
}

/// A command that changes the token and did not end with `9000`.
struct NotDone {
    /// Whether it changed the token; `None` when that cannot be known.
    changed: Option<bool>,
    cause: SessionError,
}

impl NotDone {
    fn failure(self, before: TokenState) -> WriteFailure {
        let token = match self.changed {
            Some(false) => before,
            Some(true) | None => TokenState::Unknown,
        };
        WriteFailure { token, cause: self.cause, cleared: false }
    }
}

fn require_ok(answer: &ResponseApdu, exchange: &'static str) -> Result<(), SessionError> {
    match answer.status() {
        StatusWord::OK => Ok(()),
        status => Err(SessionError::Refused { exchange, status }),
    }
}

/// `80 41 00 00 02 02 11` (sheet section 3). A read; safe for any card.
fn device_info(card: &mut dyn SmartCardChannel) -> Result<ResponseApdu, SessionError> {
    let info = CommandApdu::new([0x80, 0x41, 0x00, 0x00], &[0x02, 0x11]);
    exchange(card, &info, Continuation::GetResponse, "DEVICE INFO")
}

/// Serial and clock, by offset: 3 bytes, `N`, N digits, 2 bytes, 4 bytes of UTC.
/// The tags in between are zero in the maker's firmware core, so they are not
/// looked at (sheet section 3).
fn parse_info(answer: &ResponseApdu) -> Option<(String, UnixTime)> {
    if answer.status() != StatusWord::OK {
        return None;
    }
    let (len, rest) = answer.data().get(3..)?.split_first()?;
    let (serial, rest) = rest.split_at_checked(usize::from(*len))?;
    let clock: [u8; 4] = rest.get(2..)?.try_into().ok()?;
    let serial = std::str::from_utf8(serial).ok()?;
    if serial.is_empty() || !serial.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    Some((serial.to_owned(), UnixTime::from_secs(u64::from(u32::from_be_bytes(clock)))))
}

/// `84 D4`: display time, clock, hash and period, all four always (sheet section 3).
fn settings(plan: &WritePlan, now: UnixTime) -> Option<CommandApdu> {
    const DISPLAY_30_S: u8 = 1;
    let hash = match plan.parameters().algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => return None,
    };
    let period = u8::try_from(plan.parameters().period.as_secs()).ok()?;
    let [t0, t1, t2, t3] = u32::try_from(now.as_secs()).ok()?.to_be_bytes();
    let body = [
        0x81, 0x11, 0x1f, 0x01, DISPLAY_30_S, 0x0f, 0x04, t0, t1, t2, t3, 0x86, 0x06, 0x0a, 0x01,
        hash, 0x0d, 0x01, period,
    ];
    Some(secured([0x84, 0xd4, 0x00, 0x00], &body))
}

/// `84 C5`: the secret, padded with `80` and zeros **always**, so that a secret
/// of 16, 32 or 48 bytes gets a block more (sheet section 6).
fn seed(secret: &SharedSecret) -> Option<CommandApdu> {
    if !(1..=63).contains(&secret.len()) {
        return None;
    }
    let mut padded = Zeroizing::new(vec![0; (secret.len() / 16 + 1) * 16]);
    padded[..secret.len()].copy_from_slice(secret.expose());
    padded[secret.len()] = 0x80;
    for block in padded.chunks_exact_mut(16) {
        encrypt_slice(block);
    }
    Some(secured([0x84, 0xc5, 0x01, 0x00], &padded))
}

/// Appends the MAC: SM4-CBC with a zero IV over the header with class `80`, the
/// length without MAC and the body, zero-padded behind `80` only if it does not
/// fill a block; the first four bytes of the last block (sheet section 2).
fn secured(header: [u8; 4], body: &[u8]) -> CommandApdu {
    let [_, ins, p1, p2] = header;
    let len = u8::try_from(body.len()).expect("at most 64 bytes and 19 of settings");
    let mut input = Zeroizing::new(vec![0x80, ins, p1, p2, len]);
    input.extend_from_slice(body);
    if input.len() % 16 != 0 {
        input.push(0x80);
        let filled = input.len().next_multiple_of(16);
        input.resize(filled, 0);
    }
    let mut chain = [0; 16];
    for block in input.chunks_exact(16) {
        for (state, byte) in chain.iter_mut().zip(block) {
            *state ^= byte;
        }
        encrypt(&mut chain);
    }
    let mut data = Zeroizing::new(body.to_vec());
    data.extend_from_slice(&chain[..4]);
    CommandApdu::new(header, &data)
}

fn encrypt_slice(block: &mut [u8]) {
    let mut whole = [0; 16];
    whole.copy_from_slice(block);
    encrypt(&mut whole);
    block.copy_from_slice(&whole);
    whole.zeroize();
}

fn encrypt(block: &mut [u8; 16]) {
    let cipher = Sm4::new(&KEY.into());
    let mut whole: Block<Sm4> = (*block).into();
    cipher.encrypt_block(&mut whole);
    block.copy_from_slice(&whole);
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;
    use oath::Parameters;

    use super::*;
    use crate::{Label, Wish};

    fn plan(algorithm: Algorithm, period: Period) -> WritePlan {
        let parameters = Parameters { algorithm, period, ..Parameters::default() };
        let secret = SharedSecret::new(vec![0; 20]);
        let wish = Wish { secret: &secret, parameters, label: Label::default(), name: None };
        capabilities(Access::Writable, true).plan(&wish).expect("fits")
    }

    fn check_seed(secret: &[u8], expected: &str) {
        let command = seed(&SharedSecret::new(secret.to_vec())).expect("length");
        assert_eq!(HEXUPPER.encode(&command.encode()), expected);
    }

    /// Rows 5 and 10 of the sheet's section 9.
    #[test]
    fn settings_are_the_sheets() {
        let now = UnixTime::from_secs(1_700_000_000);
        let command = settings(&plan(Algorithm::Sha1, Period::S30), now).expect("settings");
        assert_eq!(
            HEXUPPER.encode(&command.encode()),
            "84D400001781111F01010F046553F10086060A01010D011E4FFDC288"
        );
    }

    /// Rows 6, 8, 9, 11 and 12 of the sheet's section 9, and keyroost's.
    #[test]
    fn seeds_are_the_sheets() {
        check_seed(b"Hello!\xde\xad\xbe\xef", "84C5010014E37E185346F9F5572F823CDF83FA4F9FBBE381DA");
        let counting: Vec<u8> = (0..16).collect();
        check_seed(
            &counting,
            "84C5010024B766BFF098C4EB0D7F67AB23463F6F12D219EFC9972FED9191DF027FD36A80B0A31629E9",
        );
        check_seed(
            b"12345678901234567890",
            "84C50100245E5856092FD3228D4D33EEE3DAAC4B55CE37D18D332B7AC6A40E8661FA23042AF47B0153",
        );
        let keyroost: Vec<u8> = (0x10..0x30).collect();
        check_seed(
            &keyroost,
            "84C5010034B830899CFE9DE292CD26D3C7439215CE18503D57AC31735AFA60EBA20F64D6F7D219EFC9972FED9191DF027FD36A80B0880D59FA",
        );
    }

    #[test]
    fn an_info_answer_that_does_not_add_up_is_no_token_of_ours() {
        let parse = |hex: &[u8]| {
            let bytes = HEXUPPER.decode(hex).expect("hex");
            parse_info(&ResponseApdu::parse(bytes).expect("answer"))
        };
        let (serial, clock) =
            parse(b"0000000E383635393632323030303030303100006553F1009000").expect("row 1");
        assert_eq!((serial.as_str(), clock.as_secs()), ("86596220000001", 1_700_000_000));
        assert!(parse(b"9000").is_none());
        assert!(parse(b"0000000E3836359000").is_none());
        assert!(parse(b"0000000E383635393632323030303030303100006553F1006D00").is_none());
    }
}
