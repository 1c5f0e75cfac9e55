//! `doctor`: what stands between this computer and its tokens, each with its remedy.

use std::fmt::Write;
use std::path::Path;

use desk::{ClockDoubt, Facts, Setup};
use serde_json::json;
use transport::{Finding, HidAccess, HidFinding, ServiceState, SlotState};

use crate::end::End;
use crate::print::{Printer, lines};

pub(crate) fn doctor(printer: &Printer) -> End {
    let mut findings: Vec<(&str, Facts)> = transport::diagnose().iter().map(named).collect();
    match transport::HidSource::new(token::hid_interfaces()).diagnose() {
        Ok(devices) => findings.extend(devices.iter().map(device)),
        Err(_) => findings.push(("doctor-hid-failed", Facts::new())),
    }
    findings.push((clock(), Facts::new()));
    // What has a next step is something to act on.
    let said: Vec<_> = findings.iter().map(|(key, facts)| printer.say(key, facts)).collect();
    let document: Vec<_> = findings
        .iter()
        .zip(&said)
        .map(|((key, facts), said)| {
            json!({ "code": key, "facts": facts, "message": said.message, "next": said.next })
        })
        .collect();
    printer.result(&json!(document), || {
        let mut text = String::new();
        for said in &said {
            let mark = if said.next.is_some() { '!' } else { ' ' };
            let _ = writeln!(text, "{mark} {}", lines(said));
        }
        text
    });
    let broken = findings.iter().any(|(key, _)| BROKEN.contains(key));
    if broken { End::Failed } else { End::Done }
}

/// Findings with which no token can be written safely.
const BROKEN: [&str; 4] = [
    "doctor-service-missing",
    "doctor-service-not-permitted",
    "doctor-service-failed",
    "cli-clock-way-off",
];

fn clock() -> &'static str {
    // systemd-timesyncd keeps this file while it is synchronised; chrony and
    // ntpd do not, and then nothing is claimed.
    let synchronised = Path::new("/run/systemd/timesync/synchronized").exists();
    match desk::doubt_clock((Setup::of(Vec::new()).now)(), synchronised) {
        ClockDoubt::Impossible => "cli-clock-way-off",
        ClockDoubt::Unknown => "cli-clock-unknown",
        ClockDoubt::Synchronised => "cli-clock-synchronised",
    }
}

fn device(finding: &HidFinding) -> (&'static str, Facts) {
    match finding {
        HidFinding::NoRules => ("doctor-hid-no-rules", Facts::new()),
        HidFinding::Device { name, access } => {
            let key = match access {
                HidAccess::Open => "doctor-hid-open",
                HidAccess::NotPermitted => "doctor-hid-not-permitted",
                HidAccess::Held => "doctor-hid-held",
                HidAccess::Failed => "doctor-hid-unavailable",
            };
            (key, Facts::from([("device".to_owned(), name.clone())]))
        }
    }
}

fn named(finding: &Finding) -> (&'static str, Facts) {
    let none = Facts::new();
    let fact = |name: &str, value: String| Facts::from([(name.to_owned(), value)]);
    match finding {
        Finding::Service(ServiceState::Answers) => ("doctor-service-answers", none),
        Finding::Service(ServiceState::Missing) => ("doctor-service-missing", none),
        Finding::Service(ServiceState::NotPermitted) => ("doctor-service-not-permitted", none),
        Finding::Service(ServiceState::Failed { code }) => {
            ("doctor-service-failed", fact("code", format!("{code:08X}")))
        }
        Finding::NoServiceSocket => ("doctor-no-service-socket", none),
        Finding::NoReaderDriver => ("doctor-no-reader-driver", none),
        Finding::NoReader => ("doctor-no-reader", none),
        Finding::Reader { name, slot } => {
            let key = match slot {
                SlotState::Empty => "doctor-reader-empty",
                SlotState::Card => "doctor-reader-card",
                SlotState::Held => "doctor-reader-held",
                SlotState::Mute => "doctor-reader-mute",
                SlotState::Unavailable => "doctor-reader-unavailable",
            };
            (key, fact("reader", name.clone()))
        }
        Finding::KernelTakesReaders { module } => {
            ("doctor-kernel-takes-readers", fact("module", (*module).to_owned()))
        }
        Finding::ScdaemonRuns => ("doctor-scdaemon-runs", none),
    }
}
