//! What pages get to see. Plain text and numbers: times are already written for the reader's zone by the server, so
//! that server and browser render the same.

use serde::{Deserialize, Serialize};

use crate::connection_view::FactView;
use crate::edition::Edition;
use crate::profile_view::AttentionView;
use crate::week_grid::GridView;

/// The signed-in person, for the frame of every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The person's id.
    pub user_id: String,
    /// The person's name.
    pub name: String,
    /// Their email.
    pub email: String,
    /// The MSP's name.
    pub tenant_name: String,
    /// IANA time zone in which times are shown.
    pub time_zone: String,
    /// The language chosen in this browser, its tag; empty where the browser's wishes count.
    pub language: String,
    /// `system_settings:read`
    pub can_read_settings: bool,
    /// `system_settings:update`
    pub can_update_settings: bool,
    /// Works for the MSP (not a client-portal user).
    pub is_internal: bool,
    /// The edition that runs.
    pub edition: Edition,
    /// What stands on top of every page; empty for who may not mend it.
    pub attention: Vec<AttentionView>,
}

/// A Microsoft profile, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileView {
    /// The profile's id.
    pub profile_id: String,
    /// The name an admin gave it.
    pub display_name: String,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID.
    pub directory_id: String,
    /// Constant mask and the last four characters, or `None` without a secret.
    pub secret_hint: Option<String>,
    /// Everything a consumer needs is there.
    pub ready: bool,
    /// What is missing, in words; empty when ready.
    pub missing: Vec<String>,
    /// Archived profiles cannot be bound.
    pub archived: bool,
    /// How it stands, in one word.
    pub standing: crate::profile_view::Standing,
    /// "Expires in 6 days", and whether that needs attention; `None` without a secret or a recorded date.
    pub expiry: Option<(String, bool)>,
    /// When directory and secret were last proven together, in words.
    pub verified: Option<String>,
    /// Labels of the visible consumers bound to it.
    pub used_by: Vec<String>,
    /// For optimistic locking.
    pub version: i64,
}

/// One row of the bindings board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingView {
    /// Stored name of the consumer.
    pub consumer: String,
    /// Its label.
    pub label: String,
    /// What the consumer uses the profile for.
    pub help: String,
    /// Where Entra sends people back to, for this consumer.
    pub redirect_uri: Option<String>,
    /// The delegated permissions it needs.
    pub scopes: Vec<String>,
    /// The bound profile's id.
    pub profile_id: Option<String>,
    /// The bound profile's name.
    pub profile_name: Option<String>,
    /// Bound, and the profile is ready and not archived.
    pub ready: bool,
    /// What is wrong, when bound and not ready.
    pub problem: Option<String>,
    /// When and by whom it was set, in words.
    pub set_by: Option<String>,
}

/// Settings > Integrations > Providers > Microsoft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvidersView {
    /// Every profile of the tenant, active ones first.
    pub profiles: Vec<ProfileView>,
    /// One row per visible consumer.
    pub bindings: Vec<BindingView>,
    /// Whether the reader may change anything.
    pub can_update: bool,
}

/// The tenant's own Google OAuth client (Enterprise).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoogleClientView {
    /// The OAuth client ID, empty when none is stored.
    pub client_id: String,
    /// Constant mask and the last four characters, or `None` without a secret.
    pub secret_hint: Option<String>,
    /// The redirect URI to enter in the Google Cloud console.
    pub redirect_uri: String,
    /// Whether the reader may change anything.
    pub can_update: bool,
}

/// A person who can be assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// The person's id.
    pub user_id: String,
    /// Their name.
    pub name: String,
}

/// A schedule entry as listed and edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// The entry's id.
    pub entry_id: String,
    /// For optimistic locking.
    pub version: i64,
    /// Title.
    pub title: String,
    /// Notes.
    pub notes: String,
    /// Location.
    pub location: String,
    /// `busy` or `free`.
    pub shows: String,
    /// Its words are not for everybody; who does not get to see them reads "Busy" here.
    pub private: bool,
    /// Whole days.
    pub all_day: bool,
    /// `YYYY-MM-DDTHH:MM` in the reader's zone (`YYYY-MM-DD` when all-day), as `<input>` wants it.
    pub start_local: String,
    /// The same for the end; for all-day entries the last day (inclusive).
    pub end_local: String,
    /// Day heading, `YYYY-MM-DD`.
    pub day: String,
    /// "09:00 – 10:30" or "All day".
    pub time_text: String,
    /// `scheduled`, `cancelled` or `completed`.
    pub status: String,
    /// Who does it.
    pub assignees: Vec<PersonView>,
    /// How it repeats, or the series it belongs to does.
    pub repeat: Option<RepeatView>,
    /// The occurrence of a series this is; none for an entry on its own.
    pub part: Option<PartView>,
    /// How it stands with the external calendars (Enterprise; `None` in Community).
    pub sync: Option<SyncMark>,
}

