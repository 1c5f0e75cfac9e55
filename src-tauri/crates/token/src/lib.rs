//! Channels, capabilities and the drivers of the token families.
