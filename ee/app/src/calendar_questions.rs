//! What waits for the owner of a connection, and what the owner decides once and for all.

use daybind_app::api::calendar::{AnswerCalendarQuestion, UpdateCalendarRules};
use daybind_app::ui::{Field, Submit};
use daybind_domain::view::{ConnectionView, QuestionPartView, QuestionView};
use daybind_words::t;
use leptos::prelude::*;

use crate::calendar_conflict::address;

/// Every open question of a connection, each with its answers.
#[component]
pub fn Questions(
    connection: ConnectionView,
    answer: ServerAction<AnswerCalendarQuestion>,
) -> impl IntoView {
    if connection.questions.is_empty() {
        return ().into_any();
    }
    let title = match connection.questions.len() {
        1 => t!("One question waits for you").to_owned(),
        more => t!("{more} questions wait for you"),
    };
    let id = format!("questions-{}", connection.connection_id);
    let calendar = connection.provider_label.clone();
    let questions: Vec<_> = connection
        .questions
        .into_iter()
        .map(|question| {
            let connection_id = connection.connection_id.clone();
            view! { <Question question connection_id calendar=calendar.clone() answer/> }
        })
        .collect();
    let labelled_by = id.clone();
    view! {
        <section class="db-questions" aria-labelledby=labelled_by>
            <h3 id=id>{title}</h3>
            {questions}
        </section>
    }
    .into_any()
}

fn sentence(kind: &str, calendar: &str) -> String {
    match kind {
        "deletion" => t!(
            "Its event was deleted in {calendar}, and nobody else does this work. Call the work off, or put the event back?"
        ),
        "many_deletions" => t!("That is more than usual, so nothing was done yet. Accepted, you are taken off work that others \
             share, and work that is yours alone is called off. Otherwise the events are made again.")
            .to_owned(),
        "many_removals" => t!("Their schedule entries were deleted, called off or given to others. That is more than usual, so \
             nothing was removed yet. Accept, or mend the schedule first and let Daybind look again.")
            .to_owned(),
        _ => t!("Changed differently in the schedule and in {calendar}. Which version stays?"),
    }
}

#[component]
fn Question(
    question: QuestionView,
    connection_id: String,
    calendar: String,
    answer: ServerAction<AnswerCalendarQuestion>,
) -> impl IntoView {
    let text = sentence(&question.kind, &calendar);
    let choices: [(&str, &str); 2] = match question.kind.as_str() {
        "deletion" => [
            ("cancel", t!("Call the work off")),
            ("put_back", t!("Put the event back")),
        ],
        "many_deletions" => [
            ("accept", t!("Accept the deletions")),
            ("put_back", t!("Put the events back")),
        ],
        "many_removals" => [
            ("accept", t!("Remove them")),
            ("look_again", t!("Look again")),
        ],
        _ => [
            ("schedule", t!("Keep the schedule's")),
            ("calendar", t!("Keep the calendar's")),
        ],
    };
    let parts = if question.parts.is_empty() {
        vec![("all".to_owned(), None)]
    } else {
        let part = |part: QuestionPartView| (part.part.clone(), Some(part));
        question.parts.into_iter().map(part).collect()
    };
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(part, versions)| {
            let versions = versions.map(|versions| {
                view! {
                    <dl class="db-facts">
                        <dt>{t!("Schedule: {}", versions.name)}</dt>
                        <dd>{shown(versions.schedule)}</dd>
                        <dt>{format!("{calendar}: {}", versions.name)}</dt>
                        <dd>{shown(versions.calendar)}</dd>
                    </dl>
                }
            });
            let forms: Vec<_> = choices
                .into_iter()
                .map(|(choice, label)| {
                    let (connection, question, part) = (
                        connection_id.clone(),
                        question.question_id.clone(),
                        part.clone(),
                    );
                    view! {
                        <ActionForm action=answer>
                            <input type="hidden" name="connection_id" value=connection/>
                            <input type="hidden" name="question_id" value=question/>
                            <input type="hidden" name="part" value=part/>
                            <input type="hidden" name="choice" value=choice/>
                            <Submit label=label pending=answer.pending() look="secondary"/>
                        </ActionForm>
                    }
                })
                .collect();
            view! {
                {versions}
                <div class="db-form__actions">{forms}</div>
            }
        })
        .collect();
    let compare = (question.kind == "fields").then(|| {
        let (href, about) = (address(&question.question_id), question.title.clone());
        view! {
            <p>
                <a class="db-btn db-btn--secondary" href=href>
                    {t!("Compare and choose")}<span class="db-visually-hidden">": "{about}</span>
                </a>
            </p>
        }
    });
    view! {
        <article class="db-question">
            <h4>{question.title}</h4>
            <p>{text}</p>
            {compare}
            {parts}
        </article>
    }
    .into_any()
}

