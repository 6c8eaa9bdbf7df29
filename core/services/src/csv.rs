//! Lines of CSV (RFC 4180) that a spreadsheet opens and does not run.

use std::fmt::Write as _;

/// The mark by which spreadsheets recognise UTF-8; a file begins with it.
pub const MARK: char = '\u{feff}';

/// Adds one line. Cells that a spreadsheet would take for a formula begin with an apostrophe (OWASP, "CSV Injection").
pub fn line(text: &mut String, cells: &[&str]) {
    for (at, cell) in cells.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        let apostrophe = if formula { "'" } else { "" };
        let cell = cell.replace('"', "\"\"");
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}\"{apostrophe}{cell}\"");
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_quotes_are_harmless() {
        let mut text = String::new();
        line(&mut text, &["=1+1", "say \"hi\", twice", "", "a-b"]);
        assert_eq!(text, "\"'=1+1\",\"say \"\"hi\"\", twice\",\"\",\"a-b\"\r\n");
    }
}
