//! Profile > Calendar: connect, choose, sync and disconnect one's own calendars.

use daybind_app::api::calendar::{
    AnswerCalendarQuestion, DeleteCalendarProvider, InitiateCalendarOauth, PauseCalendarProvider,
    SyncCalendarProvider, UpdateCalendarProvider, UpdateCalendarRules, get_calendar_providers,
    list_remote_calendars,
};
use daybind_app::live::{Changed, News};
use daybind_app::pages::failure::Failure;
use daybind_app::pages::query_value;
use daybind_app::ui::{
    Announcement, Banner, BannerKind, CopyField, EmptyState, ErrorSummary, Field, LaneCard,
    Section, Submit, failed, keep_focus, successes,
};
use daybind_domain::view::{
    CalendarProfileView, ConnectOption, ConnectionView, RemoteCalendarView,
};
use daybind_words::t;
use leptos::prelude::*;

use crate::calendar_conflict::ConflictChooser;
use crate::calendar_pause::{Pause, Resume};
use crate::calendar_preview::{Choice, Preview};
use crate::calendar_questions::{Questions, Rules};
use crate::connection::{direction, direction_sentence, lanes, standing};
use crate::outcome::{connected, explain};
use crate::own_conflicts::{self, OwnConflicts};

const HERE: &str = "/msp/profile?tab=calendar";
/// A control that pointer or focus is on, or something open that is being filled in or read.
const HOLD: &str = "#main :is(a,button,input,select,textarea,summary):is(:hover,:focus),#main details[open],#main .db-lane-card__body select,#main .db-preview";

/// What the forms of this page do; shared by its cards.
#[derive(Clone, Copy)]
struct Actions {
    connect: ServerAction<InitiateCalendarOauth>,
    update: ServerAction<UpdateCalendarProvider>,
    sync: ServerAction<SyncCalendarProvider>,
    delete: ServerAction<DeleteCalendarProvider>,
    rules: ServerAction<UpdateCalendarRules>,
    answer: ServerAction<AnswerCalendarQuestion>,
    pause: ServerAction<PauseCalendarProvider>,
}

/// What the address asks for: the connection being edited, the one being previewed, and with which choice.
#[derive(Clone, Copy)]
struct Shown {
    editing: Memo<String>,
    preview: Memo<String>,
    calendar: Memo<String>,
    direction: Memo<String>,
}

/// The tab: one disagreement where the address names one (`conflict`), all of them (`view`), all calendars otherwise.
#[component]
pub fn CalendarProfile() -> impl IntoView {
    let (conflict, view) = (query_value("conflict"), query_value("view"));
    move || match conflict.get() {
        id if id.is_empty() && view.get() == "conflicts" => view! { <OwnConflicts/> }.into_any(),
        id if id.is_empty() => view! { <Calendars/> }.into_any(),
        id => view! { <ConflictChooser conflict_id=id/> }.into_any(),
    }
}

