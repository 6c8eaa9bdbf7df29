//! Sign-in through Microsoft from outside: the whole router of the Community server, a stand-in Microsoft, both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bench;
mod clouds;
mod flows;
mod people;
mod setting_out;
mod trials;

/// A test on each database.
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
    /// M-18, A16: the first step is the same for every address, tells nothing and puts no address into a link.
    setting_out::the_first_step_tells_nothing,
    /// M-18: a login domain leads to its MSP's directory; unknown and unready end alike; the password always works.
    setting_out::a_domain_leads_to_its_msp,
    /// M-11, M-13, M-15, M-18, W38: the whole way: an account is connected by its signed-in owner and opens a session.
    people::an_account_is_connected_and_signs_in,
    /// M-13, T16, W35: an address finds nobody, verified or not, from our directory or another.
    people::an_address_lets_nobody_in,
    /// M-14, T17: an account of nobody waits for an administrator, who decides once.
    people::an_administrator_decides_whose_an_account_is,
    /// M-05, M-14: only active people of the MSP, whatever is connected.
    people::only_active_staff_comes_in,
    /// M-14: nobody disconnects their last way in, or somebody else's.
    people::the_last_way_in_stays,
    /// M-10, T14, W29: twenty answers with one state at once make one token request.
    flows::a_state_is_taken_once,
    /// M-10, T14: ten minutes.
    flows::a_state_ends_after_ten_minutes,
    /// M-12, T12, T15, W28: wrong browser, wrong person, signed out, wrong issuer, odd parameters.
    flows::nobody_else_finishes_a_flow,
    /// M-29: failed ways back are limited for each address of origin; good ones are not counted, and a refused one is not
    /// used up.
    flows::only_failed_ways_back_count,
    /// M-10, T15: the profile is changed or bound anew meanwhile.
    flows::changed_settings_end_a_flow,
    /// T13: a code of another flow.
    flows::a_code_of_another_flow_is_refused,
    /// T19: keys are fetched again once, not for every unknown one.
    flows::keys_are_fetched_again_within_bounds,
    /// T20: whatever Microsoft answers ends on a page with a code of ours.
    flows::every_refusal_has_its_page,
    /// A test sign-in proves redirect URI and consent, and keeps nothing but how it ended.
    trials::a_test_proves_and_keeps_nothing_else,
    /// M-13: nor does a test believe a token that a sign-in would not believe.
    trials::a_test_believes_no_faulty_token,
    /// M-10, M-12: the answer of a test is no sign-in, and the answer of a sign-in no test.
    trials::a_test_is_no_sign_in,
    /// M-19: cause and place of each failure; what is not known is not claimed.
    trials::a_test_that_fails_says_why,
    /// M-05, M-06: administrators alone, this edition's consumers alone, profiles that can work alone.
    trials::a_test_is_begun_by_administrators_for_what_is_there,
}

/// Signing in through each national cloud, on each database.
macro_rules! in_national_clouds {
    ($($name:ident: $database:ident, $cloud:ident;)+) => {
        mod national {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let (database, cloud) = (daybind_guards::Database::$database, daybind_domain::Cloud::$cloud);
                let bench = crate::bench::Bench::in_cloud(database, cloud).await;
                crate::clouds::one_signs_in_through_the_profiles_cloud(bench).await;
            })+
        }
    };
}

in_national_clouds! {
    gcc_high: Sqlite, UsGovHigh;
    gcc_high_on_postgres: Postgres, UsGovHigh;
    dod: Sqlite, UsGovDod;
    china: Sqlite, China;
    china_on_postgres: Postgres, China;
}
