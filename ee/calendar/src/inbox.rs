//! Settings > Integrations > Calendar: what waits for whose decision. Nothing that anybody's calendar says.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybind_domain::conflict_view::{ConflictInboxView, InboxItemView, InboxPersonView};
use daybind_domain::ids::UserId;
use daybind_domain::user::Permission;
use daybind_ee_storage::{OpenConflict, calendar};
use daybind_services::{Actor, AppResult, Services, internal, localtime, privacy, schedule};
use daybind_storage::UnitOfWork;
use daybind_words::t;

use crate::merge::Field;
use crate::views::label;

/// Rows on one page.
pub const PAGE: i64 = 50;

/// A page of the open conflicts of all people, by person.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn inbox(services: &Services, actor: &Actor, page: &str) -> AppResult<ConflictInboxView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let counts = rows.count_open_conflicts(actor.tenant_id).await;
    let total: i64 = counts
        .map_err(internal)?
        .into_iter()
        .map(|(_, count)| count)
        .sum();
    let pages = (total + PAGE - 1).div_euclid(PAGE).max(1);
    let page = page.parse().unwrap_or(1).clamp(1, pages);
    let found = rows
        .list_all_open_conflicts(actor.tenant_id, (PAGE, (page - 1) * PAGE))
        .await
        .map_err(internal)?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let names: BTreeMap<UserId, String> = users
        .into_iter()
        .map(|user| (user.user_id, user.display_name))
        .collect();
    let (now, zone) = (services.now(), localtime::zone(&actor.user.time_zone));
    let mut people: Vec<InboxPersonView> = Vec::new();
    let mut last = None;
    for row in found {
        let item = item(unit.as_mut(), actor, &row, (now, zone)).await?;
        match people.last_mut().filter(|_| last == Some(row.user_id)) {
            Some(person) => person.items.push(item),
            None => people.push(InboxPersonView {
                user_id: row.user_id.to_string(),
                name: names.get(&row.user_id).cloned().unwrap_or_default(),
                items: vec![item],
            }),
        }
        last = Some(row.user_id);
    }
    let count = |number: i64| usize::try_from(number).unwrap_or(0);
    Ok(ConflictInboxView {
        total: count(total),
        page: count(page),
        pages: count(pages),
        people,
        owners_page: services.absolute("/msp/profile?tab=calendar"),
    })
}

async fn item(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    row: &OpenConflict,
    (now, zone): (DateTime<Utc>, Tz),
) -> AppResult<InboxItemView> {
    // What the reader may not see is a conflict all the same.
    let id = row.entry_id.to_string();
    let entry = schedule::visible(unit, actor, &id).await.ok();
    let calendar = label(&row.provider);
    let differs = match row.kind.as_str() {
        "deletion" => t!("Its event was deleted in {calendar}"),
        _ => {
            let fields = row.fields.iter().filter_map(|word| Field::parse(word));
            fields.map(Field::said).collect::<Vec<_>>().join(", ")
        }
    };
    Ok(InboxItemView {
        title: entry
            .as_ref()
            .map(|entry| privacy::seen_by(actor, entry).title.clone()),
        entry_id: entry.map(|_| id),
        calendar: calendar.to_owned(),
        differs,
        since: localtime::date_time(row.created_at, zone),
        age: age(now - row.created_at),
    })
}

/// How long it has waited, in the largest unit that says something.
fn age(time: chrono::TimeDelta) -> String {
    let (days, hours, minutes) = (time.num_days(), time.num_hours(), time.num_minutes());
    match () {
        () if days == 1 => t!("1 day").to_owned(),
        () if days > 1 => t!("{days} days"),
        () if hours == 1 => t!("1 hour").to_owned(),
        () if hours > 1 => t!("{hours} hours"),
        () if minutes == 1 => t!("1 minute").to_owned(),
        () if minutes > 1 => t!("{minutes} minutes"),
        () => t!("Less than a minute").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn ages_are_told_in_one_unit() {
        for (seconds, text) in [
            (0, "Less than a minute"),
            (60, "1 minute"),
            (3_599, "59 minutes"),
            (3_600, "1 hour"),
            (86_399, "23 hours"),
            (86_400, "1 day"),
            (10 * 86_400, "10 days"),
            (-5, "Less than a minute"),
        ] {
            assert_eq!(age(TimeDelta::seconds(seconds)), text);
        }
    }
}
