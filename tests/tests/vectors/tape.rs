//! A token that plays a recorded conversation: it takes the requests that are due,
//! byte for byte and in their order, and gives the recorded answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use data_encoding::HEXLOWER;
use oath::{Parameters, SharedSecret, UnixTime, code_at};
use token::{
    Channel, ChannelError, CommandApdu, FeatureChannel, ReportChannel, ResponseApdu,
    SmartCardChannel,
};

use crate::recording::{Differences, Played, Recording, unhex};

/// What carries a conversation.
#[derive(Clone, Copy)]
pub(crate) enum Wire {
    /// Command and response APDUs.
    Card,
    /// Reports of so many bytes, as they are recorded.
    Reports(usize),
    /// Reports of 64 bytes, of which each message has a flip bit.
    Flipping,
}

/// What sets the flip bit anew, in front of each recorded message.
const FLIP_ANEW: [u8; 2] = [0xff, 0xff];
const FLIP: u8 = 0x80;

/// One token, and what it is to be asked next.
pub(crate) struct Tape<'a> {
    recording: &'a Recording,
    conversation: usize,
    /// The first case that is still to come.
    next: usize,
    /// The codes that the token shows since the last case.
    codes: Vec<(String, u64)>,
    wire: Wire,
    player: Player,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(
        recording: &'a Recording,
        conversation: usize,
        wire: Wire,
        differences: Differences,
        seen: Played,
    ) -> Self {
        let unit = match wire {
            Wire::Card => usize::MAX,
            Wire::Reports(length) => length,
            Wire::Flipping => 64,
        };
        let flipping = matches!(wire, Wire::Flipping);
        let player = Player { unit, flipping, differences, played: seen, deck: Arc::default() };
        Self { recording, conversation, next: 0, codes: Vec::new(), wire, player }
    }

    /// The channel of a driver.
    pub(crate) fn channel(&self) -> Channel {
        match self.wire {
            Wire::Card => Channel::SmartCard(Box::new(self.player.clone())),
            Wire::Reports(_) | Wire::Flipping => Channel::Hid(Box::new(self.player.clone())),
        }
    }

    /// Due next: the case of this name behind those that were due already.
    pub(crate) fn next(&mut self, about: &str) -> &mut Self {
        let case = self.number(about, self.next);
        self.next = case + 1;
        self.due(case)
    }

    /// Due next: a case from another place of the conversation, once more or sooner
    /// or later than it was recorded, for a reason.
    pub(crate) fn moved(&mut self, about: &str, why: &'static str) -> &mut Self {
        assert!(!why.is_empty(), "another order has a reason");
        let case = self.number(about, 0);
        self.due(case)
    }

    /// Due next: a request that is not recorded, or the beginning of it, with an
    /// answer that its sheet has or lets follow, for a reason.
    pub(crate) fn beyond(&mut self, request: &str, answer: &str, why: &'static str) -> &mut Self {
        assert!(!why.is_empty(), "a request that is not recorded has a reason");
        let mut answer = unhex(answer);
        // What is behind the end of a message is zero.
        if !matches!(self.wire, Wire::Card) {
            answer.resize(answer.len().next_multiple_of(self.player.unit), 0);
        }
        self.push(request, None, &unhex(request), &answer);
        self
    }

    /// What can be got from a device before it is asked anything.
    pub(crate) fn tells(&mut self, answer: &str) -> &mut Self {
        self.player.deck().told = self.player.parts(&unhex(answer)).into();
        self
    }

    /// The codes that the recording has for the last case are those of this secret.
    pub(crate) fn shows(&self, secret: &SharedSecret, parameters: Parameters) {
        assert!(!self.codes.is_empty(), "the recording has a code");
        for (code, at) in &self.codes {
            let step = UnixTime::from_secs(*at).step(parameters.period);
            assert_eq!(code_at(secret, &parameters, step).expose().as_str(), code, "at {at}");
        }
    }

    /// All that was due was asked, and all answers were taken.
    pub(crate) fn played(&self) {
        let deck = self.player.deck();
        let left: Vec<_> = deck.due.iter().map(|due| due.about.as_str()).collect();
        assert!(left.is_empty(), "not asked: {left:?}");
        assert!(deck.incoming.is_empty(), "{} reports were not read", deck.incoming.len());
    }

    fn number(&self, about: &str, from: usize) -> usize {
        let conversation = &self.recording.conversations[self.conversation];
        let number = conversation.numbers(about).into_iter().find(|number| *number >= from);
        number.unwrap_or_else(|| panic!("[{}] {about}: not to come", conversation.title))
    }

    fn due(&mut self, number: usize) -> &mut Self {
        let case = &self.recording.conversations[self.conversation].cases[number];
        self.codes.clone_from(&case.codes);
        self.push(&case.about, Some((self.conversation, number)), &case.request, &case.answer);
        self
    }

    fn push(&self, about: &str, case: Option<(usize, usize)>, request: &[u8], answer: &[u8]) {
        let due = Due {
            about: about.to_owned(),
            case,
            requests: self.player.parts(request).into(),
            begun: false,
            answers: self.player.parts(answer),
        };
        self.player.deck().due.push_back(due);
    }
}

