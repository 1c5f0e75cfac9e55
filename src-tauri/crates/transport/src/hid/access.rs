//! Whether a device's node can be opened, and by whom it is held.
//!
//! hidapi reports a refused open as a text; so on Linux the node is opened here
//! first, where the answer is a number. It is locked as well, for as long as a
//! channel lives: the kernel lets everybody in at once, and two programs that talk
//! to one token read each other's answers. libfido2, and with it OpenSSH and PAM,
//! takes the same lock.

#[cfg(not(target_os = "linux"))]
pub(super) use self::elsewhere::{Hold, rules_are_installed, try_open};
#[cfg(target_os = "linux")]
pub(super) use self::node::{Hold, rules_are_installed, try_open};

#[cfg(target_os = "linux")]
mod node {
    use std::ffi::OsStr;
    use std::fs::{File, OpenOptions, TryLockError};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::time::{Duration, Instant, SystemTime};

    use token::ChannelError;

    use crate::hid::error::opening_node;
    use crate::hid::interface::Interface;

    /// The file's name, fixed by its place among udev's own rules: a number below 73
    /// is read before the rules that act on `uaccess`.
    const RULES: &str = "60-sower.rules";

    /// Where udev looks for rules.
    const RULES_FOLDERS: [&str; 4] = [
        "/etc/udev/rules.d",
        "/run/udev/rules.d",
        "/usr/lib/udev/rules.d",
        "/usr/local/lib/udev/rules.d",
    ];

    /// How long another program's lock, or udev's permission for a node that is new,
    /// is waited for.
    const PATIENCE: Duration = Duration::from_millis(600);

    /// A node is the kernel's own, closed to all but root, until udev comes to it.
    const NEW_FOR: Duration = Duration::from_secs(3);

    /// The pause between two tries.
    const TRY_EVERY: Duration = Duration::from_millis(50);

    /// The lock on a node, given back when it is dropped.
    #[derive(Debug)]
    pub(in crate::hid) struct Hold {
        _node: File,
    }

    impl Hold {
        /// Opens the node and locks it; waits a moment where that can help.
        pub(in crate::hid) fn take(interface: &Interface) -> Result<Self, ChannelError> {
            let begun = Instant::now();
            loop {
                let error = match Self::try_take(interface) {
                    Ok(hold) => return Ok(hold),
                    Err(error) => error,
                };
                let can_help = match error {
                    ChannelError::Busy { .. } => true,
                    ChannelError::NotPermitted => is_new(path(interface)),
                    _ => false,
                };
                if !can_help || begun.elapsed() >= PATIENCE {
                    return Err(error);
                }
                std::thread::sleep(TRY_EVERY);
            }
        }

        fn try_take(interface: &Interface) -> Result<Self, ChannelError> {
            let node = OpenOptions::new()
                .read(true)
                .write(true)
                .open(path(interface))
                .map_err(|error| opening_node(&error))?;
            match node.try_lock() {
                Ok(()) => Ok(Self { _node: node }),
                Err(TryLockError::WouldBlock) => Err(ChannelError::Busy { likely: None }),
                Err(TryLockError::Error(error)) => Err(opening_node(&error)),
            }
        }
    }

    /// Opens it for a moment.
    pub(in crate::hid) fn try_open(interface: &Interface) -> Result<(), ChannelError> {
        Hold::try_take(interface).map(drop)
    }

    pub(in crate::hid) fn rules_are_installed() -> bool {
        RULES_FOLDERS.iter().any(|folder| Path::new(folder).join(RULES).exists())
    }

    fn path(interface: &Interface) -> &Path {
        Path::new(OsStr::from_bytes(interface.path.as_bytes()))
    }

    /// Whether the node was made or changed just now.
    fn is_new(path: &Path) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let changed = path.metadata().map(|node| node.ctime());
        let (Ok(now), Ok(changed)) = (now, changed) else {
            return false;
        };
        u64::try_from(changed)
            .is_ok_and(|changed| now.as_secs().abs_diff(changed) <= NEW_FOR.as_secs())
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use hidapi::HidApi;
    use token::ChannelError;

    use crate::hid::error::opening;
    use crate::hid::interface::{Interface, library};

    /// Nothing: these systems tell by a number who is refused and why.
    #[derive(Debug)]
    pub(in crate::hid) struct Hold;

    impl Hold {
        #[expect(clippy::unnecessary_wraps, reason = "Linux can fail")]
        pub(in crate::hid) fn take(_: &Interface) -> Result<Self, ChannelError> {
            Ok(Self)
        }
    }

    /// Opens it for a moment.
    pub(in crate::hid) fn try_open(interface: &Interface) -> Result<(), ChannelError> {
        let _turn = library();
        HidApi::new()
            .and_then(|api| api.open_path(&interface.path))
            .map(drop)
            .map_err(|error| opening(&error))
    }

    /// There are none to install.
    pub(in crate::hid) const fn rules_are_installed() -> bool {
        true
    }
}
