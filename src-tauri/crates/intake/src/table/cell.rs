//! What a cell looks like, and what a spreadsheet did to it.

use zeroize::Zeroizing;

use crate::entry_error::Damage;
use crate::secret::{cleaned, is_base32};

/// The least characters of a secret of ten bytes in base32.
const LEAST_SECRET: usize = 16;
/// Digits that a spreadsheet keeps of a number.
const KEPT_DIGITS: usize = 15;

/// A secret's characters in capitals, without separators and padding.
pub(super) fn joined(cell: &str) -> Zeroizing<String> {
    let mut joined = cleaned(cell);
    let end = joined.trim_end_matches('=').len();
    joined.truncate(end);
    joined
}

/// Whether every character is a hexadecimal digit.
pub(super) fn is_hex(cell: &str) -> bool {
    let joined = joined(cell);
    !joined.is_empty() && joined.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F'))
}

/// Hexadecimal, and with a digit that base32 lacks.
pub(super) fn is_only_hex(cell: &str) -> bool {
    is_hex(cell) && joined(cell).contains(['0', '1', '8', '9'])
}

/// Base32, and with a letter that hexadecimal lacks.
pub(super) fn is_only_base32(cell: &str) -> bool {
    let joined = joined(cell);
    joined.chars().all(is_base32) && joined.contains(|c: char| c > 'F')
}

/// Whether a cell of a table without a header can be a secret, a damaged one too.
pub(super) fn looks_like_secret(cell: &str) -> bool {
    let joined = joined(cell);
    let alphabet = joined.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '='));
    let long = joined.len() >= LEAST_SECRET && alphabet;
    let secret = long && (joined.chars().all(is_base32) || is_hex(cell));
    secret
        || crate::secret::looks_like_base64(cell)
        || secret_damage(cell) == Some(Damage::ScientificNotation)
}

/// Whether a cell of another column is likely a secret: long, of one alphabet, and
/// neither a number nor a word.
pub(super) fn may_be_secret(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    digits > 0 && digits < cell.len() && number_damage(cell).is_none() && looks_like_secret(cell)
}

/// What happened to a cell that holds a secret.
pub(super) fn secret_damage(cell: &str) -> Option<Damage> {
    // A long hexadecimal secret may be all digits and one E; a short one is damaged.
    let short = cell.len() < LEAST_SECRET || cell.contains(['.', ',', '+']);
    match number_damage(cell) {
        Some(Damage::ScientificNotation) if !short => None,
        Some(Damage::Rounded) => None,
        damage => damage,
    }
}

/// What happened to a cell that holds a number.
pub(super) fn number_damage(cell: &str) -> Option<Damage> {
    if is_scientific(cell) {
        return Some(Damage::ScientificNotation);
    }
    if cell.starts_with('#') && cell.len() > 2 {
        let value = cell.chars().all(|c| c.is_ascii_uppercase() || "#/!?0".contains(c));
        return value.then_some(Damage::ErrorValue);
    }
    let digits = cell.chars().all(|c| c.is_ascii_digit());
    let rounded =
        digits && cell.len() > KEPT_DIGITS && cell[KEPT_DIGITS..].chars().all(|c| c == '0');
    rounded.then_some(Damage::Rounded)
}

/// `1.2E+12` and its like, with either decimal mark.
fn is_scientific(cell: &str) -> bool {
    let Some((mantissa, exponent)) = cell.split_once(['E', 'e']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let whole = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => digits(fraction) && digits(whole),
        None => digits(mantissa),
    };
    whole && digits(exponent) && exponent.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_other_columns() {
        for (cell, secret) in [
            ("2B7ZMPBLW6R4Y5FJCDSRZIAHLMMU3JAS", true),
            ("d07f963c2bb7a3cc74a910e51ca0075b194da412", true),
            ("1ckHznw7+sWCqw==", true),
            ("8659612003271000123", false),
            ("DEMO0001", false),
            ("adele@contoso.com", false),
            ("administratoraccount", false),
        ] {
            assert_eq!(may_be_secret(cell), secret, "{cell}");
        }
    }

    #[test]
    fn what_spreadsheets_do() {
        for (cell, damage) in [
            ("1.2E+12", Some(Damage::ScientificNotation)),
            ("8,65961E+12", Some(Damage::ScientificNotation)),
            ("1E+39", Some(Damage::ScientificNotation)),
            ("8659612003271", None),
            ("865961200327100000", Some(Damage::Rounded)),
            ("865961200327112345", None),
            ("#NAME?", Some(Damage::ErrorValue)),
            ("#REF!", Some(Damage::ErrorValue)),
            ("########", Some(Damage::ErrorValue)),
            ("DEMO0001", None),
            ("", None),
            ("E", None),
        ] {
            assert_eq!(number_damage(cell), damage, "{cell}");
        }
        // All digits and one E can be a whole secret.
        assert_eq!(secret_damage("1234567890123456789012345678901234567E12"), None);
        assert_eq!(secret_damage("1.23456789012346E+39"), Some(Damage::ScientificNotation));
    }
}
