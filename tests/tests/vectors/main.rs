//! The drivers against the recorded conversations of `tests/vectors`: a token that
//! takes only those requests, byte for byte and in their order, and gives the
//! recorded answers. Every case of every file is either played so or named here with
//! the reason why no driver sends it; where we differ on purpose from what was
//! recorded, the difference is named too.

mod feitian;
mod mooltipass;
mod nitrokey_pro;
mod nitrokey_secrets;
mod onlykey;
mod recording;
mod tape;
mod token2_fido_otp;
mod token2_molto2;
mod token2_nfc;
mod yubikey_oath;
mod yubikey_otp_hid;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use oath::{Algorithm, Digits, Parameters, Period, SharedSecret, TimeStep, UnixTime};
use sower_tests::paths;
use token::{
    Attachment, Candidate, CandidateId, Label, OpenError, Origin, Proof, Random, Session,
    SessionError, Unlock, Wish, WritePlan,
};

use recording::{Difference, Recording, Unsent};
use tape::Tape;

/// What is known of a family's recording.
struct Family {
    /// The family's name, and the file's.
    name: &'static str,
    differences: &'static [Difference],
    unsent: &'static [Unsent],
    /// Plays the driver against it.
    play: fn(&Recording),
}

const FAMILIES: &[Family] = &[
    feitian::FAMILY,
    mooltipass::FAMILY,
    nitrokey_pro::FAMILY,
    nitrokey_secrets::FAMILY,
    onlykey::FAMILY,
    token2_fido_otp::FAMILY,
    token2_molto2::FAMILY,
    token2_nfc::FAMILY,
    yubikey_oath::FAMILY,
    yubikey_otp_hid::FAMILY,
];

#[test]
fn every_case_is_sent_by_its_driver_or_named() {
    for family in FAMILIES {
        let recording = Recording::of(family.name, family.differences);
        (family.play)(&recording);
        let faults = recording.faults(family.unsent);
        assert!(faults.is_empty(), "{}:\n{}", family.name, faults.join("\n"));
        let (played, all) = recording.count();
        println!("{}: {played} of {all} cases are sent by the driver", family.name);
        assert!(played >= 4, "{}: {played} cases", family.name);
    }
}

#[test]
fn every_file_and_every_driver_is_played() {
    let ours: BTreeSet<_> = FAMILIES.iter().map(|family| family.name.to_owned()).collect();
    let drivers = token::DRIVERS.iter().map(|driver| driver.family().name.to_owned()).collect();
    let files = fs::read_dir(paths::root().join("tests/vectors")).expect("the vectors");
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        name.strip_suffix(".txt").expect("a text").to_owned()
    };
    assert_eq!(ours, files.map(|entry| file(entry.expect("a file"))).collect());
    assert_eq!(ours, drivers);
}

/// The time of the recorded conversations, and its step of 30 s.
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const STEP: TimeStep = TimeStep(1_700_000_000 / 30);

/// The secret of most of them.
fn hello() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn parameters(algorithm: Algorithm, digits: u64, period: u64) -> Parameters {
    Parameters {
        algorithm,
        digits: Digits::new(digits).expect("digits"),
        period: Period::new(period).expect("a period"),
    }
}

/// Asks the family's driver alone: a recorded token knows no other.
fn opened(
    tape: &Tape<'_>,
    family: &str,
    attachment: Attachment,
    random: &Random,
) -> Result<Box<dyn Session>, OpenError> {
    let candidate =
        Candidate { id: CandidateId("vectors".to_owned()), attachment, origin: Origin::Practice };
    let driver = token::DRIVERS.iter().find(|driver| driver.family().name == family);
    driver.expect("a family of the list").open(&candidate, tape.channel(), random)
}

fn open(
    tape: &Tape<'_>,
    family: &str,
    attachment: Attachment,
    random: &Random,
) -> Box<dyn Session> {
    opened(tape, family, attachment, random).expect("the recorded token is recognised")
}

fn card() -> Attachment {
    Attachment::SmartCard { reader: "a reader".to_owned(), atr: Vec::new() }
}

fn hid(vendor: u16, product: u16, usage_page: u16, usage: u16) -> Attachment {
    let (name, serial) = ("OnlyKey".to_owned(), String::new());
    Attachment::Hid { vendor, product, usage_page, usage, name, serial }
}

/// Draws what was recorded: of each length, always the same bytes.
fn drawing(recorded: &'static [&'static [u8]]) -> Random {
    Arc::new(move |bytes: &mut [u8]| {
        let drawn = recorded.iter().find(|drawn| drawn.len() == bytes.len());
        bytes.copy_from_slice(drawn.expect("something of this length was recorded"));
    })
}

/// A plan for an entry, or a place, of this name.
fn plan(
    session: &dyn Session,
    secret: &SharedSecret,
    parameters: Parameters,
    name: &str,
) -> WritePlan {
    let label = Label { account: "someone", ..Label::default() };
    let wish = Wish { secret, parameters, label, name: Some(name) };
    session.capabilities().plan(&wish).expect("fits")
}

/// A plan for an entry that is named by the driver.
fn plan_for(
    session: &dyn Session,
    secret: &SharedSecret,
    parameters: Parameters,
    [issuer, account]: [&str; 2],
) -> WritePlan {
    let label = Label { issuer: Some(issuer), organisation: None, account };
    let wish = Wish { secret, parameters, label, name: None };
    session.capabilities().plan(&wish).expect("fits")
}

fn unlock(session: &mut dyn Session, key: &str) -> Result<(), SessionError> {
    session.unlock(&Unlock(key.to_owned().into()))
}

/// The code of a proof.
fn code(proof: Result<Proof, SessionError>) -> String {
    match proof {
        Ok(Proof::Code(code)) => code.expose().to_string(),
        other => panic!("no code: {other:?}"),
    }
}

/// The names of a token's entries.
fn names(session: &mut dyn Session) -> Vec<String> {
    session.entries().expect("a list").into_iter().map(|entry| entry.name).collect()
}
