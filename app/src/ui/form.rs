//! Fields: label above, hint, error in the same words as the summary, then the control.

use leptos::prelude::*;

use super::Icon;

/// The ids of the hint and the error that describe the control `name`, for `aria-describedby`.
pub(super) fn described_by(name: &str, hint: &str, error: &str) -> Option<String> {
    match (hint.is_empty(), error.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("{name}-hint")),
        (true, false) => Some(format!("{name}-error")),
        (false, false) => Some(format!("{name}-hint {name}-error")),
    }
}

/// The frame of one control. The control inside must have `id` equal to `name` and, where there is a hint or an error,
/// `aria-describedby` naming `{name}-hint` and `{name}-error`. The ready-made fields do that.
#[component]
pub fn Field(
    /// The visible label.
    #[prop(into)]
    label: String,
    /// The control's id, which its form name usually equals. One per page.
    #[prop(into)]
    name: String,
    /// What to enter and where to find it. Empty: none.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong and how to put it right. Empty: nothing is wrong.
    #[prop(optional, into)]
    error: String,
    /// The control.
    children: Children,
) -> impl IntoView {
    let class = if error.is_empty() {
        "db-field"
    } else {
        "db-field db-field--error"
    };
    let hint_id = format!("{name}-hint");
    let error_id = format!("{name}-error");
    view! {
        <div class=class>
            <label class="db-field__label" for=name>
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
            {(!error.is_empty())
                .then(|| {
                    view! {
                        <p class="db-field__error" id=error_id>
                            <Icon name="octagon-x" />
                            <span>
                                <span class="db-visually-hidden">"Error: "</span>
                                {error}
                            </span>
                        </p>
                    }
                })} {children()}
        </div>
    }
}

/// A one-line field.
#[component]
pub fn TextField(
    /// The visible label.
    #[prop(into)]
    label: String,
    /// Form name and id.
    #[prop(into)]
    name: String,
    /// What the field holds at first; after an error, what was typed.
    #[prop(optional, into)]
    value: String,
    /// See [`Field`].
    #[prop(optional, into)]
    hint: String,
    /// See [`Field`].
    #[prop(optional, into)]
    error: String,
    /// The HTML `autocomplete` token. Default `off`.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether the form cannot be sent without it.
    #[prop(optional)]
    required: bool,
    /// The HTML input type. Default `text`.
    #[prop(default = "text")]
    input_type: &'static str,
    /// Set the value in the fixed-width face: identifiers, codes, addresses.
    #[prop(optional)]
    mono: bool,
) -> impl IntoView {
    let described = described_by(&name, &hint, &error);
    let invalid = (!error.is_empty()).then_some("true");
    let class = if mono {
        "db-input db-input--mono"
    } else {
        "db-input"
    };
    let id = name.clone();
    let spellcheck = if mono || input_type != "text" {
        "false"
    } else {
        "true"
    };
    view! {
        <Field label name=name.clone() hint error>
            <input
                class=class
                id=id
                name=name
                type=input_type
                value=value
                autocomplete=autocomplete
                required=required
                spellcheck=spellcheck
                aria-describedby=described
                aria-invalid=invalid
            />
        </Field>
    }
}

/// A field for a secret. It never shows a value: a stored secret stays on the server, a typed one is not echoed back.
#[component]
pub fn SecretField(
    /// The visible label.
    #[prop(into)]
    label: String,
    /// Form name and id.
    #[prop(into)]
    name: String,
    /// See [`Field`]. For a stored secret say so: "Stored. Leave empty to keep it."
    #[prop(optional, into)]
    hint: String,
    /// See [`Field`].
    #[prop(optional, into)]
    error: String,
    /// `current-password` at sign-in, `new-password` for a secret that must not be filled in from a password store.
    #[prop(default = "new-password")]
    autocomplete: &'static str,
    /// Whether the form cannot be sent without it.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    view! {
        <TextField label name hint error autocomplete required input_type="password" mono=true />
    }
}
