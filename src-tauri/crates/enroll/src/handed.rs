//! The other line, for closed tokens: captured, handed over, reported, checked.
//!
//! Only the maker's tool writes these tokens, and Sower does not see the tool. Of the
//! token it sees at most a code that it tells over its reader. So no stage here says what a token holds: [`Handed`] means that the
//! operator may look at the secret, [`Reported`] that somebody said that the tool
//! has written it, and only a right code makes a [`Checked`]. The receipts of this
//! line say that the maker's tool wrote, and claim nothing that Sower did not see.

use intake::Credential;
use oath::{Code, UnixTime};
use token::{ClosedModel, Label, Misfit, Origin, SeedForm, Wish};

use crate::receipt::{ReceiptCredential, ReceiptEvidence, ReceiptToken, WrittenBy, rfc3339};
use crate::seed::SeedText;
use crate::{Captured, Evidence, Outcome, Receipt, Rejection, judge};

/// The most characters of a serial number that are kept.
const LONGEST_SERIAL: usize = 64;

/// A credential for a closed token, in the operator's hands.
#[derive(Debug)]
pub struct Handed {
    captured: Captured,
    model: &'static ClosedModel,
    serial: Option<String>,
}

impl Captured {
    /// Hands the credential over to the maker's tool, if what is known of the model
    /// lets it fit. `serial` is what stands on the token's back, where somebody
    /// typed it.
    pub fn hand_over(
        self,
        model: &'static ClosedModel,
        serial: Option<&str>,
    ) -> Result<Handed, (Self, Vec<Misfit>)> {
        let wish = Wish {
            secret: self.credential().secret(),
            parameters: *self.credential().parameters(),
            // The tool asks for a name itself, if the token holds one.
            label: Label::default(),
            name: None,
        };
        match model.capabilities().plan(&wish) {
            // There is nothing to send, so the plan itself has done its work.
            Ok(_) => Ok(Handed { captured: self, model, serial: serial.and_then(clean) }),
            Err(misfits) => Err((self, misfits)),
        }
    }
}

impl Handed {
    /// Whose it is.
    pub const fn credential(&self) -> &Credential {
        self.captured.credential()
    }

    /// The model of the token.
    pub const fn model(&self) -> &'static ClosedModel {
        self.model
    }

    /// The serial number that somebody typed.
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// The secret as text, to be shown because somebody pressed for it, once; `None`
    /// for a form that the maker's tool does not take.
    pub fn seed(&self, form: SeedForm) -> Option<SeedText> {
        self.model.forms.contains(&form).then(|| SeedText::of(self.credential(), form))
    }

    /// Takes somebody's word, given at `at`, that the maker's tool has written it.
    pub const fn written(self, at: UnixTime) -> Reported {
        Reported { handed: self, at }
    }

    /// Back to the choice of a token.
    pub fn back(self) -> Captured {
        self.captured
    }
}

/// Somebody said that the maker's tool has written the secret; nothing is proven and
/// Sower has seen nothing. Only a code leads on, typed by a person or told by the token.
#[derive(Debug)]
#[must_use = "a word is no proof"]
pub struct Reported {
    handed: Handed,
    at: UnixTime,
}

impl Reported {
    /// What was handed over.
    pub const fn handed(&self) -> &Handed {
        &self.handed
    }

    /// Judges a code that a person typed at `at`.
    pub fn judge(self, typed: &str, at: UnixTime) -> Result<Checked, (Self, Rejection)> {
        let credential = self.handed.credential();
        match judge(credential.secret(), credential.parameters(), typed, at) {
            Ok(evidence) => Ok(Checked { reported: self, at, evidence, practice: false }),
            Err(rejection) => Err((self, rejection)),
        }
    }

