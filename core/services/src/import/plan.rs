//! The rules of an import, as one pure function.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_domain::profile::{ProfileFields, check_profile};
use daybind_domain::{Consumer, Edition};
use daybind_storage::{AlgaProfile, Binding, Profile, Tenant};
use secrecy::SecretString;
use uuid::Uuid;

use super::bindings;
use super::domains::{self, NewDomain};
use super::facts::{ClientSecret, Facts};
use super::report::Line;

/// What is here already.
#[derive(Debug, Clone, Default)]
pub struct Here {
    /// The MSP, if it is here.
    pub tenant: Option<Tenant>,
    /// Its profiles.
    pub profiles: Vec<Profile>,
    /// Its bindings, visible or not.
    pub bindings: Vec<Binding>,
    /// Its login domains, by name.
    pub domains: Vec<String>,
    /// What earlier runs dealt with: kind and key over there, to the id here.
    pub ledger: BTreeMap<(String, String), Option<Uuid>>,
}

impl Here {
    pub(super) fn dealt_with(&self, kind: &str, source_id: impl ToString) -> Option<Option<Uuid>> {
        self.ledger
            .get(&(kind.to_owned(), source_id.to_string()))
            .copied()
    }

    fn profile(&self, id: ProfileId) -> Option<&Profile> {
        self.profiles.iter().find(|known| known.profile_id == id)
    }
}

/// A profile to add.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// Its id over there, kept here.
    pub profile_id: ProfileId,
    /// Checked fields.
    pub fields: ProfileFields,
    /// The client secret, if it was read.
    pub secret: Option<SecretString>,
    /// Archived ones stay archived.
    pub archived_at: Option<DateTime<Utc>>,
    /// Who made it over there.
    pub created_by: UserId,
}

/// A binding to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBinding {
    /// Consumer.
    pub consumer: Consumer,
    /// Profile, by its id here.
    pub profile_id: ProfileId,
    /// Why: `explicit`, `selected` or `only_candidate`.
    pub reason: &'static str,
}

/// What is to be done for one MSP.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The MSP to add.
    pub tenant: Option<Tenant>,
    /// Profiles to add.
    pub profiles: Vec<NewProfile>,
    /// Profiles that are here already under the same name and IDs, entered in the ledger only: there, here.
    pub adopted: Vec<(Uuid, ProfileId)>,
    /// Bindings to add.
    pub bindings: Vec<NewBinding>,
    /// Login domains to add.
    pub domains: Vec<NewDomain>,
    /// The profiles of the predecessor that are or will be here and active: there, here.
    pub active: BTreeMap<Uuid, ProfileId>,
    /// The report.
    pub lines: Vec<Line>,
}

/// Decides what to do. Nothing is written, nothing is read.
#[must_use]
pub fn plan(edition: Edition, target: TenantId, facts: &Facts, here: &Here) -> Plan {
    let mut plan = Plan::default();
    tenant(target, facts, here, &mut plan);
    for profile in &facts.profiles {
        self::profile(target, profile, facts, here, &mut plan);
    }
    bindings::explicit(edition, target, facts, here, &mut plan);
    bindings::from_use(edition, target, facts, here, &mut plan);
    domains::plan(edition, target, facts, here, &mut plan);
    plan
}

fn tenant(target: TenantId, facts: &Facts, here: &Here, plan: &mut Plan) {
    let subject = format!("MSP \"{}\"", facts.tenant.name);
    if let Some(known) = &here.tenant {
        let what = format!("is here as \"{}\"", known.name);
        plan.lines
            .push(Line::already("tenant_present", target, subject, what));
    } else {
        plan.tenant = Some(Tenant {
            tenant_id: target,
            name: facts.tenant.name.clone(),
            time_zone: "UTC".to_owned(),
        });
        plan.lines.push(Line::todo(
            "tenant_imported",
            target,
            subject,
            "is added without people",
            format!(
                "Add an administrator with the command: user create --tenant \"{}\" --email … --name …",
                facts.tenant.name.replace('"', "")
            ),
        ));
    }
    if facts.profiles.is_empty() {
        let (what, todo) = match &facts.legacy {
            Some(legacy) => (
                format!(
                    "has no Microsoft profile over there, only credentials from before there were profiles (Application \
                     ID {})",
                    legacy.client_id
                ),
                "Create a profile with them in Settings > Integrations > Providers and bind it.",
            ),
            None => (
                "has no Microsoft profile over there".to_owned(),
                "If this MSP is to use Microsoft, create a profile in Settings > Integrations > Providers and bind it.",
            ),
        };
        plan.lines.push(Line::todo(
            "no_profiles",
            target,
            format!("MSP \"{}\"", facts.tenant.name),
            what,
            todo,
        ));
    }
}

pub(super) fn named(profile: &AlgaProfile) -> String {
    format!("profile \"{}\"", profile.display_name.trim())
}

