//! The difference table of `docs/protocols/canokey-pico-solo2.md`: for each product and
//! each of its rows, what the driver makes of that product's practice key. What fits is
//! written and proven with the product's own rules, what does not is turned back, and
//! the key's own log tells what was sent.

use std::sync::Arc;

use emulator::families::yubikey_oath::{Product, YubikeyOath};
use emulator::{At, Fault, Held, Logged, Script, Tray, TrayId};
use oath::{Algorithm, Digits, Parameters, Period, SharedSecret, TimeStep, UnixTime};
use token::{
    Guard, Label, Misfit, Places, Proof, Question, Random, SameName, Session, SessionError,
    TokenSource, TokenState, Unlock, Unrecognised, Wish, WriteFailure, WritePlan,
};

/// How a product goes on with a long answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GoesOn {
    /// After SEND REMAINING.
    Remaining,
    /// Not at all: its answers come whole.
    Whole,
}

/// A product, and the rules that the sheet has for it.
struct Row {
    product: Product,
    /// What the session calls it.
    model: &'static str,
    version: &'static str,
    /// So many entries the session promises, if it knows.
    most: Option<usize>,
    /// So many names of 64 bytes fill it.
    room: usize,
    same_name: SameName,
    /// The longest key with SHA-512, in bytes, where that is offered.
    sha512: Option<usize>,
    goes_on: GoesOn,
    /// What a command says on a locked key.
    locked: u16,
    /// Whether an unlock lasts for one command only.
    one_command: bool,
}

const YUBIKEY: Row = Row {
    product: Product::YUBIKEY_5_4,
    model: "YubiKey",
    version: "5.4.3",
    most: Some(32),
    room: 32,
    same_name: SameName::Overwrites,
    sha512: Some(128),
    goes_on: GoesOn::Remaining,
    locked: 0x6982,
    one_command: false,
};

const CANOKEY: Row = Row {
    product: Product::CANOKEY,
    model: "CanoKey",
    version: "6.0.0",
    most: Some(100),
    room: 100,
    same_name: SameName::Refuses,
    sha512: Some(64),
    ..YUBIKEY
};

const PICO: Row = Row {
    product: Product::PICO_FIDO,
    model: "pico-fido family",
    version: "8.0.0",
    most: Some(255),
    room: 255,
    goes_on: GoesOn::Whole,
    ..YUBIKEY
};

const SOLO_2: Row = Row {
    product: Product::SOLO_2,
    model: "Solo 2",
    version: "4.4.4",
    // By its flash, which nothing tells.
    most: None,
    room: 100,
    sha512: None,
    locked: 0x6985,
    one_command: true,
    ..YUBIKEY
};

const TABLE: &[Row] = &[
    YUBIKEY,
    Row { product: Product::YUBIKEY_5_7, version: "5.7.1", most: Some(64), room: 64, ..YUBIKEY },
    Row {
        product: Product::YUBIKEY_5_4.telling([4, 2, 8]),
        version: "4.2.8",
        same_name: SameName::MixesUpPrefixes,
        sha512: None,
        ..YUBIKEY
    },
    Row {
        product: Product::NEO,
        model: "YubiKey NEO",
        version: "1.0.2",
        most: Some(28),
        room: 28,
        sha512: None,
        ..YUBIKEY
    },
    CANOKEY,
    Row { product: Product::CANOKEY_2, ..CANOKEY },
    PICO,
    Row { product: Product::RS_KEY, ..PICO },
    Row { product: Product::PICO_FIDO.posing_as_nitrokey(), version: "4.14.0", ..PICO },
    SOLO_2,
    Row {
        product: Product::YUBIKEY_5_4.telling([7, 0, 0]),
        model: "unknown key with a YKOATH applet",
        version: "7.0.0",
        most: None,
        sha512: None,
        ..YUBIKEY
    },
];

const NAME: &str = "Microsoft:adele@contoso.com";
const PASSWORD: &str = "correct horse";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

const PUT: u8 = 0x01;
const DELETE: u8 = 0x02;
const LIST: u8 = 0xa1;
const VALIDATE: u8 = 0xa3;
const SEND_REMAINING: u8 = 0xa5;

/// A key in a reader.
struct Bench {
    tray: Tray,
    id: TrayId,
}

impl Bench {
    fn of(key: YubikeyOath) -> Self {
        Self::in_reader(key, "Practice reader")
    }

    fn in_reader(key: YubikeyOath, reader: &str) -> Self {
        let tray = Tray::new(Arc::new(|| NOW));
        let id = tray.lay(Box::new(key), reader);
        Self { tray, id }
    }

