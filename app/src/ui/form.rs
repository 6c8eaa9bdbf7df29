//! Fields: label above, hint, error in the same words as the summary, then the control.

use daybind_words::t;
use leptos::prelude::*;

use super::Icon;
use super::action::{Failed, message};
use super::typed::typed;

/// `aria-describedby` of a control inside [`Field`]: the ids of its hint and, while there is one, its error.
pub fn described(
    id: &str,
    hint: &str,
    error: Signal<Option<String>>,
) -> impl Fn() -> Option<String> + Clone + Send + Sync + 'static {
    let hint = (!hint.is_empty()).then(|| format!("{id}-hint"));
    let wrong = format!("{id}-error");
    move || {
        let mut ids: Vec<String> = hint.iter().cloned().collect();
        if error.with(Option::is_some) {
            ids.push(wrong.clone());
        }
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// The frame of one control. The control inside must have `id` and, where there is a hint or an error,
/// `aria-describedby` from [`described`]. The ready-made fields do that.
#[component]
pub fn Field(
    /// The control's id. One per page.
    #[prop(into)]
    id: String,
    /// The visible label.
    #[prop(into)]
    label: String,
    /// What to enter and where to find it. Empty: none.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong and how to put it right.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// The control.
    children: Children,
) -> impl IntoView {
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    view! {
        <div class="db-field" class:db-field--error=move || error.with(Option::is_some)>
            <label for=id class="db-field__label">
                {label}
            </label>
            {(!hint.is_empty())
                .then(|| {
                    view! {
                        <p class="db-field__hint" id=hint_id>
                            {hint}
                        </p>
                    }
                })}
            {move || {
                error
                    .get()
                    .map(|text| {
                        view! {
                            <p class="db-field__error" id=error_id.clone()>
                                <Icon name="octagon-x" />
                                <span>
                                    <span class="db-visually-hidden">{t!("Error: ")}</span>
                                    {text}
                                </span>
                            </p>
                        }
                    })
            }}
            {children()}
        </div>
    }
    .into_any()
}

/// A one-line field.
#[component]
pub fn TextField(
    /// The input's id. One per page.
    #[prop(into)]
    id: String,
    /// The form field's name; the form's failure is read under it.
    #[prop(into)]
    name: String,
    /// The visible label.
    #[prop(into)]
    label: String,
    /// See [`Field`].
    #[prop(optional, into)]
    hint: String,
    /// The HTML input type.
    #[prop(default = "text")]
    kind: &'static str,
    /// What the field holds at first.
    #[prop(optional, into)]
    value: String,
    /// The HTML `autocomplete` token.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// May stay empty.
    #[prop(optional)]
    optional: bool,
    /// Set the value in the fixed-width face: identifiers, codes, addresses.
    #[prop(optional)]
    mono: bool,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    let wrong = message(error, name.clone());
    let described = described(&id, &hint, wrong);
    let value = if kind == "password" {
        value
    } else {
        typed(error, &name, value)
    };
    let class = if mono {
        "db-input db-input--mono"
    } else {
        "db-input"
    };
    let spellcheck = if mono || kind != "text" {
        "false"
    } else {
        "true"
    };
    view! {
        <Field id=id.clone() label hint error=wrong>
            <input
                class=class
                id=id
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                required=!optional
                spellcheck=spellcheck
                aria-describedby=described
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
            />
        </Field>
    }
}

/// A field for a secret. It never shows a value: a stored secret stays on the server, a typed one is not echoed back.
#[component]
pub fn SecretField(
    /// The input's id. One per page.
    #[prop(into)]
    id: String,
    /// The form field's name.
    #[prop(into)]
    name: String,
    /// The visible label.
    #[prop(into)]
    label: String,
    /// See [`Field`]. For a stored secret say so: "Stored. Leave empty to keep it."
    #[prop(optional, into)]
    hint: String,
    /// `current-password` at sign-in, `new-password` for a secret that must not be filled in from a password store.
    #[prop(default = "new-password")]
    autocomplete: &'static str,
    /// May stay empty.
    #[prop(optional)]
    optional: bool,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    view! {
        <TextField
            id
            name
            label
            hint
            kind="password"
            autocomplete
            optional
            mono=true
            error
        />
    }
}

/// Why somebody changes something, for the audit log. May stay empty.
#[component]
pub fn NoteField(
    /// The input's id. One per page.
    #[prop(into)]
    id: String,
    /// See [`TextField`].
    #[prop(optional, into)]
    value: String,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    view! {
        <TextField
            id
            name="note"
            label=t!("Note for the audit log (optional)")
            hint=t!("For example a ticket number.")
            value
            optional=true
            error
        />
    }
}

/// A note behind a disclosure, for forms that are one button in a list.
#[component]
pub fn Why(
    /// The input's id. One per page.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    view! {
        <details class="db-why">
            <summary>{t!("Say why")}</summary>
            <TextField id name="note" label=t!("Why, for the audit log") optional=true/>
        </details>
    }
    .into_any()
}

/// A submit button that says so while its form is under way.
#[component]
pub fn Submit(
    /// Verb and object: what it does.
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
        <button
            type="submit"
            class=format!("db-btn db-btn--{look}")
            disabled=move || pending.get()
            aria-busy=move || pending.get().then_some("true")
        >
            {label}
            {move || pending.get().then_some(" …")}
        </button>
    }
}
