//! A machine that is not there, for tests that need a kernel with USB and HID.
//!
//! Its kernel is Debian's, its processor is emulated (no KVM), and its root is this
//! machine's own, read-only: test programs that were built here run in it, at the
//! same place. A test that wants it runs twice. Outside, the first test of a program
//! starts one guest, which runs the whole program; then each test judges its own end
//! in there, and fails when it did not run. Inside, a test runs its body, as root.
//!
//! It takes a few seconds, works as root and as a plain user, and ends with the test
//! program, whatever happens. `cargo xtask setup` brings what it needs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::paths;

/// Runs `body` in the guest.
///
/// `test` is the path of the calling test as the harness prints it (`module::name`,
/// or just the name at the top of an integration test). One call a test. Tests run
/// one after the other there.
///
/// # Panics
///
/// When `body` does, when the guest cannot be started, when the test did not run in
/// it, or when all tests of the program together take longer than eight minutes.
pub fn in_guest(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        // Past the harness, which would hold it back when tests pass.
        say(&begun(test));
        let start = Instant::now();
        body();
        say(&format!("{} after {:.1} s", done(test), start.elapsed().as_secs_f32()));
        return;
    }
    let run = RUN.get_or_init(run_this_program);
    let output = match run {
        Ok(output) => output,
        Err(error) => panic!("the guest: {error}"),
    };
    let part = part_of(output, test);
    // What the others printed helps only where there is nothing of this one's own.
    let told = if part.is_empty() { output } else { part };
    // The harness keeps it back unless this test fails. Indented, so that nobody takes
    // the inner harness's result for one of the outer.
    for line in told.lines() {
        println!("    guest | {line}");
    }
    assert!(
        part.contains(&done(test)),
        "in the guest, the test `{test}` did not come to its end; if it did not begin, \
         its name is not the one it was called with, or one before it broke the guest"
    );
}

/// The one run of this program in a guest, for all of its tests.
static RUN: OnceLock<Result<String, String>> = OnceLock::new();

/// How the guest tells the program that it is inside.
const INSIDE: &str = "SOWER_GUEST";

/// For everything that one test program does in the guest, its start included, on a
/// machine that does other things besides.
const LIMIT: Duration = Duration::from_mins(8);

/// Where the host's folder is in the guest.
const SHARED: &str = "/run/guest";

/// Processors of the guest, and memory: what the tests write is kept in it.
const MACHINE: &[&str] = &[
    "-M",
    "q35",
    "-accel",
    "tcg,thread=multi",
    "-cpu",
    "max",
    "-smp",
    "2",
    "-m",
    "768",
    "-nodefaults",
    "-no-reboot",
    "-display",
    "none",
    "-serial",
    "stdio",
];

/// The first process of the guest.
const INIT: &str = include_str!("../guest/init");

/// The line that a test prints when it begins.
fn begun(test: &str) -> String {
    format!("guest: {test} begins")
}

/// The line that only a body that came to its end prints.
fn done(test: &str) -> String {
    format!("guest: {test} came to its end")
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "\n{line}").expect("the guest listens");
}

/// What a test printed: from its begin to the next one's.
fn part_of<'a>(output: &'a str, test: &str) -> &'a str {
    let Some(begin) = output.find(&format!("{}\n", begun(test))) else {
        return "";
    };
    let part = &output[begin..];
    let next = part.match_indices("\nguest: ").find(|(at, _)| {
        part[at + 1..].lines().next().is_some_and(|line| line.ends_with(" begins"))
    });
    next.map_or(part, |(end, _)| &part[..end])
}

/// Runs all tests of this program in a guest; gives everything that they printed.
fn run_this_program() -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let order = order(&program, &["--test-threads=1", "--nocapture"]);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).map_err(|error| error.to_string())?;
    let memory_disk = folder.path().join("first");
    fs::write(shared.join("order"), order).map_err(|error| error.to_string())?;
    fs::write(&memory_disk, first_files()?).map_err(|error| error.to_string())?;
    let ended = boot(&memory_disk, &shared);
    let output = fs::read(shared.join("output")).unwrap_or_default();
    let output = String::from_utf8_lossy(&output).into_owned();
    let console = ended.map_err(|error| format!("{error}\nIt had said:\n{output}"))?;
    let code = fs::read_to_string(shared.join("code")).unwrap_or_default();
    if code.trim().is_empty() {
        return Err(format!("it ended early, after:\n{output}\nIts console:\n{console}"));
    }
    Ok(output)
}

