//! What the next sync would do: counts in sentences, the list, and why the rest is left alone.

use daybind_app::api::calendar::{UpdateCalendarProvider, preview_calendar_sync};
use daybind_app::pages::failure::Failure;
use daybind_app::ui::{Banner, BannerKind, Submit};
use daybind_domain::view::{ConnectionView, PreviewCount, PreviewLine, SyncPreview};
use daybind_words::t;
use leptos::prelude::*;

/// What is asked for besides the connection: empty where the connection has it already.
#[derive(Clone, PartialEq, Eq)]
pub struct Choice {
    /// The provider's id of the calendar.
    pub calendar_id: String,
    /// In which direction changes shall travel.
    pub direction: String,
}

/// The preview of a connection's next sync. Before the first one it ends with the button that starts it.
#[component]
pub fn Preview(
    connection: ConnectionView,
    choice: Choice,
    update: ServerAction<UpdateCalendarProvider>,
    back: &'static str,
) -> impl IntoView {
    let asked = (connection.connection_id.clone(), choice.clone());
    let found = Resource::new(
        move || asked.clone(),
        |(id, choice)| preview_calendar_sync(id, choice.calendar_id, choice.direction),
    );
    let heading = format!("preview-of-{}", connection.connection_id);
    let labelled = heading.clone();
    let start = (connection.status == "configuring").then(|| {
        view! {
            <ActionForm action=update>
                <input type="hidden" name="connection_id" value=connection.connection_id.clone()/>
                <input type="hidden" name="calendar_id" value=choice.calendar_id.clone()/>
                <input type="hidden" name="direction" value=choice.direction.clone()/>
                <p class="db-form__actions">
                    <Submit label=t!("Start syncing") pending=update.pending()/>
                    <a class="db-btn db-btn--quiet" href=back>{t!("Choose differently")}</a>
                </p>
            </ActionForm>
        }
    });
    let close = start.is_none().then(|| {
        view! { <p class="db-form__actions"><a class="db-btn db-btn--quiet" href=back>{t!("Close the preview")}</a></p> }
    });
    view! {
        <section class="db-preview" aria-labelledby=labelled>
            <h3 id=heading tabindex="-1">{t!("Preview")}</h3>
            <Suspense fallback=|| view! { <p>{t!("Reading your calendar. A full one takes a moment …")}</p> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(preview) => view! { <Found preview/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Suspense>
            {start}
            {close}
        </section>
    }
    .into_any()
}

#[component]
fn Found(preview: SyncPreview) -> impl IntoView {
    let label = preview.provider_label.clone();
    let sentences: Vec<_> = preview
        .counts
        .iter()
        .filter(|count| count.action != "skipped")
        .map(|count| view! { <li>{sentence(count, &label)}</li> })
        .collect();
    let summary = if sentences.is_empty() {
        view! { <p>{t!("Both sides are in step: nothing would change.")}</p> }.into_any()
    } else {
        let lead = if preview.first {
            t!("The first sync will:")
        } else {
            t!("The next sync will:")
        };
        view! {
            <p>{lead}</p>
            <ul>{sentences}</ul>
        }
        .into_any()
    };
    let warning = preview.asks_first.map(|count| {
        let title = t!("It would remove {count} at once, so it stops and asks you first.");
        view! { <Banner kind=BannerKind::Warning title/> }
    });
    let left: Vec<_> = preview
        .counts
        .iter()
        .filter(|count| count.action == "skipped")
        .map(|count| {
            view! { <li>{events(count.count)}": "{why(&count.reason).to_owned()}</li> }
        })
        .collect();
    let left = (!left.is_empty()).then(|| {
        view! {
            <p>{t!("Left where they are:")}</p>
            <ul>{left}</ul>
        }
    });
    let rows: Vec<_> = preview.lines.iter().map(|line| row(line, &label)).collect();
    let more = (preview.more > 0).then(|| view! { <p>{t!("And {} more.", preview.more)}</p> });
    let list = (!rows.is_empty()).then(|| {
        view! {
            <details class="db-disclosure">
                <summary>{t!("Show the list")}</summary>
                <div class="db-table-wrap">
                    <table class="db-table" aria-label=t!("What would be done")>
                        <thead>
                            <tr>
                                <th scope="col">{t!("Entry or event")}</th>
                                <th scope="col">{t!("When")}</th>
                                <th scope="col">{t!("What happens")}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {more}
            </details>
        }
    });
    view! {
        {warning}
        {summary}
        {left}
        {list}
        <p>{t!("Nothing has been changed yet: this is what would happen now.")}</p>
    }
    .into_any()
}

fn row(line: &PreviewLine, label: &str) -> AnyView {
    let title = if line.title.is_empty() {
        t!("(no title)").to_owned()
    } else {
        line.title.clone()
    };
    let fields = if line.fields.is_empty() {
        String::new()
    } else {
        format!(" ({})", line.fields.join(", "))
    };
    let reason = if line.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", why(&line.reason))
    };
    let happens = format!(
        "{}{fields}{reason}",
        happens(&line.side, &line.action, label)
    );
    view! {
        <tr>
            <th scope="row">{title}</th>
            <td data-label=t!("When")>{line.when.clone()}</td>
            <td data-label=t!("What happens")>{happens}</td>
        </tr>
    }
    .into_any()
}

fn entries(count: u64) -> String {
    match count {
        1 => t!("1 entry").to_owned(),
        count => t!("{count} entries"),
    }
}

fn events(count: u64) -> String {
    match count {
        1 => t!("1 event").to_owned(),
        count => t!("{count} events"),
    }
}

/// A count as the rest of "The next sync will …".
fn sentence(count: &PreviewCount, label: &str) -> String {
    let n = count.count;
    match (count.side.as_str(), count.action.as_str()) {
        ("calendar", "created") => t!("add {} to {label}", entries(n)),
        ("calendar", "changed") => t!("change {} in {label}", events(n)),
        ("calendar", _) => t!("remove {} from {label}", events(n)),
        ("schedule", "created") => t!("bring {} into the schedule", events(n)),
        ("schedule", "changed") => t!("change {} in the schedule", entries(n)),
        ("schedule", _) => t!("take {} off the schedule", entries(n)),
        (_, "conflict") => t!("ask you about {}", entries(n)),
        (_, "refused") => t!("leave out {} that {label} cannot express", entries(n)),
        (_, other) => format!("{other} {n}"),
    }
}

/// What happens to one entry or event.
fn happens(side: &str, action: &str, label: &str) -> String {
    match (side, action) {
        ("calendar", "created") => t!("Added to {label}"),
        ("calendar", "changed") => t!("Changed in {label}"),
        ("calendar", _) => t!("Removed from {label}"),
        ("schedule", "created") => t!("Brought into the schedule").to_owned(),
        ("schedule", "changed") => t!("Changed in the schedule").to_owned(),
        ("schedule", _) => t!("Taken off the schedule").to_owned(),
        (_, "conflict") => t!("You will be asked").to_owned(),
        (_, "refused") => t!("Not sent to {label}"),
        _ => t!("Left where it is").to_owned(),
    }
}

/// A reason in words. What is no code is words already.
fn why(reason: &str) -> &str {
    match reason {
        "nothing_imported" => t!("your rules bring in nothing but your schedule entries"),
        "not_marked" => t!("no @daybind in title or notes"),
        "shown_as_free" => t!("you are shown as free then"),
        "own_copy" => t!("a copy that Daybind made through another connection"),
        "same_event" => {
            t!("the same event stands in another calendar of yours, which speaks for it")
        }
        "occurrence" => t!("an occurrence of a series that stays where it is"),
        "one_way" => t!("changes go from Daybind to the calendar only"),
        "both_changed" => t!("it was changed on both sides"),
        "not_brought_in" => t!("your rules do not bring its event in any more"),
        "event_deleted" => t!("it was deleted in the calendar"),
        "taken_off" => {
            t!("it was deleted in your calendar, so you are taken off; your colleagues go on")
        }
        "cancelled" => t!("it was deleted in the calendar, so the work is called off"),
        "split" => t!("a series was split in the calendar, and goes on as the schedule says"),
        "perhaps_split" => {
            t!(
                "a series begins in the calendar where this one was cut off; those meetings may be there twice"
            )
        }
        "series_gone" => t!("its series is gone from the calendar"),
        words => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_sentences() {
        let count = |side: &str, action: &str, count| PreviewCount {
            side: side.to_owned(),
            action: action.to_owned(),
            reason: String::new(),
            count,
        };
        for (side, action, n, words) in [
            ("calendar", "created", 14, "add 14 entries to Outlook"),
            ("calendar", "removed", 1, "remove 1 event from Outlook"),
            ("schedule", "created", 2, "bring 2 events into the schedule"),
            ("schedule", "removed", 1, "take 1 entry off the schedule"),
            ("none", "conflict", 1, "ask you about 1 entry"),
            (
                "none",
                "refused",
                2,
                "leave out 2 entries that Outlook cannot express",
            ),
        ] {
            assert_eq!(sentence(&count(side, action, n), "Outlook"), words);
        }
    }
}
