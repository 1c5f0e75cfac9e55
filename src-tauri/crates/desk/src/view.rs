//! What a window or a terminal is shown: the contract between desk and window.
//!
//! Every type here is data without a secret: no seed, no Key URI, no code, no
//! scanned text. Sentences are not here either; a `code` is looked up in the
//! words (`ui/locales`), together with its `facts`. The TypeScript in
//! `ui/src/contract` is generated from these types and a test keeps it current.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

/// Facts for a sentence, by the name that the words use.
pub type Facts = BTreeMap<String, String>;

/// The stage that the run is in, with all that there is to show of it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum RunView {
    /// Nothing was read yet.
    Empty,
    /// Something was read; one of its findings has to be chosen.
    Found {
        /// What is in it.
        picture: PictureView,
    },
    /// What was handed over cannot be read without an answer.
    Asked {
        /// What is asked: `password-needed`, `key-needed` or `encoding-needed`.
        question: SaidView,
        /// How the secret may be written, the likeliest first; for `encoding-needed`.
        encodings: Vec<String>,
        /// What came of the last answer, if it was not right.
        refusal: Option<SaidView>,
    },
    /// A credential is at hand; a token has to be chosen.
    Captured {
        /// Whose it is.
        credential: CredentialView,
    },
    /// The token wants its password.
    Locked {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// What it wants: `password`, `pin` or `key`.
        guard: String,
        /// What went wrong with the last password, if one was tried.
        problem: Option<Problem>,
    },
    /// The maker's tool writes this token; the secret is shown on a press only.
    Assisted {
        /// Whose it is.
        credential: CredentialView,
        /// The model that was chosen.
        model: ClosedView,
        /// What rules this credential out; empty where it may be written.
        misfits: Vec<MisfitView>,
        /// What the token on a reader told, where it was asked.
        told: Option<ToldView>,
    },
    /// The credential does not fit the token.
    Unfit {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// Everything that does not fit.
        misfits: Vec<MisfitView>,
    },
    /// Ready to write.
    Planned {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// What will be written.
        plan: PlanView,
    },
    /// The write failed; `problem.token` says what the token holds.
    Failed {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// What went wrong.
        problem: Problem,
        /// Whether the token can be asked what it holds.
        can_settle: bool,
    },
    /// Written; the token's code is still to be judged.
    Written {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// What went wrong with the proof so far, if anything.
        problem: Option<Problem>,
        /// What became of the last code that was typed.
        verdict: Option<VerdictView>,
        /// Digits that a code has.
        digits: u8,
        /// Seconds of one code.
        period: u32,
        /// Whether the code has to be typed (else the token computes it: try again).
        typed: bool,
        /// How the code comes to light: `switch-off-on`, `choose-place` or `press-key`;
        /// `makers-tool` where somebody said that the maker's tool has written.
        how: String,
        /// The place that was written, where places have numbers.
        slot: Option<String>,
        /// Seconds by which the token's clock was ahead of this computer's right
        /// after the write, where it is told.
        #[ts(type = "number | null")]
        clock_offset: Option<i64>,
        /// What a closed token on a reader told, where it was asked.
        told: Option<ToldView>,
    },
    /// Proven.
    Confirmed {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// The verdict.
        verdict: VerdictView,
        /// Whether the receipt was saved.
        receipt_saved: bool,
    },
    /// The operator stopped before the proof: written, not confirmed.
    Unconfirmed {
        /// Whose it is.
        credential: CredentialView,
        /// The token.
        token: TokenView,
        /// Whether the receipt was saved.
        receipt_saved: bool,
    },
}

/// What is in a picture, a text, a file or several of them.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct PictureView {
    /// Width in pixels; 0 where it is not one picture.
    pub width: u32,
    /// Height in pixels; 0 where it is not one picture.
    pub height: u32,
    /// Codes that were located and could not be read.
    pub unread: u32,
    /// Whether a longer look at what was not read is possible.
    pub longer: bool,
    /// What it is as people know it, such as `Aegis vault`, where it is a list.
    pub title: Option<String>,
    /// Every code or entry, from top to bottom.
    pub findings: Vec<FindingView>,
    /// What is to be said of the whole.
    pub remarks: Vec<SaidView>,
}

