//! What can go wrong at one exchange, and when it is to go wrong.

/// What goes wrong.
///
/// Beside each stands what a client of the real service sees (rigs/FACTS.md
/// section 7); the tray's channel reports the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The token leaves before the command takes effect: an empty answer.
    RemovedBefore,
    /// The command takes effect, then the token leaves: an empty answer.
    RemovedAfter,
    /// No effect, and this status word.
    Refused(u16),
    /// The command takes effect and the token falls silent until it is taken
    /// away or switched off.
    Silent,
    /// No effect, and the token falls silent until it is taken away or switched off.
    SilentBefore,
    /// The command takes effect and the answer's data arrive with flipped bits;
    /// without data it is the status word that is flipped.
    Garbled,
    /// The command takes effect and the answer has no byte at all. The token
    /// stays (behind the real service: it is powered anew).
    Empty,
    /// The command takes effect and the answer has one byte.
    Short,
    /// Another token of the same model lies in the reader before the command
    /// arrives; this one is gone from it. The command reaches neither. A tray's
    /// channel reports a reset and then talks to the other token, as a real
    /// handle does.
    SwappedBefore,
}

impl Fault {
    /// Every kind of fault once, for tests that go through all of them.
    pub const ALL: [Self; 9] = [
        Self::RemovedBefore,
        Self::RemovedAfter,
        Self::Refused(0x6f00),
        Self::Silent,
        Self::SilentBefore,
        Self::Garbled,
        Self::Empty,
        Self::Short,
        Self::SwappedBefore,
    ];
}

/// At which exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The exchange of this number, counted from 0 since arming.
    Exchange(usize),
    /// The `nth` command, counted from 0 since arming, with this INS byte.
    Instruction {
        /// The INS byte.
        ins: u8,
        /// How many such commands pass unharmed.
        nth: usize,
    },
}

/// One fault at one exchange. It happens once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// When.
    pub at: At,
    /// What.
    pub fault: Fault,
}

impl Script {
    /// A fault at the exchange of this number, counted from 0 since arming.
    pub const fn at_exchange(number: usize, fault: Fault) -> Self {
        Self { at: At::Exchange(number), fault }
    }
}

/// The faults that a token is armed with.
#[derive(Default)]
pub(crate) struct Armed(Vec<Script>);

impl Armed {
    pub(crate) fn new(scripts: &[Script]) -> Self {
        Self(scripts.to_vec())
    }

    /// Takes out the fault for the exchange of this number, if there is one.
    pub(crate) fn take(&mut self, exchange: usize, ins: Option<u8>) -> Option<Fault> {
        let mut hit = None;
        for (index, script) in self.0.iter_mut().enumerate() {
            let now = match &mut script.at {
                At::Exchange(number) => *number == exchange,
                At::Instruction { ins: wanted, nth } if Some(*wanted) == ins => {
                    let now = *nth == 0;
                    *nth = nth.saturating_sub(1);
                    now
                }
                At::Instruction { .. } => false,
            };
            if now && hit.is_none() {
                hit = Some(index);
            }
        }
        hit.map(|index| self.0.remove(index).fault)
    }
}

/// Flips bits of the data, or of the status word if there are no data.
pub(crate) fn garble(mut answer: Vec<u8>) -> Vec<u8> {
    let data = match answer.len() {
        0..=2 => answer.len(),
        longer => longer - 2,
    };
    answer[..data].iter_mut().for_each(|byte| *byte ^= 0x55);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_at_its_exchange_and_once() {
        let mut armed = Armed::new(&[
            Script::at_exchange(1, Fault::Silent),
            Script { at: At::Instruction { ins: 0xa1, nth: 1 }, fault: Fault::Empty },
        ]);
        assert_eq!(armed.take(0, Some(0xa1)), None);
        assert_eq!(armed.take(1, Some(0x01)), Some(Fault::Silent));
        assert_eq!(armed.take(1, Some(0xa1)), Some(Fault::Empty));
        assert_eq!(armed.take(1, Some(0xa1)), None);
    }

    #[test]
    fn garbling_spares_the_status_word_unless_it_is_alone() {
        assert_eq!(garble(vec![0, 0x90, 0]), [0x55, 0x90, 0]);
        assert_eq!(garble(vec![0x90, 0]), [0xc5, 0x55]);
    }
}
