//! The conditions of the families that are HID devices, and of the Nitrokey 3,
//! which is both.

#![expect(
    clippy::items_after_statements,
    reason = "a condition stands beside the cases that it makes"
)]

use emulator::families::mooltipass::{Card, Firmware, Mooltipass};
use emulator::families::nitrokey_pro::{self, NitrokeyPro};
use emulator::families::nitrokey_secrets::NitrokeySecrets;
use emulator::families::onlykey::{self, OnlyKey, Usb};
use emulator::families::yubikey_otp_hid::{Slot, YubikeyOtpHid};
use oath::{Algorithm, Digits, Period, UnixTime};
use sower_tests::world::{BEGINNING, canary};

use crate::case::{Answers, Case, Ends, old_secret};

/// The name of the canary's entry.
const NAME: &str = "Microsoft (Contoso):adele@contoso.com";

pub(crate) fn nitrokey_secrets() -> Vec<Case> {
    fn taken(key: NitrokeySecrets) -> NitrokeySecrets {
        key.holding(NAME, old_secret(), Algorithm::Sha1, Digits::SIX)
    }
    let mut cases = Vec::new();
    for by_hid in [false, true] {
        let with = |condition: &str, make: fn(NitrokeySecrets) -> NitrokeySecrets| {
            let way = if by_hid { "HID" } else { "card" };
            Case::new(format!("nitrokey-secrets, {way}, {condition}"), move || {
                let key = NitrokeySecrets::new(0x0102_0304);
                let key = key.holding("Acme:x", old_secret(), Algorithm::Sha256, Digits::SIX);
                if by_hid { make(key).by_hid() } else { make(key) }
            })
            .in_reports(if by_hid { 3 } else { 1 })
        };
        cases.extend([
            with("another entry", |key| key).replacing("nothing"),
            with("name taken, touched", taken).replacing("entry").touched(),
            // It was touched once, and each of its codes wants a touch of its own.
            with("entry with touch replaced", |key| taken(key).needing_touch())
                .replacing("entry")
                .touched()
                .asks_for_touch(),
            with("full", NitrokeySecrets::full).ends(Ends::Refused("token-full")),
            with("full, name taken, touched", |key| taken(key).full()).replacing("entry").touched(),
            with("PIN set", |key| key.with_pin("12345678")).replacing("nothing"),
            with("PIN set, name taken, touched", |key| taken(key).with_pin("12345678"))
                .replacing("entry")
                .touched(),
            with("no try of the PIN left", |key| key.with_pin("12345678").with_tries_left(0)),
            with("name taken behind the PIN", |key| taken(key).needing_pin().with_pin("12345678"))
                .replacing("nothing")
                .ends(Ends::Refused("name-taken")),
            with("older app", |key| key.telling([4, 11, 0])),
        ]);
        let untouched = with("name taken, nobody touches", taken).replacing("entry");
        // Where time stands still, the key neither gives up nor answers on HID: one
        // thing went wrong already, and with another the desk may not find out.
        cases.push(if by_hid {
            untouched.ends(Ends::Refused("token-silent")).mute()
        } else {
            untouched.ends(Ends::Refused("not-touched"))
        });
    }
    cases
}