/// The channel, in the hands of a driver.
#[derive(Clone)]
struct Player {
    unit: usize,
    flipping: bool,
    differences: Differences,
    played: Played,
    deck: Arc<Mutex<Deck>>,
}

#[derive(Default)]
struct Deck {
    due: VecDeque<Due>,
    /// Input reports to be read.
    incoming: VecDeque<Vec<u8>>,
    /// Feature reports to be got, the last of them for ever.
    told: VecDeque<Vec<u8>>,
    /// The flip bit of the message that is sent.
    flip: u8,
}

struct Due {
    about: String,
    /// The recorded case, which counts as played once all of it was sent. Without one,
    /// `requests` may be only the beginning of what is sent.
    case: Option<(usize, usize)>,
    requests: VecDeque<Vec<u8>>,
    begun: bool,
    answers: Vec<Vec<u8>>,
}

impl Player {
    fn deck(&self) -> MutexGuard<'_, Deck> {
        self.deck.lock().expect("one thread")
    }

    fn parts(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        bytes.chunks(self.unit).map(<[u8]>::to_vec).collect()
    }

    /// Takes what is sent; the answer, once the last part of a request is there.
    fn take(&self, sent: &[u8]) -> Option<Vec<Vec<u8>>> {
        // The number of a report, a zero, is not recorded everywhere.
        let sent = match sent {
            [0, rest @ ..] if rest.len() == self.unit => rest,
            sent => sent,
        };
        let hex = HEXLOWER.encode(sent);
        let mut deck = self.deck();
        let Deck { due, flip, .. } = &mut *deck;
        let due = due.front_mut().unwrap_or_else(|| panic!("nothing is due, sent {hex}"));
        let mut wanted = due.requests.pop_front().expect("a request has a part");
        if self.flipping {
            if due.begun {
                wanted[0] |= *flip;
            } else if sent.starts_with(&FLIP_ANEW) {
                *flip = 0;
            } else {
                assert!(self.differences.allow_flips(), "{}: nothing sets the flip bit", due.about);
                *flip ^= FLIP;
                if wanted.starts_with(&FLIP_ANEW) {
                    wanted = due.requests.pop_front().expect("a message has a packet");
                }
                wanted[0] |= *flip;
            }
            due.begun = true;
        }
        let right = if due.case.is_some() {
            self.differences.allow(&wanted, sent)
        } else {
            sent.starts_with(&wanted)
        };
        let wanted = HEXLOWER.encode(&wanted);
        assert!(right, "{}\n  due  {wanted}\n  sent {hex}", due.about);
        if !due.requests.is_empty() {
            return None;
        }
        let due = deck.due.pop_front()?;
        if let Some(case) = due.case {
            self.played.lock().expect("no other test").insert(case);
        }
        Some(due.answers)
    }
}

impl SmartCardChannel for Player {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        let answer = self.take(&command.encode()).expect("a command is one part");
        ResponseApdu::parse(answer.concat())
    }
}

impl ReportChannel for Player {
    fn write(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        let answer = self.take(report).unwrap_or_default();
        self.deck().incoming.extend(answer);
        Ok(())
    }

    fn read(&mut self, _: Duration) -> Result<Vec<u8>, ChannelError> {
        self.deck().incoming.pop_front().ok_or(ChannelError::Silent)
    }
}

impl FeatureChannel for Player {
    fn set(&mut self, report: &[u8]) -> Result<(), ChannelError> {
        if let Some(answer) = self.take(report) {
            self.deck().told = answer.into();
        }
        Ok(())
    }

    fn get(&mut self, _: u8, len: usize) -> Result<Vec<u8>, ChannelError> {
        let mut deck = self.deck();
        let told = match deck.told.len() {
            0 => panic!("the device is asked before it has anything to tell"),
            1 => deck.told[0].clone(),
            _ => deck.told.pop_front().expect("more than one"),
        };
        Ok(if told.len() + 1 == len { [&[0], told.as_slice()].concat() } else { told })
    }
}