    fn look(&self) -> Result<Result<Box<dyn Session>, Unrecognised>, SessionError> {
        let candidates = self.tray.candidates().expect("a list");
        let channel = self.tray.connect(&candidates[0].id).expect("a channel");
        let random: Random = Arc::new(|bytes: &mut [u8]| bytes.fill(7));
        token::open(&candidates[0], channel, &random)
    }

    /// Opens it by all drivers, as the product does; the log begins behind that.
    fn open(&self) -> Box<dyn Session> {
        let session = self.look().expect("no failure").expect("a key");
        self.tray.arm(self.id, &[]);
        session
    }

    /// Has it refuse the next command of this instruction, and begins the log anew.
    fn refuse(&self, ins: u8, status: u16) {
        let at = At::Instruction { ins, nth: 0 };
        self.tray.arm(self.id, &[Script { at, fault: Fault::Refused(status) }]);
    }

    /// The instructions since then.
    fn sent(&self) -> Vec<u8> {
        self.tray.log(self.id).iter().map(|logged| logged.header[1]).collect()
    }

    fn holds(&self) -> Vec<Held> {
        self.tray.holds(self.id)
    }
}

fn each(check: impl Fn(&Row, &str)) {
    for row in TABLE {
        check(row, &format!("{}, {}", row.product.title, row.version));
    }
}

fn new(row: &Row) -> YubikeyOath {
    YubikeyOath::new(row.product, 1)
}

fn counting(bytes: u8) -> SharedSecret {
    SharedSecret::new((1..=bytes).collect())
}

fn parameters(algorithm: Algorithm, digits: u64) -> Parameters {
    Parameters { algorithm, digits: Digits::new(digits).expect("digits"), period: Period::S30 }
}

fn plan(
    session: &dyn Session,
    secret: &SharedSecret,
    parameters: Parameters,
    name: &str,
) -> Result<WritePlan, Vec<Misfit>> {
    let label = Label { account: "someone", ..Label::default() };
    session.capabilities().plan(&Wish { secret, parameters, label, name: Some(name) })
}

/// Writes and proves, whole HMAC and code.
fn check_enrols(
    session: &mut dyn Session,
    secret: &SharedSecret,
    parameters: Parameters,
    of: &str,
) {
    let plan = plan(session, secret, parameters, NAME).expect("fits").replacing();
    session.write(&plan, secret, NOW).unwrap_or_else(|failure| panic!("{of}: {failure:?}"));
    check_computes(session, &plan, secret, of);
}

fn check_computes(session: &mut dyn Session, plan: &WritePlan, secret: &SharedSecret, of: &str) {
    let step = TimeStep(99);
    let parameters = plan.parameters();
    match session.prove(plan, Question::Key(step), NOW) {
        Ok(Proof::Computed(response)) => {
            assert_eq!(response, oath::respond(secret, parameters.algorithm, step), "{of}");
        }
        other => panic!("{of}: {other:?}"),
    }
    check_tells_code(session, plan, secret, Question::Code(step), of);
}

fn check_tells_code(
    session: &mut dyn Session,
    plan: &WritePlan,
    secret: &SharedSecret,
    question: Question,
    of: &str,
) {
    let (Question::Key(step) | Question::Code(step)) = question;
    match session.prove(plan, question, NOW) {
        Ok(Proof::Code(code)) => {
            assert_eq!(code, oath::code_at(secret, plan.parameters(), step), "{of}");
        }
        other => panic!("{of}: {other:?}"),
    }
}

#[test]
fn the_version_in_select_tells_the_product() {
    each(|row, of| {
        let session = Bench::of(new(row)).open();
        let identity = session.identity();
        assert_eq!(identity.family, "yubikey-oath", "{of}");
        assert_eq!(identity.model, row.model, "{of}");
        assert_eq!(identity.firmware.as_deref(), Some(row.version), "{of}");
    });
    for product in Product::ALL {
        let rows = TABLE.iter().filter(|row| row.product.title == product.title);
        assert!(rows.count() > 0, "{} has no row", product.title);
    }
}

