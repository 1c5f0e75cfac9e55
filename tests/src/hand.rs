//! Another program on the same screen: it holds the clipboard, and it drags files
//! over the window and lets them go.
//!
//! It speaks the protocol of selections (ICCCM section 2) and of drag and drop (XDND
//! version 5) itself, so that a test needs no second program and no mouse.

use std::fmt::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, MapState,
    PropMode, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// How long the window may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Lays something on the clipboard until the screen is gone: `image/png`, or
/// `UTF8_STRING` for a text.
///
/// # Panics
///
/// When the screen cannot be reached.
pub fn hold_clipboard(display: &str, form: &str, content: Vec<u8>) {
    let hand = Hand::on(display);
    let (clipboard, form) = (hand.atom("CLIPBOARD"), hand.atom(form));
    hand.own(clipboard);
    // It ends with the screen that it is on.
    std::thread::spawn(move || {
        while let Ok(event) = hand.screen.wait_for_event() {
            if let Event::SelectionRequest(request) = event {
                hand.hand_over(&request, form, &content);
            }
        }
    });
}

/// Drags files over the middle of the one window and lets them go.
///
/// # Panics
///
/// When the window does not take them.
pub fn drop_files(display: &str, files: &[&Path]) {
    let hand = Hand::on(display);
    let mut list = String::new();
    for file in files {
        // A path of these tests needs no escapes (RFC 8089, RFC 2483 section 5).
        let _ = write!(list, "file://{}\r\n", file.display());
    }
    let (taken, answer) = mpsc::channel();
    // It ends with the screen that it is on.
    std::thread::spawn(move || {
        hand.drag(list.as_bytes());
        // A test that does not wait any longer has failed already.
        let _ = taken.send(());
    });
    answer.recv_timeout(LIMIT).expect("the window takes what is dropped");
}

/// A connection with a window of its own, which nobody sees.
struct Hand {
    screen: RustConnection,
    root: Window,
    window: Window,
}

impl Hand {
    fn on(display: &str) -> Self {
        let (screen, number) = x11rb::connect(Some(display)).expect("the screen is there");
        let root = screen.setup().roots[number].root;
        let window = screen.generate_id().expect("there are ids enough");
        screen
            .create_window(
                COPY_DEPTH_FROM_PARENT,
                window,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_OUTPUT,
                0,
                &CreateWindowAux::new(),
            )
            .expect("the screen is there");
        Self { screen, root, window }
    }

    /// Drags a list of files and answers until the window has taken it.
    fn drag(&self, list: &[u8]) {
        let form = self.atom("text/uri-list");
        self.own(self.atom("XdndSelection"));
        let (target, x, y) = self.window_that_takes_drops();
        let place = (u32::from(x) << 16) | u32::from(y);
        let position = [self.window, 0, place, 0, self.atom("XdndActionCopy")];
        let (status, finished) = (self.atom("XdndStatus"), self.atom("XdndFinished"));
        self.tell(target, "XdndEnter", [self.window, 5 << 24, form, 0, 0]);
        self.tell(target, "XdndPosition", position);
        let mut dropped = false;
        while let Ok(event) = self.screen.wait_for_event() {
            match event {
                Event::SelectionRequest(request) => self.hand_over(&request, form, list),
                Event::ClientMessage(message) if message.type_ == status && !dropped => {
                    // The window looks at what is dragged before it says that it takes it.
                    dropped = message.data.as_data32()[1] & 1 == 1;
                    if dropped {
                        self.tell(target, "XdndDrop", [self.window, 0, 0, 0, 0]);
                    } else {
                        self.tell(target, "XdndPosition", position);
                    }
                }
                Event::ClientMessage(message) if message.type_ == finished => return,
                _ => {}
            }
        }
    }

    fn atom(&self, name: &str) -> Atom {
        let cookie = self.screen.intern_atom(false, name.as_bytes()).expect("the screen is there");
        cookie.reply().expect("a name becomes an atom").atom
    }

    fn own(&self, selection: Atom) {
        self.screen.set_selection_owner(self.window, selection, 0u32).expect("the screen is there");
        self.screen.flush().expect("the screen is there");
    }

    /// Answers one request: with the forms that there are, with the content, or with no.
    fn hand_over(&self, request: &SelectionRequestEvent, form: Atom, content: &[u8]) {
        let targets = self.atom("TARGETS");
        let mut property = request.property;
        if request.target == targets {
            let forms = [targets, form];
            self.screen
                .change_property32(
                    PropMode::REPLACE,
                    request.requestor,
                    property,
                    AtomEnum::ATOM,
                    &forms,
                )
                .expect("the screen is there");
        } else if request.target == form {
            self.screen
                .change_property8(PropMode::REPLACE, request.requestor, property, form, content)
                .expect("the screen is there");
        } else {
            property = x11rb::NONE;
        }
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.screen
            .send_event(false, request.requestor, EventMask::NO_EVENT, answer)
            .expect("the screen is there");
        self.screen.flush().expect("the screen is there");
    }

    fn tell(&self, target: Window, what: &str, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, target, self.atom(what), data);
        self.screen
            .send_event(false, target, EventMask::NO_EVENT, message)
            .expect("the screen is there");
        self.screen.flush().expect("the screen is there");
    }

    /// The largest window that says that things can be dropped on it, and its middle.
    fn window_that_takes_drops(&self) -> (Window, u16, u16) {
        let aware = self.atom("XdndAware");
        let tree = self.screen.query_tree(self.root).expect("the screen is there");
        let mut best: Option<(u32, Window, u16, u16)> = None;
        for window in tree.reply().expect("the root has children").children {
            let says = self.screen.get_property(false, window, aware, AtomEnum::ATOM, 0, 1);
            let seen = self.screen.get_window_attributes(window);
            let place = self.screen.get_geometry(window);
            let (Ok(says), Ok(seen), Ok(place)) = (says, seen, place) else { continue };
            // A window may be gone meanwhile.
            let (Ok(says), Ok(seen), Ok(place)) = (says.reply(), seen.reply(), place.reply())
            else {
                continue;
            };
            let area = u32::from(place.width) * u32::from(place.height);
            let takes = says.value_len > 0 && seen.map_state == MapState::VIEWABLE;
            if takes && best.is_none_or(|(most, ..)| area > most) {
                let x = place.x.cast_unsigned() + place.width / 2;
                let y = place.y.cast_unsigned() + place.height / 2;
                best = Some((area, window, x, y));
            }
        }
        let (_, window, x, y) = best.expect("the window takes drops");
        (window, x, y)
    }
}
