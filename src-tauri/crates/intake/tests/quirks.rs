//! Every row of facts/seed-formats.md 1.2 and every worked example of
//! facts/microsoft-enrollment.md 1.2 to 1.4, with the results stated there.

use intake::{Credential, Finding, KeyUriError, Note, Source, classify};
use oath::{Algorithm, UnixTime, code_at};

/// Fixture "work" of the facts.
const WORK: [u8; 10] = [0xd5, 0xc9, 0x07, 0xce, 0x7c, 0x3b, 0xfa, 0xc5, 0x82, 0xab];
/// Fixture "personal" of the facts.
const PERSONAL: [u8; 10] = [0xe8, 0xbe, 0x88, 0x12, 0xe4, 0x6f, 0xda, 0x00, 0x23, 0x0a];

fn credential(text: &str, source: Source) -> Credential {
    match classify(text, source) {
        Finding::Credential(credential) => credential,
        other => panic!("{text}: {other:?}"),
    }
}

/// Reads a text from both sources and compares everything but the notes.
fn check(
    text: &str,
    secret: &[u8],
    (organisation, issuer, account): (Option<&str>, Option<&str>, &str),
) {
    for source in [Source::Picture, Source::Typed] {
        let credential = credential(text, source);
        assert_eq!(credential.secret().expose(), secret, "{text}");
        assert_eq!(credential.organisation(), organisation, "{text}");
        assert_eq!(credential.issuer(), issuer, "{text}");
        assert_eq!(credential.account(), account, "{text}");
    }
}

fn check_parameters(text: &str, algorithm: Algorithm, digits: u8, period: u32) {
    let parameters = *credential(text, Source::Picture).parameters();
    assert_eq!(parameters.algorithm, algorithm, "{text}");
    assert_eq!(parameters.digits.get(), digits, "{text}");
    assert_eq!(parameters.period.as_secs(), period, "{text}");
}

fn refused(text: &str) -> KeyUriError {
    match classify(text, Source::Picture) {
        Finding::Unusable(error) => error,
        other => panic!("{text}: {other:?}"),
    }
}

fn check_code(text: &str, time: u64, code: &str) {
    let credential = credential(text, Source::Picture);
    let step = UnixTime::from_secs(time).step(credential.parameters().period);
    let computed = code_at(credential.secret(), credential.parameters(), step);
    assert_eq!(*computed.expose(), code, "{text} at {time}");
}

#[test]
fn work_accounts_of_microsoft() {
    let microsoft = Some("Microsoft");
    for (label, organisation, account) in [
        ("Contoso%3Aadele%40contoso.com", "Contoso", "adele@contoso.com"),
        ("Contoso+Ltd%3Aadele%40contoso.com", "Contoso Ltd", "adele@contoso.com"),
        ("Contoso%20Ltd%3Aadele.vance%40contoso.com", "Contoso Ltd", "adele.vance@contoso.com"),
        (
            "Test+Und%2BFirma%3aadele%40contoso.onmicrosoft.com",
            "Test Und+Firma",
            "adele@contoso.onmicrosoft.com",
        ),
        (
            "Fabrikam%3A+Retail%3Aadele%40fabrikam.example.com",
            "Fabrikam: Retail",
            "adele@fabrikam.example.com",
        ),
        ("M%C3%BCller+GmbH%3Aadele%40contoso.com", "Müller GmbH", "adele@contoso.com"),
    ] {
        let text = format!("otpauth://totp/{label}?secret=2xeqptt4hp5mlavl&issuer=Microsoft");
        check(&text, &WORK, (Some(organisation), microsoft, account));
        check_parameters(&text, Algorithm::Sha1, 6, 30);
        let read = credential(&text, Source::Picture);
        assert_eq!(read.notes(), []);
        assert_eq!(read.display_name(), format!("{organisation} \u{2014} {account} (Microsoft)"));
        for (time, code) in [
            (1_893_455_970, "640562"),
            (1_893_456_000, "004167"),
            (1_893_456_030, "857956"),
            (1_893_456_060, "887686"),
        ] {
            check_code(&text, time, code);
        }
    }
}

