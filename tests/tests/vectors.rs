//! The drivers against the recorded conversations of `tests/vectors`: a card
//! that knows only those requests, byte for byte, and gives their answers.

use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER_PERMISSIVE;
use oath::{Algorithm, Digits, Parameters, Period, SharedSecret, TimeStep, UnixTime};
use sower_tests::paths;
use token::{
    Attachment, Candidate, CandidateId, Channel, ChannelError, CommandApdu, Label, Origin, Proof,
    Question, Random, ResponseApdu, Session, SessionError, SmartCardChannel, Unlock, Wish,
};

/// One request with its answer.
type Exchange = (Vec<u8>, Vec<u8>);

/// The conversations of a file: title and exchanges.
fn conversations(family: &str) -> Vec<(String, Vec<Exchange>)> {
    let path = paths::root().join(format!("tests/vectors/{family}.txt"));
    let text = fs::read_to_string(&path).expect("the vectors of the family");
    let mut conversations: Vec<(String, Vec<Exchange>)> = Vec::new();
    let mut request = None;
    for line in text.lines() {
        let bytes = |hex: &str| {
            let hex: String = hex.split_whitespace().collect();
            HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).expect("hex")
        };
        if let Some(title) = line.strip_prefix('[') {
            conversations.push((title.trim_end_matches(']').to_owned(), Vec::new()));
        } else if let Some(hex) = line.strip_prefix("> ") {
            request = Some(bytes(hex));
        } else if let (Some(hex), Some(request)) = (line.strip_prefix("< "), request.take()) {
            let (_, exchanges) = conversations.last_mut().expect("a title comes first");
            exchanges.push((request, bytes(hex)));
        }
    }
    conversations
}

/// The exchanges of the first conversation whose title contains `part`.
fn conversation(family: &str, part: &str) -> Vec<Exchange> {
    let all = conversations(family);
    let found = all.into_iter().find(|(title, _)| title.contains(part));
    found.unwrap_or_else(|| panic!("no conversation titled {part} in {family}")).1
}

/// A card that answers the requests it knows, in any order, each as often as it
/// was recorded, and fails the test on any other.
#[derive(Clone)]
struct Recorded {
    left: Arc<Mutex<VecDeque<Exchange>>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorded {
    fn new(exchanges: Vec<Exchange>) -> Self {
        Self { left: Arc::new(Mutex::new(exchanges.into())), sent: Arc::default() }
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        self.sent.lock().expect("one thread").clone()
    }
}

impl SmartCardChannel for Recorded {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        let bytes = command.encode().to_vec();
        let mut left = self.left.lock().expect("one thread");
        // The recorded client sends no Le after data, ours sends one: that byte,
        // and nothing else, may differ.
        let same = |recorded: &[u8]| {
            recorded == bytes || (bytes.len() > 5 && bytes.split_last() == Some((&0, recorded)))
        };
        let at = left.iter().position(|(request, _)| same(request));
        let at = at.unwrap_or_else(|| {
            panic!("not in the vectors: {}", HEXLOWER_PERMISSIVE.encode(&bytes))
        });
        let (_, answer) = left.remove(at).expect("it is there");
        self.sent.lock().expect("one thread").push(bytes);
        ResponseApdu::parse(answer)
    }
}

/// The host's random bytes in the recorded conversations: 1, 2, 3 ...
fn counting(bytes: &mut [u8]) {
    (1..).zip(bytes).for_each(|(number, byte)| *byte = number);
}

fn open(card: &Recorded, reader: &str) -> Box<dyn Session> {
    let candidate = Candidate {
        id: CandidateId("vectors".to_owned()),
        attachment: Attachment::SmartCard { reader: reader.to_owned(), atr: Vec::new() },
        origin: Origin::Practice,
    };
    let random: Random = Arc::new(counting);
    // The key is asked for its own family only: a recorded card knows no other.
    for driver in token::DRIVERS {
        let wanted = reader == driver.family().name;
        if wanted {
            let channel = Channel::SmartCard(Box::new(card.clone()));
            return driver.open(&candidate, channel, &random).expect("the recorded SELECT or info");
        }
    }
    panic!("no driver for {reader}");
}

