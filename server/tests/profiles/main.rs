//! Microsoft profiles from outside: the whole router of the Community server, forms as a browser without script sends
//! them, a stand-in Microsoft, both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bench;
mod checks;
mod life;
mod secrets;
mod typed;
mod walk;

macro_rules! on_both {
    ($($(#[$doc:meta])* $room:ident::$name:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                crate::$room::$name(crate::bench::Bench::new(daybind_guards::Database::Sqlite).await).await;
            })+
        }
        mod postgres {
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                crate::$room::$name(crate::bench::Bench::new(daybind_guards::Database::Postgres).await).await;
            })+
        }
    };
}

on_both! {
    /// M-19: seen, edited, archived, restored, deleted; a stale edit changes nothing and says who was first.
    life::a_profile_lives_from_creation_to_deletion,
    /// M-44: why something was done stands in the log, where somebody said so, and nowhere else.
    life::the_log_says_why,
    /// M-08, W63: what is bound, hidden or not, is neither archived nor deleted, and no button offers it.
    life::what_is_bound_stays,
    /// M-19, W37: a new secret is proven before it counts, and one click goes back; no secret is ever shown.
    secrets::a_secret_is_rolled_over_and_back,
    /// The previous secret is destroyed when its time has come.
    secrets::the_previous_secret_ends,
    /// Each failed step says cause and place; what is not known is not claimed.
    checks::verification_says_what_and_where,
    /// A form refused twice, or after something was saved, says what is wrong now and nothing else.
    checks::a_refused_form_says_what_is_wrong_now,
    /// The board says of a bound profile what is known of it: untested, proven, refused, about to end.
    checks::the_board_says_what_is_known_of_the_bound_profile,
    /// One button asks Microsoft about every active profile, and about no archived one.
    checks::every_active_profile_is_verified_at_once,
    /// A refused form comes back as it was typed, without its secrets, and nothing is stored of it.
    typed::a_refused_form_keeps_what_was_typed,
    /// Where somebody else was first the page shows what is stored, and says what was typed.
    typed::a_stale_form_shows_what_is_stored,
    /// Every step of the walkthrough that can be refused keeps what was typed.
    typed::a_refused_step_keeps_what_was_typed,
    /// So does the schedule's form: texts, notes with markup in them, and the boxes that were ticked.
    typed::a_refused_entry_keeps_what_was_typed,
    /// M-27, M-05: a page posted to is as closed as one that is read, and does no more.
    typed::a_page_posted_to_is_only_read,
    /// Six steps, resumed, sent twice, and every pasted value checked.
    walk::the_walkthrough_checks_what_is_pasted,
    /// Warnings at 60, 30, 14, 7 and 1 days are seen on the list and on the profile, the last two on every page.
    life::an_expiry_is_announced,
}
