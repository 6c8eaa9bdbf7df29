//! What was measured, beside what was promised.

use std::time::Duration;

/// The lines of the closing table.
#[derive(Default)]
pub struct Report {
    lines: Vec<[String; 4]>,
}

impl Report {
    /// Adds a figure; `held` is `None` for one that nothing was promised of.
    pub fn add(&mut self, what: &str, promised: &str, measured: String, held: Option<bool>) {
        let verdict = match held {
            Some(true) => "held",
            Some(false) => "MISSED",
            None => "",
        };
        eprintln!("bench: {what}: {measured} {verdict}");
        self.lines.push([
            what.to_owned(),
            promised.to_owned(),
            measured,
            verdict.to_owned(),
        ]);
    }

    /// Writes the table to standard output, as Markdown.
    pub fn print(&self) {
        println!("| Figure | Promised | Measured | |\n| --- | --- | --- | --- |");
        for [what, promised, measured, verdict] in &self.lines {
            println!("| {what} | {promised} | {measured} | {verdict} |");
        }
    }
}

/// The middle value; of an even number the upper middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The time that `share` (0 to 1) of the sorted times do not exceed.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a list of measurements"
    )]
    let at = (last as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_edge() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        let times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&times, 0.0), Duration::from_millis(1));
        assert_eq!(quantile(&times, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&times, 1.0), Duration::from_millis(100));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