/// An empty version is one too.
fn shown(text: String) -> String {
    if text.is_empty() {
        t!("(empty)").to_owned()
    } else {
        text
    }
}

/// What happens without asking.
#[component]
pub fn Rules(
    connection: ConnectionView,
    update: ServerAction<UpdateCalendarRules>,
) -> impl IntoView {
    let id = |name: &str| format!("{name}-of-{}", connection.connection_id);
    let options = |chosen: &str, all: &[(&'static str, &'static str)]| -> Vec<_> {
        all.iter()
            .map(|(value, label)| {
                let selected = chosen == *value;
                view! { <option value=*value selected=selected>{*label}</option> }
            })
            .collect()
    };
    let rules = &connection.rules;
    let conflict = options(
        &rules.conflict_policy,
        &[
            ("ask", t!("Ask me")),
            ("schedule", t!("The schedule's version stays")),
            ("calendar", t!("The calendar's version stays")),
            ("newest", t!("The newer version stays")),
        ],
    );
    let deletion = options(
        &rules.deletion_policy,
        &[
            ("ask", t!("Ask me")),
            ("cancel", t!("Call the work off")),
            ("put_back", t!("Put the event back")),
        ],
    );
    let import = options(
        &rules.import_rule,
        &[
            ("nothing", t!("Nothing else")),
            (
                "marked",
                t!("Events with @daybind (or @alga) in title or notes"),
            ),
            ("busy", t!("All events, as busy blocks without words")),
        ],
    );
    let (conflict_id, deletion_id) = (id("conflicts"), id("deletions"));
    let (import_id, private_id) = (id("import"), id("private"));
    let import_hint = format!("{import_id}-hint");
    let private = rules.show_private;
    view! {
        <details class="db-disclosure">
            <summary>{t!("Rules")}</summary>
            <ActionForm action=update>
                <input type="hidden" name="connection_id" value=connection.connection_id.clone()/>
                <Field id=conflict_id.clone() label=t!("Both sides changed the same")>
                    <select class="db-select" id=conflict_id name="conflict_policy">{conflict}</select>
                </Field>
                <Field id=deletion_id.clone() label=t!("An event of work that is yours alone was deleted in the calendar")>
                    <select class="db-select" id=deletion_id name="deletion_policy">{deletion}</select>
                </Field>
                <Field
                    id=import_id.clone()
                    label=t!("Comes in besides your schedule entries")
                    hint=t!("What came in as work stays in the schedule and in step, also when you remove its marker or change this rule. Busy blocks come and go with the rule.")
                >
                    <select class="db-select" id=import_id name="import_rule" aria-describedby=import_hint>{import}</select>
                </Field>
                <p class="db-field db-field--check">
                    <input type="checkbox" name="show_private" value="true" id=private_id.clone() checked=private/>
                    <label for=private_id>{t!("Private events show their words to your colleagues")}</label>
                </p>
                <Submit label=t!("Save rules") pending=update.pending() look="secondary"/>
            </ActionForm>
        </details>
    }
    .into_any()
}
