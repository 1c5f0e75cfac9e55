//! Closed tokens, whose makers alone can write them: they hold a secret from the
//! beginning, and only the public part of their protocol is answered. They are no
//! family, so that no practice tray lays them out and no driver is tested with them.

pub mod protectimus_slim;
