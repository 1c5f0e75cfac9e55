//! From stages to views: nothing is decided here, and no secret passes.

use enroll::{Evidence, Planned, Rejection, Survey};
use intake::Credential;
use oath::{CodeError, Period};
use token::{
    Access, Capabilities, ClockRule, DRIVERS, Deed, Entry, EntryName, Guard, Misfit, NameRule,
    PeriodRule, Places, Presence, ProofClass, ReadOnlyReason, Rung, Taken,
};

use crate::look::{Look, Place};
use crate::problem::stranger_code;
use crate::{
    CredentialView, Facts, FamilyView, MisfitView, PlanView, Problem, Progress, SlotView,
    TokenView, VerdictView, WhatView,
};

pub(crate) fn facts<const N: usize>(facts: [(&str, String); N]) -> Facts {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn credential(credential: &Credential) -> CredentialView {
    let parameters = credential.parameters();
    CredentialView {
        issuer: credential.issuer().map(str::to_owned),
        organisation: credential.organisation().map(str::to_owned),
        account: credential.account().to_owned(),
        title: credential.display_name(),
        algorithm: parameters.algorithm.name().to_owned(),
        digits: parameters.digits.get(),
        period: parameters.period.as_secs(),
        secret_bytes: u32::try_from(credential.secret().len()).unwrap_or(u32::MAX),
        notes: credential.notes().iter().map(|note| note.code().to_owned()).collect(),
    }
}

pub(crate) fn token(place: &Place, look: &Look) -> TokenView {
    let what = match look {
        Look::Token(survey) => what(survey),
        Look::Stranger(stranger) => {
            WhatView::Stranger { code: stranger_code(*stranger).to_owned() }
        }
        Look::Trouble(error) => WhatView::Trouble { problem: Problem::from(error) },
    };
    TokenView {
        id: place.id(),
        practice: place.is_practice(),
        reader: place.reader().to_owned(),
        what,
    }
}

fn what(survey: &Survey) -> WhatView {
    let identity = survey.identity();
    let capabilities = survey.capabilities();
    WhatView::Token {
        family: identity.family.to_owned(),
        model: identity.model.clone(),
        serial: identity.serial.0.clone(),
        firmware: identity.firmware.clone(),
        clock_offset: survey.clock_offset(),
        locked: survey.is_guarded(),
        tries_left: match capabilities.guard {
            Guard::Pin { tries_left } => tries_left,
            Guard::None | Guard::Password | Guard::FactoryKey => None,
        },
        read_only: match capabilities.access {
            Access::Writable => None,
            Access::ReadOnly(reason) => Some(read_only_code(reason).to_owned()),
        },
        proof: proof_code(capabilities.proof).to_owned(),
        evidence: rung_code(evidence(identity.family)).to_owned(),
    }
}

pub(crate) fn plan(planned: &Planned) -> PlanView {
    PlanView {
        name: planned.name().map(str::to_owned),
        slot: planned.slot().and_then(|chosen| {
            slots(planned).into_iter().find(|slot| slot.number == chosen.number)
        }),
        slots: slots(planned),
        presence: presence_code(planned.survey().capabilities().presence).to_owned(),
        replaces: planned.replaces().code().to_owned(),
        sets_clock: sets_clock(planned),
    }
}

fn slots(planned: &Planned) -> Vec<SlotView> {
    let entries = planned.survey().entries().unwrap_or_default().iter();
    let view = |entry: &Entry| {
        let slot = entry.slot.as_ref()?;
        Some(SlotView {
            number: slot.number,
            label: slot.label.clone(),
            name: entry.name.clone(),
            taken: taken_code(entry.taken).to_owned(),
        })
    };
    entries.filter_map(view).collect()
}

/// Whether the write will set the token's clock from this computer's.
pub(crate) fn sets_clock(planned: &Planned) -> bool {
    match planned.survey().capabilities().clock {
        ClockRule::None => false,
        ClockRule::SetOnWrite { .. } => true,
    }
}

pub(crate) fn misfit(misfit: &Misfit) -> MisfitView {
    let (code, facts) = match misfit {
        Misfit::ReadOnly(reason) => (read_only_code(*reason), Facts::new()),
        Misfit::SecretLength { bytes, least, most } => (
            "secret-length",
            facts([
                ("bytes", bytes.to_string()),
                ("least", least.to_string()),
                ("most", most.to_string()),
            ]),
        ),
        Misfit::Algorithm { wanted, known } => {
            let known: Vec<_> = known.iter().map(|algorithm| algorithm.name()).collect();
            (
                "algorithm",
                facts([("wanted", wanted.name().to_owned()), ("known", known.join(", "))]),
            )
        }
        Misfit::Digits { wanted, known } => {
            let known: Vec<_> = known.iter().map(u8::to_string).collect();
            ("digits", facts([("wanted", wanted.to_string()), ("known", known.join(", "))]))
        }
        Misfit::SecretZeros => ("secret-zeros", Facts::new()),
        Misfit::NoSuchSlot => ("no-such-slot", Facts::new()),
        Misfit::Period { wanted, known } => {
            let known: Vec<_> = known.iter().map(u32::to_string).collect();
            ("period", facts([("wanted", wanted.to_string()), ("known", known.join(", "))]))
        }
        Misfit::NameLength { bytes, most, shorter } => (
            "name-length",
            facts([
                ("bytes", bytes.to_string()),
                ("most", most.to_string()),
                ("shorter", shorter.clone()),
            ]),
        ),
        Misfit::NameMixedUp { other } => ("name-mixed-up", facts([("other", other.clone())])),
        Misfit::NameForm => ("name-form", Facts::new()),
    };
    MisfitView { code: code.to_owned(), facts }
}

pub(crate) fn evidence_verdict(evidence: Evidence) -> VerdictView {
    match evidence {
        Evidence::Computed => {
            VerdictView { code: "right-computed".to_owned(), facts: Facts::new() }
        }
        Evidence::Typed { offset } => VerdictView {
            code: "right-typed".to_owned(),
            facts: facts([("offset", offset.to_string())]),
        },
        Evidence::Told { offset } => VerdictView {
            code: "right-told".to_owned(),
            facts: facts([("offset", offset.to_string())]),
        },
    }
}

/// `typed` tells a display's code from one that is given beside a key's own proof:
/// switching a key off and on is no advice.
pub(crate) fn rejection(rejection: Rejection, typed: bool) -> VerdictView {
    let (code, facts) = match rejection {
        Rejection::NoClock => ("no-clock", Facts::new()),
        Rejection::NoMatch if typed => ("no-match", Facts::new()),
        Rejection::NoMatch => ("no-match-beside-proof", Facts::new()),
        Rejection::NotACode(CodeError::Empty) => ("code-empty", Facts::new()),
        Rejection::NotACode(CodeError::NotADigit) => ("code-not-digits", Facts::new()),
        Rejection::NotACode(CodeError::WrongLength { got, expected }) => (
            "code-wrong-length",
            facts([("got", got.to_string()), ("expected", expected.to_string())]),
        ),
    };
    VerdictView { code: code.to_owned(), facts }
}

/// Of a code that a token told over its reader: nobody mistyped it.
pub(crate) fn told_rejection(rejection: Rejection) -> VerdictView {
    match rejection {
        Rejection::NoMatch => VerdictView { code: "no-match-told".to_owned(), facts: Facts::new() },
        Rejection::NoClock | Rejection::NotACode(_) => self::rejection(rejection, true),
    }
}

pub(crate) fn families() -> Vec<FamilyView> {
    let view = |family: &'static token::Family| FamilyView {
        family: family.name.to_owned(),
        title: family.title.to_owned(),
        models: family.models.iter().map(|model| (*model).to_owned()).collect(),
        channel: family.channel.to_owned(),
        proof: proof_code(family.capabilities.proof).to_owned(),
        limits: limits(&family.capabilities),
        evidence: rung_code(family.evidence).to_owned(),
        evidence_source: family.evidence_source.to_owned(),
        seen_on_hardware: family.evidence == Rung::Hardware,
    };
    DRIVERS.iter().map(|driver| view(driver.family())).collect()
}

