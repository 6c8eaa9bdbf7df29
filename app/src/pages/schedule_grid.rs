//! A week of the schedule as a grid. Drawn from [`GridView`], where everything has its place already.
//!
//! Without scripts every entry is a link in the order of the tab key. With them the grid is one stop, and arrow keys go on.

use daybind_domain::week_grid::{GridChip, GridDay, GridMark, GridMore, GridView, Place};
use daybind_words::t;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{HtmlElement, KeyboardEvent};

use super::schedule::Here;

/// Which link has the grid's tab stop: day and number in that day.
type Stop = (usize, usize);

/// Where a key leads from a link; `counts` has the links of each day. Up and down stay in the day, left and right go to
/// the next day that has any.
fn step(counts: &[usize], (day, index): Stop, key: &str) -> Option<Stop> {
    let filled = |day: &usize| counts[*day] > 0;
    let near = |day: usize| (day, index.min(counts[day].saturating_sub(1)));
    match key {
        "ArrowUp" => Some((day, index.checked_sub(1)?)),
        "ArrowDown" => (index + 1 < *counts.get(day)?).then_some((day, index + 1)),
        "ArrowLeft" => (0..day).rev().find(filled).map(near),
        "ArrowRight" => (day + 1..counts.len()).find(filled).map(near),
        "Home" => (0..counts.len()).find(filled).map(|day| (day, 0)),
        "End" => (0..counts.len())
            .rev()
            .find(filled)
            .map(|day| (day, counts[day] - 1)),
        _ => None,
    }
}

fn id((day, index): Stop) -> String {
    format!("planned-{day}-{index}")
}

/// The tab stop; nowhere until scripts run.
#[derive(Clone, Copy)]
struct Roving(RwSignal<Option<Stop>>);

impl Roving {
    fn tabindex(self, me: Stop) -> impl Fn() -> Option<&'static str> + Send + Sync + Clone {
        move || {
            let stop = self.0.get()?;
            Some(if stop == me { "0" } else { "-1" })
        }
    }
}

/// The grid, and what its marks mean.
#[component]
pub fn Grid(grid: GridView, here: Here) -> impl IntoView {
    let counts: Vec<usize> = grid
        .days
        .iter()
        .map(|day| day.whole.len() + day.chips.len() + day.more.len())
        .collect();
    let roving = Roving(RwSignal::new(None));
    let first = step(&counts, (0, 0), "Home");
    Effect::new(move |_| roving.0.set(first));
    let turn = move |event: KeyboardEvent| {
        let Some(stop) = roving.0.get_untracked() else {
            return;
        };
        if event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key() {
            return;
        }
        let Some(next) = step(&counts, stop, &event.key()) else {
            return;
        };
        let link = document()
            .get_element_by_id(&id(next))
            .and_then(|link| link.dyn_into::<HtmlElement>().ok());
        if let Some(link) = link {
            event.prevent_default();
            // The link takes the stop with the focus.
            let _ = link.focus();
        }
    };
    let hours: Vec<_> = grid
        .hours
        .into_iter()
        .map(|hour| view! { <span class=format!("db-at-{}", hour.row)>{hour.label}</span> })
        .collect();
    let days: Vec<_> = grid
        .days
        .into_iter()
        .enumerate()
        .map(|(number, day)| view! { <Column number day here=here.clone() roving/> })
        .collect();
    let legend = (!grid.legend.is_empty()).then(|| {
        let marks: Vec<_> = grid
            .legend
            .into_iter()
            .map(|mark| view! { <li>{shape(&mark, false)}</li> })
            .collect();
        view! { <ul class="db-grid__legend" aria-label=t!("What the marks mean")>{marks}</ul> }
    });
    view! {
        <div class="db-grid" on:keydown=turn>
            <div class="db-grid__hours" aria-hidden="true">
                <span class="db-grid__all-day">{t!("All day")}</span>
                <div class="db-grid__body">{hours}</div>
            </div>
            <ol class="db-grid__days">{days}</ol>
        </div>
        {legend}
    }
    .into_any()
}

/// A mark's shape, with its word seen or only heard.
fn shape(mark: &GridMark, heard: bool) -> AnyView {
    let state = match mark.state.as_str() {
        known @ ("synced" | "waiting" | "conflict" | "failed") => known,
        _ => "not_synced",
    };
    let word = mark.word.clone();
    let class = if heard { "db-visually-hidden" } else { "" };
    view! { <span class=format!("db-status db-status--{state}")><span class=class>{word}</span></span> }
        .into_any()
}

