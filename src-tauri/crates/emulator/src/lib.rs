//! Tokens that are not there: practice, conformance, virtual cards.
