//! Form parts: a failed action's messages, labelled fields, buttons that say they are busy.

use std::time::Duration;

use daybind_domain::AppError;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::error::ApiError;

/// The failure of a form's last attempt, if it failed.
pub type Failed = Signal<Option<AppError>>;

/// What went wrong with `action`, also when the attempt was made without WebAssembly.
pub fn failed<S>(action: ServerAction<S>) -> Failed
where
    S: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let value = action.value();
    Signal::derive(move || {
        value.with(|value| {
            value
                .as_ref()
                .and_then(|result| result.as_ref().err().map(|e| e.0.clone()))
        })
    })
}

/// Counts the successes of `action`: a source for resources that must load again after one, and only after one.
pub fn successes<S>(action: ServerAction<S>) -> Memo<usize>
where
    S: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let (value, version) = (action.value(), action.version());
    Memo::new(move |last: Option<&usize>| {
        let done = value.with(|value| matches!(value, Some(Ok(_))));
        if done {
            version.get()
        } else {
            last.copied().unwrap_or_default()
        }
    })
}

/// Every message of a failed form at its top; takes the focus when it appears.
#[component]
pub fn ErrorSummary(
    /// The failure.
    error: Failed,
    /// Field names and the ids of their inputs.
    #[prop(optional)]
    fields: &'static [(&'static str, &'static str)],
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move || {
        if error.with(Option::is_some) {
            // The summary is in the document one tick later than the signal says.
            set_timeout(
                move || {
                    if let Some(node) = node.get_untracked() {
                        let _ = node.focus();
                    }
                },
                Duration::ZERO,
            );
        }
    });
    move || {
        error.get().map(|error| {
            let items: Vec<_> = error
                .fields
                .iter()
                .map(|wrong| {
                    let id = fields
                        .iter()
                        .find(|(field, _)| *field == wrong.field)
                        .map(|(_, id)| *id);
                    let message = wrong.message.clone();
                    match id {
                        // A plain anchor moves the focus into the field; the router would only scroll.
                        Some(id) => {
                            view! { <li><a href=format!("#{id}") rel="external">{message}</a></li> }
                                .into_any()
                        }
                        None => view! { <li>{message}</li> }.into_any(),
                    }
                })
                .collect();
            view! {
                <div class="db-error-summary" role="alert" tabindex="-1" node_ref=node>
                    <h2>{error.message}</h2>
                    {(!items.is_empty()).then(|| view! { <ul>{items}</ul> })}
                    {error.next_step.map(|text| view! { <p>{text}</p> })}
                    {error.reference.map(|id| view! { <p>"Reference: "<code>{id}</code></p> })}
                </div>
            }
        })
    }
}

/// The message of one field of a failed form.
pub fn message(error: Failed, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || {
        error.with(|error| error.as_ref().and_then(|error| error.field_message(field)))
    })
}

/// Label, hint and message around a control; [`described`] links them to it.
#[component]
pub fn Labelled(
    /// The control's id.
    #[prop(into)]
    id: String,
    /// Its label.
    label: &'static str,
    /// How to fill it in.
    #[prop(optional)]
    hint: &'static str,
    /// Its message.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// The control.
    children: Children,
) -> impl IntoView {
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    view! {
        <div class="db-field" class:db-field--invalid=move || error.with(Option::is_some)>
            <label for=id class="db-field__label">{label}</label>
            {(!hint.is_empty()).then(|| view! { <p class="db-field__hint" id=hint_id>{hint}</p> })}
            {move || error.get().map(|text| view! { <p class="db-field__error" id=error_id.clone()>{text}</p> })}
            {children()}
        </div>
    }
    .into_any()
}

