//! Feature reports: their check sum, and the frame of an answer
//! (nitrokey-pro.md section 2).

/// Bytes of a report that is set or got, with the report number in front.
pub(super) const REPORT: usize = 65;

/// Bytes under the check sum: all but the report number and the check sum.
const SUMMED: usize = 60;

/// Where an answer's data begins, and how many bytes it has.
const DATA: usize = 8;

/// Is the device ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Ready,
    Busy,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    WrongCrc = 1,
    WrongSlot = 2,
    SlotEmpty = 3,
    WrongPin = 4,
    NotAuthorised = 5,
    TimeWarning = 6,
    NoName = 7,
    NotSupported = 8,
    UnknownCommand = 9,
}

/// A report that was set, taken apart.
pub(super) struct Request<'a> {
    pub(super) command: u8,
    /// The 59 bytes behind the command.
    pub(super) payload: &'a [u8; 59],
    /// The check sum that the device computes over it.
    pub(super) crc: [u8; 4],
    /// Whether that is the check sum it carries.
    pub(super) is_intact: bool,
}

impl<'a> Request<'a> {
    /// `None` unless it has 65 bytes and the report number 0.
    pub(super) fn parse(report: &'a [u8]) -> Option<Self> {
        let [0, body @ ..] = report else {
            return None;
        };
        let (summed, carried) = body.split_last_chunk::<4>()?;
        let summed = <&[u8; SUMMED]>::try_from(summed).ok()?;
        let ([command], payload) = summed.split_first_chunk::<1>()?;
        let crc = check_sum(summed);
        let payload = payload.try_into().ok()?;
        Some(Self { command: *command, payload, crc, is_intact: crc == *carried })
    }
}

/// An answer with its report number in front and its check sum behind.
pub(super) fn answer(command: u8, crc: [u8; 4], status: u8, data: &[u8]) -> [u8; REPORT] {
    let mut report = [0; REPORT];
    report[2] = command;
    report[3..7].copy_from_slice(&crc);
    report[7] = status;
    for (to, from) in report[DATA..=SUMMED].iter_mut().zip(data) {
        *to = *from;
    }
    with_device_status(report, Device::Ready)
}

/// The same answer with another device status.
pub(super) fn with_device_status(mut report: [u8; REPORT], device: Device) -> [u8; REPORT] {
    report[1] = match device {
        Device::Ready => 0,
        Device::Busy => 1,
    };
    let mut summed = [0; SUMMED];
    summed.copy_from_slice(&report[1..=SUMMED]);
    report[SUMMED + 1..].copy_from_slice(&check_sum(&summed));
    report
}

/// CRC-32/MPEG-2 over the bytes with every four of them reversed, little-endian,
/// because the device feeds its CRC unit with little-endian words.
fn check_sum(summed: &[u8; SUMMED]) -> [u8; 4] {
    let (words, _) = summed.as_chunks::<4>();
    let crc = words.iter().fold(0xffff_ffff_u32, |crc, word| {
        (0..32).fold(crc ^ u32::from_le_bytes(*word), |crc, _| {
            let feedback = if crc & 0x8000_0000 == 0 { 0 } else { 0x04c1_1db7 };
            (crc << 1) ^ feedback
        })
    });
    crc.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_zeros_have_the_sheets_check_sum() {
        assert_eq!(check_sum(&[0; SUMMED]), [0xdf, 0xb7, 0x6e, 0xef]);
    }

    #[test]
    fn only_whole_reports_of_number_0_are_requests() {
        let mut report = [0; REPORT];
        report[61..].copy_from_slice(&[0xdf, 0xb7, 0x6e, 0xef]);
        assert!(Request::parse(&report).is_some_and(|request| request.is_intact));
        report[2] = 1;
        assert!(Request::parse(&report).is_some_and(|request| !request.is_intact));
        assert!(Request::parse(&report[..64]).is_none());
        assert!(Request::parse(&[report.as_slice(), &[0]].concat()).is_none());
        report[0] = 1;
        assert!(Request::parse(&report).is_none());
    }
}
