//! The real window on a screen that is not there, driven as a person would.
//!
//! Every window has its own screen (Xvfb), its own driver (WebKitWebDriver, which
//! starts the program), its own home folder and no session bus, so that tests run
//! side by side and leave nothing behind. All processes are asked of the kernel to
//! end with the test. Waiting is for what the page shows, never for time to pass.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::{GrayImage, Luma};
use qrcode::{Color, QrCode};
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::extensions::query::ElementQueryable;
use thirtyfour::{By, Capabilities, WebDriver, WebElement};

use crate::paths;

/// The program with practice tokens only, in a window.
pub struct Window {
    page: WebDriver,
    test: String,
    home: TempDir,
    display: String,
    // They end in this order: the driver takes the program along, and what is left of
    // it ends with its screen.
    _driver: Process,
    _screen: Process,
}

impl Window {
    /// Opens the window. `test` names what the test leaves behind.
    ///
    /// # Panics
    ///
    /// When the rig cannot be set up or the window does not open.
    pub async fn open(test: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(home.path().join("receipts")).expect("the folder is writable");
        let (screen, display) = start_screen();
        let log = File::create(artifact(test, "log")).expect("the artifacts can be written");
        let (driver, port) = start_driver(&display, home.path(), &log);
        let page =
            WebDriver::builder(format!("http://127.0.0.1:{port}"), capabilities(home.path()))
                .request_timeout(LIMIT)
                .await
                .expect("WebKitWebDriver opens the window");
        let window =
            Self { page, test: test.to_owned(), home, display, _driver: driver, _screen: screen };
        window.stage("empty").await;
        window
    }

    /// Waits until the run is in a stage and nothing is under way.
    ///
    /// # Panics
    ///
    /// When it does not come to that.
    pub async fn stage(&self, stage: &str) {
        self.find(&format!("main[data-stage={stage}][aria-busy=false]")).await;
    }

    /// Waits for an element that can be seen.
    ///
    /// # Panics
    ///
    /// When it does not appear.
    pub async fn find(&self, css: &str) -> WebElement {
        self.wait_for(By::Css(css), css).await
    }

    /// Waits for the element and gives its text.
    ///
    /// # Panics
    ///
    /// When it does not appear.
    pub async fn text(&self, css: &str) -> String {
        let element = self.find(css).await;
        element.text().await.expect("the page is open")
    }

