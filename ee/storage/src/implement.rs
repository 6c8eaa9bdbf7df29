//! One text for both databases: the SQL is the same, the `codec` module beside the macro's use says how values are
//! stored.

/// Implements the calendar repository for a unit of work.
macro_rules! repository {
    ($unit:ty, $row:ty, $lock_person:expr) => {
        use daybind_domain::ids::{ConnectionId, EntryId, SubscriptionId, TenantId, UserId};
        use daybind_storage::StorageError;
        use $crate::{CalendarRepository, Connection, ConnectionSettings, Failing, GoogleClient, Mapping, Pause, Subscription};

        fn get<'r, T>(row: &'r $row, column: &str) -> StorageResult<T>
        where
            T: sqlx::Decode<'r, <$row as sqlx::Row>::Database> + sqlx::Type<<$row as sqlx::Row>::Database>,
        {
            row.try_get(column).map_err(failure)
        }

        fn google_client(row: &$row) -> StorageResult<GoogleClient> {
            Ok(GoogleClient {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                client_id: get(row, "client_id")?,
                client_secret_sealed: get(row, "client_secret_sealed")?,
                client_secret_last4: get(row, "client_secret_last4")?,
                version: get(row, "version")?,
                updated_by: codec::get_id(row, "updated_by")?.into(),
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        fn connection(row: &$row) -> StorageResult<Connection> {
            Ok(Connection {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                connection_id: codec::get_id(row, "connection_id")?.into(),
                user_id: codec::get_id(row, "user_id")?.into(),
                provider: get(row, "provider")?,
                account_id: get(row, "account_id")?,
                account_email: get(row, "account_email")?,
                calendar_id: get(row, "calendar_id")?,
                calendar_name: get(row, "calendar_name")?,
                status: get(row, "status")?,
                status_reason: get(row, "status_reason")?,
                direction: get(row, "direction")?,
                profile_id: codec::get_id_or(row, "profile_id")?,
                client_id: get(row, "client_id")?,
                cloud: daybind_storage::read_cloud(get(row, "cloud")?)?,
                access_token_sealed: get(row, "access_token_sealed")?,
                access_token_expires_at: codec::get_at(row, "access_token_expires_at")?,
                refresh_token_sealed: get(row, "refresh_token_sealed")?,
                cursor: get(row, "cursor")?,
                cursor_window_start: codec::get_at_or(row, "cursor_window_start")?,
                cursor_window_end: codec::get_at_or(row, "cursor_window_end")?,
                last_sync_at: codec::get_at_or(row, "last_sync_at")?,
                last_error: get(row, "last_error")?,
                failing: Failing {
                    runs: get(row, "failed_runs")?,
                    since: codec::get_at_or(row, "failing_since")?,
                    retry_at: codec::get_at_or(row, "retry_at")?,
                    held_until: codec::get_at_or(row, "held_until")?,
                },
                settings: ConnectionSettings {
                    conflict_policy: get(row, "conflict_policy")?,
                    deletion_policy: get(row, "deletion_policy")?,
                    import_rule: get(row, "import_rule")?,
                    show_private: get(row, "show_private")?,
                    window_past_days: get(row, "window_past_days")?,
                    window_future_days: get(row, "window_future_days")?,
                },
                brake: get(row, "brake")?,
                brake_count: get(row, "brake_count")?,
                brake_occurrences: get(row, "brake_occurrences")?,
                pause: pause(row)?,
                generation: get(row, "generation")?,
                version: get(row, "version")?,
                created_at: codec::get_at(row, "created_at")?,
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        fn pause(row: &$row) -> StorageResult<Option<Pause>> {
            let Some(since) = codec::get_at_or(row, "paused_at")? else {
                return Ok(None);
            };
            Ok(Some(Pause {
                since,
                until: codec::get_at_or(row, "paused_until")?,
                by: codec::get_id(row, "paused_by")?.into(),
            }))
        }

        fn mapping(row: &$row) -> StorageResult<Mapping> {
            Ok(Mapping {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                mapping_id: codec::get_id(row, "mapping_id")?.into(),
                connection_id: codec::get_id(row, "connection_id")?.into(),
                entry_id: codec::get_id(row, "entry_id")?.into(),
                external_event_id: get(row, "external_event_id")?,
                external_etag: get(row, "external_etag")?,
                external_ical_uid: get(row, "external_ical_uid")?,
                state: get(row, "state")?,
                origin: get(row, "origin")?,
                generation: get(row, "generation")?,
                base: codec::get_json_or(row, "base")?,
                sent: codec::get_json_or(row, "sent")?,
                series_event_id: get(row, "series_event_id")?,
                meeting_url: get(row, "meeting_url")?,
                beside: get(row, "beside")?,
                copy_left: get(row, "copy_left")?,
                answers: get(row, "answers")?,
                entry_version: get(row, "entry_version")?,
                error: get(row, "error")?,
                attempts: get(row, "attempts")?,
                created_at: codec::get_at(row, "created_at")?,
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        fn subscription(row: &$row) -> StorageResult<Subscription> {
            Ok(Subscription {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                subscription_id: codec::get_id(row, "subscription_id")?.into(),
                connection_id: codec::get_id(row, "connection_id")?.into(),
                provider: get(row, "provider")?,
                external_id: get(row, "external_id")?,
                resource_id: get(row, "resource_id")?,
                secret_hash: get(row, "secret_hash")?,
                state: get(row, "state")?,
                expires_at: codec::get_at(row, "expires_at")?,
                renew_at: codec::get_at_or(row, "renew_at")?,
                last_notified_at: codec::get_at_or(row, "last_notified_at")?,
                created_at: codec::get_at(row, "created_at")?,
            })
        }

        #[async_trait::async_trait]
        impl CalendarRepository for $unit {
            async fn find_google_client(
                &mut self,
                tenant_id: TenantId,
            ) -> StorageResult<Option<GoogleClient>> {
                let row = sqlx::query("SELECT * FROM google_clients WHERE tenant_id = $1")
                    .bind(codec::id(tenant_id.0))
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.as_ref().map(google_client).transpose()
            }

            async fn save_google_client(&mut self, client: &GoogleClient) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO google_clients (tenant_id, client_id, client_secret_sealed, client_secret_last4, \
                     version, updated_by, updated_at) VALUES ($1, $2, $3, $4, 1, $5, $6) \
                     ON CONFLICT (tenant_id) DO UPDATE SET client_id = excluded.client_id, \
                     client_secret_sealed = excluded.client_secret_sealed, \
                     client_secret_last4 = excluded.client_secret_last4, \
                     version = google_clients.version + 1, updated_by = excluded.updated_by, \
                     updated_at = excluded.updated_at",
                )
                .bind(codec::id(client.tenant_id.0))
                .bind(client.client_id.clone())
                .bind(client.client_secret_sealed.clone())
                .bind(client.client_secret_last4.clone())
                .bind(codec::id(client.updated_by.0))
                .bind(codec::at(client.updated_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn add_connection(&mut self, c: &Connection) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO calendar_providers (tenant_id, connection_id, user_id, provider, account_id, \
                     account_email, calendar_id, calendar_name, status, status_reason, direction, profile_id, \
                     client_id, access_token_sealed, access_token_expires_at, refresh_token_sealed, cursor, \
                     cursor_window_start, cursor_window_end, last_sync_at, last_error, generation, version, \
                     created_at, updated_at, conflict_policy, deletion_policy, import_rule, show_private, \
                     window_past_days, window_future_days, brake, brake_count, failed_runs, failing_since, retry_at, \
                     held_until, cloud, brake_occurrences, paused_at, paused_until, paused_by) VALUES ($1, $2, $3, $4, $5, $6, $7, \
                     $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 1, $23, $24, $25, \
                     $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41)",
                )
                .bind(codec::id(c.tenant_id.0))
                .bind(codec::id(c.connection_id.0))
                .bind(codec::id(c.user_id.0))
                .bind(c.provider.clone())
                .bind(c.account_id.clone())
                .bind(c.account_email.clone())
                .bind(c.calendar_id.clone())
                .bind(c.calendar_name.clone())
                .bind(c.status.clone())
                .bind(c.status_reason.clone())
                .bind(c.direction.clone())
                .bind(c.profile_id.map(codec::id))
                .bind(c.client_id.clone())
                .bind(c.access_token_sealed.clone())
                .bind(codec::at(c.access_token_expires_at))
                .bind(c.refresh_token_sealed.clone())
                .bind(c.cursor.clone())
                .bind(c.cursor_window_start.map(codec::at))
                .bind(c.cursor_window_end.map(codec::at))
                .bind(c.last_sync_at.map(codec::at))
                .bind(c.last_error.clone())
                .bind(c.generation)
                .bind(codec::at(c.created_at))
                .bind(codec::at(c.updated_at))
                .bind(c.settings.conflict_policy.clone())
                .bind(c.settings.deletion_policy.clone())
                .bind(c.settings.import_rule.clone())
                .bind(c.settings.show_private)
                .bind(c.settings.window_past_days)
                .bind(c.settings.window_future_days)
                .bind(c.brake.clone())
                .bind(c.brake_count)
                .bind(c.failing.runs)
                .bind(c.failing.since.map(codec::at))
                .bind(c.failing.retry_at.map(codec::at))
                .bind(c.failing.held_until.map(codec::at))
                .bind(c.cloud.as_str())
                .bind(c.brake_occurrences)
                .bind(c.pause.as_ref().map(|pause| codec::at(pause.since)))
                .bind(c.pause.as_ref().and_then(|pause| pause.until).map(codec::at))
                .bind(c.pause.as_ref().map(|pause| codec::id(pause.by.0)))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_connection(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
            ) -> StorageResult<Option<Connection>> {
                let row = sqlx::query(
                    "SELECT * FROM calendar_providers WHERE tenant_id = $1 AND connection_id = $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(connection).transpose()
            }

            async fn list_connections(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Connection>> {
                let rows = sqlx::query(
                    "SELECT * FROM calendar_providers WHERE tenant_id = $1 ORDER BY created_at, connection_id",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(connection).collect()
            }

            async fn list_user_connections(
                &mut self,
                tenant_id: TenantId,
                user_id: UserId,
            ) -> StorageResult<Vec<Connection>> {
                let rows = sqlx::query(
                    "SELECT * FROM calendar_providers WHERE tenant_id = $1 AND user_id = $2 \
                     ORDER BY created_at, connection_id",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(user_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(connection).collect()
            }

            async fn update_connection(&mut self, c: &Connection) -> StorageResult<()> {
                let done = sqlx::query(
                    "UPDATE calendar_providers SET account_id = $4, account_email = $5, calendar_id = $6, \
                     calendar_name = $7, status = $8, status_reason = $9, direction = $10, profile_id = $11, \
                     client_id = $12, access_token_sealed = $13, access_token_expires_at = $14, \
                     refresh_token_sealed = $15, cursor = $16, cursor_window_start = $17, cursor_window_end = $18, \
                     last_sync_at = $19, last_error = $20, generation = $21, updated_at = $22, \
                     conflict_policy = $23, deletion_policy = $24, import_rule = $25, show_private = $26, \
                     window_past_days = $27, window_future_days = $28, brake = $29, brake_count = $30, \
                     failed_runs = $31, failing_since = $32, retry_at = $33, held_until = $34, cloud = $35, brake_occurrences = $36, \
                     paused_at = $37, paused_until = $38, paused_by = $39, \
                     version = version + 1 WHERE tenant_id = $1 AND connection_id = $2 AND version = $3",
                )
                .bind(codec::id(c.tenant_id.0))
                .bind(codec::id(c.connection_id.0))
                .bind(c.version)
                .bind(c.account_id.clone())
                .bind(c.account_email.clone())
                .bind(c.calendar_id.clone())
                .bind(c.calendar_name.clone())
                .bind(c.status.clone())
                .bind(c.status_reason.clone())
                .bind(c.direction.clone())
                .bind(c.profile_id.map(codec::id))
                .bind(c.client_id.clone())
                .bind(c.access_token_sealed.clone())
                .bind(codec::at(c.access_token_expires_at))
                .bind(c.refresh_token_sealed.clone())
                .bind(c.cursor.clone())
                .bind(c.cursor_window_start.map(codec::at))
                .bind(c.cursor_window_end.map(codec::at))
                .bind(c.last_sync_at.map(codec::at))
                .bind(c.last_error.clone())
                .bind(c.generation)
                .bind(codec::at(c.updated_at))
                .bind(c.settings.conflict_policy.clone())
                .bind(c.settings.deletion_policy.clone())
                .bind(c.settings.import_rule.clone())
                .bind(c.settings.show_private)
                .bind(c.settings.window_past_days)
                .bind(c.settings.window_future_days)
                .bind(c.brake.clone())
                .bind(c.brake_count)
                .bind(c.failing.runs)
                .bind(c.failing.since.map(codec::at))
                .bind(c.failing.retry_at.map(codec::at))
                .bind(c.failing.held_until.map(codec::at))
                .bind(c.cloud.as_str())
                .bind(c.brake_occurrences)
                .bind(c.pause.as_ref().map(|pause| codec::at(pause.since)))
                .bind(c.pause.as_ref().and_then(|pause| pause.until).map(codec::at))
                .bind(c.pause.as_ref().map(|pause| codec::id(pause.by.0)))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 0 { Err(StorageError::Stale) } else { Ok(()) }
            }

            async fn remove_connection(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
            ) -> StorageResult<()> {
                for sql in [
                    "DELETE FROM calendar_subscriptions WHERE tenant_id = $1 AND connection_id = $2",
                    "DELETE FROM calendar_conflicts WHERE tenant_id = $1 AND connection_id = $2",
                    "DELETE FROM sync_changes WHERE tenant_id = $1 AND connection_id = $2",
                    "DELETE FROM sync_runs WHERE tenant_id = $1 AND connection_id = $2",
                    "DELETE FROM calendar_event_mappings WHERE tenant_id = $1 AND connection_id = $2",
                    "DELETE FROM calendar_providers WHERE tenant_id = $1 AND connection_id = $2",
                ] {
                    sqlx::query(sql)
                        .bind(codec::id(tenant_id.0))
                        .bind(codec::id(connection_id.0))
                        .execute(self.connection())
                        .await
                        .map_err(failure)?;
                }
                Ok(())
            }

            async fn add_mapping(&mut self, m: &Mapping) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO calendar_event_mappings (tenant_id, mapping_id, connection_id, entry_id, \
                     external_event_id, external_etag, external_ical_uid, state, generation, base, entry_version, \
                     error, attempts, created_at, updated_at, origin, sent, series_event_id, meeting_url, \
                     beside, copy_left) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                     $20, $21)",
                )
                .bind(codec::id(m.tenant_id.0))
                .bind(codec::id(m.mapping_id.0))
                .bind(codec::id(m.connection_id.0))
                .bind(codec::id(m.entry_id.0))
                .bind(m.external_event_id.clone())
                .bind(m.external_etag.clone())
                .bind(m.external_ical_uid.clone())
                .bind(m.state.clone())
                .bind(m.generation)
                .bind(m.base.as_ref().map(codec::json))
                .bind(m.entry_version)
                .bind(m.error.clone())
                .bind(m.attempts)
                .bind(codec::at(m.created_at))
                .bind(codec::at(m.updated_at))
                .bind(m.origin.clone())
                .bind(m.sent.as_ref().map(codec::json))
                .bind(m.series_event_id.clone())
                .bind(m.meeting_url.clone())
                .bind(m.beside.clone())
                .bind(m.copy_left)
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_mapping(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
                entry_id: EntryId,
            ) -> StorageResult<Option<Mapping>> {
                let row = sqlx::query(
                    "SELECT * FROM calendar_event_mappings \
                     WHERE tenant_id = $1 AND connection_id = $2 AND entry_id = $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .bind(codec::id(entry_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(mapping).transpose()
            }

            async fn find_mapping_by_event(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
                external_event_id: &str,
            ) -> StorageResult<Option<Mapping>> {
                let row = sqlx::query(
                    "SELECT * FROM calendar_event_mappings \
                     WHERE tenant_id = $1 AND connection_id = $2 AND external_event_id = $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .bind(external_event_id.to_owned())
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(mapping).transpose()
            }

            async fn find_mappings_by_events(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
                external_event_ids: &[&str],
            ) -> StorageResult<Vec<Mapping>> {
                let mut found = Vec::new();
                for ids in external_event_ids.chunks($crate::rows::AT_ONCE) {
                    let sql = $crate::rows::by_events(ids.len());
                    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
                        .bind(codec::id(tenant_id.0))
                        .bind(codec::id(connection_id.0));
                    // One is asked for again and again, so that few statements do for all lengths.
                    let more = ids.len().next_power_of_two() - ids.len();
                    for id in ids.iter().chain(std::iter::repeat_n(&ids[0], more)) {
                        query = query.bind((*id).to_owned());
                    }
                    let rows = query.fetch_all(self.connection()).await.map_err(failure)?;
                    for row in &rows {
                        found.push(mapping(row)?);
                    }
                }
                Ok(found)
            }

            async fn list_mappings(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
            ) -> StorageResult<Vec<Mapping>> {
                let rows = sqlx::query(
                    "SELECT * FROM calendar_event_mappings WHERE tenant_id = $1 AND connection_id = $2 \
                     ORDER BY created_at, mapping_id",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(mapping).collect()
            }

            async fn list_entry_mappings(
                &mut self,
                tenant_id: TenantId,
                entry_id: EntryId,
            ) -> StorageResult<Vec<Mapping>> {
                let rows = sqlx::query(
                    "SELECT * FROM calendar_event_mappings WHERE tenant_id = $1 AND entry_id = $2 \
                     ORDER BY created_at, mapping_id",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(mapping).collect()
            }

            async fn lock_person(&mut self, tenant_id: TenantId, user_id: UserId) -> StorageResult<()> {
                let lock: Option<&'static str> = $lock_person;
                if let Some(lock) = lock {
                    sqlx::query(lock)
                        .bind(format!("daybind.person.{tenant_id}.{user_id}"))
                        .execute(self.connection())
                        .await
                        .map_err(failure)?;
                }
                Ok(())
            }

            async fn list_person_mappings(
                &mut self,
                tenant_id: TenantId,
                user_id: UserId,
                uid: Option<&str>,
            ) -> StorageResult<Vec<Mapping>> {
                let rows = match uid {
                    Some(uid) => sqlx::query($crate::rows::PERSON_MAPPINGS_BY_UID)
                        .bind(codec::id(tenant_id.0))
                        .bind(codec::id(user_id.0))
                        .bind(uid.to_owned()),
                    None => sqlx::query($crate::rows::PERSON_MAPPINGS)
                        .bind(codec::id(tenant_id.0))
                        .bind(codec::id(user_id.0)),
                };
                let rows = rows.fetch_all(self.connection()).await.map_err(failure)?;
                rows.iter().map(mapping).collect()
            }

            async fn stand_beside(&mut self, m: &Mapping) -> StorageResult<()> {
                let done = sqlx::query(
                    "UPDATE calendar_event_mappings SET beside = $3, copy_left = $4 \
                     WHERE tenant_id = $1 AND mapping_id = $2",
                )
                .bind(codec::id(m.tenant_id.0))
                .bind(codec::id(m.mapping_id.0))
                .bind(m.beside.clone())
                .bind(m.copy_left)
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 0 { Err(StorageError::NotFound) } else { Ok(()) }
            }

            async fn update_mapping(&mut self, m: &Mapping) -> StorageResult<()> {
                let done = sqlx::query(
                    "UPDATE calendar_event_mappings SET external_event_id = $3, external_etag = $4, \
                     external_ical_uid = $5, state = $6, generation = $7, base = $8, entry_version = $9, \
                     error = $10, attempts = $11, updated_at = $12, origin = $13, sent = $14, series_event_id = $15, \
                     meeting_url = $16 \
                     WHERE tenant_id = $1 AND mapping_id = $2 AND answers = $17",
                )
                .bind(codec::id(m.tenant_id.0))
                .bind(codec::id(m.mapping_id.0))
                .bind(m.external_event_id.clone())
                .bind(m.external_etag.clone())
                .bind(m.external_ical_uid.clone())
                .bind(m.state.clone())
                .bind(m.generation)
                .bind(m.base.as_ref().map(codec::json))
                .bind(m.entry_version)
                .bind(m.error.clone())
                .bind(m.attempts)
                .bind(codec::at(m.updated_at))
                .bind(m.origin.clone())
                .bind(m.sent.as_ref().map(codec::json))
                .bind(m.series_event_id.clone())
                .bind(m.meeting_url.clone())
                .bind(m.answers)
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() > 0 {
                    return Ok(());
                }
                let there = sqlx::query(
                    "SELECT 1 FROM calendar_event_mappings WHERE tenant_id = $1 AND mapping_id = $2",
                )
                .bind(codec::id(m.tenant_id.0))
                .bind(codec::id(m.mapping_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                Err(if there.is_some() { StorageError::Stale } else { StorageError::NotFound })
            }

            async fn answer_about(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
                entry_id: EntryId,
            ) -> StorageResult<Option<Mapping>> {
                let row = sqlx::query(
                    "UPDATE calendar_event_mappings SET answers = answers + 1 \
                     WHERE tenant_id = $1 AND connection_id = $2 AND entry_id = $3 RETURNING *",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .bind(codec::id(entry_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(mapping).transpose()
            }

            async fn add_subscription(&mut self, s: &Subscription) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO calendar_subscriptions (tenant_id, subscription_id, connection_id, provider, \
                     external_id, resource_id, secret_hash, state, expires_at, last_notified_at, created_at, renew_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                )
                .bind(codec::id(s.tenant_id.0))
                .bind(codec::id(s.subscription_id.0))
                .bind(codec::id(s.connection_id.0))
                .bind(s.provider.clone())
                .bind(s.external_id.clone())
                .bind(s.resource_id.clone())
                .bind(s.secret_hash.clone())
                .bind(s.state.clone())
                .bind(codec::at(s.expires_at))
                .bind(s.last_notified_at.map(codec::at))
                .bind(codec::at(s.created_at))
                .bind(s.renew_at.map(codec::at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_subscription(
                &mut self,
                tenant_id: TenantId,
                subscription_id: SubscriptionId,
            ) -> StorageResult<Option<Subscription>> {
                let row = sqlx::query(
                    "SELECT * FROM calendar_subscriptions WHERE tenant_id = $1 AND subscription_id = $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(subscription_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(subscription).transpose()
            }

            async fn list_subscriptions(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
            ) -> StorageResult<Vec<Subscription>> {
                let rows = sqlx::query(
                    "SELECT * FROM calendar_subscriptions WHERE tenant_id = $1 AND connection_id = $2 \
                     ORDER BY created_at, subscription_id",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(subscription).collect()
            }

            async fn update_subscription(&mut self, s: &Subscription) -> StorageResult<()> {
                let done = sqlx::query(
                    "UPDATE calendar_subscriptions SET external_id = $3, resource_id = $4, state = $5, \
                     expires_at = $6, last_notified_at = $7, renew_at = $8 WHERE tenant_id = $1 AND subscription_id = $2",
                )
                .bind(codec::id(s.tenant_id.0))
                .bind(codec::id(s.subscription_id.0))
                .bind(s.external_id.clone())
                .bind(s.resource_id.clone())
                .bind(s.state.clone())
                .bind(codec::at(s.expires_at))
                .bind(s.last_notified_at.map(codec::at))
                .bind(s.renew_at.map(codec::at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 0 { Err(StorageError::NotFound) } else { Ok(()) }
            }

            async fn remove_subscription(
                &mut self,
                tenant_id: TenantId,
                subscription_id: SubscriptionId,
            ) -> StorageResult<()> {
                sqlx::query("DELETE FROM calendar_subscriptions WHERE tenant_id = $1 AND subscription_id = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(subscription_id.0))
                    .execute(self.connection())
                    .await
                    .map_err(failure)?;
                Ok(())
            }
        }
    };
}

pub(crate) use repository;
