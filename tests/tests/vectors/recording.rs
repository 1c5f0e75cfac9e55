//! The recorded conversations of one family, and what became of each of their cases.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER_PERMISSIVE;
use sower_tests::paths;

use crate::tape::{Tape, Wire};

/// One request with its answer.
pub(crate) struct Case {
    /// The line that names it.
    pub(crate) about: String,
    /// The reports of a request, or the APDU, one behind the other.
    pub(crate) request: Vec<u8>,
    /// The same of its answer.
    pub(crate) answer: Vec<u8>,
    /// The codes that the token shows from then on, and when.
    pub(crate) codes: Vec<(String, u64)>,
}

/// What a token in a known state was asked.
pub(crate) struct Conversation {
    pub(crate) title: String,
    pub(crate) cases: Vec<Case>,
}

/// How our request may differ from the recorded one.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// It has an Le byte of zero behind its data.
    Le,
    /// It has these bytes in the place of those, both in hex.
    Instead { recorded: &'static str, ours: &'static str },
    /// It is a message behind another, so that its flip bit alternates: the packet in
    /// front that sets the bit anew is left out.
    Flips,
}

/// A difference that is meant, of requests that begin with some bytes, in hex.
pub(crate) struct Difference {
    pub(crate) begins: &'static str,
    pub(crate) how: How,
    pub(crate) why: &'static str,
}

impl Difference {
    /// The request that we send for a recorded one, if this is about it.
    fn applied(&self, recorded: &[u8]) -> Option<Vec<u8>> {
        if !recorded.starts_with(&unhex(self.begins)) {
            return None;
        }
        match self.how {
            How::Le => Some([recorded, &[0]].concat()),
            How::Instead { recorded: theirs, ours } => {
                let theirs = unhex(theirs);
                let at = recorded.windows(theirs.len()).position(|window| window == theirs)?;
                let behind = &recorded[at + theirs.len()..];
                Some([&recorded[..at], &unhex(ours), behind].concat())
            }
            How::Flips => None,
        }
    }
}

/// Cases of a conversation, by the beginning of its title, that no driver sends.
pub(crate) struct Unsent {
    pub(crate) conversation: &'static str,
    pub(crate) cases: &'static [&'static str],
    pub(crate) why: &'static str,
}

/// The differences of a family, and which of them were met.
#[derive(Clone)]
pub(crate) struct Differences {
    all: &'static [Difference],
    met: Arc<Mutex<BTreeSet<usize>>>,
}

impl Differences {
    /// Whether we send `ours` for `recorded`: the same bytes, or those of one of the
    /// differences.
    pub(crate) fn allow(&self, recorded: &[u8], ours: &[u8]) -> bool {
        let met = |difference: &Difference| difference.applied(recorded).as_deref() == Some(ours);
        recorded == ours
            || self.all.iter().position(met).is_some_and(|index| {
                self.met.lock().expect("no other test").insert(index);
                true
            })
    }

    /// Whether the packet that sets the flip bit anew may be left out.
    pub(crate) fn allow_flips(&self) -> bool {
        let flips = |difference: &Difference| matches!(difference.how, How::Flips);
        self.all.iter().position(flips).is_some_and(|index| {
            self.met.lock().expect("no other test").insert(index);
            true
        })
    }
}

/// The cases that a driver sent, by the numbers of conversation and case.
pub(crate) type Played = Arc<Mutex<BTreeSet<(usize, usize)>>>;

/// The conversations of a family, and which of their cases were played.
pub(crate) struct Recording {
    pub(crate) family: &'static str,
    pub(crate) conversations: Vec<Conversation>,
    differences: Differences,
    played: Played,
}

impl Recording {
    pub(crate) fn of(family: &'static str, differences: &'static [Difference]) -> Self {
        let path = paths::root().join(format!("tests/vectors/{family}.txt"));
        let text = fs::read_to_string(&path).expect("the vectors of the family");
        Self {
            family,
            conversations: conversations(&text),
            differences: Differences { all: differences, met: Arc::default() },
            played: Played::default(),
        }
    }

