//! A tray with practice tokens: a [`TokenSource`] like the host's buses, and the
//! hands that insert, remove and press.
//!
//! Nothing in here sleeps or reads a clock unless it was asked to
//! ([`Tray::with_exchange_time`], [`Tray::with_touch_time`]): a silent token is
//! reported as silent at once.

mod channel;
mod hid;
mod world;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oath::UnixTime;
use token::{Candidate, CandidateId, Channel, ChannelError, Origin, TokenSource, TokenWatch};

use crate::{Applet, Face, Held, Identity, Script};
use channel::PracticeChannel;
use hid::PracticeHid;
use world::World;

pub use world::Logged;
pub(crate) use world::Outcome;

/// Tells the emulated world's time.
pub type Now = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// One token of a tray, in a reader or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrayId(pub(crate) usize);

/// A tray with tokens. Clones are the same tray.
#[derive(Clone)]
pub struct Tray {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    now: Now,
    world: Mutex<World>,
    /// Told whenever a token came, left or was pressed.
    changed: Condvar,
}

impl Tray {
    /// An empty tray in a world with this time.
    pub fn new(now: Now) -> Self {
        Self {
            shared: Arc::new(Shared {
                now,
                world: Mutex::new(World::default()),
                changed: Condvar::new(),
            }),
        }
    }

    /// Makes every exchange of its channels take this long, really: for
    /// measurements. Without it an exchange takes no time.
    #[must_use]
    pub fn with_exchange_time(self, each: Duration) -> Self {
        self.shared.lock().exchange_time = each;
        self
    }

    /// Makes a command that needs the button wait this long for [`Tray::press`],
    /// really: for practice with a person. Without it the token decides at once.
    #[must_use]
    pub fn with_touch_time(self, at_most: Duration) -> Self {
        self.shared.lock().touch_time = at_most;
        self
    }

    /// Puts a token on the tray, not yet into the reader of this name.
    pub fn add(&self, applet: Box<dyn Applet>, reader_name: &str) -> TrayId {
        self.shared.lock().add(applet, reader_name)
    }

    /// Puts a token into a reader of its own, switched on: ready for practice.
    pub fn lay(&self, applet: Box<dyn Applet>, reader_name: &str) -> TrayId {
        let id = self.add(applet, reader_name);
        self.insert(id);
        if !self.face(id).on {
            self.press(id);
        }
        id
    }

    /// Lays out one practice token of every family.
    pub fn lay_out(&self) {
        for (number, family) in (1..).zip(crate::FAMILIES) {
            if let Some(applet) = crate::practice(family) {
                self.lay(applet, &format!("Practice reader {number}"));
            }
        }
    }

    /// Every token on the tray, in the order of adding; tokens that came by
    /// [`Fault::SwappedBefore`](crate::Fault::SwappedBefore) are among them.
    pub fn ids(&self) -> Vec<TrayId> {
        self.shared.lock().ids()
    }

    /// Puts a token into its reader; one that lay there comes out.
    pub fn insert(&self, id: TrayId) {
        self.change(|world| world.insert(id));
    }

    /// Takes a token out of its reader.
    pub fn remove(&self, id: TrayId) {
        self.change(|world| world.remove(id));
    }

    /// Presses a token's button. A reader's field does not see a token that is
    /// switched off.
    pub fn press(&self, id: TrayId) {
        let now = self.shared.now();
        self.change(|world| world.press(id, now));
    }

    /// Whether a token lies in its reader, switched on or off.
    pub fn is_inserted(&self, id: TrayId) -> bool {
        self.shared.lock().is_inserted(id)
    }

    /// Who a token is.
    pub fn identity(&self, id: TrayId) -> Identity {
        self.shared.lock().applet(id).identity()
    }

    /// What a person sees on a token now.
    pub fn face(&self, id: TrayId) -> Face {
        let now = self.shared.now();
        self.shared.lock().applet(id).face(now)
    }

    /// What a person sees on every token now.
    pub fn faces(&self) -> Vec<(TrayId, Face)> {
        let now = self.shared.now();
        let world = self.shared.lock();
        let ids = world.ids().into_iter();
        ids.map(|id| (id, world.applet(id).face(now))).collect()
    }

    /// What a token really holds.
    pub fn holds(&self, id: TrayId) -> Vec<Held> {
        self.shared.lock().applet(id).holds()
    }

    /// Arms a token with faults instead of those before, and counts its
    /// exchanges from 0 again.
    pub fn arm(&self, id: TrayId, faults: &[Script]) {
        self.shared.lock().arm(id, faults);
    }

    /// How many commands were sent to a token since it was added or armed.
    pub fn exchanges(&self, id: TrayId) -> usize {
        self.shared.lock().log(id).len()
    }