    /// Judges a code that the token told over its reader at `at`, by the same rule.
    pub fn judge_told(
        self,
        told: &Code,
        at: UnixTime,
        origin: Origin,
    ) -> Result<Checked, (Self, Rejection)> {
        let practice = origin == Origin::Practice;
        self.judge(&told.expose(), at).map(|checked| {
            let evidence = match checked.evidence {
                Evidence::Typed { offset } | Evidence::Told { offset } => Evidence::Told { offset },
                Evidence::Computed => Evidence::Computed,
            };
            Checked { evidence, practice, ..checked }
        })
    }

    /// Takes the word back: the tool is to write once more.
    pub fn again(self) -> Handed {
        self.handed
    }

    /// Ends without a right code.
    pub const fn give_up(self, at: UnixTime) -> Unchecked {
        Unchecked { reported: self, at }
    }

    fn receipt(&self, sower: &'static str, outcome: Outcome, ended_at: UnixTime) -> Receipt {
        let Handed { captured, model, serial } = &self.handed;
        Receipt {
            schema: "sower-receipt/1",
            sower,
            outcome,
            written_by: WrittenBy::MakersTool,
            // What a maker's tool wrote is real; only a code can be a practice token's.
            practice: false,
            token: ReceiptToken {
                family: model.code,
                model: format!("{} {}", model.maker, model.model),
                serial: serial.clone(),
                firmware: None,
                entry: None,
                slot: None,
                replaced: "not-told",
                clock_offset_before: None,
                clock_offset_after: None,
            },
            credential: ReceiptCredential::of(captured.credential()),
            written_at: None,
            reported_at: Some(rfc3339(self.at)),
            ended_at: rfc3339(ended_at),
            evidence: None,
        }
    }
}

/// A code of the token was right: it holds the secret, whoever wrote it.
#[derive(Debug)]
pub struct Checked {
    reported: Reported,
    at: UnixTime,
    evidence: Evidence,
    /// Whether the code was a practice token's.
    practice: bool,
}

impl Checked {
    /// What was handed over.
    pub const fn handed(&self) -> &Handed {
        self.reported.handed()
    }

    /// What the confirmation rests on, a code that was typed or told.
    pub const fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// Whether the code was a practice token's.
    pub const fn is_practice(&self) -> bool {
        self.practice
    }

    /// The receipt. `sower` is the program's version.
    pub fn receipt(&self, sower: &'static str) -> Receipt {
        let evidence = Some(ReceiptEvidence::from(self.evidence));
        let practice = self.practice;
        Receipt { practice, evidence, ..self.reported.receipt(sower, Outcome::Confirmed, self.at) }
    }
}

/// The operator stopped before a right code. What the token holds is not known.
#[derive(Debug)]
pub struct Unchecked {
    reported: Reported,
    at: UnixTime,
}

impl Unchecked {
    /// What was handed over.
    pub const fn handed(&self) -> &Handed {
        self.reported.handed()
    }

    /// The receipt, which says that somebody reported a write and nothing was checked.
    pub fn receipt(&self, sower: &'static str) -> Receipt {
        self.reported.receipt(sower, Outcome::ReportedNotConfirmed, self.at)
    }
}

/// A serial number as people type it, without what cannot be seen.
fn clean(serial: &str) -> Option<String> {
    let seen = serial.trim().chars().filter(|c| !c.is_control()).take(LONGEST_SERIAL);
    Some(seen.collect::<String>()).filter(|serial| !serial.is_empty())
}

#[cfg(test)]
mod tests {
    use intake::{Finding, Source, classify};

    use super::*;

    /// facts/microsoft-enrollment.md 1.2; its code at 2030-01-01 00:00:00 is 004167.
    const WORK: &str =
        "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl&issuer=Microsoft";
    const NEW_YEAR: UnixTime = UnixTime::from_secs(1_893_456_000);

    fn captured(text: &str) -> Captured {
        match classify(text, Source::Typed) {
            Finding::Credential(credential) => Captured::new(credential),
            other => panic!("no credential: {other:?}"),
        }
    }