#[test]
fn personal_accounts_of_microsoft() {
    let text = "otpauth://totp/Microsoft:user@outlook.com?secret=5C7IQEXEN7NAAIYK&issuer=Microsoft";
    let microsoft = Some("Microsoft");
    check(text, &PERSONAL, (microsoft, microsoft, "user@outlook.com"));
    check_code(text, 1_893_456_000, "432999");
    let name = credential(text, Source::Picture).display_name();
    assert_eq!(name, "Microsoft \u{2014} user@outlook.com");
}

#[test]
fn rows_1_to_6_labels() {
    let example = Some("Example");
    check(
        "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl&issuer=Microsoft",
        &WORK,
        (Some("Contoso"), Some("Microsoft"), "adele@contoso.com"),
    );
    check(
        "OTPAUTH://TOTP/EXAMPLE:ADELE?SECRET=2XEQPTT4HP5MLAVL&ISSUER=EXAMPLE",
        &WORK,
        (Some("EXAMPLE"), Some("EXAMPLE"), "ADELE"),
    );
    check(
        "otpauth://totp/adele@example.com?secret=2XEQPTT4HP5MLAVL",
        &WORK,
        (None, None, "adele@example.com"),
    );
    check(
        "otpauth://totp/Example:%20adele?secret=2XEQPTT4HP5MLAVL&issuer=Example",
        &WORK,
        (example, example, "adele"),
    );
    check(
        "otpauth://totp/Example:Example:adele?secret=2XEQPTT4HP5MLAVL&issuer=Example",
        &WORK,
        (example, example, "adele"),
    );
    check("otpauth://totp/?secret=2XEQPTT4HP5MLAVL", &WORK, (None, None, ""));
    check("otpauth://totp?secret=2XEQPTT4HP5MLAVL", &WORK, (None, None, ""));
}

#[test]
fn rows_7_and_8_secrets() {
    for secret in [
        "2XEQ%20PTT4%20HP5M%20LAVL",
        "2XEQ-PTT4-HP5M-LAVL",
        "2XEQ+PTT4+HP5M+LAVL",
        "2XEQ PTT4 HP5M LAVL",
        "2XEQ%C2%A0PTT4HP5MLAVL",
        "2XEQPTT4HP5MLAVL%3D%3D",
    ] {
        check(&format!("otpauth://totp/x?secret={secret}"), &WORK, (None, None, "x"));
    }
    for secret in ["AA%3D%3D%3D%3D%3D%3D", "AA======"] {
        let text = format!("otpauth://totp/x?secret={secret}");
        assert_eq!(refused(&text), KeyUriError::SecretTooShort { bytes: 1 });
    }
}

#[test]
fn rows_9_to_11_colons_and_pluses() {
    check(
        "otpauth://totp/Text%3A%20More:adele?secret=2XEQPTT4HP5MLAVL&issuer=Text%3A%20More",
        &WORK,
        (Some("Text: More"), Some("Text: More"), "adele"),
    );
    check(
        "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&issuer=Air+Canada+Example",
        &WORK,
        (None, Some("Air Canada Example"), "x"),
    );
    check(
        "otpauth://totp/jane+test@example.com?secret=2XEQPTT4HP5MLAVL&issuer=Example",
        &WORK,
        (None, Some("Example"), "jane+test@example.com"),
    );
}