/// What the guest's shell runs.
fn order(program: &Path, words: &[&str]) -> String {
    let mut order = String::new();
    let quoted = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    for (name, value) in [
        (INSIDE, SHARED),
        ("HOME", "/tmp"),
        ("RUST_BACKTRACE", "1"),
        // udev's programs refuse to talk to each other below another root.
        ("SYSTEMD_IGNORE_CHROOT", "1"),
        ("PATH", &format!("{path}:/usr/sbin:/sbin")),
    ] {
        let _ = writeln!(order, "export {name}={}", quoted(value));
    }
    let _ = writeln!(order, "cd {}", quoted(&folder.to_string_lossy()));
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    let _ = writeln!(order, "exec {} {}", quoted(&program.to_string_lossy()), words.join(" "));
    order
}

/// Starts the machine and waits for its end; gives what its console said.
fn boot(memory_disk: &Path, shared: &Path) -> Result<String, String> {
    let folder = |path: &Path, tag: &str, more: &str| {
        let path = path.display();
        format!("local,path={path},mount_tag={tag},security_model=none{more}")
    };
    // The signals end the machine when this program is killed.
    let ended = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "timeout", "--kill-after=1"])
        .arg(LIMIT.as_secs().to_string())
        .args(["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"])
        .args(MACHINE)
        .arg("-kernel")
        .arg(kernel_folder().join("vmlinux"))
        .arg("-initrd")
        .arg(memory_disk)
        .args(["-append", "console=ttyS0 quiet loglevel=3 panic=-1"])
        .arg("-virtfs")
        .arg(folder(Path::new("/"), "host", ",readonly=on,multidevs=remap"))
        .arg("-virtfs")
        .arg(folder(shared, "out", ""))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("setpriv (util-linux) did not start: {error}"))?;
    let console = [ended.stdout, ended.stderr].concat();
    let console = String::from_utf8_lossy(&console).into_owned();
    match ended.status.code() {
        Some(0) => Ok(console),
        Some(OVERRAN) => Err(format!("it did not end within {LIMIT:?}; its console:\n{console}")),
        _ => Err(format!("QEMU ended with {}; its console:\n{console}", ended.status)),
    }
}

/// What `timeout` ends with when it had to act.
const OVERRAN: i32 = 124;

/// Where `cargo xtask setup` puts the guest's kernel.
fn kernel_folder() -> PathBuf {
    paths::root().join("target/tools/guest")
}

/// The files that the kernel starts with: the first process, a shell, modules.
fn first_files() -> Result<Vec<u8>, String> {
    let folder = kernel_folder();
    let missing =
        |path: &Path| format!("{} is not there: run `cargo xtask setup` first", path.display());
    if !folder.join("installed").is_file() {
        return Err(missing(&folder));
    }
    let busybox = Path::new("/bin/busybox");
    let busybox = fs::read(busybox).map_err(|_| missing(busybox))?;
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "proc", "sys", "host", "layer", "root", "modules"] {
        archive.add(folder, FOLDER, &[]);
    }
    archive.add("init", PROGRAM, INIT.as_bytes());
    archive.add("bin/busybox", PROGRAM, &busybox);
    let modules = fs::read_dir(folder.join("modules")).map_err(|error| error.to_string())?;
    for module in modules.flatten() {
        let name = format!("modules/{}", module.file_name().to_string_lossy());
        let content = fs::read(module.path()).map_err(|error| error.to_string())?;
        archive.add(&name, PROGRAM, &content);
    }
    Ok(archive.end())
}

/// An archive as the kernel reads it: cpio's "newc", each entry a header of
/// hexadecimal numbers, a name and a content, padded to four bytes.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

/// Kinds of entries with their permissions.
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

impl Archive {
    fn add(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let (number, size, name_size) = (self.entries, content.len(), name.len() + 1);
        // Owner, group, time, devices and checksum are all 0, and there is one link.
        let header = format!(
            "070701{number:08x}{mode:08x}{0:08x}{0:08x}{1:08x}{0:08x}{size:08x}\
             {0:08x}{0:08x}{0:08x}{0:08x}{name_size:08x}{0:08x}{name}\0",
            0, 1
        );
        self.bytes.extend_from_slice(header.as_bytes());
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn end(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{begun, done, order, part_of};

    #[test]
    fn each_test_has_its_own_part_of_the_output() {
        let output = format!(
            "running\n{}\nhello\n{}\nok\n{}\nworse\n",
            begun("good"),
            done("good"),
            begun("bad")
        );
        assert!(part_of(&output, "good").contains("hello"));
        assert!(part_of(&output, "good").contains(&done("good")));
        assert!(!part_of(&output, "good").contains("worse"));
        assert!(part_of(&output, "bad").contains("worse"));
        assert!(!part_of(&output, "bad").contains(&done("bad")));
        assert_eq!(part_of(&output, "goo"), "");
        assert_eq!(part_of(&output, "other"), "");
    }

    #[test]
    fn the_shell_sees_words_as_they_are() {
        let order = order("/a b/it's".as_ref(), &["--exact", "x'y"]);
        assert!(order.ends_with("exec '/a b/it'\\''s' '--exact' 'x'\\''y'\n"), "{order}");
    }
}
