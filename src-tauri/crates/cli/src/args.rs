//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Puts an authenticator seed on a hardware token and makes the token prove it.
#[derive(Debug, Parser)]
#[command(
    name = "sower",
    version,
    about,
    after_help = "Exit codes: 0 done or confirmed, 1 failed, 2 usage, 3 no credential in the \
                  input, 4 nothing was written, 5 written but not confirmed, 6 the token is \
                  changed or its state is unknown.\n\
                  Secrets come in by picture, file or standard input only."
)]
pub(crate) struct Arguments {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell what is in a picture, an export or a seed file, without secrets.
    Read(Read),
    /// List the tokens that are there.
    Tokens(Tokens),
    /// List the token families that can be programmed, with limits and evidence.
    Families,
    /// Write a credential to a token and check the token's next code.
    Enroll(Box<Enroll>),
    /// Ask a token that only its maker's tool can write who it is, and set its clock.
    Clock(Clock),
    /// Find out what stands between this computer and its tokens.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    /// The picture, export, vault or seed file; `-` reads it from standard input.
    /// Several pictures are read as one export.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// A file with the password of what is encrypted on its first line.
    #[arg(long, value_name = "FILE", alias = "input-password-file")]
    pub(crate) password_file: Option<PathBuf>,
    /// How the secret is written, where it can be more than one thing.
    #[arg(long, value_name = "ENCODING", value_parser = ["base32", "hex", "base64"])]
    pub(crate) encoding: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tokens {
    /// List practice tokens as well.
    #[arg(long)]
    pub(crate) practice: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Clock {
    /// The model; `sower families` lists the codes. It has to be one of which something
    /// is public: protectimus-slim-nfc.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: String,
    /// Set the clock from this computer's; without it the token is only asked.
    #[arg(long)]
    pub(crate) set: bool,
    /// The reader that it lies on; not needed if it is the only card that it could be.
    #[arg(long, value_name = "NAME", conflicts_with = "practice")]
    pub(crate) reader: Option<String>,
    /// A practice token instead of a real one.
    #[arg(long)]
    pub(crate) practice: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("input").required(true).args(["picture", "text"]))]
pub(crate) struct Enroll {
    /// The picture with the QR code, an export, a vault, a seed file, or a folder of
    /// them; may be given several times. `-` reads it from standard input.
    #[arg(long, visible_alias = "file", value_name = "FILE")]
    pub(crate) picture: Vec<PathBuf>,
    /// A file with a Key URI or a secret; `-` reads it from standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// Which of several codes or entries, counted from 1.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) finding: Option<u32>,
    /// Look some seconds longer where a code is not read.
    #[arg(long)]
    pub(crate) longer: bool,
    /// A file with the password of an encrypted input on its first line.
    #[arg(long, value_name = "FILE")]
    pub(crate) input_password_file: Option<PathBuf>,
    /// How the secret is written, where it can be more than one thing.
    #[arg(long, value_name = "ENCODING", value_parser = ["base32", "hex", "base64"])]
    pub(crate) encoding: Option<String>,
    /// The serial number or device id of the token; not needed if only one is there.
    #[arg(long, value_name = "SERIAL", conflicts_with = "practice")]
    pub(crate) token: Option<String>,
    /// A token that only its maker's tool can write, by its model; --token is then the
    /// serial number for the receipt.
    #[arg(
        long,
        value_name = "MODEL",
        conflicts_with_all = ["practice", "name", "slot", "overwrite", "password_file"]
    )]
    pub(crate) closed: Option<String>,
    /// The form to show the secret in for the maker's tool: base32, hex or qr.
    #[arg(long, value_name = "FORM", requires = "closed")]
    pub(crate) form: Option<String>,
    #[command(flatten)]
    pub(crate) told: Told,
    /// A practice token of this family instead of a real one.
    #[arg(long, value_name = "FAMILY")]
    pub(crate) practice: Option<String>,
    /// Let the practice token's drawn display answer.
    #[arg(long, requires = "practice")]
    pub(crate) code_from_display: bool,
    /// The time at which the practice run begins, in seconds since 1970.
    #[arg(long, value_name = "SECONDS", requires = "practice")]
    pub(crate) practice_time: Option<u64>,
    /// A name for the entry, where the token holds names.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The place on the token, where places have numbers; else the first free one.
    #[arg(long, value_name = "SLOT")]
    pub(crate) slot: Option<String>,
    /// Replace what is on the token without asking.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// A file with the token's password on its first line.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Where to save the receipt.
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
}

/// What a closed token on a reader tells, where that is public.
#[derive(Debug, Args)]
pub(crate) struct Told {
    /// Have the token on a reader tell its code, where that is public, instead of
    /// typing it.
    #[arg(long, requires = "closed")]
    pub(crate) read_code: bool,
    /// Set that token's clock from this computer's before its code is read.
    #[arg(long, requires = "read_code")]
    pub(crate) set_clock: bool,
    /// The reader that it lies on; not needed if it is the only card that it could be.
    #[arg(long, value_name = "NAME", requires = "read_code")]
    pub(crate) reader: Option<String>,
}
