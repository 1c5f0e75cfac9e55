//! Pictures to QR texts, bounded in time and memory.