fn place_class(place: Place) -> String {
    if place.row == 0 {
        return String::new();
    }
    let Place {
        row,
        span,
        lane,
        lanes,
    } = place;
    format!("db-at-{row} db-for-{span} db-lane-{lane}-{lanes}")
}

#[component]
fn Column(number: usize, day: GridDay, here: Here, roving: Roving) -> impl IntoView {
    // Empty hours are a short cut for the mouse. Whoever uses the keyboard has "New entry".
    let slots: Vec<_> = day
        .slots
        .into_iter()
        .map(|slot| {
            let class = format!("db-grid__slot db-at-{} db-for-{}", slot.row, slot.span);
            view! { <a class=class href=here.new_at(&slot.at) tabindex="-1" aria-hidden="true"></a> }
        })
        .collect();
    let missing: Vec<_> = day
        .missing
        .into_iter()
        .map(|(row, span)| {
            let class = format!("db-grid__missing db-at-{row} db-for-{span}");
            view! { <span class=class><span class="db-visually-hidden">{t!("This day does not have this hour")}</span></span> }
        })
        .collect();
    let whole_count = day.whole.len();
    let chips_count = whole_count + day.chips.len();
    let put = |chips: Vec<GridChip>, from: usize| -> Vec<_> {
        chips
            .into_iter()
            .enumerate()
            .map(|(index, chip)| view! { <Chip chip here=here.clone() me=(number, from + index) roving/> })
            .collect()
    };
    let whole = put(day.whole, 0);
    let chips = put(day.chips, whole_count);
    let more: Vec<_> = day
        .more
        .into_iter()
        .enumerate()
        .map(|(index, more)| {
            let href = format!("{}#day-{}", here.agenda(), day.date);
            view! { <More more href me=(number, chips_count + index) roving/> }
        })
        .collect();
    let now = day.now.map(|(row, text)| {
        view! {
            <p class=format!("db-grid__now db-at-{row}")><span class="db-visually-hidden">{text}</span></p>
        }
    });
    view! {
        <li class="db-grid__day" aria-current=day.today.then_some("date")>
            <h2 class="db-grid__date"><time datetime=day.date>{day.title}</time></h2>
            <div class="db-grid__whole">{whole}</div>
            <div class="db-grid__body">{slots}{missing}{chips}{more}{now}</div>
        </li>
    }
    .into_any()
}

#[component]
fn Chip(chip: GridChip, here: Here, me: Stop, roving: Roving) -> impl IntoView {
    let state = match chip.status.as_str() {
        "cancelled" => Some(t!("Cancelled")),
        "completed" => Some(t!("Completed")),
        _ => None,
    };
    let class = format!(
        "db-chip db-chip--{} {}",
        chip.status,
        place_class(chip.place)
    );
    view! {
        <a
            id=id(me)
            class=class
            href=here.entry(&chip.entry_id, &chip.part)
            tabindex=roving.tabindex(me)
            on:focus=move |_| roving.0.set(Some(me))
        >
            <span class="db-visually-hidden">{t!("Edit ")}</span>
            <span class="db-chip__title">{chip.title}</span>
            <span class="db-chip__time">{chip.time_text}{state.map(|word| format!(" · {word}"))}</span>
            {chip.mark.map(|mark| shape(&mark, true))}
        </a>
    }
    .into_any()
}

#[component]
fn More(more: GridMore, href: String, me: Stop, roving: Roving) -> impl IntoView {
    let class = format!("db-chip db-chip--more {}", place_class(more.place));
    view! {
        <a
            id=id(me)
            class=class
            href=href
            tabindex=roving.tabindex(me)
            on:focus=move |_| roving.0.set(Some(me))
        >
            {t!("{} more", more.count)}
        </a>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn arrows_stay_in_the_day_or_go_to_the_next_one_with_entries() {
        let counts = [0, 2, 0, 1, 0];
        for (from, key, to) in [
            ((1, 0), "ArrowDown", Some((1, 1))),
            ((1, 1), "ArrowDown", None),
            ((1, 0), "ArrowUp", None),
            ((1, 1), "ArrowRight", Some((3, 0))),
            ((3, 0), "ArrowRight", None),
            ((3, 0), "ArrowLeft", Some((1, 0))),
            ((1, 0), "ArrowLeft", None),
            ((1, 1), "End", Some((3, 0))),
            ((3, 0), "Home", Some((1, 0))),
            ((3, 0), "Enter", None),
        ] {
            assert_eq!(step(&counts, from, key), to, "{from:?} {key}");
        }
        assert_eq!(step(&[0, 0], (0, 0), "Home"), None);
    }
}
