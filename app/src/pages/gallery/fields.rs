//! Fields at rest and refused, choices, and what folds away.

use leptos::prelude::*;

use super::messages::refused;
use super::sample;
use crate::ui::{
    Failed, Field, NoteField, SecretField, Section, SelectField, Submit, TextArea, TextField, Why,
};

fn regions() -> Vec<(String, String)> {
    [
        ("", "Choose a region"),
        ("world", "Worldwide"),
        ("us", "United States"),
    ]
    .map(|(value, text)| (value.to_owned(), text.to_owned()))
    .to_vec()
}

pub(super) fn samples() -> AnyView {
    let nothing: Failed = Signal::stored(None);
    let error = refused();
    let secret = Signal::stored(Some(daybind_domain::AppError::field(
        "client_secret",
        "Enter the secret's value, not its ID.",
    )));
    let note = Signal::stored(Some(daybind_domain::AppError::field(
        "notes",
        "At most 4,000 characters.",
    )));
    let rest = view! {
        <Section title="Fields" id="fields">
            <form class="db-form" aria-label="Fields at rest">
                <TextField id="rest-name" name="display_name" label="Name" hint="It tells your profiles apart." value="Example main"/>
                <TextField id="rest-id" name="client_id" label="Client ID" mono=true optional=true error=nothing/>
                <TextField id="rest-date" name="ends" label="Secret ends on" kind="date" value="2027-01-31" optional=true/>
                <SecretField id="rest-secret" name="client_secret" label="Client secret" hint="Stored. Leave empty to keep it." optional=true/>
                <SelectField id="rest-region" name="region" label="Region" options=regions() selected="world"/>
                <TextArea id="rest-notes" name="notes" label="Notes" value="First line\nSecond line"/>
                <NoteField id="rest-note"/>
                <Field id="rest-own" label="A control of its own" hint="For what no ready-made field is.">
                    <input class="db-input" id="rest-own" type="number" value="24" aria-describedby="rest-own-hint"/>
                </Field>
                <Field id="rest-off" label="Switched off">
                    <input class="db-input" id="rest-off" value="Only an administrator changes this" disabled/>
                </Field>
                <div class="db-actions">
                    <Submit label="Save profile" pending=false/>
                    <Submit label="Save profile" pending=true look="secondary"/>
                </div>
            </form>
            <Why id="rest-why"/>
        </Section>
    };
    let wrong = view! {
        <Section title="Refused fields" id="refused">
            <form class="db-form" aria-label="Refused fields">
                <TextField id="wrong-name" name="display_name" label="Name" hint="It tells your profiles apart." error/>
                <SecretField id="wrong-secret" name="client_secret" label="Client secret" error=secret/>
                <SelectField id="wrong-region" name="region" label="Region" options=regions() error/>
                <TextArea id="wrong-notes" name="notes" label="Notes" value="Much too long" error=note/>
            </form>
        </Section>
    };
    let choices = view! {
        <Section title="Choices" id="choices">
            <fieldset class="db-field">
                <legend class="db-field__label">"Who does it"</legend>
                <ul class="db-checks">
                    <li><input type="checkbox" id="who-ada" checked/><label for="who-ada">"Ada Example"</label></li>
                    <li>
                        <input type="checkbox" id="who-bob"/><label for="who-bob">"Bob Example"</label>
                        <p class="db-field__hint">"Is away on that day."</p>
                    </li>
                </ul>
            </fieldset>
            <fieldset class="db-fieldset">
                <legend>"Which ones"</legend>
                <label class="db-choice">
                    <input type="radio" name="which" value="this" checked/>
                    <span>
                        <span class="db-choice__title">"This one"</span>
                        <span class="db-choice__text">"The others stay as they are."</span>
                    </span>
                </label>
                <label class="db-choice">
                    <input type="radio" name="which" value="all"/>
                    <span>
                        <span class="db-choice__title">"All of them"</span>
                        <span class="db-choice__text">"Also those that are over."</span>
                    </span>
                </label>
            </fieldset>
            <label class="db-check"><input type="checkbox"/><span>"Also those on other pages"</span></label>
            <details class="db-disclosure"><summary>"Folded away"</summary><p>"What it hides."</p></details>
            <details class="db-disclosure" open><summary>"Unfolded"</summary><p>"What it shows."</p></details>
            <form class="db-inline-form" aria-label="Filters">
                <SelectField id="inline-region" name="region" label="Show" options=regions() selected="us" optional=true/>
                <TextField id="inline-find" name="find" label="Search" value="ada" optional=true/>
                <div class="db-actions"><button type="button" class="db-btn db-btn--secondary">"Filter"</button></div>
            </form>
        </Section>
    };
    view! {
        {sample("fields", rest.into_any())}
        {sample("refused", wrong.into_any())}
        {sample("choices", choices.into_any())}
    }
    .into_any()
}
