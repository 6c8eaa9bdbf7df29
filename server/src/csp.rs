//! The content security policy (CSP level 3): one nonce for each answer, WebAssembly allowed, nothing inline without
//! the nonce.

use axum::http::{HeaderValue, header};
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// The hosts a form may lead to besides our own: browsers check the redirects a form's answer makes, so the log-in
/// hosts of providers must be named.
#[derive(Debug, Clone)]
pub struct Policy {
    form_action: String,
}

impl Policy {
    /// A policy that lets forms lead to these addresses' origins.
    #[must_use]
    pub fn new<'a>(targets: impl Iterator<Item = &'a str>) -> Self {
        let mut form_action = "'self'".to_owned();
        for origin in targets.filter_map(|text| url::Url::parse(text).ok()) {
            let origin = origin.origin().ascii_serialization();
            if !form_action.split(' ').any(|known| known == origin) {
                form_action.push(' ');
                form_action.push_str(&origin);
            }
        }
        Self { form_action }
    }

    /// Sets the header on the page being rendered. Called with the page's context at hand.
    pub fn apply(&self) {
        let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>()) else {
            return;
        };
        let policy = format!(
            "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
             frame-ancestors 'none'; form-action {}",
            self.form_action
        );
        if let Ok(value) = HeaderValue::from_str(&policy) {
            options.insert_header(header::CONTENT_SECURITY_POLICY, value);
        }
    }
}