#[test]
fn rows_12_and_16_parameters() {
    let with = |tail: &str| format!("otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&{tail}");
    let (sha1, sha256, sha512) = (Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512);
    for (tail, algorithm, digits, period) in [
        ("digits=8", sha1, 8, 30),
        ("period=60", sha1, 6, 60),
        ("algorithm=SHA512", sha512, 6, 30),
        ("algorithm=sha-256", sha256, 6, 30),
        ("algorithm=HmacSHA256", sha256, 6, 30),
        ("algorithm=HMAC-SHA-256", sha256, 6, 30),
        ("algorithm=sha1", sha1, 6, 30),
        ("algo=SHA256", sha256, 6, 30),
        ("interval=60", sha1, 6, 60),
        ("PERIOD=15&Digits=7", sha1, 7, 15),
        ("digits=10", sha1, 10, 30),
        ("digits=6&digits=6&period=30&algorithm=SHA1&algorithm=sha-1", sha1, 6, 30),
        ("digits=&period=", sha1, 6, 30),
        ("counter=5&lock=true&color=ff0000&codeDisplay=%7B%7D", sha1, 6, 30),
        ("amp;digits=8#fragment", sha1, 8, 30),
    ] {
        check_parameters(&with(tail), algorithm, digits, period);
    }
    check_code(&with("digits=8"), 1_893_456_000, "29004167");
    check_code(&with("period=60"), 1_893_456_000, "085265");
    check_code(&with("algorithm=SHA256"), 1_893_456_000, "805203");
    assert_eq!(
        refused(&with("algorithm=MD5")),
        KeyUriError::UnknownAlgorithm { name: Some("MD5") }
    );
    assert_eq!(
        refused(&with("algorithm=2XEQPTT4HP5MLAVL")),
        KeyUriError::UnknownAlgorithm { name: None }
    );
}

#[test]
fn rows_13_and_14_other_kinds_of_codes() {
    let secret = "secret=2XEQPTT4HP5MLAVL";
    for text in
        [format!("otpauth://hotp/x?{secret}&counter=0"), format!("OTPAUTH://HOTP/x?{secret}")]
    {
        assert_eq!(refused(&text), KeyUriError::EventBased);
    }
    for text in [
        format!("otpauth://steam/x?{secret}"),
        format!("otpauth://totp/x?{secret}&encoder=steam"),
        format!("otpauth://totp/Steam:x?{secret}&issuer=Steam&digits=5"),
        "steam://2XEQPTT4HP5MLAVL".to_owned(),
    ] {
        assert_eq!(refused(&text), KeyUriError::SteamCodes);
    }
    for text in [
        format!("otpauth://yaotp/x?{secret}"),
        format!("otpauth:///x?{secret}"),
        "otpauth:".to_owned(),
        "motp://x?secret=00".to_owned(),
    ] {
        assert_eq!(refused(&text), KeyUriError::UnknownType);
    }
}

#[test]
fn row_15_pictures_are_ignored() {
    check(
        "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&image=https%3A%2F%2Fexample.com%2Flogo.png",
        &WORK,
        (None, None, "x"),
    );
}

#[test]
fn row_17_numbers() {
    for (value, number) in [
        ("0", Some(0)),
        ("-30", None),
        ("999999", Some(999_999)),
        ("30.0", None),
        ("+30", None),
        ("thirty", None),
        ("99999999999999999999999", None),
    ] {
        let text = format!("otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&period={value}");
        assert_eq!(refused(&text), KeyUriError::BadNumber { field: "period", value: number });
    }
    for (value, number) in [("0", Some(0)), ("3", Some(3)), ("11", Some(11)), ("6.0", None)] {
        let text = format!("otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&digits={value}");
        assert_eq!(refused(&text), KeyUriError::BadNumber { field: "digits", value: number });
    }
}

#[test]
fn rows_18_to_20_secrets_that_are_none() {
    assert_eq!(refused("otpauth://totp/x?issuer=Example"), KeyUriError::NoSecret);
    assert_eq!(refused("otpauth://totp/x?secret=&issuer=Example"), KeyUriError::NoSecret);
    assert_eq!(refused("otpauth://totp/x"), KeyUriError::NoSecret);
    assert_eq!(
        refused("otpauth://totp/x?secret=0123456789"),
        KeyUriError::SecretBadCharacter { position: 1, character: '0', question: Some('O') }
    );
    assert_eq!(
        refused("otpauth://totp/x?secret=3132333435363738393031323334353637383930"),
        KeyUriError::SecretMaybeHex { length: 40 }
    );
    assert_eq!(
        refused("otpauth://totp/x?secret=1ckHznw7%2BsWCqw%3D%3D"),
        KeyUriError::SecretMaybeBase64 { length: 15 }
    );
}

