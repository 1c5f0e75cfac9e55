//! HID against a real kernel: devices come and go, answer badly or not at all, and
//! belong to somebody, in a guest that has USB (`sower_tests::guest`). Every row of
//! the table in rigs/FACTS.md section 7 has its test.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::collections::VecDeque;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use emulator::{FAMILIES, Hid, HidDevice, Now, Stalled, Tray, practice};
use oath::UnixTime;
use sower_tests::guest::in_guest;
use sower_tests::paths;
use sower_tests::usbip::{Fault, Plugged, Shared};
use token::{
    Attachment, Candidate, CandidateId, Channel, ChannelError, HidChannel, HidInterface, Random,
    TokenSource,
};
use transport::{HidAccess, HidFinding, HidSource};

/// A device that keeps what it is told: an output report `W...` or a feature report
/// stores, an output report `R` or a feature report read gives back.
#[derive(Default)]
struct Notebook {
    note: Vec<u8>,
    answers: VecDeque<Vec<u8>>,
}

impl Hid for Notebook {
    fn write(&mut self, report: &[u8], _: UnixTime) -> Result<(), Stalled> {
        match report {
            [0, b'W', note @ ..] => {
                self.note = note.to_vec();
                self.answers.push_back(padded(b"stored", REPORT));
            }
            [0, b'R', ..] => self.answers.push_back(padded(&self.note, REPORT)),
            _ => return Err(Stalled),
        }
        Ok(())
    }

    fn read(&mut self, _: UnixTime) -> Option<Vec<u8>> {
        self.answers.pop_front()
    }

    fn set_feature(&mut self, report: &[u8], _: UnixTime) -> Result<(), Stalled> {
        self.note = report[1..].to_vec();
        Ok(())
    }

    fn get_feature(&mut self, _: u8, len: usize, _: UnixTime) -> Result<Vec<u8>, Stalled> {
        Ok(padded(&[&[0], &self.note[..]].concat(), len))
    }
}

/// Bytes of every report.
const REPORT: usize = 64;

fn padded(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(length, 0);
    bytes
}

/// A report as a host sends it: its number, 0, then its bytes.
fn report(text: &[u8]) -> Vec<u8> {
    padded(&[&[0], text].concat(), REPORT + 1)
}

fn device(serial: &str) -> HidDevice {
    HidDevice {
        vendor: 0x20a0,
        product: 0x4108,
        usage_page: 0xff00,
        usage: 1,
        interface: 0,
        manufacturer: "Nobody",
        name: "Notebook".to_owned(),
        serial: serial.to_owned(),
        report_length: REPORT,
        feature_length: REPORT,
    }
}

fn now() -> Now {
    Arc::new(|| UnixTime::from_secs(1_700_000_000))
}

/// A notebook in the guest's port, and the hand on it.
fn plug(device: &HidDevice) -> (Plugged, Arc<Mutex<Notebook>>) {
    let notebook = Arc::new(Mutex::new(Notebook::default()));
    (Plugged::new(device, Shared(Arc::clone(&notebook)), now()), notebook)
}

fn holds(notebook: &Mutex<Notebook>, text: &[u8]) -> bool {
    notebook.lock().unwrap_or_else(PoisonError::into_inner).note.starts_with(text)
}

fn source() -> HidSource {
    HidSource::new(vec![HidInterface {
        vendor: 0x20a0,
        product: Some(0x4108),
        usage_page: Some(0xff00),
    }])
}

/// Waits until the source lists what it should, by the source's own watch.
fn wait_for<T>(source: &HidSource, pick: impl Fn(&[Candidate]) -> Option<T>) -> T {
    let mut watch = source.watch();
    let begun = Instant::now();
    loop {
        let candidates = source.candidates().expect("interfaces can be listed");
        if let Some(found) = pick(&candidates) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "there is {candidates:?}");
        watch.wait(Duration::from_millis(500));
    }
}

