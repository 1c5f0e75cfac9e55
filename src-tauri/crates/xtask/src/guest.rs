//! The kernel of the guest in which HID is tested: Debian's own, because kernels of
//! containers and cloud machines have neither USB nor hidraw.
//!
//! The package is downloaded and taken apart below `target/tools`, never installed.
//! What the guest does with it stands in `tests/src/guest.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::{packages, process, workspace};

/// The metapackage whose dependency is the present kernel.
const NEWEST: &str = "linux-image-amd64";

/// What the guest loads, besides what these need: its host's files, USB over a
/// socket, and HID.
const MODULES: &[&str] =
    &["virtio_pci", "9pnet_virtio", "9p", "overlay", "hid_generic", "usbhid", "vhci_hcd"];

/// Brings the kernel unless it is there. It is not renewed: what is tested is us.
pub(crate) fn install() -> Result<(), Failure> {
    let folder = workspace::tools().join("guest");
    let stamp = folder.join("installed");
    let wanted = MODULES.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if packages::find_program("apt-get").is_none() {
        return Err(Failure::Missing {
            packages: vec![NEWEST],
            reason: "HID is tested with a kernel of Debian's, and there is no apt-get here",
        });
    }
    let modules = folder.join("modules");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(at(&folder))?;
    }
    fs::create_dir_all(&modules).map_err(at(&modules))?;
    let package = newest()?;
    println!("setup: unpacking {package} for the guest of the HID tests");
    let root = unpack(&package, &folder)?;
    let version = package.trim_start_matches("linux-image-");
    kernel(&root.join("boot").join(format!("vmlinuz-{version}")), &folder.join("vmlinux"))?;
    for (index, module) in load_order(&root, version)?.iter().enumerate() {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        // The guest loads them in the order of their names.
        let copy = modules.join(format!("{index:02}-{name}"));
        fs::copy(module, &copy).map_err(at(&copy))?;
        if copy.extension().is_some_and(|extension| extension == "xz") {
            process::run_quietly(Command::new("xz").arg("-d").arg(&copy))?;
        }
    }
    fs::remove_dir_all(&root).map_err(at(&root))?;
    // Last, so that what broke off half-way is begun anew.
    fs::write(&stamp, wanted).map_err(at(&stamp))
}

/// The package that the metapackage depends on. Fresh machines have no lists yet.
fn newest() -> Result<String, Failure> {
    let ask = || {
        let words = ["depends", NEWEST];
        let said = output(Command::new("apt-cache").args(words)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        said.lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .find(|package| package.starts_with("linux-image-"))
            .map(str::to_owned)
    };
    if let Some(package) = ask() {
        return Ok(package);
    }
    packages::update()?;
    ask().ok_or(Failure::Missing {
        packages: vec![NEWEST],
        reason: "HID is tested with a kernel of Debian's, and apt-get knows none",
    })
}

/// Downloads a package and lays its files out below `folder`.
fn unpack(package: &str, folder: &Path) -> Result<PathBuf, Failure> {
    process::run_quietly(Command::new("apt-get").args(["download", package]).current_dir(folder))?;
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let archive = entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .unwrap_or_else(|| folder.join(package).with_extension("deb"));
    let root = folder.join("root");
    process::run_quietly(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&root))?;
    fs::remove_file(&archive).map_err(at(&archive))?;
    Ok(root)
}

/// Takes the kernel out of its own wrapping: the guest is emulated, and needs as long
/// to unwrap it as for everything else. Where there is no xz stream in it, the guest
/// has to.
fn kernel(wrapped: &Path, to: &Path) -> Result<(), Failure> {
    let bytes = fs::read(wrapped).map_err(at(wrapped))?;
    let begin = bytes.windows(XZ.len()).position(|window| window == XZ);
    let Some(begin) = begin else {
        return fs::write(to, bytes).map_err(at(to));
    };
    let stream = to.with_extension("xz");
    fs::write(&stream, &bytes[begin..]).map_err(at(&stream))?;
    // What follows the stream makes xz fail after it has written all that matters.
    let unwrapped = output(Command::new("xz").arg("-dcq").arg(&stream))?;
    fs::remove_file(&stream).map_err(at(&stream))?;
    let whole = if unwrapped.starts_with(ELF) { unwrapped } else { bytes };
    fs::write(to, whole).map_err(at(to))
}

/// How streams of xz and programs begin.
const XZ: &[u8] = b"\xfd7zXZ\0";
const ELF: &[u8] = b"\x7fELF";

/// The files of all modules, each after those that it needs.
fn load_order(root: &Path, version: &str) -> Result<Vec<PathBuf>, Failure> {
    process::run_quietly(system("depmod")?.arg("-b").arg(root).arg(version))?;
    let mut order = Vec::new();
    for module in MODULES {
        let mut ask = system("modprobe")?;
        ask.arg("-d").arg(root).args(["-S", version, "--show-depends", module]);
        let said = output(&mut ask)?;
        // `insmod /place/of/it.ko`, or `builtin name`.
        for line in String::from_utf8_lossy(&said).lines() {
            let path = line.trim().strip_prefix("insmod ").map(PathBuf::from);
            order.extend(path.filter(|path| !order.contains(path)));
        }
    }
    Ok(order)
}

/// A program that may lie in the system's folders.
fn system(name: &'static str) -> Result<Command, Failure> {
    packages::find_program(name)
        .map(Command::new)
        .ok_or(Failure::Missing { packages: vec!["kmod"], reason: "A program is missing" })
}

/// What a program prints, whatever it ends with.
fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Failure::NotStarted { command: process::typed(command), source })?;
    Ok(output.stdout)
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_owned();
    |source| Failure::File { path, source }
}
