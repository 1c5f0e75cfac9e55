//! `cargo xtask bench`: what the program costs, as ratios within one run.
//!
//! Absolute times depend on the machine and its load; what counts is how the
//! host's own time compares with the time that a card needs anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::{Choice, Desk, RunView, Setup};
use emulator::Tray;
use sower_tests::paths;
use sower_tests::world::{canary_uri, factory_pin};
use token::{Channel, CommandApdu, TokenSource};

/// What one exchange with a card takes in this measurement.
const EXCHANGE: Duration = Duration::from_millis(10);

/// Writes per family.
const WRITES: usize = 15;

fn main() {
    pictures();
    writes();
    #[cfg(target_os = "linux")]
    window::measure();
}

/// A desk with one practice token of a family on a tray of its own.
fn desk_with(family: &str, exchange: Duration) -> (Desk, Tray, emulator::TrayId) {
    let mut setup = Setup::of(Vec::new());
    let tray = Tray::new(Arc::clone(&setup.now)).with_exchange_time(exchange);
    let token = emulator::practice(family).expect("a family of the list");
    let id = tray.lay(token, "Practice reader");
    setup.sources.push(Arc::new(tray.clone()));
    (Desk::new(setup), tray, id)
}

fn only_token(desk: &Desk) -> String {
    desk.tokens().tokens.first().expect("the practice token").id.clone()
}

/// From the bytes of a picture to a plan for a token.
fn pictures() {
    println!("picture to plan, ms (all codes of a picture; the plan where one was found)");
    println!("  {:<28} {:>9} {:>8} {:>8} {:>8}", "pictures", "count", "median", "p95", "max");
    let own = found_in(&paths::root().join("docs/sample"));
    measure_pictures("the project's own", &own);
    match samples() {
        Some(folder) => measure_pictures("shared/qr-samples", &found_in(&folder)),
        None => println!("  shared/qr-samples: not there, not measured"),
    }
}

fn samples() -> Option<PathBuf> {
    let beside = paths::root().parent().map(|parent| parent.join("shared"));
    let folder = paths::shared().or(beside)?.join("qr-samples");
    folder.is_dir().then_some(folder)
}

fn found_in(folder: &Path) -> Vec<PathBuf> {
    let mut pictures = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "png" || end == "jpg") {
                pictures.push(path);
            }
        }
    }
    pictures.sort();
    pictures
}

fn measure_pictures(title: &str, pictures: &[PathBuf]) {
    let (desk, _tray, _) = desk_with("yubikey-oath", Duration::ZERO);
    let token = only_token(&desk);
    let mut times = Vec::new();
    for path in pictures {
        let bytes = fs::read(path).expect("a picture");
        desk.start_over();
        let begun = Instant::now();
        if let Ok(RunView::Found { picture }) = desk.read_picture(&bytes) {
            let first = picture.findings.iter().find(|found| found.credential.is_some());
            if let Some(found) = first {
                let _ = desk.choose(found.id);
            }
        }
        let _ = desk.plan(&token, &Choice::default(), None);
        times.push(begun.elapsed());
    }
    times.sort();
    println!(
        "  {title:<28} {:>9} {:>8.1} {:>8.1} {:>8.1}",
        times.len(),
        millis(percentile(&times, 50)),
        millis(percentile(&times, 95)),
        millis(percentile(&times, 100)),
    );
}

/// Host time per write against the bare channel's time for as many exchanges.
fn writes() {
    println!("\nwrite and proof at {} ms an exchange, median of {WRITES}", EXCHANGE.as_millis());
    println!(
        "  {:<28} {:>9} {:>9} {:>9} {:>9}",
        "family", "exchanges", "bare ms", "write ms", "overhead"
    );
    for family in emulator::FAMILIES {
        let mut exchanges = 0;
        let (mut bare, mut written) = (Vec::new(), Vec::new());
        for _ in 0..WRITES {
            let (desk, tray, id) = desk_with(family, EXCHANGE);
            desk.read_text(&canary_uri()).expect("a credential");
            let pin = factory_pin(family).map(|pin| pin.to_owned().into());
            desk.plan(&only_token(&desk), &Choice::default(), pin).expect("a plan");
            tray.arm(id, &[]);
            let begun = Instant::now();
            let view = desk.write(true, &mut |_| {}).expect("written");
            written.push(begun.elapsed());
            assert!(matches!(view, RunView::Confirmed { .. } | RunView::Written { .. }));
            exchanges = tray.exchanges(id);
            bare.push(bare_time(&tray, exchanges));
        }
        bare.sort();
        written.sort();
        let (bare, written) = (percentile(&bare, 50), percentile(&written, 50));
        let overhead = (written.as_secs_f64() / bare.as_secs_f64() - 1.0) * 100.0;
        println!(
            "  {family:<28} {exchanges:>9} {:>9.2} {:>9.2} {overhead:>8.2}%",
            millis(bare),
            millis(written),
        );
    }
}

/// The same number of exchanges without anything around them.
fn bare_time(tray: &Tray, exchanges: usize) -> Duration {
    let there = tray.candidates().expect("the tray");
    let id = &there.first().expect("the practice token").id;
    let begun = Instant::now();
    match tray.connect(id).expect("it is there") {
        Channel::SmartCard(mut card) => {
            let nothing = CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &[0x00]);
            for _ in 0..exchanges {
                card.transmit(&nothing).expect("an answer");
            }
        }
        Channel::Hid(mut device) => {
            for _ in 0..exchanges {
                // Refused or not, it takes the time of an exchange.
                drop(device.set(&[0; 9]));
            }
        }
    }
    begun.elapsed()
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The window: time to the first painted frame, and memory.
#[cfg(target_os = "linux")]
mod window {
    use sower_tests::window::Undriven;

    use super::{millis, percentile};

    /// Starts of the program.
    const STARTS: usize = 5;

    pub(super) fn measure() {
        let mut times = Vec::new();
        let mut memory = Vec::new();
        for _ in 0..STARTS {
            let (window, taken) = Undriven::open();
            times.push(taken);
            memory = window.memory();
        }
        times.sort();
        println!("\nwindow, {STARTS} starts on a screen that is not there");
        println!(
            "  start to first painted frame: median {:.0} ms, most {:.0} ms",
            millis(percentile(&times, 50)),
            millis(percentile(&times, 100)),
        );
        let total: u64 = memory.iter().map(|(_, bytes)| bytes).sum();
        let parts = memory.iter().map(|(name, bytes)| format!("{name} {}", bytes >> 20));
        println!(
            "  memory (proportional), MiB: {} ({})",
            total >> 20,
            parts.collect::<Vec<_>>().join(", "),
        );
    }
}
