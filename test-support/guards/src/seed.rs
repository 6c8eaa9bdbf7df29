//! Two tenants of the same shape: an administrator, a technician, a client-portal user, and some of everything.

use axum::Router;
use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_services::{Services, auth};
use daybind_storage::{Identity, IdentityRequest, NewUser, Proof, RequestState, User};
use secrecy::SecretString;
use uuid::Uuid;

use crate::call::Call;
use crate::site::Site;

/// The password of all seeded people.
pub const PASSWORD: &str = "Canary-pass-word never to be shown 9Kd2";
/// How many rows of each kind; guards that change or delete use another one each.
const EACH: usize = 8;

/// A tenant, and the session cookies of its people as `name=value`.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Id.
    pub id: String,
    /// `own` or `foreign`; part of its people's addresses.
    pub name: &'static str,
    /// An administrator.
    pub admin: String,
    /// A technician.
    pub technician: String,
    /// A client-portal user.
    pub client: String,
}

const PEOPLE: [(&str, UserType, Role); 3] = [
    ("admin", UserType::Internal, Role::Admin),
    ("technician", UserType::Internal, Role::Technician),
    ("client", UserType::Client, Role::Admin),
];

/// The address of one of a tenant's people.
#[must_use]
pub fn email(person: &str, tenant: &str) -> String {
    format!("{person}@{tenant}.guard.test")
}

/// Adds a tenant with its people, and signs them in.
pub(crate) async fn tenant(services: &Services, router: &Router, name: &'static str) -> Tenant {
    let tenant_id = TenantId(Uuid::now_v7());
    let now = services.now();
    let hash = auth::hash_password(SecretString::from(PASSWORD))
        .await
        .unwrap();
    let mut unit = services.begin(tenant_id).await.unwrap();
    let row = daybind_storage::Tenant {
        tenant_id,
        name: format!("MSP {name}"),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&row, now).await.unwrap();
    for (person, user_type, role) in PEOPLE {
        let email = email(person, name);
        let user = User {
            tenant_id,
            user_id: UserId(Uuid::now_v7()),
            email: email.clone(),
            display_name: format!("{person} of {name}"),
            user_type,
            role,
            is_active: true,
            time_zone: "UTC".to_owned(),
        };
        let new = NewUser {
            user,
            email_normalized: normalise_email(&email),
            password_hash: Some(hash.clone()),
        };
        unit.add_user(&new, now).await.unwrap();
    }
    unit.save().await.unwrap();
    Tenant {
        id: tenant_id.to_string(),
        name,
        admin: sign_in(router, &email("admin", name)).await,
        technician: sign_in(router, &email("technician", name)).await,
        client: sign_in(router, &email("client", name)).await,
    }
}

/// Signs in with the form and returns the cookie as `name=value`.
pub async fn sign_in(router: &Router, email: &str) -> String {
    let form = format!(
        "email={}&password={}",
        email.replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let answer = Call::form("/auth/msp/signin", &form)
        .header("accept", "text/html")
        .send(router)
        .await;
    let cookie = answer.header("set-cookie");
    let pair = cookie.split(';').next().unwrap_or_default().to_owned();
    assert!(pair.contains('='), "{email} is not signed in: {answer:?}");
    pair
}

/// Adds rows of every shared kind, through the same doors as browsers do.
pub async fn fill(site: &Site, tenant: &Tenant) {
    let create = site.endpoint("/_fn/create_microsoft_profile");
    let add = site.endpoint("/_fn/save_schedule_entry");
    let user = site.id(tenant, "users", "user_id", 0).await;
    for n in 0..EACH {
        let profile = create
            .form
            .replace("display_name=Guard", &format!("display_name=Guard+{n}"));
        made(site, site.call(&create, &profile), tenant).await;
        let entry = add
            .form
            .replace("entry_id={schedule_entries.entry_id}&version=1&", "")
            .replace("title=Guard", &format!("title=Guard+{n}"))
            .replace("{users.user_id}", &user);
        made(site, site.call(&add, &entry), tenant).await;
        let list = site.endpoint("/_fn/add_login_domain");
        let domain = list.form.replace("guard.", &format!("guard{n}."));
        made(site, site.call(&list, &domain), tenant).await;
    }
    let bind = site.endpoint("/_fn/set_microsoft_consumer_binding");
    made(site, site.example(&bind, tenant, 0).await, tenant).await;
    // The administrator asks in the name of the tenant, and people see their own accounts only.
    let people = site.db.values(&tenant.id, "users", "user_id").await;
    accounts(site, tenant, &people[0]).await;
}

/// Microsoft accounts of the administrator, and such that wait.
async fn accounts(site: &Site, tenant: &Tenant, user: &str) {
    let services = &site.state.services;
    let (tenant_id, user_id): (TenantId, UserId) =
        (tenant.id.parse().unwrap(), user.parse().unwrap());
    let mut unit = services.begin(tenant_id).await.unwrap();
    for n in 0..EACH {
        let account = |kind: &str| (Uuid::now_v7(), format!("{kind}-{n}"));
        let ((id, object_id), now) = (account("own"), services.now());
        let identity = Identity {
            tenant_id,
            identity_id: id.into(),
            user_id,
            directory_id: "guard-directory".to_owned(),
            object_id,
            account_name: format!("Account {n}"),
            proof: Proof::SignedIn,
            linked_by: user_id,
            linked_at: now,
            last_used_at: None,
        };
        unit.add_identity(&identity).await.unwrap();
        let (id, object_id) = account("waiting");
        let request = IdentityRequest {
            tenant_id,
            request_id: id.into(),
            directory_id: "guard-directory".to_owned(),
            object_id,
            account_name: format!("Waiting {n}"),
            account_verified: false,
            suggested_user_id: None,
            state: RequestState::Pending,
            requested_at: now,
            decided_by: None,
            decided_at: None,
        };
        assert!(unit.add_identity_request(&request).await.unwrap());
    }
    unit.save().await.unwrap();
}

/// Sends a call as the tenant's administrator, and insists that it works.
pub async fn made(site: &Site, call: Call, tenant: &Tenant) {
    let answer = site.send(call.cookie(&tenant.admin)).await;
    assert!(
        answer.status.is_success() || answer.status.is_redirection(),
        "a row was not made: {answer:?}"
    );
}
