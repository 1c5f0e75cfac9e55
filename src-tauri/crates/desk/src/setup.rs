//! What a desk is given: sources of tokens, a clock, random bytes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oath::UnixTime;
use token::{Random, TokenSource};

/// The clock.
pub type Now = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// What a desk is given.
pub struct Setup {
    /// Where tokens come from, in the order in which they are shown.
    pub sources: Vec<Arc<dyn TokenSource>>,
    /// The clock.
    pub now: Now,
    /// Random bytes.
    pub random: Random,
    /// How long to wait for a token to come back after a broken write before
    /// asking the operator.
    pub patience: Duration,
}

impl Setup {
    /// These sources with the system's clock and random source.
    pub fn of(sources: Vec<Arc<dyn TokenSource>>) -> Self {
        Self {
            sources,
            now: Arc::new(system_time),
            random: Arc::new(|bytes| {
                getrandom::fill(bytes).expect("the system gives random bytes");
            }),
            patience: Duration::from_millis(1500),
        }
    }
}

fn system_time() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
