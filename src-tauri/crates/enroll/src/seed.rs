//! The secret as text, for a maker's tool: the one place where it leaves on purpose.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use intake::Credential;
use oath::{Algorithm, Parameters};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use token::SeedForm;
use zeroize::Zeroizing;

/// A secret in the form that a maker's tool takes, wiped when dropped. It is neither
/// `Clone` nor serializable, and `Debug` shows its form and length.
pub struct SeedText {
    form: SeedForm,
    text: Zeroizing<String>,
}

impl SeedText {
    pub(crate) fn of(credential: &Credential, form: SeedForm) -> Self {
        let secret = credential.secret().expose();
        // Long enough that the text never moves and leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(ROOM + secret.len() * 2));
        match form {
            SeedForm::Base32 => BASE32_NOPAD.encode_append(secret, &mut text),
            SeedForm::Hex => HEXLOWER.encode_append(secret, &mut text),
            SeedForm::KeyUriQr => key_uri(credential, &mut text),
        }
        Self { form, text }
    }

    /// Its form.
    pub const fn form(&self) -> SeedForm {
        self.form
    }

    /// The text itself: base32 in upper case without padding, hexadecimal in lower
    /// case, or a Key URI. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for SeedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeedText({}, {} characters)", self.form.code(), self.text.len())
    }
}

/// Room for a Key URI around its secret: three names of 128 characters of four bytes,
/// each byte written as three.
const ROOM: usize = 3 * 128 * 4 * 3 + 128;

/// What stands for itself in a URI (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes a Key URI with the label as it came: the prefix beside the issuer, both
/// percent-encoded. Parameters at their defaults are left out, which every reader
/// fills in (facts/seed-formats.md section 1) and which keeps the QR code coarse.
fn key_uri(credential: &Credential, text: &mut String) {
    let encoded = |name| utf8_percent_encode(name, RESERVED);
    text.push_str("otpauth://totp/");
    if let Some(prefix) = credential.organisation().or(credential.issuer()) {
        text.extend(encoded(prefix));
        text.push(':');
    }
    let account = credential.account();
    text.extend(encoded(if account.is_empty() { "account" } else { account }));
    text.push_str("?secret=");
    BASE32_NOPAD.encode_append(credential.secret().expose(), text);
    if let Some(issuer) = credential.issuer() {
        text.push_str("&issuer=");
        text.extend(encoded(issuer));
    }
    let Parameters { algorithm, digits, period } = *credential.parameters();
    let usual = Parameters::default();
    if algorithm != usual.algorithm {
        text.push_str(match algorithm {
            Algorithm::Sha1 => "&algorithm=SHA1",
            Algorithm::Sha256 => "&algorithm=SHA256",
            Algorithm::Sha512 => "&algorithm=SHA512",
        });
    }
    if digits != usual.digits {
        text.push_str("&digits=");
        text.push_str(&digits.get().to_string());
    }
    if period != usual.period {
        text.push_str("&period=");
        text.push_str(&period.as_secs().to_string());
    }
}

#[cfg(test)]
mod tests {
    use intake::{Finding, Source, classify};

    use super::*;

    fn credential(text: &str) -> Credential {
        match classify(text, Source::Typed) {
            Finding::Credential(credential) => credential,
            other => panic!("no credential: {other:?}"),
        }
    }

    /// Compares without printing: a test's output is searched for secrets.
    #[track_caller]
    fn check(text: &str, form: SeedForm, expected: &str) {
        let seed = SeedText::of(&credential(text), form);
        assert!(seed.expose() == expected, "another text as {}", form.code());
        assert_eq!(seed.form(), form);
    }

    /// facts/seed-formats.md, the "work" fixture.
    const WORK: &str =
        "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl&issuer=Microsoft";

    #[test]
    fn the_fixture_in_every_form() {
        check(WORK, SeedForm::Base32, "2XEQPTT4HP5MLAVL");
        check(WORK, SeedForm::Hex, "d5c907ce7c3bfac582ab");
        check(
            WORK,
            SeedForm::KeyUriQr,
            "otpauth://totp/Contoso:adele%40contoso.com?secret=2XEQPTT4HP5MLAVL&issuer=Microsoft",
        );
    }

    #[test]
    fn a_key_uri_that_is_written_is_read_back_as_what_it_was() {
        for text in [
            WORK,
            "otpauth://totp/?secret=2XEQPTT4HP5MLAVL",
            "otpauth://totp/M%C3%BCller%20GmbH:ad%2Bele?secret=2XEQPTT4HP5MLAVL&issuer=A%20%26%20B",
            "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&algorithm=SHA256&digits=8&period=60",
            "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&algorithm=SHA512",
        ] {
            let before = credential(text);
            let after = credential(SeedText::of(&before, SeedForm::KeyUriQr).expose());
            assert!(before.secret().expose() == after.secret().expose());
            assert_eq!(before.parameters(), after.parameters());
            assert_eq!(before.issuer(), after.issuer());
            if !before.account().is_empty() {
                assert_eq!(before.account(), after.account());
                assert_eq!(before.organisation(), after.organisation());
            }
        }
    }

    #[test]
    fn debug_shows_form_and_length_alone() {
        let seed = SeedText::of(&credential(WORK), SeedForm::Base32);
        assert_eq!(format!("{seed:?}"), "SeedText(base32, 16 characters)");
    }
}
