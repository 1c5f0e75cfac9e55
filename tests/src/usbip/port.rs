//! A port of the guest with one emulated token for it, and a desk that sees the port
//! by the bus, as it would see a real one: it takes the token for real, and only this
//! knows better.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::{Choice, Desk, Progress, RunView, Setup, TokenView, WhatView};
use emulator::{Applet, Held, Hid, Now, Stalled};
use oath::UnixTime;
use token::TokenSource;

use super::{Fault, Plugged, lock};
use crate::bus::AT_MOST;
use crate::world::{canary, canary_uri, factory_pin};

/// One token, plugged in or not, and a desk that waits for it. Time is real.
pub struct Port {
    /// The desk.
    pub desk: Arc<Desk>,
    source: Arc<dyn TokenSource>,
    now: Now,
    token: Token,
    plugged: Option<Plugged>,
    exchanges: Arc<Mutex<usize>>,
    person: Arc<Mutex<Person>>,
}

/// Somebody who does nothing until the desk calls.
#[derive(Default)]
struct Person {
    /// What for, each time.
    called: Vec<Progress>,
    /// Whether the token still has to be pressed for it.
    is_coming: bool,
}

/// An emulated token that a test keeps a hand on.
type Token = Arc<Mutex<Box<dyn Applet>>>;

impl Port {
    /// Plugs a token in and waits until the desk sees it. `source` is what the desk
    /// sees the bus by.
    ///
    /// # Panics
    ///
    /// When the desk does not see it within the limit.
    pub fn with(token: Box<dyn Applet>, source: Arc<dyn TokenSource>) -> Self {
        let mut setup = Setup::of(vec![Arc::clone(&source)]);
        // What was pulled out here does not come back by itself.
        setup.patience = Duration::from_millis(200);
        let now = Arc::clone(&setup.now);
        let desk = Arc::new(Desk::new(setup));
        let token = Arc::new(Mutex::new(token));
        let person: Arc<Mutex<Person>> = Arc::default();
        let called = Arc::clone(&person);
        desk.summon_by(move |step| {
            let mut person = lock(&called);
            person.called.push(step);
            person.is_coming = true;
        });
        let mut port =
            Self { desk, source, now, token, plugged: None, exchanges: Arc::default(), person };
        port.plug_in();
        port
    }

    /// Plugs the token in and waits until the desk sees it. It has just got power; one
    /// that has to be unlocked on itself is.
    ///
    /// # Panics
    ///
    /// When it is plugged in already, or the desk does not see it within the limit.
    pub fn plug_in(&mut self) {
        assert!(self.plugged.is_none(), "it is plugged in");
        let mut token = lock(&self.token);
        let device = token.hid_device().expect("this token is a HID device");
        token.reset();
        let now = (self.now)();
        if token.face(now).lines.iter().any(|line| line == "locked") {
            token.press(now);
        }
        drop(token);
        let watched = Watched {
            token: Arc::clone(&self.token),
            exchanges: Arc::clone(&self.exchanges),
            person: Arc::clone(&self.person),
        };
        self.plugged = Some(Plugged::new(&device, watched, Arc::clone(&self.now)));
        self.seen();
    }

    /// Pulls the token out, if it did not leave by itself, and waits until the desk
    /// misses it.
    ///
    /// # Panics
    ///
    /// When the desk sees it for longer than the limit.
    pub fn pull_out(&mut self) {
        self.plugged = None;
        self.wait_for(<[_]>::is_empty);
    }

    /// The token, as soon as the desk knows who it is.
    ///
    /// # Panics
    ///
    /// When it does not within the limit.
    pub fn seen(&self) -> TokenView {
        let known = |token: &TokenView| matches!(token.what, WhatView::Token { .. });
        let mut tokens = self.wait_for(|tokens| tokens.len() == 1 && tokens.iter().all(known));
        tokens.remove(0)
    }

    /// Watches until the desk sees what is wanted.
    fn wait_for(&self, wanted: impl Fn(&[TokenView]) -> bool) -> Vec<TokenView> {
        let begun = Instant::now();
        let mut watch = self.source.watch();
        loop {
            let table = self.desk.tokens();
            if table.problem.is_none() && wanted(&table.tokens) {
                return table.tokens;
            }
            assert!(begun.elapsed() < AT_MOST, "{table:?}");
            watch.wait(Duration::from_millis(500));
        }
    }

    /// Captures the canary and plans it for the token, opened with what its family
    /// leaves the factory with.
    ///
    /// # Panics
    ///
    /// When the desk refuses to look at it.
    pub fn plan_canary(&self) -> RunView {
        self.capture_canary();
        self.plan(&self.seen().id, &Choice::default())
    }

