//! Packets and messages (mooltipass.md, "Packets"): parts of at most 62 bytes in
//! reports of 64, put together on the way in and cut on the way out.

use std::collections::VecDeque;

/// Bytes of a report, without a number.
pub(super) const REPORT: usize = 64;
/// Bytes of a message in one packet.
const PART: usize = 62;
/// Bytes of a message before its payload: command and length.
const HEADER: usize = 4;

/// Toggles with each message.
const FLIP: u8 = 0x80;
/// The host asks that a message is acknowledged.
const ACKNOWLEDGE: u8 = 0x40;
const LENGTH: u8 = 0x3f;

pub(super) type Packet = [u8; REPORT];

/// A whole message of the host.
pub(super) struct Message {
    pub(super) command: u16,
    pub(super) payload: Vec<u8>,
}

/// What a packet brought.
pub(super) enum Taken {
    /// A part, or nothing that counts.
    Nothing,
    /// The reset of the flip bits.
    Reset,
    /// The last part of a message.
    Last {
        /// What acknowledges it, if the host asked for that.
        acknowledgement: Option<Packet>,
        /// The message, if its length is what it says.
        message: Option<Message>,
    },
}

/// The parts of a message that have come so far.
#[derive(Default)]
pub(super) struct Incoming {
    /// The flip bit that the next message must have.
    flip: u8,
    parts: Option<Parts>,
}

struct Parts {
    flip: u8,
    next: u8,
    last: u8,
    bytes: Vec<u8>,
}

impl Incoming {
    /// Takes one packet. The first of a message must have the flip bit that is
    /// due and drops a message that is half there; one out of order spoils what
    /// has come.
    pub(super) fn take(&mut self, packet: &Packet) -> Taken {
        let [head, place, data @ ..] = packet;
        if (*head, *place) == (0xff, 0xff) {
            *self = Self::default();
            return Taken::Reset;
        }
        let (flip, length) = (head & FLIP, usize::from(head & LENGTH));
        let (number, last) = (place >> 4, place & 0x0f);
        let mut parts = match (number, self.parts.take()) {
            (0, _) if flip == self.flip => {
                self.flip ^= FLIP;
                Parts { flip, next: 0, last, bytes: Vec::new() }
            }
            (1.., Some(parts)) if (parts.flip, parts.next, parts.last) == (flip, number, last) => {
                parts
            }
            _ => return Taken::Nothing,
        };
        // All but the last are full.
        if length > PART || (number < last && length < PART) {
            return Taken::Nothing;
        }
        parts.bytes.extend_from_slice(&data[..length]);
        if number == last {
            let is_asked = head & ACKNOWLEDGE != 0;
            let acknowledgement = is_asked.then(|| {
                let mut packet = [0; REPORT];
                packet[..2].copy_from_slice(&[*head, *place]);
                packet
            });
            return Taken::Last { acknowledgement, message: Message::parse(&parts.bytes) };
        }
        parts.next += 1;
        self.parts = Some(parts);
        Taken::Nothing
    }
}

impl Message {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[command_low, command_high, low, high], payload) =
            bytes.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_le_bytes([low, high]));
        let command = u16::from_le_bytes([command_low, command_high]);
        (payload.len() == length).then(|| Self { command, payload: payload.to_vec() })
    }
}

/// What the device says and the host has not read yet.
#[derive(Default)]
pub(super) struct Outgoing {
    flip: u8,
    packets: VecDeque<Packet>,
}

impl Outgoing {
    /// Says a message. The device's own are short: 16 packets are never needed.
    pub(super) fn send(&mut self, command: u16, payload: &[u8]) {
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        let message = [&command.to_le_bytes(), &length.to_le_bytes(), payload].concat();
        let count = u8::try_from(message.len().div_ceil(PART)).unwrap_or(u8::MAX);
        for (number, part) in (0..count).zip(message.chunks(PART)) {
            let mut packet = [0; REPORT];
            // At most 62.
            packet[0] = self.flip | u8::try_from(part.len()).unwrap_or(LENGTH);
            packet[1] = (number << 4) | (count - 1);
            packet[2..2 + part.len()].copy_from_slice(part);
            self.packets.push_back(packet);
        }
        self.flip ^= FLIP;
    }

    /// Says that a message came.
    pub(super) fn acknowledge(&mut self, packet: Packet) {
        self.packets.push_back(packet);
    }

