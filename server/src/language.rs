//! Which language a request is answered in: the one chosen in this browser, or the first it asks for that Daybind speaks.

use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use daybind_app::api::session::LANGUAGE_COOKIE;
use daybind_app::server::AppState;
use daybind_services::sso;
use daybind_words::Lang;
use leptos::prelude::{provide_context, use_context};
use serde::Deserialize;

tokio::task_local! {
    static SPOKEN: Lang;
}

/// The language of a request, where its parts are rendered by tasks of their own.
#[derive(Clone, Copy)]
struct Spoken(Lang);

/// Lets every text ask which request it is part of; once in a program.
pub fn listen() {
    daybind_words::ask(|| {
        let here = SPOKEN.try_with(|lang| *lang).ok();
        here.or_else(|| use_context::<Spoken>().map(|Spoken(lang)| lang))
    });
}

/// Notes the language for what a page or server function has others do.
pub fn carry() {
    provide_context(Spoken(daybind_words::lang()));
}

/// Answers in the language asked for, and says that the answer depends on it.
pub async fn speak(request: Request, next: Next) -> Response {
    let lang = of(request.headers());
    let mut answer = SPOKEN.scope(lang, next.run(request)).await;
    let headers = answer.headers_mut();
    let page = headers.get(header::CONTENT_TYPE);
    if page.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        if let Ok(tag) = lang.tag().parse() {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
        headers.append(header::VARY, header::ACCEPT_LANGUAGE.into());
    }
    answer
}

fn of(headers: &HeaderMap) -> Lang {
    let jar = CookieJar::from_headers(headers);
    let chosen = jar.get(LANGUAGE_COOKIE);
    if let Some(lang) = chosen.and_then(|cookie| Lang::of_tag(cookie.value())) {
        return lang;
    }
    let wished = headers.get(header::ACCEPT_LANGUAGE);
    let wished = wished.and_then(|value| value.to_str().ok());
    let wished = accept_language::parse(wished.unwrap_or_default());
    // `de-AT` is German, too (RFC 4647 section 3.4).
    let primary = |tag: &String| tag.split('-').next().map(str::to_ascii_lowercase);
    let spoken = |tag: String| Lang::OFFERED.into_iter().find(|lang| lang.tag() == tag);
    let first = wished.iter().filter_map(primary).find_map(spoken);
    first.unwrap_or_default()
}

/// The form of Profile.
#[derive(Deserialize)]
pub struct Choice {
    /// A tag, or empty for what the browser asks for.
    #[serde(default)]
    language: String,
    #[serde(default)]
    next: String,
}

/// `POST /auth/msp/language`
pub async fn choose(
    State(state): State<AppState>,
    jar: CookieJar,
    Form(choice): Form<Choice>,
) -> Response {
    let cookie = |value: &str| {
        Cookie::build((LANGUAGE_COOKIE, value.to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(state.services.public_url.scheme() == "https")
    };
    let jar = match Lang::of_tag(&choice.language) {
        Some(lang) => jar.add(cookie(lang.tag()).permanent()),
        None => jar.remove(cookie("")),
    };
    (jar, Redirect::to(&sso::return_to(&choice.next))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(cookie: &str, wished: &str) -> Lang {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::COOKIE, cookie), (header::ACCEPT_LANGUAGE, wished)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        of(&headers)
    }

    #[test]
    fn the_choice_counts_before_the_browsers_wishes_and_english_when_none_is_spoken() {
        for (cookie, wished, spoken) in [
            ("", "", Lang::En),
            ("", "de-AT,de;q=0.9,en;q=0.8", Lang::De),
            ("", "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7", Lang::En),
            ("", "pl", Lang::En),
            ("", "de-AT", Lang::De),
            ("", "xx", Lang::En),
            ("daybind_language=de", "en", Lang::De),
            ("daybind_language=en", "de", Lang::En),
            ("daybind_language=klingon", "de", Lang::De),
            ("daybind_language=xx", "de", Lang::Xx),
        ] {
            assert_eq!(asked(cookie, wished), spoken, "{cookie} {wished}");
        }
    }
}