/// All calendars. `calendarAuth`, `calendarError` and `renewed` tell the result of an OAuth round trip, `connection` the one being
/// edited.
#[component]
fn Calendars() -> impl IntoView {
    let (auth, code) = (query_value("calendarAuth"), query_value("calendarError"));
    let (saved, renewed) = (query_value("saved"), query_value("renewed"));
    let shown = Shown {
        editing: query_value("connection"),
        preview: query_value("preview"),
        calendar: query_value("calendar_id"),
        direction: query_value("direction"),
    };
    // Whoever comes back from the provider starts reading here, where the result follows.
    let returned = auth.with_untracked(|auth| !auth.is_empty());
    let actions = Actions {
        connect: ServerAction::new(),
        update: ServerAction::new(),
        sync: ServerAction::new(),
        delete: ServerAction::new(),
        rules: ServerAction::new(),
        answer: ServerAction::new(),
        pause: ServerAction::new(),
    };
    let (updated, synced, deleted) = (
        successes(actions.update),
        successes(actions.sync),
        successes(actions.delete),
    );
    let (ruled, answered) = (successes(actions.rules), successes(actions.answer));
    let rested = successes(actions.pause);
    let view = Resource::new(
        move || {
            (
                updated.get(),
                synced.get(),
                deleted.get(),
                ruled.get(),
                answered.get(),
                rested.get(),
            )
        },
        |_| get_calendar_providers(),
    );
    keep_focus(view, move || {
        (
            updated.get(),
            synced.get(),
            deleted.get(),
            ruled.get(),
            answered.get(),
            rested.get(),
        )
    });
    let announcement = move || {
        let text = match saved.get().as_str() {
            "calendar" => t!("Calendar and direction are saved. The first sync starts now."),
            "direction" => t!("The direction is saved."),
            "rules" => t!("The rules are saved."),
            "answer" => t!("Your answer is taken over with the sync that starts now."),
            "paused" => t!("The calendar is paused."),
            "resumed" => t!("The calendar goes on. What changed meanwhile is taken over now."),
            "disconnected" => t!("The calendar is disconnected."),
            "sync" => t!("A sync has been started. It usually takes less than a minute."),
            _ => return None,
        };
        Some(view! { <Announcement text dismiss=HERE/> })
    };
    let result = move || match auth.get().as_str() {
        "success" => {
            let renewed = renewed.with(|count| count.parse().unwrap_or(0));
            let choose = renewed == 0 || shown.editing.with(|id| !id.is_empty());
            Some(view! { <Announcement text=connected(choose, renewed) dismiss=HERE/> }.into_any())
        }
        "error" => {
            let (cause, next) = code.with(|code| explain(code));
            Some(
                view! {
                    <Banner kind=BannerKind::Danger title=cause>
                        <p>{next}</p>
                        <p><a href=HERE>{t!("Dismiss")}</a></p>
                    </Banner>
                }
                .into_any(),
            )
        }
        _ => None,
    };
    view! {
        <header class="db-page-head">
            <h1 id="calendar-heading" tabindex="-1" autofocus=returned>{t!("Calendar")}</h1>
            <p class="db-page-head__lede">{t!("Your schedule entries and your own calendar, kept in step.")}</p>
        </header>
        {result}
        {announcement}
        <ErrorSummary error=failed(actions.connect)/>
        <ErrorSummary error=failed(actions.update)/>
        <ErrorSummary error=failed(actions.sync)/>
        <ErrorSummary error=failed(actions.delete)/>
        <ErrorSummary error=failed(actions.rules)/>
        <ErrorSummary error=failed(actions.answer)/>
        <ErrorSummary error=failed(actions.pause)/>
        <Transition fallback=|| view! { <p>{t!("Loading your calendars …")}</p> }>
            {move || Suspend::new(async move {
                match view.await {
                    Ok(view) => view! { <Connections view shown actions/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
        <Changed
            topics=&["connection", "conflict", "entry"]
            shown=view
            read=get_calendar_providers
            text=t!("Your calendars have changed.")
            news=news
            hold=HOLD
        />
    }
    .into_any()
}

/// A step of a first sync needs no word.
fn news(shown: &CalendarProfileView, now: &CalendarProfileView) -> News {
    let stand = |view: &CalendarProfileView| -> Vec<_> {
        let rows = view.connections.iter();
        rows.map(|row| (row.status.clone(), row.syncing)).collect()
    };
    if shown == now {
        News::Nothing
    } else if stand(shown) == stand(now) {
        News::Small
    } else {
        News::Said
    }
}

#[component]
fn Connections(view: CalendarProfileView, shown: Shown, actions: Actions) -> impl IntoView {
    let empty = view.connections.is_empty().then(|| {
        view! {
            <EmptyState
                title=t!("No calendar is connected")
                text=t!("Connect the one in which you plan your day. Your schedule entries then appear there, and your changes come back.")
            />
        }
    });
    let more = (!view.connections.is_empty()).then(|| {
        view! {
            <p>
                {t!("You can connect more than one calendar, of the same account or of another. Your schedule entries go to each of them, as its direction says; a calendar is connected once.")}
            </p>
        }
    });
    let questions = view.connections.iter().flat_map(|row| &row.questions);
    let several = questions.filter(|one| one.kind == "fields").count() > 1;
    let several = several.then(|| {
        view! {
            <p><a class="db-btn db-btn--secondary" href=own_conflicts::HERE>{t!("Answer several conflicts at once")}</a></p>
        }
    });
    let providers: Vec<String> = view
        .connections
        .iter()
        .map(|connection| connection.provider.clone())
        .collect();
    let count = |provider: &str| providers.iter().filter(|other| *other == provider).count();
    let cards: Vec<_> = view
        .connections
        .into_iter()
        .map(|connection| {
            let alone = count(&connection.provider) == 1;
            view! { <Card connection alone shown actions/> }
        })
        .collect();
    let options: Vec<_> = view
        .options
        .into_iter()
        .map(|option| {
            let another = count(&option.provider) > 0;
            view! { <Connect option another actions/> }
        })
        .collect();
    view! {
        {empty}
        {several}
        {cards}
        <Section title=t!("Connect a calendar") id="connect-heading">{more}{options}</Section>
    }
    .into_any()
}

/// A provider one can connect, or what is missing; `another` where one of its calendars is connected already.
#[component]
fn Connect(option: ConnectOption, another: bool, actions: Actions) -> impl IntoView {
    let label = match (another, option.provider.as_str()) {
        (false, _) => t!("Connect {}", option.label),
        (true, "google") => t!("Connect another Google calendar").to_owned(),
        (true, _) => t!("Connect another {} calendar", option.label),
    };
    let asks = t!("What Daybind asks {} for", option.label);
    let action = if option.available {
        view! {
            <ActionForm action=actions.connect>
                <input type="hidden" name="provider" value=option.provider/>
                <Submit label pending=actions.connect.pending() look="secondary"/>
            </ActionForm>
        }
        .into_any()
    } else {
        let reason = option.reason.unwrap_or_else(|| {
            t!("An administrator must set it up under Settings > Integrations first.").to_owned()
        });
        let message = option
            .ask
            .map(|value| view! { <CopyField label=t!("Message for your administrator") value/> });
        let mend = option
            .mend
            .map(|href| view! { <p><a href=href>{t!("Set it up")}</a></p> });
        view! {
            <p>{option.label}{t!(" cannot be connected yet. ")}{reason}</p>
            {message}
            {mend}
        }
        .into_any()
    };
    let scopes: Vec<_> = option
        .scopes
        .into_iter()
        .map(|scope| view! { <li>{scope}</li> })
        .collect();
    view! {
        <div class="db-connect">
            {action}
            {(!scopes.is_empty()).then(|| view! {
                <details class="db-disclosure">
                    <summary>{asks}</summary>
                    <ul>{scopes}</ul>
                </details>
            })}
        </div>
    }
    .into_any()
}

/// One connection: both sides, how it stands, and the one next action. One that is not `alone` with its provider is headed by
/// its calendar too.
#[component]
fn Card(connection: ConnectionView, alone: bool, shown: Shown, actions: Actions) -> impl IntoView {
    let kind = standing(&connection);
    let configuring = connection.status == "configuring";
    let heading = format!("connection-{}", connection.connection_id);
    let id = connection.connection_id.clone();
    let (card, looked_at) = (id.clone(), connection.clone());
    let previewed = Memo::new(move |_| shown.preview.with(|preview| *preview == card));
    let open = Memo::new(move |_| {
        let asked = configuring || shown.editing.with(|editing| *editing == id);
        asked && !previewed.get()
    });
    let edited = connection.clone();
    let preview = move || {
        previewed.get().then(|| {
            let choice = Choice {
                calendar_id: shown.calendar.get(),
                direction: shown.direction.get(),
            };
            view! { <Preview connection=looked_at.clone() choice update=actions.update back=HERE/> }
        })
    };
    let last = connection.last_sync.clone().map_or_else(
        || t!("Not synced yet.").to_owned(),
        |text| t!("Last sync: {text}."),
    );
    let next = match connection.status.as_str() {
        "configuring" => ().into_any(),
        "needs_reconnect" => {
            view! { <Reconnect connection=connection.clone() actions/> }.into_any()
        }
        "connected" => {
            view! { <SyncNow connection=connection.clone() actions label=t!("Sync now")/> }
                .into_any()
        }
        "paused" if connection.paused => {
            let connection_id = connection.connection_id.clone();
            view! { <Resume connection_id pause=actions.pause/> }.into_any()
        }
        // Answering the question is the way on.
        "paused" => ().into_any(),
        _ => view! { <SyncNow connection=connection.clone() actions label=t!("Try again")/> }
            .into_any(),
    };
    let edit = (!configuring).then(|| {
        let href = format!("{HERE}&connection={}", connection.connection_id);
        let ahead = format!("{HERE}&preview={}", connection.connection_id);
        view! {
            <a class="db-btn db-btn--quiet" href=ahead>{t!("Preview the next sync")}</a>
            <a class="db-btn db-btn--quiet" href=href>{t!("Change direction")}</a>
        }
    });
    let rest = (!configuring && !connection.paused).then(|| {
        let connection_id = connection.connection_id.clone();
        view! { <Pause connection_id pause=actions.pause/> }
    });
    let rules = (!configuring)
        .then(|| view! { <Rules connection=connection.clone() update=actions.rules/> });
    let (left, right) = lanes(&connection, t!("Your schedule entries"));
    let sentence = direction_sentence(&connection.direction, &connection.provider_label);
    view! {
        <LaneCard
            id=heading
            title=title(&connection, alone)
            status=kind
            left
            right
            direction=direction(&connection.direction)
        >
            <div class="db-lane-card__body">
                <p>{sentence}</p>
                <p>{connection.status_text.clone()}</p>
                <p>{last}" "{connection.delivery.clone()}</p>
                <Questions connection=connection.clone() answer=actions.answer/>
                {move || open.get().then(|| view! { <Edit connection=edited.clone() actions/> })}
                {preview}
            </div>
            <div class="db-lane-card__foot">
                {next}
                {edit}
                {rest}
                {rules}
                <Disconnect connection actions/>
            </div>
        </LaneCard>
    }
    .into_any()
}

fn title(connection: &ConnectionView, alone: bool) -> String {
    let provider = &connection.provider_label;
    match connection.calendar_name.as_str() {
        _ if alone => provider.clone(),
        "" => t!("{provider}: no calendar yet"),
        calendar => format!("{provider}: {calendar}"),
    }
}

#[component]
fn SyncNow(connection: ConnectionView, actions: Actions, label: &'static str) -> impl IntoView {
    view! {
        <ActionForm action=actions.sync>
            <input type="hidden" name="connection_id" value=connection.connection_id/>
            <Submit label pending=actions.sync.pending()/>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Reconnect(connection: ConnectionView, actions: Actions) -> impl IntoView {
    view! {
        <ActionForm action=actions.connect>
            <input type="hidden" name="provider" value=connection.provider/>
            <input type="hidden" name="connection_id" value=connection.connection_id/>
            <Submit label=t!("Reconnect") pending=actions.connect.pending()/>
        </ActionForm>
    }
    .into_any()
}

/// Offers the account's calendars and the direction; a calendar that was chosen stays, and only the direction changes.
#[component]
fn Edit(connection: ConnectionView, actions: Actions) -> impl IntoView {
    if connection.status != "configuring" {
        return view! { <Direction connection actions/> }.into_any();
    }
    let id = connection.connection_id.clone();
    let calendars = Resource::new(move || id.clone(), list_remote_calendars);
    view! {
        <Suspense fallback=|| view! { <p>{t!("Loading the calendars of this account …")}</p> }>
            {
                let connection = connection.clone();
                move || {
                    let connection = connection.clone();
                    Suspend::new(async move {
                        match calendars.await {
                            Ok(calendars) => {
                                let free: Vec<_> =
                                    calendars.into_iter().filter(|calendar| !calendar.taken).collect();
                                if free.is_empty() {
                                    view! { <NoneLeft connection actions/> }.into_any()
                                } else {
                                    view! { <Picker connection free/> }.into_any()
                                }
                            }
                            Err(error) => view! { <Failure error/> }.into_any(),
                        }
                    })
                }
            }
        </Suspense>
    }
    .into_any()
}

/// Every calendar of the account is connected already.
#[component]
fn NoneLeft(connection: ConnectionView, actions: Actions) -> impl IntoView {
    let text = t!(
        "All calendars of {} are connected already. Make another one in {} and reload this page, or end this connection.",
        connection.account,
        connection.provider_label
    );
    view! {
        <p>{text}</p>
        <ActionForm action=actions.delete>
            <input type="hidden" name="connection_id" value=connection.connection_id/>
            <input type="hidden" name="remove_copies" value="false"/>
            <Submit label=t!("End this connection") pending=actions.delete.pending() look="secondary"/>
        </ActionForm>
    }
    .into_any()
}

/// The calendars that nobody has connected, each with what can be done with it.
#[component]
fn Picker(connection: ConnectionView, free: Vec<RemoteCalendarView>) -> impl IntoView {
    // The account's main calendar is offered first.
    let offered = free
        .iter()
        .find(|calendar| calendar.is_primary)
        .map(|calendar| calendar.calendar_id.clone());
    let ask = offered
        .is_none()
        .then(|| view! { <option value="" selected=true>{t!("Choose a calendar")}</option> });
    let options: Vec<_> = free
        .into_iter()
        .map(|calendar| {
            let note = match (calendar.can_write, calendar.is_primary) {
                (false, _) => t!(" (read only)"),
                (true, true) => t!(" (main calendar)"),
                (true, false) => "",
            };
            let selected = offered.as_ref() == Some(&calendar.calendar_id);
            view! {
                <option value=calendar.calendar_id selected=selected>
                    {format!("{}{note}", calendar.name)}
                </option>
            }
        })
        .collect();
    let calendar_id = format!("calendar-of-{}", connection.connection_id);
    let calendar_hint = format!("{calendar_id}-hint");
    // The choice leads to a look at what it will do, where the sync is started.
    view! {
        <form method="get" action="/msp/profile">
            <input type="hidden" name="tab" value="calendar"/>
            <input type="hidden" name="preview" value=connection.connection_id.clone()/>
            <Field id=calendar_id.clone() label=t!("Calendar") hint=t!("Daybind reads and writes this calendar only.")>
                <select
                    class="db-select"
                    id=calendar_id
                    name="calendar_id"
                    required=true
                    aria-describedby=calendar_hint
                >
                    {ask}
                    {options}
                </select>
            </Field>
            <DirectionField connection/>
            <p class="db-form__actions">
                <button class="db-btn db-btn--primary" type="submit">{t!("Show what the first sync will do")}</button>
            </p>
        </form>
    }
    .into_any()
}

/// Changes the direction of a connection that has its calendar.
#[component]
fn Direction(connection: ConnectionView, actions: Actions) -> impl IntoView {
    view! {
        <ActionForm action=actions.update>
            <input type="hidden" name="connection_id" value=connection.connection_id.clone()/>
            <DirectionField connection/>
            <p class="db-field__hint">
                {t!("The calendar of a connection stays. Connect another one below; where this one is not wanted any more, disconnect it.")}
            </p>
            <p class="db-form__actions">
                <Submit label=t!("Save") pending=actions.update.pending()/>
                <a class="db-btn db-btn--quiet" href=HERE>{t!("Cancel")}</a>
            </p>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn DirectionField(connection: ConnectionView) -> impl IntoView {
    let direction = connection.direction;
    let id = format!("direction-of-{}", connection.connection_id);
    let choice = move |value: &'static str, label: &'static str| {
        let selected = direction == value;
        view! { <option value=value selected=selected>{label}</option> }
    };
    view! {
        <Field id=id.clone() label=t!("Direction")>
            <select class="db-select" id=id name="direction">
                {choice("bidirectional", t!("Both ways"))}
                {choice("to_external", t!("From Daybind to the calendar"))}
                {choice("from_external", t!("From the calendar to Daybind"))}
            </select>
        </Field>
    }
    .into_any()
}

/// Disconnecting takes two steps, and asks what becomes of the copies in the other calendar.
#[component]
fn Disconnect(connection: ConnectionView, actions: Actions) -> impl IntoView {
    let keep = format!("keep-{}", connection.connection_id);
    let remove = format!("remove-{}", connection.connection_id);
    view! {
        <details class="db-disclosure">
            <summary>{t!("Disconnect")}</summary>
            <p>{t!("Your schedule stays as it is. Daybind stops reading and writing this calendar and forgets its access to it.")}</p>
            <ActionForm action=actions.delete>
                <input type="hidden" name="connection_id" value=connection.connection_id/>
                <fieldset class="db-field">
                    <legend class="db-field__label">
                        {t!("Copies of schedule entries in {}", connection.provider_label)}
                    </legend>
                    <p>
                        <input type="radio" name="remove_copies" value="false" id=keep.clone() checked/>
                        <label for=keep>{t!("Keep them there")}</label>
                    </p>
                    <p>
                        <input type="radio" name="remove_copies" value="true" id=remove.clone()/>
                        <label for=remove>{t!("Remove them there")}</label>
                    </p>
                </fieldset>
                <Submit label=t!("Disconnect calendar") pending=actions.delete.pending() look="danger"/>
            </ActionForm>
        </details>
    }
    .into_any()
}
