//! `sower`, the desk in a terminal: for scripts and for machines without a
//! display. It holds no decision; it asks, drives the desk and prints.
//!
//! A secret comes in by a picture, a file or standard input, never by an
//! argument or the environment, where other programs could read it.

mod args;
mod clock;
mod closed;
mod doctor;
mod end;
mod enroll;
mod print;
mod prompt;
mod question;
mod read;
mod show;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::end::End;
use crate::print::Printer;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let printer = Printer::new(arguments.json);
    let ended = match &arguments.command {
        Command::Read(read) => read::read(read, &printer),
        Command::Tokens(tokens) => Ok(show::tokens(tokens, &printer)),
        Command::Families => Ok(show::families(&printer)),
        Command::Enroll(enrollment) => enroll::enroll(enrollment, &printer),
        Command::Clock(wish) => clock::clock(wish, &printer),
        Command::Doctor => Ok(doctor::doctor(&printer)),
    };
    match ended {
        Ok(end) | Err(end) => end.code(),
    }
}

/// How a command ended, early or not.
type Ended = Result<End, End>;
