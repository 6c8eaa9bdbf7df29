//! The search over everything a person may open: pages, what can be done, Microsoft profiles, people, and what the edition
//! adds.
//!
//! Nothing is found that its own page would not show to the same person: each kind asks for the permission of its page
//! before it is read. Databases fold letters differently, so texts are compared here.

mod places;

use daybind_domain::search::{SearchGroup, SearchHit, SearchView};
use daybind_domain::user::{Permission, UserType};
use daybind_storage::User;
use daybind_words::t;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;

/// The most of one kind that is shown.
pub const MOST: usize = 8;
/// The most characters of a question that are read: longer than any name that can be given.
const LONGEST: usize = 200;
/// Up to that many people are listed with everything there is about them.
const FEW: usize = 2;

/// What is looked for: each of its words, in any order, whatever the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted(Vec<String>);

impl Wanted {
    /// From what was typed.
    #[must_use]
    pub fn of(typed: &str) -> Self {
        let read: String = typed.chars().take(LONGEST).collect();
        Self(
            read.to_lowercase()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether nothing was typed: records are not looked for then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every word stands in one of the texts.
    #[must_use]
    pub fn is_in(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        self.0
            .iter()
            .all(|word| texts.iter().any(|text| text.contains(word)))
    }

    /// The words, in lower case.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The one word that was typed, in lower case; `None` for none and for several.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [word] => Some(word),
            _ => None,
        }
    }
}

/// What an edition adds.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Pages.
    pub pages: Vec<SearchHit>,
    /// What can be done.
    pub actions: Vec<SearchHit>,
    /// Records of further kinds.
    pub groups: Vec<SearchGroup>,
}

/// A place, from its texts and address.
#[must_use]
pub fn hit(
    title: impl Into<String>,
    detail: impl Into<String>,
    href: impl Into<String>,
) -> SearchHit {
    SearchHit {
        title: title.into(),
        detail: detail.into(),
        href: href.into(),
    }
}

/// What `typed` finds for this person. Without a word: all pages and all that can be done.
///
/// # Errors
/// Forbidden for client-portal users; an internal error.
pub async fn search(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    typed: &str,
) -> AppResult<SearchView> {
    actor.require(Permission::OwnProfile)?;
    let wanted = Wanted::of(typed);
    let added = port.search(actor, &wanted).await?;
    let mut pages = places::pages(actor);
    pages.extend(added.pages);
    let mut actions = places::actions(services, actor);
    actions.extend(added.actions);
    for places in [&mut pages, &mut actions] {
        places.retain(|place| wanted.is_in(&[&place.title, &place.detail]));
    }
    let mut groups = vec![
        group(t!("Pages"), pages),
        group(t!("Things to do"), actions),
    ];
    let reads_settings = !wanted.is_empty() && actor.may(Permission::SettingsRead);
    if reads_settings {
        groups.push(profiles(services, actor, &wanted).await?);
    }
    // The edition has asked for the permissions of its own records: everybody has some.
    groups.extend(added.groups);
    if reads_settings {
        groups.push(people(services, actor, &wanted).await?);
    }
    groups.retain(|group| !group.hits.is_empty());
    let told = if wanted.is_empty() {
        String::new()
    } else {
        told(groups.iter().map(|group| group.hits.len()).sum())
    };
    Ok(SearchView { groups, told })
}

fn group(title: &str, hits: Vec<SearchHit>) -> SearchGroup {
    SearchGroup {
        title: title.to_owned(),
        hits,
    }
}

fn told(hits: usize) -> String {
    match hits {
        0 => t!("Nothing was found.").to_owned(),
        1 => t!("1 result.").to_owned(),
        hits => t!("{hits} results."),
    }
}

/// Leaves [`MOST`] of them; `all` is where the others are.
pub fn shorten(hits: &mut Vec<SearchHit>, all: impl FnOnce(usize) -> SearchHit) {
    let found = hits.len();
    if found > MOST {
        hits.truncate(MOST);
        hits.push(all(found));
    }
}

