//! A USB device that is not there, on the guest's virtual host controller.
//!
//! The controller (`vhci_hcd`) takes one end of a socket and speaks USB/IP over it:
//! headers of 48 bytes, numbers in network order, one message a transfer (the
//! kernel's `Documentation/usb/usbip_protocol.rst`). This is the other end. All
//! between it and the client is the real kernel: enumeration, usbhid, hidraw.
//!
//! Works in the guest alone (`guest.rs`): it takes root, and a kernel with modules.

pub mod port;

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use emulator::{Applet, Hid, HidDevice, Now, Stalled};
use oath::UnixTime;

/// A device that is plugged in. Dropping it pulls it out.
pub struct Plugged {
    port: u32,
    wire: UnixStream,
    faults: Arc<Mutex<Vec<(usize, Fault)>>>,
    until: Until,
    threads: Vec<JoinHandle<()>>,
}

/// Asked after each exchange whether the device has to leave.
type Until = Arc<Mutex<Option<Box<dyn FnMut() -> bool + Send>>>>;

/// What goes wrong at one exchange: an output report, or a feature report set or got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device leaves before the report takes effect.
    UnplugBefore,
    /// The report takes effect, then the device leaves.
    UnplugAfter,
    /// The report takes effect. There is no answer to it, and no acknowledgement of
    /// a feature report.
    Silent,
    /// The report takes effect. The answer or the acknowledgement comes late.
    Late(Duration),
    /// The report takes effect. Of the answer there are so many bytes.
    Short(usize),
    /// The report takes effect, and yet the transfer is refused.
    Stalled,
}

/// A HID interface that a test keeps a hand on while it is plugged in.
pub struct Shared<T>(pub Arc<Mutex<T>>);

impl Plugged {
    /// Plugs a device in. The kernel needs some hundred milliseconds to take it in.
    ///
    /// # Panics
    ///
    /// When there is no virtual host controller, or no free port.
    pub fn new(device: &HidDevice, hid: impl Hid + 'static, now: Now) -> Self {
        let (ours, kernels) = UnixStream::pair().expect("sockets can be made");
        let port = attach(&kernels);
        let faults = Arc::default();
        let until = Until::default();
        let mut server = Server {
            wire: ours.try_clone().expect("a socket can be held by two threads"),
            descriptors: Descriptors::of(device),
            hid: Box::new(hid),
            now,
            faults: Arc::clone(&faults),
            until: Arc::clone(&until),
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            late: Vec::new(),
        };
        let (requests, arriving) = mpsc::channel();
        let mut incoming = ours.try_clone().expect("a socket can be held by two threads");
        // Both threads end with the connection, which is what unplugging is.
        let reads = std::thread::spawn(move || {
            while let Ok(request) = Request::read(&mut incoming) {
                if requests.send(request).is_err() {
                    return;
                }
            }
        });
        let answers = std::thread::spawn(move || {
            let _ = server.serve(&arriving);
            let _ = server.wire.shutdown(Shutdown::Both);
        });
        Self { port, wire: ours, faults, until, threads: vec![reads, answers] }
    }

    /// Plugs in an emulated token.
    ///
    /// # Panics
    ///
    /// When it is no HID device, and as [`Plugged::new`].
    pub fn token(token: &Arc<Mutex<Box<dyn Applet>>>, now: Now) -> Self {
        let device = lock(token).hid_device().expect("this token is a HID device");
        Self::new(&device, Token(Arc::clone(token)), now)
    }

    /// Lets one exchange go wrong, after so many that do not. Counted from now, and
    /// from the last fault that was asked for.
    pub fn fault(&self, after: usize, fault: Fault) {
        lock(&self.faults).push((after, fault));
    }

    /// Lets the device leave after the exchange by which this comes true.
    pub fn unplug_when(&self, it_has_to: impl FnMut() -> bool + Send + 'static) {
        *lock(&self.until) = Some(Box::new(it_has_to));
    }

    /// Pulls it out.
    pub fn unplug(self) {
        drop(self);
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        // Both fail when the device left by itself.
        let _ = self.wire.shutdown(Shutdown::Both);
        let _ = fs::write(format!("{CONTROLLER}/detach"), self.port.to_string());
        for thread in self.threads.drain(..) {
            // What it panicked with stands in the test's output.
            let _ = thread.join();
        }
    }
}