/// The last place takes an entry, the next one is refused and nothing is changed.
#[test]
fn entries_fit_until_the_key_is_full() {
    each(|row, of| {
        let full = (1..row.room).fold(new(row), |key, number| {
            key.holding(&format!("{number:064}"), counting(20), Algorithm::Sha1, Digits::SIX)
        });
        let bench = Bench::of(full);
        let mut session = bench.open();
        let Places::Named { most, same_name } = session.capabilities().places else {
            panic!("{of}: entries have names");
        };
        assert_eq!((most, same_name), (row.most, row.same_name), "{of}");
        let mut write = |name: String| {
            let plan = plan(&*session, &counting(20), Parameters::default(), &name).expect("fits");
            session.write(&plan, &counting(20), NOW)
        };
        assert_eq!(write("x".repeat(64)), Ok(()), "{of}");
        let refused = WriteFailure::untouched(SessionError::Full);
        assert_eq!(write("y".repeat(64)), Err(refused), "{of}");
        assert_eq!(bench.holds().len(), row.room, "{of}");
    });
}

/// Neither overwriting nor refusing is relied upon.
#[test]
fn a_name_that_is_there_is_deleted_first_and_with_permission() {
    each(|row, of| {
        let taken = new(row).holding(NAME, counting(16), Algorithm::Sha256, Digits::EIGHT);
        let bench = Bench::of(taken);
        let mut session = bench.open();
        let secret = counting(20);
        let plan = plan(&*session, &secret, Parameters::default(), NAME).expect("fits");
        let refused = session.write(&plan, &secret, NOW);
        assert_eq!(refused, Err(WriteFailure::untouched(SessionError::NameTaken)), "{of}");
        assert!(!bench.sent().iter().any(|ins| [PUT, DELETE].contains(ins)), "{of}");
        session.write(&plan.clone().replacing(), &secret, NOW).expect("replaced");
        let changes: Vec<_> =
            bench.sent().into_iter().filter(|ins| [PUT, DELETE].contains(ins)).collect();
        assert_eq!(changes, [DELETE, PUT], "{of}");
        check_computes(&mut *session, &plan, &secret, of);
        assert_eq!(bench.holds().len(), 1, "{of}");
    });
}

/// The shortest key is 14 bytes on some and one byte on others; zeros serve all.
#[test]
fn short_keys_are_filled_up_to_14_bytes() {
    each(|row, of| {
        for bytes in [1, 10, 13, 14, 15] {
            let bench = Bench::of(new(row));
            check_enrols(&mut *bench.open(), &counting(bytes), Parameters::default(), of);
            let held = bench.holds();
            assert_eq!(held[0].secret.len(), usize::from(bytes).max(14), "{of}");
        }
    });
}

/// Beyond the hash's block its hash stands for a key; within it a key fits or not.
#[test]
fn long_keys_are_hashed_or_turned_back() {
    each(|row, of| {
        for (bytes, held) in [(64, 64), (65, 20), (200, 20)] {
            let bench = Bench::of(new(row));
            check_enrols(&mut *bench.open(), &counting(bytes), Parameters::default(), of);
            assert_eq!(bench.holds()[0].secret.len(), held, "{of}");
        }
        let Some(longest) = row.sha512 else { return };
        let sha512 = parameters(Algorithm::Sha512, 6);
        for (bytes, held) in [(64, 64), (128, 128), (129, 64)] {
            let bench = Bench::of(new(row));
            let mut session = bench.open();
            if held > longest {
                let misfits = plan(&*session, &counting(bytes), sha512, NAME).expect_err("long");
                assert!(matches!(misfits[..], [Misfit::SecretLength { most: 64, .. }]), "{of}");
            } else {
                check_enrols(&mut *session, &counting(bytes), sha512, of);
                assert_eq!(bench.holds()[0].secret.len(), held, "{of}");
            }
        }
    });
}

#[test]
fn hashes_that_a_product_lacks_are_turned_back() {
    each(|row, of| {
        for algorithm in Algorithm::ALL {
            let bench = Bench::of(new(row));
            let mut session = bench.open();
            let wanted = parameters(algorithm, 6);
            if algorithm == Algorithm::Sha512 && row.sha512.is_none() {
                let misfits = plan(&*session, &counting(20), wanted, NAME).expect_err("unknown");
                assert!(matches!(misfits[..], [Misfit::Algorithm { .. }]), "{of}");
            } else {
                check_enrols(&mut *session, &counting(20), wanted, of);
                assert_eq!(bench.holds()[0].algorithm, algorithm, "{of}");
            }
        }
    });
}

/// Six to eight on all of them; what a `CanoKey` takes beyond that is not offered.
#[test]
fn digits_are_six_to_eight() {
    each(|row, of| {
        for digits in 4..=10 {
            let bench = Bench::of(new(row));
            let mut session = bench.open();
            let wanted = parameters(Algorithm::Sha1, digits);
            if (6..=8).contains(&digits) {
                check_enrols(&mut *session, &counting(20), wanted, of);
                assert_eq!(u64::from(bench.holds()[0].digits.get()), digits, "{of}");
            } else {
                let misfits = plan(&*session, &counting(20), wanted, NAME).expect_err("unknown");
                assert!(matches!(misfits[..], [Misfit::Digits { .. }]), "{of}");
            }
        }
    });
}

