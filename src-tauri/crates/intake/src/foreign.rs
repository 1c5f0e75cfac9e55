//! The things that are no seed and get scanned or pasted all the same.

/// What a text is that is neither a Key URI nor a usable key
/// (facts/seed-formats.md section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Nothing but white space.
    Empty,
    /// Several different Key URIs: one has to be chosen.
    SeveralKeyUris {
        /// How many.
        count: usize,
    },
    /// Several runs that could be the key: only the key should be pasted.
    SeveralSecrets {
        /// How many.
        count: usize,
    },
    /// An export of an authenticator app, with a list of accounts.
    AppExport,
    /// Microsoft's push enrolment; it holds no seed (facts/microsoft-enrollment.md 1.1).
    MicrosoftPush,
    /// A passkey sign-in on another device.
    Passkey,
    /// A verifiable credential.
    VerifiedId,
    /// A code of everyday life.
    Everyday(Everyday),
    /// A link to an app or a store, as a wizard's first page shows it.
    AppDownload,
    /// Another vendor's push enrolment.
    VendorPush(Vendor),
    /// The serial number on the token itself.
    SerialSticker,
    /// Six to eight digits: a code that an app or token shows.
    DisplayedCode,
    /// Looks like a seed in hexadecimal; ask.
    HexSecret {
        /// Bytes that it would be.
        bytes: usize,
    },
    /// Looks like a seed in base64; ask, never guess.
    Base64Secret {
        /// Characters without padding.
        length: usize,
    },
    /// A link of no known kind.
    Link,
    /// Anything else.
    Unknown,
}

/// Codes of everyday life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Everyday {
    /// A wireless network.
    Wifi,
    /// A visiting card.
    Contact,
    /// A mail address or mail.
    Mail,
    /// A telephone number or text message.
    Telephone,
    /// An event or a place.
    Calendar,
}

/// Vendors whose activation codes hold no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Duo Mobile.
    Duo,
    /// Okta Verify.
    Okta,
    /// `SecurID` by RSA.
    Rsa,
    /// `ForgeRock` and Ping authenticators.
    ForgeRock,
    /// privacyIDEA push.
    PrivacyIdea,
    /// Steam.
    Steam,
}

impl Foreign {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::SeveralKeyUris { .. } => "several-key-uris",
            Self::SeveralSecrets { .. } => "several-secrets",
            Self::AppExport => "app-export",
            Self::MicrosoftPush => "microsoft-push",
            Self::Passkey => "passkey",
            Self::VerifiedId => "verified-id",
            Self::Everyday(Everyday::Wifi) => "everyday-wifi",
            Self::Everyday(Everyday::Contact) => "everyday-contact",
            Self::Everyday(Everyday::Mail) => "everyday-mail",
            Self::Everyday(Everyday::Telephone) => "everyday-telephone",
            Self::Everyday(Everyday::Calendar) => "everyday-calendar",
            Self::AppDownload => "app-download",
            Self::VendorPush(_) => "vendor-push",
            Self::SerialSticker => "serial-sticker",
            Self::DisplayedCode => "displayed-code",
            Self::HexSecret { .. } => "hex-secret",
            Self::Base64Secret { .. } => "base64-secret",
            Self::Link => "link",
            Self::Unknown => "unknown",
        }
    }

    /// Every name that [`Foreign::code`] returns.
    pub const CODES: &'static [&'static str] = &[
        "empty",
        "several-key-uris",
        "several-secrets",
        "app-export",
        "microsoft-push",
        "passkey",
        "verified-id",
        "everyday-wifi",
        "everyday-contact",
        "everyday-mail",
        "everyday-telephone",
        "everyday-calendar",
        "app-download",
        "vendor-push",
        "serial-sticker",
        "displayed-code",
        "hex-secret",
        "base64-secret",
        "link",
        "unknown",
    ];

    /// The facts by name, for the words: `count`, `name`, `bytes`, `length`.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::SeveralKeyUris { count } | Self::SeveralSecrets { count } => {
                vec![("count", count.to_string())]
            }
            Self::VendorPush(vendor) => vec![("name", vendor.name().to_owned())],
            Self::HexSecret { bytes } => vec![("bytes", bytes.to_string())],
            Self::Base64Secret { length } => vec![("length", length.to_string())],
            Self::Empty
            | Self::AppExport
            | Self::MicrosoftPush
            | Self::Passkey
            | Self::VerifiedId
            | Self::Everyday(_)
            | Self::AppDownload
            | Self::SerialSticker
            | Self::DisplayedCode
            | Self::Link
            | Self::Unknown => vec![],
        }
    }
}

impl Vendor {
    /// The name as the vendor writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duo => "Duo Mobile",
            Self::Okta => "Okta Verify",
            Self::Rsa => "RSA SecurID",
            Self::ForgeRock => "ForgeRock Authenticator",
            Self::PrivacyIdea => "privacyIDEA Authenticator",
            Self::Steam => "Steam",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let all = [
            Foreign::Empty,
            Foreign::SeveralKeyUris { count: 2 },
            Foreign::SeveralSecrets { count: 2 },
            Foreign::AppExport,
            Foreign::MicrosoftPush,
            Foreign::Passkey,
            Foreign::VerifiedId,
            Foreign::Everyday(Everyday::Wifi),
            Foreign::Everyday(Everyday::Contact),
            Foreign::Everyday(Everyday::Mail),
            Foreign::Everyday(Everyday::Telephone),
            Foreign::Everyday(Everyday::Calendar),
            Foreign::AppDownload,
            Foreign::VendorPush(Vendor::Duo),
            Foreign::SerialSticker,
            Foreign::DisplayedCode,
            Foreign::HexSecret { bytes: 20 },
            Foreign::Base64Secret { length: 24 },
            Foreign::Link,
            Foreign::Unknown,
        ];
        assert_eq!(all.iter().map(Foreign::code).collect::<Vec<_>>(), Foreign::CODES);
    }
}
