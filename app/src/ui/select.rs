//! A native drop-down list.

use leptos::prelude::*;

use super::action::{Failed, message};
use super::form::{Field, described};
use super::typed::typed;

/// A choice of one from few, as a native `<select>`.
#[component]
pub fn SelectField(
    /// The control's id. One per page.
    #[prop(into)]
    id: String,
    /// The form field's name.
    #[prop(into)]
    name: String,
    /// The visible label.
    #[prop(into)]
    label: String,
    /// Value and text of each choice, in order. For "none chosen" put `("", "Choose a profile")` first.
    options: Vec<(String, String)>,
    /// The value that is chosen at first.
    #[prop(optional, into)]
    selected: String,
    /// See [`Field`].
    #[prop(optional, into)]
    hint: String,
    /// The form may be sent while the empty value is chosen.
    #[prop(optional)]
    optional: bool,
    /// The form's failure.
    #[prop(optional, into)]
    error: Failed,
) -> impl IntoView {
    let wrong = message(error, name.clone());
    let described = described(&id, &hint, wrong);
    let selected = typed(error, &name, selected);
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
        <Field id=id.clone() label hint error=wrong>
            <select
                class="db-select"
                id=id
                name=name
                required=!optional
                aria-describedby=described
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
            >
                {options}
            </select>
        </Field>
    }
}
