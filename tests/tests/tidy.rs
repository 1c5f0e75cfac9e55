//! Every rule of the repository that a program can check: the layout, the arrows
//! between the crates, what the product may not contain, what each token family has
//! to bring. ARCHITECTURE.md says why; this says where a rule is broken.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sower_tests::paths::root;

/// Each package and those of our own that it may use, in the order of the arrows.
const ARROWS: &[(&str, &[&str])] = &[
    ("oath", &[]),
    ("secondlook", &[]),
    ("qr", &["secondlook"]),
    ("intake", &["oath", "qr"]),
    ("token", &["oath"]),
    ("enroll", &["oath", "intake", "token"]),
    ("emulator", &["oath", "token"]),
    ("transport", &["token"]),
    ("desk", &["oath", "qr", "intake", "token", "enroll"]),
    ("cli", &["oath", "token", "emulator", "transport", "desk"]),
    (APP, &["oath", "token", "emulator", "transport", "desk"]),
    ("xtask", &[]),
    ("sower-tests", &["oath", "qr", "intake", "token", "enroll", "emulator", "transport", "desk"]),
];

/// Packages whose own tests may use emulated tokens, although they may not.
const TESTED_WITH_EMULATOR: &[&str] = &["enroll", "desk", "cli", APP];

const APP: &str = "sower-desktop";

/// What may lie at the top, besides what git ignores.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".editorconfig",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "icons",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "src-tauri",
    "tests",
    "ui",
];

/// What git ignores: made by tools, on no account ours.
const IGNORED: &[&str] = &["target", "build", "node_modules", "ui/dist", "src-tauri/gen"];

/// Crates that speak to other machines. No part of what the product ships uses one.
const NETWORK_CRATES: &[&str] = &[
    "attohttpc",
    "curl",
    "h2",
    "hickory-resolver",
    "hyper",
    "hyper-util",
    "isahc",
    "minreq",
    "native-tls",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "rustls",
    "tokio-tungstenite",
    "tungstenite",
    "ureq",
];

/// The systems that the product is built for.
const TARGETS: &[&str] =
    &["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

#[test]
fn the_top_level_holds_nothing_unexpected() {
    let mut unexpected = Vec::new();
    for path in entries(root()) {
        let name = below_root(&path);
        if !TOP_LEVEL.contains(&name.as_str()) && !IGNORED.contains(&name.as_str()) {
            unexpected.push(name);
        }
    }
    assert_none("unexpected at the top level", &unexpected);
}

#[test]
fn no_arrow_between_crates_runs_back() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "the packages are not those that have arrows");
    let mut backwards = Vec::new();
    for (name, allowed) in ARROWS {
        for (used, kind) in dependencies(&packages, name) {
            let in_a_test =
                kind == "dev" && used == "emulator" && TESTED_WITH_EMULATOR.contains(name);
            if ours.contains(used.as_str()) && !allowed.contains(&used.as_str()) && !in_a_test {
                backwards.push(format!("{name} uses {used} ({kind})"));
            }
        }
    }
    assert_none("arrows that do not exist in ARCHITECTURE.md", &backwards);
}

#[test]
fn only_transport_has_libraries_in_c() {
    let packages = packages();
    let mut elsewhere = Vec::new();
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "transport") {
        for (used, kind) in dependencies(&packages, name) {
            let bus = ["pcsc", "hidapi", "libusb1-sys", "rusb", "nusb"].contains(&used.as_str());
            if bus && *name != "sower-tests" {
                elsewhere.push(format!("{name} uses {used} ({kind})"));
            }
        }
    }
    assert_none("C libraries outside transport", &elsewhere);
    let buses = dependencies(&packages, "transport");
    assert!(buses.iter().any(|(name, _)| name == "pcsc"));
}

#[test]
fn every_manifest_takes_the_common_lints_and_licence() {
    let mut without = Vec::new();
    for package in packages() {
        let manifest = PathBuf::from(text(&package, "manifest_path"));
        let content = read(&manifest);
        for line in ["license.workspace = true", "publish.workspace = true"] {
            if !content.contains(line) {
                without.push(format!("{}: {line}", below_root(&manifest)));
            }
        }
        if !content.contains("[lints]\nworkspace = true") {
            without.push(format!("{}: the workspace's lints", below_root(&manifest)));
        }
    }
    assert_none("manifests lack", &without);
}

#[test]
fn the_product_has_no_network_crate() {
    let mut found = Vec::new();
    for package in ["cli", APP] {
        for target in TARGETS {
            let listing = cargo(&[
                "tree",
                "--package",
                package,
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--locked",
                "--target",
                target,
                "--format",
                "{p}",
            ]);
            let used: BTreeSet<&str> =
                listing.lines().filter_map(|line| line.split_whitespace().next()).collect();
            // An empty or cut listing must not look like a clean one.
            assert!(used.contains("pcsc"), "{package} for {target}: {listing}");
            let banned = NETWORK_CRATES.iter().filter(|name| used.contains(*name));
            found.extend(banned.map(|name| format!("{package} for {target}: {name}")));
        }
    }
    assert_none("network crates in the product", &found);
}

