//! Questions to a person and lines from standard input.

use std::io::{BufRead, IsTerminal, Read, Write, stderr, stdin};
use std::path::Path;

use desk::{Problem, read_capped};
use zeroize::Zeroizing;

/// The most of standard input that is read as one line, in bytes.
const LONGEST_LINE: u64 = 4096;

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

/// One line of standard input without its end; `None` when there is no more.
pub(crate) fn line(question: Option<&str>) -> Option<Zeroizing<String>> {
    if let Some(question) = question {
        eprint!("{question}: ");
        // A prompt that cannot be shown is no reason not to read the answer.
        let _ = stderr().flush();
    }
    let mut text = Zeroizing::new(String::new());
    match stdin().lock().take(LONGEST_LINE).read_line(&mut text) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())),
    }
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
