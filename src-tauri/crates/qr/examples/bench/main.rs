//! `cargo xtask bench qr`: what is read of labelled pictures, and how fast.
//!
//! A folder has pictures in folders by category and `truth.jsonl` with a line for each:
//! `file`, `category` and `texts`. The product's own cascade and every reader that is
//! built into it see the same pictures in one run. A text counts when it is among those
//! of its picture; any other is a false read. Times are those of the cascade on the
//! unpacked picture. No text is ever printed; `--texts` writes them to a file.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts of codes and pictures are small numbers"
)]

mod labels;
mod readers;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use labels::{Picture, pictures};
use readers::{READERS, single};

const HELP: &str = "bench qr DIR [--texts FILE] [--harder] [--alone]";

fn main() -> ExitCode {
    match Options::of(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    folder: PathBuf,
    texts: Option<PathBuf>,
    effort: qr::Effort,
    /// Without the single readers, which take most of the time.
    alone: bool,
}

impl Options {
    fn of(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut folder, mut texts, mut alone) = (None, None, false);
        let mut effort = qr::Effort::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--texts" => texts = Some(PathBuf::from(words.next().ok_or(HELP)?)),
                "--harder" => effort = qr::Effort::harder(),
                "--alone" => alone = true,
                _ if folder.is_none() && !word.starts_with('-') => folder = Some(word.into()),
                _ => return Err(HELP.to_owned()),
            }
        }
        Ok(Self { folder: folder.ok_or(HELP)?, texts, effort, alone })
    }
}

/// What was read of one category, or of all.
#[derive(Default)]
struct Row {
    codes: usize,
    read: usize,
    single: [usize; READERS.len()],
    single_false: [usize; READERS.len()],
    wrong: usize,
    /// What the readers took, and with unpacking the file.
    millis: Vec<f64>,
    whole: Vec<f64>,
}

fn run(options: &Options) -> Result<(), String> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut lines = String::new();
    for picture in pictures(&options.folder)? {
        let Picture { file, category, texts, bytes } = picture;
        let started = Instant::now();
        let reading = qr::read(&bytes, options.effort);
        let whole = started.elapsed().as_secs_f64() * 1e3;
        // A picture that cannot be opened holds no text.
        let (codes, millis) = reading
            .map_or((vec![], whole), |reading| (reading.codes, reading.looked.as_secs_f64() * 1e3));
        let read: Vec<&str> = codes.iter().map(qr::FoundCode::text).collect();
        let row = rows.entry(category).or_default();
        row.codes += texts.len();
        let (right, wrong) = score(&texts, &read);
        row.read += right;
        row.wrong += wrong;
        row.millis.push(millis);
        row.whole.push(whole);
        let line = serde_json::json!({ "file": file, "texts": read, "ms": millis });
        lines.push_str(&line.to_string());
        lines.push('\n');
        if right < texts.len() || wrong > 0 {
            eprintln!("{file}: {right} of {}, {wrong} false, {millis:.0} ms", texts.len());
        }
        if !options.alone {
            for (index, reader) in READERS.iter().enumerate() {
                let read = single(*reader, &bytes);
                let read: Vec<&str> = read.iter().map(|text| text.as_str()).collect();
                let (right, wrong) = score(&texts, &read);
                row.single[index] += right;
                row.single_false[index] += wrong;
            }
        }
    }
    if let Some(file) = &options.texts {
        std::fs::write(file, lines).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    print(rows);
    Ok(())
}

/// Texts that are there, each once, and texts that are not.
fn score(truth: &[String], read: &[&str]) -> (usize, usize) {
    let mut left: Vec<&str> = truth.iter().map(String::as_str).collect();
    let mut wrong = 0;
    for text in read {
        match left.iter().position(|there| there == text) {
            Some(place) => {
                left.swap_remove(place);
            }
            // The same code read at two places is odd, but no false text.
            None if truth.iter().any(|there| there == text) => {}
            None => wrong += 1,
        }
    }
    (truth.len() - left.len(), wrong)
}

fn print(rows: BTreeMap<String, Row>) {
    let mut head = format!("{:<16} {:>5} {:>7}", "category", "codes", "cascade");
    for reader in READERS {
        // Writing to a string cannot fail.
        let _ = write!(head, " {:>11}", reader.name());
    }
    println!("{head} {:>6} {:>8} {:>8} {:>8}", "false", "p50 ms", "p95 ms", "max ms");
    let mut total = Row::default();
    let mut shares = Vec::new();
    for (category, mut row) in rows {
        print_row(&category, &mut row);
        if row.codes > 0 {
            shares.push(share(row.read, row.codes));
        }
        total.codes += row.codes;
        total.read += row.read;
        total.wrong += row.wrong;
        for (sum, read) in total.single.iter_mut().zip(row.single) {
            *sum += read;
        }
        for (sum, read) in total.single_false.iter_mut().zip(row.single_false) {
            *sum += read;
        }
        total.millis.append(&mut row.millis);
        total.whole.append(&mut row.whole);
    }
    print_row("all", &mut total);
    let falses: Vec<String> = READERS
        .iter()
        .zip(total.single_false)
        .map(|(reader, wrong)| format!("{} {wrong}", reader.name()))
        .collect();
    println!("false reads of the single readers: {}", falses.join(", "));
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    println!("mean of categories {mean:.3}");
    let [middle, most] = [0.5, 0.95].map(|share| quantile(&mut total.whole, share));
    println!("with unpacking the files p50 {middle:.1} p95 {most:.1}");
    println!(
        "total {}/{} false {} p50 {:.1} p95 {:.1}",
        total.read,
        total.codes,
        total.wrong,
        quantile(&mut total.millis, 0.5),
        quantile(&mut total.millis, 0.95),
    );
}

fn print_row(name: &str, row: &mut Row) {
    let mut line = format!("{name:<16} {:>5} {:>7}", row.codes, row.read);
    for read in row.single {
        let _ = write!(line, " {read:>11}");
    }
    let [middle, most, all] = [0.5, 0.95, 1.0].map(|share| quantile(&mut row.millis, share));
    println!("{line} {:>6} {middle:>8.1} {most:>8.1} {all:>8.1}", row.wrong);
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// The value that a share of all values does not exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (share * values.len() as f64).ceil() as usize;
    values.get(index.saturating_sub(1)).copied().unwrap_or(0.0)
}