/// The emulator alone may: it serves emulated tokens to a reader driver on the very
/// same machine.
#[test]
fn the_product_opens_no_socket() {
    let words = ["std::net", "TcpStream", "TcpListener", "UdpSocket", "tokio::net"];
    let sources = rust_files()
        .into_iter()
        .filter(|file| starts_with(file, "src-tauri"))
        .filter(|file| !starts_with(file, "src-tauri/crates/emulator"));
    assert_none("sockets in the product", &lines_with(sources, &words));
}

#[test]
fn the_emulator_names_no_driver() {
    let folder = "src-tauri/crates/emulator";
    let mut named = Vec::new();
    for file in rust_files().into_iter().filter(|file| starts_with(file, folder)) {
        let content = read(&file);
        // A use tree may run over several lines, so statements are read, not lines.
        for statement in content.split(';') {
            let Some((_, path)) = statement.split_once("token::") else {
                continue;
            };
            let words = path.split(|c: char| !c.is_alphanumeric() && c != '_');
            let in_use = statement.contains("use token::");
            let reach = if in_use { usize::MAX } else { 1 };
            let forbidden = ["families", "drivers", "DRIVERS", "Driver", "Session", "open"];
            for word in words.take(reach).filter(|word| forbidden.contains(word)) {
                named.push(format!("{}: token::{word}", below_root(&file)));
            }
        }
    }
    assert_none("the emulator reads the wire on its own", &named);
}

#[test]
fn each_family_has_all_its_parts() {
    let families = families("src-tauri/crates/token/src/families");
    assert!(!families.is_empty(), "there is not one driver");
    let mut missing = Vec::new();
    for family in &families {
        let parts = [
            format!("src-tauri/crates/emulator/src/families/{family}.rs"),
            format!("docs/protocols/{}.md", family.replace('_', "-")),
            format!("tests/vectors/{}.txt", family.replace('_', "-")),
        ];
        for part in parts {
            let path = root().join(&part);
            // A family that outgrew one file is a folder of the same name.
            if !path.is_file() && !path.with_extension("").join("mod.rs").is_file() {
                missing.push(part);
            }
        }
    }
    assert_none("families lack", &missing);
    let emulated = self::families("src-tauri/crates/emulator/src/families");
    assert_eq!(emulated, families, "drivers and emulated tokens are not the same");
}

#[test]
fn nothing_is_left_for_later_or_skipped() {
    // Put together here, so that this file does not find itself.
    let words = [
        concat!("#[ign", "ore"),
        concat!("tod", "o!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
    ];
    assert_none("left for later", &lines_with(rust_files(), &words));
}

/// The exceptions wait for the smart card service and for `WebKitWebDriver`, which
/// have no way to say that they are ready.
#[test]
fn no_test_sleeps() {
    let words = [concat!("thread::", "sleep"), concat!("time::", "sleep")];
    let files = rust_files()
        .into_iter()
        .filter(|file| starts_with(file, "tests"))
        .filter(|file| !file.ends_with("tests/src/pcscd.rs"))
        .filter(|file| !file.ends_with("tests/src/window.rs"));
    assert_none("sleeping tests", &lines_with(files, &words));
}

#[test]
fn libraries_print_nothing() {
    let words = ["println!(", "eprintln!(", "print!(", "eprint!("];
    let libraries = ARROWS.iter().map(|(name, _)| *name);
    let libraries = libraries.filter(|name| !["cli", APP, "xtask", "sower-tests"].contains(name));
    let mut printing = Vec::new();
    for library in libraries {
        let folder = format!("src-tauri/crates/{library}/src");
        let files = rust_files().into_iter().filter(|file| starts_with(file, &folder));
        printing.extend(lines_with(files, &words));
    }
    assert_none("printing libraries", &printing);
}

#[test]
fn rust_files_open_with_their_purpose_and_stay_short() {
    let mut odd = Vec::new();
    for file in rust_files() {
        let content = read(&file);
        let name = below_root(&file);
        // Attributes of the whole file may stand above the paragraph.
        if !content.lines().find(|line| !line.starts_with("#!")).is_some_and(opens) {
            odd.push(format!("{name} does not open with a paragraph on what it is"));
        }
        let length = content.lines().count();
        if length > 800 {
            odd.push(format!("{name} has {length} lines"));
        }
    }
    assert_none("files", &odd);
}

#[test]
fn no_type_or_module_has_an_empty_name() {
    let endings = ["Manager", "Service", "Helper", "Helpers", "Util", "Utils", "Processor"];
    let modules = ["manager", "helper", "helpers", "util", "utils", "common", "misc"];
    let mut empty = Vec::new();
    for file in rust_files() {
        for line in read(&file).lines() {
            let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
            let (Some(kind), Some(rest)) = (words.next(), words.next()) else {
                continue;
            };
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let bad = match kind {
                "struct" | "enum" | "trait" | "type" => {
                    endings.iter().any(|ending| name.ends_with(ending))
                }
                "mod" => modules.contains(&name.as_str()),
                _ => false,
            };
            if bad {
                empty.push(format!("{}: {kind} {name}", below_root(&file)));
            }
        }
    }
    assert_none("names that say nothing", &empty);
}

#[test]
fn no_place_of_one_machine_is_written_down() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/tmp/tar", "get"),
    ];
    let kinds = [
        "rs", "toml", "md", "json", "ts", "svelte", "js", "css", "html", "ftl", "txt", "yml", "sh",
    ];
    let files = files().into_iter().filter(|file| {
        let kind = file.extension().map(|kind| kind.to_string_lossy().into_owned());
        kind.is_some_and(|kind| kinds.contains(&kind.as_str()))
    });
    assert_none("paths of one machine", &lines_with(files, &words));
}

