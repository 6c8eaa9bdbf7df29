//! The end of an OAuth round trip. Every outcome is a redirect to the profile page; the codes say which. A test sign-in
//! ends on the page of the Microsoft profile it tested.
//!
//! Order of checks: parameters, session, single-use flow, same session and person, unchanged settings, the answer's issuer,
//! the provider's own error, the token exchange, the granted scopes; then connections and first jobs in one transaction.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Cloud, ErrorCode};
use daybind_ee_storage::{Connection, ConnectionSettings, Failing, calendar};
use daybind_services::flow::Returned;
use daybind_services::{Actor, Provider, Services, flow, internal};
use daybind_storage::{OauthFlow, StorageError, UnitOfWork};
use secrecy::{ExposeSecret, SecretString};

use crate::consent::{Asked, Chosen, choose};
use crate::engine::Engine;
use crate::oauth::{self, OauthClient, TokenError, Tokens, token_place};
use crate::provider::{Account, CalendarProvider};
use crate::{import, subscribe, sync, trial};

/// Why it did not work; the code in the URL.
pub(crate) type Refusal = &'static str;

pub(crate) const INTERNAL: Refusal = "internal_error";

/// How it ends when nothing goes wrong.
enum End {
    /// An account is connected.
    Connected(Connected),
    /// It was a test: the page at this address says how it ended.
    Tested(String),
}

/// What a consent led to.
struct Connected {
    /// The connection it was given for.
    id: ConnectionId,
    /// That one has no calendar yet.
    choose: bool,
    /// Connections with a calendar that have access again.
    renewed: usize,
}

impl Connected {
    /// The page that goes on from there.
    fn page(&self) -> String {
        let mut page = "/msp/profile?tab=calendar&calendarAuth=success".to_owned();
        if self.choose {
            page += &format!("&connection={}", self.id);
        }
        if self.renewed > 0 {
            page += &format!("&renewed={}", self.renewed);
        }
        page
    }
}

pub(crate) fn refuse(error: &AppError) -> Refusal {
    if error.code == ErrorCode::NotReady || error.code == ErrorCode::EnterpriseOnly {
        "configuration_error"
    } else {
        INTERNAL
    }
}

fn storage(error: StorageError) -> Refusal {
    let _ = internal(error);
    INTERNAL
}