/// Profiles by name, by the app registration's ids and by their own.
async fn profiles(services: &Services, actor: &Actor, wanted: &Wanted) -> AppResult<SearchGroup> {
    let mut unit = services.read(actor.tenant_id).await?;
    let all = unit.list_profiles(actor.tenant_id).await;
    let mut hits: Vec<SearchHit> = all
        .map_err(internal)?
        .into_iter()
        .filter_map(|profile| {
            let (fields, id) = (profile.fields, profile.profile_id.to_string());
            let texts = [
                fields.display_name.as_str(),
                &fields.client_id,
                &fields.directory_id,
                &id,
            ];
            wanted.is_in(&texts).then(|| {
                let detail = match profile.archived_at {
                    None => t!("Client ID {}", fields.client_id),
                    Some(_) => t!("Archived, client ID {}", fields.client_id),
                };
                let href = format!("{}&profile={id}", places::PROVIDERS);
                hit(fields.display_name, detail, href)
            })
        })
        .collect();
    shorten(&mut hits, |found| {
        hit(
            t!("All {found} profiles"),
            t!("Settings > Providers"),
            places::PROVIDERS,
        )
    });
    Ok(group(t!("Microsoft profiles"), hits))
}

/// People of the MSP by name, address and id.
async fn people(services: &Services, actor: &Actor, wanted: &Wanted) -> AppResult<SearchGroup> {
    let mut unit = services.read(actor.tenant_id).await?;
    let all = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let found: Vec<User> = all
        .into_iter()
        .filter(|user| user.is_active && user.user_type == UserType::Internal)
        .filter(|user| {
            let id = user.user_id.to_string();
            wanted.is_in(&[&user.display_name, &user.email, &id])
        })
        .collect();
    let few = found.len() <= FEW;
    let mut hits: Vec<SearchHit> = found
        .into_iter()
        .flat_map(|user| about(actor, &user, few))
        .collect();
    shorten(&mut hits, |found| {
        hit(
            t!("There are {found} of that name"),
            t!("Add a word to find fewer."),
            "/msp/schedule",
        )
    });
    Ok(group(t!("People"), hits))
}

/// Where something about a person stands that `actor` may see.
fn about(actor: &Actor, user: &User, whole: bool) -> Vec<SearchHit> {
    let (name, id) = (&user.display_name, user.user_id);
    let mut hits = Vec::new();
    if actor.may(Permission::ScheduleAll) {
        hits.push(hit(
            name.clone(),
            t!("Schedule, {}", user.email),
            format!("/msp/schedule?person={id}"),
        ));
    }
    if whole && actor.may(Permission::SettingsRead) {
        hits.push(hit(
            name.clone(),
            t!("Where they are signed in"),
            format!("/msp/profile?tab=security&person={id}"),
        ));
        hits.push(hit(
            name.clone(),
            t!("What they changed"),
            format!("/msp/operations?view=audit&actor={id}"),
        ));
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_be_there_in_any_order_and_case() {
        let wanted = Wanted::of("  MÜLLER anna ");
        assert!(wanted.is_in(&["Anna Müller", "x"]));
        assert!(wanted.is_in(&["Müller", "anna@example.test"]));
        assert!(!wanted.is_in(&["Anna Meier"]));
        assert_eq!(wanted.only(), None);
        assert_eq!(Wanted::of(" A-1 ").only(), Some("a-1"));
        assert!(Wanted::of(" \t").is_empty() && Wanted::of("").is_in(&["anything"]));
        assert!(!Wanted::of("%").is_in(&["100"]) && !Wanted::of("_").is_in(&["x"]));
    }

    #[test]
    fn a_question_is_read_up_to_its_longest() {
        let wanted = Wanted::of(&"x".repeat(100_000));
        assert_eq!(wanted.only().map(str::len), Some(LONGEST));
    }

    #[test]
    fn many_are_cut_short_and_say_where_the_others_are() {
        let some = |count| vec![hit("a", "", "/msp/a"); count];
        let mut enough = some(MOST);
        shorten(&mut enough, |_| unreachable!("none is left out"));
        assert_eq!(enough, some(MOST));
        let mut many = some(MOST + 3);
        shorten(&mut many, |found| hit(found.to_string(), "", "/msp/all"));
        assert_eq!(many.len(), MOST + 1);
        assert_eq!(many[MOST].title, "11");
    }
}
