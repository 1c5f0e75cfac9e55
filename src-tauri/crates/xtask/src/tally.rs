//! Adding up the `test result:` lines of the test harness.

/// How many tests ended how.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests that were not run: counted, because skipping is not passing.
    pub(crate) ignored: u64,
}

impl Tally {
    /// Adds one line of output, if it is a result line.
    pub(crate) fn read_line(&mut self, line: &str) {
        let Some((_, counts)) =
            line.trim().strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ').map(|(n, what)| (n.parse(), what)) {
                Some((Ok(n), "passed")) => self.passed += n,
                Some((Ok(n), "failed")) => self.failed += n,
                Some((Ok::<u64, _>(n), "ignored")) => self.ignored += n,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn check(lines: &[&str], passed: u64, failed: u64, ignored: u64) {
        let mut tally = Tally::default();
        for line in lines {
            tally.read_line(line);
        }
        let expected = Tally { passed, failed, ignored };
        assert_eq!(tally, expected);
    }

    #[test]
    fn result_lines_are_added_up() {
        check(
            &[
                "running 12 tests\n",
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n",
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.02s\n",
            ],
            15,
            2,
            1,
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        check(&["5 passed; 3 failed", "test result:", ""], 0, 0, 0);
    }
}