/// `aria-describedby` of a control inside [`Labelled`].
pub fn described(
    id: &'static str,
    hint: &'static str,
    error: Signal<Option<String>>,
) -> impl Fn() -> Option<String> + Clone + Send + Sync + 'static {
    move || {
        let mut ids = Vec::new();
        if !hint.is_empty() {
            ids.push(format!("{id}-hint"));
        }
        if error.with(Option::is_some) {
            ids.push(format!("{id}-error"));
        }
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// A one-line input with label, hint and message.
#[component]
pub fn Field(
    /// The input's id.
    id: &'static str,
    /// The form field's name.
    name: &'static str,
    /// Its label.
    label: &'static str,
    /// How to fill it in.
    #[prop(optional)]
    hint: &'static str,
    /// `text`, `password`, `datetime-local` and so on.
    #[prop(default = "text")]
    kind: &'static str,
    /// What stands in it at first.
    #[prop(optional)]
    value: String,
    /// `autocomplete` token.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// May stay empty.
    #[prop(optional)]
    optional: bool,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    let wrong = message(error, name);
    view! {
        <Labelled id label hint error=wrong>
            <input
                class="db-input"
                id=id
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                required=!optional
                aria-describedby=described(id, hint, wrong)
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
            />
        </Labelled>
    }
}

/// Several lines of text.
///
/// The stored text is escaped here: server rendering writes a textarea's children as they are (tachys 0.2), which would let
/// `</textarea><script>` out. `inner_html` with the escaped text is the same on both halves.
#[component]
pub fn TextArea(
    /// The textarea's id.
    id: &'static str,
    /// The form field's name.
    name: &'static str,
    /// Its label.
    label: &'static str,
    /// How to fill it in.
    #[prop(optional)]
    hint: &'static str,
    /// What stands in it at first.
    #[prop(optional)]
    value: String,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    let wrong = message(error, name);
    view! {
        <Labelled id label hint error=wrong>
            <textarea
                class="db-textarea"
                id=id
                name=name
                rows="4"
                aria-describedby=described(id, hint, wrong)
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                inner_html=escape(&value)
            ></textarea>
        </Labelled>
    }
}

/// Escapes text for use as HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A submit button that says so while its form is under way.
#[component]
pub fn Submit(
    /// What it does.
    #[prop(into)]
    label: String,
    /// The form is under way.
    #[prop(into)]
    pending: Signal<bool>,
    /// `primary`, `secondary`, `quiet` or `danger`.
    #[prop(default = "primary")]
    look: &'static str,
) -> impl IntoView {
    view! {
        <button type="submit" class=format!("db-btn db-btn--{look}") disabled=move || pending.get()>
            {label}
            {move || pending.get().then_some(" …")}
        </button>
    }
}

/// A one-line announcement above a page's content.
#[component]
pub fn Announcement(
    /// `info`, `success`, `warning` or `danger`.
    #[prop(default = "success")]
    look: &'static str,
    /// What it says.
    #[prop(into)]
    text: String,
    /// Where the same page is without it.
    #[prop(into)]
    dismiss: String,
) -> impl IntoView {
    view! {
        <div class=format!("db-banner db-banner--{look}") role="status">
            <p>{text}</p>
            <a class="db-btn db-btn--quiet" href=dismiss>"Dismiss"</a>
        </div>
    }
    .into_any()
}

/// Something to copy into another console: selectable, labelled, read-only.
#[component]
pub fn CopyField(
    /// The input's id.
    #[prop(into)]
    id: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// The text.
    value: String,
) -> impl IntoView {
    view! {
        <div class="db-copyfield">
            <label for=id.clone()>{label}</label>
            <input class="db-input" id=id type="text" readonly value=value/>
        </div>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn stored_text_cannot_leave_a_textarea() {
        let owner = Owner::new();
        let html = owner.with(|| {
            view! { <TextArea id="n" name="notes" label="Notes" value="</textarea><script>alert(1)</script>&amp;".to_owned()/> }
                .to_html()
        });
        assert!(!html.contains("<script>"), "{html}");
        assert!(
            html.contains(
                "&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</textarea>"
            ),
            "{html}"
        );
    }

    #[test]
    fn a_field_names_its_hint() {
        let owner = Owner::new();
        let html = owner.with(|| {
            view! { <Field id="x" name="x" label="X" hint="How." value="\"><b>".to_owned()/> }
                .to_html()
        });
        assert!(html.contains("aria-describedby=\"x-hint\""), "{html}");
        assert!(!html.contains("<b>"), "{html}");
    }
}
