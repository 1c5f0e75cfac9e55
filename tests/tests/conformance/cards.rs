//! The conditions of the families that are cards.

#![expect(
    clippy::items_after_statements,
    reason = "a condition stands beside the cases that it makes"
)]

use emulator::families::feitian_otp_applet::FeitianOtpApplet;
use emulator::families::token2_fido_otp::{Hash, Record, Release, Token2FidoOtp};
use emulator::families::token2_molto2::{Model, Token2Molto2};
use emulator::families::token2_nfc_single_profile::{OTPC_P1_I, OTPC_P2_I, Token2NfcSingleProfile};
use emulator::families::yubikey_oath::{Product, YubikeyOath};
use oath::{Algorithm, Digits, Parameters, Period};

use crate::case::{Case, Ends, old_secret};

const NAME: &str = "Microsoft (Contoso):adele@contoso.com";
const PASSWORD: &str = "correct horse";

pub(crate) fn token2_nfc_single_profile() -> Vec<Case> {
    let with = |condition: &str, prefix| {
        Case::new(format!("token2-nfc-single-profile, {condition}"), move || {
            let token = Token2NfcSingleProfile::new(prefix, 7);
            token.holding(old_secret(), Algorithm::Sha256, Period::S60)
        })
        .replacing("whatever-is-there")
    };
    vec![with("restricted", OTPC_P2_I), with("keeps its seed", OTPC_P1_I)]
}

pub(crate) fn yubikey_oath() -> Vec<Case> {
    let mut cases = Vec::new();
    for product in Product::ALL {
        let title = |condition: &str| format!("yubikey-oath, {}, {condition}", product.title);
        let taken =
            move |key: YubikeyOath| key.holding(NAME, old_secret(), Algorithm::Sha1, Digits::SIX);
        cases.push(
            Case::new(title("empty"), move || YubikeyOath::new(product, 1)).replacing("nothing"),
        );
        cases.push(
            Case::new(title("name taken"), move || taken(YubikeyOath::new(product, 1)))
                .replacing("entry"),
        );
        cases.push(
            Case::new(title("password, name taken"), move || {
                taken(YubikeyOath::new(product, 1).protected_by(PASSWORD))
            })
            .opened_by(PASSWORD)
            .replacing("entry"),
        );
    }
    cases
}

/// A customer key of somebody's own.
const OWN_KEY: &str = "MyNewCustomerKey";

pub(crate) fn token2_molto2() -> Vec<Case> {
    let with = |condition: &str, make: fn(Token2Molto2) -> Token2Molto2| {
        Case::new(format!("token2-molto2, {condition}"), move || {
            make(Token2Molto2::new(Model::Molto2v2, 3))
        })
    };
    let old = Parameters {
        algorithm: Algorithm::Sha256,
        digits: Digits::new(8).expect("eight is a number of digits"),
        period: Period::S60,
    };
    vec![
        Case::new("token2-molto2, first hardware".to_owned(), || {
            Token2Molto2::new(Model::Molto2, 3)
        })
        .replacing("nothing"),
        with("no seeds", Token2Molto2::empty),
        with("demo slot replaced", |token| token).into_slot(0).replacing("entry"),
        Case::new("token2-molto2, slot with other settings replaced".to_owned(), move || {
            let token = Token2Molto2::new(Model::Molto2v2, 3);
            token.holding(7, "Old", old_secret(), old)
        })
        .into_slot(7)
        .replacing("entry"),
        with("slot with a leftover title", |token| token.with_leftover_title(5, "Old"))
            .into_slot(5)
            .replacing("nothing"),
        with("full", Token2Molto2::full).replacing("entry"),
        Case::new("token2-molto2, first hardware, full, last slot".to_owned(), || {
            Token2Molto2::new(Model::Molto2, 3).full()
        })
        .into_slot(49)
        .replacing("entry"),
        with("own customer key", |token| token.with_customer_key(OWN_KEY.as_bytes()))
            .opened_by(OWN_KEY)
            .into_slot(0)
            .replacing("entry"),
        with("own customer key, the maker's is tried", |token| {
            token.with_customer_key(OWN_KEY.as_bytes())
        })
        .ends(Ends::Refused("wrong-password")),
        with("one try left, the maker's key is wrong", |token| {
            token.with_customer_key(OWN_KEY.as_bytes()).with_tries_left(1)
        })
        .ends(Ends::Refused("wrong-password")),
        with("tries in a whole byte, the maker's key is wrong", |token| {
            token.with_customer_key(OWN_KEY.as_bytes()).telling_tries_in_a_whole_byte()
        })
        .ends(Ends::Refused("wrong-password")),
        with("deletes for anyone", Token2Molto2::deleting_for_anyone)
            .into_slot(0)
            .replacing("entry"),
        with("screen can be locked", Token2Molto2::with_screen_lock),
    ]
}