/// One code of a picture or one entry of a file.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct FindingView {
    /// Its id in this run.
    pub id: u32,
    /// Among which words `code` is: `finding`, `problem` or `question`.
    pub kind: String,
    /// What it is: `credential`, or the code of a reason.
    pub code: String,
    /// Facts for the words of `code`.
    pub facts: Facts,
    /// Present when it can be enrolled.
    pub credential: Option<CredentialView>,
    /// Whose it is, as far as it says; also where it cannot be enrolled.
    pub name: String,
    /// Serial number, maker and model of the token that it belongs to, where told.
    pub token: Option<String>,
    /// The file that it is from, where there are several.
    pub file: Option<String>,
    /// Its corners in the picture, in pixels: top left, top right, bottom right,
    /// bottom left.
    pub corners: Option<[(f32, f32); 4]>,
}

/// A code with its facts, to be looked up in the words.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct SaidView {
    /// The code.
    pub code: String,
    /// The facts that the words name.
    pub facts: Facts,
}

/// A credential without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct CredentialView {
    /// The service.
    pub issuer: Option<String>,
    /// The tenant or other prefix of the label.
    pub organisation: Option<String>,
    /// The account.
    pub account: String,
    /// One line that tells this credential from others.
    pub title: String,
    /// `SHA-1`, `SHA-256` or `SHA-512`.
    pub algorithm: String,
    /// Number of digits.
    pub digits: u8,
    /// Seconds of one code.
    pub period: u32,
    /// Length of the secret in bytes.
    pub secret_bytes: u32,
    /// Codes of things that a person should know about it.
    pub notes: Vec<String>,
}

/// The tokens that are there.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct TokensView {
    /// Why the bus could not be looked at, if so.
    pub problem: Option<Problem>,
    /// What is there, practice tokens last.
    pub tokens: Vec<TokenView>,
}

/// One thing in or on a reader.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct TokenView {
    /// Its id; a token that is taken away and put back gets another.
    pub id: String,
    /// Whether it is a practice token.
    pub practice: bool,
    /// The reader's name.
    pub reader: String,
    /// What it is.
    pub what: WhatView,
}

/// What is in or on a reader.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WhatView {
    /// A token of a known family.
    Token {
        /// The family's name.
        family: String,
        /// The model.
        model: String,
        /// The serial number or device id.
        serial: String,
        /// The firmware's version.
        firmware: Option<String>,
        /// Seconds by which its clock is ahead of this computer's.
        #[ts(type = "number | null")]
        clock_offset: Option<i64>,
        /// Whether it wants a password or a PIN.
        locked: bool,
        /// Tries that are left for it, where that is told.
        tries_left: Option<u8>,
        /// Code of the reason why it is not written to.
        read_only: Option<String>,
        /// How its next code is checked: `computes`, `reads-clock`, `types` or
        /// `displays`.
        proof: String,
        /// The highest rung of the evidence ladder: `sheet`, `emulator`,
        /// `vectors`, `makers-bytes`, `others-code` or `hardware`.
        evidence: String,
    },
    /// A token that only its maker's tool writes and that is on no reader.
    Closed {
        /// The model's code.
        code: String,
        /// The maker and the model.
        model: String,
        /// The serial number, where somebody typed it.
        serial: Option<String>,
    },
    /// Something else; the code of what it is.
    Stranger {
        /// `storage-card`, `fido-key`, `nitrokey-3` or `unknown-card`.
        code: String,
    },
    /// It could not be asked.
    Trouble {
        /// Why.
        problem: Problem,
    },
}

/// What will be written.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct PlanView {
    /// The entry's name, where the token holds names.
    pub name: Option<String>,
    /// The place that it goes to, where places have numbers.
    pub slot: Option<SlotView>,
    /// All places, where they have numbers.
    pub slots: Vec<SlotView>,
    /// Whether a person has to be there: `none`, `touch-to-replace`,
    /// `press-after` or `approve-on-device`.
    pub presence: String,
    /// What will be replaced: `nothing`, `entry`, `entry-not-told` or
    /// `whatever-is-there`.
    pub replaces: String,
    /// Whether the token's clock will be set.
    pub sets_clock: bool,
}

/// A numbered place of a token.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct SlotView {
    /// Its number, for choosing it.
    pub number: u16,
    /// What its owner knows it by.
    pub label: String,
    /// The title of what is there; empty if it has none.
    pub name: String,
    /// Whether something is there: `yes`, `no` or `not-told`.
    pub taken: String,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct MisfitView {
    /// Its code.
    pub code: String,
    /// Facts for its words.
    pub facts: Facts,
}

/// What became of a code, or of the token's own computation.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct VerdictView {
    /// `right-computed`, `right-typed`, `right-told`, `no-match`, `not-a-code`, ...
    pub code: String,
    /// Facts for its words.
    pub facts: Facts,
}

