//! A channel to a token on the tray, with the errors of a real one
//! (rigs/FACTS.md section 7).

use std::sync::Arc;

use token::{ChannelError, CommandApdu, ResponseApdu, SmartCardChannel};

use super::{Outcome, Shared, TrayId};

/// Holds one appearance of one token until it is dropped.
pub(super) struct PracticeChannel {
    shared: Arc<Shared>,
    token: TrayId,
    appearance: u64,
    /// Whether the one "was reset" that follows a loss has been reported.
    loss_told: bool,
}

impl PracticeChannel {
    pub(super) fn new(shared: Arc<Shared>, token: TrayId, appearance: u64) -> Self {
        Self { shared, token, appearance, loss_told: false }
    }
}

impl SmartCardChannel for PracticeChannel {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        let outcome = self.shared.exchange(self.token, self.appearance, &command.encode());
        match outcome {
            Some(Outcome::Answer(bytes)) => ResponseApdu::parse(bytes),
            Some(Outcome::Silence) => Err(ChannelError::Silent),
            Some(Outcome::Left) => Err(ChannelError::NoAnswer),
            Some(Outcome::Swapped { token, appearance }) => {
                // As a real handle does, it now talks to what lies there.
                if self.shared.lock().hold(appearance).is_ok() {
                    self.token = token;
                    self.appearance = appearance;
                }
                Err(ChannelError::Reset)
            }
            None if self.loss_told => Err(ChannelError::Removed),
            None => {
                self.loss_told = true;
                Err(ChannelError::Reset)
            }
        }
    }
}

impl Drop for PracticeChannel {
    fn drop(&mut self) {
        self.shared.lock().release(self.token, self.appearance);
    }
}
