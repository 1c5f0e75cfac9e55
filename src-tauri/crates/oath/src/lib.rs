//! Shared secrets and time-based codes.
//!
//! RFC 4226 (HOTP) and RFC 6238 (TOTP) with the words of those documents: shared
//! secret, time step, code. The crate knows neither where a secret came from nor
//! where it goes, and reads no clock: time is an argument. `totp-rs` computes the
//! HMAC and never leaves this crate.

mod code;
mod parameters;
mod secret;
mod time;

pub use code::{Code, CodeError, Response, code_at, respond};
pub use parameters::{Algorithm, Digits, OutOfRange, Parameters, Period};
pub use secret::SharedSecret;
pub use time::{TimeStep, UnixTime};
