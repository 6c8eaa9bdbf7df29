//! A multi-line field that keeps its text inside.

use leptos::prelude::*;

use super::action::{Failed, message};
use super::form::{Field, described};
use super::typed::typed;

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
    /// The control's id. One per page.
    #[prop(into)]
    id: String,
    /// The form field's name.
    #[prop(into)]
    name: String,
    /// The visible label.
    #[prop(into)]
    label: String,
    /// What the field holds at first.
    #[prop(optional, into)]
    value: String,
    /// See [`Field`].
    #[prop(optional, into)]
    hint: String,
    /// Visible lines.
    #[prop(default = 4)]
    rows: u32,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    let wrong = message(error, name.clone());
    let described = described(&id, &hint, wrong);
    let content = escape_text(&typed(error, &name, value));
    view! {
        <Field id=id.clone() label hint error=wrong>
            <textarea
                class="db-textarea"
                id=id
                name=name
                rows=rows.to_string()
                aria-describedby=described
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                inner_html=content
            ></textarea>
        </Field>
    }
}
