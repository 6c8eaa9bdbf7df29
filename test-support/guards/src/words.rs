//! What Community says.

use daybind_domain::CALENDAR_ENTERPRISE_ONLY;
use daybind_server::policy::{Access, Endpoint, Kind};

use crate::call::Call;
use crate::canary::ENDS_SESSIONS;
use crate::site::Site;
use serde_json::Value;

/// Words of what only Enterprise offers.
const WORDS: [&str; 5] = ["calendar", "email", "teams", "google", "outlook"];
/// What the wording test allows: the enterprise-only sentence, the address people sign in with, and the permission of
/// that name which MSP SSO asks for, in the list and with its reason.
const ALLOWED: [&str; 4] = [
    CALENDAR_ENTERPRISE_ONLY,
    "work email",
    "openid profile email",
    "email gives the address shown to a person who links an account",
];

/// What a reader gets to see of a page: its text, and the attributes that are read out or shown.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        for shown in [
            "aria-label",
            "title",
            "placeholder",
            "alt",
            "href",
            "action",
            "value",
        ] {
            let start = format!(" {shown}=\"");
            if let Some((_, value)) = tag.split_once(start.as_str()) {
                text.push_str(value.split('"').next().unwrap_or_default());
                text.push(' ');
            }
        }
        // Scripts carry what the page was made from: all of it counts.
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Keys and texts of a payload; a person's own address is theirs under any key.
fn words_of(value: &Value, words: &mut String) {
    match value {
        // A page that arrives as a payload is read as a page.
        Value::String(text) => {
            words.push_str(&text_of(text));
            words.push(' ');
        }
        Value::Array(values) => values.iter().for_each(|value| words_of(value, words)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if key != "email" {
                    words.push_str(key);
                    words.push(' ');
                }
                words_of(value, words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn visible(body: &str) -> String {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(value) => {
            let mut words = String::new();
            words_of(&value, &mut words);
            words
        }
        // The readings a page was made from stand in its scripts as escaped strings.
        Err(_) => text_of(&body.replace("\\u003c", "<").replace('\\', "")),
    };
    let words: Vec<_> = text.split_whitespace().collect();
    // The key of an address; and a list in a payload is read as the list it is on the page.
    let mut text = words
        .join(" ")
        .to_ascii_lowercase()
        .replace("\"email\":", "")
        .replace("\",\"", " ");
    for allowed in ALLOWED {
        text = text.replace(&allowed.to_ascii_lowercase(), "");
    }
    text
}

/// Every page for every kind of person, every payload of a reading server function, every refusal and every notice of
/// Community is free of the words of what it does not offer.
pub async fn community_never_speaks_of_enterprise(site: &Site) {
    let mut heard = Vec::new();
    let mut read = 0;
    let left_out = |endpoint: &Endpoint| {
        endpoint.kind == Kind::Stable
            || site.refuses(endpoint)
            // Whoever is signed out is told nothing.
            || ENDS_SESSIONS.contains(&endpoint.path)
    };
    for endpoint in &site.endpoints {
        if left_out(endpoint) {
            continue;
        }
        for cookie in ["", &site.own.client, &site.own.technician, &site.own.admin] {
            let writes = matches!(endpoint.kind, Kind::Write | Kind::Form);
            // Writes are sent incomplete: their refusals are what is read here.
            let call = if writes && endpoint.access != Access::Everyone {
                site.call(endpoint, "")
            } else {
                site.example(endpoint, &site.own, 0).await
            };
            let answer = site.send(call.cookie(cookie)).await;
            read += 1;
            listen(endpoint.path, &answer.body, &mut heard);
        }
    }
    for path in [
        "/msp/settings?tab=integrations&category=providers&notice=enterprise",
        "/msp/settings?tab=integrations&category=providers&saved=profile",
        "/msp/settings?tab=integrations&category=providers&saved=binding",
        "/msp/settings?tab=integrations&category=providers&saved=oauth_client",
        "/msp/settings?tab=integrations&category=login-domains&saved=claimed&address=ada%40guard.example.com",
        "/msp/settings?tab=integrations&category=login-domains&address=nonsense",
        "/msp/profile?tab=security&saved=password",
        "/msp/profile?tab=profile&saved=calendar",
        "/auth/msp/signin?error=credentials",
        "/msp/nowhere",
    ] {
        let answer = site.send(Call::get(path).cookie(&site.own.admin)).await;
        listen(path, &answer.body, &mut heard);
    }
    assert!(read > 40, "{read} answers read");
    let signed_in = site.call(&site.endpoint("/_fn/current_session"), "");
    for cookie in [&site.own.technician, &site.own.admin] {
        let answer = site.send(signed_in.clone().cookie(cookie)).await;
        assert!(
            answer.status.is_success(),
            "signed in until here: {answer:?}"
        );
    }
    assert!(heard.is_empty(), "Community says:\n{}", heard.join("\n"));
}

fn listen(path: &str, body: &str, heard: &mut Vec<String>) {
    let text = visible(body);
    for word in WORDS {
        for (at, _) in text.match_indices(word) {
            let from = text[..at]
                .char_indices()
                .rev()
                .nth(60)
                .map_or(0, |(i, _)| i);
            let to = text[at..]
                .char_indices()
                .nth(60)
                .map_or(text.len(), |(i, _)| at + i);
            let line = format!("{path}: …{}…", text[from..to].replace('\n', " "));
            if !heard.contains(&line) {
                heard.push(line);
            }
        }
    }
}
