//! What a token really holds, and whether a reported state says so.

use std::hash::{DefaultHasher, Hash, Hasher};

use emulator::{Held, Kind, TrayId};
use oath::{Algorithm, Digits, Period};
use sower_tests::world::{World, canary};

/// What a token holds, as far as it matters to the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    name: Option<String>,
    secret: Secret,
    algorithm: Algorithm,
    digits: Digits,
    period: Option<Period>,
    kind: Kind,
    touch: bool,
}

/// A secret that can be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Secret {
    /// The one that is written.
    Canary,
    /// Another, by its length and a hash.
    Other(usize, u64),
}

pub(crate) fn holdings(world: &World, id: TrayId) -> Vec<Holding> {
    world.tray.holds(id).into_iter().map(Holding::of).collect()
}

impl Holding {
    fn of(held: Held) -> Self {
        let (canary, bytes) = (canary(), held.secret.expose());
        // What is stored may be padded with zeros.
        let is_canary = bytes
            .strip_prefix(canary.expose())
            .is_some_and(|padding| padding.iter().all(|byte| *byte == 0));
        let mut hash = DefaultHasher::new();
        bytes.hash(&mut hash);
        let secret =
            if is_canary { Secret::Canary } else { Secret::Other(bytes.len(), hash.finish()) };
        Self {
            secret,
            name: held.name,
            algorithm: held.algorithm,
            digits: held.digits,
            period: held.period,
            kind: held.kind,
            touch: held.touch,
        }
    }

    /// Whether it is the canary with the settings of its Key URI. Whether a code
    /// needs a touch is the token's kind.
    fn is_as_planned(&self) -> bool {
        self.secret == Secret::Canary
            && (self.algorithm, self.digits, self.kind)
                == (Algorithm::Sha1, Digits::SIX, Kind::Totp)
            && self.period.is_none_or(|period| period == Period::S30)
    }
}

/// Whether a reported state is what the token holds. `replaces` is what had to
/// give way, as the desk said before.
pub(crate) fn is_true(state: &str, replaces: &str, before: &[Holding], after: &[Holding]) -> bool {
    let (new, kept): (Vec<_>, Vec<_>) =
        after.iter().cloned().partition(|held| held.secret == Secret::Canary);
    let Some(gone) = gone(before, &kept) else {
        // Something is there that was not before and is not what was written.
        return state == "old-secret-new-settings" && has_new_settings(before, after);
    };
    match state {
        "untouched" => before == after,
        "written" => {
            let gave_way = match replaces {
                "nothing" => gone == 0,
                // A place may hold what is no shared secret.
                "entry" | "entry-not-told" | "whatever-is-there" => gone <= 1,
                other => panic!("no such word: {other}"),
            };
            matches!(&new[..], [one] if one.is_as_planned()) && gave_way
        }
        "emptied" => new.is_empty() && gone == 1,
        "old-secret-new-settings" => has_new_settings(before, after),
        other => panic!("no such state: {other}"),
    }
}

/// How many of those before are not there any more; `None` if something else is.
fn gone(before: &[Holding], kept: &[Holding]) -> Option<usize> {
    let mut left = before.to_vec();
    for held in kept {
        let at = left.iter().position(|other| other == held)?;
        left.remove(at);
    }
    Some(left.len())
}

fn has_new_settings(before: &[Holding], after: &[Holding]) -> bool {
    match (before, after) {
        ([old], [new]) => {
            old.secret == new.secret
                && new.secret != Secret::Canary
                && (new.algorithm, new.period) == (Algorithm::Sha1, Some(Period::S30))
        }
        _ => false,
    }
}