pub(crate) fn nitrokey_pro() -> Vec<Case> {
    const PIN: &str = "12345678";
    let model = |model, title: &str, make: fn(NitrokeyPro) -> NitrokeyPro| {
        Case::new(format!("nitrokey-pro, {title}"), move || make(NitrokeyPro::new(model, 0xa1b2)))
            .opened_by(PIN)
    };
    let with = |title: &str, make| model(nitrokey_pro::Model::Pro2, title, make);
    fn taken(key: NitrokeyPro) -> NitrokeyPro {
        let eight = Digits::new(8).expect("eight is a number of digits");
        key.holding(4, "Old", &old_secret(), eight, Period::S60)
    }
    vec![
        model(nitrokey_pro::Model::Storage2, "Storage 2", |key| key).replacing("nothing"),
        model(nitrokey_pro::Model::LibremKey, "Librem Key", |key| key).replacing("nothing"),
        with("slot replaced", taken).into_slot(0x24).replacing("entry"),
        with("another slot", taken).into_slot(0x25).replacing("nothing"),
        with("full", NitrokeyPro::full).replacing("entry"),
        model(nitrokey_pro::Model::Storage2, "Storage 2, full", NitrokeyPro::full)
            .replacing("entry"),
        with("own PIN", |key| key.with_pins("an owner's PIN", "123456"))
            .opened_by("an owner's PIN"),
        with("one try left", |key| key.with_tries_left(1, 3)),
        with("busy", |key| taken(key).busy_for(2)).into_slot(0x24),
        with("late", |key| taken(key).late_for(2)).into_slot(0x24),
        with("clock set before", |key| key.once_set_to(UnixTime::from_secs(1_700_000_000))),
        with("fast clock", |key| key.gaining(500)),
        with("codes behind the user PIN", |key| taken(key).demanding_user_pin())
            .into_slot(0x24)
            .mute()
            .ends(Ends::Unproven("token-locked")),
    ]
}

pub(crate) fn yubikey_otp_hid() -> Vec<Case> {
    let with = |condition: &str, make: fn(YubikeyOtpHid) -> YubikeyOtpHid| {
        Case::new(format!("yubikey-otp-hid, {condition}"), move || make(YubikeyOtpHid::new(77)))
    };
    fn taken(key: YubikeyOtpHid) -> YubikeyOtpHid {
        key.holding(Slot::Two, &old_secret())
    }
    vec![
        with("no slot used", YubikeyOtpHid::empty).replacing("nothing"),
        with("slot 2 taken", taken).into_slot(2),
        with("the factory's slot 1 replaced", |key| key).into_slot(1),
        with("slot 2 holds another kind", |key| key.holding_another_credential(Slot::Two))
            .into_slot(2),
        with("slot 2 needs touch", |key| taken(key).needing_touch(Slot::Two)).into_slot(2),
        with("both slots hold keys", |key| taken(key).holding(Slot::One, &old_secret()))
            .into_slot(1),
        with("last sequence", |key| taken(key).with_sequence(255)).into_slot(2),
        with("slow", |key| taken(key).taking_reads(5)).into_slot(2),
        with("hides its serial", |key| taken(key).hiding_its_serial()).into_slot(2),
        with("the same key already", |key| key.holding(Slot::Two, &canary())).into_slot(2),
        with("firmware 2.4", |key| key.with_version([2, 4, 0])),
    ]
}

pub(crate) fn onlykey() -> Vec<Case> {
    let model = |model, title: &str, make: fn(OnlyKey) -> OnlyKey| {
        Case::new(format!("onlykey, {title}"), move || make(OnlyKey::new(model, 5)))
    };
    let with = |title: &str, make| model(onlykey::Model::OnlyKey, title, make);
    fn taken(key: OnlyKey) -> OnlyKey {
        key.holding(2, "Old", old_secret())
    }
    vec![
        model(onlykey::Model::Duo, "DUO", |key| key),
        model(onlykey::Model::DuoWithoutPin, "DUO without PIN", |key| key),
        with("slot taken", taken).into_slot(2).replacing("entry"),
        with("slot with a login", |key| key.with_login(2, "adele", "password")).into_slot(2),
        with("another slot", taken).into_slot(3),
        with("full", OnlyKey::full),
        with("FIDO page", |key| key.enumerating_as(Usb::FidoPage)),
        with("generic numbers", |key| key.enumerating_as(Usb::Generic)),
        with("config mode", OnlyKey::in_config_mode),
        with("told a time before", |key| key.told(BEGINNING, BEGINNING)),
    ]
}

