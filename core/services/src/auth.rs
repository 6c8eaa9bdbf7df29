//! Password sign-in, server-side sessions, and who may do what.

use std::net::IpAddr;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use daybind_domain::ids::{SessionId, TenantId, UserId};
use daybind_domain::user::{Permission, Role, UserType, allows, normalise_email};
use daybind_domain::{AppError, ErrorCode};
use daybind_storage::{AuditRow, LoginCandidate, Scope, Session, User};
use daybind_words::t;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::passwords;

/// A session ends after that long without use.
pub const SESSION_IDLE: Duration = Duration::hours(12);
/// A session ends after that long whatever happens.
pub const SESSION_MAX: Duration = Duration::days(7);

/// Who asks: a signed-in, active person.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Their MSP.
    pub tenant_id: TenantId,
    /// The person.
    pub user: User,
    /// Their session.
    pub session_id: SessionId,
    /// The request they ask with, as the log names it.
    pub request_id: Option<String>,
}

impl Actor {
    /// The person's id.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.user.user_id
    }

    /// Whether they hold the permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        allows(self.user.user_type, self.user.role, permission)
    }

    /// Whether they work for the MSP.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.user.user_type == UserType::Internal
    }

    /// # Errors
    /// [`ErrorCode::Forbidden`] without the permission.
    pub fn require(&self, permission: Permission) -> AppResult<()> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(AppError::forbidden())
        }
    }

    /// An audit row for what they do.
    #[must_use]
    pub fn audit(
        &self,
        services: &Services,
        action: &str,
        subject: String,
        detail: serde_json::Value,
    ) -> AuditRow {
        let row = audit::row(
            services,
            self.tenant_id,
            Some(self.user_id()),
            action,
            subject,
            detail,
        );
        AuditRow {
            request_id: self.request_id.clone().or(row.request_id),
            ..row
        }
    }
}

/// OWASP's argon2id floor: 19 MiB, two passes, one lane.
fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Hashes a password with argon2id (PHC string). Slow on purpose; runs off the async threads.
///
/// # Errors
/// An internal error.
pub async fn hash_password(password: SecretString) -> AppResult<String> {
    tokio::task::spawn_blocking(move || {
        let salt = SaltString::generate(&mut OsRng);
        hasher()
            .hash_password(password.expose_secret().as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|error| std::io::Error::other(error.to_string()))
    })
    .await
    .map_err(internal)?
    .map_err(internal)
}

/// Checks a password against a PHC string.
pub(crate) async fn verify(password: SecretString, hash: String) -> bool {
    tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash).is_ok_and(|parsed| {
            hasher()
                .verify_password(password.expose_secret().as_bytes(), &parsed)
                .is_ok()
        })
    })
    .await
    .unwrap_or(false)
}

/// A hash nobody's password has, checked when there is no such person so that both cases take as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b5dWRWJTmaaJObGDsl5cpTIC5k";

/// Signs in with email and password.
///
/// Returns the cookie's value: `<tenant id>.<token>`. The token is random (256 bits); only its SHA-256 is stored. The
/// tenant in front lets every later look-up stay inside one tenant.
///
/// # Errors
/// One and the same error for a wrong password, an unknown and an inactive person. Forbidden for a technician whose
/// password is right where the MSP asks for Microsoft (see [`passwords`]).
pub async fn sign_in(
    services: &Services,
    email: &str,
    password: SecretString,
    client: &Client,
) -> AppResult<SecretString> {
    let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
    let candidates = unit
        .find_login(&normalise_email(email))
        .await
        .map_err(internal)?;
    drop(unit);
    let mut found: Option<LoginCandidate> = None;
    let mut checked = false;
    for candidate in candidates {
        if let Some(hash) = candidate.password_hash.clone() {
            checked = true;
            if verify(password.clone(), hash).await && candidate.is_active && found.is_none() {
                found = Some(candidate);
            }
        }
    }
    if !checked {
        verify(password, NOBODY.to_owned()).await;
    }
    let Some(person) = found else {
        return Err(AppError::new(
            ErrorCode::SignedOut,
            t!("The email or the password is wrong."),
        )
        .next_step(t!("Check both and try again.")));
    };
    let mut unit = services.read(person.tenant_id).await?;
    let user = unit
        .find_user(person.tenant_id, person.user_id)
        .await
        .map_err(internal)?
        .ok_or_else(AppError::signed_out)?;
    passwords::admit(unit.as_mut(), &user).await?;
    drop(unit);
    open_session(
        services,
        person.tenant_id,
        person.user_id,
        "password",
        client,
    )
    .await
}

/// What is known about the browser somebody signs in with.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Its network address.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// The session cookie it already sends: that session ends when the new one begins, so that a token somebody may
    /// have planted or seen before is worth nothing afterwards.
    pub cookie: Option<SecretString>,
    /// The request, as the log names it.
    pub request_id: Option<String>,
}

/// Enough of a user agent to tell devices apart; the header is as long as a stranger likes.
fn shortened(user_agent: &str) -> String {
    user_agent
        .chars()
        .filter(|c| !c.is_control())
        .take(256)
        .collect()
}

