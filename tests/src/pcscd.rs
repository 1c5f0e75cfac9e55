//! The real smart card service with readers that are not there, for one test alone.
//!
//! A test that wants it runs twice. The first time it only starts itself again, as
//! the one test of a new process inside namespaces of its own (mount, network, user),
//! and judges how that ended. The second time it is inside: it starts `pcscd` with
//! the reader driver `vpcd` and runs its body. That way
//!
//! * the service's fixed socket in /run is ours, without touching the machine's own;
//! * the driver's ports, which it opens on all interfaces, are reachable from nowhere
//!   else and are the same in every test;
//! * the client library finds the service through the process environment, which a
//!   test could not set for itself;
//! * service, cards and test end together, whatever happens.
//!
//! It works as root and as a plain user who may create user namespaces.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs `body` with a private smart card service that has a reader of each name.
///
/// `test` is the path of the calling test as the harness prints it (`module::name`,
/// or just the name at the top of an integration test). One call a test.
///
/// # Panics
///
/// When `body` does, when the rig cannot be set up, when `test` is not the name of
/// the calling test, or when all of it takes longer than two minutes.
pub fn in_private_pcscd(test: &str, readers: &[&str], body: impl FnOnce(&mut Pcscd)) {
    let inside = std::env::var_os(FOLDER).filter(|_| std::env::var(TEST).is_ok_and(|t| t == test));
    if let Some(folder) = inside {
        body(&mut Pcscd::start(Path::new(&folder), readers));
        // Past the harness, which would hold it back, straight to the first process.
        let mut out = std::io::stdout();
        writeln!(out, "\n{}", done(test)).expect("the first process listens");
        return;
    }
    // The service polls its readers by the clock, and sixteen at once on two cores
    // would make the machine, not the product, what is tested.
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (status, output) = run_inside(test, folder.path());
    drop(turn);
    // The harness keeps it back unless this test fails. Indented, so that nobody takes
    // the inner harness's result for one of the outer.
    for line in output.lines() {
        println!("    rig | {line}");
    }
    assert!(
        status.success() && output.contains(&done(test)),
        "inside the rig, the test `{test}` ended with {status}; \
         if no test ran there, its name is not the one it was called with"
    );
}

/// Whose turn it is to have a service.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A private smart card service and its readers.
#[derive(Debug)]
pub struct Pcscd {
    /// `None` while it is stopped.
    daemon: Option<Child>,
    folder: PathBuf,
    readers: Vec<String>,
}

impl Pcscd {
    /// The TCP port for a card in one of the two slots of a reader. Readers are
    /// counted in the order in which they were named, from 0, and so are slots.
    ///
    /// # Panics
    ///
    /// When there is no such slot.
    pub fn port(&self, reader: usize, slot: usize) -> u16 {
        assert!(reader < self.readers.len() && slot < SLOTS, "no such slot");
        let offset = u16::try_from(reader * SLOTS + slot).expect("pcscd has 16 slots at most");
        FIRST_PORT + offset
    }

    /// The name that clients see for a slot of a reader.
    ///
    /// # Panics
    ///
    /// When there is no such reader.
    pub fn reader_name(&self, reader: usize, slot: usize) -> String {
        // The number in the middle counts readers of one driver file and one name;
        // here each reader has both for itself.
        format!("{} 00 {slot:02X}", self.readers[reader])
    }