/// A token family, for tables.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct FamilyView {
    /// The family's name.
    pub family: String,
    /// The name for people.
    pub title: String,
    /// Its models.
    pub models: Vec<String>,
    /// The channel.
    pub channel: String,
    /// `computes`, `reads-clock`, `types` or `displays`.
    pub proof: String,
    /// Limits in one line each: `secret`, `algorithms`, `digits`, `period`, `name`, `places`.
    pub limits: Facts,
    /// The highest rung of the evidence ladder.
    pub evidence: String,
    /// Where that evidence comes from.
    pub evidence_source: String,
    /// Whether anyone has run it on real hardware.
    pub seen_on_hardware: bool,
}

/// A model that only its maker's tool can write.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ClosedView {
    /// The model's code.
    pub code: String,
    /// Who makes it.
    pub maker: String,
    /// The model's name.
    pub model: String,
    /// The maker's tool, where one is known.
    pub tool: Option<String>,
    /// The forms of a secret that the tool takes, the handiest first: `base32`, `hex`
    /// or `qr`.
    pub forms: Vec<String>,
    /// Codes of what to do, in order; where the facts end stands `makers-manual`.
    pub steps: Vec<String>,
    /// Codes of what nobody knows for sure.
    pub doubts: Vec<String>,
    /// Whether part of its protocol is public, so that one on a reader can be asked who
    /// it is and for its code, and its clock can be set.
    pub readable: bool,
    /// Where the facts come from.
    pub source: String,
}

/// What a closed token on a reader tells of itself. No code is in it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ToldView {
    /// The id of what lies on the reader.
    pub token: String,
    /// Whether it is a practice token.
    pub practice: bool,
    /// The reader's name.
    pub reader: String,
    /// The hardware scheme.
    pub hardware: String,
    /// The firmware's version.
    pub firmware: String,
    /// Whether it says that it has a clock.
    pub has_clock: bool,
    /// Seconds of one code.
    pub period: u32,
    /// What became of its clock: `not-asked`; `taken` where the token took the time;
    /// `not-known` where its answer was none of the protocol.
    pub clock: String,
    /// What a person should know about it.
    pub warnings: Vec<MisfitView>,
}

/// What went wrong: a code with facts, and what the token holds now.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Problem {
    /// The code that the words are looked up by.
    pub code: String,
    /// Facts for the words. Where `longer` is among them, a longer look is possible.
    pub facts: Facts,
    /// What the token holds, where it was to be changed: `untouched`, `written`,
    /// `emptied`, `old-secret-new-settings` or `unknown`.
    pub token: Option<String>,
}

/// How far a write has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Opening the token.
    Connecting,
    /// Writing.
    Writing,
    /// Waiting for somebody to touch the token.
    Touch,
    /// Waiting for somebody to say yes on the token's own screen.
    Approve,
    /// Asking the token for its proof.
    Proving,
    /// Asking the token what it holds after a broken connection.
    Settling,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use ts_rs::{Config, TS};

    use super::*;

    /// The window's copy of one type. `SOWER_BLESS=1` writes it, a plain run
    /// compares.
    fn check<T: TS + 'static + ?Sized>(wrong: &mut Vec<String>) {
        let config = Config::default();
        let name = T::ident(&config);
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../ui/src/contract")
            .join(format!("{name}.ts"));
        let text = T::export_to_string(&config).expect("a type of this file can be exported");
        if std::env::var_os("SOWER_BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            fs::write(&path, &text).expect("the contract is written");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            wrong.push(name);
        }
    }

    #[test]
    fn the_windows_contract_is_current() {
        let mut wrong = Vec::new();
        check::<RunView>(&mut wrong);
        check::<PictureView>(&mut wrong);
        check::<SaidView>(&mut wrong);
        check::<FindingView>(&mut wrong);
        check::<CredentialView>(&mut wrong);
        check::<TokensView>(&mut wrong);
        check::<TokenView>(&mut wrong);
        check::<WhatView>(&mut wrong);
        check::<PlanView>(&mut wrong);
        check::<SlotView>(&mut wrong);
        check::<MisfitView>(&mut wrong);
        check::<VerdictView>(&mut wrong);
        check::<FamilyView>(&mut wrong);
        check::<ClosedView>(&mut wrong);
        check::<ToldView>(&mut wrong);
        check::<Problem>(&mut wrong);
        check::<Progress>(&mut wrong);
        assert!(wrong.is_empty(), "run with SOWER_BLESS=1: {wrong:?}");
    }
}
