//! Every row of facts/seed-formats.md section 6, and the push codes of
//! facts/microsoft-enrollment.md 1.1.

use intake::{Finding, Foreign, KeyUriError, Source, classify, classify_each};

fn check(text: &str, code: &str) {
    for source in [Source::Picture, Source::Typed] {
        assert_eq!(classify(text, source).code(), Some(code), "{text:?}");
    }
}

#[test]
fn microsoft_push() {
    for text in [
        "phonefactor://activate_account?code=123456789&url=https%3a%2f%2fpad.example%2fx",
        "PHONEFACTOR://activate_account",
        "microsoft-authenticator://activatemfa?code=123456789",
        "123456789",
        "123 456 789",
        " 123\u{a0}456\u{a0}789 ",
        "https://mobileappcommunicator.auth.microsoft.com/activatev2/123",
        "HTTPS://MobileAppCommunicator.auth.microsoft.com:443/mac/MobileAppCommunicator.svc/1",
        "https://bn1pad04.phonefactor.net/pad/123456789",
        "Code: 123 456 789\nURL: https://bn1pad04.phonefactor.net/pad/123456789",
    ] {
        check(text, "microsoft-push");
    }
    check("https://phonefactor.net.example.com/", "link");
    check("https://user@notphonefactor.net/", "link");
}

#[test]
fn everything_else_that_gets_scanned() {
    for (text, code) in [
        ("", "empty"),
        (" \r\n\u{feff}", "empty"),
        ("otpauth-migration://offline?data=CjgKCtXJ", "app-export"),
        ("OTPAUTH-MIGRATION://OFFLINE?DATA=CJGK", "app-export"),
        ("FIDO:/031645212465214", "passkey"),
        ("fido:/031645212465214", "passkey"),
        ("openid-vc://?request_uri=https://example.com", "verified-id"),
        ("openid://vc/?request_uri=https://example.com", "verified-id"),
        ("WIFI:T:WPA;S:guest;P:letmein;;", "everyday-wifi"),
        ("BEGIN:VCARD\nVERSION:3.0\nN:Vance;Adele\nEND:VCARD", "everyday-contact"),
        ("mailto:adele@contoso.com", "everyday-mail"),
        ("tel:+15550100", "everyday-telephone"),
        ("BEGIN:VEVENT\nEND:VEVENT", "everyday-calendar"),
        ("https://aka.ms/authapp", "app-download"),
        ("https://apps.apple.com/app/id983156458", "app-download"),
        ("https://play.google.com/store/apps/details?id=com.azure.authenticator", "app-download"),
        ("market://details?id=com.azure.authenticator", "app-download"),
        ("duo://abcdefghij0123456789-YXBpLTAwMDAwMDAwLmR1b3NlY3VyaXR5LmNvbQ", "vendor-push"),
        ("abcdefghij0123456789-YXBpLTAwMDAwMDAwLmR1b3NlY3VyaXR5LmNvbQ", "vendor-push"),
        ("https://m-00000000.duosecurity.com/activate/abc", "vendor-push"),
        ("oktaverify://email/?t=abc&s=https://contoso.okta.com", "vendor-push"),
        ("https://contoso.okta.com/app", "vendor-push"),
        ("otpauth://pipush/PIPU0001?url=https%3A%2F%2Fexample.com", "vendor-push"),
        ("8659612003271", "serial-sticker"),
        ("8659622 003271", "serial-sticker"),
        ("2345672345672345", "serial-sticker"),
        ("004167", "displayed-code"),
        ("004 167", "displayed-code"),
        ("29004167", "displayed-code"),
        ("d5c907ce7c3bfac582ab", "hex-secret"),
        ("0xD07F963C2BB7A3CC74A910E51CA0075B194DA412", "hex-secret"),
        ("d0:7f:96:3c:2b:b7:a3:cc:74:a9", "hex-secret"),
        ("3132333435363738393031323334353637383930", "hex-secret"),
        ("A2B3C4D5E6F7A2B3C4D5E6F7A2B3C4D5E6F7A2B3", "hex-secret"),
        ("1ckHznw7+sWCqw==", "base64-secret"),
        ("0H+WPCu3o8x0qRDlHKAHWxlNpBI=", "base64-secret"),
        ("https://contoso.com/", "link"),
        ("hello", "unknown"),
        ("please scan the code on the screen and not this one", "unknown"),
        ("12345", "unknown"),
        ("otpauth", "unknown"),
        ("Please", "unknown"),
        ("\u{202e}\u{1f600}", "unknown"),
    ] {
        check(text, code);
    }
}

#[test]
fn typed_keys_with_a_slip_are_named() {
    let bad = |position, character, question| KeyUriError::SecretBadCharacter {
        position,
        character,
        question,
    };
    for (text, expected) in [
        ("2XEQ PTT1 HP5M LAVL", bad(8, '1', Some('I'))),
        ("2xeqptt4hp5mlav0", bad(16, '0', Some('O'))),
        ("Secret key: 2xeqptt4hp5mlav8", bad(16, '8', Some('B'))),
        ("2XEQPTT4HP5MLA", KeyUriError::SecretCut { length: 14 }),
        ("2XEQPTT4HP5ML", KeyUriError::SecretTooShort { bytes: 8 }),
        ("2XEQPTT4HP5MLAVLA", KeyUriError::SecretCut { length: 17 }),
    ] {
        match classify(text, Source::Typed) {
            Finding::Unusable(error) => assert_eq!(error, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn more_than_one_is_a_choice() {
    let two =
        "otpauth://totp/a?secret=2XEQPTT4HP5MLAVL\n\notpauth://totp/b?secret=5C7IQEXEN7NAAIYK";
    match classify(two, Source::Typed) {
        Finding::Foreign(Foreign::SeveralKeyUris { count: 2 }) => {}
        other => panic!("{other:?}"),
    }
    let accounts: Vec<String> = classify_each(two, Source::Typed)
        .iter()
        .map(|finding| match finding {
            Finding::Credential(credential) => credential.account().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(accounts, ["a", "b"]);
    assert_eq!(classify_each("hello", Source::Typed).len(), 1);

    let keys = "one: 2xeqptt4hp5mlavl\ntwo: 5c7iqexen7naaiyk";
    match classify(keys, Source::Typed) {
        Finding::Foreign(Foreign::SeveralSecrets { count: 2 }) => {}
        other => panic!("{other:?}"),
    }
}
