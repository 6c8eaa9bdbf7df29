//! Keeps the colours of `style/tokens.scss` readable: WCAG 2.2, 1.4.3 (text 4.5) and 1.4.11 (outlines, focus 3.0).

use std::collections::HashMap;

const TOKENS: &str = include_str!("../../../style/tokens.scss");
const ICONS: &str = include_str!("../../../public/icons.svg");
const SURFACES: [&str; 4] = ["canvas", "surface", "sunken", "raised"];
const TEXT: [&str; 9] = [
    "ink", "ink-2", "ink-3", "primary", "lane-r", "success", "warning", "danger", "info",
];
const OUTLINES: [&str; 2] = ["control-border", "focus"];

/// The colours of one theme: token name without `--db-` to red, green, blue.
fn theme(name: &str) -> HashMap<&'static str, [u8; 3]> {
    let start = TOKENS
        .find(&format!("@mixin {name} {{"))
        .expect("the theme's mixin");
    let body = &TOKENS[start..];
    let body = &body[..body.find("\n}").expect("the mixin's end")];
    body.lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("--db-")?
                .strip_suffix(';')?
                .split_once(": #")
        })
        .map(|(token, hex)| {
            assert_eq!(hex.len(), 6, "{token} needs six digits");
            let part = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits");
            (token, [part(0), part(2), part(4)])
        })
        .collect()
}

/// Relative luminance (WCAG 2.2, definition).
fn luminance(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126f64.mul_add(r, 0.7152f64.mul_add(g, 0.0722 * b))
}

fn ratio(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn failures(theme_name: &str) -> Vec<String> {
    let colours = theme(theme_name);
    let mut pairs: Vec<(String, String, f64)> = Vec::new();
    for surface in SURFACES {
        pairs.extend(TEXT.map(|text| (text.to_owned(), surface.to_owned(), 4.5)));
        pairs.extend(OUTLINES.map(|line| (line.to_owned(), surface.to_owned(), 3.0)));
    }
    for family in ["primary", "lane-r", "success", "warning", "danger", "info"] {
        pairs.push((family.to_owned(), format!("tint-{family}"), 4.5));
        // Banners and entries also set ordinary text on the tint.
        pairs.push(("ink".to_owned(), format!("tint-{family}"), 4.5));
    }
    pairs.push(("ink-2".to_owned(), "tint-neutral".to_owned(), 4.5));
    pairs.push(("ink-2".to_owned(), "tint-primary".to_owned(), 4.5));
    for (text, ground) in [
        ("on-primary", "primary"),
        ("on-primary", "primary-hover"),
        ("on-danger", "danger"),
        ("on-danger", "danger-hover"),
    ] {
        pairs.push((text.to_owned(), ground.to_owned(), 4.5));
    }
    pairs
        .into_iter()
        .filter_map(|(front, back, least)| {
            let found = ratio(colours[front.as_str()], colours[back.as_str()]);
            (found < least).then(|| format!("{front} on {back}: {found:.2}, needs {least}"))
        })
        .collect()
}

#[test]
fn the_formula_knows_black_on_white() {
    assert!((ratio([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 0.001);
}

#[test]
fn light_theme_is_readable() {
    assert_eq!(failures("light"), Vec::<String>::new());
}

#[test]
fn dark_theme_is_readable() {
    assert_eq!(failures("dark"), Vec::<String>::new());
}

#[test]
fn both_themes_name_the_same_tokens() {
    let (light, dark) = (theme("light"), theme("dark"));
    assert!(light.len() >= 25);
    assert!(light.keys().all(|token| dark.contains_key(token)) && light.len() == dark.len());
}

#[test]
fn the_sprite_has_every_glyph_the_kit_uses() {
    for source in [
        include_str!("status.rs"),
        include_str!("message.rs"),
        include_str!("lane.rs"),
        include_str!("copy.rs"),
        include_str!("form.rs"),
    ] {
        let named = source
            .split("Icon name=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for name in named
            .chain([
                "status-ok",
                "status-busy",
                "status-waiting",
                "status-needs-you",
            ])
            .chain([
                "status-failed",
                "status-off",
                "status-unknown",
                "lane-both",
                "lane-out",
                "lane-in",
            ])
        {
            assert!(
                ICONS.contains(&format!("<symbol id=\"{name}\"")),
                "no glyph {name}"
            );
        }
    }
}
