//! A native drop-down list.

use leptos::prelude::*;

use super::Field;
use super::form::described_by;

/// A choice of one from few, as a native `<select>`.
#[component]
pub fn SelectField(
    /// The visible label.
    #[prop(into)]
    label: String,
    /// Form name and id.
    #[prop(into)]
    name: String,
    /// Value and text of each choice, in order. For "none chosen" put `("", "Choose a profile")` first.
    options: Vec<(String, String)>,
    /// The value that is chosen at first.
    #[prop(optional, into)]
    selected: String,
    /// See [`Field`].
    #[prop(optional, into)]
    hint: String,
    /// See [`Field`].
    #[prop(optional, into)]
    error: String,
    /// Whether the form cannot be sent while the empty value is chosen.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let described = described_by(&name, &hint, &error);
    let invalid = (!error.is_empty()).then_some("true");
    let id = name.clone();
    let options = options
        .into_iter()
        .map(|(value, text)| {
            let chosen = value == selected;
            view! {
                <option value=value selected=chosen>
                    {text}
                </option>
            }
        })
        .collect_view();
    view! {
        <Field label name=name.clone() hint error>
            <select
                class="db-select"
                id=id
                name=name
                required=required
                aria-describedby=described
                aria-invalid=invalid
            >
                {options}
            </select>
        </Field>
    }
}