    /// Begins anew with the canary.
    ///
    /// # Panics
    ///
    /// When it is not taken.
    pub fn capture_canary(&self) {
        self.desk.start_over();
        let captured = self.desk.read_text(&canary_uri());
        assert!(matches!(captured, Ok(RunView::Captured { .. })), "{captured:?}");
    }

    /// Plans what is at hand for the token with this id, which it may have had before
    /// it was pulled out.
    ///
    /// # Panics
    ///
    /// When the desk refuses to look at it.
    pub fn plan(&self, id: &str, choice: &Choice) -> RunView {
        let family = lock(&self.token).identity().family;
        let pin = factory_pin(family).map(|pin| pin.to_owned().into());
        let planned = self.desk.plan(id, choice, pin);
        planned.unwrap_or_else(|problem| panic!("{family}: {problem:?}"))
    }

    /// Writes, replacing what is there.
    ///
    /// # Panics
    ///
    /// When the desk refuses to begin.
    pub fn write(&self) -> RunView {
        self.desk.write(true, &mut |_: Progress| {}).expect("the desk begins to write")
    }

    /// Presses the token's button, without having been called.
    pub fn press(&self) {
        lock(&self.token).press((self.now)());
    }

    /// What the desk has called somebody for, each time. Who was called presses the
    /// token's button as soon as it waits for that.
    pub fn called(&self) -> Vec<Progress> {
        lock(&self.person).called.clone()
    }

    /// The code that the token shows or has typed.
    pub fn display(&self) -> Option<String> {
        lock(&self.token).face((self.now)()).display
    }

    /// Whether the token really holds the canary.
    pub fn holds_canary(&self) -> bool {
        self.holds_any(is_canary)
    }

    /// Whether the token really holds such a secret.
    pub fn holds_any(&self, wanted: impl Fn(&Held) -> bool) -> bool {
        lock(&self.token).holds().iter().any(wanted)
    }

    /// How many secrets the token really holds.
    pub fn held(&self) -> usize {
        lock(&self.token).holds().len()
    }

    /// Lets the token leave by the exchange by which it comes to hold the canary.
    ///
    /// # Panics
    ///
    /// When nothing is plugged in.
    pub fn cut(&self, when: Cut) {
        let mut exchanges = lock(&self.exchanges);
        *exchanges = 0;
        let plugged = self.plugged.as_ref().expect("it is plugged in");
        match when {
            Cut::After => {
                let token = Arc::clone(&self.token);
                plugged.unplug_when(move || lock(&token).holds().iter().any(is_canary));
            }
            Cut::Before { exchanges } => plugged.fault(exchanges, Fault::UnplugBefore),
        }
    }

    /// How many exchanges took effect since the last cut was asked for.
    pub fn exchanges(&self) -> usize {
        *lock(&self.exchanges)
    }
}

/// When a token leaves.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// As soon as it holds the canary.
    After,
    /// Before the exchange that comes after so many.
    Before {
        /// From now on.
        exchanges: usize,
    },
}

/// Whether a secret is the canary, which a token may have padded.
fn is_canary(held: &Held) -> bool {
    held.secret.expose().starts_with(canary().expose())
}

/// A token whose exchanges are counted, and beside which somebody sits.
struct Watched {
    token: Token,
    exchanges: Arc<Mutex<usize>>,
    person: Arc<Mutex<Person>>,
}

impl Watched {
    fn step<T>(&self, now: UnixTime, step: impl FnOnce(&mut dyn Hid) -> T) -> Option<T> {
        let mut token = lock(&self.token);
        let done = step(token.hid()?);
        let mut person = lock(&self.person);
        if person.is_coming && token.awaits_press(&[], now) {
            person.is_coming = false;
            token.press(now);
        }
        Some(done)
    }

    fn exchange<T>(
        &self,
        now: UnixTime,
        step: impl FnOnce(&mut dyn Hid) -> Result<T, Stalled>,
    ) -> Result<T, Stalled> {
        *lock(&self.exchanges) += 1;
        self.step(now, step).ok_or(Stalled)?
    }
}

impl Hid for Watched {
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        self.exchange(now, |hid| hid.write(report, now))
    }

    fn read(&mut self, now: UnixTime) -> Option<Vec<u8>> {
        self.step(now, |hid| hid.read(now)).flatten()
    }

    fn set_feature(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        self.exchange(now, |hid| hid.set_feature(report, now))
    }

    fn get_feature(&mut self, number: u8, len: usize, now: UnixTime) -> Result<Vec<u8>, Stalled> {
        self.exchange(now, |hid| hid.get_feature(number, len, now))
    }
}