    /// The service's socket. Client libraries are told through the environment.
    pub fn socket(&self) -> &'static Path {
        Path::new(SOCKET)
    }

    /// What the service said so far: its own log, without APDUs.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends the service the hard way, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // Both fail only when it is gone already, which is what is wanted.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    /// Starts the service anew, with the same readers, all empty: cards inserted
    /// before have lost their slot.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        for left_over in [SOCKET, PID_FILE] {
            let _ = fs::remove_file(left_over);
        }
        let log = fs::File::create(self.folder.join("log")).expect("the folder is writable");
        let err = log.try_clone().expect("a file can be opened twice");
        // The signal ends the service when the thread of the test ends without
        // dropping this, for instance because the whole process was killed.
        let daemon = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "pcscd", "--foreground", "--info"])
            .arg("--config")
            .arg(self.folder.join("readers"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(err)
            .spawn()
            .expect("setpriv was found before");
        self.daemon = Some(daemon);
        self.wait_until_ready();
    }

    fn start(folder: &Path, readers: &[&str]) -> Self {
        let entries = folder.join("readers");
        fs::create_dir(&entries).expect("the folder is writable");
        // The service would give two of one name one and the same name to clients.
        let unique: BTreeSet<_> = readers.iter().collect();
        assert_eq!(unique.len(), readers.len(), "readers need names of their own");
        let mut pcscd = Self {
            daemon: None,
            folder: folder.to_owned(),
            readers: readers.iter().map(|&name| name.to_owned()).collect(),
        };
        for (index, name) in readers.iter().enumerate() {
            // The driver keeps its slots in static memory, so two readers on one
            // driver file break each other: each gets a copy.
            let driver = folder.join(format!("vpcd{index:02}.so"));
            fs::copy(DRIVER, &driver).expect("the driver was found before");
            let (port, driver) = (pcscd.port(index, 0), driver.display());
            let entry = format!(
                "FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:{port}\n\
                 LIBPATH {driver}\nCHANNELID {port}\n"
            );
            fs::write(entries.join(format!("{index:02}")), entry).expect("the folder is writable");
        }
        pcscd.restart();
        pcscd
    }

    /// The service has no way to tell that it is ready but to answer, so this is the
    /// one place where something is tried again and again.
    fn wait_until_ready(&mut self) {
        let begun = Instant::now();
        while UnixStream::connect(SOCKET).is_err() {
            let ended = self.daemon.as_mut().and_then(|daemon| daemon.try_wait().ok().flatten());
            assert!(
                ended.is_none() && begun.elapsed() < START_LIMIT,
                "pcscd did not start; it ended with {ended:?} and said:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Debian's place for the reader driver of vsmartcard-vpcd.
const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
const SOCKET: &str = "/run/pcscd/pcscd.comm";
const PID_FILE: &str = "/run/pcscd/pcscd.pid";
const FIRST_PORT: u16 = 0x8C7B;
const SLOTS: usize = 2;
const START_LIMIT: Duration = Duration::from_secs(10);
const TEST_LIMIT: Duration = Duration::from_mins(2);

/// How the first process tells the second which test it is, and where its folder.
const TEST: &str = "SOWER_RIG_TEST";
const FOLDER: &str = "SOWER_RIG_FOLDER";

/// Run as root of the new namespaces: a plain user cannot make /run/pcscd, but may
/// cover all of /run with a folder of its own.
const PREPARE: &str = "
    [ -d /run/pcscd ] || { mount -t tmpfs rig /run; mkdir /run/pcscd; }
    mount -t tmpfs rig /run/pcscd
    ip link set lo up
    exec setpriv --pdeathsig KILL \"$@\"
";

/// The line that only a body that came to its end prints.
fn done(test: &str) -> String {
    format!("rig: the body of {test} came to its end")
}

/// Runs the one test inside new namespaces; gives everything that it printed.
fn run_inside(test: &str, folder: &Path) -> (ExitStatus, String) {
    let path = search_path();
    assert_everything_is_there(&path);
    let this = std::env::current_exe().expect("the system tells a program its own place");
    let mut child = Command::new("unshare")
        .args(namespaces(&path))
        .args(["sh", "-ec", PREPARE, "sh"])
        .arg(this)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env("PATH", path)
        .env("PCSCLITE_CSOCK_NAME", SOCKET)
        .env(TEST, test)
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare was found before");
    let (pieces, arriving) = mpsc::channel();
    listen(child.stdout.take(), pieces.clone());
    listen(child.stderr.take(), pieces);
    let begun = Instant::now();
    let mut output = Vec::new();
    loop {
        match arriving.recv_timeout(TEST_LIMIT.saturating_sub(begun.elapsed())) {
            Ok(piece) => output.extend(piece),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                panic!(
                    "inside the rig, `{test}` did not end within {TEST_LIMIT:?}:\n{}",
                    String::from_utf8_lossy(&output)
                );
            }
        }
    }
    let status = child.wait().expect("it was started here");
    (status, String::from_utf8_lossy(&output).into_owned())
}

/// Passes on what arrives, until the other end is closed.
fn listen(from: Option<impl Read + Send + 'static>, to: mpsc::Sender<Vec<u8>>) {
    let Some(mut from) = from else { return };
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if to.send(piece[..length].to_vec()).is_err() {
                return;
            }
        }
    });
}

/// The words for `unshare`. A user namespace makes it work for plain users; where
/// those are forbidden, root may do without.
fn namespaces(path: &str) -> &'static [&'static str] {
    let with_user = &["--user", "--map-root-user", "--mount", "--net"][..];
    let as_root = &["--mount", "--net"][..];
    [with_user, as_root]
        .into_iter()
        .find(|words| {
            Command::new("unshare")
                .args(*words)
                .arg("true")
                .env("PATH", path)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
        .expect(
            "the rig needs namespaces, and the system allows this user none: be root, \
             or allow user namespaces (kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns, the container's seccomp profile)",
        )
}

fn assert_everything_is_there(path: &str) {
    let programs = ["unshare", "setpriv", "mount", "ip", "sh", "pcscd"];
    let found = |name: &&str| std::env::split_paths(path).any(|f| f.join(name).is_file());
    let mut missing: Vec<_> = programs.into_iter().filter(|name| !found(name)).collect();
    if !Path::new(DRIVER).is_file() {
        missing.push(DRIVER);
    }
    assert!(
        missing.is_empty(),
        "the rig needs what is not there: {}; `cargo xtask setup` installs it",
        missing.join(", ")
    );
}

/// The search path, with the system folders that plain users' paths leave out.
fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}