#[test]
fn packages_come_from_the_public_registries_alone() {
    let mut elsewhere = Vec::new();
    for line in read(&root().join("Cargo.lock")).lines() {
        let index = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        if line.starts_with("source = ") && line != index {
            elsewhere.push(format!("Cargo.lock: {line}"));
        }
    }
    for line in read(&root().join("ui/package-lock.json")).lines() {
        let line = line.trim();
        let registry = "\"resolved\": \"https://registry.npmjs.org/";
        if line.starts_with("\"resolved\"") && !line.starts_with(registry) {
            elsewhere.push(format!("ui/package-lock.json: {line}"));
        }
    }
    let settings = [".npmrc", "ui/.npmrc", ".cargo/config.toml"];
    let settings = settings.iter().map(|name| root().join(name));
    let settings = settings.filter(|file| file.exists());
    elsewhere.extend(lines_with(settings, &["registry", "[source", "proxy"]));
    assert_none("packages from elsewhere", &elsewhere);
}

#[test]
fn ci_runs_the_gate_and_nothing_else() {
    let file = root().join(".ci/run");
    let commands: Vec<String> =
        read(&file).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let expected = ["set -euo pipefail", "cd \"$(dirname \"$0\")/..\"", "exec cargo xtask test"];
    assert_eq!(commands, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).expect("it was read").permissions().mode();
        assert!(mode & 0o100 != 0, ".ci/run cannot be executed");
    }
}

/// Fails with all that was found, one a line.
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Whether a line begins a module's own documentation.
fn opens(line: &str) -> bool {
    line.starts_with("//! ")
}

/// Where one of the words stands, comments aside.
fn lines_with(files: impl IntoIterator<Item = PathBuf>, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let name = below_root(&file);
        for (number, line) in read(&file).lines().enumerate() {
            let comment = line.trim_start().starts_with("//");
            if !comment && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

/// The names of the families in a folder: files, or folders for the large ones.
fn families(folder: &str) -> BTreeSet<String> {
    entries(&root().join(folder))
        .iter()
        .filter_map(|path| path.file_stem())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != "mod")
        .collect()
}

fn rust_files() -> Vec<PathBuf> {
    let mut files = files();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
    files
}

/// Every file of the repository that git does not ignore.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let name = below_root(&path);
            let last = name.rsplit('/').next().unwrap_or(&name);
            let ignored = IGNORED.contains(&name.as_str()) || last == "node_modules";
            if path.is_dir() {
                if !ignored && last != ".git" {
                    folders.push(path);
                }
            } else {
                files.push(path);
            }
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{} cannot be listed: {error}", below_root(folder)));
    let mut paths: Vec<_> = listing.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn read(file: &Path) -> String {
    let bytes = fs::read(file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", below_root(file)));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The path as one writes it: from the top, with slashes.
fn below_root(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

fn starts_with(file: &Path, folder: &str) -> bool {
    file.starts_with(root().join(folder))
}

/// The workspace's packages as cargo describes them.
fn packages() -> Vec<Value> {
    let words = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let described: Value = serde_json::from_str(&cargo(&words)).expect("cargo prints JSON");
    described["packages"].as_array().expect("there are packages").clone()
}

/// What a package depends on by its manifest, with the kind of each.
fn dependencies(packages: &[Value], name: &str) -> Vec<(String, String)> {
    let package = packages
        .iter()
        .find(|package| text(package, "name") == name)
        .unwrap_or_else(|| panic!("there is no package {name}"));
    let listed = package["dependencies"].as_array().expect("cargo lists them");
    listed
        .iter()
        .map(|used| {
            let kind = used["kind"].as_str().unwrap_or("normal");
            (text(used, "name").to_owned(), kind.to_owned())
        })
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("cargo describes it with text")
}

fn cargo(words: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(words)
        .current_dir(root())
        .output()
        .expect("cargo started this test");
    assert!(
        output.status.success(),
        "cargo {}:\n{}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
