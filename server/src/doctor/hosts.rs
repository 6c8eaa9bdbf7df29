//! Checks that leave the machine: are the hosts this edition talks to within reach, and does our clock agree?

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use url::Url;

use super::Finding;
use crate::config::Config;

const LIMIT: Duration = Duration::from_secs(8);

/// One finding for each host (Community knows one in each of Microsoft's clouds: the log-in), and one for our clock.
pub(super) async fn reachable(config: &Config, offline: bool) -> Vec<Finding> {
    const CHECK: &str = "outbound";
    if offline {
        return vec![Finding::skip(CHECK, "not asked for (--offline)")];
    }
    let client = match daybind_services::outbound::client(&config.endpoints) {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::fail(
                CHECK,
                format!("no HTTP client: {error}"),
                "Install the system's CA certificates (package ca-certificates).",
            )];
        }
    };
    let mut origins: Vec<(String, Vec<&str>)> = Vec::new();
    for (variable, address) in config.endpoints.wanted() {
        let origin = Url::parse(address).map_or_else(
            |_| address.to_owned(),
            |url| url.origin().ascii_serialization(),
        );
        match origins.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, variables)) => variables.push(variable),
            None => origins.push((origin, vec![variable])),
        }
    }
    let mut findings = Vec::new();
    let mut clock = None;
    for (origin, variables) in origins {
        match client.request(Method::HEAD, &origin).timeout(LIMIT).send().await {
            // Any answer will do: what matters is that name, network and certificate work.
            Ok(answer) => {
                let date = answer
                    .headers()
                    .get(reqwest::header::DATE)
                    .and_then(|date| date.to_str().ok())
                    .and_then(|date| DateTime::parse_from_rfc2822(date).ok());
                clock = clock.or(date);
                findings.push(Finding::ok(CHECK, format!("{origin} answers")));
            }
            Err(error) => findings.push(Finding::fail(
                CHECK,
                format!("{origin} is out of reach: {}", cause(&error)),
                format!(
                    "Allow https from this machine to that host (firewall, DNS, proxy), or correct {}.",
                    variables.join(", ")
                ),
            )),
        }
    }
    findings.push(match clock {
        Some(theirs) => skew(
            "clock",
            "the outside world's",
            theirs.with_timezone(&Utc) - Utc::now(),
        ),
        None => Finding::skip("clock", "no host told its time"),
    });
    findings
}

/// Log-ins tolerate a few minutes; beyond that tokens count as expired or not yet valid.
pub(super) fn skew(check: &'static str, whose: &str, difference: TimeDelta) -> Finding {
    let seconds = difference.num_seconds().abs();
    let found = format!("this machine's and {whose} differ by {seconds} s");
    let fix = "Synchronise clocks on both machines (chrony, systemd-timesyncd).";
    match seconds {
        0..=10 => Finding::ok(check, found),
        11..=120 => Finding::warn(check, found, fix),
        _ => Finding::fail(check, found, fix),
    }
}

/// The innermost cause is the telling one (refused, no such name, certificate). The URL is left out: it is told apart.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", LIMIT.as_secs());
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    if error.source().is_none() {
        "the request failed".to_owned()
    } else {
        inner.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn a_clock_is_judged_in_both_directions() {
        let judge = |seconds| skew("clock", "theirs", TimeDelta::seconds(seconds)).outcome;
        assert_eq!(judge(0), Outcome::Ok);
        assert_eq!(judge(-30), Outcome::Warn);
        assert_eq!(judge(30), Outcome::Warn);
        assert_eq!(judge(-600), Outcome::Fail);
        assert_eq!(judge(600), Outcome::Fail);
    }
}