/// How a series repeats, as the form shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatView {
    /// `daily`, `weekly`, `monthly`, `monthly_day`, `yearly`, or `keep` for a rule that the form cannot show.
    pub kind: String,
    /// Every so many.
    pub every: u16,
    /// `MO` to `SU`, of a weekly one.
    pub days: Vec<String>,
    /// Empty for never, `until` or `count`.
    pub ends: String,
    /// Last day, `YYYY-MM-DD`, or empty.
    pub until: String,
    /// How many, or empty.
    pub count: String,
    /// "Every 2 weeks on Monday, until 24 Dec 2026"
    pub text: String,
}

/// Which occurrence of a series an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    /// The series.
    pub series_id: String,
    /// The day its rule gives it, `YYYY-MM-DD`.
    pub day: String,
    /// The series' version.
    pub series_version: i64,
    /// Whether it has values of its own.
    pub own: bool,
}

/// How an entry stands with its assignees' calendars: the worst of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncMark {
    /// `synced`, `waiting`, `conflict`, `failed` or `not_synced`.
    pub state: String,
    /// The word shown.
    pub word: String,
    /// Why, in one sentence.
    pub detail: String,
    /// Where else the entry leads.
    pub link: Option<LinkView>,
}

/// A link that leaves Daybind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// What it does.
    pub text: String,
    /// Where it leads; https.
    pub href: String,
}

/// One week of the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// Monday, `YYYY-MM-DD`.
    pub week_start: String,
    /// The day a new entry is offered for: today, or Monday of a week that is not this one. `YYYY-MM-DD`
    pub offered_day: String,
    /// "23 – 29 November 2026"
    pub week_title: String,
    /// Monday of the week before.
    pub previous: String,
    /// Monday of the week after.
    pub next: String,
    /// Seven days: date and heading ("Monday 23 November").
    pub days: Vec<DayView>,
    /// IANA zone of all times.
    pub time_zone: String,
    /// Who can be assigned by the reader.
    pub people: Vec<PersonView>,
    /// The same entries as a grid, if it was asked for.
    pub grid: Option<GridView>,
}

/// One day of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// `YYYY-MM-DD`
    pub date: String,
    /// "Monday 23 November"
    pub title: String,
    /// Entries that start on that day (or run into the week on its first day), in order.
    pub entries: Vec<EntryView>,
}

/// A technician's connection (Enterprise).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionView {
    /// The connection's id.
    pub connection_id: String,
    /// `google` or `microsoft`.
    pub provider: String,
    /// "Google Calendar" or "Outlook".
    pub provider_label: String,
    /// The account's address, as the provider told it.
    pub account: String,
    /// The chosen calendar's name; empty until one is chosen.
    pub calendar_name: String,
    /// `configuring`, `connected`, `needs_reconnect`, `paused` or `error`.
    pub status: String,
    /// What the status means and what to do, in one sentence.
    pub status_text: String,
    /// `bidirectional`, `to_external` or `from_external`.
    pub direction: String,
    /// Last finished sync, written for the reader, if any.
    pub last_sync: Option<String>,
    /// How changes reach us: push or polling, in words.
    pub delivery: String,
    /// Whose it is (for the admin's list).
    pub owner: String,
    /// The Microsoft profile or OAuth client that issued it, in words (for the admin's list; otherwise empty).
    pub through: String,
    /// What its owner decided about it.
    pub rules: CalendarRulesView,
    /// What waits for the reader's answer; empty for other people's connections.
    pub questions: Vec<QuestionView>,
    /// Somebody has paused it; it goes on when it is resumed, or when its time is over.
    pub paused: bool,
    /// Its first sync is on its way.
    pub syncing: bool,
}

/// What a connection does where both sides disagree, and what it brings in (Enterprise).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarRulesView {
    /// Both sides changed the same: `ask`, `schedule`, `calendar` or `newest`.
    pub conflict_policy: String,
    /// The event of a sole assignee was deleted: `ask`, `cancel` or `put_back`.
    pub deletion_policy: String,
    /// What comes in besides what Daybind made: `nothing`, `marked` or `busy`.
    pub import_rule: String,
    /// Private events come in with their words.
    pub show_private: bool,
}

/// A question about a connection that waits for its owner (Enterprise).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionView {
    /// Names it.
    pub question_id: String,
    /// `fields` (both changed the same), `deletion` (one event is gone), `many_deletions` or `many_removals`.
    pub kind: String,
    /// What it is about.
    pub title: String,
    /// For `fields`: what differs.
    pub parts: Vec<QuestionPartView>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionPartView {
    /// The field's word.
    pub part: String,
    /// Its name, for people.
    pub name: String,
    /// What the schedule says.
    pub schedule: String,
    /// What the calendar says.
    pub calendar: String,
}

/// A provider a technician could connect, and why not if not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectOption {
    /// `google` or `microsoft`.
    pub provider: String,
    /// "Google Calendar" or "Outlook".
    pub label: String,
    /// Ready to connect.
    pub available: bool,
    /// When not: what the admin must do.
    pub reason: Option<String>,
    /// When not: a message with which the reader asks an administrator; none for readers who can do it themselves.
    pub ask: Option<String>,
    /// When not: where the reader does it; none for readers who cannot.
    pub mend: Option<String>,
    /// What we ask the provider for, and why.
    pub scopes: Vec<String>,
}

