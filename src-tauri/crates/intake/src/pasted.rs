//! The block under "Can't scan image", pasted as a whole (facts/microsoft-enrollment.md
//! 1.4).
//!
//! It holds the account name and the secret key with labels in the page's language, so
//! the key is known by its shape alone: the one run of 16 to 128 base32 characters.

use zeroize::Zeroizing;

use crate::bare::{self, LEAST};
use crate::foreign::Foreign;
use crate::secret::{cleaned, is_base32};
use crate::{Finding, Source};

/// The most base32 characters of a run; Entra takes 128.
const MOST: usize = 128;
/// The most lines that a key is spread over.
const MOST_LINES: usize = 8;

/// What a pasted block holds; `None` when there is no run that could be a key.
pub(crate) fn find(text: &str) -> Option<Finding> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut runs = Runs(Vec::new());
    for line in &lines {
        runs.collect_from(line);
    }
    if runs.0.is_empty() {
        runs.collect_broken(&lines);
    }
    let key = match runs.best().as_slice() {
        [] => return near_miss(text),
        [key] => Zeroizing::new((*key).to_owned()),
        several => {
            return Some(Finding::Foreign(Foreign::SeveralSecrets { count: several.len() }));
        }
    };
    let (organisation, account) = lines.iter().find_map(|line| owner(line)).unwrap_or((None, ""));
    Some(bare::credential(&key, account, organisation))
}

/// Runs of base32 characters as they were written, no two with the same characters.
struct Runs(Vec<Zeroizing<String>>);

impl Runs {
    /// The whole line, or what follows its label, or else each of its words.
    fn collect_from(&mut self, line: &str) {
        let value = line.rsplit([':', '\u{ff1a}']).next().unwrap_or(line);
        if self.add(line) || (value.len() < line.len() && self.add(value)) {
            return;
        }
        for word in line.split([' ', '\t', '\u{a0}', ':', '\u{ff1a}', ',', ';']) {
            self.add(word);
        }
    }

    /// A key broken over lines: neighbours that are all groups of one size.
    fn collect_broken(&mut self, lines: &[&str]) {
        for count in (2..=MOST_LINES.min(lines.len())).rev() {
            for window in lines.windows(count) {
                let first = window[0].rsplit([':', '\u{ff1a}']).next().unwrap_or(window[0]);
                let length = window.iter().map(|line| line.len() + 1).sum();
                let mut joined = Zeroizing::new(String::with_capacity(length));
                joined.push_str(first);
                for line in &window[1..] {
                    joined.push(' ');
                    joined.push_str(line);
                }
                if self.add(&joined) {
                    return;
                }
            }
        }
    }

    /// Adds a text if it is a run. Groups of it have one size: words of a sentence
    /// before the key must not become its first letters.
    fn add(&mut self, text: &str) -> bool {
        let joined = cleaned(text);
        let fits = (LEAST..=MOST).contains(&joined.len())
            && joined.chars().all(is_base32)
            && bare::is_grouped(text, Source::Picture)
            && !matches!(joined.len() % 8, 1 | 3 | 6);
        if fits && !self.0.iter().any(|known| cleaned(known) == joined) {
            self.0.push(Zeroizing::new(text.trim().to_owned()));
        }
        fits
    }

    /// The runs that look most like a key. Labels are long words in some languages
    /// ("Kontobezeichnung"); a key has digits, nearly always, and one letter case.
    fn best(&self) -> Vec<&str> {
        let all = || self.0.iter().map(|run| run.as_str());
        let with_digit: Vec<&str> = all().filter(|run| bare::has_digit(run)).collect();
        if !with_digit.is_empty() {
            return with_digit;
        }
        let upper = |run: &str| run.chars().any(|c| c.is_ascii_uppercase());
        let lower = |run: &str| run.chars().any(|c| c.is_ascii_lowercase());
        let one_case: Vec<&str> = all().filter(|run| !(upper(run) && lower(run))).collect();
        if one_case.is_empty() { all().collect() } else { one_case }
    }
}

/// The one word that would be a key without a slip, to name the slip.
fn near_miss(text: &str) -> Option<Finding> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == ':').filter(|word| {
        let capitals = cleaned(word);
        bare::is_near_miss(&capitals) && capitals.chars().any(|c| c.is_ascii_alphabetic())
    });
    match (words.next(), words.next()) {
        (Some(word), None) => Some(bare::credential(word, "", None)),
        _ => None,
    }
}

/// Tenant and account of a line such as `Account name: Contoso:adele@contoso.com`.
fn owner(line: &str) -> Option<(Option<&str>, &str)> {
    let at = line.find('@')?;
    let end = line[at..].find(char::is_whitespace).map_or(line.len(), |length| at + length);
    let line = &line[..end];
    // Tenant and account are joined by a bare colon; after a label comes a space.
    let Some((before, account)) = line[..at].rfind(':').map(|i| (&line[..i], &line[i + 1..]))
    else {
        return Some((None, line.split_whitespace().next_back().unwrap_or(line)));
    };
    if account.starts_with(char::is_whitespace) {
        return Some((None, account.split_whitespace().next_back().unwrap_or("")));
    }
    let tenant = before.split_once([':', '\u{ff1a}']).map_or(before, |(_label, tenant)| tenant);
    let tenant = tenant.trim();
    Some(((!tenant.is_empty()).then_some(tenant), account))
}
