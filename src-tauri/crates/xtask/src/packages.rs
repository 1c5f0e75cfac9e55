//! What the operating system has to bring, and how to get it on Debian.
//!
//! Presence is probed by what is used (a library's pkg-config name, a program, a
//! file), not by asking the package system, so the same question works on every
//! Linux; only the installing knows apt.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// One package, and how to see that it is there.
#[derive(Debug)]
pub(crate) struct Package {
    /// Debian's name.
    name: &'static str,
    signs: &'static [Sign],
}

#[derive(Debug)]
enum Sign {
    /// A program on the search path.
    Program(&'static str),
    /// A library that pkg-config knows under this name.
    Library(&'static str),
    /// A file at a fixed place.
    File(&'static str),
    /// A module of the system's Python.
    PythonModule(&'static str),
    /// Any outline font: a window without one shows empty boxes.
    Font,
}

use Sign::{File, Font, Library, Program, PythonModule};

/// What the terminal program is built with, and the service that real readers need.
pub(crate) const TERMINAL: &[Package] = &[
    Package { name: "build-essential", signs: &[Program("cc"), File("/usr/include/stdio.h")] },
    Package { name: "pkg-config", signs: &[Program("pkg-config")] },
    Package { name: "libpcsclite-dev", signs: &[Library("libpcsclite")] },
    Package { name: "pcscd", signs: &[Program("pcscd")] },
];

/// What the window needs besides.
pub(crate) const WINDOW: &[Package] = &[
    Package { name: "libwebkit2gtk-4.1-dev", signs: &[Library("webkit2gtk-4.1")] },
    Package { name: "fonts-dejavu-core", signs: &[Font] },
];

/// What the tests need besides: a screen that is not there, a reader that is not
/// there, and programs of other authors that must agree with ours.
pub(crate) const TEST: &[Package] = &[
    Package { name: "xvfb", signs: &[Program("Xvfb")] },
    Package { name: "webkit2gtk-driver", signs: &[Program("WebKitWebDriver")] },
    Package {
        name: "vsmartcard-vpcd",
        signs: &[File("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")],
    },
    Package {
        name: "util-linux",
        signs: &[Program("unshare"), Program("setpriv"), Program("mount")],
    },
    Package { name: "iproute2", signs: &[Program("ip")] },
    Package { name: "python3", signs: &[PythonModule("json")] },
    // ykman's smart card module is built from source where there is no wheel.
    Package { name: "python3-dev", signs: &[Library("python3")] },
    Package { name: "python3-venv", signs: &[PythonModule("ensurepip")] },
];

/// What the guest of the HID tests needs: a machine, programs for its first second,
/// and what takes its kernel apart.
pub(crate) const GUEST: &[Package] = &[
    Package { name: "qemu-system-x86", signs: &[Program("qemu-system-x86_64")] },
    Package { name: "busybox-static", signs: &[Program("busybox")] },
    Package { name: "kmod", signs: &[Program("depmod"), Program("modprobe")] },
    Package { name: "xz-utils", signs: &[Program("xz")] },
    Package { name: "udev", signs: &[Program("udevadm")] },
];

/// Installs those of `wanted` that are missing; does nothing when none is.
pub(crate) fn install(wanted: &[&'static [Package]]) -> Result<(), Failure> {
    let missing = missing(wanted);
    if missing.is_empty() {
        return Ok(());
    }
    println!("setup: installing {}", missing.join(" "));
    let Some(apt) = Apt::find() else {
        return Err(Failure::Missing {
            packages: missing,
            reason: "Some packages of the system are missing, and there is no apt-get here",
        });
    };
    let installed = apt.run(&["update"]).and_then(|()| {
        let mut words = vec!["install", "-y", "--no-install-recommends"];
        words.extend(&missing);
        apt.run(&words)
    });
    // What helps now is the list, so that somebody who may install does it by hand.
    if let Err(failure) = installed {
        eprintln!("setup: {failure}");
        return Err(Failure::Missing {
            packages: missing,
            reason: "Some packages of the system are missing, and apt-get did not install them",
        });
    }
    let still = self::missing(wanted);
    if still.is_empty() {
        return Ok(());
    }
    Err(Failure::Missing {
        packages: still,
        reason: "apt-get succeeded, but something is still not where it is expected",
    })
}

/// Fetches apt's lists anew.
pub(crate) fn update() -> Result<(), Failure> {
    Apt::find().map_or(Ok(()), |apt| apt.run(&["update"]))
}

/// The names of the packages that show no sign of being there.
fn missing(wanted: &[&'static [Package]]) -> Vec<&'static str> {
    wanted
        .iter()
        .copied()
        .flatten()
        .filter(|package| !package.signs.iter().all(Sign::is_seen))
        .map(|package| package.name)
        .collect()
}

impl Sign {
    fn is_seen(&self) -> bool {
        match self {
            Program(name) => find_program(name).is_some(),
            Library(name) => process::succeeds(Command::new("pkg-config").args(["--exists", name])),
            File(path) => Path::new(path).exists(),
            PythonModule(name) => {
                let import = format!("import {name}");
                process::succeeds(Command::new("/usr/bin/python3").args(["-c", &import]))
            }
            Font => has_font(Path::new("/usr/share/fonts"), 4),
        }
    }
}

/// The program's place on the search path; the system folders are looked into even
/// where a plain user's path leaves them out, because daemons lie there.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn has_font(folder: &Path, depth: usize) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return depth > 0 && has_font(&path, depth - 1);
        }
        path.extension().is_some_and(|extension| extension == "ttf" || extension == "otf")
    })
}

/// apt-get, with the right to use it.
struct Apt {
    /// Through sudo, which is told never to ask for a password.
    sudo: bool,
}

impl Apt {
    fn find() -> Option<Self> {
        find_program("apt-get")?;
        let user = Command::new("id").arg("-u").output().ok()?;
        Some(Self { sudo: user.stdout.trim_ascii() != b"0" })
    }

    fn run(&self, words: &[&str]) -> Result<(), Failure> {
        // `env` carries the variable through sudo, which drops it otherwise.
        let mut line = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
        if self.sudo {
            line.splice(0..0, ["sudo", "-n"]);
        }
        // Wait for somebody else's apt instead of failing beside it.
        line.extend(["-o", "DPkg::Lock::Timeout=300"]);
        line.extend(words);
        process::run_quietly(Command::new(line[0]).args(&line[1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::{GUEST, TERMINAL, TEST, WINDOW, find_program};

    #[test]
    fn no_package_is_named_twice() {
        let mut names: Vec<_> = [TERMINAL, WINDOW, TEST, GUEST]
            .iter()
            .copied()
            .flatten()
            .map(|package| package.name)
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_program_that_nobody_has_is_not_found() {
        assert_eq!(find_program("no-such-program-as-this"), None);
    }
}
