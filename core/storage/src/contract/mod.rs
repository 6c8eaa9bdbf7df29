//! The suite that both databases must pass.
//!
//! Every behaviour is one function over a fresh store; [`contract_tests`](crate::contract_tests) turns each into a test
//! of the implementing crate.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "tests: a panic is how they fail"
)]

mod audit;
mod bindings;
mod fixture;
mod identities;
mod jobs;
mod operations;
mod profiles;
mod records;
mod schedule;
mod sign_in;
mod tenancy;

pub use audit::*;
pub use bindings::*;
pub use identities::*;
pub use jobs::*;
pub use operations::*;
pub use profiles::*;
pub use records::*;
pub use schedule::*;
pub use sign_in::*;
pub use tenancy::*;

/// Makes one `#[tokio::test]` of each behaviour. The argument is an async function that returns a fresh store and a
/// guard that keeps its files.
#[macro_export]
macro_rules! contract_tests {
    ($fresh:path) => {
        $crate::contract_tests!(@ $fresh:
            another_tenant_sees_nothing, a_dropped_or_cancelled_unit_keeps_nothing, logins_are_found_over_all_tenants,
            sessions_begin_and_end, profiles_are_locked_optimistically, an_archived_name_can_be_used_again,
            setting_a_binding_touches_no_other, archived_and_foreign_profiles_cannot_be_bound,
            a_bound_profile_cannot_be_archived, a_profile_is_removed_unless_bound_or_changed,
            archiving_and_binding_at_once_never_both_succeed, deleting_and_binding_at_once_never_both_succeed,
            staged_secrets_keep_their_slots, a_check_keeps_its_latest_result, a_draft_belongs_to_one_person, flows_are_taken_once, audit_rows_are_listed_newest_first,
            entries_are_versioned_and_leave_tombstones, entries_are_listed_by_range_and_assignee,
            entries_are_free_and_private,
            series_are_listed_while_they_last, an_occurrence_has_one_entry,
            jobs_of_one_lane_are_merged, jobs_queued_together_are_queued_one_by_one, a_job_is_claimed_once, an_expired_lease_is_taken_over,
            every_sealed_column_can_be_rewritten, sealed_values_are_replaced_by_comparing, the_canary_is_written_once,
            the_ledger_holds_a_row_once, a_poke_while_running_runs_again, a_persons_wish_stays_the_cause, the_oldest_due_is_known, failed_jobs_retry_die_and_revive, unknown_kinds_are_not_touched,
            audit_rows_are_filtered, audit_pages_show_each_row_once, a_binding_changes_only_from_what_was_seen,
            one_of_two_binding_changes_wins, binding_and_archiving_never_both_happen,
            the_last_binding_change_is_kept, people_without_a_password_are_found,
            an_account_belongs_to_one_person_of_a_tenant, an_account_asks_once_and_is_decided_once,
            login_domains_are_kept_per_tenant, claim_status_is_locked_optimistically,
            claims_are_compared_over_all_tenants, due_challenges_are_taken_once, uses_are_limited_to_a_rate,
            a_rate_holds_under_a_race, a_persons_sessions_are_listed_and_ended, passwords_are_replaced,
        );
    };
    (@ $fresh:path: $($name:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let (store, _guard) = $fresh().await;
            $crate::contract::$name(&store).await;
        }
    )+};
}