impl<T: Hid> Hid for Shared<T> {
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        lock(&self.0).write(report, now)
    }

    fn read(&mut self, now: UnixTime) -> Option<Vec<u8>> {
        lock(&self.0).read(now)
    }

    fn set_feature(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        lock(&self.0).set_feature(report, now)
    }

    fn get_feature(&mut self, number: u8, len: usize, now: UnixTime) -> Result<Vec<u8>, Stalled> {
        lock(&self.0).get_feature(number, len, now)
    }
}

/// An emulated token's own interface.
struct Token(Arc<Mutex<Box<dyn Applet>>>);

impl Hid for Token {
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        lock(&self.0).hid().ok_or(Stalled)?.write(report, now)
    }

    fn read(&mut self, now: UnixTime) -> Option<Vec<u8>> {
        lock(&self.0).hid()?.read(now)
    }

    fn set_feature(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        lock(&self.0).hid().ok_or(Stalled)?.set_feature(report, now)
    }

    fn get_feature(&mut self, number: u8, len: usize, now: UnixTime) -> Result<Vec<u8>, Stalled> {
        lock(&self.0).hid().ok_or(Stalled)?.get_feature(number, len, now)
    }
}

/// A device is judged by what it holds, also after a test that broke it.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";

/// How often a device is asked whether it has something to say by itself.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// Linux' numbers for a stalled transfer and for one that was taken back.
const STALL: i32 = -32;
const TAKEN_BACK: i32 = -104;

/// Gives the kernel its end of the socket, at the first free port.
fn attach(kernels: &UnixStream) -> u32 {
    let status = fs::read_to_string(format!("{CONTROLLER}/status"))
        .expect("the guest has a virtual host controller (vhci_hcd)");
    // `hs  0000 004 000 ...`: hub, port, state (4 is free).
    let free = status.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["hs", port, "004", ..] => port.parse::<u32>().ok(),
            _ => None,
        }
    });
    for port in free {
        // Device numbers are ours to choose; speed 2 is full, that of all tokens.
        let line = format!("{port} {} {} 2", kernels.as_raw_fd(), port + 1);
        if fs::write(format!("{CONTROLLER}/attach"), line).is_ok() {
            return port;
        }
    }
    panic!("no port is free:\n{status}");
}

/// The header of a message, of which an answer repeats the first twenty bytes.
type Header = [u8; 48];

/// What the kernel asks for.
enum Request {
    /// A transfer.
    Submit {
        header: Header,
        /// The first byte is the most significant one, as all numbers here.
        data: Vec<u8>,
    },
    /// A transfer is given up, if it still waits.
    Unlink { header: Header },
}

fn number(header: &Header, at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[at..at + 4]);
    u32::from_be_bytes(bytes)
}

impl Request {
    fn read(wire: &mut UnixStream) -> io::Result<Self> {
        let mut header = [0; 48];
        wire.read_exact(&mut header)?;
        if number(&header, 0) == 2 {
            return Ok(Self::Unlink { header });
        }
        let length = usize::try_from(number(&header, 24)).unwrap_or(usize::MAX);
        let mut data = vec![0; if is_input(&header) { 0 } else { length }];
        wire.read_exact(&mut data)?;
        Ok(Self::Submit { header, data })
    }
}

fn is_input(header: &Header) -> bool {
    number(header, 12) == 1
}

/// How a control transfer ends.
enum Control {
    /// With these data; none for one that only sets something.
    Done(Vec<u8>),
    Refused,
    /// Not yet, or never.
    Open(Option<(Duration, Vec<u8>)>),
}

/// What becomes of the answers to one report.
#[derive(Clone, Copy)]
enum Answers {
    AsTheyAre,
    Dropped,
    Late(Duration),
    Cut(usize),
}

struct Server {
    wire: UnixStream,
    descriptors: Descriptors,
    hid: Box<dyn Hid>,
    now: Now,
    faults: Arc<Mutex<Vec<(usize, Fault)>>>,
    until: Until,
    /// Transfers that wait for an input report.
    waiting: VecDeque<Header>,
    /// Input reports that wait for a transfer, and from when on they are there.
    ready: VecDeque<(Instant, Vec<u8>)>,
    /// Control transfers that are answered later, or never.
    late: Vec<(Option<Instant>, Header, Vec<u8>)>,
}