    pub(super) fn next(&mut self) -> Option<Packet> {
        self.packets.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet that begins so, filled with zeros.
    fn packet(beginning: &[u8]) -> Packet {
        let mut packet = [0; REPORT];
        packet[..beginning.len()].copy_from_slice(beginning);
        packet
    }

    /// The command of the last of these packets, if it ends a message.
    fn taken(packets: &[&[u8]]) -> Option<u16> {
        let mut incoming = Incoming::default();
        let taken = packets.iter().map(|beginning| incoming.take(&packet(beginning)));
        match taken.last() {
            Some(Taken::Last { message, .. }) => message.map(|message| message.command),
            Some(Taken::Nothing | Taken::Reset) | None => None,
        }
    }

    const STATUS: &[u8] = &[0x04, 0x00, 0x11];
    const FLIPPED: &[u8] = &[0x84, 0x00, 0x11];
    /// Two packets with 59 bytes of payload, one in the second packet.
    const FIRST: &[u8] = &[0x3e, 0x01, 0x27, 0x00, 0x3b];
    const SECOND: &[u8] = &[0x01, 0x11];

    #[test]
    fn the_flip_bit_toggles_with_each_message_and_is_reset() {
        assert_eq!(taken(&[STATUS]), Some(0x11));
        assert_eq!(taken(&[FLIPPED]), None);
        assert_eq!(taken(&[STATUS, STATUS]), None);
        assert_eq!(taken(&[STATUS, FLIPPED]), Some(0x11));
        assert_eq!(taken(&[STATUS, FLIPPED, STATUS]), Some(0x11));
        assert_eq!(taken(&[STATUS, &[0xff, 0xff], STATUS]), Some(0x11));
        assert_eq!(taken(&[STATUS, &[0xff, 0xff], FLIPPED]), None);
        // It does not move with a packet that does not count.
        assert_eq!(taken(&[FLIPPED, STATUS]), Some(0x11));
    }

    #[test]
    fn parts_come_in_order_full_and_of_one_message() {
        assert_eq!(taken(&[FIRST, SECOND]), Some(0x27));
        let spoilt: [&[&[u8]]; 9] = [
            &[SECOND],
            &[FIRST, &[0x81, 0x11]],
            &[FIRST, &[0x01, 0x21]],
            &[FIRST, &[0x01, 0x12]],
            &[FIRST, &[0x02, 0x11]],
            &[FIRST, &[0x00, 0x11]],
            &[FIRST, &[0x3f, 0x11]],
            &[&[0x3d, 0x01, 0x27, 0x00, 0x3a], SECOND],
            &[FIRST, &[0xff, 0xff], SECOND],
        ];
        for packets in spoilt {
            assert_eq!(taken(packets), None, "{packets:02x?}");
        }
        // A half message is dropped by the next one with its flip bit.
        assert_eq!(taken(&[FIRST, FLIPPED]), Some(0x11));
        assert_eq!(taken(&[FIRST, STATUS]), None);
        // A message whose length is not what it says, or without a whole header.
        assert_eq!(taken(&[&[0x04, 0x00, 0x11, 0x00, 0x01]]), None);
        assert_eq!(taken(&[&[0x05, 0x00, 0x11]]), None);
        assert_eq!(taken(&[&[0x03, 0x00, 0x11]]), None);
    }

    #[test]
    fn a_message_is_acknowledged_if_that_is_asked() {
        for (packets, expected) in [
            (vec![packet(&[0x44, 0x00, 0x11])], Some(packet(&[0x44, 0x00]))),
            (vec![packet(FIRST), packet(&[0x41, 0x11])], Some(packet(&[0x41, 0x11]))),
            (vec![packet(STATUS)], None),
        ] {
            let mut incoming = Incoming::default();
            let last = packets.iter().map(|packet| incoming.take(packet)).last();
            let Some(Taken::Last { acknowledgement, message }) = last else {
                panic!("not the last part");
            };
            assert_eq!(acknowledgement, expected);
            assert!(message.is_some());
        }
    }

    #[test]
    fn what_is_said_is_cut_into_packets_with_its_own_flip_bit() {
        let mut outgoing = Outgoing::default();
        outgoing.send(0x11, &[1]);
        outgoing.send(0x41, &[7; 59]);
        assert_eq!(outgoing.next(), Some(packet(&[0x05, 0x00, 0x11, 0x00, 0x01, 0x00, 1])));
        let first = outgoing.next().expect("two packets");
        let second = outgoing.next().expect("two packets");
        assert_eq!(&first[..7], [0xbe, 0x01, 0x41, 0x00, 0x3b, 0x00, 7]);
        assert_eq!(second, packet(&[0x81, 0x11, 7]));
        assert_eq!(outgoing.next(), None);
    }
}
