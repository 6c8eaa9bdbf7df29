//! The languages Daybind speaks, and the texts of its pages in each.
//!
//! A text stands in the code in English, inside [`t!`]; its German stands in the crate's `words/de.po` (GNU gettext, the
//! format translators' tools read). The macro puts both into the program, so a text without German does not compile, and a
//! part of the program in the browser carries its own texts only.
//!
//! Which language is spoken is a matter of where the code runs: in the browser, of the page it started on; on a server, of
//! the request being answered ([`ask`]); English everywhere else (jobs, logs, the command line).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

pub use daybind_words_macro::{catalogue, t, template};

#[cfg(debug_assertions)]
mod pseudo;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Lang {
    /// English, the language the texts are written in.
    #[default]
    En,
    /// German.
    De,
    /// No language: English in brackets, with accents and 40 % longer, so that a test sees what is not in the catalogue or
    /// does not fit. Only programs built for tests can be asked for it.
    Xx,
}

impl Lang {
    /// The languages a person can choose.
    pub const OFFERED: [Self; 2] = [Self::En, Self::De];

    /// Its tag (BCP 47), as it stands in `<html lang>`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Xx => "xx",
        }
    }

    /// The language with exactly this tag. `xx` is known to builds with debug assertions alone.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::En),
            "de" => Some(Self::De),
            "xx" if cfg!(debug_assertions) => Some(Self::Xx),
            _ => None,
        }
    }

    /// Its own name for itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
            Self::Xx => "xx",
        }
    }
}

/// A text of a table that is made before anybody knows which language is spoken.
pub type Said = fn() -> &'static str;

type Source = fn() -> Option<Lang>;

static SOURCE: OnceLock<Source> = OnceLock::new();
static EVERYWHERE: AtomicU8 = AtomicU8::new(0);

/// Where a server learns which language the request being answered is in; the first caller wins.
pub fn ask(source: Source) {
    let _ = SOURCE.set(source);
}

/// The language of the whole program, for the browser's half.
pub fn speak(lang: Lang) {
    EVERYWHERE.store(lang as u8, Ordering::Relaxed);
}

/// The language spoken here and now.
#[must_use]
pub fn lang() -> Lang {
    if let Some(lang) = SOURCE.get().and_then(|source| source()) {
        return lang;
    }
    match EVERYWHERE.load(Ordering::Relaxed) {
        1 => Lang::De,
        2 => Lang::Xx,
        _ => Lang::En,
    }
}

/// A whole number as people write it: 10,000 in English, 10.000 in German.
#[must_use]
pub fn number(number: usize) -> String {
    grouped(number, if lang() == Lang::De { '.' } else { ',' })
}

fn grouped(number: usize, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// What [`t!`] makes of a text without values.
#[doc(hidden)]
#[must_use]
pub fn pick(en: &'static str, de: &'static str) -> &'static str {
    match lang() {
        Lang::En => en,
        Lang::De => de,
        #[cfg(debug_assertions)]
        Lang::Xx => pseudo::kept(en),
        #[cfg(not(debug_assertions))]
        Lang::Xx => en,
    }
}

/// What [`t!`] makes of an English text with values.
#[doc(hidden)]
#[must_use]
pub fn filled(lang: Lang, text: String) -> String {
    match lang {
        #[cfg(debug_assertions)]
        Lang::Xx => pseudo::of(&text),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn three_digits_stand_together_from_the_right() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (10_000, "10,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number, ','), text);
        }
        assert_eq!(grouped(10_000, '.'), "10.000");
    }
}
