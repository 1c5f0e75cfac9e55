//! The straight line: captured, planned, written, confirmed, receipt.
