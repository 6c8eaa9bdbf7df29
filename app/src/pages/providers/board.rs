//! The bindings board: one row for each service, with what it uses and what can be done about it.

use daybind_domain::bindings::{BindingState, BoardRow, BoardView, UndoView};
use daybind_domain::view::BindingView;
use daybind_words::t;
use leptos::prelude::*;

use super::rebind::{choose_address, review_address};
use crate::api::bindings::UndoRebind;
use crate::ui::{CopyField, StatusKind, StatusTag, Submit, Why};

/// The board.
#[component]
pub(super) fn Board(
    /// One row for each service this edition shows.
    board: BoardView,
    /// Takes a change back.
    undo: ServerAction<UndoRebind>,
) -> impl IntoView {
    let (may, any) = (board.can_update, board.choices > 0);
    let rows: Vec<_> = board
        .rows
        .into_iter()
        .map(|row| view! { <Bound row may any undo/> })
        .collect();
    view! {
        <h3 id="bindings-heading">{t!("Which service uses which profile")}</h3>
        <table class="db-table db-board" aria-labelledby="bindings-heading">
            <thead>
                <tr>
                    <th scope="col">{t!("Service")}</th>
                    <th scope="col">{t!("Profile")}</th>
                    <th scope="col">{t!("Status")}</th>
                    <th scope="col">{t!("Change")}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// What to enter in Entra for each service.
#[component]
pub(super) fn Setups(
    /// One for each service this edition shows.
    bindings: Vec<BindingView>,
) -> impl IntoView {
    let setups: Vec<_> = bindings
        .into_iter()
        .map(|binding| view! { <Setup binding/> })
        .collect();
    view! { <div>{setups}</div> }.into_any()
}

/// One service: what it uses, whether that works, and what can be done about it.
#[component]
fn Bound(row: BoardRow, may: bool, any: bool, undo: ServerAction<UndoRebind>) -> impl IntoView {
    let kind = match row.state {
        BindingState::Unbound => StatusKind::NotConnected,
        BindingState::NeedsYou => StatusKind::NeedsYou,
        BindingState::NotTested => StatusKind::NotTested,
        BindingState::Working => StatusKind::Working,
    };
    let bound = row.profile.is_some();
    let change = if !may {
        view! { <span>{t!("Read only")}</span> }.into_any()
    } else if !any && !bound {
        view! { <span>{t!("Create a profile first.")}</span> }.into_any()
    } else {
        let label = if bound {
            t!("button" => "Change")
        } else {
            t!("Choose a profile")
        };
        let of = t!(" for {}", row.label);
        let unbind = bound.then(|| {
            let of = format!(" {}", row.label);
            view! {
                <a class="db-btn db-btn--quiet" href=review_address(&row.consumer, "none")>
                    {t!("Unbind")}<span class="db-visually-hidden">{of}</span>
                </a>
            }
        });
        view! {
            <div class="db-actions">
                <a class="db-btn db-btn--secondary" href=choose_address(&row.consumer)>
                    {label}<span class="db-visually-hidden">{of}</span>
                </a>
                {unbind}
            </div>
        }
        .into_any()
    };
    let take_back = row.undo.map(|last| {
        view! { <TakeBack consumer=row.consumer.clone() label=row.label.clone() last may undo/> }
    });
    let profile = row.profile.map_or_else(
        || view! { <span>{t!("None")}</span> }.into_any(),
        |profile| {
            view! {
                <span>{profile.name}</span>
                <p class="db-field__hint">{t!("Directory ")} {profile.directory_id}</p>
            }
            .into_any()
        },
    );
    view! {
        <tr id=format!("binding-{}", row.consumer)>
            <th scope="row">
                {row.label}
                <p class="db-field__hint">{row.help}</p>
            </th>
            <td data-label=t!("Profile")>
                {profile}
                {row.set_by.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td data-label=t!("Status")>
                <StatusTag kind/>
                {row.state_text.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td data-label=t!("Change")>
                {change}
                {take_back}
            </td>
        </tr>
    }
    .into_any()
}

/// The last change, and the button that takes it back; it stands in the row, not in a message that goes away.
#[component]
fn TakeBack(
    consumer: String,
    label: String,
    last: UndoView,
    may: bool,
    undo: ServerAction<UndoRebind>,
) -> impl IntoView {
    let back = last.back_to.map_or_else(
        || t!("Undo: unbind {label}"),
        |name| t!("Undo: use {name} for {label} again"),
    );
    let until = t!("Can be undone until {}.", last.until);
    let why = format!("why-undo-{consumer}");
    let form = may.then(|| {
        view! {
            <ActionForm action=undo>
                <input type="hidden" name="consumer" value=consumer/>
                <input type="hidden" name="change" value=last.token/>
                <Submit label=back pending=undo.pending() look="quiet"/>
                <Why id=why/>
            </ActionForm>
        }
    });
    view! {
        <p class="db-field__hint">{last.text} ". " {until}</p>
        {form}
    }
    .into_any()
}

/// What to enter in Entra for one service.
#[component]
fn Setup(binding: BindingView) -> impl IntoView {
    let scopes = binding.scopes.join(" ");
    let label = t!("Redirect URI for {}", binding.label);
    view! {
        <details class="db-disclosure">
            <summary>{t!("Set up Entra for {}", binding.label)}</summary>
            {binding.redirect_uri.map(|value| view! {
                <CopyField label value/>
                <p class="db-field__hint">{t!("In Entra: Authentication, platform Web.")}</p>
            })}
            <p>{t!("Delegated permissions (API permissions > Microsoft Graph): ")}<code>{scopes}</code></p>
        </details>
    }
    .into_any()
}