pub(crate) fn mooltipass() -> Vec<Case> {
    const SERVICE: &str = "Microsoft (Contoso)";
    const LOGIN: &str = "adele@contoso.com";
    let asking = |condition: &str, make: fn(Mooltipass) -> Mooltipass| {
        let make = move || make(Mooltipass::new(4_001));
        of_mooltipass(Case::new(format!("mooltipass, {condition}"), make))
    };
    let with = |condition: &str, make: fn(Mooltipass) -> Mooltipass| {
        let make = move || make(Mooltipass::new(4_001).approving());
        of_mooltipass(Case::new(format!("mooltipass, {condition}"), make))
    };
    fn taken(device: Mooltipass) -> Mooltipass {
        device.holding(SERVICE, LOGIN, &old_secret())
    }
    fn others(device: Mooltipass) -> Mooltipass {
        let device = device.holding(SERVICE, "adele", &old_secret());
        device.holding("Acme", LOGIN, &old_secret())
    }
    vec![
        with("entry changed", taken),
        with("other entries", others),
        Case {
            answers: Answers::Always,
            ..with("the same key already", |device| device.holding(SERVICE, LOGIN, &canary()))
        },
        with("busy", |device| device.busy_for(3)),
        with("firmware 0.86", |device| device.with_firmware(Firmware::V0_86)),
        with("clock gains", |device| device.gaining(500)),
        with("firmware with wrong codes", |device| device.with_firmware(Firmware::V0_85))
            .mute()
            .ends(Ends::Unproven("proof-mismatch")),
        with("firmware without codes", |device| device.with_firmware(Firmware::Bundle7))
            .mute()
            .ends(Ends::Unproven("firmware-too-old")),
        asking("denied", Mooltipass::denying).ends(Ends::Refused("not-touched")),
        asking("denied, entry there", |device| taken(device).denying())
            .ends(Ends::Refused("not-touched")),
        // Where time stands still, the question stays on the screen, and the owner
        // may say yes to it yet.
        asking("nobody answers", taken).ends(Ends::Unknown("token-silent")),
    ]
}

/// A store has eight reports, and there is nobody to ask but the entry itself: what
/// is not there cannot be told from what its owner does not tell.
pub(crate) fn of_mooltipass(case: Case) -> Case {
    case.in_reports(8).asks_for_touch().replacing("entry-not-told")
}

/// What is turned back before a write, with the code that is told.
pub(crate) fn turned_back() -> Vec<(Case, &'static str)> {
    let pro = |condition: &str, make: fn(NitrokeyPro) -> NitrokeyPro| {
        Case::new(format!("nitrokey-pro, {condition}"), move || {
            make(NitrokeyPro::new(nitrokey_pro::Model::Pro2, 0xa1b2))
        })
    };
    let only = |condition: &str, make: fn(OnlyKey) -> OnlyKey| {
        Case::new(format!("onlykey, {condition}"), move || {
            make(OnlyKey::new(onlykey::Model::OnlyKey, 5))
        })
    };
    let mini = |condition: &str, make: fn(Mooltipass) -> Mooltipass| {
        Case::new(format!("mooltipass, {condition}"), move || {
            make(Mooltipass::new(4_001).approving())
        })
    };
    vec![
        (mini("no card", |device| device.with_card(Card::Absent)), "locked-on-device"),
        (mini("card locked", |device| device.with_card(Card::Locked)), "locked-on-device"),
        (pro("PIN not told", |key| key), "locked-pin"),
        (pro("PIN wrong", |key| key).opened_by("87654321"), "wrong-password"),
        (
            pro("no try left", |key| key.with_tries_left(0, 3)).opened_by("12345678"),
            "token-blocked",
        ),
        (pro("old firmware", NitrokeyPro::with_old_firmware), "firmware-too-old"),
        (only("locked", OnlyKey::locked), "locked-on-device"),
        (only("not set up", OnlyKey::uninitialised), "not-set-up"),
    ]
}
