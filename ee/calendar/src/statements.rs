//! The rules of sync in plain words.

use daybind_domain::connection_view::FactView;
use daybind_ee_storage::ConnectionSettings;
use daybind_words::t;

use crate::admit::MARKERS;
use crate::detail::fact;
use crate::merge::{BRAKE_FREE, BRAKE_PART};

/// What sync does and leaves alone, and what a connection's owner chooses.
#[must_use]
pub fn rules() -> Vec<FactView> {
    let begin = ConnectionSettings::default();
    let [marker, other] = MARKERS;
    vec![
        fact(
            t!("What goes out"),
            t!(
                "A schedule entry goes to the connected calendars of those who do it, and leaves them when it is called off. A \
             connection whose direction is from the calendar gets nothing. Guests, reminders and colours are never \
             written, so nobody gets mail."
            ),
        ),
        fact(
            t!("What comes in"),
            t!(
                "Only what the calendar's owner lets in: nothing, events marked {marker} or {other} in title or notes, or all \
                 events as busy blocks. A new connection brings in nothing."
            ),
        ),
        fact(
            t!("Which days"),
            t!(
                "Events are read, and entries copied for the first time, from {} days back to {} days ahead.",
                begin.window_past_days,
                begin.window_future_days
            ),
        ),
        fact(
            t!("Private events"),
            t!(
                "What comes in of them says “Busy” and no more, unless the owner lets their words in; then the entry is \
             private, too."
            ),
        ),
        fact(
            t!("What colleagues see"),
            t!(
                "Of a private entry, when somebody is busy. Its words are for those who do it, and for those who may change the \
             entries of others. Busy blocks have no words for anybody."
            ),
        ),
        fact(
            t!("Both sides changed the same"),
            t!(
                "The owner is asked and neither side is overwritten, unless the connection says that the schedule, the \
             calendar or the newer change wins."
            ),
        ),
        fact(
            t!("Deletions"),
            t!(
                "Sync deletes no entry but busy blocks whose event is gone. A sync that would delete more than {BRAKE_FREE} \
                 events and more than one in {BRAKE_PART} stops, and its owner is asked first."
            ),
        ),
    ]
}

#[cfg(test)]
#[path = "statements_tests.rs"]
mod tests;