/// A PUT is name and key and nothing behind: no property, no counter. A Solo 2 whose
/// parser met anything else would have stopped.
#[test]
fn no_touch_is_asked_for_and_nothing_is_behind_the_key() {
    each(|row, of| {
        let bench = Bench::of(new(row));
        check_enrols(&mut *bench.open(), &counting(20), Parameters::default(), of);
        assert!(!bench.holds()[0].touch, "{of}");
        let log = bench.tray.log(bench.id);
        let put = log.iter().find(|logged| logged.header[1] == PUT).expect("a PUT");
        // Lc, name, kind and digits before the key, and Le.
        assert_eq!(put.body_length, 1 + (2 + NAME.len()) + (2 + 2 + 20) + 1, "{of}");
    });
}

/// Wrong once is wrong, whatever the word for it; right, everything goes on, on a
/// Solo 2 with a new unlock for each command.
#[test]
fn a_password_opens_each_product_by_its_own_rules() {
    each(|row, of| {
        let taken = new(row).holding(NAME, counting(16), Algorithm::Sha1, Digits::SIX);
        let bench = Bench::of(taken.protected_by(PASSWORD));
        let mut session = bench.open();
        assert_eq!(session.capabilities().guard, Guard::Password, "{of}");
        assert_eq!(session.entries(), Err(SessionError::Locked), "{of}");
        let failure = session.write(
            &plan(&*session, &counting(20), Parameters::default(), NAME).expect("fits"),
            &counting(20),
            NOW,
        );
        assert_eq!(failure, Err(WriteFailure::untouched(SessionError::Locked)), "{of}");
        assert!(bench.sent().is_empty(), "{of}: a locked key is asked");
        let mut unlock = |password: &str| session.unlock(&Unlock(password.to_owned().into()));
        let wrong = Err(SessionError::WrongKey { tries_left: None });
        assert_eq!(unlock("wrong horse"), wrong, "{of}");
        assert_eq!(unlock(PASSWORD), Ok(()), "{of}");
        bench.tray.arm(bench.id, &[]);
        check_enrols(&mut *session, &counting(20), Parameters::default(), of);
        let validated = |logged: &Logged| logged.header[1] == VALIDATE;
        let proofs = bench.tray.log(bench.id).into_iter().filter(validated).count();
        // LIST, DELETE, PUT, and two times CALCULATE.
        assert_eq!(proofs, if row.one_command { 5 } else { 0 }, "{of}");
    });
}

/// What a command says on a locked key is told as that, wherever the lock comes from.
#[test]
fn a_lock_behind_our_back_is_told() {
    each(|row, of| {
        let bench = Bench::of(new(row).protected_by(PASSWORD));
        let mut session = bench.open();
        session.unlock(&Unlock(PASSWORD.to_owned().into())).expect("right");
        bench.refuse(LIST, row.locked);
        assert_eq!(session.entries(), Err(SessionError::Locked), "{of}");
    });
}

/// RESET, SET CODE, RENAME and CALCULATE ALL, where a product has them or not.
#[test]
fn other_commands_are_never_sent() {
    each(|row, of| {
        let taken = new(row).holding(NAME, counting(16), Algorithm::Sha1, Digits::SIX);
        let bench = Bench::of(taken);
        let mut session = bench.open();
        session.entries().expect("a list");
        check_enrols(&mut *session, &counting(20), Parameters::default(), of);
        let sent = bench.sent();
        for never in [0x03, 0x04, 0x05, 0x06, 0xa4, 0xc0] {
            assert!(!sent.contains(&never), "{of}: {never:02x}");
        }
    });
}

/// A list in parts is whole, also one whose parts end like the last.
#[test]
fn long_lists_are_gone_on_with() {
    each(|row, of| {
        let names: Vec<_> = (1..=20).map(|number| format!("entry number {number:02}")).collect();
        let key = names.iter().fold(new(row), |key, name| {
            key.holding(name, counting(20), Algorithm::Sha1, Digits::SIX)
        });
        let bench = Bench::of(key);
        let mut session = bench.open();
        let entries = session.entries().unwrap_or_else(|error| panic!("{of}: {error}"));
        let listed: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
        assert_eq!(listed, names, "{of}");
        let goes_on = bench.sent().contains(&SEND_REMAINING);
        assert_eq!(goes_on, row.goes_on == GoesOn::Remaining, "{of}");
        // The last of them is replaced, so that it was really seen.
        let last = names.last().expect("twenty");
        let plan = plan(&*session, &counting(16), Parameters::default(), last).expect("fits");
        let refused = session.write(&plan, &counting(16), NOW);
        assert_eq!(refused, Err(WriteFailure::untouched(SessionError::NameTaken)), "{of}");
        session.write(&plan.replacing(), &counting(16), NOW).expect("replaced");
        assert_eq!(bench.holds().len(), 20, "{of}");
    });
}

