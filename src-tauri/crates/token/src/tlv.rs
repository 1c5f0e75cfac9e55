//! Data objects with a one-byte tag and a BER length (`LL`, `81 LL`, `82 LLLL`).

use zeroize::Zeroizing;

/// Appends tag, length and value; at most 65 535 bytes of value.
pub(crate) fn push(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    match u16::try_from(value.len()).expect("a value of a short APDU has at most 255 bytes") {
        n @ 0..=0x7f => out.extend_from_slice(&n.to_be_bytes()[1..]),
        n @ 0x80..=0xff => {
            out.push(0x81);
            out.extend_from_slice(&n.to_be_bytes()[1..]);
        }
        n => {
            out.push(0x82);
            out.extend_from_slice(&n.to_be_bytes());
        }
    }
    out.extend_from_slice(value);
}

/// One data object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) tag: u8,
    pub(crate) value: Zeroizing<Vec<u8>>,
}

/// Splits data into its objects; `None` when the lengths do not add up.
pub(crate) fn parse(mut data: &[u8]) -> Option<Vec<Object>> {
    let mut objects = Vec::new();
    while let [tag, rest @ ..] = data {
        let (len, rest) = match rest {
            [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            [0x81, n, rest @ ..] | [n @ 0..=0x7f, rest @ ..] => (usize::from(*n), rest),
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len)?;
        objects.push(Object { tag: *tag, value: Zeroizing::new(value.to_vec()) });
        data = rest;
    }
    Some(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_all_forms_survive_a_round_trip() {
        for len in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1234] {
            let mut bytes = Vec::new();
            push(&mut bytes, 0x71, &vec![7; len]);
            push(&mut bytes, 0x73, &[]);
            let objects = parse(&bytes).expect("well formed");
            assert_eq!(objects.len(), 2);
            assert_eq!((objects[0].tag, objects[0].value.len()), (0x71, len));
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        for bytes in [&[0x71][..], &[0x71, 2, 0], &[0x71, 0x81], &[0x71, 0x83, 0, 0, 1, 9]] {
            assert_eq!(parse(bytes), None, "{bytes:02x?}");
        }
    }
}
