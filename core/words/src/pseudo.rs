//! The language that is none: what a text looks like in it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

static KEPT: Mutex<Option<HashMap<&'static str, &'static str>>> = Mutex::new(None);

/// `text` in brackets, with accents and 40 % longer.
pub fn of(text: &str) -> String {
    // What surrounds a text is not part of it: the page puts other things there.
    let inner = text.trim();
    let lead = &text[..text.len() - text.trim_start().len()];
    let tail = &text[text.trim_end().len()..];
    let longer = "·".repeat(inner.chars().count().div_ceil(5) * 2);
    let body: String = inner.chars().map(accented).collect();
    format!("{lead}⟦{body}{longer}⟧{tail}")
}

/// The same for a text that is never given back: each is made once.
pub fn kept(text: &'static str) -> &'static str {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get_or_insert_default()
        .entry(text)
        .or_insert_with(|| Box::leak(of(text).into_boxed_str()))
}

const fn accented(letter: char) -> char {
    match letter {
        'a' => 'á',
        'e' => 'é',
        'i' => 'í',
        'o' => 'ó',
        'u' => 'ú',
        'A' => 'Á',
        'E' => 'É',
        'O' => 'Ó',
        'U' => 'Ú',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_longer_and_marked_at_both_ends() {
        assert_eq!(of(" Save entry "), " ⟦Sávé éntry····⟧ ");
        assert_eq!(kept("Save"), "⟦Sávé··⟧");
        assert_eq!(kept("Save").as_ptr(), kept("Save").as_ptr());
    }
}
