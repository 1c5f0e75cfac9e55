//! Emulated tokens as cards in the readers of a private smart card service, and a
//! desk that sees them by the bus, as it would see real ones: it takes them for
//! real, and only the tray knows better.

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::{Choice, Desk, Progress, RunView, Setup, TokenView, WhatView};
use emulator::{Applet, Held, ServedReader, Tray, TrayId};
use oath::{Parameters, SharedSecret, UnixTime, code_at};
use token::TokenSource;

use crate::pcscd::Pcscd;
use crate::world::{CANARY, canary, canary_uri};

/// How long something that has to happen may take on a loaded machine.
pub const AT_MOST: Duration = Duration::from_secs(20);

/// A tray whose readers the service serves, and a desk with the source that sees
/// them. Time is real.
pub struct Bus {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The tray: what a hand does to the tokens, and the truth about them.
    pub tray: Tray,
    source: Arc<dyn TokenSource>,
    readers: Vec<String>,
    _served: Vec<ServedReader>,
}

impl Bus {
    /// Empty trays in the first slots of the first `readers` readers. `source` is
    /// what the desk sees the service by.
    ///
    /// # Panics
    ///
    /// When the service has fewer readers.
    pub fn new(pcscd: &Pcscd, readers: usize, source: Arc<dyn TokenSource>) -> Self {
        let setup = Setup::of(vec![Arc::clone(&source)]);
        let tray = Tray::new(Arc::clone(&setup.now));
        let readers: Vec<_> = (0..readers).map(|reader| pcscd.reader_name(reader, 0)).collect();
        let served = readers.iter().enumerate().map(|(reader, name)| {
            ServedReader::open(&tray, name, pcscd.port(reader, 0)).expect("nothing lies there yet")
        });
        Self { _served: served.collect(), desk: Arc::new(Desk::new(setup)), tray, source, readers }
    }

    /// Puts a token into a reader, switched on, and waits until the desk sees it.
    pub fn put(&self, reader: usize, token: Box<dyn Applet>) -> TrayId {
        let id = self.add(reader, token);
        self.tray.insert(id);
        self.seen(reader);
        id
    }

    /// Has a token lie ready beside a reader, switched on.
    pub fn add(&self, reader: usize, token: Box<dyn Applet>) -> TrayId {
        let id = self.tray.add(token, &self.readers[reader]);
        if !self.tray.face(id).on {
            self.tray.press(id);
        }
        id
    }

    /// The token in a reader, as soon as the desk knows who it is.
    ///
    /// # Panics
    ///
    /// When there is none within the limit.
    pub fn seen(&self, reader: usize) -> TokenView {
        let name = &self.readers[reader];
        let is_it = |token: &TokenView| {
            token.reader == *name && matches!(token.what, WhatView::Token { .. })
        };
        let tokens = self.wait_for(|tokens| tokens.iter().any(is_it));
        let found = tokens.into_iter().find(is_it);
        found.expect("it was waited for")
    }

    /// Watches until the desk sees what is wanted.
    ///
    /// # Panics
    ///
    /// When it does not within the limit.
    pub fn wait_for(&self, wanted: impl Fn(&[TokenView]) -> bool) -> Vec<TokenView> {
        let begun = Instant::now();
        let mut watch = self.source.watch();
        loop {
            let table = self.desk.tokens();
            if table.problem.is_none() && wanted(&table.tokens) {
                return table.tokens;
            }
            assert!(begun.elapsed() < AT_MOST, "{table:?}");
            watch.wait(Duration::from_secs(1));
        }
    }

    /// Waits until a token has left its reader by itself, and tells whether it did.
    pub fn has_left(tray: &Tray, id: TrayId) -> bool {
        let begun = Instant::now();
        let mut watch = tray.watch();
        while tray.is_inserted(id) && begun.elapsed() < AT_MOST {
            watch.wait(Duration::from_secs(1));
        }
        !tray.is_inserted(id)
    }

    /// Switches a token off, waits until the desk misses it, and switches it on.
    pub fn power_cycle(&self, reader: usize, id: TrayId) {
        let name = &self.readers[reader];
        self.tray.press(id);
        self.wait_for(|tokens| tokens.iter().all(|token| token.reader != *name));
        self.tray.press(id);
        self.seen(reader);
    }