    fn handed(code: &str) -> Handed {
        let model = ClosedModel::of(code).expect("a closed model");
        captured(WORK).hand_over(model, Some(" 2600\u{7}123 ")).expect("it fits")
    }

    #[test]
    fn a_right_code_confirms_and_the_receipt_says_who_wrote() {
        let reported = handed("deepnet-safeid-diamond").written(NEW_YEAR);
        let (reported, rejection) = reported.judge("004168", NEW_YEAR).expect_err("a wrong code");
        assert_eq!(rejection, Rejection::NoMatch);
        let checked = reported.judge("004 167", NEW_YEAR).expect("the right code");
        assert_eq!(checked.evidence(), Evidence::Typed { offset: 0 });
        let receipt = checked.receipt("0");
        assert_eq!(receipt.outcome, Outcome::Confirmed);
        assert_eq!(receipt.written_by, WrittenBy::MakersTool);
        assert_eq!(receipt.token.family, "deepnet-safeid-diamond");
        assert_eq!(receipt.token.serial.as_deref(), Some("2600123"));
    }

    #[test]
    fn a_code_that_was_told_is_judged_by_the_same_rule() {
        let told = |digits| Code::typed(digits, oath::Digits::SIX).expect("six digits");
        let judge = |digits, at, origin| {
            handed("protectimus-slim-nfc").written(NEW_YEAR).judge_told(&told(digits), at, origin)
        };
        let (_, rejection) = judge("004168", NEW_YEAR, Origin::Bus).expect_err("a wrong code");
        assert_eq!(rejection, Rejection::NoMatch);
        let later = UnixTime::from_secs(NEW_YEAR.as_secs() + 30);
        let checked = judge("004167", later, Origin::Bus).expect("the right code");
        assert_eq!(checked.evidence(), Evidence::Told { offset: -1 });
        let receipt = checked.receipt("0");
        assert_eq!(receipt.evidence, Some(ReceiptEvidence::Told { offset_steps: -1 }));
        assert!(!receipt.practice);
        let practice = judge("004167", NEW_YEAR, Origin::Practice).expect("the right code");
        assert!(practice.is_practice() && practice.receipt("0").practice);
    }

    #[test]
    fn what_sower_did_not_see_is_not_claimed() {
        let unchecked = handed("feitian-nfc-otp").written(NEW_YEAR).give_up(NEW_YEAR);
        let receipt = unchecked.receipt("0");
        assert_eq!(receipt.outcome, Outcome::ReportedNotConfirmed);
        assert_eq!(receipt.evidence, None);
        assert_eq!(receipt.written_at, None);
        assert_eq!(receipt.reported_at.as_deref(), Some("2030-01-01T00:00:00Z"));
        assert_eq!(receipt.token.replaced, "not-told");
    }

    #[test]
    fn what_the_facts_rule_out_is_not_handed_over() {
        let slim = ClosedModel::of("protectimus-slim-nfc").expect("a closed model");
        let text = "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&digits=8";
        let (captured, misfits) = captured(text).hand_over(slim, None).expect_err("eight digits");
        assert!(matches!(misfits[..], [Misfit::Digits { wanted: 8, .. }]));
        assert_eq!(captured.credential().parameters().digits.get(), 8, "it came back");
    }

    #[test]
    fn a_form_that_the_tool_does_not_take_is_not_given() {
        let handed = handed("feitian-nfc-otp");
        assert!(handed.seed(SeedForm::Base32).is_some());
        assert!(handed.seed(SeedForm::Hex).is_none());
        assert!(handed.seed(SeedForm::KeyUriQr).is_none());
        assert_eq!(format!("{:?}", handed.credential().secret()), "SharedSecret(10 bytes)");
    }

    #[test]
    fn a_word_can_be_taken_back() {
        let handed = handed("token2-molto-1").written(NEW_YEAR).again();
        assert_eq!(handed.serial(), Some("2600123"));
        assert_eq!(handed.back().credential().account(), "adele@contoso.com");
        assert_eq!(clean(" \t"), None);
    }
}
