//! Reading how many tests passed and failed from what the runners themselves print.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fmt;
use std::ops::AddAssign;

/// Tests that passed and failed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Count {
    /// Ran and held.
    pub passed: u64,
    /// Ran and did not hold, or could not run.
    pub failed: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Count {
    /// Adds a failure when the runner failed without counting one (it did not compile, it crashed).
    pub fn with_exit(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// Sums the `test result:` lines of `cargo test`. Ignored tests count as failed: a test that does not
/// run must not look like one that holds.
pub fn cargo_test(output: &str) -> Count {
    let mut count = Count::default();
    for line in output.lines() {
        let Some((_, numbers)) = line.split_once("test result: ") else {
            continue;
        };
        count.passed += before(numbers, " passed");
        count.failed += before(numbers, " failed") + before(numbers, " ignored");
    }
    count
}

/// The number right before `word`; 0 when there is none.
fn before(text: &str, word: &str) -> u64 {
    text.find(word)
        .and_then(|end| text[..end].rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Reads Playwright's JSON report. Flaky and skipped tests count as failed.
///
/// # Errors
/// When the text is not such a report.
pub fn playwright(report: &str) -> Result<Count> {
    let report: Value = serde_json::from_str(report).context("not a JSON report")?;
    let stats = report.get("stats").context("a report without `stats`")?;
    let number = |name: &str| stats.get(name).and_then(Value::as_u64).unwrap_or(0);
    let errors = report
        .get("errors")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let mut count = Count {
        passed: number("expected"),
        failed: number("unexpected") + number("flaky") + number("skipped"),
    };
    if errors > 0 && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

/// Sums the closing lines of Node's test runner (`# pass 3` or `ℹ pass 3`). Skipped, cancelled and
/// to-do tests count as failed.
pub fn node_test(output: &str) -> Count {
    let mut count = Count::default();
    for line in output.lines() {
        let mut words = line.split_whitespace();
        if !matches!(words.next(), Some("#" | "ℹ")) {
            continue;
        }
        let (Some(word), Some(number), None) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match word {
            "pass" => count.passed += number,
            "fail" | "cancelled" | "skipped" | "todo" => count.failed += number,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(passed: u64, failed: u64) -> Count {
        Count { passed, failed }
    }

    #[test]
    fn the_closing_line_has_its_exact_form() {
        assert_eq!(count(12, 3).to_string(), "12 passed, 3 failed");
    }

    #[test]
    fn cargo_test_results_are_summed() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 41 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 7 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.10s\n";
        assert_eq!(cargo_test(output), count(48, 3));
        assert_eq!(cargo_test("error: could not compile"), count(0, 0));
    }

    #[test]
    fn a_runner_that_crashed_has_failed() {
        assert_eq!(count(4, 0).with_exit(false), count(4, 1));
        assert_eq!(count(4, 2).with_exit(false), count(4, 2));
        assert_eq!(count(4, 0).with_exit(true), count(4, 0));
    }

    #[test]
    fn playwright_reports_are_read() {
        let report = r#"{"errors":[],"stats":{"expected":9,"unexpected":1,"flaky":1,"skipped":2}}"#;
        assert_eq!(playwright(report).unwrap(), count(9, 4));
        let broken = r#"{"errors":[{"message":"no config"}],"stats":{"expected":0,"unexpected":0,"flaky":0,"skipped":0}}"#;
        assert_eq!(playwright(broken).unwrap(), count(0, 1));
        assert!(playwright("{}").is_err());
        assert!(playwright("Error: x").is_err());
    }

    #[test]
    fn node_results_are_read_in_both_styles() {
        assert_eq!(
            node_test("# tests 5\n# pass 4\n# fail 1\n# skipped 0\n"),
            count(4, 1)
        );
        assert_eq!(
            node_test("ℹ tests 5\nℹ pass 5\nℹ fail 0\nℹ duration_ms 12.5\n"),
            count(5, 0)
        );
        assert_eq!(node_test("# pass me the salt 3\n"), count(0, 0));
    }
}
