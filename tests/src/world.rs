//! A desk with a practice token on it, in a world whose time stands still until
//! it is told to move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use desk::{Choice, Desk, Progress, RunView, Setup, TokenView, WhatView};
use emulator::{Applet, Tray, TrayId};
use oath::{SharedSecret, UnixTime};
use token::TokenSource;

/// The seed that the canary search at the end of a run looks for: whatever
/// prints, logs or keeps it is a leak. 20 bytes.
pub const CANARY: &str = "CANARYCANARYCANARYCANARYCANARY23";

/// The Key URI of the canary, in the form of Microsoft's page.
pub fn canary_uri() -> String {
    format!("otpauth://totp/Contoso%3Aadele%40contoso.com?secret={CANARY}&issuer=Microsoft")
}

/// The canary's bytes.
///
/// # Panics
///
/// Never: the constant is good base32.
pub fn canary() -> SharedSecret {
    SharedSecret::new(data_encoding::BASE32.decode(CANARY.as_bytes()).expect("good base32"))
}

/// The PIN that a family's tokens leave the factory with, if they have one.
pub fn factory_pin(family: &str) -> Option<&'static str> {
    let pins = [("nitrokey-pro", "12345678")];
    pins.iter().find(|(known, _)| *known == family).map(|(_, pin)| *pin)
}

/// The time at which every world begins: 2029-12-31 23:59:30 UTC, of which the
/// fact sheets tell codes.
pub const BEGINNING: UnixTime = UnixTime::from_secs(1_893_455_970);

/// A desk, a tray and a clock.
pub struct World {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The tray.
    pub tray: Tray,
    clock: Arc<AtomicU64>,
}

impl World {
    /// An empty tray.
    pub fn new() -> Self {
        let clock = Arc::new(AtomicU64::new(BEGINNING.as_millis()));
        let hands = Arc::clone(&clock);
        let now: desk::Now = Arc::new(move || UnixTime::from_millis(hands.load(Ordering::Relaxed)));
        let tray = Tray::new(Arc::clone(&now));
        let mut setup = Setup::of(vec![Arc::new(tray.clone()) as Arc<dyn TokenSource>]);
        setup.now = now;
        setup.patience = Duration::ZERO;
        Self { desk: Arc::new(Desk::new(setup)), tray, clock }
    }

    /// Time goes on.
    pub fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// The time.
    pub fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.clock.load(Ordering::Relaxed))
    }

    /// Puts a token into a reader, switched on.
    pub fn put(&self, token: Box<dyn Applet>) -> TrayId {
        self.tray.lay(token, "Practice reader")
    }

    /// Switches a token off and on.
    pub fn power_cycle(&self, id: TrayId) {
        self.tray.press(id);
        self.tray.press(id);
    }

    /// The only token that is there.
    ///
    /// # Panics
    ///
    /// When there is none or more than one.
    pub fn token(&self) -> TokenView {
        let table = self.desk.tokens();
        assert!(table.problem.is_none(), "{:?}", table.problem);
        match table.tokens.as_slice() {
            [token] => token.clone(),
            other => panic!("{} tokens are there: {other:?}", other.len()),
        }
    }

    /// Takes the canary and plans it for the only token.
    ///
    /// # Panics
    ///
    /// When that does not lead to a plan.
    pub fn plan_canary(&self, password: Option<&str>) -> RunView {
        let captured = self.desk.read_text(&canary_uri()).expect("the canary is a credential");
        assert!(matches!(captured, RunView::Captured { .. }), "{captured:?}");
        let password = password.map(|password| password.to_owned().into());
        let planned =
            self.desk.plan(&self.token().id, &Choice::default(), password).expect("a plan");
        assert!(matches!(planned, RunView::Planned { .. }), "{planned:?}");
        planned
    }

    /// Writes, replacing what is there.
    ///
    /// # Panics
    ///
    /// When the desk refuses to begin.
    pub fn write(&self) -> RunView {
        self.desk.write(true, &mut |_: Progress| {}).expect("the desk begins to write")
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// The serial number of a token of a known family.
pub fn serial(token: &TokenView) -> Option<&str> {
    match &token.what {
        WhatView::Token { serial, .. } => Some(serial),
        WhatView::Closed { .. } | WhatView::Stranger { .. } | WhatView::Trouble { .. } => None,
    }
}