fn profile(target: TenantId, source: &AlgaProfile, facts: &Facts, here: &Here, plan: &mut Plan) {
    let subject = named(source);
    if let Some(id) = here.dealt_with("profile", source.profile_id) {
        let known = id.and_then(|id| here.profile(ProfileId(id)));
        plan.lines.push(match known {
            None => Line::left(
                "profile_gone",
                target,
                subject,
                "was brought over earlier and has been deleted here since; it stays deleted",
            ),
            Some(known) => {
                if known.archived_at.is_none() {
                    plan.active.insert(source.profile_id, known.profile_id);
                }
                if known.client_secret_sealed.is_none() && known.archived_at.is_none() {
                    without_secret(
                        target,
                        subject,
                        "was brought over earlier; its client secret is still missing",
                    )
                } else {
                    Line::already(
                        "profile_present",
                        target,
                        subject,
                        "was brought over earlier",
                    )
                }
            }
        });
        return;
    }
    let fields = match check_profile(
        &source.display_name,
        &source.client_id,
        &source.directory_id,
        "",
    ) {
        Ok(fields) => fields,
        Err(wrong) => {
            plan.lines.push(invalid(target, source, subject, &wrong));
            return;
        }
    };
    if let Some(line) = taken(target, source, &fields, here, plan) {
        plan.lines.push(line);
        return;
    }
    let secret = match facts.secrets.get(&source.profile_id) {
        Some(ClientSecret::Found(secret)) => Ok(secret.clone()),
        Some(ClientSecret::Absent) => Err(
            "is brought over without its client secret: the predecessor's secret store has none for it".to_owned(),
        ),
        Some(ClientSecret::Unusable(why)) => Err(format!(
            "is brought over without its client secret, which cannot be used: {why}"
        )),
        Some(ClientSecret::NotRead) | None => Err(
            "is brought over without its client secret: the predecessor keeps it outside its database".to_owned(),
        ),
    };
    let archived_at = source
        .is_archived
        .then(|| source.archived_at.or(source.created_at).unwrap_or_default());
    plan.lines.push(match &secret {
        _ if source.is_archived => Line::done(
            "profile_imported",
            target,
            subject,
            "is brought over, archived",
        ),
        Ok(_) => Line::done(
            "profile_imported",
            target,
            subject,
            "is brought over with its client secret",
        ),
        Err(what) => without_secret(target, subject, what),
    });
    let profile_id = ProfileId(source.profile_id);
    if !source.is_archived {
        plan.active.insert(source.profile_id, profile_id);
    }
    plan.profiles.push(NewProfile {
        profile_id,
        fields,
        secret: secret.ok(),
        archived_at,
        created_by: UserId(source.created_by.unwrap_or_default()),
    });
}

fn without_secret(target: TenantId, subject: String, what: &str) -> Line {
    Line::todo(
        "profile_secret_missing",
        target,
        subject,
        what,
        "Add the secret: Settings > Integrations > Providers, this profile, Rotate secret. Create a new one in Entra if \
         the old value is lost.",
    )
}

fn invalid(
    target: TenantId,
    source: &AlgaProfile,
    subject: String,
    wrong: &[daybind_domain::FieldError],
) -> Line {
    let has = |field: &str| wrong.iter().any(|error| error.field == field);
    let shared = matches!(
        source.directory_id.trim().to_lowercase().as_str(),
        "" | "common" | "organizations" | "consumers"
    );
    let mut what = Vec::new();
    if has("client_id") {
        what.push(format!(
            "its Application (client) ID \"{}\" is not valid",
            source.client_id.trim()
        ));
    }
    if has("directory_id") {
        what.push(format!(
            "its Directory (tenant) ID \"{}\" is not valid",
            source.directory_id.trim()
        ));
    }
    if has("display_name") {
        what.push("its name is empty or too long".to_owned());
    }
    let what = format!("is not brought over: {}", what.join("; "));
    let code = if has("client_id") {
        "profile_invalid_client_id"
    } else if has("directory_id") {
        "profile_invalid_directory_id"
    } else {
        "profile_invalid_name"
    };
    if source.is_archived {
        return Line::left(code, target, subject, what);
    }
    let todo = if has("directory_id") && shared {
        "Create the profile here with the Directory (tenant) ID of the app registration's own directory (a GUID or a \
         verified domain); an app for any directory is not supported. Then bind it."
    } else {
        "Correct it over there and run the import again, or create the profile here and bind it."
    };
    Line::todo(code, target, subject, what, todo)
}

/// A line when the profile is not to be added: it is here, or its name is.
fn taken(
    target: TenantId,
    source: &AlgaProfile,
    fields: &ProfileFields,
    here: &Here,
    plan: &mut Plan,
) -> Option<Line> {
    let id = ProfileId(source.profile_id);
    let same_name = |active: bool, name: &str| {
        active && !source.is_archived && name == fields.display_name_normalized
    };
    let known = here.profiles.iter().find(|known| {
        known.profile_id == id
            || same_name(
                known.archived_at.is_none(),
                &known.fields.display_name_normalized,
            )
    });
    let in_plan = plan.profiles.iter().any(|new| {
        same_name(
            new.archived_at.is_none(),
            &new.fields.display_name_normalized,
        )
    });
    let same_app = known.is_some_and(|known| {
        known.fields.client_id == fields.client_id
            && known.fields.directory_id == fields.directory_id
    });
    match known {
        Some(known) if same_app => {
            plan.adopted.push((source.profile_id, known.profile_id));
            if known.archived_at.is_none() {
                plan.active.insert(source.profile_id, known.profile_id);
            }
            Some(Line::already(
                "profile_present",
                target,
                named(source),
                "is here already, with the same IDs; the one here is used",
            ))
        }
        None if !in_plan => None,
        _ => Some(Line::todo(
            "profile_name_taken",
            target,
            named(source),
            "is not brought over: another profile here has this name and other IDs",
            "Rename one of the two and run the import again.",
        )),
    }
}