fn wait_for_serial(source: &HidSource, wanted: &str) -> CandidateId {
    wait_for(source, |candidates| {
        candidates.iter().find_map(|candidate| match &candidate.attachment {
            Attachment::Hid { serial, .. } if serial == wanted => Some(candidate.id.clone()),
            _ => None,
        })
    })
}

fn wait_for_none(source: &HidSource) {
    wait_for(source, |candidates| candidates.is_empty().then_some(()));
}

fn connect(source: &HidSource, id: &CandidateId) -> Result<Box<dyn HidChannel>, ChannelError> {
    match source.connect(id)? {
        Channel::Hid(channel) => Ok(channel),
        Channel::SmartCard(_) => panic!("it is no card"),
    }
}

/// A plugged device and an open channel to it.
struct Setup {
    plugged: Plugged,
    notebook: Arc<Mutex<Notebook>>,
    source: HidSource,
    id: CandidateId,
    channel: Box<dyn HidChannel>,
}

impl Setup {
    fn new() -> Self {
        Self::of("A1")
    }

    fn of(serial: &str) -> Self {
        let (plugged, notebook) = plug(&device(serial));
        let source = source();
        let id = wait_for_serial(&source, serial);
        let channel = connect(&source, &id).expect("it can be opened");
        Self { plugged, notebook, source, id, channel }
    }

    fn exchange(&mut self, text: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.channel.write(&report(text))?;
        self.channel.read(SOON)
    }

    fn assert_works(&mut self) {
        assert_eq!(self.exchange(b"Wit works").expect("it answers"), padded(b"stored", REPORT));
        assert_eq!(self.exchange(b"R").expect("it answers"), padded(b"it works", REPORT));
    }

    fn assert_dead(&mut self) {
        // The kernel may take a write for sent that comes with the unplugging.
        let _ = self.channel.write(&report(b"R"));
        assert_eq!(self.channel.read(SOON), Err(ChannelError::Removed));
        assert_eq!(self.channel.write(&report(b"R")), Err(ChannelError::Removed));
        assert_eq!(self.channel.set(&report(b"x")), Err(ChannelError::Removed));
        assert_eq!(self.channel.get(0, REPORT + 1), Err(ChannelError::Removed));
    }
}

/// Longer than the guest takes for any answer.
const SOON: Duration = Duration::from_secs(3);

/// How late a late answer is.
const LATE: Duration = Duration::from_millis(1200);

/// So short that a late answer is not there yet.
const AT_ONCE: Duration = Duration::from_millis(150);

#[test]
fn a_device_is_listed_with_all_that_it_tells() {
    in_guest("a_device_is_listed_with_all_that_it_tells", || {
        let (_wanted, _) = plug(&HidDevice { interface: 2, ..device("A1") });
        let (_other_page, _) = plug(&HidDevice { usage_page: 0x0001, usage: 6, ..device("B1") });
        let (_other_product, _) = plug(&HidDevice { product: 0x4109, ..device("C1") });
        let (_without_serial, _) = plug(&device(""));
        let all =
            HidSource::new(vec![HidInterface { vendor: 0x20a0, product: None, usage_page: None }]);
        wait_for(&all, |candidates| (candidates.len() == 4).then_some(()));
        let source = source();
        let candidates = source.candidates().expect("interfaces can be listed");
        let mut attachments: Vec<_> =
            candidates.into_iter().map(|candidate| candidate.attachment).collect();
        attachments.sort_by_key(|attachment| format!("{attachment:?}"));
        let expected = ["", "A1"].map(|serial| Attachment::Hid {
            vendor: 0x20a0,
            product: 0x4108,
            usage_page: 0xff00,
            usage: 1,
            name: "Notebook".to_owned(),
            serial: serial.to_owned(),
        });
        assert_eq!(attachments, expected);
    });
}

