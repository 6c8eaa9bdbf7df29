//! What the commands do, and how the parts are put together.

use std::io::Read as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use daybind_app::server::AppState;
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_domain::{AppError, Edition};
use daybind_services::profiles::ProfileInput;
use daybind_services::{audit, auth, bindings, demo, keys, localtime, passwords, profiles};
use daybind_storage::{NewUser, Scope, Tenant, User};
use secrecy::{ExposeSecret as _, SecretString};

use crate::Composition;
use crate::assemble::{self, open};
use crate::config::Config;

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Configuration, services and port of this process.
pub(crate) async fn assemble(composition: Composition) -> anyhow::Result<(Arc<Config>, AppState)> {
    let config = Config::read(&composition, &env)?;
    let store = open(&config).await?;
    let state = assemble::state(&composition, &config, &env, store)?;
    Ok((Arc::new(config), state))
}

/// `migrate`
pub(crate) async fn migrate(composition: Composition) -> anyhow::Result<()> {
    let config = Config::read(&composition, &env)?;
    let store = open(&config).await?;
    store
        .migrate()
        .await
        .context("the migration did not finish; nothing of the failed step was kept")?;
    println!("The database has this version's schema.");
    Ok(())
}

/// `demo`
pub(crate) async fn demo(composition: Composition, providers: bool) -> anyhow::Result<()> {
    let (config, state) = assemble(composition).await?;
    state.services.store.migrate().await?;
    keys::guard(state.services.store.as_ref(), &state.services.keyring).await?;
    let added = demo::seed(&state.services).await?;
    if providers && config.edition == Edition::Enterprise {
        demo_providers(&state).await?;
    }
    println!(
        "{}",
        if added {
            "Demo tenant added."
        } else {
            "The demo tenant is there already."
        }
    );
    println!(
        "Log in as one of these (password: {}; never use this tenant for real data):",
        demo::PASSWORD
    );
    for email in demo::emails() {
        println!("  {email}");
    }
    Ok(())
}

/// The credentials `cargo xtask fakes` accepts.
async fn demo_providers(state: &AppState) -> Result<(), AppError> {
    let services = &state.services;
    let admin = demo::admin(services).await?;
    let view = profiles::providers(services, &admin).await?;
    if view.profiles.is_empty() {
        let input = ProfileInput {
            display_name: "Demo app registration".to_owned(),
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            directory_id: "11111111-1111-4111-8111-111111111111".to_owned(),
            cloud: String::new(),
            client_secret: SecretString::from("demo-microsoft-secret"),
            secret_expires_on: String::new(),
        };
        let profile = profiles::create(services, &admin, input).await?;
        let port = state.calendar.as_ref();
        bindings::set_binding(services, port, &admin, "calendar", &profile.to_string()).await?;
    }
    state
        .calendar
        .save_google_client(
            &admin,
            "daybind-demo.apps.googleusercontent.com",
            "demo-google-secret",
        )
        .await
}

/// The password on standard input, without the end of its line.
fn password_from_input() -> anyhow::Result<SecretString> {
    let mut password = String::new();
    std::io::stdin().take(1024).read_to_string(&mut password)?;
    Ok(SecretString::from(password.trim_end_matches(['\r', '\n'])))
}

/// `user set-password`
pub(crate) async fn set_password(
    composition: Composition,
    email: &str,
    tenant: Option<&str>,
) -> anyhow::Result<()> {
    let (_, state) = assemble(composition).await?;
    let password = password_from_input()?;
    if let Err(why) = passwords::check(password.expose_secret(), email) {
        bail!("{why} The password is read from standard input");
    }
    passwords::set_from_command_line(&state.services, email, tenant, password)
        .await
        .map_err(|error| match error.next_step {
            Some(next) => anyhow::anyhow!("{} {next}", error.message),
            None => anyhow::anyhow!("{}", error.message),
        })?;
    state.services.store.close().await;
    println!("The password of {email} is set; all their sessions have ended.");
    Ok(())
}

/// `user create`
pub(crate) async fn create_admin(
    composition: Composition,
    email: &str,
    name: &str,
    tenant: &str,
    time_zone: &str,
) -> anyhow::Result<()> {
    let (_, state) = assemble(composition).await?;
    let services = &state.services;
    if localtime::zone(time_zone).name() != time_zone {
        bail!("{time_zone} is not an IANA time zone. Example: Europe/Berlin");
    }
    let password = password_from_input()?;
    if let Err(why) = passwords::check(password.expose_secret(), email) {
        bail!("{why} The password is read from standard input");
    }
    let hash = auth::hash_password(password).await?;
    let mut unit = services.store.read(Scope::System).await?;
    let existing = unit
        .list_tenants()
        .await?
        .into_iter()
        .find(|known| known.name == tenant);
    drop(unit);
    let now = services.now();
    let new = existing.is_none();
    let tenant = existing.unwrap_or_else(|| Tenant {
        tenant_id: services.new_id().into(),
        name: tenant.to_owned(),
        time_zone: time_zone.to_owned(),
    });
    let mut unit = services.begin(tenant.tenant_id).await?;
    if new {
        unit.add_tenant(&tenant, now).await?;
        let detail = serde_json::json!({ "name": tenant.name, "time_zone": tenant.time_zone });
        let subject = format!("tenant:{}", tenant.tenant_id);
        unit.add_audit(&audit::row(
            services,
            tenant.tenant_id,
            None,
            "tenant.created",
            subject,
            detail,
        ))
        .await?;
    }
    let user = User {
        tenant_id: tenant.tenant_id,
        user_id: services.new_id().into(),
        email: email.trim().to_owned(),
        display_name: name.trim().to_owned(),
        user_type: UserType::Internal,
        role: Role::Admin,
        is_active: true,
        time_zone: time_zone.to_owned(),
    };
    let email_normalized = normalise_email(email);
    let created = audit::row(
        services,
        tenant.tenant_id,
        None,
        "user.created",
        format!("user:{}", user.user_id),
        serde_json::json!({ "email": user.email, "role": "admin", "by": "command_line" }),
    );
    unit.add_user(
        &NewUser {
            user,
            email_normalized,
            password_hash: Some(hash),
        },
        now,
    )
    .await
    .context("this MSP already has somebody with that email")?;
    unit.add_audit(&created).await?;
    unit.save().await?;
    println!("Administrator {email} added to {}.", tenant.name);
    Ok(())
}
