//! One request to the router, and its whole answer.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use tower::ServiceExt as _;

/// A request being put together.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Call {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, uri: &str) -> Self {
        Self {
            method: method.parse().unwrap(),
            uri: uri.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// A read of a page.
    #[must_use]
    pub fn get(uri: &str) -> Self {
        Self::new("GET", uri).header("accept", "text/html")
    }

    /// A form, sent as the browser half of a server function sends it.
    #[must_use]
    pub fn form(uri: &str, form: &str) -> Self {
        Self::new("POST", uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form.as_bytes())
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Sends a session cookie, `name=value`; an empty one is none.
    #[must_use]
    pub fn cookie(self, cookie: &str) -> Self {
        if cookie.is_empty() {
            self
        } else {
            self.header("cookie", cookie)
        }
    }

    /// Sends it.
    pub async fn send(self, router: &Router) -> Answer {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.uri)
            .body(Body::from(self.body))
            .unwrap();
        *request.headers_mut() = self.headers;
        request
            .headers_mut()
            .entry("host")
            .or_insert(HeaderValue::from_static("127.0.0.1:3000"));
        let answer = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&to_bytes(body, 64 << 20).await.unwrap()).into_owned(),
        }
    }
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
}

impl Answer {
    /// A header's value; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Where it leads.
    #[must_use]
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The nonce of its content security policy; empty without one.
    #[must_use]
    pub fn nonce(&self) -> &str {
        self.header("content-security-policy")
            .split_once("'nonce-")
            .and_then(|(_, rest)| rest.split_once('\''))
            .map_or("", |(nonce, _)| nonce)
    }

    /// What two answers must share to be the same to whoever asked: status, headers and body, with ids and the
    /// nonce left out, and what a page read in one order.
    #[must_use]
    pub fn comparable(&self) -> String {
        let mut text = format!("{}\n", self.status.as_u16());
        for (name, value) in &self.headers {
            if name != "x-request-id" && name != "date" {
                text.push_str(name.as_str());
                text.push_str(": ");
                let value = String::from_utf8_lossy(value.as_bytes());
                // A cookie's end is counted from the second it is sent in; `Max-Age` says the same.
                let parts = value.split("; ").filter(|part| {
                    name != "set-cookie" || !part.to_ascii_lowercase().starts_with("expires=")
                });
                text.push_str(&parts.collect::<Vec<_>>().join("; "));
                text.push('\n');
            }
        }
        text.push_str(&in_one_order(&self.body));
        without_ids(&match self.nonce() {
            "" => text,
            nonce => text.replace(nonce, "<nonce>"),
        })
    }

    /// Everything of the answer, for searching.
    #[must_use]
    pub fn everything(&self) -> String {
        format!("{:?}\n{}", self.headers, self.body)
    }
}

/// Sorts the readings a page carries for its browser half by their number: they stand in the order in which the
/// database answered them.
fn in_one_order(body: &str) -> String {
    const READING: &str = "__RESOLVED_RESOURCES[";
    let mut parts = body.split(READING);
    let mut out = parts.next().unwrap_or_default().to_owned();
    let (mut readings, mut after) = (Vec::new(), String::new());
    for part in parts {
        // Several of them share one script, or each has its own.
        let (reading, rest) = part.split_once(";</script>").unwrap_or((part, ""));
        readings.push(reading.trim_end_matches(';'));
        after.push_str(rest.strip_prefix("<script").map_or(rest, |rest| {
            rest.split_once('>').map_or("", |(_, rest)| rest)
        }));
    }
    readings.sort_unstable();
    for reading in readings {
        out.push_str(READING);
        out.push_str(reading);
        out.push('\n');
    }
    out + &after
}

/// Replaces runs of 32 or more of `0-9a-f-` (UUIDs and references) by `<id>`.
fn without_ids(text: &str) -> String {
    let is_id = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c) || c == '-';
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if is_id(c) {
            run.push(c);
        } else {
            out.push_str(if run.len() >= 32 { "<id>" } else { &run });
            run.clear();
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{in_one_order, without_ids};

    #[test]
    fn the_order_of_readings_is_left_out_and_what_was_read_is_not() {
        let one = r#"<p><script nonce="a">__RESOLVED_RESOURCES[0] = "x";__RESOLVED_RESOURCES[2] = "y";</script>end"#;
        let other = r#"<p><script nonce="a">__RESOLVED_RESOURCES[2] = "y";</script><script nonce="a">__RESOLVED_RESOURCES[0] = "x";</script>end"#;
        assert_eq!(in_one_order(one), in_one_order(other));
        assert_ne!(
            in_one_order(one),
            in_one_order(&other.replace("\"y\"", "\"z\""))
        );
        assert_ne!(
            in_one_order(one),
            in_one_order(&other.replace("end", "and"))
        );
    }

    #[test]
    fn what_differs_by_chance_is_left_out() {
        assert_eq!(
            without_ids("a 0dea0000-0000-4000-8000-000000000001, face"),
            "a <id>, face\n"
        );
    }
}
