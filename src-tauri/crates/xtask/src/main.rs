//! `cargo xtask`: what a fresh machine needs, and the four things done with it.
//!
//! `setup` brings what Rust and Node do not, `run` starts the product, `test` is
//! the whole gate and the only thing that CI calls, `bench` measures. The product
//! never needs this crate, and this crate needs nothing but the standard library,
//! so that it is built in a second on a machine that has nothing yet.

mod bench;
mod canary;
mod failure;
mod guest;
mod npm;
mod packages;
mod process;
mod python;
mod run;
mod setup;
mod tally;
mod test;
mod workspace;

use std::process::ExitCode;

use failure::Failure;
use setup::Purpose;

const HELP: &str = "\
cargo xtask <command>

  run [--release] [-- ARGS]  build the window and start it; without a display,
                             make the same journey in the terminal
  test                       every check and every test; ends with \"N passed, N failed\"
  bench [ARGS]               measure, in release mode
  bench qr DIR [--texts FILE] [--harder] [--alone]
                             read a folder of labelled pictures (truth.jsonl)
  setup [run|test]           only install what is missing (all of it, unless told)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode, Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", rest @ ..] => run::run(rest)?,
        ["test"] => return test::test(),
        ["bench", rest @ ..] => bench::bench(rest)?,
        ["setup"] | ["setup", "test"] => setup_everything(Purpose::Test)?,
        ["setup", "run"] => setup_everything(Purpose::Window)?,
        [] | ["help" | "-h" | "--help"] => print!("{HELP}"),
        _ => {
            eprint!("{HELP}");
            return Err(Failure::Usage(words.join(" ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn setup_everything(purpose: Purpose) -> Result<(), Failure> {
    setup::setup(purpose)?;
    npm::install()?;
    println!("setup: everything is there");
    Ok(())
}