/// Profile > Calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarProfileView {
    /// The reader's connections.
    pub connections: Vec<ConnectionView>,
    /// What can be connected.
    pub options: Vec<ConnectOption>,
}

/// A calendar of the connected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteCalendarView {
    /// The provider's id.
    pub calendar_id: String,
    /// The provider's name, never empty.
    pub name: String,
    /// Whether we may write to it.
    pub can_write: bool,
    /// The account's main calendar.
    pub is_primary: bool,
    /// Already connected by somebody (and therefore not to be chosen).
    pub taken: bool,
}

/// What happened to an entry, and why (Enterprise).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryHistoryView {
    /// Newest first.
    pub items: Vec<EntryHistoryItem>,
    /// There was more than is shown.
    pub more: bool,
    /// How long it is kept, in days.
    pub kept_days: i64,
    /// The entry is deleted.
    pub deleted: bool,
    /// All of it as plain text, to be taken elsewhere.
    pub as_text: String,
}

/// One thing that happened to an entry, or did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryHistoryItem {
    /// When, in the reader's zone.
    pub at: String,
    /// The same as a machine reads it (RFC 3339, UTC).
    pub at_utc: String,
    /// Where something was changed: `schedule`, `calendar` or `none`.
    pub side: String,
    /// Who did what.
    pub title: String,
    /// Why, and what set it off; empty where the title says it all.
    pub why: String,
    /// What changed.
    pub fields: Vec<EntryHistoryField>,
    /// The sync run it belongs to, as the logs name it; empty for what people did.
    pub run: String,
    /// Names what the entry said from then on, where that can be restored; empty otherwise.
    pub version_id: String,
}

/// One field of an entry that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryHistoryField {
    /// Which one.
    pub field: String,
    /// What it said before; empty when that is not known.
    pub before: String,
    /// What it said afterwards.
    pub after: String,
}

/// What the next run of a connection would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPreview {
    /// Key.
    pub connection_id: String,
    /// The provider's id of the calendar it is about.
    pub calendar_id: String,
    /// `bidirectional`, `to_external` or `from_external`.
    pub direction: String,
    /// The provider's name.
    pub provider_label: String,
    /// The connection was never in step before.
    pub first: bool,
    /// How much of what, all of it.
    pub counts: Vec<PreviewCount>,
    /// The first ones, what is done before what is not.
    pub lines: Vec<PreviewLine>,
    /// How many more lines there would be.
    pub more: u64,
    /// So many deletions at once that the run would stop and ask first.
    pub asks_first: Option<u64>,
}

/// How much of one kind a preview found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewCount {
    /// `schedule`, `calendar` or `none`.
    pub side: String,
    /// `created`, `changed`, `removed`, `conflict`, `refused` or `skipped`.
    pub action: String,
    /// Of what is skipped, a short code that says why.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// One thing a preview found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewLine {
    /// `schedule`, `calendar` or `none`.
    pub side: String,
    /// `created`, `changed`, `removed`, `conflict`, `refused` or `skipped`.
    pub action: String,
    /// What the entry or event is called.
    pub title: String,
    /// When it takes place, in the reader's zone.
    pub when: String,
    /// What would change.
    pub fields: Vec<String>,
    /// A short code that says why, or what the calendar cannot say.
    pub reason: String,
}

/// What Settings > Integrations > Calendar is asked for. Everything empty: all connections, from the first page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageQuery {
    /// `attention`, `conflicts`, `paused`, `without` (people without a connection), or all connections.
    #[serde(default)]
    pub show: String,
    /// `google`, `microsoft`, or both.
    #[serde(default)]
    pub provider: String,
    /// Part of a person's name, an account or a calendar.
    #[serde(default)]
    pub find: String,
    /// Which page, from 1.
    #[serde(default)]
    pub page: String,
}

impl CoverageQuery {
    /// Name and value of everything that is set, the page last.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("show", &self.show),
            ("provider", &self.provider),
            ("find", &self.find),
            ("page", &self.page),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }
}

/// How many of the MSP's people have a calendar connected, and what waits for somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageView {
    /// Active internal people.
    pub people: usize,
    /// Those with a connection.
    pub connected: usize,
    /// Connections that go on only when somebody does something.
    pub attention: usize,
    /// Open conflicts, of all connections.
    pub conflicts: usize,
    /// Connections that somebody has paused.
    pub paused: usize,
}

/// Settings > Integrations > Calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarSettingsView {
    /// How it stands for the whole MSP, whatever was asked for.
    pub coverage: CoverageView,
    /// The page's connections: those that wait for somebody first, then by person.
    pub connections: Vec<ConnectionView>,
    /// The page's people without one, by name, when they were asked for.
    pub without: Vec<PersonView>,
    /// How many rows there are on all pages.
    pub matching: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many there are, at least 1.
    pub pages: usize,
    /// The reader may do something about connections.
    pub can_update: bool,
    /// The profile bound to Calendar.
    pub microsoft_profile: Option<String>,
    /// Whether the tenant's Google client is stored.
    pub google_ready: bool,
    /// What sync does and leaves alone, a sentence or a few about each thing.
    pub rules: Vec<FactView>,
}
