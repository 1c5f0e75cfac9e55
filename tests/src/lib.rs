//! Shared support of the test tiers.
