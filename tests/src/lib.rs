//! Shared support of the test tiers: where things lie, and rigs in which software
//! of other people (the real smart card service, other clients) meets ours.
//!
//! A rig that cannot be set up panics and says what is missing. Nothing in here
//! skips: a test that did not run has not passed.

pub mod paths;
pub mod world;

#[cfg(target_os = "linux")]
pub mod bus;
#[cfg(target_os = "linux")]
pub mod card;
#[cfg(target_os = "linux")]
pub mod guest;
#[cfg(target_os = "linux")]
pub mod hand;
#[cfg(target_os = "linux")]
pub mod pcscd;
#[cfg(target_os = "linux")]
pub mod usbip;
#[cfg(target_os = "linux")]
pub mod window;
