//! A multi-line field that keeps its text inside.

use leptos::prelude::*;

use super::Field;
use super::form::described_by;

/// Escapes text for the inside of a `<textarea>`.
///
/// Server rendering writes the children of `<textarea>` as they are (tachys 0.2 marks the element "do not escape"), so
/// that `</textarea><script>` in a note would leave the field. Passing text this function made through `inner_html` is
/// right on both sides: a textarea decodes character references wherever its content comes from.
fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // The parser drops one line break right after the tag; the browser half sets the content without a tag.
    if cfg!(feature = "ssr") && text.starts_with('\n') {
        escaped.push('\n');
    }
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A multi-line field. Always use this one: a hand-written `<textarea>` with text as its child is a stored-XSS hole.
#[component]
pub fn TextArea(
    /// The visible label.
    #[prop(into)]
    label: String,
    /// Form name and id.
    #[prop(into)]
    name: String,
    /// What the field holds at first.
    #[prop(optional, into)]
    value: String,
    /// See [`Field`].
    #[prop(optional, into)]
    hint: String,
    /// See [`Field`].
    #[prop(optional, into)]
    error: String,
    /// Whether the form cannot be sent without it.
    #[prop(optional)]
    required: bool,
    /// Visible lines.
    #[prop(default = 4)]
    rows: u32,
) -> impl IntoView {
    let described = described_by(&name, &hint, &error);
    let invalid = (!error.is_empty()).then_some("true");
    let id = name.clone();
    let content = escape_text(&value);
    view! {
        <Field label name=name.clone() hint error>
            <textarea
                class="db-textarea"
                id=id
                name=name
                rows=rows.to_string()
                required=required
                aria-describedby=described
                aria-invalid=invalid
                inner_html=content
            ></textarea>
        </Field>
    }
}