/// Opens a session for somebody whose identity has been proven. `method` is `password` or `microsoft`.
///
/// The session the browser came with ends, and so do the tenant's sessions that have run out.
///
/// # Errors
/// An internal error.
pub async fn open_session(
    services: &Services,
    tenant_id: TenantId,
    user_id: UserId,
    method: &str,
    client: &Client,
) -> AppResult<SecretString> {
    if let Some(cookie) = &client.cookie {
        end_cookie(services, cookie.expose_secret()).await?;
    }
    let mut token = [0_u8; 32];
    rand::rng().fill_bytes(&mut token);
    let token = URL_SAFE_NO_PAD.encode(token);
    let now = services.now();
    let session = Session {
        tenant_id,
        session_id: services.new_id().into(),
        user_id,
        token_hash: hash_token(&token),
        created_at: now,
        last_seen_at: now,
        expires_at: now + SESSION_MAX,
        method: method.to_owned(),
        user_agent: client.user_agent.as_deref().map(shortened),
        address: client.address.map(|address| address.to_string()),
    };
    let mut unit = services.begin(tenant_id).await?;
    unit.purge_sessions(tenant_id, now, now - SESSION_IDLE)
        .await
        .map_err(internal)?;
    unit.add_session(&session).await.map_err(internal)?;
    unit.add_audit(&audit::row(
        services,
        tenant_id,
        Some(user_id),
        "session.opened",
        format!("session:{}", session.session_id),
        serde_json::json!({ "method": method, "address": session.address }),
    ))
    .await
    .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    Ok(SecretString::from(format!("{tenant_id}.{token}")))
}

/// Ends the session of a cookie, whoever sends it; one that is malformed or unknown is fine.
async fn end_cookie(services: &Services, cookie: &str) -> AppResult<()> {
    let Some((tenant_id, token)) = split_cookie(cookie) else {
        return Ok(());
    };
    let mut unit = services.begin(tenant_id).await?;
    let Some(session) = unit
        .find_session(tenant_id, &hash_token(token))
        .await
        .map_err(internal)?
    else {
        return Ok(());
    };
    unit.remove_session(tenant_id, session.session_id)
        .await
        .map_err(internal)?;
    unit.add_audit(&audit::row(
        services,
        tenant_id,
        Some(session.user_id),
        "session.replaced",
        format!("session:{}", session.session_id),
        serde_json::json!({}),
    ))
    .await
    .map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Finds who a session cookie belongs to; `None` when it is malformed, unknown, ended, or the person is inactive.
///
/// # Errors
/// An internal error when the database does not answer.
pub async fn authenticate(
    services: &Services,
    cookie: &str,
    request_id: Option<String>,
) -> AppResult<Option<Actor>> {
    let Some((tenant_id, token)) = split_cookie(cookie) else {
        return Ok(None);
    };
    let now = services.now();
    let mut unit = services.read(tenant_id).await?;
    let Some(session) = unit
        .find_session(tenant_id, &hash_token(token))
        .await
        .map_err(internal)?
    else {
        return Ok(None);
    };
    if session.expires_at <= now || session.last_seen_at + SESSION_IDLE <= now {
        return Ok(None);
    }
    let user = unit
        .find_user(tenant_id, session.user_id)
        .await
        .map_err(internal)?;
    drop(unit);
    let Some(user) = user.filter(|user| user.is_active) else {
        return Ok(None);
    };
    // Once a minute is enough to keep a session alive, and spares a write on every request.
    if now - session.last_seen_at > Duration::minutes(1) {
        let mut unit = services.begin(tenant_id).await?;
        unit.touch_session(tenant_id, session.session_id, now)
            .await
            .map_err(internal)?;
        unit.save().await.map_err(internal)?;
    }
    Ok(Some(Actor {
        tenant_id,
        user,
        session_id: session.session_id,
        request_id,
    }))
}

/// The standing of whoever asked earlier, now; `None` when their session has ended or they are inactive. Does not count as
/// use of the session.
///
/// # Errors
/// An internal error when the database does not answer.
pub async fn still(services: &Services, actor: &Actor) -> AppResult<Option<(UserType, Role)>> {
    let (tenant_id, user_id) = (actor.tenant_id, actor.user_id());
    let now = services.now();
    let mut unit = services.read(tenant_id).await?;
    let sessions = unit
        .list_sessions(tenant_id, user_id)
        .await
        .map_err(internal)?;
    let live = sessions.iter().any(|session| {
        session.session_id == actor.session_id
            && session.expires_at > now
            && session.last_seen_at + SESSION_IDLE > now
    });
    if !live {
        return Ok(None);
    }
    let user = unit.find_user(tenant_id, user_id).await.map_err(internal)?;
    Ok(user
        .filter(|user| user.is_active)
        .map(|user| (user.user_type, user.role)))
}

/// Ends the caller's session.
///
/// # Errors
/// An internal error.
pub async fn sign_out(services: &Services, actor: &Actor) -> AppResult<()> {
    let mut unit = services.begin(actor.tenant_id).await?;
    unit.remove_session(actor.tenant_id, actor.session_id)
        .await
        .map_err(internal)?;
    let row = actor.audit(
        services,
        "session.closed",
        format!("session:{}", actor.session_id),
        serde_json::json!({}),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

fn split_cookie(cookie: &str) -> Option<(TenantId, &str)> {
    let (tenant, token) = cookie.split_once('.')?;
    Some((tenant.parse().ok()?, token))
}

fn hash_token(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let hash = hash_password(SecretString::from("correct horse"))
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify(SecretString::from("correct horse"), hash.clone()).await);
        assert!(!verify(SecretString::from("wrong horse"), hash).await);
    }

    #[test]
    fn the_decoy_hash_is_a_real_one() {
        assert!(PasswordHash::new(NOBODY).is_ok());
    }

    #[test]
    fn malformed_cookies_belong_to_nobody() {
        assert!(split_cookie("").is_none());
        assert!(split_cookie("not-a-tenant.token").is_none());
    }
}