fn limits(capabilities: &Capabilities) -> Facts {
    let range = |least: String, most: String| {
        if least == most { least } else { format!("{least}-{most}") }
    };
    let periods = |known: &[Period]| {
        let known: Vec<_> = known.iter().map(|period| period.as_secs().to_string()).collect();
        format!("{} s", known.join(" or "))
    };
    let algorithms: Vec<_> = capabilities.algorithms.iter().map(|known| known.name()).collect();
    facts([
        (
            "secret",
            format!(
                "{} bytes",
                range(
                    capabilities.secret.start().to_string(),
                    capabilities.secret.end().to_string()
                )
            ),
        ),
        ("algorithms", algorithms.join(", ")),
        ("digits", capabilities.digits.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")),
        (
            "period",
            match &capabilities.period {
                PeriodRule::Stored(known) => periods(known),
                PeriodRule::Within(range) => format!("{}-{} s", range.start(), range.end()),
                PeriodRule::InName => "any".to_owned(),
                PeriodRule::HostOnly => "not stored".to_owned(),
            },
        ),
        (
            "name",
            match capabilities.name {
                NameRule::None => "none".to_owned(),
                NameRule::Entry(EntryName { fields: Some((service, account)), .. }) => {
                    format!("{service} and {account} bytes")
                }
                NameRule::Entry(EntryName { most_bytes, .. }) => format!("{most_bytes} bytes"),
                NameRule::Title { most_bytes } => format!("title of {most_bytes} bytes"),
            },
        ),
        (
            "places",
            match capabilities.places {
                Places::Single => "1".to_owned(),
                Places::Slots { count } => format!("{count} slots"),
                Places::Named { most: Some(most), .. } => most.to_string(),
                Places::Named { most: None, .. } | Places::Unlisted => "not told".to_owned(),
            },
        ),
    ])
}

fn evidence(family: &str) -> Rung {
    let family = DRIVERS.iter().map(|driver| driver.family()).find(|known| known.name == family);
    family.map_or(Rung::Sheet, |family| family.evidence)
}

const fn read_only_code(reason: ReadOnlyReason) -> &'static str {
    match reason {
        ReadOnlyReason::UnknownModel => "read-only-unknown-model",
    }
}

const fn proof_code(proof: ProofClass) -> &'static str {
    match proof {
        ProofClass::Computes => "computes",
        ProofClass::ReadsClock => "reads-clock",
        ProofClass::Types => "types",
        ProofClass::Displays => "displays",
    }
}

pub(crate) const fn deed(deed: Deed) -> Progress {
    match deed {
        Deed::Touch => Progress::Touch,
        Deed::Approve => Progress::Approve,
    }
}

const fn presence_code(presence: Presence) -> &'static str {
    match presence {
        Presence::None => "none",
        Presence::TouchToReplace => "touch-to-replace",
        Presence::PressAfter => "press-after",
        Presence::ApproveOnDevice => "approve-on-device",
    }
}

const fn taken_code(taken: Taken) -> &'static str {
    match taken {
        Taken::Yes => "yes",
        Taken::No => "no",
        Taken::NotTold => "not-told",
    }
}

const fn rung_code(rung: Rung) -> &'static str {
    match rung {
        Rung::Sheet => "sheet",
        Rung::Emulator => "emulator",
        Rung::Vectors => "vectors",
        Rung::MakersBytes => "makers-bytes",
        Rung::OthersCode => "others-code",
        Rung::Hardware => "hardware",
    }
}
