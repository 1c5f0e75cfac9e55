//! What a text is, in the order of facts/seed-formats.md section 6.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::answers::SecretEncoding;
use crate::foreign::{Everyday, Foreign, Vendor};
use crate::key_uri_error::KeyUriError;
use crate::name::misleads;
use crate::{Finding, Source, bare, key_uri, pasted};

/// The most bytes of a text that are looked at: a QR code holds 2953, and a label of
/// 4 kB is accepted even when it is percent-encoded.
pub(crate) const MOST_BYTES: usize = 16 * 1024;

/// Says what a text is.
///
/// A text of several lines with exactly one Key URI is that Key URI; with several
/// different ones it is [`Foreign::SeveralKeyUris`], and [`classify_each`] tells them
/// apart.
pub fn classify(text: &str, source: Source) -> Finding {
    if text.len() > MOST_BYTES {
        return Finding::Unusable(KeyUriError::TextTooLong { bytes: text.len() });
    }
    let text = trimmed(text);
    if text.is_empty() {
        return Finding::Foreign(Foreign::Empty);
    }
    match key_uris(text).as_slice() {
        [] => without_key_uri(text, source),
        [only] => one_key_uri(only, source, None),
        several => Finding::Foreign(Foreign::SeveralKeyUris { count: several.len() }),
    }
}

/// Says what each part of a text is: every Key URI of a list by itself, and any other
/// text as a whole.
pub fn classify_each(text: &str, source: Source) -> Vec<Finding> {
    if text.len() <= MOST_BYTES {
        let uris = key_uris(trimmed(text));
        if uris.len() > 1 {
            return uris.iter().map(|uri| one_key_uri(uri, source, None)).collect();
        }
    }
    vec![classify(text, source)]
}

pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || misleads(c))
}

/// A Key URI in a text, and whether a line break runs through its secret.
#[derive(PartialEq)]
pub(crate) enum Line {
    Whole(Zeroizing<String>),
    Broken,
}

pub(crate) fn one_key_uri(
    line: &Line,
    source: Source,
    encoding: Option<SecretEncoding>,
) -> Finding {
    let uri = match line {
        Line::Whole(uri) => uri,
        Line::Broken => return Finding::Unusable(KeyUriError::BrokenOverLines),
    };
    // privacyIDEA's push enrolment borrows the scheme and holds no seed.
    if starts_with(uri, "otpauth://pipush/") {
        return Finding::Foreign(Foreign::VendorPush(Vendor::PrivacyIdea));
    }
    match key_uri::parse(uri, source, encoding) {
        Ok(credential) => Finding::Credential(credential),
        Err(error) => Finding::Unusable(error),
    }
}

/// The different Key URIs of a text. Each begins a line or follows white space or a
/// quote, and ends with its line.
pub(crate) fn key_uris(text: &str) -> Vec<Line> {
    let lines: Vec<&str> = text.split(['\n', '\r']).map(trimmed).collect();
    let mut found: Vec<Line> = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let line = lines[index];
        index += 1;
        let Some(start) = key_uri_start(line) else {
            continue;
        };
        // All the room it may need, so that no copy is left behind when it grows.
        let mut uri = Zeroizing::new(String::with_capacity(text.len()));
        uri.push_str(&line[start..]);
        let mut broken = false;
        while let Some(next) = lines.get(index).filter(|next| continues(&uri, next)) {
            // Whether the rest belongs to the value or is another word cannot be told.
            broken |= ends_in_what_counts(&uri);
            uri.push_str(next);
            index += 1;
        }
        let uri = if broken {
            Line::Broken
        } else {
            let end = uri.trim_end_matches(['"', '\'', '>', '\u{201d}', '\u{bb}']).len();
            uri.truncate(end);
            Line::Whole(uri)
        };
        if !found.contains(&uri) {
            found.push(uri);
        }
    }
    found
}

