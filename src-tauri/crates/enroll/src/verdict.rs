//! Compares a code with what was written. A near miss is never a pass.

use oath::{Code, CodeError, Digits, Parameters, SharedSecret, UnixTime, code_at};

/// How many steps to each side of the expected one are accepted for a fresh write.
///
/// Three steps of six digits are matched by chance once in 333 333 tries
/// (facts/microsoft-enrollment.md section 3).
const WINDOW: i64 = 1;

/// What a confirmation rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The token computed the full response to an unforeseeable step and the
    /// code of the next step, and both were right.
    Computed,
    /// A person typed a code that the token showed, and it was right.
    Typed {
        /// Steps by which the token's clock is ahead, -1, 0 or 1.
        offset: i64,
    },
    /// A token that displays codes told one over its reader as well, and it was right.
    Told {
        /// Steps by which the token's clock is ahead, -1, 0 or 1.
        offset: i64,
    },
}

/// Why a typed code confirms nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It is not a code of this credential's form.
    #[error(transparent)]
    NotACode(#[from] CodeError),
    /// The key typed no code but the word that it has no time: it was plugged in
    /// since it was told.
    #[error("the key has no time")]
    NoClock,
    /// It is none of the codes that are right now.
    #[error("the code is not one of those that are right now")]
    NoMatch,
}

/// Judges a code that was typed at `at`.
pub fn judge(
    secret: &SharedSecret,
    parameters: &Parameters,
    typed: &str,
    at: UnixTime,
) -> Result<Evidence, Rejection> {
    let typed = Code::typed(typed, parameters.digits)?;
    let now = at.step(parameters.period);
    // All candidates are computed and compared, nearest first, without an early
    // end, so that the time taken tells nothing about the code.
    let mut right = None;
    for offset in [0, -WINDOW, WINDOW] {
        let matches = code_at(secret, parameters, now.offset(offset)) == typed;
        if matches && right.is_none() {
            right = Some(offset);
        }
    }
    right.map(|offset| Evidence::Typed { offset }).ok_or(Rejection::NoMatch)
}

/// The code in what a key typed: the last run of so many digits. A slot may type
/// a name, a password and Enter as well, and of those nothing is kept
/// (onlykey.md section 0).
pub(crate) fn typed_by_key(typed: &str, digits: Digits) -> Result<&str, Rejection> {
    if typed.contains("NOTSET") {
        return Err(Rejection::NoClock);
    }
    let wanted = usize::from(digits.get());
    let runs = typed.split(|character: char| !character.is_ascii_digit());
    // Without such a run it is judged as it stands, and turned away with the reason.
    Ok(runs.rev().find(|run| run.len() == wanted).unwrap_or(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_key_types_the_last_code_counts() {
        let check = |typed, expected| {
            assert_eq!(typed_by_key(typed, Digits::SIX), expected, "{typed}");
        };
        check("004167", Ok("004167"));
        check("https://login/\tuser99\tpw1234567\t004167\n", Ok("004167"));
        check("NOTSET", Err(Rejection::NoClock));
        check("12345", Ok("12345"));
    }

    /// facts/microsoft-enrollment.md 1.2: the codes of 23:59:30 to 00:01:00.
    fn check(at: u64, typed: &str, expected: Result<i64, Rejection>) {
        let work = vec![0xd5, 0xc9, 0x07, 0xce, 0x7c, 0x3b, 0xfa, 0xc5, 0x82, 0xab];
        let verdict =
            judge(&SharedSecret::new(work), &Parameters::default(), typed, UnixTime::from_secs(at));
        assert_eq!(verdict, expected.map(|offset| Evidence::Typed { offset }), "{at} {typed}");
    }

    #[test]
    fn one_step_to_each_side_is_right_and_no_more() {
        check(1_893_456_000, "004167", Ok(0));
        check(1_893_456_029, "004 167", Ok(0));
        check(1_893_456_000, "857956", Ok(1));
        check(1_893_456_030, "004167", Ok(-1));
        check(1_893_456_060, "004167", Err(Rejection::NoMatch));
        check(1_893_455_970, "857956", Err(Rejection::NoMatch));
    }

    #[test]
    fn a_near_miss_is_no_pass() {
        check(1_893_456_000, "004168", Err(Rejection::NoMatch));
        check(1_893_456_000, "001467", Err(Rejection::NoMatch));
        let length = CodeError::WrongLength { got: 4, expected: 6 };
        check(1_893_456_000, "4167", Err(Rejection::NotACode(length)));
    }
}