    /// A token that plays the one conversation whose title begins so.
    pub(crate) fn tape(&self, title: &str, wire: Wire) -> Tape<'_> {
        let begins = |conversation: &Conversation| conversation.title.starts_with(title);
        let index = self.conversations.iter().position(begins);
        let index = index.unwrap_or_else(|| panic!("{}: nothing titled {title}", self.family));
        Tape::new(self, index, wire, self.differences.clone(), self.played.clone())
    }

    /// What is wrong with the account of the cases: one that is neither played nor
    /// named, one that is both, a name or a difference of nothing.
    pub(crate) fn faults(&self, unsent: &[Unsent]) -> Vec<String> {
        let played = self.played.lock().expect("no other test");
        let mut faults = Vec::new();
        let mut named = BTreeSet::new();
        for Unsent { conversation: title, cases, why } in unsent {
            assert!(!why.is_empty(), "a case is left out for a reason");
            for case in *cases {
                let found = self.find(title, case);
                if found.is_empty() {
                    faults.push(format!("[{title}] {case}: named, and in no conversation"));
                }
                named.extend(found);
            }
        }
        for (c, conversation) in self.conversations.iter().enumerate() {
            for (number, case) in conversation.cases.iter().enumerate() {
                let fault = match (played.contains(&(c, number)), named.contains(&(c, number))) {
                    (true, false) | (false, true) => continue,
                    (true, true) => "named as never sent, and played",
                    (false, false) => "neither played nor named",
                };
                faults.push(format!("[{}] {}: {fault}", conversation.title, case.about));
            }
        }
        let met = self.differences.met.lock().expect("no other test");
        for (index, Difference { begins, why, .. }) in self.differences.all.iter().enumerate() {
            if !met.contains(&index) {
                faults.push(format!("the difference of {begins} ({why}) was not met"));
            }
        }
        faults
    }

    /// How many cases were played, of how many.
    pub(crate) fn count(&self) -> (usize, usize) {
        let all = self.conversations.iter().map(|conversation| conversation.cases.len()).sum();
        (self.played.lock().expect("no other test").len(), all)
    }

    fn find(&self, title: &str, about: &str) -> Vec<(usize, usize)> {
        let of = |(c, conversation): (usize, &Conversation)| {
            let numbers = conversation.numbers(about);
            numbers.into_iter().map(move |number| (c, number)).collect::<Vec<_>>()
        };
        let titled = |(_, one): &(usize, &Conversation)| one.title.starts_with(title);
        self.conversations.iter().enumerate().filter(titled).flat_map(of).collect()
    }
}

impl Conversation {
    /// The numbers of the cases of this name or, if there is none, of those whose
    /// names begin so.
    pub(crate) fn numbers(&self, about: &str) -> Vec<usize> {
        let that = |fits: &dyn Fn(&str) -> bool| {
            let cases = self.cases.iter().enumerate();
            cases.filter(|(_, case)| fits(&case.about)).map(|(number, _)| number).collect()
        };
        let exact: Vec<usize> = that(&|name| name == about);
        if exact.is_empty() { that(&|name| name.starts_with(about)) } else { exact }
    }
}

/// Reads the form that the head of each file explains.
fn conversations(text: &str) -> Vec<Conversation> {
    let mut conversations: Vec<Conversation> = Vec::new();
    let mut about = String::new();
    let mut request = None;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix('[') {
            let title = title.trim_end_matches(']').to_owned();
            conversations.push(Conversation { title, cases: Vec::new() });
            continue;
        }
        let Some(conversation) = conversations.last_mut() else { continue };
        if let Some(name) = line.strip_prefix("# ") {
            name.clone_into(&mut about);
        } else if let Some(hex) = line.strip_prefix("> ") {
            assert_eq!(request.replace(unhex(hex)), None, "{about}: a request without an answer");
        } else if let Some(hex) = line.strip_prefix("< ") {
            let request = request.take().expect("a request before its answer");
            let (about, answer) = (about.clone(), unhex(hex));
            conversation.cases.push(Case { about, request, answer, codes: Vec::new() });
        } else if let Some(code) = line.strip_prefix("= ") {
            let (code, at) = code.split_once(" at ").expect("a code and when it is shown");
            let case = conversation.cases.last_mut().expect("a code belongs to a case");
            case.codes.push((code.to_owned(), at.parse().expect("seconds")));
        } else {
            assert_eq!(line, "", "a line of no known form");
        }
    }
    conversations
}

/// The bytes of hex in which spaces mean nothing.
pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).expect("hex")
}