    /// Takes the canary.
    ///
    /// # Panics
    ///
    /// When it is not taken.
    pub fn capture_canary(&self) {
        let captured = self.desk.read_text(&canary_uri());
        let captured = captured.expect("the canary is a credential");
        assert!(matches!(captured, RunView::Captured { .. }), "{captured:?}");
    }

    /// Plans what was captured for the token in a reader.
    ///
    /// # Panics
    ///
    /// When the desk refuses to look at it.
    pub fn plan(&self, reader: usize, password: Option<&str>) -> RunView {
        let password = password.map(|password| password.to_owned().into());
        self.desk
            .plan(&self.seen(reader).id, &Choice::default(), password)
            .expect("the token can be looked at")
    }

    /// Takes the canary and plans it; gives what has to give way.
    ///
    /// # Panics
    ///
    /// When that does not lead to a plan.
    pub fn plan_canary(&self, reader: usize) -> String {
        self.capture_canary();
        match self.plan(reader, None) {
            RunView::Planned { plan, .. } => plan.replaces,
            other => panic!("{other:?}"),
        }
    }

    /// Writes, replacing what is there.
    ///
    /// # Panics
    ///
    /// When the desk refuses to begin.
    pub fn write(&self) -> RunView {
        self.desk.write(true, &mut |_: Progress| {}).expect("the desk begins to write")
    }

    /// The code that a token's display shows now.
    ///
    /// # Panics
    ///
    /// When it shows none.
    pub fn display(&self, id: TrayId) -> String {
        let shown = self.tray.face(id).display;
        shown.expect("it is switched on and has a display")
    }

    /// Whether a token really holds the canary.
    pub fn holds_canary(&self, id: TrayId) -> bool {
        self.tray.holds(id).iter().any(is_canary)
    }

    /// Whether a command with one of these INS bytes was sent to a token.
    pub fn was_sent(&self, id: TrayId, instructions: &[u8]) -> bool {
        let log = self.tray.log(id);
        log.iter().any(|command| instructions.contains(&command.header[1]))
    }
}

/// INS bytes that change a Token2 token: WRITE CONFIG and WRITE SEED.
pub const TOKEN2_WRITES: &[u8] = &[0xd4, 0xc5];

/// INS bytes that change a key: PUT, DELETE, SET CODE, RESET, RENAME.
pub const KEY_WRITES: &[u8] = &[0x01, 0x02, 0x03, 0x04, 0x05];

/// Whether a secret is the canary; keys may pad what they store with zeros.
fn is_canary(held: &Held) -> bool {
    let (canary, held) = (canary(), held.secret.expose());
    held.strip_prefix(canary.expose()).is_some_and(|padding| padding.iter().all(|byte| *byte == 0))
}

/// The system's time.
pub fn now() -> UnixTime {
    (Setup::of(Vec::new()).now)()
}

/// Six digits that are no code of this secret in the ten minutes before and after
/// now.
///
/// # Panics
///
/// Never: 41 steps cannot have 42 codes.
pub fn wrong_code(secret: &SharedSecret) -> String {
    let parameters = Parameters::default();
    let step = now().step(parameters.period);
    let near: Vec<_> =
        (-20..=20).map(|by| code_at(secret, &parameters, step.offset(by)).expose()).collect();
    (0..=near.len())
        .map(|number| format!("{number:06}"))
        .find(|code| near.iter().all(|right| **right != **code))
        .expect("more numbers than codes")
}

/// Whether a text holds the canary in any of the forms that a program would write
/// it in.
pub fn tells_canary(text: &str) -> bool {
    let bytes = canary();
    let forms = [
        CANARY.to_owned(),
        data_encoding::HEXLOWER.encode(bytes.expose()),
        data_encoding::BASE64.encode(bytes.expose()),
        "otpauth:".to_owned(),
    ];
    let text = text.to_lowercase();
    forms.iter().any(|form| text.contains(&form.to_lowercase()))
}