#[test]
fn rows_21_and_22_names_that_mislead_or_are_long() {
    let text = "otpauth://totp/Con%E2%80%AEtoso:adele%0A@contoso.com?secret=2XEQPTT4HP5MLAVL\
                &issuer=Micro%0Dsoft";
    check(text, &WORK, (Some("Contoso"), Some("Microsoft"), "adele@contoso.com"));
    assert!(credential(text, Source::Picture).notes().contains(&Note::NameCleaned));
    // The same, not encoded.
    let text = "otpauth://totp/Con\u{202e}toso:adele\n@contoso.com?secret=2XEQPTT4HP5MLAVL";
    check(text, &WORK, (Some("Contoso"), None, "adele@contoso.com"));

    let text = format!("otpauth://totp/{}?secret=2XEQPTT4HP5MLAVL", "a".repeat(4096));
    let long = credential(&text, Source::Picture);
    assert_eq!(long.account().len(), 128);
    assert!(long.notes().contains(&Note::NameCut));
    let text = format!("otpauth://totp/{}?secret=2XEQPTT4HP5MLAVL", "%41".repeat(4096));
    assert_eq!(credential(&text, Source::Typed).account().len(), 128);
    let text = format!("otpauth://totp/{}?secret=2XEQPTT4HP5MLAVL", "a".repeat(20_000));
    assert_eq!(refused(&text), KeyUriError::TextTooLong { bytes: 20_039 });
}

#[test]
fn row_23_what_is_there_twice() {
    let with = |tail: &str| format!("otpauth://totp/x?secret=2XEQPTT4HP5MLAVL&{tail}");
    for (tail, field) in [
        ("secret=5C7IQEXEN7NAAIYK", "secret"),
        ("digits=6&digits=8", "digits"),
        ("period=30&interval=60", "period"),
        ("algorithm=SHA1&algorithm=SHA256", "algorithm"),
    ] {
        assert_eq!(refused(&with(tail)), KeyUriError::Conflicting { field });
    }
    check(&with("SECRET=2xeq-ptt4-hp5m-lavl="), &WORK, (None, None, "x"));
    check(&with("issuer=&issuer=First&issuer=Second"), &WORK, (None, Some("First"), "x"));
}

#[test]
fn row_24_host_names_and_other_labels() {
    for (label, prefix, account) in [
        ("Administrator@DiskStation", None, "Administrator@DiskStation"),
        ("a/b/c", None, "a/b/c"),
        ("C# Ltd:adele", Some("C# Ltd"), "adele"),
        ("Name with spaces:adele", Some("Name with spaces"), "adele"),
        ("Müller:adele", Some("Müller"), "adele"),
        (":adele", None, "adele"),
        ("Example:", Some("Example"), ""),
        ("Example%3aadele", Some("Example"), "adele"),
        ("A%3AB%3Aadele", Some("A"), "B:adele"),
        ("jane%2Btest+one@example.com", None, "jane+test one@example.com"),
        ("100%", None, "100%"),
        ("%FF%FEx", None, "\u{fffd}\u{fffd}x"),
        ("%2541", None, "%41"),
        ("%E2%82", None, "\u{fffd}"),
    ] {
        let text = format!("otpauth://totp/{label}?secret=2XEQPTT4HP5MLAVL");
        check(&text, &WORK, (prefix, None, account));
    }
}

#[test]
fn what_stands_around_a_key_uri() {
    let uri = "otpauth://totp/x?secret=2XEQPTT4HP5MLAVL";
    for text in [
        format!("\u{feff}  {uri}\r\n"),
        format!("\0{uri}\0"),
        format!("\"{uri}\""),
        format!("Please scan this:\n\n{uri}\n\nThank you."),
        format!("<{uri}>"),
        format!("# work\n{uri}\n{uri}\n"),
        format!("Key: {uri}"),
    ] {
        check(&text, &WORK, (None, None, "x"));
    }
    // Broken by a mail program between parameters, and within the secret.
    check(
        "otpauth://totp/x?issuer=Micro\nsoft&secret=2XEQPTT4HP5MLAVL",
        &WORK,
        (None, Some("Microsoft"), "x"),
    );
    let broken = "otpauth://totp/x?issuer=Microsoft&secret=2XEQPTT4\nHP5MLAVL";
    assert_eq!(refused(broken), KeyUriError::BrokenOverLines);
}