/// Answers a callback.
pub async fn serve(engine: &Engine, provider: Provider, request: Request<Body>) -> Response {
    if request.method() != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let actor = request
        .extensions()
        .get::<Option<Actor>>()
        .cloned()
        .flatten();
    let given = flow::returned(request.uri().query().unwrap_or_default());
    let target = match finish(engine, provider, actor, given).await {
        Ok(End::Tested(page)) => page,
        Ok(End::Connected(done)) => {
            tracing::info!(
                owner = "ee",
                provider = provider.as_str(),
                connection = %done.id,
                renewed = done.renewed,
                "calendar connected"
            );
            engine.wake.notify_waiters();
            done.page()
        }
        Err(code) => {
            tracing::warn!(
                owner = "ee",
                provider = provider.as_str(),
                code,
                "calendar not connected"
            );
            format!("/msp/profile?tab=calendar&calendarAuth=error&calendarError={code}")
        }
    };
    let headers = [
        (header::LOCATION, target.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

async fn finish(
    engine: &Engine,
    provider: Provider,
    actor: Option<Actor>,
    given: Option<Returned>,
) -> Result<End, Refusal> {
    let given = given.ok_or("missing_parameters")?;
    let state = &given.state;
    let actor = actor.ok_or("invalid_state")?;
    let tenant_id = flow::state_tenant(state)
        .filter(|id| *id == actor.tenant_id)
        .ok_or("invalid_state")?;
    let mut unit = engine
        .begin(tenant_id)
        .await
        .map_err(|error| refuse(&error))?;
    let taken = unit
        .take_flow(tenant_id, &flow::hash(state))
        .await
        .map_err(storage)?;
    // Taken for good, whatever follows.
    unit.save().await.map_err(storage)?;
    engine.point("consent.taken").await;
    if let Some(row) = taken
        .as_ref()
        .filter(|row| provider == Provider::Microsoft && trial::is_test(row))
    {
        return trial::finish(engine, &actor, &given, row)
            .await
            .map(End::Tested);
    }
    let flow = taken
        .filter(|flow| fits(flow, provider, &actor, engine))
        .ok_or("invalid_state")?;
    if actor.require(Permission::OwnProfile).is_err() {
        return Err("access_denied");
    }
    let mut unit = engine
        .read(tenant_id)
        .await
        .map_err(|error| refuse(&error))?;
    let client = oauth::client(engine, unit.as_mut(), tenant_id, provider)
        .await
        .map_err(|e| refuse(&e))?;
    drop(unit);
    // The settings were changed while the browser was away: the code belongs to the old ones.
    if flow.profile_id != client.profile_id || flow.profile_version != Some(client.version) {
        return Err("configuration_error");
    }
    if let Some(named) = &given.issuer {
        issued_by(engine, tenant_id, &client, named).await?;
    }
    if let Some(error) = &given.error {
        return Err(match error.as_str() {
            "access_denied" | "consent_required" => "access_denied",
            "unauthorized_client"
            | "invalid_client"
            | "invalid_scope"
            | "redirect_uri_mismatch" => "configuration_error",
            _ => INTERNAL,
        });
    }
    let code = given.code.ok_or("missing_parameters")?;
    let tokens = exchange(engine, &client, &flow, &code).await?;
    engine.point("consent.exchanged").await;
    if !oauth::granted(provider, &tokens) || tokens.refresh_token.is_none() {
        return Err("missing_scope");
    }
    let reader =
        oauth::provider_client(engine, provider, client.cloud, tokens.access_token.clone())
            .map_err(|error| refuse(&error))?;
    let account = reader.account().await.map_err(|error| {
        tracing::warn!(owner = "ee", %error, "the connected account could not be read");
        "token_exchange_failed"
    })?;
    let adopted = adopted(engine, reader.as_ref(), &actor, &flow).await?;
    store(engine, &actor, &flow, &client, &tokens, &account, adopted)
        .await
        .map(End::Connected)
}

/// An answer that names its sender names the one that was asked (RFC 9207): the profile's directory, or the host of
/// Google's log-in page. No token request is made for any other.
async fn issued_by(
    services: &Services,
    tenant_id: TenantId,
    client: &OauthClient,
    named: &str,
) -> Result<(), Refusal> {
    let issuer = match &client.directory {
        Some(directory) => {
            let found = services
                .issuers
                .find(services, tenant_id, (client.cloud, directory), None);
            let found = found.await.map_err(|error| {
                tracing::warn!(owner = "ee", %error, "the issuer is not known");
                "token_exchange_failed"
            })?;
            found.issuer
        }
        None => {
            let page =
                url::Url::parse(&client.authorize_url).map_err(|error| refuse(&internal(error)))?;
            page.origin().ascii_serialization()
        }
    };
    (named == issuer).then_some(()).ok_or("invalid_state")
}

/// The calendar of a connection that was brought over from a predecessor, once the account has shown that it is its
/// own; `None` for every other connection.
async fn adopted(
    services: &Services,
    reader: &dyn CalendarProvider,
    actor: &Actor,
    flow: &OauthFlow,
) -> Result<Option<String>, Refusal> {
    let Some(wanted) = flow.connection_id else {
        return Ok(None);
    };
    let mut unit = services
        .read(actor.tenant_id)
        .await
        .map_err(|error| refuse(&error))?;
    let row = calendar(unit.as_mut())
        .map_err(storage)?
        .find_connection(actor.tenant_id, ConnectionId(wanted))
        .await
        .map_err(storage)?;
    drop(unit);
    let Some(row) = row.filter(|row| row.user_id == actor.user_id() && import::is_imported(row))
    else {
        return Ok(None);
    };
    match import::adopt(services, reader, &row)
        .await
        .map_err(|error| refuse(&error))?
    {
        Ok(Some(calendar)) => Ok(Some(calendar)),
        Ok(None) => Err("different_account"),
        Err(error) => {
            tracing::warn!(owner = "ee", %error, "the imported calendar could not be looked at");
            Err("token_exchange_failed")
        }
    }
}

fn fits(row: &OauthFlow, provider: Provider, actor: &Actor, services: &Services) -> bool {
    row.purpose == oauth::PURPOSE
        && row.provider == provider.as_str()
        && flow::is_same_person(row, actor)
        && row.expires_at > services.now()
}

async fn exchange(
    services: &Services,
    client: &OauthClient,
    row: &OauthFlow,
    code: &str,
) -> Result<Tokens, Refusal> {
    let verifier = flow::verifier(services, row).map_err(|_| INTERNAL)?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", row.redirect_uri.as_str()),
        ("code_verifier", verifier.expose_secret()),
    ];
    oauth::token(services, client, &form)
        .await
        .map_err(|error| match error {
            TokenError::InvalidClient => "configuration_error",
            TokenError::InvalidGrant
            | TokenError::Transient
            | TokenError::Throttled { .. }
            | TokenError::Refused => "token_exchange_failed",
        })
}

async fn store(
    engine: &Engine,
    actor: &Actor,
    flow: &OauthFlow,
    client: &OauthClient,
    tokens: &Tokens,
    account: &Account,
    adopted: Option<String>,
) -> Result<Connected, Refusal> {
    let tenant_id = actor.tenant_id;
    let mut unit = engine
        .begin(tenant_id)
        .await
        .map_err(|error| refuse(&error))?;
    let all = calendar(unit.as_mut())
        .map_err(storage)?
        .list_connections(tenant_id)
        .await
        .map_err(storage)?;
    let asked = Asked {
        user_id: actor.user_id(),
        provider: &flow.provider,
        connection: flow.connection_id,
        adopted: adopted.is_some(),
    };
    let Chosen { row, along } = choose(&all, asked, &account.id)?;
    let is_new = row.is_none();
    let mut row = row.unwrap_or_else(|| blank(engine, actor, flow));
    if let Some(calendar) = adopted {
        row.calendar_id = Some(calendar);
    }
    let done = Connected {
        id: row.connection_id,
        choose: row.calendar_id.is_none(),
        renewed: std::iter::once(&row)
            .chain(&along)
            .filter(|row| row.calendar_id.is_some())
            .count(),
    };
    for mut row in std::iter::once(row).chain(along) {
        give(engine, client, tokens, account, &mut row)?;
        let rows = calendar(unit.as_mut()).map_err(storage)?;
        let stored = if is_new && row.connection_id == done.id {
            rows.add_connection(&row).await
        } else {
            rows.update_connection(&row).await
        };
        match stored {
            // One that was brought over, or that an update found to be the second one of its calendar.
            Err(StorageError::Duplicate(_)) => return Err("calendar_taken"),
            other => other.map_err(storage)?,
        }
        follow_up(engine, actor, unit.as_mut(), &row)
            .await
            .map_err(storage)?;
    }
    engine.point("consent.before_commit").await;
    unit.save().await.map_err(storage)?;
    engine.point("consent.after_commit").await;
    Ok(done)
}

/// A connection that has neither account nor calendar.
fn blank(services: &Services, actor: &Actor, flow: &OauthFlow) -> Connection {
    let now = services.now();
    Connection {
        tenant_id: actor.tenant_id,
        connection_id: ConnectionId(services.new_id()),
        user_id: actor.user_id(),
        provider: flow.provider.clone(),
        account_id: String::new(),
        account_email: String::new(),
        calendar_id: None,
        calendar_name: None,
        status: "configuring".to_owned(),
        status_reason: None,
        direction: "bidirectional".to_owned(),
        profile_id: None,
        client_id: String::new(),
        cloud: Cloud::Global,
        access_token_sealed: String::new(),
        access_token_expires_at: now,
        refresh_token_sealed: String::new(),
        cursor: None,
        cursor_window_start: None,
        cursor_window_end: None,
        last_sync_at: None,
        last_error: None,
        settings: ConnectionSettings::default(),
        brake: None,
        brake_count: 0,
        brake_occurrences: 0,
        pause: None,
        failing: Failing::default(),
        generation: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Gives a connection the account's tokens, sealed in its own place.
fn give(
    services: &Services,
    client: &OauthClient,
    tokens: &Tokens,
    account: &Account,
    row: &mut Connection,
) -> Result<(), Refusal> {
    let (tenant_id, id, now) = (row.tenant_id, row.connection_id, services.now());
    row.account_id.clone_from(&account.id);
    row.account_email.clone_from(&account.email);
    row.status = if row.calendar_id.is_some() {
        "connected"
    } else {
        "configuring"
    }
    .to_owned();
    row.status_reason = None;
    row.last_error = None;
    row.failing = Failing::default();
    row.profile_id = client.profile_id.map(|id| id.0);
    row.client_id.clone_from(&client.client_id);
    if row.cloud != client.cloud {
        // It leads to the other cloud's host.
        row.cursor = None;
    }
    row.cloud = client.cloud;
    let access = &tokens.access_token;
    row.access_token_sealed = seal(services, tenant_id, id, "access_token_sealed", access)?;
    row.access_token_expires_at = oauth::token_end(now, tokens);
    let refresh = tokens.refresh_token.as_ref().ok_or("missing_scope")?;
    row.refresh_token_sealed = seal(services, tenant_id, id, "refresh_token_sealed", refresh)?;
    row.generation += 1;
    row.updated_at = now;
    Ok(())
}

fn seal(
    services: &Services,
    tenant_id: TenantId,
    id: ConnectionId,
    column: &'static str,
    secret: &SecretString,
) -> Result<String, Refusal> {
    services
        .keyring
        .seal(&token_place(tenant_id, id, column), secret)
        .map_err(|error| {
            let _ = internal(error);
            INTERNAL
        })
}

async fn follow_up(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    row: &Connection,
) -> Result<(), StorageError> {
    if sync::may_sync(row) {
        sync::enqueue(
            unit,
            row.tenant_id,
            row.connection_id,
            "start",
            services.now(),
        )
        .await?;
        subscribe::enqueue(unit, row.tenant_id, row.connection_id, services.now()).await?;
    }
    let detail = serde_json::json!({ "provider": row.provider, "account": row.account_email });
    let subject = format!("calendar_provider:{}", row.connection_id);
    unit.add_audit(&actor.audit(services, "calendar.connected", subject, detail))
        .await
}
