//! What a person hands over, before it is known what it is: files, folders, texts,
//! pictures from the clipboard or a screen.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::Problem;

/// The content of a file, wiped when dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// The most files of one folder, and the most that they hold together in bytes.
const MOST_FILES: usize = 500;
const MOST_TOGETHER: usize = 256 * 1024 * 1024;

/// One thing that was handed over.
pub struct Input {
    /// The name to tell it from others by; a file's without its folder.
    pub name: String,
    /// Its content, or why it could not be read.
    pub bytes: Result<Bytes, Problem>,
}

impl Input {
    /// Something without a name of its own: a text, the clipboard, a screen.
    pub fn unnamed(bytes: Bytes) -> Self {
        Self { name: String::new(), bytes: Ok(bytes) }
    }

    fn file(path: &Path) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self { name: name.to_string_lossy().into_owned(), bytes: read_capped(path) }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.bytes.as_ref().map(|bytes| bytes.len());
        f.debug_struct("Input").field("name", &self.name).field("bytes", &length).finish()
    }
}

/// Reads files, and of folders the files that lie directly in them, by name and
/// without hidden ones: 500 files and 256 MiB at most.
///
/// # Errors
///
/// When a folder cannot be listed or there is more than that. A file that cannot be
/// read is told in its [`Input`].
pub fn read_paths(paths: &[PathBuf]) -> Result<Vec<Input>, Problem> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(listed(path)?);
        } else {
            files.push(path.clone());
        }
    }
    let too_many = || Problem::new("too-many-files", [("most", MOST_FILES.to_string())]);
    if files.len() > MOST_FILES {
        return Err(too_many());
    }
    let mut together = 0;
    let mut inputs = Vec::with_capacity(files.len());
    for file in files {
        let input = Input::file(&file);
        together += input.bytes.as_ref().map_or(0, |bytes| bytes.len());
        if together > MOST_TOGETHER {
            return Err(too_many());
        }
        inputs.push(input);
    }
    Ok(inputs)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let entry = entry.map_err(|error| unreadable(&error))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a file, at most 64 MiB.
pub fn read_capped(path: &Path) -> Result<Bytes, Problem> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Problem::new("file-too-large", [("most", "64 MiB".to_owned())]));
    }
    Ok(bytes)
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::new("file-unreadable", [("reason", error.kind().to_string())])
}