#[test]
fn reports_of_both_kinds_go_both_ways() {
    in_guest("reports_of_both_kinds_go_both_ways", || {
        let mut setup = Setup::new();
        setup.assert_works();
        assert_eq!(setup.channel.set(&report(b"feature")), Ok(()));
        assert!(holds(&setup.notebook, b"feature"));
        assert_eq!(setup.channel.get(0, REPORT + 1), Ok(report(b"feature")));
        assert_eq!(setup.exchange(b"R"), Ok(padded(b"feature", REPORT)));
        // Nothing was asked, so there is nothing to read, and no harm in trying.
        assert_eq!(setup.channel.read(AT_ONCE), Err(ChannelError::Silent));
        for _ in 0..20 {
            setup.assert_works();
        }
    });
}

#[test]
fn a_kind_of_report_that_a_device_has_not_is_refused() {
    in_guest("a_kind_of_report_that_a_device_has_not_is_refused", || {
        let (_plugged, _) = plug(&HidDevice { report_length: 0, ..device("A1") });
        let source = source();
        let id = wait_for_serial(&source, "A1");
        let mut channel = connect(&source, &id).expect("it can be opened");
        assert_eq!(channel.write(&report(b"R")), Err(STALLED));
        assert_eq!(channel.set(&report(b"still here")), Ok(()));
        assert_eq!(channel.get(0, REPORT + 1), Ok(report(b"still here")));
    });
}

/// EPIPE.
const STALLED: ChannelError = ChannelError::Failed { code: 32 };

#[test]
fn no_answer_is_silence_and_the_channel_goes_on() {
    in_guest("no_answer_is_silence_and_the_channel_goes_on", || {
        let mut setup = Setup::new();
        setup.plugged.fault(0, Fault::Silent);
        setup.channel.write(&report(b"Wquiet")).expect("it is taken");
        assert_eq!(setup.channel.read(AT_ONCE), Err(ChannelError::Silent));
        assert!(holds(&setup.notebook, b"quiet"));
        setup.assert_works();
    });
}

#[test]
fn a_late_answer_waits_for_the_next_read_but_not_for_the_next_channel() {
    in_guest("a_late_answer_waits_for_the_next_read_but_not_for_the_next_channel", || {
        let mut setup = Setup::new();
        let late = Fault::Late(LATE);
        setup.plugged.fault(0, late);
        setup.channel.write(&report(b"Wlate")).expect("it is taken");
        assert_eq!(setup.channel.read(AT_ONCE), Err(ChannelError::Silent));
        assert_eq!(setup.channel.read(SOON), Ok(padded(b"stored", REPORT)));
        // Asked by one channel, said when nobody listens, and not heard by the next.
        setup.plugged.fault(0, late);
        setup.channel.write(&report(b"Wlater")).expect("it is taken");
        let Setup { plugged, notebook, source, id, channel } = setup;
        drop(channel);
        source.watch().wait(LATE * 2);
        let channel = connect(&source, &id).expect("it can be opened again");
        let mut setup = Setup { plugged, notebook, source, id, channel };
        assert_eq!(setup.exchange(b"R"), Ok(padded(b"later", REPORT)));
    });
}

#[test]
fn short_input_reports_are_silence_and_short_feature_reports_are_short() {
    in_guest("short_input_reports_are_silence_and_short_feature_reports_are_short", || {
        let mut setup = Setup::new();
        setup.plugged.fault(0, Fault::Short(8));
        setup.channel.write(&report(b"R")).expect("it is taken");
        assert_eq!(setup.channel.read(AT_ONCE), Err(ChannelError::Silent));
        setup.channel.set(&report(b"0123456789")).expect("it is taken");
        setup.plugged.fault(0, Fault::Short(8));
        assert_eq!(setup.channel.get(0, REPORT + 1), Ok(b"\x0001234567".to_vec()));
        setup.assert_works();
    });
}

#[test]
fn a_stalled_feature_report_may_have_taken_effect() {
    in_guest("a_stalled_feature_report_may_have_taken_effect", || {
        let mut setup = Setup::new();
        setup.plugged.fault(0, Fault::Stalled);
        let error = setup.channel.set(&report(b"all the same")).expect_err("it is refused");
        assert_eq!(error, STALLED);
        assert!(error.may_have_taken_effect());
        assert!(holds(&setup.notebook, b"all the same"));
        setup.plugged.fault(0, Fault::Stalled);
        assert_eq!(setup.channel.get(0, REPORT + 1), Err(STALLED));
        setup.assert_works();
    });
}