    /// The commands that were sent to a token since it was added or armed.
    pub fn log(&self, id: TrayId) -> Vec<Logged> {
        self.shared.lock().log(id).to_vec()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for Tray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tray({} tokens)", self.ids().len())
    }
}

impl TokenSource for Tray {
    fn candidates(&self) -> Result<Vec<Candidate>, ChannelError> {
        let seen = self.shared.lock().seen();
        Ok(seen
            .into_iter()
            .map(|(appearance, attachment)| Candidate {
                id: candidate_id(appearance),
                attachment,
                origin: Origin::Practice,
            })
            .collect())
    }

    fn connect(&self, id: &CandidateId) -> Result<Channel, ChannelError> {
        let mut world = self.shared.lock();
        let appearance = world
            .seen()
            .into_iter()
            .map(|(appearance, ..)| appearance)
            .find(|appearance| candidate_id(*appearance) == *id)
            .ok_or(ChannelError::NotThere)?;
        let token = world.hold(appearance)?;
        let is_hid = world.is_hid(token);
        drop(world);
        if is_hid {
            let channel = PracticeHid::new(Arc::clone(&self.shared), token, appearance);
            return Ok(Channel::Hid(Box::new(channel)));
        }
        let channel = PracticeChannel::new(Arc::clone(&self.shared), token, appearance);
        Ok(Channel::SmartCard(Box::new(channel)))
    }

    fn watch(&self) -> Box<dyn TokenWatch> {
        Box::new(Watch { changes: self.shared.lock().changes(), shared: Arc::clone(&self.shared) })
    }
}

fn candidate_id(appearance: u64) -> CandidateId {
    CandidateId(format!("practice-{appearance}"))
}

impl Shared {
    pub(crate) fn now(&self) -> UnixTime {
        (self.now)()
    }

    /// A panic elsewhere leaves no half-made change in the world, so a poisoned
    /// lock is as good as another.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something changes, as long as it takes.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait<'a>(&self, world: MutexGuard<'a, World>) -> MutexGuard<'a, World> {
        self.changed.wait(world).unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everyone who waits that something changed.
    pub(crate) fn tell(&self) {
        self.changed.notify_all();
    }

    /// One step with one appearance of a HID device.
    pub(crate) fn hid<T>(
        &self,
        token: TrayId,
        appearance: u64,
        step: impl FnOnce(&mut World, UnixTime) -> Result<T, ChannelError>,
    ) -> Result<T, ChannelError> {
        let mut world = self.lock();
        if !world.is_here(token, appearance) {
            return Err(ChannelError::Removed);
        }
        let before = world.changes();
        let done = step(&mut world, self.now());
        let changed = world.changes() != before;
        drop(world);
        if changed {
            self.tell();
        }
        done
    }

    /// Takes the time of an exchange, really, where one was asked for.
    pub(crate) fn take_time(&self) {
        let each = self.lock().exchange_time;
        if !each.is_zero() {
            std::thread::sleep(each);
        }
    }

    /// Lets a person press the button of a HID device that waits for it.
    pub(crate) fn hid_wait(&self, token: TrayId, at_most: Duration) {
        let world = self.lock();
        let at_most = at_most.min(world.touch_time);
        if at_most.is_zero() || !world.awaits_press(token, &[], self.now()) {
            return;
        }
        drop(self.changed.wait_timeout_while(world, at_most, |world| {
            world.awaits_press(token, &[], self.now())
        }));
    }

    /// One command for one appearance of a token. `None` if it is over already.
    pub(crate) fn exchange(
        &self,
        token: TrayId,
        appearance: u64,
        command: &[u8],
    ) -> Option<Outcome> {
        let mut world = self.lock();
        if !world.is_here(token, appearance) {
            return None;
        }
        if !world.exchange_time.is_zero() {
            let each = world.exchange_time;
            drop(world);
            std::thread::sleep(each);
            world = self.lock();
        }
        if world.awaits_press(token, command, self.now()) {
            let at_most = world.touch_time;
            let waited = self.changed.wait_timeout_while(world, at_most, |world| {
                world.is_here(token, appearance) && world.awaits_press(token, command, self.now())
            });
            world = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if !world.is_here(token, appearance) {
            // It left while the command was under way.
            return Some(Outcome::Left);
        }
        let before = world.changes();
        let outcome = world.exchange(token, command, self.now());
        let changed = world.changes() != before;
        drop(world);
        if changed {
            self.tell();
        }
        Some(outcome)
    }
}

struct Watch {
    shared: Arc<Shared>,
    changes: u64,
}

impl TokenWatch for Watch {
    fn wait(&mut self, at_most: Duration) {
        let world = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(world, at_most, |world| world.changes() == self.changes);
        self.changes = waited.unwrap_or_else(PoisonError::into_inner).0.changes();
    }
}

#[cfg(test)]
mod tests;