/// The time of the recorded conversations.
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

const TOKEN2: &str = "token2-nfc-single-profile";
const YKOATH: &str = "yubikey-oath";

/// Rows 1, 3, 4, 5 and 6: a whole write, byte for byte.
#[test]
fn a_token2_write_is_the_recorded_one() {
    let exchanges = conversation(TOKEN2, "serial 86596220000001");
    let card = Recorded::new(exchanges);
    let mut session = open(&card, TOKEN2);
    assert_eq!(session.identity().serial.0, "86596220000001");
    assert_eq!(session.identity().clock, Some(UnixTime::from_secs(1_700_000_000)));
    let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
    let wish = Wish {
        secret: &secret,
        parameters: Parameters::default(),
        label: Label::default(),
        name: None,
    };
    let plan = session.capabilities().plan(&wish).expect("fits");
    let now = UnixTime::from_secs(1_700_000_000);
    session.write(&plan, &secret, now).expect("every request is a recorded one");
    let instructions: Vec<u8> = card.sent().iter().map(|bytes| bytes[1]).collect();
    assert_eq!(instructions, [0x41, 0x4b, 0xce, 0xd4, 0xc5], "config before seed");
}

fn alice() -> (SharedSecret, Parameters) {
    let parameters =
        Parameters { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::S30 };
    (SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec()), parameters)
}

/// SELECT, LIST in two parts, CALCULATE full and truncated: code 324550.
#[test]
fn what_a_key_computes_is_understood_as_recorded() {
    let card = Recorded::new(conversation(YKOATH, "YubiKey 5.4.3"));
    let mut session = open(&card, YKOATH);
    assert_eq!(session.identity().serial.0, "0aX5mPpu2C2mlDEnUztBLw");
    assert_eq!(session.identity().firmware.as_deref(), Some("5.4.3"));
    let names: Vec<_> = session.entries().expect("LIST").into_iter().map(|e| e.name).collect();
    assert_eq!(
        names,
        ["Microsoft:alice@contoso.com", "Microsoft:bob@contoso.com", "60/Acme:x", "long"]
    );
    let (secret, parameters) = alice();
    let wish = Wish {
        secret: &secret,
        parameters,
        label: Label::default(),
        name: Some("Microsoft:alice@contoso.com"),
    };
    let plan = session.capabilities().plan(&wish).expect("fits");
    let step = TimeStep(1_700_000_000 / 30);
    let Proof::Computed(response) = session.prove(&plan, Question::Key(step), NOW).expect("full")
    else {
        panic!("a key returns the whole HMAC");
    };
    assert_eq!(response, oath::respond(&secret, parameters.algorithm, step));
    let Proof::Code(code) = session.prove(&plan, Question::Code(step), NOW).expect("truncated")
    else {
        panic!("a key returns the code");
    };
    assert_eq!(*code.expose(), "324550");
}

/// SELECT of a locked key, LIST refused, VALIDATE right and wrong.
#[test]
fn a_password_is_proven_as_recorded() {
    let locked = conversations(YKOATH)
        .into_iter()
        .map(|(_, exchanges)| exchanges)
        .find(|exchanges| exchanges.iter().any(|(request, _)| request.get(1) == Some(&0xa3)))
        .expect("a conversation with VALIDATE");
    // From the SELECT on that tells a challenge.
    let from = locked.iter().position(|(_, answer)| answer.windows(2).any(|w| w == [0x74, 0x08]));
    let card = Recorded::new(locked[from.expect("a locked SELECT")..].to_vec());
    let mut session = open(&card, YKOATH);
    assert_eq!(session.entries(), Err(SessionError::Locked));
    let unlock = Unlock("correct horse".to_owned().into());
    session.unlock(&unlock).expect("the recorded proof");
}