#[test]
fn a_feature_report_that_is_never_acknowledged_is_silence() {
    in_guest("a_feature_report_that_is_never_acknowledged_is_silence", || {
        let mut setup = Setup::new();
        setup.plugged.fault(0, Fault::Silent);
        assert_eq!(setup.channel.set(&report(b"unheard")), Err(ChannelError::Silent));
        assert!(holds(&setup.notebook, b"unheard"));
        setup.assert_works();
        // The kernel waits for 5 s.
        setup.plugged.fault(0, Fault::Late(LATE));
        assert_eq!(setup.channel.set(&report(b"slow")), Ok(()));
        assert!(holds(&setup.notebook, b"slow"));
    });
}

#[test]
fn a_device_that_leaves_during_a_feature_report_is_removed() {
    in_guest("a_device_that_leaves_during_a_feature_report_is_removed", || {
        // At once, because the kernel waits for both for 5 s.
        let cases = [("A1", Fault::UnplugBefore, false), ("B1", Fault::UnplugAfter, true)];
        let runs = cases.map(|(serial, fault, takes_effect)| {
            let mut setup = Setup::of(serial);
            std::thread::spawn(move || {
                setup.plugged.fault(0, fault);
                assert_eq!(setup.channel.set(&report(b"gone")), Err(ChannelError::Removed));
                assert_eq!(holds(&setup.notebook, b"gone"), takes_effect);
                setup.assert_dead();
            })
        });
        for run in runs {
            run.join().expect("it does not panic");
        }
        wait_for_none(&source());
    });
}

#[test]
fn a_device_that_leaves_during_an_exchange_is_removed() {
    in_guest("a_device_that_leaves_during_an_exchange_is_removed", || {
        for (fault, takes_effect) in [(Fault::UnplugBefore, false), (Fault::UnplugAfter, true)] {
            let mut setup = Setup::new();
            setup.assert_works();
            setup.plugged.fault(0, fault);
            assert_eq!(setup.exchange(b"Wgone"), Err(ChannelError::Removed));
            assert_eq!(holds(&setup.notebook, b"gone"), takes_effect);
            setup.assert_dead();
            wait_for_none(&setup.source);
        }
    });
}

#[test]
fn a_read_ends_when_the_device_leaves() {
    in_guest("a_read_ends_when_the_device_leaves", || {
        let Setup { plugged, source, mut channel, .. } = Setup::new();
        let reads = std::thread::spawn(move || {
            let begun = Instant::now();
            (channel.read(Duration::from_mins(2)), begun.elapsed())
        });
        source.watch().wait(AT_ONCE);
        plugged.unplug();
        let (answer, took) = reads.join().expect("it does not panic");
        assert_eq!(answer, Err(ChannelError::Removed));
        assert!(took < Duration::from_secs(20), "it took {took:?}");
    });
}

#[test]
fn a_device_that_is_back_is_another_one() {
    in_guest("a_device_that_is_back_is_another_one", || {
        let Setup { plugged, source, id, channel, .. } = Setup::new();
        plugged.unplug();
        // No look in between: the same serial number, perhaps the same node.
        let (plugged, notebook) = plug(&device("A1"));
        let again = wait_for(&source, |candidates| match candidates {
            [candidate] if candidate.id != id => Some(candidate.id.clone()),
            _ => None,
        });
        let mut old = Setup { plugged, notebook, source, id: id.clone(), channel };
        old.assert_dead();
        assert_eq!(connect(&old.source, &id).err(), Some(ChannelError::NotThere));
        let channel = connect(&old.source, &again).expect("it can be opened");
        let mut new = Setup { id: again, channel, ..old };
        new.assert_works();
        assert_eq!(wait_for_serial(&new.source, "A1"), new.id);
    });
}

