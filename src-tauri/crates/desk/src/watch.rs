//! Calls back when tokens come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use token::TokenSource;

/// How long a watch sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(500);

/// A running watch; dropping it ends it.
pub struct Watch {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Watches each source on a thread and a connection of its own.
    pub(crate) fn start(
        sources: &[Arc<dyn TokenSource>],
        changed: &Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let threads = sources
            .iter()
            .map(|source| {
                let (source, over, changed) =
                    (Arc::clone(source), Arc::clone(&over), Arc::clone(changed));
                std::thread::spawn(move || {
                    let mut watch = source.watch();
                    let mut last = None;
                    while !over.load(Ordering::Relaxed) {
                        // The answer, errors included, is what is compared: a
                        // service that stops is a change as well.
                        let there = Some(source.candidates());
                        if there != last {
                            last = there;
                            changed();
                        }
                        watch.wait(NAP);
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
