//! Child processes: started, watched and judged in one place.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;

use crate::failure::Failure;
use crate::tally::Tally;

/// Runs a program that asks nobody anything; its output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    judge(command.stdin(Stdio::null()))
}

/// Runs a program that a person may answer.
pub(crate) fn run_interactive(command: &mut Command) -> Result<(), Failure> {
    judge(command.stdin(Stdio::inherit()))
}

/// Runs a program whose output interests nobody unless it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<(), Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Failure::NotStarted { command: typed(command), source })?;
    if output.status.success() {
        return Ok(());
    }
    // A terminal that is gone must not hide the failure itself.
    let _ = std::io::stderr().write_all(&output.stdout);
    let _ = std::io::stderr().write_all(&output.stderr);
    Err(Failure::Ended { command: typed(command), code: output.status.code() })
}

/// Whether a program starts and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A program and its arguments as one would type them, without the environment.
pub(crate) fn typed(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn judge(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|source| Failure::NotStarted { command: typed(command), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Ended { command: typed(command), code: status.code() })
}

/// A file that keeps a copy of everything the steps print.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: Mutex<File>,
}

impl Recorder {
    /// Starts an empty record.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let file =
            File::create(path).map_err(|source| Failure::File { path: path.to_owned(), source })?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Runs a program; both its streams go to the terminal and into the record, and
    /// the `test result:` lines among them are added up.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(ExitStatus, Tally), Failure> {
        let not_started =
            |command: &Command, source| Failure::NotStarted { command: typed(command), source };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| not_started(command, source))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let tally = Mutex::new(Tally::default());
        std::thread::scope(|scope| {
            scope.spawn(|| self.copy(out, std::io::stdout(), &tally));
            scope.spawn(|| self.copy(err, std::io::stderr(), &tally));
        });
        let status = child.wait().map_err(|source| not_started(command, source))?;
        let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok((status, tally))
    }

    /// Line by line, so that the two streams never break into each other's lines. A
    /// terminal that is gone must not end the run, hence the dropped results.
    fn copy(&self, from: Option<impl Read>, mut to: impl Write, tally: &Mutex<Tally>) {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let _ = to.write_all(&line).and_then(|()| to.flush());
            if let Ok(mut file) = self.file.lock() {
                let _ = file.write_all(&line);
            }
            if let Ok(mut tally) = tally.lock() {
                tally.read_line(&String::from_utf8_lossy(&line));
            }
            line.clear();
        }
    }
}