#[test]
fn a_device_that_is_back_at_the_very_same_node_is_another_one() {
    in_guest("a_device_that_is_back_at_the_very_same_node_is_another_one", || {
        let Setup { plugged, source, id, channel, .. } = Setup::new();
        // The kernel keeps the number of a node that is open.
        drop(channel);
        plugged.unplug();
        let other = self::source();
        wait_for_none(&other);
        let (_plugged, _) = plug(&device("A1"));
        wait_for_serial(&other, "A1");
        let again = wait_for_serial(&source, "A1");
        let node = |id: &CandidateId| id.0.split(' ').next().map(str::to_owned);
        assert_eq!(node(&again), node(&id));
        assert_ne!(again, id);
        assert_eq!(connect(&source, &id).err(), Some(ChannelError::NotThere));
        assert!(connect(&source, &again).is_ok());
    });
}

#[test]
fn two_devices_at_once_are_two() {
    in_guest("two_devices_at_once_are_two", || {
        let mut first = Setup::new();
        let mut second = Setup::of("B2");
        first.channel.write(&report(b"Wfirst")).expect("it is taken");
        second.channel.write(&report(b"Wsecond")).expect("it is taken");
        for setup in [&mut first, &mut second] {
            assert_eq!(setup.channel.read(SOON), Ok(padded(b"stored", REPORT)));
        }
        assert_eq!(second.exchange(b"R"), Ok(padded(b"second", REPORT)));
        assert_eq!(first.exchange(b"R"), Ok(padded(b"first", REPORT)));
        let Setup { plugged, source, id, .. } = first;
        plugged.unplug();
        second.assert_works();
        wait_for(&source, |candidates| (candidates.len() == 1).then_some(()));
        assert_eq!(connect(&source, &id).err(), Some(ChannelError::NotThere));
    });
}

#[test]
fn one_channel_at_a_time() {
    in_guest("one_channel_at_a_time", || {
        let setup = Setup::new();
        let other = source();
        let same = wait_for_serial(&other, "A1");
        let busy = Some(ChannelError::Busy { likely: None });
        assert_eq!(connect(&setup.source, &setup.id).err(), busy);
        assert_eq!(connect(&other, &same).err(), busy);
        assert_eq!(access(&other), HidAccess::Held);
        let Setup { channel, source, .. } = setup;
        drop(channel);
        assert_eq!(access(&other), HidAccess::Open);
        drop(connect(&other, &same).expect("it is free"));
        assert_eq!(source.candidates().map(|candidates| candidates.len()), Ok(1));
    });
}

/// What is found out about the one device that is there.
fn access(source: &HidSource) -> HidAccess {
    let findings = source.diagnose().expect("interfaces can be listed");
    match findings.as_slice() {
        [HidFinding::Device { name, access }] if name == "Notebook" => *access,
        _ => panic!("{findings:?}"),
    }
}

#[test]
fn what_comes_and_goes_is_noticed() {
    in_guest("what_comes_and_goes_is_noticed", || {
        let source = source();
        wait_for_none(&source);
        let mut watch = source.watch();
        let begun = Instant::now();
        watch.wait(Duration::from_millis(300));
        assert!(begun.elapsed() >= Duration::from_millis(300), "nothing happened");
        // Each comes before its wait, and is news all the same.
        let long = Duration::from_secs(30);
        for _ in 0..2 {
            let (plugged, _) = plug(&device("A1"));
            watch.wait(long);
            assert_eq!(source.candidates().map(|candidates| candidates.len()), Ok(1));
            plugged.unplug();
            watch.wait(long);
            assert_eq!(source.candidates().map(|candidates| candidates.len()), Ok(0));
        }
        assert!(begun.elapsed() < long);
    });
}

