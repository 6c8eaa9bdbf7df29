//! Settings > Integrations > Calendar, one connection: how it is, what its owner chose, and what can be done about it.

use daybind_app::api::calendar::{ManageCalendarConnections, get_calendar_connection};
use daybind_app::pages::failure::Failure;
use daybind_app::pages::settings::category_address;
use daybind_app::ui::{
    CopyField, ErrorSummary, LaneCard, Section, SelectField, Submit, failed, keep_focus, successes,
};
use daybind_domain::connection_view::{ConnectionDetailView, FactView};
use daybind_domain::view::ConnectionView;
use daybind_words::t;
use leptos::prelude::*;

use crate::calendar_pause::lengths;
use crate::connection::{direction, lanes, status};

type Manage = ServerAction<ManageCalendarConnections>;

/// The page of the connection with that id.
#[component]
pub fn ConnectionDetail(connection_id: String) -> impl IntoView {
    let manage = Manage::new();
    let managed = successes(manage);
    let found = Resource::new(
        move || (managed.get(), connection_id.clone()),
        |(_, id)| get_calendar_connection(id),
    );
    keep_focus(found, move || managed.get());
    view! {
        <p class="db-back"><a href=category_address("calendar")>{t!("All connections")}</a></p>
        <ErrorSummary error=failed(manage)/>
        <Transition fallback=|| view! { <p>{t!("Loading the connection …")}</p> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(detail) => view! { <Detail detail manage/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Detail(detail: ConnectionDetailView, manage: Manage) -> impl IntoView {
    let connection = detail.connection;
    let (left, right) = lanes(&connection, t!("Schedule entries"));
    let last = connection.last_sync.clone().map_or_else(
        || t!("Not synced yet.").to_owned(),
        |text| t!("Last sync: {text}."),
    );
    let activity = format!(
        "/msp/operations?view=activity&connection={}",
        connection.connection_id
    );
    let actions = detail.can_update.then(
        || view! { <Actions connection=connection.clone() address=detail.owners_page no_subscription=detail.no_subscription manage/> },
    );
    view! {
        <LaneCard
            id="connection-heading"
            title=format!("{}: {}", connection.owner, connection.provider_label)
            status=status(&connection.status)
            left
            right
            direction=direction(&connection.direction)
        >
            <div class="db-lane-card__body">
                <p>{connection.status_text.clone()}</p>
                <p>{last}" "{connection.delivery.clone()}</p>
                <p><a href=activity>{t!("What its syncs did")}</a></p>
            </div>
            {actions}
        </LaneCard>
        <Section title=t!("Health") id="health-heading">{facts(detail.health)}</Section>
        <Section title=t!("What its owner chose") id="choices-heading">
            {facts(detail.choices)}
            <p class="db-field__hint">{t!("{} changes these under Profile > Calendar.", connection.owner)}</p>
        </Section>
    }
    .into_any()
}

pub fn facts(facts: Vec<FactView>) -> impl IntoView {
    let facts: Vec<_> = facts
        .into_iter()
        .map(|fact| view! { <dt>{fact.label}</dt><dd>{fact.text}</dd> })
        .collect();
    view! { <dl class="db-facts">{facts}</dl> }
}

/// The one next action, and what else can be done.
#[component]
fn Actions(
    connection: ConnectionView,
    address: String,
    no_subscription: Option<String>,
    manage: Manage,
) -> impl IntoView {
    let id = connection.connection_id;
    let form = |action: &'static str, label: &'static str, look: &'static str| {
        let connection_id = id.clone();
        view! { <Act connection_id manage action label look/> }.into_any()
    };
    let next = match connection.status.as_str() {
        _ if connection.paused => form("resume", t!("Resume"), "primary"),
        "connected" => form("sync", t!("Sync now"), "primary"),
        "error" => form("sync", t!("Try again"), "primary"),
        // Only its owner can go on.
        _ => view! { <Ask owner=connection.owner.clone() address/> }.into_any(),
    };
    let runs = matches!(connection.status.as_str(), "connected" | "error");
    let whose = id.clone();
    let pause = (!connection.paused && !connection.calendar_name.is_empty()).then(|| {
        view! {
            <details class="db-disclosure">
                <summary>{t!("Pause")}</summary>
                <p>{t!("Nothing travels in either direction meanwhile. What changes on either side is taken over when it goes on.")}</p>
                <ActionForm action=manage>
                    <input type="hidden" name="action" value="pause"/>
                    <input type="hidden" name="connection_ids[]" value=whose/>
                    <input type="hidden" name="single" value="true"/>
                    <SelectField id="pause-hours" name="hours" label=t!("How long") options=lengths() selected="24" optional=true/>
                    <Submit label=t!("Pause sync") pending=manage.pending() look="secondary"/>
                </ActionForm>
            </details>
        }
    });
    let again = runs.then(|| {
        view! {
            <details class="db-disclosure">
                <summary>{t!("Read everything again")}</summary>
                <p>
                    {t!("The next sync compares every event of its span of time with the schedule, instead of what changed since the last one. Nothing is doubled or lost; it takes as long as a first sync.")}
                </p>
                {form("resync", t!("Read everything again"), "secondary")}
            </details>
        }
    });
    let renew = runs.then(|| match no_subscription {
        Some(reason) => view! { <p class="db-field__hint">{reason}</p> }.into_any(),
        None => view! {
            <details class="db-disclosure">
                <summary>{t!("Renew subscription")}</summary>
                <p>
                    {t!("The provider tells Daybind of changes through a push subscription, which Daybind renews by itself. Renew it now when changes arrive only with the regular checks, for example after Daybind's address or a firewall changed. Nothing is missed meanwhile.")}
                </p>
                {form("renew", t!("Renew subscription"), "secondary")}
            </details>
        }
        .into_any(),
    });
    view! {
        <div class="db-lane-card__foot">
            {next}
            {pause}
            {again}
            {renew}
        </div>
    }
    .into_any()
}

/// A form that is one button.
#[component]
fn Act(
    connection_id: String,
    manage: Manage,
    action: &'static str,
    label: &'static str,
    look: &'static str,
) -> impl IntoView {
    view! {
        <ActionForm action=manage>
            <input type="hidden" name="action" value=action/>
            <input type="hidden" name="connection_ids[]" value=connection_id/>
            <input type="hidden" name="single" value="true"/>
            <Submit label pending=manage.pending() look/>
        </ActionForm>
    }
}

/// A link for the one who can go on.
#[component]
fn Ask(owner: String, address: String) -> impl IntoView {
    view! {
        <p>{t!("Only {owner} can go on, under Profile > Calendar.")}</p>
        <CopyField label=t!("Link for {owner}") value=address/>
    }
    .into_any()
}
