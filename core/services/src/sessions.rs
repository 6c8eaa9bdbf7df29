//! The browsers somebody is signed in with: listing them, and ending them.
//!
//! A session is a row; ending it removes the row, and every server asks for the row with every request. So it is over
//! everywhere at once.

use daybind_domain::ids::{SessionId, UserId};
use daybind_domain::session::{PersonChoice, SessionRow, SessionsView};
use daybind_domain::user::{Permission, UserType};
use daybind_domain::{AppError, ErrorCode};
use daybind_storage::{Session, UnitOfWork, User};
use daybind_words::t;

use crate::auth::{Actor, SESSION_IDLE};
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;

/// A person's live sessions. One's own (`person` empty), or, for administrators, anybody's of the MSP.
///
/// # Errors
/// Forbidden; not found.
pub async fn list(services: &Services, actor: &Actor, person: &str) -> AppResult<SessionsView> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let subject = subject(unit.as_mut(), actor, person, Permission::SettingsRead).await?;
    let sessions = unit
        .list_sessions(actor.tenant_id, subject.user_id)
        .await
        .map_err(internal)?;
    let people = if actor.may(Permission::SettingsRead) {
        unit.list_users(actor.tenant_id).await.map_err(internal)?
    } else {
        Vec::new()
    };
    let now = services.now();
    let zone = localtime::zone(&actor.user.time_zone);
    let own = subject.user_id == actor.user_id();
    let rows = sessions
        .into_iter()
        .filter(|session| session.expires_at > now && session.last_seen_at + SESSION_IDLE > now)
        .map(|session| row(&session, actor, zone))
        .collect();
    Ok(SessionsView {
        sessions: rows,
        person_id: if own {
            String::new()
        } else {
            subject.user_id.to_string()
        },
        person_name: subject.display_name,
        can_end: own || actor.may(Permission::SettingsUpdate),
        people: people
            .into_iter()
            .filter(|user| user.user_id != actor.user_id())
            .map(|user| PersonChoice {
                user_id: user.user_id.to_string(),
                name: format!("{} ({})", user.display_name, user.email),
            })
            .collect(),
    })
}

fn row(session: &Session, actor: &Actor, zone: chrono_tz::Tz) -> SessionRow {
    SessionRow {
        session_id: session.session_id.to_string(),
        device: device(session.user_agent.as_deref().unwrap_or_default()),
        method: match session.method.as_str() {
            "microsoft" => "Microsoft".to_owned(),
            _ => t!("Password").to_owned(),
        },
        address: session.address.clone().unwrap_or_default(),
        created: localtime::date_time(session.created_at, zone),
        last_seen: localtime::date_time(session.last_seen_at, zone),
        current: session.session_id == actor.session_id,
    }
}

/// Whose sessions are meant: the caller's own, or somebody's of the MSP with `permission`.
async fn subject(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    person: &str,
    permission: Permission,
) -> AppResult<User> {
    if person.is_empty()
        || person
            .parse::<UserId>()
            .is_ok_and(|id| id == actor.user_id())
    {
        return Ok(actor.user.clone());
    }
    actor.require(permission)?;
    let gone = || AppError::not_found(t!("This person"));
    let user_id: UserId = person.parse().map_err(|_| gone())?;
    unit.find_user(actor.tenant_id, user_id)
        .await
        .map_err(internal)?
        .ok_or_else(gone)
}

/// Ends one session: one's own, or, with `system_settings:update`, anybody's of the MSP. Ending one that has ended is a
/// not-found, so that a wrong button is noticed.
///
/// # Errors
/// Forbidden; not found; a conflict for the session one is using (that is what signing out is for).
pub async fn end(
    services: &Services,
    actor: &Actor,
    person: &str,
    session_id: &str,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let gone = || AppError::not_found(t!("This session"));
    let session_id: SessionId = session_id.parse().map_err(|_| gone())?;
    if session_id == actor.session_id {
        return Err(AppError::new(
            ErrorCode::Conflict,
            t!("This is the session you are using."),
        )
        .next_step(t!("Sign out to end it.")));
    }
    let mut unit = services.begin(actor.tenant_id).await?;
    let subject = subject(unit.as_mut(), actor, person, Permission::SettingsUpdate).await?;
    let theirs = unit
        .list_sessions(actor.tenant_id, subject.user_id)
        .await
        .map_err(internal)?;
    if !theirs
        .iter()
        .any(|session| session.session_id == session_id)
    {
        return Err(gone());
    }
    unit.remove_session(actor.tenant_id, session_id)
        .await
        .map_err(internal)?;
    record(services, unit.as_mut(), actor, &subject, session_id).await?;
    unit.save().await.map_err(internal)
}

/// Ends all of a person's sessions but the one in use; how many.
///
/// # Errors
/// Forbidden; not found.
pub async fn end_others(services: &Services, actor: &Actor, person: &str) -> AppResult<usize> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let subject = subject(unit.as_mut(), actor, person, Permission::SettingsUpdate).await?;
    let ended = unit
        .remove_other_sessions(actor.tenant_id, subject.user_id, Some(actor.session_id))
        .await
        .map_err(internal)?;
    for session_id in &ended {
        record(services, unit.as_mut(), actor, &subject, *session_id).await?;
    }
    unit.save().await.map_err(internal)?;
    Ok(ended.len())
}

async fn record(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    subject: &User,
    session_id: SessionId,
) -> AppResult<()> {
    let row = actor.audit(
        services,
        "session.revoked",
        format!("session:{session_id}"),
        serde_json::json!({ "person": subject.user_id.to_string() }),
    );
    unit.add_audit(&row).await.map_err(internal)
}

/// Whether somebody is on the MSP's side.
pub(crate) fn is_staff(user: &User) -> bool {
    user.user_type == UserType::Internal
}

/// What a browser calls itself, in words: "Firefox on Windows".
fn device(user_agent: &str) -> String {
    // The order matters: nearly every browser also claims to be Chrome or Safari.
    let browser = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let system = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |list: &[(&str, &'static str)]| {
        list.iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (find(&browser), find(&system)) {
        (Some(browser), Some(system)) => t!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => t!("Unknown device").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn browsers_are_told_apart() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("", "Unknown device"),
        ] {
            assert_eq!(device(agent), name);
        }
    }
}
