//! What people hand over, at the desk: vaults that ask, exports over several pictures,
//! folders, lists. From each the one account that was chosen comes on the token, and
//! no other.

use std::path::PathBuf;

use desk::{Choice, FindingView, Input, PictureView, Problem, RunView, read_paths};
use emulator::practice;
use sower_tests::paths;
use sower_tests::world::{World, canary_uri};
use zeroize::Zeroizing;

const YKOATH: &str = "yubikey-oath";

fn kit(name: &str) -> PathBuf {
    paths::root().join("tests/kit").join(name)
}

fn files(names: &[&str]) -> Vec<Input> {
    let paths: Vec<PathBuf> = names.iter().map(|name| kit(name)).collect();
    read_paths(&paths).expect("the kit is there")
}

fn read(world: &World, names: &[&str]) -> Result<RunView, Problem> {
    world.desk.read(files(names))
}

fn found(view: RunView) -> PictureView {
    let RunView::Found { picture } = view else { panic!("{view:?}") };
    picture
}

fn password(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn accounts(picture: &PictureView) -> Vec<&str> {
    let account = |finding: &'_ FindingView| finding.credential.is_some();
    let usable = picture.findings.iter().filter(|finding| account(finding));
    usable.filter_map(|finding| finding.credential.as_ref()).map(|c| c.account.as_str()).collect()
}

/// Enrols what is at hand and gives the seed that came on the token.
fn enrolled(world: &World) -> Vec<u8> {
    let id = world.put(practice(YKOATH).expect("family"));
    world.desk.plan(&world.token().id, &Choice::default(), None).expect("a plan");
    let view = world.desk.write(false, &mut |_| {}).expect("written");
    assert!(matches!(view, RunView::Confirmed { .. }), "{view:?}");
    let held = world.tray.holds(id);
    assert_eq!(held.len(), 1, "one seed, and no other");
    held[0].secret.expose().to_vec()
}

#[test]
fn a_vault_asks_for_its_password_until_it_opens() {
    let world = World::new();
    let asked = read(&world, &["vaults/aegis-encrypted.json"]).expect("it asks");
    let RunView::Asked { question, refusal: None, .. } = &asked else { panic!("{asked:?}") };
    assert_eq!(question.code, "password-needed");
    let wrong = world.desk.answer(Some(password("correct house")), None).expect("it asks again");
    let RunView::Asked { refusal: Some(refusal), .. } = &wrong else { panic!("{wrong:?}") };
    assert_eq!(refusal.code, "wrong-file-password");
    let open = world.desk.answer(Some(password("correct horse")), None).expect("it opens");
    assert!(matches!(open, RunView::Captured { .. }), "one account is taken: {open:?}");
    let seed = enrolled(&world);
    assert!(seed.starts_with(&[0xd5, 0xc9, 0x07, 0xce]), "the seed of the sheet");
}

#[test]
fn an_answer_to_nothing_is_turned_away() {
    let world = World::new();
    assert_eq!(
        world.desk.answer(Some(password("x")), None).expect_err("empty").code,
        "wrong-stage"
    );
    read(&world, &["vaults/aegis-encrypted.json"]).expect("it asks");
    assert!(matches!(world.desk.back(), RunView::Empty), "the file is forgotten");
    assert_eq!(world.desk.answer(Some(password("x")), None).expect_err("gone").code, "wrong-stage");
}

#[test]
fn a_secret_that_may_be_two_things_is_asked_about() {
    let world = World::new();
    let asked = read(&world, &["secret/hex.txt"]).expect("it asks");
    let RunView::Asked { encodings, .. } = &asked else { panic!("{asked:?}") };
    assert!(encodings.iter().any(|encoding| encoding == "hex"), "{encodings:?}");
    let taken = world.desk.answer(None, Some("hex")).expect("it is read");
    assert!(matches!(taken, RunView::Captured { .. }), "{taken:?}");
}

#[test]
fn an_export_is_joined_from_pictures_that_come_one_by_one_or_together() {
    let pictures = ["pictures/migration-2.png", "pictures/migration-3.png"];
    let world = World::new();
    let begun = found(read(&world, &["pictures/migration-1.png"]).expect("one of three"));
    assert_eq!(begun.remarks.first().map(|remark| remark.code.as_str()), Some("incomplete"));
    let begun = found(read(&world, &pictures[..1]).expect("two of three"));
    assert_eq!(begun.remarks[0].facts["scanned"], "2");
    let whole = found(read(&world, &pictures[1..]).expect("three of three"));
    assert!(whole.remarks.is_empty(), "{:?}", whole.remarks);

    let other = World::new();
    let all = ["pictures/migration-3.png", "pictures/migration-1.png", "pictures/migration-2.png"];
    let together = found(read(&other, &all).expect("all three"));
    assert_eq!(accounts(&together), accounts(&whole));
    assert!(accounts(&whole).len() > 1);
}

#[test]
fn of_two_accounts_the_chosen_one_comes_on_the_token() {
    let mut seeds = Vec::new();
    for chosen in [0, 1] {
        let world = World::new();
        let list = found(read(&world, &["migration/two-accounts.txt"]).expect("a list"));
        assert_eq!(accounts(&list).len(), 2, "{list:?}");
        let account = accounts(&list)[chosen].to_owned();
        let id = list.findings[chosen].id;
        // There and back again: the other one is still there.
        world.desk.choose(u32::from(chosen == 0)).expect("the other one");
        let again = found(world.desk.back());
        assert_eq!(accounts(&again), accounts(&list));
        let taken = world.desk.choose(id).expect("the account");
        let RunView::Captured { credential } = taken else { panic!("{taken:?}") };
        assert_eq!(credential.account, account);
        seeds.push(enrolled(&world));
    }
    assert_ne!(seeds[0], seeds[1]);
}

#[test]
fn each_of_several_files_is_told_by_its_name() {
    let world = World::new();
    let names = [
        "pictures/microsoft-work.png",
        "pictures/microsoft-push.png",
        "vaults/aegis-encrypted.json",
        "vaults/keepass-database.kdbx",
    ];
    let mut inputs = files(&names);
    inputs.extend(read_paths(&[kit("not-there.png")]).expect("it is told in its place"));
    let list = found(world.desk.read(inputs).expect("a list"));
    let told: Vec<(&str, &str, &str)> = list
        .findings
        .iter()
        .map(|finding| {
            let file = finding.file.as_deref().expect("its file");
            (file, finding.kind.as_str(), finding.code.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("microsoft-work.png", "finding", "credential"),
            ("microsoft-push.png", "finding", "microsoft-push"),
            ("aegis-encrypted.json", "question", "password-needed"),
            ("keepass-database.kdbx", "finding", "other-file"),
            ("not-there.png", "problem", "file-unreadable"),
        ]
    );
    world.desk.choose(0).expect("the first");
    assert!(enrolled(&world).starts_with(&[0xd5, 0xc9, 0x07, 0xce]));
}

#[test]
fn a_folder_is_the_files_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let none = read_paths(&[folder.path().to_owned()]).expect("it can be listed");
    let world = World::new();
    assert_eq!(world.desk.read(none).expect_err("nothing in it").code, "folder-empty");
    std::fs::write(place("b.txt"), canary_uri()).expect("written");
    std::fs::copy(kit("pictures/microsoft-work.png"), place("a.png")).expect("copied");
    std::fs::write(place(".hidden"), "x").expect("written");
    std::fs::create_dir(place("c")).expect("made");
    let list = found(
        world.desk.read(read_paths(&[folder.path().to_owned()]).expect("listed")).expect("read"),
    );
    let names: Vec<_> =
        list.findings.iter().filter_map(|finding| finding.file.as_deref()).collect();
    assert_eq!(names, ["a.png", "b.txt"]);
    assert_eq!(accounts(&list).len(), 2);
}

#[test]
fn a_longer_look_is_possible_once() {
    let world = World::new();
    let none = striped();
    let first = world.desk.read_picture(&none).expect_err("no code");
    assert_eq!((first.code.as_str(), first.facts.contains_key("longer")), ("no-code-found", true));
    let second = world.desk.read_longer().expect_err("no code either");
    assert!(!second.facts.contains_key("longer"), "{second:?}");
    assert_eq!(world.desk.read_longer().expect_err("it was given").code, "wrong-stage");
    world.desk.read_picture(&none).expect_err("no code");
    world.desk.start_over();
    assert_eq!(world.desk.read_longer().expect_err("forgotten").code, "wrong-stage");
}

/// A picture of grey stripes, 64 by 64, as a Windows bitmap of 24 bits.
fn striped() -> Vec<u8> {
    let mut file = b"BM".to_vec();
    for field in [54 + 64 * 64 * 3, 0, 54, 40, 64, 64, 1 | 24 << 16, 0, 0, 0, 0, 0, 0_u32] {
        file.extend(field.to_le_bytes());
    }
    file.extend((0..64 * 64 * 3).map(|byte: u32| u8::try_from(byte / 3 % 64 * 3).unwrap_or(0)));
    file
}

#[test]
fn nothing_new_is_taken_while_a_written_token_waits() {
    let world = World::new();
    world.put(practice("token2-nfc-single-profile").expect("family"));
    world.desk.read_text(&canary_uri()).expect("a credential");
    world.desk.plan(&world.token().id, &Choice::default(), None).expect("a plan");
    world.write();
    let refused = read(&world, &["vaults/aegis-encrypted.json"]).expect_err("it waits");
    assert_eq!(refused.code, "wrong-stage");
    assert!(matches!(world.desk.view(), RunView::Written { .. }));
}