/// The drivers cannot tell a token behind a real kernel from one on the tray.
#[test]
fn every_emulated_hid_token_is_the_same_over_usb() {
    in_guest("every_emulated_hid_token_is_the_same_over_usb", || {
        let families: Vec<_> =
            FAMILIES.iter().filter(|family| practice_device(family).is_some()).collect();
        assert!(!families.is_empty());
        for family in families {
            let tray = Tray::new(now());
            tray.insert(tray.add(practice(family).expect("it is in the list"), "the tray"));
            let token = Arc::new(Mutex::new(practice(family).expect("it is in the list")));
            let _plugged = Plugged::token(&token, now());
            let device = practice_device(family).expect("it has one");
            let usb = HidSource::new(vec![HidInterface {
                vendor: device.vendor,
                product: Some(device.product),
                usage_page: Some(device.usage_page),
            }]);
            let over_usb = wait_for(&usb, |found| found.first().cloned());
            let on_tray = tray.candidates().expect("a tray lists always").remove(0);
            assert_eq!(over_usb.attachment, on_tray.attachment, "{family}");
            assert_eq!(opened(&usb, &over_usb), opened(&tray, &on_tray), "{family}");
        }
    });
}

fn practice_device(family: &str) -> Option<HidDevice> {
    practice(family)?.hid_device()
}

/// What the drivers make of a candidate.
fn opened(source: &dyn TokenSource, candidate: &Candidate) -> String {
    let channel = source.connect(&candidate.id).expect("it can be opened");
    let random: Random = Arc::new(|bytes| bytes.fill(0x5a));
    match token::open(candidate, channel, &random) {
        // A token without a serial number is known by its place alone.
        Ok(Ok(session)) => {
            format!("{:?}", session.identity()).replace(&candidate.id.0, "its place")
        }
        Ok(Err(unrecognised)) => format!("{unrecognised:?}"),
        Err(error) => format!("{error:?}"),
    }
}

/// Our rules under the real udev: who may open a token, and who may not.
#[test]
fn the_rules_let_people_in_who_are_in_the_group() {
    let test = "the_rules_let_people_in_who_are_in_the_group";
    if std::env::var_os(PROBE).is_some() {
        println!("{}", probe());
        return;
    }
    in_guest(test, || {
        let group = plugdev();
        // Where everybody may run it.
        let program = "/run/probe";
        fs::copy(std::env::current_exe().expect("it runs"), program).expect("/run is writable");
        let ask = |groups: &str| as_nobody(program, test, groups);

        // Without udev, the kernel's own node: for nobody but root.
        let Setup { plugged, source, id, channel, .. } = Setup::new();
        drop(channel);
        assert!(connect(&source, &id).is_ok());
        let no_rules = "connect: not permitted; found: not permitted, no rules";
        assert_eq!(ask(&group), no_rules);
        plugged.unplug();
        wait_for_none(&source);

        let rules = paths::root().join("src-tauri/linux/60-sower.rules");
        fs::create_dir_all("/run/udev/rules.d").expect("/run is writable");
        fs::copy(rules, "/run/udev/rules.d/60-sower.rules").expect("/run is writable");
        let _udev = Udev::start();
        {
            let (_plugged, _) = plug(&device("A1"));
            let id = wait_for_serial(&source, "A1");
            let (_nobodys, _) = plug(&HidDevice { product: 0x4107, ..device("B1") });
            wait_for_serial(&everything(), "B1");
            run("udevadm", &["settle", "--timeout=60"]);
            assert!(connect(&source, &id).is_ok(), "root");
            let none = "connect: not permitted; found: not permitted, not permitted";
            assert_eq!(ask("65534"), none);
            assert_eq!(ask(&group), "connect: works; found: open, not permitted");
        }
        wait_for_none(&everything());
        let devices = IN_THE_RULES
            .map(|(vendor, product)| plug(&HidDevice { vendor, product, ..device("A1") }));
        wait_for(&everything(), |found| (found.len() == devices.len()).then_some(()));
        run("udevadm", &["settle", "--timeout=60"]);
        let all_open = vec!["open"; devices.len()].join(", ");
        assert_eq!(ask(&group), format!("connect: works; found: {all_open}"));
    });
}