#[test]
fn what_an_issuer_cut_off_is_accepted_from_a_picture_only() {
    let text = "otpauth://totp/x?secret=2XEQPTT4HP5MLAVLA";
    let read = credential(text, Source::Picture);
    assert_eq!(read.secret().expose(), WORK);
    assert_eq!(read.notes(), [Note::SecretCut { characters: 17 }, Note::ShortSecret { bytes: 10 }]);
    let typed = classify(text, Source::Typed);
    assert_eq!(typed.code(), Some("secret-cut"));
}

#[test]
fn keys_by_themselves() {
    for text in [
        "2xeqptt4hp5mlavl",
        "2XEQPTT4HP5MLAVL",
        "2Xeq Ptt4 hP5m LaVl",
        "2xeq ptt4 hp5m lavl",
        "2xeq\u{a0}ptt4\u{a0}hp5m\u{a0}lavl",
        "2xeq-ptt4-hp5m-lavl",
        "2xeqptt4\nhp5mlavl\n",
        "2xeqptt4hp5m\r\nlavl",
        "2xe qptt4 hp5m lavl",
        "\u{201c}2xeqptt4hp5mlavl\u{201d}",
    ] {
        let typed = credential(text, Source::Typed);
        assert_eq!(typed.secret().expose(), WORK, "{text}");
        assert!(typed.notes().contains(&Note::ParametersAssumed));
        assert_eq!((typed.issuer(), typed.organisation(), typed.account()), (None, None, ""));
        assert_eq!(*typed.parameters(), oath::Parameters::default());
    }
}

#[test]
fn the_block_under_cannot_scan_image() {
    let whole = (Some("Contoso"), "adele@contoso.com");
    for (text, (organisation, account)) in [
        ("Account name: Contoso:adele@contoso.com\nSecret key: 2xeqptt4hp5mlavl", whole),
        ("Account name:\nContoso:adele@contoso.com\nSecret key:\n2xeqptt4hp5mlavl\n", whole),
        ("Account name\nContoso:adele@contoso.com\nSecret key\n2xeq ptt4 hp5m lavl", whole),
        ("Account name: Contoso:adele@contoso.com Secret key: 2xeqptt4hp5mlavl", whole),
        (
            "Kontobezeichnung\nContoso:adele@contoso.com\nGeheimer Schlüssel\n2xeqptt4hp5mlavl",
            whole,
        ),
        ("Kontoname: Contoso:adele@contoso.com\nGeheimer Schlüssel: 2xeq-ptt4-hp5m-lavl", whole),
        ("Nom du compte : Contoso:adele@contoso.com\nClé secrète : 2xeqptt4hp5mlavl", whole),
        ("アカウント名：Contoso:adele@contoso.com\n秘密鍵：2xeqptt4hp5mlavl", whole),
        ("Secret key:\n2xeqptt4\nhp5mlavl\nAccount name:\nContoso:adele@contoso.com", whole),
        (
            "Account name: Contoso Ltd:adele@contoso.com\r\n\
             Secret key: 2XEQ\u{a0}PTT4\u{a0}HP5M\u{a0}LAVL",
            (Some("Contoso Ltd"), "adele@contoso.com"),
        ),
        (
            "Account name: adele@contoso.com\nSecret key: 2xeqptt4hp5mlavl",
            (None, "adele@contoso.com"),
        ),
        ("Secret key: 2xeqptt4hp5mlavl", (None, "")),
        ("code 2xeqptt4hp5mlavl", (None, "")),
    ] {
        let typed = credential(text, Source::Typed);
        assert_eq!(typed.secret().expose(), WORK, "{text}");
        assert_eq!(typed.organisation(), organisation, "{text}");
        assert_eq!(typed.account(), account, "{text}");
        assert!(typed.notes().contains(&Note::ParametersAssumed));
    }
}