    /// Presses the button that a person or a screen reader knows under this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn press(&self, name: &str) {
        self.press_below("", name).await;
    }

    /// Presses the button of this name in the item of a list that says `what`.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn press_in(&self, what: &str, name: &str) {
        let item = format!("//li[contains(., \"{what}\")]");
        self.press_below(&item, name).await;
    }

    /// Presses what a selector names.
    ///
    /// # Panics
    ///
    /// When it is not there.
    pub async fn press_at(&self, css: &str) {
        let element = self.find(css).await;
        element.click().await.expect("the element can be pressed");
    }

    /// Types into a field, in place of what is there.
    ///
    /// # Panics
    ///
    /// When there is no such field.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("the field can be emptied");
        field.send_keys(text).await.expect("the field takes text");
    }

    /// Draws a text as QR code and gives the picture to the window's file field.
    ///
    /// # Panics
    ///
    /// When there is no such field.
    pub async fn read_code(&self, text: &str) {
        let picture = self.home.path().join("picture.png");
        draw(text, &picture);
        let field = self.find("input[type=file]").await;
        let path = picture.to_str().expect("temporary folders have plain names");
        field.send_keys(path).await.expect("the field takes a file");
    }

    /// The name of the screen that the window is on.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Draws a text as QR code into a file that ends with the window.
    pub fn drawn(&self, text: &str, name: &str) -> PathBuf {
        let picture = self.home.path().join(name);
        draw(text, &picture);
        picture
    }

    /// Checks the rules of axe-core on what is shown now, and keeps a picture of it.
    ///
    /// # Panics
    ///
    /// When a rule is broken.
    pub async fn check_and_keep(&self, name: &str) {
        self.keep(name).await;
        let place = paths::root().join("ui/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(place).expect("`npm ci` has installed axe-core");
        let found = self
            .page
            .execute_async(format!("{axe}\n{RUN_AXE}"), Vec::new())
            .await
            .expect("axe-core runs in the page");
        assert_eq!(*found.json(), json!([]), "rules of axe-core broken in `{name}`");
    }

    /// Runs a script in the page and gives what it returns.
    ///
    /// # Panics
    ///
    /// When it throws.
    pub async fn ask(&self, script: &str) -> serde_json::Value {
        let answer = self.page.execute(script, Vec::new()).await;
        answer.expect("the script runs").json().clone()
    }

    /// The same for a script that calls `arguments[0]` with its answer.
    ///
    /// # Panics
    ///
    /// When it throws or never answers.
    pub async fn ask_and_wait(&self, script: &str) -> serde_json::Value {
        let answer = self.page.execute_async(script, Vec::new()).await;
        answer.expect("the script answers").json().clone()
    }

    /// The receipts that were saved, in no order.
    ///
    /// # Panics
    ///
    /// When their folder is gone.
    pub fn receipts(&self) -> Vec<(String, String)> {
        let folder = fs::read_dir(self.home.path().join("receipts")).expect("it was made");
        folder
            .map(|entry| {
                let entry = entry.expect("the folder can be read");
                let text = fs::read_to_string(entry.path()).expect("a receipt is text");
                (entry.file_name().to_string_lossy().into_owned(), text)
            })
            .collect()
    }

    /// Closes the window.
    ///
    /// # Panics
    ///
    /// When the program has ended before.
    pub async fn close(self) {
        self.page.quit().await.expect("the window can be closed");
    }

    async fn press_below(&self, place: &str, name: &str) {
        let known = format!("@aria-label=\"{name}\" or normalize-space(.)=\"{name}\"");
        let path = format!("{place}//button[{known}]");
        let since = Instant::now();
        loop {
            let button = self.wait_for(By::XPath(path.clone()), name).await;
            match button.click().await {
                Ok(()) => return,
                // A list is drawn anew when a token comes or goes, and a button that
                // was found may be gone or on its way then. A person looks again too.
                Err(error) if since.elapsed() < LIMIT => {
                    assert!(moved(&error), "`{name}` cannot be pressed: {error}");
                    thirtyfour::support::sleep(STEP).await;
                }
                Err(error) => panic!("`{name}` stays out of reach: {error}"),
            }
        }
    }

    async fn wait_for(&self, by: By, what: &str) -> WebElement {
        let query = self.page.query(by);
        let found = query.wait(LIMIT, STEP).and_displayed().first().await;
        let Ok(element) = found else {
            self.keep("failed").await;
            let main = self.page.find(By::Tag("body")).await;
            let text = match main {
                Ok(main) => main.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            panic!("`{what}` did not appear. The window shows:\n{text}");
        };
        element
    }

    async fn keep(&self, name: &str) {
        let place = artifact(&self.test, &format!("{name}.png"));
        // A picture is of the last frame that was drawn, which may be of before.
        let _ = self.page.execute_async(NEXT_FRAMES, Vec::new()).await;
        let kept = self.page.screenshot(&place).await;
        kept.expect("a picture of the page can be taken and written");
    }
}

/// Whether a press missed because the page was drawn anew or scrolled meanwhile.
fn moved(error: &WebDriverError) -> bool {
    matches!(
        error.as_inner(),
        WebDriverErrorInner::StaleElementReference(_)
            | WebDriverErrorInner::NoSuchElement(_)
            | WebDriverErrorInner::ElementNotInteractable(_)
            | WebDriverErrorInner::ElementClickIntercepted(_)
    )
}

/// How long anything may take on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(25);

const NEXT_FRAMES: &str = "
    const done = arguments[arguments.length - 1];
    requestAnimationFrame(() => requestAnimationFrame(() => done(null)));
";

const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document).then(
        (found) => done(found.violations.map(
            (rule) => rule.id + ': ' + rule.nodes.map((node) => node.target.join(' ')).join(', ')
        )),
        (error) => done([String(error)]),
    );
";

/// A process that ends with its owner.
/// The program as a person starts it, not driven, on a screen of its own.
pub struct Undriven {
    program: Process,
    _home: TempDir,
    _screen: Process,
}

impl Undriven {
    /// Starts it with practice tokens and waits for its first painted frame; gives
    /// the time from the start of the process to that frame as well.
    ///
    /// # Panics
    ///
    /// When the window does not open.
    pub fn open() -> (Self, Duration) {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let (screen, display) = start_screen();
        let program = paths::binary("sower-desktop");
        let mut command = Process::command(&program.display().to_string());
        command.args(["--practice-only", "--report-first-frame"]);
        set_environment(&mut command, &display, home.path());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut program = Process::start(&mut command);
        let out = program.0.stdout.take().expect("it was asked for");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("the program says when it is ready");
        let taken = begun.elapsed();
        assert_eq!(line.trim(), "first frame", "the window did not open");
        let window = Self { program, _home: home, _screen: screen };
        (window, taken)
    }

