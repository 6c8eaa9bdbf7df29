//! A tenant to try Daybind with: an administrator, two technicians, a client-portal user and a few entries.

use chrono::{Days, NaiveTime, TimeDelta};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_storage::{NewEntry, NewUser, Scope, Tenant, User};
use secrecy::SecretString;
use uuid::Uuid;

use crate::auth::hash_password;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;

/// The demo tenant's fixed id: seeding twice adds nothing.
pub const TENANT: TenantId = TenantId(Uuid::from_u128(0x0dea_0000_0000_4000_8000_0000_0000_0001));
/// The demo administrator.
pub const ADMIN: UserId = UserId(Uuid::from_u128(0x0dea_0000_0000_4000_8000_0000_0000_0011));
/// The password of all demo people. The command that prints it says that it must never be used for real.
pub const PASSWORD: &str = "daybind-demo";

const ZONE: &str = "Europe/Berlin";
const PEOPLE: [(u128, &str, &str, UserType, Role); 4] = [
    (
        0x11,
        "admin@demo.daybind.test",
        "Ada Admin",
        UserType::Internal,
        Role::Admin,
    ),
    (
        0x12,
        "tess@demo.daybind.test",
        "Tess Technician",
        UserType::Internal,
        Role::Technician,
    ),
    (
        0x13,
        "tom@demo.daybind.test",
        "Tom Technician",
        UserType::Internal,
        Role::Technician,
    ),
    (
        0x14,
        "client@demo.daybind.test",
        "Clara Client",
        UserType::Client,
        Role::Technician,
    ),
];
const ENTRIES: [(u128, u64, u32, i64, &str, &str, u128); 3] = [
    (
        0x21,
        0,
        9,
        60,
        "Replace switch at Contoso",
        "Contoso, server room",
        0x12,
    ),
    (
        0x22,
        1,
        13,
        90,
        "Onboard two laptops",
        "Fabrikam, 2nd floor",
        0x12,
    ),
    (0x23, 2, 10, 45, "Firewall review", "Remote", 0x13),
];

fn user_id(number: u128) -> UserId {
    UserId(Uuid::from_u128(
        0x0dea_0000_0000_4000_8000_0000_0000_0000 | number,
    ))
}

/// The email addresses of the demo people, administrator first.
#[must_use]
pub fn emails() -> Vec<&'static str> {
    PEOPLE.iter().map(|person| person.1).collect()
}

/// Adds the demo tenant unless it is there; whether it was added.
///
/// # Errors
/// An internal error.
pub async fn seed(services: &Services) -> AppResult<bool> {
    let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
    let there = unit
        .list_tenants()
        .await
        .map_err(internal)?
        .iter()
        .any(|t| t.tenant_id == TENANT);
    drop(unit);
    if there {
        return Ok(false);
    }
    let now = services.now();
    let hash = hash_password(SecretString::from(PASSWORD)).await?;
    let mut unit = services.begin(TENANT).await?;
    let tenant = Tenant {
        tenant_id: TENANT,
        name: "Demo MSP".to_owned(),
        time_zone: ZONE.to_owned(),
    };
    unit.add_tenant(&tenant, now).await.map_err(internal)?;
    for (number, email, name, user_type, role) in PEOPLE {
        let user = User {
            tenant_id: TENANT,
            user_id: user_id(number),
            email: email.to_owned(),
            display_name: name.to_owned(),
            user_type,
            role,
            is_active: true,
            time_zone: ZONE.to_owned(),
        };
        let new = NewUser {
            user,
            email_normalized: normalise_email(email),
            password_hash: Some(hash.clone()),
        };
        unit.add_user(&new, now).await.map_err(internal)?;
    }
    let zone = localtime::zone(ZONE);
    let monday = localtime::monday(now.with_timezone(&zone).date_naive());
    for (number, days, hour, minutes, title, location, assignee) in ENTRIES {
        let day = monday.checked_add_days(Days::new(days)).unwrap_or(monday);
        let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        let start = localtime::parse_input(
            &day.and_time(time).format("%Y-%m-%dT%H:%M").to_string(),
            zone,
        )
        .unwrap_or(now);
        let entry = NewEntry {
            tenant_id: TENANT,
            entry_id: EntryId(user_id(number).0),
            content: EntryContent {
                title: title.to_owned(),
                notes: String::new(),
                location: location.to_owned(),
                when: When::Timed {
                    start,
                    end: start + TimeDelta::minutes(minutes),
                    zone: ZONE.to_owned(),
                },
                repeats: None,
                shows: ShowAs::Busy,
                private: false,
                status: EntryStatus::Scheduled,
            },
            occurrence_of: None,
            assignees: vec![user_id(assignee)],
            created_by: ADMIN,
        };
        unit.add_entry(&entry, now).await.map_err(internal)?;
    }
    unit.save().await.map_err(internal)?;
    Ok(true)
}

/// The demo administrator, for what the demo sets up on their behalf.
///
/// # Errors
/// An internal error when the demo tenant is missing.
pub async fn admin(services: &Services) -> AppResult<crate::auth::Actor> {
    let mut unit = services.read(TENANT).await?;
    let user = unit
        .find_user(TENANT, ADMIN)
        .await
        .map_err(internal)?
        .ok_or_else(|| daybind_domain::AppError::not_found("The demo administrator"))?;
    Ok(crate::auth::Actor {
        tenant_id: TENANT,
        user,
        session_id: services.new_id().into(),
        request_id: None,
    })
}
