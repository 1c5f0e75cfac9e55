//! The forms that seeds come in (facts/seed-formats.md sections 1 to 5).

/// What a text or a file was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// One Key URI.
    KeyUri,
    /// Several Key URIs, one a line.
    KeyUriList,
    /// A secret by itself.
    BareSecret,
    /// The block under "Can't scan image".
    PastedBlock,
    /// Google Authenticator's export, one QR code or several.
    Migration,
    /// An attribute of `KeePassXC` or `KeeOtp`.
    KeePassAttribute,
    /// `KeePassXC`'s CSV export.
    KeePassCsv,
    /// The XML export of `KeePass` and `KeePassXC`.
    KeePassXml,
    /// Aegis, plain or encrypted.
    Aegis,
    /// 2FAS, plain or encrypted.
    TwoFas,
    /// andOTP, plain or encrypted.
    AndOtp,
    /// `FreeOTP+`.
    FreeOtpPlus,
    /// Ente Auth's text.
    Ente,
    /// Ente Auth's encrypted export.
    EnteEncrypted,
    /// Bitwarden's CSV.
    BitwardenCsv,
    /// Bitwarden's JSON.
    BitwardenJson,
    /// Proton Authenticator.
    Proton,
    /// Stratum, formerly Authenticator Pro.
    Stratum,
    /// Duo Mobile.
    DuoMobile,
    /// PSKC (RFC 6030).
    Pskc,
    /// The CSV of Microsoft Entra.
    EntraCsv,
    /// The same without users, as makers deliver it.
    MakerCsv,
    /// Serial number and base32 secret: the `SafeID` programmer's input.
    SafeIdCsv,
    /// Serial number, secret in hexadecimal, perhaps the time step: Duo's paste CSV.
    DuoCsv,
    /// privacyIDEA's OATH CSV, version 1.
    OathCsv1,
    /// privacyIDEA's OATH CSV, version 2.
    OathCsv2,
}

impl Form {
    /// A stable name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::KeyUri => "key-uri",
            Self::KeyUriList => "key-uri-list",
            Self::BareSecret => "bare-secret",
            Self::PastedBlock => "pasted-block",
            Self::Migration => "google-migration",
            Self::KeePassAttribute => "keepass-attribute",
            Self::KeePassCsv => "keepass-csv",
            Self::KeePassXml => "keepass-xml",
            Self::Aegis => "aegis",
            Self::TwoFas => "2fas",
            Self::AndOtp => "andotp",
            Self::FreeOtpPlus => "freeotp-plus",
            Self::Ente => "ente",
            Self::EnteEncrypted => "ente-encrypted",
            Self::BitwardenCsv => "bitwarden-csv",
            Self::BitwardenJson => "bitwarden-json",
            Self::Proton => "proton",
            Self::Stratum => "stratum",
            Self::DuoMobile => "duo-mobile",
            Self::Pskc => "pskc",
            Self::EntraCsv => "entra-csv",
            Self::MakerCsv => "maker-csv",
            Self::SafeIdCsv => "safeid-csv",
            Self::DuoCsv => "duo-csv",
            Self::OathCsv1 => "oath-csv-1",
            Self::OathCsv2 => "oath-csv-2",
        }
    }

    /// The name as people know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyUri => "Key URI",
            Self::KeyUriList => "list of Key URIs",
            Self::BareSecret => "secret key",
            Self::PastedBlock => "account name and secret key",
            Self::Migration => "Google Authenticator export",
            Self::KeePassAttribute => "KeePassXC attribute",
            Self::KeePassCsv => "KeePassXC CSV",
            Self::KeePassXml => "KeePass XML",
            Self::Aegis => "Aegis vault",
            Self::TwoFas => "2FAS backup",
            Self::AndOtp => "andOTP backup",
            Self::FreeOtpPlus => "FreeOTP+ backup",
            Self::Ente => "Ente Auth export",
            Self::EnteEncrypted => "encrypted Ente Auth export",
            Self::BitwardenCsv => "Bitwarden CSV",
            Self::BitwardenJson => "Bitwarden JSON",
            Self::Proton => "Proton Authenticator backup",
            Self::Stratum => "Stratum backup",
            Self::DuoMobile => "Duo Mobile backup",
            Self::Pskc => "PSKC file",
            Self::EntraCsv => "Microsoft Entra CSV",
            Self::MakerCsv => "seed file of a token's maker",
            Self::SafeIdCsv => "SafeID CSV",
            Self::DuoCsv => "Duo CSV",
            Self::OathCsv1 => "OATH CSV, version 1",
            Self::OathCsv2 => "OATH CSV, version 2",
        }
    }
}
