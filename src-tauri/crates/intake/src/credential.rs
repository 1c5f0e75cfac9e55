//! A shared secret and everything that came with it.

use std::fmt;

use oath::{Parameters, SharedSecret};

use crate::name::Name;
use crate::note::Note;

/// The least length that RFC 4226 section 4 asks for, in bytes.
const RFC_4226_LEAST: usize = 16;

/// One credential: the secret, its parameters and its names.
///
/// It owns the secret, so it is neither `Clone` nor serializable, and `Debug` shows
/// lengths and parameters only. The names are cleaned of control characters and
/// direction overrides and cut at 128 characters.
pub struct Credential {
    secret: SharedSecret,
    parameters: Parameters,
    issuer: Option<String>,
    organisation: Option<String>,
    account: String,
    notes: Vec<Note>,
}

/// What a credential is made of, before its names are cleaned.
pub(crate) struct Parts<'a> {
    pub(crate) secret: SharedSecret,
    pub(crate) parameters: Parameters,
    pub(crate) issuer: Option<&'a str>,
    pub(crate) organisation: Option<&'a str>,
    pub(crate) account: &'a str,
    pub(crate) notes: Vec<Note>,
}

impl Credential {
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let Parts { secret, parameters, issuer, organisation, account, mut notes } = parts;
        let clean = |text: &str| Name::new(text);
        let issuer = issuer.map(clean);
        let organisation = organisation.map(clean);
        let account = clean(account);

        let names = || issuer.iter().chain(&organisation).chain([&account]);
        if names().any(|name| name.cleaned) {
            notes.push(Note::NameCleaned);
        }
        if names().any(|name| name.cut) {
            notes.push(Note::NameCut);
        }
        let bytes = secret.len();
        // Microsoft's own secrets have ten bytes and nothing can be done about it.
        let microsoft = issuer.as_ref().is_some_and(|name| is_microsoft(&name.text));
        if bytes < RFC_4226_LEAST && !microsoft {
            notes.push(Note::ShortSecret { bytes });
        }
        if bytes > parameters.algorithm.block_len() {
            notes.push(Note::LongSecret { bytes });
        }
        let not_empty = |name: Name| (!name.text.is_empty()).then_some(name.text);
        Self {
            secret,
            parameters,
            issuer: issuer.and_then(not_empty),
            organisation: organisation.and_then(not_empty),
            account: account.text,
            notes,
        }
    }

    /// The shared secret.
    pub fn secret(&self) -> &SharedSecret {
        &self.secret
    }

    /// Hash, digits and period.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The `issuer` of the Key URI, such as `Microsoft`.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The prefix of the label. In Microsoft's codes it is the tenant's name and differs
    /// from the issuer on purpose (facts/microsoft-enrollment.md 1.2).
    pub fn organisation(&self) -> Option<&str> {
        self.organisation.as_deref()
    }

    /// The account, often a user principal name; may be empty.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// `Contoso — adele@contoso.com (Microsoft)`: with the issuer alone a desk cannot
    /// tell tenants apart (facts/microsoft-enrollment.md 1.2). What is missing or said
    /// twice is left out; empty when nothing is known.
    pub fn display_name(&self) -> String {
        let issuer = self.issuer();
        let organisation = self.organisation();
        let (first, bracket) = match (organisation, issuer) {
            (Some(prefix), Some(issuer)) if prefix.to_lowercase() == issuer.to_lowercase() => {
                (Some(prefix), None)
            }
            (Some(prefix), issuer) => (Some(prefix), issuer),
            (None, issuer) => (issuer, None),
        };
        let mut name = String::new();
        if let Some(first) = first {
            name.push_str(first);
        }
        if !self.account.is_empty() {
            if !name.is_empty() {
                name.push_str(" \u{2014} ");
            }
            name.push_str(&self.account);
        }
        if let Some(bracket) = bracket {
            name.push_str(" (");
            name.push_str(bracket);
            name.push(')');
        }
        name
    }

    /// What a person should know before this is written to a token.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("secret", &self.secret)
            .field("parameters", &self.parameters)
            .field("issuer", &self.issuer.as_ref().map(String::len))
            .field("organisation", &self.organisation.as_ref().map(String::len))
            .field("account", &self.account.len())
            .field("notes", &self.notes)
            .finish()
    }
}

/// Whether an issuer is the constant that Microsoft writes.
pub(crate) fn is_microsoft(issuer: &str) -> bool {
    issuer.trim().eq_ignore_ascii_case("Microsoft")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(organisation: Option<&str>, issuer: Option<&str>, account: &str, expected: &str) {
        let credential = Credential::new(Parts {
            secret: SharedSecret::new(b"canary-canary-canary".to_vec()),
            parameters: Parameters::default(),
            issuer,
            organisation,
            account,
            notes: vec![],
        });
        assert_eq!(credential.display_name(), expected);
        assert!(!format!("{credential:?}").contains("canary"));
    }

    #[test]
    fn display_names_say_everything_once() {
        let microsoft = Some("Microsoft");
        check(Some("Contoso"), microsoft, "a@b.c", "Contoso \u{2014} a@b.c (Microsoft)");
        check(Some("microsoft"), microsoft, "a@b.c", "microsoft \u{2014} a@b.c");
        check(None, microsoft, "a@b.c", "Microsoft \u{2014} a@b.c");
        check(Some("Contoso"), None, "a@b.c", "Contoso \u{2014} a@b.c");
        check(Some("Contoso"), microsoft, "", "Contoso (Microsoft)");
        check(None, None, "a@b.c", "a@b.c");
        check(None, None, "", "");
    }
}