    /// Proportional memory in bytes of the program and of the web engine's
    /// processes below it, the largest first, with their names.
    pub fn memory(&self) -> Vec<(String, u64)> {
        let mut family = vec![self.program.0.id()];
        let mut index = 0;
        while let Some(parent) = family.get(index).copied() {
            let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
            let children = children.unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            index += 1;
        }
        let mut memory: Vec<_> = family.into_iter().filter_map(proportional).collect();
        memory.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        memory
    }
}

fn proportional(process: u32) -> Option<(String, u64)> {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some((name.trim().to_owned(), kib * 1024))
}

struct Process(Child);

impl Process {
    /// The kernel ends it when the thread of the test ends without dropping this.
    fn command(program: &str) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // A program of ours comes with its whole path, which joining keeps.
        let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        assert!(there, "the rig needs `{program}`; `cargo xtask setup` installs it");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]);
        command.stdin(Stdio::null());
        command
    }

    fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("setpriv is part of every Linux"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A screen of its own; gives its name for `DISPLAY`.
fn start_screen() -> (Process, String) {
    let mut command = Process::command("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x1024x24"]);
    command.args(["-nolisten", "tcp"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut screen = Process::start(&mut command);
    let mut number = String::new();
    let out = screen.0.stdout.take().expect("it was asked for");
    BufReader::new(out).read_line(&mut number).expect("Xvfb tells the number of its screen");
    assert!(!number.trim().is_empty(), "Xvfb did not start");
    (screen, format!(":{}", number.trim()))
}

/// A driver that is ready, and its port. Another program may take the port between
/// choosing and using it; then another one is chosen.
fn start_driver(display: &str, home: &Path, log: &File) -> (Process, u16) {
    for _ in 0..3 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("there is a free port")
            .port();
        let mut command = Process::command("WebKitWebDriver");
        command.arg(format!("--port={port}"));
        set_environment(&mut command, display, home);
        command.stdout(log.try_clone().expect("a file can be opened twice"));
        command.stderr(log.try_clone().expect("a file can be opened twice"));
        let mut driver = Process::start(&mut command);
        let begun = Instant::now();
        while begun.elapsed() < LIMIT && matches!(driver.0.try_wait(), Ok(None)) {
            // The port listens before the driver is ready, so the driver is asked.
            if is_ready(port).unwrap_or(false) {
                return (driver, port);
            }
            std::thread::sleep(STEP);
        }
    }
    panic!("WebKitWebDriver does not start");
}

fn is_ready(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(stream, "GET /status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // Not every driver closes the connection; what came until then is enough.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).replace(' ', "");
    Ok(answer.contains("\"ready\":true"))
}

/// The driver hands its environment on to the program.
fn set_environment(command: &mut Command, display: &str, home: &Path) {
    command.env("DISPLAY", display);
    // Without it the driver waits for a window that nobody may drive.
    command.env("TAURI_WEBVIEW_AUTOMATION", "true");
    // There is no session bus to ask for the accessibility bus.
    command.env("NO_AT_BRIDGE", "1");
    command.env("GDK_BACKEND", "x11").env("LC_ALL", "C.UTF-8");
    for name in ["WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    for (name, folder) in [
        ("HOME", "home"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_RUNTIME_DIR", "runtime"),
    ] {
        let folder = home.join(folder);
        fs::create_dir_all(&folder).expect("the folder is writable");
        command.env(name, folder);
    }
}

/// No `browserName`: the driver knows no window but its own by name.
fn capabilities(home: &Path) -> Capabilities {
    let mut capabilities = Capabilities::new();
    let options = json!({
        "binary": paths::binary("sower-desktop"),
        "args": ["--practice-only", "--receipt-dir", home.join("receipts")],
    });
    capabilities.set("webkitgtk:browserOptions", options).expect("it is JSON already");
    capabilities
}

fn artifact(test: &str, name: &str) -> PathBuf {
    let folder = paths::artifacts().join("window");
    fs::create_dir_all(&folder).expect("the artifacts can be written");
    folder.join(format!("{test}-{name}"))
}

/// Dark on light, 8 pixels a module, with the quiet zone of four modules
/// (ISO/IEC 18004).
fn draw(text: &str, place: &Path) {
    const SCALE: usize = 8;
    const QUIET: usize = 4;
    let code = QrCode::new(text).expect("the text fits into a QR code");
    let width = code.width();
    let side = u32::try_from((width + 2 * QUIET) * SCALE).expect("a QR code is small");
    let module = |pixel: u32| (pixel as usize / SCALE).checked_sub(QUIET);
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let dark = match (module(x), module(y)) {
            (Some(x), Some(y)) if x < width && y < width => code[(x, y)] == Color::Dark,
            _ => false,
        };
        Luma([if dark { 0 } else { 255 }])
    });
    picture.save(place).expect("the folder is writable");
}
