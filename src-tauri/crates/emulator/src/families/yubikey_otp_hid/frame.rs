//! Frames and reports (yubikey-otp-hid.md section 2): ten parts of seven bytes
//! in, and answers with their check sum out.

/// A report without its number: seven bytes of content and the flags.
pub(super) type Report = [u8; 8];

/// In status: the device has not taken the last report yet. In a report of the
/// host: this is a part of a frame.
pub(super) const TAKING: u8 = 0x80;
/// A part of an answer.
const ANSWER: u8 = 0x40;
/// The device waits for a touch.
pub(super) const WAITING: u8 = 0x20;
/// The low bits are the number of the part.
const SEQUENCE: u8 = 0x1f;
/// Ends whatever is under way.
pub(super) const RESET: u8 = 0xff;

/// Bytes of content in a report.
const PART: usize = 7;
/// The number of the last part.
const LAST: u8 = 9;

/// A whole request whose check sum is right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) payload: [u8; 64],
    /// The slot command of section 3.
    pub(super) command: u8,
}

/// The parts of a request that have come so far.
#[derive(Default)]
pub(super) struct Incoming(Option<Parts>);

struct Parts {
    bytes: [u8; 70],
    last: u8,
}

impl Incoming {
    /// Takes one part; the frame, if this was its last part and all is right.
    /// Part 0 begins anew, and a part out of order spoils what has come.
    pub(super) fn take(&mut self, report: Report) -> Option<Frame> {
        let [content @ .., flags] = report;
        let number = flags & SEQUENCE;
        let before = self.0.take();
        if flags & !SEQUENCE != TAKING || number > LAST {
            return None;
        }
        let mut parts = match before {
            _ if number == 0 => Parts { bytes: [0; 70], last: 0 },
            Some(parts) if parts.last < number => parts,
            _ => return None,
        };
        let at = usize::from(number) * PART;
        parts.bytes[at..at + PART].copy_from_slice(&content);
        parts.last = number;
        if number == LAST {
            return Frame::parse(&parts.bytes);
        }
        self.0 = Some(parts);
        None
    }

    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

impl Frame {
    fn parse(bytes: &[u8; 70]) -> Option<Self> {
        let (payload, rest) = bytes.split_first_chunk::<64>()?;
        let &[command, low, high, 0, 0, 0] = rest else {
            return None;
        };
        let is_right = crc16(payload) == u16::from_le_bytes([low, high]);
        is_right.then_some(Self { payload: *payload, command })
    }
}

/// An answer on its way to the host: its parts, then an end that stays.
pub(super) struct Answer {
    parts: Vec<Report>,
    next: usize,
}

impl Answer {
    /// Data with their complemented check sum, cut into parts.
    pub(super) fn new(data: &[u8]) -> Self {
        let check = (!crc16(data)).to_le_bytes();
        let whole = [data, check.as_slice()].concat();
        let parts = (0_u8..).zip(whole.chunks(PART)).map(|(number, chunk)| {
            let mut report = [0; 8];
            report[..chunk.len()].copy_from_slice(chunk);
            report[PART] = ANSWER | (number & SEQUENCE);
            report
        });
        Self { parts: parts.collect(), next: 0 }
    }

    /// The next part, or the end: another part 0.
    pub(super) fn next(&mut self) -> Report {
        let part = self.parts.get(self.next).copied();
        self.next += 1;
        part.unwrap_or([0, 0, 0, 0, 0, 0, 0, ANSWER])
    }
}

/// CRC-16/MCRF4XX: initial value `FFFF`, reflected polynomial `8408`, no final
/// exclusive or.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 }
        })
    })
}

/// Whether the last two bytes are the complemented check sum of those before.
pub(super) fn is_checked(bytes: &[u8]) -> bool {
    crc16(bytes) == 0xf0b8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sums_of_the_sheet() {
        assert_eq!(crc16(b"123456789"), 0x6f91);
        assert_eq!(crc16(&[0; 64]), 0x5b6b);
        let data = b"some data";
        let checked = [data.as_slice(), &(!crc16(data)).to_le_bytes()].concat();
        assert!(is_checked(&checked));
        assert!(!is_checked(data));
    }

    #[test]
    fn an_answer_ends_with_a_second_part_0_that_stays() {
        let mut answer = Answer::new(&[0x00, 0xbc, 0x61, 0x4e]);
        assert_eq!(answer.next(), [0x00, 0xbc, 0x61, 0x4e, 0xc8, 0x04, 0x00, 0x40]);
        for _ in 0..2 {
            assert_eq!(answer.next(), [0, 0, 0, 0, 0, 0, 0, 0x40]);
        }
    }

    /// Gives the parts of an empty payload with these numbers.
    fn given(numbers: &[u8]) -> Option<Frame> {
        let mut incoming = Incoming::default();
        let taken = numbers.iter().map(|number| {
            let mut report = [0, 0, 0, 0, 0, 0, 0, TAKING | number];
            if *number == 9 {
                report[1..4].copy_from_slice(&[0x10, 0x6b, 0x5b]);
            }
            incoming.take(report)
        });
        taken.last().flatten()
    }

    #[test]
    fn parts_of_zeros_may_be_left_out_but_not_come_out_of_order() {
        let whole = Some(Frame { payload: [0; 64], command: 0x10 });
        let cases: [(&[u8], bool); 8] = [
            (&[0, 9], true),
            (&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], true),
            (&[0, 3, 0, 9], true),
            (&[9], false),
            (&[1, 9], false),
            (&[0, 3, 2, 9], false),
            (&[0, 3, 3, 9], false),
            (&[0, 10, 9], false),
        ];
        for (numbers, expected) in cases {
            assert_eq!(
                given(numbers),
                whole.as_ref().filter(|_| expected).map(again),
                "{numbers:?}"
            );
        }
    }

    fn again(frame: &Frame) -> Frame {
        Frame { payload: frame.payload, command: frame.command }
    }

    #[test]
    fn a_frame_with_a_wrong_check_sum_or_a_filled_tail_is_none() {
        let mut right = [0; 70];
        right[64..67].copy_from_slice(&[0x10, 0x6b, 0x5b]);
        assert!(Frame::parse(&right).is_some());
        for at in [0, 63, 65, 66, 67, 68, 69] {
            let mut wrong = right;
            wrong[at] ^= 1;
            assert_eq!(Frame::parse(&wrong), None, "{at}");
        }
    }
}
