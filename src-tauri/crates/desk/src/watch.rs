//! Calls back when tokens come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use token::TokenSource;

/// How long a watch sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(500);

/// The most naps between two tries to ask what could not be asked.
const LONGEST_PAUSE: u32 = 4;

/// What a look at all tokens left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Everything that is there is known.
    Everything,
    /// Something could not be asked; it may be by and by.
    NotAll,
}

/// A running watch; dropping it ends it.
pub struct Watch {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Watches each source on a thread and a connection of its own.
    pub(crate) fn start(
        sources: &[Arc<dyn TokenSource>],
        look: &Arc<dyn Fn() -> Seen + Send + Sync>,
    ) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let threads = sources
            .iter()
            .map(|source| {
                let (source, over, look) =
                    (Arc::clone(source), Arc::clone(&over), Arc::clone(look));
                std::thread::spawn(move || {
                    let mut watch = source.watch();
                    let mut last = None;
                    // Naps until something that could not be asked is asked again,
                    // and how many the next such pause has.
                    let (mut naps, mut pause) = (None, 1);
                    while !over.load(Ordering::Relaxed) {
                        // The answer, errors included, is what is compared: a
                        // service that stops is a change as well.
                        let there = Some(source.candidates());
                        if there != last {
                            last = there;
                            pause = 1;
                            naps = Some(0);
                        }
                        if naps == Some(0) {
                            naps = match look() {
                                Seen::Everything => None,
                                Seen::NotAll => Some(pause),
                            };
                            pause = (pause * 2).min(LONGEST_PAUSE);
                        }
                        watch.wait(NAP);
                        naps = naps.map(|left: u32| left.saturating_sub(1));
                    }
                })
            })
            .collect();
        Self { over, threads }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to stop.
            let _ = thread.join();
        }
    }
}