impl Server {
    /// Ends with an error when the device leaves, on whoever's initiative.
    fn serve(&mut self, arriving: &Receiver<Request>) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        loop {
            let request = if self.waiting.is_empty() && self.late.is_empty() {
                arriving.recv().map_err(|_| gone())?
            } else {
                match arriving.recv_timeout(ASK_EVERY) {
                    Ok(request) => request,
                    Err(RecvTimeoutError::Timeout) => {
                        self.take_reports(Answers::AsTheyAre);
                        self.give_reports()?;
                        self.give_late()?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return Err(gone()),
                }
            };
            match request {
                Request::Unlink { header } => self.unlink(&header)?,
                Request::Submit { header, data } => {
                    match (number(&header, 16), is_input(&header)) {
                        (0, _) => self.control(header, &data)?,
                        (_, true) => {
                            self.waiting.push_back(header);
                            self.take_reports(Answers::AsTheyAre);
                        }
                        (_, false) => self.output(&header, &data)?,
                    }
                }
            }
            self.give_reports()?;
        }
    }

    fn output(&mut self, header: &Header, data: &[u8]) -> io::Result<()> {
        let fault = self.next_fault()?;
        let written = self.write(data);
        let status = if written.is_err() || fault == Some(Fault::Stalled) { STALL } else { 0 };
        // A device may act on a report when it is asked for the answer to it.
        self.take_reports(match fault {
            Some(Fault::Silent) => Answers::Dropped,
            Some(Fault::Late(by)) => Answers::Late(by),
            Some(Fault::Short(length)) => Answers::Cut(length),
            Some(Fault::Stalled | Fault::UnplugBefore | Fault::UnplugAfter) | None => {
                Answers::AsTheyAre
            }
        });
        self.leave_after(fault)?;
        self.answer(header, status, data.len(), &[])
    }

    /// On the wire there is no number where there are no numbers.
    fn write(&mut self, data: &[u8]) -> Result<(), Stalled> {
        self.hid.write(&[&[0], data].concat(), (self.now)())
    }

    /// Takes over what the device has to say.
    fn take_reports(&mut self, answers: Answers) {
        while let Some(mut report) = self.hid.read((self.now)()) {
            let mut from = Instant::now();
            match answers {
                Answers::AsTheyAre => {}
                Answers::Dropped => continue,
                Answers::Late(by) => from += by,
                Answers::Cut(length) => report.truncate(length),
            }
            self.ready.push_back((from, report));
        }
    }

    fn give_reports(&mut self) -> io::Result<()> {
        while self.ready.front().is_some_and(|(from, _)| *from <= Instant::now()) {
            let Some(header) = self.waiting.pop_front() else {
                return Ok(());
            };
            if let Some((_, report)) = self.ready.pop_front() {
                self.answer(&header, 0, report.len(), &report)?;
            }
        }
        Ok(())
    }

