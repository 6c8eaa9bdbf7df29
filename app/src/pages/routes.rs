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
    /// `/msp/search`
    type Search: LazyRoute + Sync;
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

/// Makes an edition's [`Pages`], called `Site`, from the entries its pages need: settings and profile have parts of their own
/// for each category and tab. Once in a program: each page or part is a part of the WASM under a name of its own.
#[macro_export]
macro_rules! pages {
    (
        schedule: $schedule:path,
        providers: $providers:path,
        login_domains: $login_domains:path,
        calendar_settings: $calendar_settings:path,
        calendar_profile: $calendar_profile:path,
        operations: $operations:path,
        others: $others:path $(,)?
    ) => {
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
            type Search = Search;
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

        /// `/msp/operations`
        #[derive(Debug)]
        pub struct Operations;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for Operations {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($operations);
                $crate::pages::operations::page()
            }
        }

        /// `/msp/search`
        #[derive(Debug)]
        pub struct Search;

        #[::leptos_router::lazy_route]
        impl ::leptos_router::LazyRoute for Search {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($others);
                $crate::pages::search::page()
            }
        }

        /// `/msp/settings`
        #[derive(Debug)]
        pub struct Settings;

        impl ::leptos_router::LazyRoute for Settings {
            fn data() -> Self {
                Self
            }

            async fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($others);
                $crate::pages::settings::page(settings_part)
            }

            // As `lazy_route` does it: the server's program is whole.
            async fn preload() {
                #[cfg(target_arch = "wasm32")]
                {
                    use $crate::pages::settings::Shown;
                    $crate::pages::routes::bring($others);
                    match Shown::asked() {
                        Shown::Providers => __preload_settings_providers().await,
                        Shown::Domains => __preload_settings_domains().await,
                        Shown::Requests => __preload_settings_requests().await,
                        Shown::Edition => __preload_settings_edition().await,
                    }
                }
            }
        }

        fn settings_part(shown: $crate::pages::settings::Shown) -> $crate::pages::parts::Loading {
            use $crate::pages::settings::Shown;
            ::std::boxed::Box::pin(async move {
                match shown {
                    Shown::Providers => settings_providers().await,
                    Shown::Domains => settings_domains().await,
                    Shown::Requests => settings_requests().await,
                    Shown::Edition => settings_edition().await,
                }
            })
        }

        #[::leptos::lazy]
        fn settings_providers() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($providers);
            $crate::pages::settings::providers()
        }

        #[::leptos::lazy]
        fn settings_domains() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($login_domains);
            $crate::pages::settings::domains()
        }

        #[::leptos::lazy]
        fn settings_requests() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($others);
            $crate::pages::settings::requests()
        }

        #[::leptos::lazy]
        fn settings_edition() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($calendar_settings);
            $crate::pages::settings::edition()
        }

        /// `/msp/profile`
        #[derive(Debug)]
        pub struct Profile;

        impl ::leptos_router::LazyRoute for Profile {
            fn data() -> Self {
                Self
            }

            async fn view(_this: Self) -> ::leptos::prelude::AnyView {
                $crate::pages::routes::bring($others);
                $crate::pages::profile::page(profile_part)
            }

            // As `lazy_route` does it: the server's program is whole.
            async fn preload() {
                #[cfg(target_arch = "wasm32")]
                {
                    use $crate::pages::profile::Shown;
                    $crate::pages::routes::bring($others);
                    match Shown::asked() {
                        Shown::Profile => __preload_profile_about_me().await,
                        Shown::Security => __preload_profile_security().await,
                        Shown::Edition => __preload_profile_edition().await,
                    }
                }
            }
        }

        fn profile_part(shown: $crate::pages::profile::Shown) -> $crate::pages::parts::Loading {
            use $crate::pages::profile::Shown;
            ::std::boxed::Box::pin(async move {
                match shown {
                    Shown::Profile => profile_about_me().await,
                    Shown::Security => profile_security().await,
                    Shown::Edition => profile_edition().await,
                }
            })
        }

        #[::leptos::lazy]
        fn profile_about_me() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($others);
            $crate::pages::profile::about_me()
        }

        #[::leptos::lazy]
        fn profile_security() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($others);
            $crate::pages::profile::security()
        }

        #[::leptos::lazy]
        fn profile_edition() -> ::leptos::prelude::AnyView {
            $crate::pages::routes::bring($calendar_profile);
            $crate::pages::profile::edition()
        }
    };
}