/// Where `otpauth:` begins in a line, as a word of its own.
pub(crate) fn key_uri_start(line: &str) -> Option<usize> {
    const SCHEME: &str = "otpauth:";
    line.char_indices().map(|(at, _)| at).find(|&at| {
        line.get(at..at + SCHEME.len()).is_some_and(|text| text.eq_ignore_ascii_case(SCHEME))
            && line[..at]
                .chars()
                .next_back()
                .is_none_or(|c| c.is_whitespace() || "\"'<(\u{201c}\u{ab}".contains(c))
    })
}

/// Whether a line goes on with the Key URI of the line before: a name may hold a line
/// break, and mail programs break long lines.
fn continues(uri: &str, next: &str) -> bool {
    if next.is_empty()
        || next.starts_with('#')
        || next.contains("://")
        || key_uri_start(next).is_some()
    {
        return false;
    }
    let in_query = uri.contains('?');
    !in_query
        || (!next.contains(char::is_whitespace)
            && (next.contains(['=', '&']) || ends_in_what_counts(uri)))
}

/// Whether a Key URI ends within a value that changes the code.
fn ends_in_what_counts(uri: &str) -> bool {
    let last = uri.split_once('?').and_then(|(_, query)| query.rsplit('&').next()).unwrap_or("");
    ["secret", "digits", "period", "interval", "algo"].iter().any(|name| starts_with(last, name))
}

fn without_key_uri(text: &str, source: Source) -> Finding {
    if starts_with(text, "steam:") {
        return Finding::Unusable(KeyUriError::SteamCodes);
    }
    if starts_with(text, "motp:") {
        return Finding::Unusable(KeyUriError::UnknownType);
    }
    if let Some(foreign) = by_scheme(text).or_else(|| by_digits(text)) {
        return Finding::Foreign(foreign);
    }
    if let Some(finding) = bare::find(text, source) {
        return finding;
    }
    if source == Source::Typed
        && let Some(finding) = pasted::find(text)
    {
        return finding;
    }
    Finding::Foreign(Foreign::Unknown)
}

fn by_scheme(text: &str) -> Option<Foreign> {
    if starts_with(text, "otpauth-migration:") {
        return Some(Foreign::AppExport);
    }
    // The push page shows a code and a link, which are copied together.
    if text.split_whitespace().any(is_microsoft_push) {
        return Some(Foreign::MicrosoftPush);
    }
    if text.split_once('/').is_some_and(|(scheme, rest)| {
        scheme.eq_ignore_ascii_case("fido:") && rest.starts_with(|c: char| c.is_ascii_digit())
    }) {
        return Some(Foreign::Passkey);
    }
    for (scheme, foreign) in SCHEMES {
        if starts_with(text, scheme) {
            return Some(foreign);
        }
    }
    // Duo shows a code and, after a hyphen, the base64 of its host, `api-...`.
    if text.split_once('-').is_some_and(|(code, host)| {
        code.len() == 20
            && code.chars().all(|c| c.is_ascii_alphanumeric())
            && host.starts_with("YXBpL")
    }) {
        return Some(Foreign::VendorPush(Vendor::Duo));
    }
    let host = host(text)?;
    for (domain, foreign) in DOMAINS {
        let subdomain = host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
        if *host == *domain || subdomain {
            return Some(foreign);
        }
    }
    Some(Foreign::Link)
}

