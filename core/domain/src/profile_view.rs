//! What pages get to see of Microsoft profiles. Finished text: dates are written for the reader's zone by the server.

use serde::{Deserialize, Serialize};

use crate::view::ProfileView;

/// How something stands: the keys of the status lexicon a profile can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Proven.
    Working,
    /// Began and has not come back.
    Waiting,
    /// Somebody has to act.
    NeedsYou,
    /// Tried, and refused.
    Failed,
    /// Nobody has tried, or the answer is out of date.
    NotTested,
    /// Archived.
    Off,
}

/// One permission a consumer asks for, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeView {
    /// As Entra names it.
    pub name: String,
    /// What it is needed for.
    pub reason: String,
}

/// What to enter in Entra for one consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuideView {
    /// Stored name of the consumer.
    pub consumer: String,
    /// Its label.
    pub label: String,
    /// What it uses the profile for.
    pub help: String,
    /// Every redirect URI, in full.
    pub redirect_uris: Vec<String>,
    /// Why Entra will refuse a redirect URI, if it will.
    pub redirect_problem: Option<String>,
    /// Delegated permissions with their reasons.
    pub scopes: Vec<ScopeView>,
    /// The Application ID URI to expose: `None` when the consumer needs none.
    pub application_uri: Option<ApplicationUriView>,
}

/// The Application ID URI of a consumer that needs one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationUriView {
    /// The URI; `None` while it cannot be formed.
    pub value: Option<String>,
    /// Where to enter it, or what is missing.
    pub note: String,
}

/// Something a profile lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedView {
    /// The consumer's label; `None`: all.
    pub consumer: Option<String>,
    /// What is missing.
    pub what: String,
    /// What to do.
    pub remedy: String,
    /// Without it nothing works.
    pub blocks: bool,
}

/// One line of the verify panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// Key: `tenant`, `credentials`, `secret_expiry` or `sign_in.<consumer>`.
    pub name: String,
    /// What is checked.
    pub title: String,
    /// How it stands.
    pub standing: Standing,
    /// What happened, or why it was not tested.
    pub text: String,
    /// What to do about it.
    pub next_step: Option<String>,
    /// Where in Entra.
    pub place: Option<String>,
    /// When and by whom.
    pub when: Option<String>,
    /// Microsoft's ids for its support: name and value.
    pub ids: Vec<(String, String)>,
    /// Microsoft's page about the error number.
    pub more: Option<String>,
    /// The consumer a test sign-in can be started for.
    pub sign_in: Option<String>,
}

/// A client secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretView {
    /// Constant mask and the last four characters.
    pub hint: String,
    /// "Added by … on …"
    pub added: String,
    /// "Expires in 40 days (4 January 2027)"
    pub expires: String,
    /// The date as a form field takes it, or empty.
    pub expires_on: String,
    /// Whether the expiry needs attention.
    pub warns: bool,
    /// For a new secret: it was proven and can be switched to. For the previous one: it can be switched back to.
    pub usable: bool,
    /// For a new secret: what Microsoft said. For the previous one: when it is destroyed.
    pub note: Option<String>,
}

/// Everything about one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileDetailView {
    /// The row of the table.
    pub profile: ProfileView,
    /// Stored name of its cloud ([`crate::Cloud`]).
    pub cloud: String,
    /// The secret in use.
    pub secret: Option<SecretView>,
    /// The secret that waits for the switch.
    pub next: Option<SecretView>,
    /// The secret that was in use before.
    pub previous: Option<SecretView>,
    /// What is missing.
    pub needs: Vec<NeedView>,
    /// The verify panel.
    pub checks: Vec<CheckView>,
    /// What to enter in Entra.
    pub guides: Vec<GuideView>,
    /// Names of other profiles with the same Application (client) ID and Directory (tenant) ID.
    pub twins: Vec<String>,
    /// Why it can be neither archived nor deleted; `None` when nothing is bound.
    pub in_use: Option<String>,
    /// Stored names and labels of the visible consumers bound to it.
    pub bound: Vec<(String, String)>,
    /// "Created by … on …", and the latest change.
    pub history: Vec<String>,
    /// Whether the reader may change anything.
    pub can_update: bool,
}

/// A new profile that is being put together, step by step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftView {
    /// Stored names of the chosen consumers.
    pub consumers: Vec<String>,
    /// Stored name of the cloud ([`crate::Cloud`]).
    pub cloud: String,
    /// Name.
    pub display_name: String,
    /// Redirect URIs the reader has ticked as entered.
    pub entered: Vec<String>,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID.
    pub directory_id: String,
    /// What Microsoft said about the directory when the step was saved.
    pub directory_note: Option<String>,
    /// The profile, once its secret was stored.
    pub profile_id: Option<String>,
    /// "Begun on …": set when the draft is older than a week.
    pub old: Option<String>,
    /// The furthest step that can be opened, 1 to 6.
    pub reached: u8,
    /// What every consumer of this edition needs.
    pub guides: Vec<GuideView>,
    /// Whether the reader may change anything.
    pub can_update: bool,
}

/// A warning for the strip on top of every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionView {
    /// One sentence.
    pub text: String,
    /// Where to mend it.
    pub href: String,
}
