//! One text for both databases.
//!
//! The SQL of the repositories is the same on PostgreSQL and SQLite but for one clause, so it stands here once, as a
//! macro each implementation crate invokes. Beside the invocation that crate has a `codec` module (how ids, times, days
//! and JSON are stored) and says what its row locking clause is.

/// Implements every repository trait for a unit of work.
///
/// Expects in scope: `codec::{id, id_or, at, at_or, json, get_id, get_id_or, get_at, get_at_or, get_json}` and
/// `failure(sqlx::Error) -> StorageError`; the unit has a method `connection()`.
#[macro_export]
macro_rules! implement_repositories {
    ($unit:ty, $row:ty, skip_locked = $lock:literal) => {
        use async_trait::async_trait;
        use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
        use daybind_domain::Consumer;
        use daybind_domain::ids::{EntryId, ProfileId, SessionId, TenantId, UserId};
        use daybind_domain::profile::ProfileFields;
        use daybind_domain::schedule::{EntryContent, EntryStatus, When};
        use daybind_domain::user::{Role, UserType};
        use sqlx::{Row as _, query};
        use $crate::{
            AuditRepository, AuditRow, Binding, BindingRepository, ClaimedJob, Entry, FinishJob,
            FlowRepository, JobRepository, JobStats, LoginCandidate, NewEntry, NewJob, NewUser,
            OauthFlow, Profile, ProfileRepository, ScheduleRepository, Session, SessionRepository,
            StorageError, StorageResult, Tenant, User, UserRepository,
        };

        fn get<'r, T>(row: &'r $row, column: &str) -> StorageResult<T>
        where
            T: sqlx::Decode<'r, <$row as sqlx::Row>::Database>
                + sqlx::Type<<$row as sqlx::Row>::Database>,
        {
            row.try_get(column).map_err(failure)
        }

        fn user(row: &$row) -> StorageResult<User> {
            Ok(User {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                user_id: codec::get_id(row, "user_id")?.into(),
                email: get(row, "email")?,
                display_name: get(row, "display_name")?,
                user_type: UserType::parse(&get::<String>(row, "user_type")?),
                role: Role::parse(&get::<String>(row, "role")?),
                is_active: get(row, "is_active")?,
                time_zone: get(row, "time_zone")?,
            })
        }

        #[async_trait]
        impl UserRepository for $unit {
            async fn add_tenant(&mut self, tenant: &Tenant, now: DateTime<Utc>) -> StorageResult<()> {
                query("insert into tenants (tenant_id, name, time_zone, created_at) values ($1, $2, $3, $4)")
                    .bind(codec::id(tenant.tenant_id.0))
                    .bind(&tenant.name)
                    .bind(&tenant.time_zone)
                    .bind(codec::at(now))
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                Ok(())
            }

            async fn list_tenants(&mut self) -> StorageResult<Vec<Tenant>> {
                let only = match $crate::UnitOfWork::scope(self) {
                    $crate::Scope::Tenant(tenant_id) => Some(tenant_id.0),
                    $crate::Scope::System => None,
                };
                let rows = query(
                    "select tenant_id, name, time_zone from tenants \
                     where $1 is null or tenant_id = $1 order by created_at",
                )
                .bind(codec::id_or(only))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok(Tenant {
                            tenant_id: codec::get_id(row, "tenant_id")?.into(),
                            name: get(row, "name")?,
                            time_zone: get(row, "time_zone")?,
                        })
                    })
                    .collect()
            }

            async fn add_user(&mut self, new: &NewUser, now: DateTime<Utc>) -> StorageResult<()> {
                query(
                    "insert into users (tenant_id, user_id, email, email_normalized, display_name, user_type, \
                     role, password_hash, is_active, time_zone, created_at) \
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                )
                .bind(codec::id(new.user.tenant_id.0))
                .bind(codec::id(new.user.user_id.0))
                .bind(&new.user.email)
                .bind(&new.email_normalized)
                .bind(&new.user.display_name)
                .bind(new.user.user_type.as_str())
                .bind(new.user.role.as_str())
                .bind(&new.password_hash)
                .bind(new.user.is_active)
                .bind(&new.user.time_zone)
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_user(
                &mut self,
                tenant_id: TenantId,
                user_id: UserId,
            ) -> StorageResult<Option<User>> {
                let row = query("select * from users where tenant_id = $1 and user_id = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(user_id.0))
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.as_ref().map(user).transpose()
            }

            async fn list_users(&mut self, tenant_id: TenantId) -> StorageResult<Vec<User>> {
                let rows = query("select * from users where tenant_id = $1 order by display_name, user_id")
                    .bind(codec::id(tenant_id.0))
                    .fetch_all(self.connection())
                    .await
                    .map_err(failure)?;
                rows.iter().map(user).collect()
            }

            async fn find_login(&mut self, email_normalized: &str) -> StorageResult<Vec<LoginCandidate>> {
                let rows = query(
                    "select tenant_id, user_id, password_hash, is_active from users \
                     where email_normalized = $1 order by created_at, tenant_id",
                )
                .bind(email_normalized)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok(LoginCandidate {
                            tenant_id: codec::get_id(row, "tenant_id")?.into(),
                            user_id: codec::get_id(row, "user_id")?.into(),
                            password_hash: get(row, "password_hash")?,
                            is_active: get(row, "is_active")?,
                        })
                    })
                    .collect()
            }
        }

        #[async_trait]
        impl SessionRepository for $unit {
            async fn add_session(&mut self, session: &Session) -> StorageResult<()> {
                query(
                    "insert into sessions (tenant_id, session_id, user_id, token_hash, created_at, last_seen_at, \
                     expires_at) values ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(codec::id(session.tenant_id.0))
                .bind(codec::id(session.session_id.0))
                .bind(codec::id(session.user_id.0))
                .bind(session.token_hash.as_slice())
                .bind(codec::at(session.created_at))
                .bind(codec::at(session.last_seen_at))
                .bind(codec::at(session.expires_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_session(
                &mut self,
                tenant_id: TenantId,
                token_hash: &[u8],
            ) -> StorageResult<Option<Session>> {
                let row = query("select * from sessions where tenant_id = $1 and token_hash = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(token_hash)
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.map(|row| {
                    Ok(Session {
                        tenant_id: codec::get_id(&row, "tenant_id")?.into(),
                        session_id: codec::get_id(&row, "session_id")?.into(),
                        user_id: codec::get_id(&row, "user_id")?.into(),
                        token_hash: get(&row, "token_hash")?,
                        created_at: codec::get_at(&row, "created_at")?,
                        last_seen_at: codec::get_at(&row, "last_seen_at")?,
                        expires_at: codec::get_at(&row, "expires_at")?,
                    })
                })
                .transpose()
            }

            async fn touch_session(
                &mut self,
                tenant_id: TenantId,
                session_id: SessionId,
                now: DateTime<Utc>,
            ) -> StorageResult<()> {
                query("update sessions set last_seen_at = $3 where tenant_id = $1 and session_id = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(session_id.0))
                    .bind(codec::at(now))
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                Ok(())
            }

            async fn remove_session(
                &mut self,
                tenant_id: TenantId,
                session_id: SessionId,
            ) -> StorageResult<()> {
                query("delete from sessions where tenant_id = $1 and session_id = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(session_id.0))
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                Ok(())
            }
        }

        fn profile(row: &$row) -> StorageResult<Profile> {
            Ok(Profile {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                profile_id: codec::get_id(row, "profile_id")?.into(),
                fields: ProfileFields {
                    display_name: get(row, "display_name")?,
                    display_name_normalized: get(row, "display_name_normalized")?,
                    client_id: get(row, "client_id")?,
                    directory_id: get(row, "directory_id")?,
                },
                client_secret_sealed: get(row, "client_secret_sealed")?,
                client_secret_last4: get(row, "client_secret_last4")?,
                archived_at: codec::get_at_or(row, "archived_at")?,
                version: get(row, "version")?,
                created_by: codec::get_id(row, "created_by")?.into(),
                created_at: codec::get_at(row, "created_at")?,
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        #[async_trait]
        impl ProfileRepository for $unit {
            async fn add_profile(&mut self, profile: &Profile) -> StorageResult<()> {
                query(
                    "insert into microsoft_profiles (tenant_id, profile_id, display_name, display_name_normalized, \
                     client_id, directory_id, client_secret_sealed, client_secret_last4, archived_at, version, \
                     created_by, created_at, updated_at) \
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                )
                .bind(codec::id(profile.tenant_id.0))
                .bind(codec::id(profile.profile_id.0))
                .bind(&profile.fields.display_name)
                .bind(&profile.fields.display_name_normalized)
                .bind(&profile.fields.client_id)
                .bind(&profile.fields.directory_id)
                .bind(&profile.client_secret_sealed)
                .bind(&profile.client_secret_last4)
                .bind(codec::at_or(profile.archived_at))
                .bind(profile.version)
                .bind(codec::id(profile.created_by.0))
                .bind(codec::at(profile.created_at))
                .bind(codec::at(profile.updated_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_profile(
                &mut self,
                tenant_id: TenantId,
                profile_id: ProfileId,
            ) -> StorageResult<Option<Profile>> {
                let row = query("select * from microsoft_profiles where tenant_id = $1 and profile_id = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(profile_id.0))
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.as_ref().map(profile).transpose()
            }

            async fn list_profiles(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Profile>> {
                let rows = query(
                    "select * from microsoft_profiles where tenant_id = $1 \
                     order by is_active desc, display_name_normalized, profile_id",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(profile).collect()
            }

            async fn update_profile(&mut self, profile: &Profile) -> StorageResult<()> {
                let done = query(
                    "update microsoft_profiles set display_name = $4, display_name_normalized = $5, client_id = $6, \
                     directory_id = $7, client_secret_sealed = $8, client_secret_last4 = $9, archived_at = $10, \
                     updated_at = $11, version = version + 1 \
                     where tenant_id = $1 and profile_id = $2 and version = $3",
                )
                .bind(codec::id(profile.tenant_id.0))
                .bind(codec::id(profile.profile_id.0))
                .bind(profile.version)
                .bind(&profile.fields.display_name)
                .bind(&profile.fields.display_name_normalized)
                .bind(&profile.fields.client_id)
                .bind(&profile.fields.directory_id)
                .bind(&profile.client_secret_sealed)
                .bind(&profile.client_secret_last4)
                .bind(codec::at_or(profile.archived_at))
                .bind(codec::at(profile.updated_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 1 {
                    return Ok(());
                }
                let there = self.find_profile(profile.tenant_id, profile.profile_id).await?;
                Err(there.map_or(StorageError::NotFound, |_| StorageError::Stale))
            }
        }

        fn binding(row: &$row) -> StorageResult<Binding> {
            let consumer: String = get(row, "consumer_type")?;
            Ok(Binding {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                consumer: Consumer::parse(&consumer).ok_or(StorageError::Inconsistent {
                    table: "microsoft_profile_consumer_bindings",
                    column: "consumer_type",
                })?,
                profile_id: codec::get_id(row, "profile_id")?.into(),
                updated_by: codec::get_id(row, "updated_by")?.into(),
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        #[async_trait]
        impl BindingRepository for $unit {
            async fn set_binding(&mut self, binding: &Binding) -> StorageResult<()> {
                query(
                    "insert into microsoft_profile_consumer_bindings \
                     (tenant_id, consumer_type, profile_id, updated_by, updated_at) values ($1, $2, $3, $4, $5) \
                     on conflict (tenant_id, consumer_type) do update set \
                     profile_id = excluded.profile_id, updated_by = excluded.updated_by, \
                     updated_at = excluded.updated_at",
                )
                .bind(codec::id(binding.tenant_id.0))
                .bind(binding.consumer.as_str())
                .bind(codec::id(binding.profile_id.0))
                .bind(codec::id(binding.updated_by.0))
                .bind(codec::at(binding.updated_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_binding(
                &mut self,
                tenant_id: TenantId,
                consumer: Consumer,
            ) -> StorageResult<Option<Binding>> {
                let row = query(
                    "select * from microsoft_profile_consumer_bindings \
                     where tenant_id = $1 and consumer_type = $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(consumer.as_str())
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(binding).transpose()
            }

            async fn list_bindings(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Binding>> {
                let rows = query("select * from microsoft_profile_consumer_bindings where tenant_id = $1")
                    .bind(codec::id(tenant_id.0))
                    .fetch_all(self.connection())
                    .await
                    .map_err(failure)?;
                let mut bindings = rows.iter().map(binding).collect::<StorageResult<Vec<_>>>()?;
                bindings.sort_by_key(|binding| binding.consumer);
                Ok(bindings)
            }

            async fn clear_binding(
                &mut self,
                tenant_id: TenantId,
                consumer: Consumer,
            ) -> StorageResult<bool> {
                let done = query(
                    "delete from microsoft_profile_consumer_bindings where tenant_id = $1 and consumer_type = $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(consumer.as_str())
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(done.rows_affected() > 0)
            }
        }

        /// Start, end, all-day and zone as columns.
        fn columns(when: &When) -> (DateTime<Utc>, DateTime<Utc>, bool, Option<&str>) {
            match when {
                When::Timed { start, end, zone } => (*start, *end, false, Some(zone)),
                When::AllDay { start, end } => (
                    start.and_time(NaiveTime::MIN).and_utc(),
                    end.and_time(NaiveTime::MIN).and_utc(),
                    true,
                    None,
                ),
            }
        }

        fn entry(row: &$row) -> StorageResult<Entry> {
            let wrong = |column| StorageError::Inconsistent { table: "schedule_entries", column };
            let start = codec::get_at(row, "start_at")?;
            let end = codec::get_at(row, "end_at")?;
            let when = if get::<bool>(row, "all_day")? {
                When::AllDay { start: start.date_naive(), end: end.date_naive() }
            } else {
                let zone = get::<Option<String>>(row, "zone")?.ok_or(wrong("zone"))?;
                When::Timed { start, end, zone }
            };
            let mut assignees = get::<Option<String>>(row, "assignees")?
                .unwrap_or_default()
                .split(',')
                .filter(|text| !text.is_empty())
                .map(|text| text.parse::<UserId>().map_err(|_| wrong("assignees")))
                .collect::<StorageResult<Vec<_>>>()?;
            assignees.sort_unstable();
            Ok(Entry {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                entry_id: codec::get_id(row, "entry_id")?.into(),
                content: EntryContent {
                    title: get(row, "title")?,
                    notes: get(row, "notes")?,
                    location: get(row, "location")?,
                    when,
                    status: EntryStatus::parse(&get::<String>(row, "status")?).ok_or(wrong("status"))?,
                },
                assignees,
                version: get(row, "version")?,
                deleted_at: codec::get_at_or(row, "deleted_at")?,
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        /// Replaces who an entry is assigned to.
        async fn assign(
            unit: &mut $unit,
            tenant_id: TenantId,
            entry_id: EntryId,
            assignees: &[UserId],
        ) -> StorageResult<()> {
            query("delete from schedule_entry_assignees where tenant_id = $1 and entry_id = $2")
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .execute(unit.connection())
                .await
                .map_err(failure)?;
            for assignee in assignees {
                query(
                    "insert into schedule_entry_assignees (tenant_id, entry_id, user_id) values ($1, $2, $3) \
                     on conflict do nothing",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .bind(codec::id(assignee.0))
                .execute(unit.connection())
                .await
                .map_err(failure)?;
            }
            Ok(())
        }

        #[async_trait]
        impl ScheduleRepository for $unit {
            async fn add_entry(&mut self, new: &NewEntry, now: DateTime<Utc>) -> StorageResult<()> {
                let (start, end, all_day, zone) = columns(&new.content.when);
                query(
                    "insert into schedule_entries (tenant_id, entry_id, title, notes, location, all_day, start_at, \
                     end_at, zone, status, version, created_by, created_at, updated_at) \
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $12)",
                )
                .bind(codec::id(new.tenant_id.0))
                .bind(codec::id(new.entry_id.0))
                .bind(&new.content.title)
                .bind(&new.content.notes)
                .bind(&new.content.location)
                .bind(all_day)
                .bind(codec::at(start))
                .bind(codec::at(end))
                .bind(zone)
                .bind(new.content.status.as_str())
                .bind(codec::id(new.created_by.0))
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                assign(self, new.tenant_id, new.entry_id, &new.assignees).await
            }

            async fn find_entry(
                &mut self,
                tenant_id: TenantId,
                entry_id: EntryId,
            ) -> StorageResult<Option<Entry>> {
                let row = query(
                    "select e.*, (select string_agg(cast(a.user_id as text), ',') from schedule_entry_assignees a \
                     where a.tenant_id = e.tenant_id and a.entry_id = e.entry_id) as assignees \
                     from schedule_entries e where e.tenant_id = $1 and e.entry_id = $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(entry).transpose()
            }

            async fn list_entries(
                &mut self,
                tenant_id: TenantId,
                from: DateTime<Utc>,
                to: DateTime<Utc>,
                assignee: Option<UserId>,
            ) -> StorageResult<Vec<Entry>> {
                let day = TimeDelta::days(1);
                let rows = query(
                    "select e.*, (select string_agg(cast(a.user_id as text), ',') from schedule_entry_assignees a \
                     where a.tenant_id = e.tenant_id and a.entry_id = e.entry_id) as assignees \
                     from schedule_entries e where e.tenant_id = $1 and e.deleted_at is null \
                     and e.start_at < $3 and e.end_at > $2 \
                     and (e.all_day or (e.start_at < $5 and e.end_at > $4)) \
                     and ($6 is null or exists (select 1 from schedule_entry_assignees m \
                     where m.tenant_id = e.tenant_id and m.entry_id = e.entry_id and m.user_id = $6)) \
                     order by e.start_at, e.entry_id",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::at(from - day))
                .bind(codec::at(to + day))
                .bind(codec::at(from))
                .bind(codec::at(to))
                .bind(codec::id_or(assignee.map(|id| id.0)))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(entry).collect()
            }

            async fn update_entry(&mut self, changed: &Entry, now: DateTime<Utc>) -> StorageResult<i64> {
                let (start, end, all_day, zone) = columns(&changed.content.when);
                let row = query(
                    "update schedule_entries set title = $4, notes = $5, location = $6, all_day = $7, \
                     start_at = $8, end_at = $9, zone = $10, status = $11, deleted_at = $12, updated_at = $13, \
                     version = version + 1 where tenant_id = $1 and entry_id = $2 and version = $3 \
                     returning version",
                )
                .bind(codec::id(changed.tenant_id.0))
                .bind(codec::id(changed.entry_id.0))
                .bind(changed.version)
                .bind(&changed.content.title)
                .bind(&changed.content.notes)
                .bind(&changed.content.location)
                .bind(all_day)
                .bind(codec::at(start))
                .bind(codec::at(end))
                .bind(zone)
                .bind(changed.content.status.as_str())
                .bind(codec::at_or(changed.deleted_at))
                .bind(codec::at(now))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                let Some(row) = row else {
                    let there = self.find_entry(changed.tenant_id, changed.entry_id).await?;
                    return Err(there.map_or(StorageError::NotFound, |_| StorageError::Stale));
                };
                let version = get(&row, "version")?;
                assign(self, changed.tenant_id, changed.entry_id, &changed.assignees).await?;
                Ok(version)
            }
        }

        #[async_trait]
        impl JobRepository for $unit {
            async fn enqueue_job(&mut self, job: &NewJob, now: DateTime<Utc>) -> StorageResult<()> {
                query(
                    "insert into jobs (tenant_id, job_id, kind, key, payload, state, attempt, max_attempts, run_at, \
                     poked, created_at, updated_at) values ($1, $2, $3, $4, $5, 'queued', 0, $6, $7, 0, $8, $8) \
                     on conflict (tenant_id, kind, key) do update set poked = jobs.poked + 1, \
                     payload = excluded.payload, max_attempts = excluded.max_attempts, \
                     run_at = case when jobs.state = 'dead' or excluded.run_at < jobs.run_at \
                     then excluded.run_at else jobs.run_at end, \
                     attempt = case when jobs.state = 'dead' then 0 else jobs.attempt end, \
                     state = case when jobs.state = 'dead' then 'queued' else jobs.state end, \
                     updated_at = excluded.updated_at",
                )
                .bind(codec::id(job.tenant_id.0))
                .bind(codec::id(uuid::Uuid::now_v7()))
                .bind(job.kind)
                .bind(&job.key)
                .bind(codec::json(&job.payload))
                .bind(job.max_attempts)
                .bind(codec::at(job.run_at))
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn claim_jobs(
                &mut self,
                kinds: &[&str],
                limit: i64,
                now: DateTime<Utc>,
                lease_until: DateTime<Utc>,
            ) -> StorageResult<Vec<ClaimedJob>> {
                let kinds = format!(",{},", kinds.join(","));
                let token = uuid::Uuid::new_v4();
                let rows = query(concat!(
                    "update jobs set state = 'running', attempt = attempt + 1, lease_token = $1, lease_until = $2, ",
                    "updated_at = $3 where (tenant_id, job_id) in (select tenant_id, job_id from jobs ",
                    "where ((state = 'queued' and run_at <= $3) or (state = 'running' and lease_until < $3)) ",
                    "and $4 like '%,' || kind || ',%' order by run_at limit $5 ",
                    $lock,
                    ") returning tenant_id, job_id, kind, key, payload, attempt, max_attempts, poked"
                ))
                .bind(codec::id(token))
                .bind(codec::at(lease_until))
                .bind(codec::at(now))
                .bind(kinds)
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok(ClaimedJob {
                            tenant_id: codec::get_id(row, "tenant_id")?.into(),
                            job_id: codec::get_id(row, "job_id")?.into(),
                            kind: get(row, "kind")?,
                            key: get(row, "key")?,
                            payload: codec::get_json(row, "payload")?,
                            attempt: get(row, "attempt")?,
                            max_attempts: get(row, "max_attempts")?,
                            lease_token: token,
                            poked: get(row, "poked")?,
                        })
                    })
                    .collect()
            }

            async fn extend_lease(
                &mut self,
                job: &ClaimedJob,
                lease_until: DateTime<Utc>,
            ) -> StorageResult<()> {
                let done = query(
                    "update jobs set lease_until = $4 where tenant_id = $1 and job_id = $2 and lease_token = $3",
                )
                .bind(codec::id(job.tenant_id.0))
                .bind(codec::id(job.job_id.0))
                .bind(codec::id(job.lease_token))
                .bind(codec::at(lease_until))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 1 { Ok(()) } else { Err(StorageError::NotFound) }
            }

            async fn finish_job(
                &mut self,
                job: &ClaimedJob,
                outcome: &FinishJob,
                now: DateTime<Utc>,
            ) -> StorageResult<()> {
                if matches!(outcome, FinishJob::Done) {
                    // The count is part of the deletion's condition: a poke that arrives at the same moment either
                    // finds no row and queues a new job, or keeps this one.
                    let gone = query(
                        "delete from jobs where tenant_id = $1 and job_id = $2 and lease_token = $3 and poked = $4",
                    )
                    .bind(codec::id(job.tenant_id.0))
                    .bind(codec::id(job.job_id.0))
                    .bind(codec::id(job.lease_token))
                    .bind(job.poked)
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                    if gone.rows_affected() == 1 {
                        return Ok(());
                    }
                }
                let (state, at, keep_attempt, error) = match outcome {
                    FinishJob::Done => ("queued", now, false, None),
                    FinishJob::Again(at) => ("queued", *at, false, None),
                    FinishJob::Retry { at, error } => ("queued", *at, true, Some(error)),
                    FinishJob::Dead { error } => ("dead", now, true, Some(error)),
                };
                let done = query(
                    "update jobs set state = $4, run_at = case when poked > $5 and $7 is null then $9 else $6 end, \
                     last_error = $7, attempt = case when $8 then attempt else 0 end, lease_token = null, \
                     lease_until = null, updated_at = $9 \
                     where tenant_id = $1 and job_id = $2 and lease_token = $3",
                )
                .bind(codec::id(job.tenant_id.0))
                .bind(codec::id(job.job_id.0))
                .bind(codec::id(job.lease_token))
                .bind(state)
                .bind(job.poked)
                .bind(codec::at(at))
                .bind(error)
                .bind(keep_attempt)
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 1 { Ok(()) } else { Err(StorageError::NotFound) }
            }

            async fn remove_job(
                &mut self,
                tenant_id: TenantId,
                kind: &str,
                key: &str,
            ) -> StorageResult<()> {
                query("delete from jobs where tenant_id = $1 and kind = $2 and key = $3 and state <> 'running'")
                    .bind(codec::id(tenant_id.0))
                    .bind(kind)
                    .bind(key)
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                Ok(())
            }

            async fn job_stats(&mut self) -> StorageResult<JobStats> {
                let rows = query("select state, count(*) as n from jobs group by state")
                    .fetch_all(self.connection())
                    .await
                    .map_err(failure)?;
                let mut stats = JobStats::default();
                for row in &rows {
                    let n: i64 = get(row, "n")?;
                    match get::<String>(row, "state")?.as_str() {
                        "queued" => stats.queued = n,
                        "running" => stats.running = n,
                        _ => stats.dead = n,
                    }
                }
                Ok(stats)
            }
        }

        #[async_trait]
        impl FlowRepository for $unit {
            async fn add_flow(&mut self, flow: &OauthFlow) -> StorageResult<()> {
                query("delete from oauth_flows where tenant_id = $1 and expires_at < $2")
                    .bind(codec::id(flow.tenant_id.0))
                    .bind(codec::at(flow.created_at))
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                query(
                    "insert into oauth_flows (tenant_id, flow_id, state_hash, purpose, provider, profile_id, \
                     profile_version, user_id, session_id, connection_id, verifier_sealed, redirect_uri, created_at, \
                     expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                )
                .bind(codec::id(flow.tenant_id.0))
                .bind(codec::id(flow.flow_id.0))
                .bind(flow.state_hash.as_slice())
                .bind(&flow.purpose)
                .bind(&flow.provider)
                .bind(codec::id_or(flow.profile_id.map(|id| id.0)))
                .bind(flow.profile_version)
                .bind(codec::id_or(flow.user_id.map(|id| id.0)))
                .bind(codec::id_or(flow.session_id.map(|id| id.0)))
                .bind(codec::id_or(flow.connection_id))
                .bind(&flow.verifier_sealed)
                .bind(&flow.redirect_uri)
                .bind(codec::at(flow.created_at))
                .bind(codec::at(flow.expires_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn take_flow(
                &mut self,
                tenant_id: TenantId,
                state_hash: &[u8],
            ) -> StorageResult<Option<OauthFlow>> {
                let row = query("delete from oauth_flows where tenant_id = $1 and state_hash = $2 returning *")
                    .bind(codec::id(tenant_id.0))
                    .bind(state_hash)
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.map(|row| {
                    Ok(OauthFlow {
                        tenant_id: codec::get_id(&row, "tenant_id")?.into(),
                        flow_id: codec::get_id(&row, "flow_id")?.into(),
                        state_hash: get(&row, "state_hash")?,
                        purpose: get(&row, "purpose")?,
                        provider: get(&row, "provider")?,
                        profile_id: codec::get_id_or(&row, "profile_id")?.map(Into::into),
                        profile_version: get(&row, "profile_version")?,
                        user_id: codec::get_id_or(&row, "user_id")?.map(Into::into),
                        session_id: codec::get_id_or(&row, "session_id")?.map(Into::into),
                        connection_id: codec::get_id_or(&row, "connection_id")?,
                        verifier_sealed: get(&row, "verifier_sealed")?,
                        redirect_uri: get(&row, "redirect_uri")?,
                        created_at: codec::get_at(&row, "created_at")?,
                        expires_at: codec::get_at(&row, "expires_at")?,
                    })
                })
                .transpose()
            }
        }

        #[async_trait]
        impl AuditRepository for $unit {
            async fn add_audit(&mut self, row: &AuditRow) -> StorageResult<()> {
                query(
                    "insert into audit_log (tenant_id, audit_id, at, actor, action, subject, detail, request_id) \
                     values ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(codec::id(row.tenant_id.0))
                .bind(codec::id(row.audit_id.0))
                .bind(codec::at(row.at))
                .bind(codec::id_or(row.actor.map(|id| id.0)))
                .bind(&row.action)
                .bind(&row.subject)
                .bind(codec::json(&row.detail))
                .bind(&row.request_id)
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn list_audit(&mut self, tenant_id: TenantId, limit: i64) -> StorageResult<Vec<AuditRow>> {
                let rows = query(
                    "select * from audit_log where tenant_id = $1 order by at desc, audit_id desc limit $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok(AuditRow {
                            tenant_id: codec::get_id(row, "tenant_id")?.into(),
                            audit_id: codec::get_id(row, "audit_id")?.into(),
                            at: codec::get_at(row, "at")?,
                            actor: codec::get_id_or(row, "actor")?.map(Into::into),
                            action: get(row, "action")?,
                            subject: get(row, "subject")?,
                            detail: codec::get_json(row, "detail")?,
                            request_id: get(row, "request_id")?,
                        })
                    })
                    .collect()
            }
        }
    };
}
