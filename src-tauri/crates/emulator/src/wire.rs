//! Command APDUs as a card reads them (ISO 7816-4 section 5), and data objects
//! with one-byte tags and BER lengths.

/// A command APDU, short or extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    pub(crate) cla: u8,
    pub(crate) ins: u8,
    pub(crate) p1: u8,
    pub(crate) p2: u8,
    pub(crate) data: &'a [u8],
    /// Whether an Le follows the data or, without data, the header.
    pub(crate) le: bool,
}

impl<'a> Command<'a> {
    /// `None` if the lengths inside do not add up: `6700`.
    pub(crate) fn parse(raw: &'a [u8]) -> Option<Self> {
        let (&[cla, ins, p1, p2], body) = raw.split_first_chunk::<4>()?;
        let (data, le) = match body {
            [] => (&[][..], false),
            [_] | [0, _, _] => (&[][..], true),
            [0, _] => return None,
            [0, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                Self::split(rest, length, 2)?
            }
            [length, rest @ ..] => Self::split(rest, usize::from(*length), 1)?,
        };
        Some(Self { cla, ins, p1, p2, data, le })
    }

    fn split(rest: &'a [u8], length: usize, le_length: usize) -> Option<(&'a [u8], bool)> {
        let (data, le) = rest.split_at_checked(length)?;
        match le.len() {
            0 => Some((data, false)),
            n if n == le_length => Some((data, true)),
            _ => None,
        }
    }
}

/// Appends a data object.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    let [.., high, low] = value.len().to_be_bytes();
    match (high, low) {
        (0, 0..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(value);
}

/// Takes the data object with this tag off the front; `None` if another one or
/// none is there, or it is cut off.
pub(crate) fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (length, rest) = match *input {
        [found, ..] if *found != tag => return None,
        [_, 0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [_, 0x81, length, rest @ ..] | [_, length @ 0..=0x7f, rest @ ..] => {
            (usize::from(*length), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some(value)
}

/// The length of the data object at the front, header included.
pub(crate) fn object_length(input: &[u8]) -> usize {
    let mut rest = input;
    match input.first().and_then(|&tag| take(&mut rest, tag)) {
        Some(_) => input.len() - rest.len(),
        None => input.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], expected: Option<(&[u8], bool)>) {
        assert_eq!(Command::parse(raw).map(|c| (c.data, c.le)), expected);
    }

    #[test]
    fn the_four_cases_short_and_extended() {
        check(&[0, 1, 2, 3], Some((&[], false)));
        check(&[0, 1, 2, 3, 0], Some((&[], true)));
        check(&[0, 1, 2, 3, 1, 9], Some((&[9], false)));
        check(&[0, 1, 2, 3, 1, 9, 0], Some((&[9], true)));
        check(&[0, 1, 2, 3, 0, 0, 0], Some((&[], true)));
        check(&[0, 1, 2, 3, 0, 0, 1, 9], Some((&[9], false)));
        check(&[0, 1, 2, 3, 0, 0, 1, 9, 0, 0], Some((&[9], true)));
        check(&[0, 1, 2], None);
        check(&[0, 1, 2, 3, 2, 9], None);
        check(&[0, 1, 2, 3, 1, 9, 0, 0], None);
    }

    #[test]
    fn data_objects_with_every_length_form_come_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 300] {
            let value = vec![0xab; length];
            let mut object = Vec::new();
            put(&mut object, 0x71, &value);
            assert_eq!(object_length(&object), object.len());
            let mut rest = object.as_slice();
            assert_eq!(take(&mut rest, 0x72), None);
            assert_eq!(take(&mut rest, 0x71), Some(value.as_slice()));
            assert!(rest.is_empty());
            let mut cut = &object[..object.len() - 1];
            if length > 0 {
                assert_eq!(take(&mut cut, 0x71), None);
            }
        }
    }
}
