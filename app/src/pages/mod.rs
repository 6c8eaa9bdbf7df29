//! The pages both editions share. Each works without WebAssembly; hydration only makes it quicker.

pub mod failure;
pub mod frame;
#[cfg(all(feature = "ssr", debug_assertions))]
pub mod gallery;
pub mod login_domains;
pub mod operations;
pub mod parts;
pub mod profile;
pub mod providers;
pub mod routes;
pub mod schedule;
pub mod schedule_form;
mod schedule_grid;
mod schedule_repeat;
pub mod search;
pub mod security;
pub mod settings;
pub mod sign_in_methods;
pub mod sign_in_requests;
pub mod sign_in_result;
pub mod signin;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The value of a query parameter, decoded; empty when it is absent.
#[must_use]
pub fn query_value(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get(name).unwrap_or_default()))
}

/// All values of a parameter that the address may name more than once.
pub fn query_values(name: &'static str) -> Memo<Vec<String>> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get_all(name).unwrap_or_default()))
}