/// A key that cuts where it likes, and goes on by the other command.
#[test]
fn either_way_of_going_on_is_found() {
    for product in [Product::YUBIKEY_5_7.wanting_get_response(), Product::NEO.cutting_at(255)] {
        let key = (1..=20).fold(YubikeyOath::new(product, 1), |key, number| {
            key.holding(&format!("entry {number}"), counting(20), Algorithm::Sha1, Digits::SIX)
        });
        assert_eq!(Bench::of(key).open().entries().expect("a list").len(), 20);
    }
}

/// Firmware before 1.5 has other instruction bytes, and 1.3 says nothing to SELECT:
/// then its reader's name tells what to update.
#[test]
fn a_canokey_before_1_5_is_to_be_updated() {
    let old = |greets| YubikeyOath::new(Product::CANOKEY.with_older_instructions(greets), 1);
    let mut session = Bench::of(old(true)).open();
    assert_eq!(session.entries(), Err(SessionError::FirmwareTooOld));
    let plan = plan(&*session, &counting(20), Parameters::default(), NAME).expect("fits");
    let failure = session.write(&plan, &counting(20), NOW).expect_err("too old");
    assert_eq!(failure, WriteFailure::untouched(SessionError::FirmwareTooOld));

    let named = Bench::in_reader(old(false), "Canokeys Canokey [OpenPGP PIV OATH] 00 00");
    assert_eq!(named.look().err(), Some(SessionError::FirmwareTooOld));
    let nameless = Bench::of(old(false)).look().expect("no failure");
    assert!(matches!(nameless, Err(Unrecognised::Unknown)));
}

/// Before 2.0 it has no whole HMAC; its code is taken for what it is.
#[test]
fn a_canokey_before_2_0_proves_by_its_code() {
    let bench = Bench::of(YubikeyOath::new(Product::CANOKEY_2.truncating(), 1));
    let mut session = bench.open();
    let secret = counting(20);
    let plan = plan(&*session, &secret, Parameters::default(), NAME).expect("fits");
    session.write(&plan, &secret, NOW).expect("written");
    for question in [Question::Key(TimeStep(99)), Question::Code(TimeStep(99))] {
        check_tells_code(&mut *session, &plan, &secret, question, "CanoKey before 2.0");
    }
}

/// A `CanoKey` refuses a name that is there; what came between our look and the write
/// is told as that.
#[test]
fn a_canokey_that_was_filled_meanwhile_says_so() {
    let refused = |key: YubikeyOath| {
        let bench = Bench::of(key);
        let mut session = bench.open();
        let secret = counting(20);
        let plan = plan(&*session, &secret, Parameters::default(), NAME).expect("fits").replacing();
        bench.refuse(PUT, 0x6985);
        session.write(&plan, &secret, NOW).expect_err("refused")
    };
    let new = || YubikeyOath::new(Product::CANOKEY, 1);
    assert_eq!(refused(new()), WriteFailure::untouched(SessionError::NameTaken));
    // Behind a deletion it is not emptied, for something is there.
    let taken = new().holding(NAME, counting(16), Algorithm::Sha1, Digits::SIX);
    let failure = refused(taken);
    assert_eq!((failure.token, failure.cleared), (TokenState::Unknown, true));
    assert_eq!(failure.cause, SessionError::NameTaken);
}

/// The same word is a secure channel's on a YubiKey.
#[test]
fn a_yubikey_of_the_fips_series_is_told_from_that() {
    let bench = Bench::of(YubikeyOath::new(Product::YUBIKEY_5_7, 1));
    let mut session = bench.open();
    let secret = counting(20);
    let plan = plan(&*session, &secret, Parameters::default(), NAME).expect("fits");
    bench.refuse(PUT, 0x6985);
    let failure = session.write(&plan, &secret, NOW);
    let expected = WriteFailure::untouched(SessionError::NotOverThisConnection);
    assert_eq!(failure, Err(expected));
}
