//! Rows to test with.

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_domain::profile::ProfileFields;
use daybind_domain::user::{Role, UserType};
use uuid::Uuid;

use crate::{NewUser, Profile, Scope, SecretMeta, Store, Tenant, UnitOfWork, User};

/// A fixed moment, in seconds after 2026-01-01.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub(super) async fn unit(store: &dyn Store, tenant_id: TenantId) -> Box<dyn UnitOfWork> {
    store.begin(Scope::Tenant(tenant_id)).await.unwrap()
}

/// A tenant with one admin, `admin@example.test`.
pub(super) async fn tenant(store: &dyn Store, name: &str) -> (TenantId, UserId) {
    let tenant_id = TenantId(Uuid::new_v4());
    let mut system = store.begin(Scope::System).await.unwrap();
    let row = Tenant {
        tenant_id,
        name: name.to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    system.add_tenant(&row, at(0)).await.unwrap();
    system.save().await.unwrap();
    let user_id = user(store, tenant_id, "Admin@example.test").await;
    (tenant_id, user_id)
}

pub(super) async fn user(store: &dyn Store, tenant_id: TenantId, email: &str) -> UserId {
    let user_id = UserId(Uuid::new_v4());
    let new = NewUser {
        user: User {
            tenant_id,
            user_id,
            email: email.to_owned(),
            display_name: email.to_owned(),
            user_type: UserType::Internal,
            role: Role::Admin,
            is_active: true,
            time_zone: "Europe/Berlin".to_owned(),
        },
        email_normalized: email.to_lowercase(),
        password_hash: Some("hash".to_owned()),
    };
    let mut unit = unit(store, tenant_id).await;
    unit.add_user(&new, at(0)).await.unwrap();
    unit.save().await.unwrap();
    user_id
}

pub(super) fn profile(tenant_id: TenantId, created_by: UserId, name: &str) -> Profile {
    Profile {
        tenant_id,
        profile_id: ProfileId(Uuid::new_v4()),
        fields: ProfileFields {
            display_name: name.to_owned(),
            display_name_normalized: name.to_lowercase(),
            client_id: Uuid::new_v4().to_string(),
            directory_id: "contoso.example".to_owned(),
            cloud: daybind_domain::Cloud::China,
        },
        client_secret_sealed: Some("sealed".to_owned()),
        client_secret_last4: Some("abcd".to_owned()),
        secret: SecretMeta {
            added_by: Some(created_by),
            added_at: Some(at(1)),
            expires_on: at(86_400).date_naive().into(),
        },
        archived_at: None,
        version: 1,
        created_by,
        created_at: at(1),
        updated_by: Some(created_by),
        updated_at: at(1),
    }
}
