//! What the program can be told when it is started.

use std::path::PathBuf;

use clap::Parser;

/// Puts an authenticator seed on a hardware token and makes the token prove it.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "sower-desktop", version)]
pub struct Arguments {
    /// Offer practice tokens only: no reader and no smart card service is touched.
    #[arg(long)]
    pub practice_only: bool,
    /// Print a line when the first frame is on the screen, for measurements.
    #[arg(long)]
    pub report_first_frame: bool,
    /// Save every receipt into this folder, without asking for a place.
    #[arg(long, value_name = "DIR")]
    pub receipt_dir: Option<PathBuf>,
}