/// A device for each line of the rules, which is as many as there are ports.
const IN_THE_RULES: [(u16, u16); 8] = [
    (0x20a0, 0x42b2),
    (0x316d, 0x4c4b),
    (0x1050, 0x0407),
    (0x1d50, 0x60fc),
    (0x16c0, 0x0486),
    (0x1209, 0x4321),
    (0x349e, 0x0022),
    (0x1ea8, 0x800f),
];

/// All devices of the makers in the rules.
fn everything() -> HidSource {
    let wanted = |(vendor, _)| HidInterface { vendor, product: None, usage_page: None };
    HidSource::new(IN_THE_RULES.map(wanted).to_vec())
}

/// How a process learns that it is to try what it may.
const PROBE: &str = "SOWER_GUEST_PROBE";

/// What somebody gets who tries to open the device and to talk to it.
fn probe() -> String {
    let source = everything();
    let id = wait_for_serial(&source, "A1");
    let connected = match connect(&source, &id) {
        Ok(mut channel) => {
            channel.write(&report(b"Wprobe")).expect("it is taken");
            assert_eq!(channel.read(SOON), Ok(padded(b"stored", REPORT)));
            channel.set(&report(b"probe")).expect("it is taken");
            "works"
        }
        Err(ChannelError::NotPermitted) => "not permitted",
        Err(error) => panic!("{error:?}"),
    };
    let findings = source.diagnose().expect("interfaces can be listed");
    let found: Vec<_> = findings
        .iter()
        .map(|finding| match finding {
            HidFinding::Device { access: HidAccess::Open, .. } => "open",
            HidFinding::Device { access: HidAccess::NotPermitted, .. } => "not permitted",
            HidFinding::Device { access: HidAccess::Held, .. } => "held",
            HidFinding::Device { access: HidAccess::Failed, .. } => "failed",
            HidFinding::NoRules => "no rules",
        })
        .collect();
    format!("connect: {connected}; found: {}", found.join(", "))
}

/// The probe's answer when it is run by a user without rights, with these groups.
fn as_nobody(program: &str, test: &str, groups: &str) -> String {
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--groups", groups, program])
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(PROBE, "yes")
        .stdin(Stdio::null())
        .output()
        .expect("setpriv starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let answer = said.lines().find_map(|line| Some(&line[line.find("connect: ")?..]));
    answer.unwrap_or_else(|| panic!("{output:?}")).to_owned()
}

/// The number of the group plugdev, which is made where there is none.
fn plugdev() -> String {
    let groups = fs::read_to_string("/etc/group").expect("there are groups");
    let found = groups.lines().find_map(|line| line.strip_prefix("plugdev:")?.split(':').nth(1));
    if let Some(number) = found {
        return number.to_owned();
    }
    fs::write("/etc/group", format!("{groups}plugdev:x:4646:\n")).expect("root writes it");
    "4646".to_owned()
}

/// The real udev. Dropping it ends it.
struct Udev(Child);

impl Udev {
    fn start() -> Self {
        let places = ["/usr/lib/systemd/systemd-udevd", "/lib/systemd/systemd-udevd"];
        let program = places.into_iter().find(|place| fs::exists(place).unwrap_or(false));
        let child = Command::new(program.expect("udev is installed"))
            .stdin(Stdio::null())
            .spawn()
            .expect("udev starts");
        let udev = Self(child);
        // Its socket is there some time after it started.
        let begun = Instant::now();
        while !fs::exists("/run/udev/control").unwrap_or(false) {
            assert!(begun.elapsed() < Duration::from_secs(30), "udev did not start");
            std::thread::yield_now();
        }
        run("udevadm", &["control", "--ping"]);
        udev
    }
}

impl Drop for Udev {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(program: &str, words: &[&str]) {
    let status = Command::new(program).args(words).stdin(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {words:?}");
}

#[test]
#[should_panic(expected = "did not come to its end")]
fn a_test_under_a_wrong_name_is_no_success() {
    let inside = std::env::var_os("SOWER_GUEST").is_some();
    assert!(!inside, "in there nothing of that name begins, so it did not come to its end");
    in_guest("no_such_test", || {});
}