/// The name on the wire of a Feitian key.
const FEITIAN: &str = "30:Microsoft (Contoso)_#_adele@contoso.com";

pub(crate) fn feitian_otp_applet() -> Vec<Case> {
    let with = |condition: &str, make: fn(FeitianOtpApplet) -> FeitianOtpApplet| {
        Case::new(format!("feitian-otp-applet, {condition}"), move || {
            make(FeitianOtpApplet::new(9).holding(
                "60:Acme_#_x",
                old_secret(),
                Algorithm::Sha256,
                Digits::SIX,
            ))
        })
    };
    fn taken(key: FeitianOtpApplet) -> FeitianOtpApplet {
        key.holding(FEITIAN, old_secret(), Algorithm::Sha1, Digits::SIX)
    }
    vec![
        with("another entry", |key| key).replacing("nothing"),
        with("name taken", taken).replacing("entry"),
        with("entry with touch replaced", |key| taken(key).needing_touch())
            .replacing("entry")
            .asks_for_touch(),
        with("older firmware", FeitianOtpApplet::with_older_firmware),
        with("older firmware, name taken", |key| taken(key).with_older_firmware())
            .replacing("entry"),
        with("full", FeitianOtpApplet::full).ends(Ends::Refused("token-full")),
        with("full, name taken", |key| taken(key).full()).replacing("entry"),
    ]
}

const PIN: &str = "135790";

pub(crate) fn token2_fido_otp() -> Vec<Case> {
    fn taken(key: Token2FidoOtp) -> Token2FidoOtp {
        key.holding(Record::new("Microsoft (Contoso)", "adele@contoso.com", old_secret()))
    }
    let key = |condition: &str, release: Release, make: fn(Token2FidoOtp) -> Token2FidoOtp| {
        Case::new(format!("token2-fido-otp, {condition}"), move || {
            let key = Token2FidoOtp::new(release, 5);
            make(key.holding(Record::new("Acme", "x", old_secret())))
        })
    };
    let with = |condition: &str, make| key(condition, Release::R3_4, make);
    let mut cases = vec![
        with("another entry", |key| key).replacing("nothing"),
        with("no entries", |_| Token2FidoOtp::new(Release::R3_4, 5)).replacing("nothing"),
        with("entry of other settings replaced", |key| {
            let mut old = Record::new("Microsoft (Contoso)", "adele@contoso.com", old_secret());
            (old.hash, old.step) = (Hash::Sha256, 60);
            key.holding(old)
        })
        .replacing("entry"),
        with("entry with touch replaced", |key| {
            let mut old = Record::new("Microsoft (Contoso)", "adele@contoso.com", old_secret());
            old.touch = true;
            key.holding(old)
        })
        .replacing("entry")
        .asks_for_touch(),
        with("full", Token2FidoOtp::full).ends(Ends::Refused("token-full")),
        with("full, name taken", |key| taken(key).full()).replacing("entry"),
        with("PIN", |key| key.protected_by(PIN)).opened_by(PIN).replacing("nothing"),
        with("PIN, name taken", |key| taken(key).protected_by(PIN))
            .opened_by(PIN)
            .replacing("entry"),
        with("PIN, full", |key| key.full().protected_by(PIN))
            .opened_by(PIN)
            .ends(Ends::Refused("token-full")),
        with("small pages, name taken", |key| taken(key).paging_at(1)).replacing("entry"),
        with("short config", Token2FidoOtp::with_short_config),
        with("T=0 reader", |key| taken(key).in_t0_reader()).replacing("entry"),
        with("T=0 reader, PIN", |key| taken(key).in_t0_reader().protected_by(PIN))
            .opened_by(PIN)
            .replacing("entry"),
    ];
    for release in Release::ALL {
        cases.push(
            key(&format!("{}, name taken", release.title), release, taken).replacing("entry"),
        );
    }
    cases
}

/// What is turned back before a write, with the code that is told.
pub(crate) fn turned_back() -> Vec<(Case, &'static str)> {
    let fido = |condition: &str, make: fn(Token2FidoOtp) -> Token2FidoOtp| {
        Case::new(format!("token2-fido-otp, {condition}"), move || {
            make(Token2FidoOtp::new(Release::R3_4, 5))
        })
    };
    vec![
        (
            Case::new("feitian-otp-applet, access code".to_owned(), || {
                FeitianOtpApplet::new(9).with_access_code()
            }),
            "refused",
        ),
        (fido("PIN, not told", |key| key.protected_by(PIN)), "locked-pin"),
        (fido("PIN, wrong", |key| key.protected_by(PIN)).opened_by("999999"), "wrong-password"),
        (
            fido("no try left", |key| key.protected_by(PIN).locking_after(0)).opened_by(PIN),
            "token-blocked",
        ),
        (fido("TOTP off", Token2FidoOtp::with_totp_off), "not-over-this-connection"),
    ]
}
