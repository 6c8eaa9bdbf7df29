//! Keeps a connection's access token fresh.

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Connection, FreshTokens, calendar};
use daybind_services::{Provider, Services, internal};
use daybind_storage::StorageError;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::engine::{Engine, ProviderSource};
use crate::oauth::{self, TokenError, Tokens, token_place};
use crate::provider::{CalendarProvider, ProviderError};
use crate::removals::Deletions;

/// Tokens that end sooner than that are replaced before use.
const MARGIN: Duration = Duration::minutes(2);
/// How long one refresh may take before somebody else tries.
const LEASE: Duration = Duration::seconds(60);
/// How often one looks whether another's refresh is done.
const WAIT: std::time::Duration = std::time::Duration::from_millis(100);
/// How often at most: the lease and a little more.
const WAITS: u32 = 650;
/// How often fresh tokens are stored again after a failure.
const STORES: u32 = 20;

/// How often a change of a row is made anew when somebody else was faster.
const CHANGES: u32 = 5;

/// Why work on a connection stopped.
#[derive(Debug)]
pub enum Stop {
    /// The connection is gone, paused or not yet set up: nothing to do.
    Idle,
    /// The user must connect again.
    Reconnect(&'static str),
    /// The administrator must repair something.
    Operator(&'static str),
    /// So many deletions at once that the owner is asked first.
    Brake {
        /// The schedule would lose them, not the calendar.
        incoming: bool,
        /// How many.
        count: Deletions,
    },
    /// The provider wants to be left alone until then.
    Held(DateTime<Utc>),
    /// Others work at the mailbox; as many as may.
    Busy,
    /// Another worker holds the lane now; nothing more may be written.
    Fenced,
    /// The provider refused or did not answer.
    Provider(ProviderError),
    /// The database did; the transaction was rolled back.
    Storage(StorageError),
    /// Something inside the server.
    Internal(AppError),
}

impl From<ProviderError> for Stop {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<AppError> for Stop {
    fn from(error: AppError) -> Self {
        Self::Internal(error)
    }
}

/// Loads a connection afresh, changes it and saves it, in one transaction of its own; what `with` returns. Whoever
/// changes the row at the same time goes first.
///
/// # Errors
/// [`Stop::Idle`] when it is gone.
pub async fn change<T>(
    services: &Services,
    tenant_id: TenantId,
    id: ConnectionId,
    mut with: impl FnMut(&mut Connection) -> T + Send,
) -> Result<T, Stop> {
    let mut tries = 0;
    loop {
        let mut unit = services.begin(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let mut connection = rows
            .find_connection(tenant_id, id)
            .await?
            .ok_or(Stop::Idle)?;
        let result = with(&mut connection);
        connection.updated_at = services.now();
        match rows.update_connection(&connection).await {
            Err(StorageError::Stale) if tries < CHANGES => tries += 1,
            other => {
                other?;
                unit.save().await?;
                return Ok(result);
            }
        }
    }
}

/// Reaches Google and Microsoft over HTTP.
pub struct HttpProviders;

#[async_trait]
impl ProviderSource for HttpProviders {
    async fn connect(
        &self,
        engine: &Engine,
        connection: &mut Connection,
        fresh: bool,
    ) -> Result<Box<dyn CalendarProvider>, Stop> {
        let provider = Provider::parse(&connection.provider).ok_or(Stop::Idle)?;
        let token = if !fresh && is_fresh(engine, connection) {
            access_token(engine, connection)?
        } else {
            refresh(engine, connection, provider).await?
        };
        Ok(oauth::provider_client(
            engine,
            provider,
            connection.cloud,
            token,
        )?)
    }
}

fn is_fresh(services: &Services, connection: &Connection) -> bool {
    connection.access_token_expires_at > services.now() + MARGIN
}

fn access_token(services: &Services, connection: &Connection) -> Result<SecretString, Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let place = token_place(tenant_id, id, "access_token_sealed");
    Ok(services
        .keyring
        .open(&place, &connection.access_token_sealed)
        .map_err(internal)?)
}

/// Refreshes the tokens, or waits for whoever is doing so already, on this server or another: at most one request per
/// connection is under way, and nobody writes over a newer token.
async fn refresh(
    engine: &Engine,
    connection: &mut Connection,
    provider: Provider,
) -> Result<SecretString, Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let tried = connection.access_token_sealed.clone();
    let holder = Uuid::new_v4();
    for _ in 0..WAITS {
        let now = engine.now();
        let mut unit = engine.begin(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let taken = rows
            .take_token_lease((tenant_id, id), holder, now + LEASE, now)
            .await?;
        let row = rows.find_connection(tenant_id, id).await?;
        *connection = row.ok_or(Stop::Idle)?;
        let done = connection.access_token_sealed != tried && is_fresh(engine, connection);
        if done || connection.status == "needs_reconnect" {
            // Somebody was faster; without `save` the lease goes back.
            unit.cancel().await?;
            return if done {
                access_token(engine, connection)
            } else {
                Err(Stop::Reconnect("grant_ended"))
            };
        }
        if taken {
            unit.save().await?;
            return exchange(engine, connection, provider, holder).await;
        }
        unit.cancel().await?;
        tokio::time::sleep(WAIT).await;
    }
    Err(Stop::Provider(ProviderError::Transient("token")))
}

/// The one request, by the holder of the lease.
async fn exchange(
    engine: &Engine,
    connection: &mut Connection,
    provider: Provider,
    holder: Uuid,
) -> Result<SecretString, Stop> {
    let whose = (connection.tenant_id, connection.connection_id);
    let generation = connection.generation;
    let tokens = match ask(engine, connection, provider).await {
        Ok(tokens) => tokens,
        Err(stop) => {
            let mut unit = engine.begin(whose.0).await?;
            let rows = calendar(unit.as_mut())?;
            let held = rows
                .end_token_lease(whose, holder, generation, None)
                .await?;
            // Said here, so that those who wait do not ask once more with a dead grant.
            if held
                && let Stop::Reconnect(code) = stop
                && let Some(mut row) = rows.find_connection(whose.0, whose.1).await?
                && !oauth::is_ending(&row)
                && row.status_reason.as_deref() != Some(oauth::TWICE)
            {
                row.status = "needs_reconnect".to_owned();
                row.status_reason = Some(code.to_owned());
                row.last_error = Some(code.to_owned());
                row.updated_at = engine.now();
                rows.update_connection(&row).await?;
            }
            unit.save().await?;
            return Err(stop);
        }
    };
    let seal = |column, secret: &SecretString| {
        engine
            .keyring
            .seal(&token_place(whose.0, whose.1, column), secret)
            .map_err(internal)
    };
    let fresh = FreshTokens {
        access_token_sealed: seal("access_token_sealed", &tokens.access_token)?,
        access_token_expires_at: oauth::token_end(engine.now(), &tokens),
        refresh_token_sealed: tokens
            .refresh_token
            .as_ref()
            .map(|token| seal("refresh_token_sealed", token))
            .transpose()?,
    };
    // The old refresh token may be worth nothing any more, so a database that stumbles is asked again.
    let mut tries = 0;
    engine.point("refresh.before_commit").await;
    let stored = loop {
        match store(engine, whose, holder, generation, &fresh).await {
            Err(Stop::Storage(error)) if tries < STORES => {
                tries += 1;
                tracing::warn!(connection = %whose.1, %error, "fresh tokens could not be stored; trying again");
                tokio::time::sleep(WAIT).await;
            }
            other => break other?,
        }
    };
    engine.point("refresh.after_commit").await;
    let mut unit = engine.read(whose.0).await?;
    let row = calendar(unit.as_mut())?
        .find_connection(whose.0, whose.1)
        .await?;
    *connection = row.ok_or(Stop::Idle)?;
    if stored {
        Ok(tokens.access_token)
    } else {
        // Reconnected meanwhile, or the lease ran out and somebody else refreshed: theirs are the newer ones.
        access_token(engine, connection)
    }
}

async fn store(
    services: &Services,
    whose: (TenantId, ConnectionId),
    holder: Uuid,
    generation: i64,
    fresh: &FreshTokens,
) -> Result<bool, Stop> {
    let mut unit = services.begin(whose.0).await?;
    let stored = calendar(unit.as_mut())?
        .end_token_lease(whose, holder, generation, Some(fresh))
        .await?;
    unit.save().await?;
    Ok(stored)
}

async fn ask(
    services: &Services,
    connection: &Connection,
    provider: Provider,
) -> Result<Tokens, Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let mut unit = services.read(tenant_id).await?;
    let client = match oauth::client(services, unit.as_mut(), tenant_id, provider).await {
        Ok(client) => client,
        Err(error) if error.code == ErrorCode::NotReady => return Err(Stop::Operator("not_ready")),
        Err(error) => return Err(Stop::Internal(error)),
    };
    drop(unit);
    // What one cloud issued is not sent to another, whatever the profile says by now.
    if client.client_id != connection.client_id || client.cloud != connection.cloud {
        return Err(Stop::Reconnect("client_changed"));
    }
    let place = token_place(tenant_id, id, "refresh_token_sealed");
    let refresh = services
        .keyring
        .open(&place, &connection.refresh_token_sealed)
        .map_err(internal)?;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.expose_secret()),
    ];
    oauth::token(services, &client, &form)
        .await
        .map_err(|error| match error {
            TokenError::InvalidGrant => Stop::Reconnect("grant_ended"),
            TokenError::InvalidClient => Stop::Operator("secret"),
            TokenError::Refused => Stop::Operator("token_refused"),
            TokenError::Throttled { after } => Stop::Provider(ProviderError::Throttled { after }),
            TokenError::Transient => Stop::Provider(ProviderError::Transient("token")),
        })
}
