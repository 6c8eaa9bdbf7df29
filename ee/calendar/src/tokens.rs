//! Keeps a connection's access token fresh.

use chrono::Duration;
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Connection, calendar};
use daybind_services::{Provider, Services, internal};
use daybind_storage::StorageError;
use secrecy::{ExposeSecret, SecretString};

use crate::oauth::{self, TokenError, token_place};
use crate::provider::{CalendarProvider, ProviderError};

/// Tokens that end sooner than that are replaced before use.
const MARGIN: Duration = Duration::minutes(2);

/// Why work on a connection stopped.
#[derive(Debug)]
pub enum Stop {
    /// The connection is gone, paused or not yet set up: nothing to do.
    Idle,
    /// The user must connect again.
    Reconnect(&'static str),
    /// The administrator must repair something.
    Operator(&'static str),
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

/// Loads a connection afresh, changes it and saves it, in one transaction of its own.
///
/// # Errors
/// [`Stop::Idle`] when it is gone.
pub async fn change(
    services: &Services,
    tenant_id: TenantId,
    id: ConnectionId,
    with: impl FnOnce(&mut Connection) + Send,
) -> Result<Connection, Stop> {
    let mut unit = services.begin(tenant_id).await?;
    let rows = calendar(unit.as_mut())?;
    let mut connection = rows
        .find_connection(tenant_id, id)
        .await?
        .ok_or(Stop::Idle)?;
    with(&mut connection);
    connection.updated_at = services.now();
    rows.update_connection(&connection).await?;
    unit.save().await?;
    connection.version += 1;
    Ok(connection)
}

/// A provider client with a token that works, refreshed if it must be (or if `force`).
///
/// # Errors
/// [`Stop`]
pub async fn connect(
    services: &Services,
    connection: &mut Connection,
    force: bool,
) -> Result<Box<dyn CalendarProvider>, Stop> {
    let provider = Provider::parse(&connection.provider).ok_or(Stop::Idle)?;
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let token = if !force && connection.access_token_expires_at > services.now() + MARGIN {
        let place = token_place(tenant_id, id, "access_token_sealed");
        services
            .keyring
            .open(&place, &connection.access_token_sealed)
            .map_err(internal)?
    } else {
        refresh(services, connection, provider).await?
    };
    Ok(oauth::provider_client(services, provider, token)?)
}

async fn refresh(
    services: &Services,
    connection: &mut Connection,
    provider: Provider,
) -> Result<SecretString, Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let mut unit = services.read(tenant_id).await?;
    let client = match oauth::client(services, unit.as_mut(), tenant_id, provider).await {
        Ok(client) => client,
        Err(error) if error.code == ErrorCode::NotReady => return Err(Stop::Operator("not_ready")),
        Err(error) => return Err(Stop::Internal(error)),
    };
    drop(unit);
    if client.client_id != connection.client_id {
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
    let tokens = oauth::token(services, &client, &form)
        .await
        .map_err(|error| match error {
            TokenError::InvalidGrant => Stop::Reconnect("grant_ended"),
            TokenError::InvalidClient => Stop::Operator("secret"),
            TokenError::Refused => Stop::Operator("token_refused"),
            TokenError::Transient => Stop::Provider(ProviderError::Transient("token")),
        })?;
    let seal = |column, secret: &SecretString| {
        services
            .keyring
            .seal(&token_place(tenant_id, id, column), secret)
            .map_err(internal)
    };
    let access = seal("access_token_sealed", &tokens.access_token)?;
    let renewed = tokens
        .refresh_token
        .as_ref()
        .map(|token| seal("refresh_token_sealed", token))
        .transpose()?;
    let (ends, before) = (
        oauth::token_end(services.now(), &tokens),
        connection.generation,
    );
    *connection = change(services, tenant_id, id, |row| {
        // Reconnected meanwhile: the newer tokens stay.
        if row.generation == before {
            row.access_token_sealed = access;
            row.access_token_expires_at = ends;
            if let Some(renewed) = renewed {
                row.refresh_token_sealed = renewed;
            }
        }
    })
    .await?;
    Ok(tokens.access_token)
}