    fn give_late(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let (ripe, rest) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _, _)| due(*at));
        self.late = rest;
        let ripe: Vec<(Option<Instant>, Header, Vec<u8>)> = ripe;
        for (_, header, data) in ripe {
            self.answer(&header, 0, length_done(&header, &data), &data)?;
        }
        Ok(())
    }

    fn control(&mut self, header: Header, data: &[u8]) -> io::Result<()> {
        let most = usize::try_from(number(&header, 24)).unwrap_or(usize::MAX);
        match self.judge(&header, data)? {
            Control::Done(mut answer) => {
                answer.truncate(most);
                self.answer(&header, 0, length_done(&header, &answer), &answer)
            }
            Control::Refused => self.answer(&header, STALL, 0, &[]),
            Control::Open(None) => {
                self.late.push((None, header, Vec::new()));
                Ok(())
            }
            Control::Open(Some((by, mut answer))) => {
                answer.truncate(most);
                self.late.push((Some(Instant::now() + by), header, answer));
                Ok(())
            }
        }
    }

    /// Requests of USB 2.0 section 9.4 and HID 1.11 section 7.2.
    fn judge(&mut self, header: &Header, data: &[u8]) -> io::Result<Control> {
        let &[kind, request, low, high, index, _, length_low, length_high] = &header[40..] else {
            return Ok(Control::Refused);
        };
        let length = usize::from(u16::from_le_bytes([length_low, length_high]));
        let nothing = || Ok(Control::Done(Vec::new()));
        match (kind, request) {
            // Status; configuration.
            (0x80..=0x82, 0) => Ok(Control::Done(vec![0, 0])),
            (0x80, 8) => Ok(Control::Done(vec![1])),
            (0x80 | 0x81, 6) => {
                let descriptor = self.descriptors.get(high, low, index);
                Ok(descriptor.map_or(Control::Refused, Control::Done))
            }
            // Set configuration or interface, clear a halt, be idle.
            (0x00, 9) | (0x01, 11) | (0x02, 1) | (0x21, 10) => nothing(),
            // Reports, got and set, of kinds 2 (output) and 3 (feature).
            (0xa1, 1) if high == 3 => self.get_feature(low, length),
            (0x21, 9) if high == 3 => self.set_feature(low, data),
            (0x21, 9) if high == 2 && self.descriptors.has_reports => {
                let fault = self.next_fault()?;
                let written = self.write(data);
                self.leave_after(fault)?;
                self.take_reports(Answers::AsTheyAre);
                if written.is_ok() { nothing() } else { Ok(Control::Refused) }
            }
            _ => Ok(Control::Refused),
        }
    }

    fn set_feature(&mut self, report_number: u8, data: &[u8]) -> io::Result<Control> {
        let fault = self.next_fault()?;
        // Where there are numbers, the data begin with it.
        let report = if report_number == 0 { [&[0], data].concat() } else { data.to_vec() };
        let done = self.hid.set_feature(&report, (self.now)());
        self.leave_after(fault)?;
        Ok(match (done, fault) {
            (Err(Stalled), _) | (Ok(()), Some(Fault::Stalled)) => Control::Refused,
            (Ok(()), Some(Fault::Silent)) => Control::Open(None),
            (Ok(()), Some(Fault::Late(by))) => Control::Open(Some((by, Vec::new()))),
            (Ok(()), Some(Fault::Short(_) | Fault::UnplugBefore | Fault::UnplugAfter) | None) => {
                Control::Done(Vec::new())
            }
        })
    }

    fn get_feature(&mut self, report_number: u8, length: usize) -> io::Result<Control> {
        let fault = self.next_fault()?;
        let unnumbered = usize::from(report_number == 0);
        let got = self.hid.get_feature(report_number, length + unnumbered, (self.now)());
        self.leave_after(fault)?;
        let Ok(mut report) = got else {
            return Ok(Control::Refused);
        };
        report.drain(..unnumbered.min(report.len()));
        Ok(match fault {
            Some(Fault::Stalled) => Control::Refused,
            Some(Fault::Silent) => Control::Open(None),
            Some(Fault::Late(by)) => Control::Open(Some((by, report))),
            Some(Fault::Short(most)) => {
                report.truncate(most);
                Control::Done(report)
            }
            Some(Fault::UnplugBefore | Fault::UnplugAfter) | None => Control::Done(report),
        })
    }

    /// The fault for the exchange that is about to take place.
    fn next_fault(&self) -> io::Result<Option<Fault>> {
        let mut faults = lock(&self.faults);
        let fault = match faults.first_mut() {
            None => None,
            Some((0, _)) => Some(faults.remove(0).1),
            Some((after, _)) => {
                *after -= 1;
                None
            }
        };
        if fault == Some(Fault::UnplugBefore) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(fault)
    }

    fn leave_after(&self, fault: Option<Fault>) -> io::Result<()> {
        let mut until = lock(&self.until);
        let has_to = until.as_mut().is_some_and(|has_to| has_to());
        if fault == Some(Fault::UnplugAfter) || has_to {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    fn unlink(&mut self, header: &Header) -> io::Result<()> {
        let victim = number(header, 20);
        let is_victim = |waiting: &Header| number(waiting, 4) == victim;
        let before = self.waiting.len() + self.late.len();
        self.waiting.retain(|waiting| !is_victim(waiting));
        self.late.retain(|(_, waiting, _)| !is_victim(waiting));
        let found = self.waiting.len() + self.late.len() < before;
        let mut answer = [0; 48];
        answer[..4].copy_from_slice(&4_u32.to_be_bytes());
        answer[4..8].copy_from_slice(&header[4..8]);
        let status = if found { TAKEN_BACK } else { 0 };
        answer[20..24].copy_from_slice(&status.to_be_bytes());
        self.wire.write_all(&answer)
    }

    fn answer(&mut self, to: &Header, status: i32, length: usize, data: &[u8]) -> io::Result<()> {
        let mut answer = vec![0; 48];
        answer[..20].copy_from_slice(&to[..20]);
        answer[..4].copy_from_slice(&3_u32.to_be_bytes());
        answer[20..24].copy_from_slice(&status.to_be_bytes());
        let length = u32::try_from(length).expect("transfers are short");
        answer[24..28].copy_from_slice(&length.to_be_bytes());
        answer.extend_from_slice(data);
        self.wire.write_all(&answer)
    }
}

/// How many bytes of a control transfer were transferred: of one that sets, all.
fn length_done(header: &Header, answer: &[u8]) -> usize {
    if is_input(header) {
        answer.len()
    } else {
        usize::try_from(number(header, 24)).unwrap_or(usize::MAX)
    }
}

/// What the device tells of itself (USB 2.0 section 9.6, HID 1.11 section 6.2).
struct Descriptors {
    device: Vec<u8>,
    configuration: Vec<u8>,
    report: Vec<u8>,
    /// The number of the HID interface.
    interface: u8,
    strings: [String; 3],
    has_reports: bool,
}

impl Descriptors {
    fn of(device: &HidDevice) -> Self {
        let ([vendor_low, vendor_high], [product_low, product_high]) =
            (device.vendor.to_le_bytes(), device.product.to_le_bytes());
        let report = device.report_descriptor();
        let has_reports = device.report_length > 0;
        // Strings 1 to 3; a device without a serial number has no third.
        let serial = if device.serial.is_empty() { 0 } else { 3 };
        Self {
            #[rustfmt::skip]
            device: vec![
                18, 1, 0, 2, 0, 0, 0, 64, vendor_low, vendor_high, product_low, product_high,
                0, 1, 1, 2, serial, 1,
            ],
            configuration: configuration(device.interface, &report, has_reports),
            report,
            interface: device.interface,
            strings: [device.manufacturer.to_owned(), device.name.clone(), device.serial.clone()],
            has_reports,
        }
    }

    fn get(&self, kind: u8, number: u8, index: u8) -> Option<Vec<u8>> {
        match (kind, number) {
            (1, _) => Some(self.device.clone()),
            (2, _) => Some(self.configuration.clone()),
            // The language of the strings: English.
            (3, 0) => Some(vec![4, 3, 9, 4]),
            (3, 1..=3) => {
                let text = &self.strings[usize::from(number) - 1];
                let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let length = u8::try_from(units.len() + 2).ok()?;
                Some([vec![length, 3], units].concat())
            }
            (0x22, _) if index == self.interface => Some(self.report.clone()),
            _ => None,
        }
    }
}

/// One configuration: the HID interface, and before it as many of other kinds as its
/// number says.
fn configuration(interface: u8, report: &[u8], has_reports: bool) -> Vec<u8> {
    let mut parts = Vec::new();
    for other in 0..interface {
        parts.extend([9, 4, other, 0, 0, 0xff, 0, 0, 0]);
    }
    let [length_low, length_high] =
        u16::try_from(report.len()).expect("report descriptors are short").to_le_bytes();
    parts.extend([9, 4, interface, 0, 1 + u8::from(has_reports), 3, 0, 0, 0]);
    parts.extend([9, 0x21, 0x11, 1, 0, 1, 0x22, length_low, length_high]);
    // Interrupt endpoints of 64 bytes, asked every millisecond. Every HID interface
    // has one for input.
    parts.extend([7, 5, 0x81, 3, 64, 0, 1]);
    if has_reports {
        parts.extend([7, 5, 0x01, 3, 64, 0, 1]);
    }
    let [length_low, length_high] =
        u16::try_from(9 + parts.len()).expect("it is short").to_le_bytes();
    let mut all = vec![9, 2, length_low, length_high, interface + 1, 1, 0, 0x80, 50];
    all.append(&mut parts);
    all
}
