//! Where receipts are saved, and how: whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use desk::{Problem, RunView, TokenView, WhatView};

/// Where receipts go.
#[derive(Clone, Debug)]
pub enum Receipts {
    /// A person is asked for a place.
    Asked,
    /// Into this folder, each under a name of its own.
    Folder(PathBuf),
}

/// The name that a receipt is offered under, `sower-receipt-SERIAL.json`.
pub(crate) fn file_name(run: &RunView) -> String {
    let serial: String = match token_of(run).map(|token| &token.what) {
        Some(WhatView::Token { serial, .. } | WhatView::Closed { serial: Some(serial), .. }) => {
            serial.chars().filter(|c| is_plain(*c)).collect()
        }
        Some(
            WhatView::Closed { serial: None, .. }
            | WhatView::Stranger { .. }
            | WhatView::Trouble { .. },
        )
        | None => String::new(),
    };
    if serial.is_empty() {
        "sower-receipt.json".to_owned()
    } else {
        format!("sower-receipt-{serial}.json")
    }
}

/// A place in `folder` that nothing lies at: `name`, or the same with a number.
pub(crate) fn free_place(folder: &Path, name: &str) -> PathBuf {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    let numbered = (2_u32..).map(|number| format!("{stem}-{number}.json"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(name))
}

/// Writes a file beside its place first and moves it there when it is whole.
pub(crate) fn save(path: &Path, text: &str) -> Result<(), Problem> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
    let saved = write_whole(&beside, text).and_then(|()| fs::rename(&beside, path));
    saved.map_err(|error| {
        // It may not even have come into being.
        let _ = fs::remove_file(&beside);
        Problem::new("save-failed", [("reason", error.kind().to_string())])
    })
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn token_of(run: &RunView) -> Option<&TokenView> {
    match run {
        RunView::Empty
        | RunView::Found { .. }
        | RunView::Asked { .. }
        | RunView::Captured { .. }
        | RunView::Assisted { .. } => None,
        RunView::Locked { token, .. }
        | RunView::Unfit { token, .. }
        | RunView::Planned { token, .. }
        | RunView::Failed { token, .. }
        | RunView::Written { token, .. }
        | RunView::Confirmed { token, .. }
        | RunView::Unconfirmed { token, .. } => Some(token),
    }
}

/// A serial number comes from the token: what could lead out of a folder is left out.
fn is_plain(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = free_place(folder.path(), "sower-receipt-1.json");
        save(&path, "{}\n").expect("the folder can be written");
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), Some("{}\n"));
        let files = fs::read_dir(folder.path()).expect("the folder is there");
        assert_eq!(files.count(), 1);
    }

    #[test]
    fn a_second_receipt_of_a_token_does_not_replace_the_first() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let first = free_place(folder.path(), "sower-receipt-1.json");
        save(&first, "1").expect("the folder can be written");
        let second = free_place(folder.path(), "sower-receipt-1.json");
        assert_eq!(second, folder.path().join("sower-receipt-1-2.json"));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_a_problem_with_its_reason() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let problem = save(&folder.path().join("no-such-folder/r.json"), "{}")
            .expect_err("there is no such folder");
        assert_eq!(problem.code, "save-failed");
        assert!(problem.facts.contains_key("reason"));
    }

    #[test]
    fn a_serial_number_cannot_lead_out_of_the_folder() {
        let run = |serial: &str| RunView::Unconfirmed {
            credential: desk::CredentialView {
                issuer: None,
                organisation: None,
                account: "alice".to_owned(),
                title: "alice".to_owned(),
                algorithm: "SHA-1".to_owned(),
                digits: 6,
                period: 30,
                secret_bytes: 10,
                notes: Vec::new(),
            },
            token: TokenView {
                id: "1".to_owned(),
                practice: true,
                reader: "tray".to_owned(),
                what: WhatView::Token {
                    family: "f".to_owned(),
                    model: "m".to_owned(),
                    serial: serial.to_owned(),
                    firmware: None,
                    clock_offset: None,
                    locked: false,
                    tries_left: None,
                    read_only: None,
                    proof: "displays".to_owned(),
                    evidence: "sheet".to_owned(),
                },
            },
            receipt_saved: false,
        };
        let check = |serial: &str, name: &str| assert_eq!(file_name(&run(serial)), name);
        check("8659622000123", "sower-receipt-8659622000123.json");
        check("../../x", "sower-receipt-x.json");
        check("", "sower-receipt.json");
        assert_eq!(file_name(&RunView::Empty), "sower-receipt.json");
    }
}