/// Schemes and marks at the beginning of a text.
const SCHEMES: [(&str, Foreign); 32] = [
    ("phonefactor:", Foreign::MicrosoftPush),
    ("microsoft-authenticator:", Foreign::MicrosoftPush),
    ("openid-vc:", Foreign::VerifiedId),
    ("openid:", Foreign::VerifiedId),
    ("openid4vp:", Foreign::VerifiedId),
    ("openid-credential-offer:", Foreign::VerifiedId),
    ("WIFI:", Foreign::Everyday(Everyday::Wifi)),
    ("BEGIN:VCARD", Foreign::Everyday(Everyday::Contact)),
    ("MECARD:", Foreign::Everyday(Everyday::Contact)),
    ("BIZCARD:", Foreign::Everyday(Everyday::Contact)),
    ("mailto:", Foreign::Everyday(Everyday::Mail)),
    ("MATMSG:", Foreign::Everyday(Everyday::Mail)),
    ("SMTP:", Foreign::Everyday(Everyday::Mail)),
    ("tel:", Foreign::Everyday(Everyday::Telephone)),
    ("sms:", Foreign::Everyday(Everyday::Telephone)),
    ("SMSTO:", Foreign::Everyday(Everyday::Telephone)),
    ("MMSTO:", Foreign::Everyday(Everyday::Telephone)),
    ("facetime:", Foreign::Everyday(Everyday::Telephone)),
    ("BEGIN:VEVENT", Foreign::Everyday(Everyday::Calendar)),
    ("BEGIN:VCALENDAR", Foreign::Everyday(Everyday::Calendar)),
    ("geo:", Foreign::Everyday(Everyday::Calendar)),
    ("market:", Foreign::AppDownload),
    ("itms-apps:", Foreign::AppDownload),
    ("itms-appss:", Foreign::AppDownload),
    ("ms-windows-store:", Foreign::AppDownload),
    ("duo:", Foreign::VendorPush(Vendor::Duo)),
    ("oktaverify:", Foreign::VendorPush(Vendor::Okta)),
    ("com.okta.authenticator:", Foreign::VendorPush(Vendor::Okta)),
    ("com.rsa.securid", Foreign::VendorPush(Vendor::Rsa)),
    ("http://127.0.0.1/securid", Foreign::VendorPush(Vendor::Rsa)),
    ("pushauth:", Foreign::VendorPush(Vendor::ForgeRock)),
    ("mfauth:", Foreign::VendorPush(Vendor::ForgeRock)),
];

/// Hosts, with everything below them.
const DOMAINS: [(&str, Foreign); 11] = [
    ("aka.ms", Foreign::AppDownload),
    ("apps.apple.com", Foreign::AppDownload),
    ("itunes.apple.com", Foreign::AppDownload),
    ("play.google.com", Foreign::AppDownload),
    ("apps.microsoft.com", Foreign::AppDownload),
    ("appgallery.huawei.com", Foreign::AppDownload),
    ("duosecurity.com", Foreign::VendorPush(Vendor::Duo)),
    ("okta.com", Foreign::VendorPush(Vendor::Okta)),
    ("oktapreview.com", Foreign::VendorPush(Vendor::Okta)),
    ("okta-emea.com", Foreign::VendorPush(Vendor::Okta)),
    ("s.team", Foreign::VendorPush(Vendor::Steam)),
];

fn is_microsoft_push(word: &str) -> bool {
    if starts_with(word, "phonefactor:") || starts_with(word, "microsoft-authenticator:") {
        return true;
    }
    host(word).is_some_and(|host| {
        *host == *"mobileappcommunicator.auth.microsoft.com"
            || *host == *"phonefactor.net"
            || host.ends_with(".phonefactor.net")
    })
}

/// Beginnings of the serial numbers that Token2 prints on its tokens.
const SERIAL_PREFIXES: [&str; 8] =
    ["8659612", "8659622", "8659621", "8659600", "8659601", "8659609", "8659610", "8659632"];

/// A text of nothing but digits, in groups or not.
fn by_digits(text: &str) -> Option<Foreign> {
    let digits: Zeroizing<String> =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().into();
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    match digits.len() {
        9 => Some(Foreign::MicrosoftPush),
        6..=8 => Some(Foreign::DisplayedCode),
        10..=19 => Some(Foreign::SerialSticker),
        20.. if SERIAL_PREFIXES.iter().any(|prefix| digits.starts_with(prefix)) => {
            Some(Foreign::SerialSticker)
        }
        // Twenty digits and more may be hexadecimal; fewer than six are nothing.
        _ => None,
    }
}

/// The host of an http link, in lower case, without user and port.
fn host(text: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    Some(Cow::Owned(host.to_ascii_lowercase()))
}

pub(crate) fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
