//! The kit of `tests/kit`: files with seeds, valid and hostile, each with the verdict
//! that a reader should come to. The library is held to every verdict down to the
//! bytes of the secret, the program `sower` to everything that it may show.

mod case;
mod library;
mod pskc;
mod terminal;
