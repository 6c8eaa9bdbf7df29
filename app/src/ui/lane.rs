//! The connection card: two lanes and the arrow between them.

use daybind_words::t;
use leptos::prelude::*;

use super::{Icon, StatusKind, StatusTag};

/// Which way changes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// In both directions.
    Both,
    /// From the left lane (the schedule) to the right one.
    Out,
    /// From the right lane (the outside) to the left one.
    In,
}

/// What one lane shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneSide {
    /// Whose lane it is.
    pub title: String,
    /// Facts, one per station.
    pub stations: Vec<String>,
}

fn stations(side: LaneSide) -> (String, impl IntoView) {
    let items = side
        .stations
        .into_iter()
        .map(|station| view! { <li>{station}</li> })
        .collect_view();
    (side.title, items)
}

/// A connection as a picture: left the schedule (solid rail, square stations), right the outside (dashed, round).
#[component]
pub fn LaneCard(
    /// The id of its heading, which names the card. One per page.
    #[prop(into)]
    id: String,
    /// The connection's name.
    #[prop(into)]
    title: String,
    /// How it is.
    status: StatusKind,
    /// The reason or time after the status word.
    #[prop(optional, into)]
    status_text: String,
    /// The schedule's side.
    left: LaneSide,
    /// The outside.
    right: LaneSide,
    /// Which way changes travel.
    #[prop(default = Direction::Both)]
    direction: Direction,
    /// More: `<div class="db-lane-card__body">` with facts, `<div class="db-lane-card__foot">` with what can be done.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let (left_title, left_stations) = stations(left);
    let (right_title, right_stations) = stations(right);
    let labelled_by = id.clone();
    let (icon, words) = match direction {
        Direction::Both => ("lane-both", t!("Both ways")),
        Direction::Out => ("lane-out", t!("Out only")),
        Direction::In => ("lane-in", t!("In only")),
    };
    view! {
        <article class="db-lane-card" aria-labelledby=labelled_by>
            <header class="db-lane-card__head">
                <h2 id=id>{title}</h2>
                <StatusTag kind=status text=status_text />
            </header>
            <div class="db-lane-card__lanes">
                <div class="db-lane db-lane--left">
                    <h3 class="db-lane__title">{left_title}</h3>
                    <ul class="db-lane__stations">{left_stations}</ul>
                </div>
                <div class="db-lane-card__link">
                    <Icon name=icon />
                    <span>{words}</span>
                </div>
                <div class="db-lane db-lane--right">
                    <h3 class="db-lane__title">{right_title}</h3>
                    <ul class="db-lane__stations">{right_stations}</ul>
                </div>
            </div>
            {children.map(|children| children())}
        </article>
    }
}
