//! The pages as routes whose code the browser fetches when it gets to them: what starts first is the frame alone.
//!
//! What a page shows depends on the edition's [`crate::Entries`]. A program that named them at its start would hold all
//! their code from the start; so each edition makes its own routes ([`crate::pages!`]), and a page brings along what it
//! needs of them.

use std::fmt::Debug;

use daybind_domain::Edition;
use leptos::prelude::*;
use leptos_router::LazyRoute;

use crate::entries::Entries;

/// An edition's pages.
pub trait Pages: Debug + Send + Sync + 'static {
    /// `/auth/msp/signin`
    type SignIn: LazyRoute + Sync;
    /// `/auth/msp/result`
    type SignInResult: LazyRoute + Sync;
    /// `/msp/schedule`
    type Schedule: LazyRoute + Sync;
    /// `/msp/settings`
    type Settings: LazyRoute + Sync;
    /// `/msp/operations`
    type Operations: LazyRoute + Sync;
    /// `/msp/profile`
    type Profile: LazyRoute + Sync;
}

/// Gives a page the entries of the edition that runs.
pub fn bring(entries: fn() -> Entries) {
    provide_context(entries().lowered(running()));
}

/// The edition that runs, as the server (or its page) says; Community where nobody says.
#[must_use]
pub fn running() -> Edition {
    use_context().unwrap_or(Edition::Community)
}

/// Makes an edition's [`Pages`], called `Site`, from the entries its schedule, settings, profile and other pages need. Once in
/// a program: each page is a part of the WASM under a name of its own.
#[macro_export]
macro_rules! pages {
    (schedule: $schedule:path, settings: $settings:path, profile: $profile:path, others: $others:path $(,)?) => {
        /// This edition's pages.
        #[derive(Debug)]
        pub struct Site;

        impl $crate::pages::routes::Pages for Site {
            type SignIn = SignIn;
            type SignInResult = SignInResult;
            type Schedule = Schedule;
            type Settings = Settings;
            type Operations = Operations;
            type Profile = Profile;
        }

        /// `/auth/msp/signin`
        #[derive(Debug)]
        pub struct SignIn;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for SignIn {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($others);
                $crate::pages::signin::page()
            }
        }

        /// `/auth/msp/result`
        #[derive(Debug)]
        pub struct SignInResult;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for SignInResult {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($others);
                $crate::pages::sign_in_result::page()
            }
        }

        /// `/msp/schedule`
        #[derive(Debug)]
        pub struct Schedule;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for Schedule {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($schedule);
                $crate::pages::schedule::page()
            }
        }

        /// `/msp/settings`
        #[derive(Debug)]
        pub struct Settings;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for Settings {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($settings);
                $crate::pages::settings::page()
            }
        }

        /// `/msp/operations`
        #[derive(Debug)]
        pub struct Operations;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for Operations {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($others);
                $crate::pages::operations::page()
            }
        }

        /// `/msp/profile`
        #[derive(Debug)]
        pub struct Profile;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for Profile {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($profile);
                $crate::pages::profile::page()
            }
        }
    };
}
