//! Questions to a person and lines from standard input.

use std::io::{BufRead, IsTerminal, Read, Write, stderr, stdin};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use desk::{Problem, read_capped};
use zeroize::Zeroizing;

/// The most of standard input that is read as one line, in bytes.
const LONGEST_LINE: u64 = 4096;

/// How long a line that a script may hand in is waited for.
const HANDED_IN_WITHIN: Duration = Duration::from_secs(2);

/// Whether a person can be asked.
pub(crate) fn is_interactive() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// A file, or standard input for `-`.
pub(crate) fn file_or_input(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    if path.as_os_str() != "-" {
        return read_capped(path);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    stdin()
        .lock()
        .take(64 * 1024 * 1024)
        .read_to_end(&mut bytes)
        .map_err(|error| Problem::new("file-unreadable", [("reason", error.kind().to_string())]))?;
    Ok(bytes)
}

/// One line of standard input that is not blank, without its end; `None` when
/// there is no more.
///
/// What is no text is handed on with replacement marks, so that whoever judges it
/// turns it down: a line that was given is never taken for none.
pub(crate) fn line(question: Option<&str>) -> Option<Zeroizing<String>> {
    loop {
        if let Some(question) = question {
            // A prompt that cannot be shown is no reason not to read the answer.
            let _ = write!(stderr(), "{question}: ").and_then(|()| stderr().flush());
        }
        let mut bytes = Zeroizing::new(Vec::new());
        match stdin().lock().take(LONGEST_LINE).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {
                let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
                let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
                if !text.trim().is_empty() {
                    return Some(text);
                }
                // A person who presses Enter at a question has answered it.
                if question.is_some() {
                    return None;
                }
            }
        }
    }
}

/// A line that a script handed in, if there is one: a terminal is not read, and a
/// pipe that nobody writes to is waited for a moment only.
pub(crate) fn handed_in() -> Option<Zeroizing<String>> {
    if stdin().is_terminal() {
        return None;
    }
    let (tell, told) = mpsc::channel();
    // It ends with the program when nothing ever comes.
    std::thread::spawn(move || {
        // Nobody listens any more when it took too long.
        let _ = tell.send(line(None));
    });
    told.recv_timeout(HANDED_IN_WITHIN).ok().flatten()
}

/// Waits for Enter; what is typed before it is forgotten.
pub(crate) fn enter() {
    let mut bytes = Zeroizing::new(Vec::new());
    // Without standard input there is nothing to wait for.
    let _ = stdin().lock().take(LONGEST_LINE).read_until(b'\n', &mut bytes);
}

/// A yes or a no; no by default.
pub(crate) fn yes(question: &str) -> bool {
    let answer = line(Some(&format!("{question} [y/N]")));
    answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// A password, not shown while it is typed.
pub(crate) fn password(question: &str) -> Option<Zeroizing<String>> {
    rpassword::prompt_password(format!("{question}: ")).ok().map(Zeroizing::new)
}
