//! Who gets to read a private entry. Every way out of the schedule to a person leads through here.

use std::borrow::Cow;

use daybind_domain::schedule::EntryContent;
use daybind_domain::user::Permission;
use daybind_storage::Entry;

use crate::auth::Actor;

/// What stands where words are hidden.
const BUSY: &str = "Busy";

/// What a person reads of an entry they may see: title, notes and location of a private one are for those who do it and for
/// those who may change others' entries. Everybody else learns when somebody is busy.
#[must_use]
pub fn seen_by<'a>(actor: &Actor, entry: &'a Entry) -> Cow<'a, EntryContent> {
    if reads_words(actor, entry) {
        Cow::Borrowed(&entry.content)
    } else {
        Cow::Owned(without_words(&entry.content))
    }
}

/// Whether a person reads what an entry says, and not only when.
#[must_use]
pub fn reads_words(actor: &Actor, entry: &Entry) -> bool {
    !entry.content.private
        || actor.may(Permission::ScheduleAll)
        || entry.assignees.contains(&actor.user_id())
}

/// A content that says when, and nothing else.
#[must_use]
pub fn without_words(content: &EntryContent) -> EntryContent {
    EntryContent {
        title: BUSY.to_owned(),
        notes: String::new(),
        location: String::new(),
        ..content.clone()
    }
}
