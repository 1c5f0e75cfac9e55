//! The receipt: what was done, for whom, on which token, and on what evidence.
//!
//! It holds no secret, no code and no Key URI, and it can be made by the last
//! stages only.

use intake::Credential;
use oath::UnixTime;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Evidence;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The token's next code was checked and is right.
    Confirmed,
    /// The secret is on the token, and nothing was checked.
    WrittenNotConfirmed,
    /// Somebody said that the maker's tool wrote it, and nothing was checked.
    ReportedNotConfirmed,
}

/// Who wrote the secret to the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrittenBy {
    /// This program.
    Sower,
    /// The tool of the token's maker, as somebody said: Sower did not see the tool, and
    /// what stands here of the token was typed. It saw the token only where the
    /// evidence is a code that the token told.
    MakersTool,
}

/// A receipt, for people and for machines. Field names are stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Form of this receipt, `sower-receipt/1`.
    pub schema: &'static str,
    /// The program's version.
    pub sower: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Who wrote the secret.
    pub written_by: WrittenBy,
    /// True when the token was a practice token, and nothing real was written.
    pub practice: bool,
    /// The token.
    pub token: ReceiptToken,
    /// The credential, without its secret.
    pub credential: ReceiptCredential,
    /// When it was written, RFC 3339, by this computer's clock; absent where the
    /// maker's tool wrote it.
    pub written_at: Option<String>,
    /// When somebody said that the maker's tool had written it; absent where Sower
    /// wrote it.
    pub reported_at: Option<String>,
    /// When it ended, RFC 3339, by this computer's clock.
    pub ended_at: String,
    /// What the confirmation rests on; absent without one.
    pub evidence: Option<ReceiptEvidence>,
}

/// The token of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptToken {
    /// The family's name, or the code of a closed model.
    pub family: &'static str,
    /// The model.
    pub model: String,
    /// The serial number or device id; for a closed token what somebody typed.
    pub serial: Option<String>,
    /// The firmware's version, where it is told.
    pub firmware: Option<String>,
    /// The entry's name, where the token holds names.
    pub entry: Option<String>,
    /// The place's label, where places have numbers.
    pub slot: Option<String>,
    /// What had to give way: `nothing`, `entry` or `whatever-is-there`; `not-told`
    /// where the maker's tool wrote it.
    pub replaced: &'static str,
    /// Seconds by which its clock was ahead of this computer's before the write.
    pub clock_offset_before: Option<i64>,
    /// The same right after the write.
    pub clock_offset_after: Option<i64>,
}

/// The credential of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptCredential {
    /// The service.
    pub issuer: Option<String>,
    /// The tenant or other prefix of the label.
    pub organisation: Option<String>,
    /// The account.
    pub account: String,
    /// The hash.
    pub algorithm: &'static str,
    /// Number of digits.
    pub digits: u8,
    /// Seconds of one code.
    pub period: u32,
    /// Length of the secret in bytes.
    pub secret_bytes: usize,
}

impl ReceiptCredential {
    pub(crate) fn of(credential: &Credential) -> Self {
        let parameters = credential.parameters();
        Self {
            issuer: credential.issuer().map(str::to_owned),
            organisation: credential.organisation().map(str::to_owned),
            account: credential.account().to_owned(),
            algorithm: parameters.algorithm.name(),
            digits: parameters.digits.get(),
            period: parameters.period.as_secs(),
            secret_bytes: credential.secret().len(),
        }
    }
}

/// What a confirmation rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ReceiptEvidence {
    /// The token computed a random challenge and the next step.
    Computed,
    /// A typed code was right.
    Typed {
        /// Steps by which the token's clock is ahead, -1, 0 or 1.
        offset_steps: i64,
    },
    /// A code that the token told over its reader was right.
    Told {
        /// Steps by which the token's clock is ahead, -1, 0 or 1.
        offset_steps: i64,
    },
}

impl From<Evidence> for ReceiptEvidence {
    fn from(evidence: Evidence) -> Self {
        match evidence {
            Evidence::Computed => Self::Computed,
            Evidence::Typed { offset } => Self::Typed { offset_steps: offset },
            Evidence::Told { offset } => Self::Told { offset_steps: offset },
        }
    }
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn rfc3339(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        // Past the year 9999 there is no such form; the number is as true.
        .unwrap_or_else(|| time.as_secs().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(rfc3339(UnixTime::from_secs(1_893_456_000)), "2030-01-01T00:00:00Z");
        assert_eq!(rfc3339(UnixTime::from_secs(u64::MAX / 1000)), (u64::MAX / 1000).to_string());
    }
}
