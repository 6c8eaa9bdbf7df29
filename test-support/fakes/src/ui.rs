//! The page for people: every calendar with forms to play the user in the external calendar.

use crate::control;
use crate::http::{Call, Reply, escape};
use crate::server::Shared;
use crate::state::Provider;
use crate::zones;
use serde_json::{Value, json};

/// `GET /` shows the page, `POST /ui/{add|edit|delete}` does what a form asks and returns to it.
pub(crate) fn answer(shared: &Shared, call: &Call) -> Reply {
    let path: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", [""]) => page(shared, call.q("problem")),
        ("POST", ["ui", action]) => match act(shared, call, action) {
            Ok(()) => Reply::redirect(303, "/"),
            Err(problem) => {
                let text: String =
                    url::form_urlencoded::byte_serialize(format!("{problem:#}").as_bytes())
                        .collect();
                Reply::redirect(303, &format!("/?problem={text}"))
            }
        },
        _ => Reply::json(404, json!({"error": "not found"})),
    }
}

fn act(shared: &Shared, call: &Call, action: &str) -> anyhow::Result<()> {
    let form = call.form();
    let field = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .unwrap_or_default()
    };
    let provider = Provider::parse(field("provider")).unwrap_or(Provider::Google);
    let calendar = field("calendar");
    let zone = shared
        .lock()
        .calendar(provider, calendar)
        .map_or_else(|| "UTC".to_owned(), |c| c.zone.clone());
    let point = |name: &str| {
        let zone = match provider {
            Provider::Google => zone.as_str(),
            Provider::Microsoft => zones::windows_name(&zone),
        };
        json!({"dateTime": format!("{}:00", field(name)), "timeZone": zone})
    };
    let title = match provider {
        Provider::Google => "summary",
        Provider::Microsoft => "subject",
    };
    let body = || json!({title: field("title"), "start": point("start"), "end": point("end")});
    match action {
        "add" => control::create_event(shared, provider, calendar, &body()).map(|_| ()),
        "edit" => {
            control::patch_event(shared, provider, calendar, field("event"), &body()).map(|_| ())
        }
        "delete" => control::delete_event(shared, provider, calendar, field("event")),
        other => Err(anyhow::anyhow!("unknown action {other}")),
    }
}

/// Wall time of a start or end in the calendar's zone, as `datetime-local` wants it.
fn local(point: &Value, zone: &str) -> String {
    use chrono::TimeZone as _;
    if let Some(date) = point["date"].as_str() {
        return format!("{date}T00:00");
    }
    let text = point["dateTime"].as_str().unwrap_or_default();
    let at = chrono::DateTime::parse_from_rfc3339(text)
        .map(|t| t.to_utc())
        .ok()
        .or_else(|| {
            let named = zones::zone(point["timeZone"].as_str()?)?;
            Some(zones::instant(zones::wall(text)?, named))
        });
    match (at, zones::zone(zone)) {
        (Some(at), Some(zone)) => zone
            .from_utc_datetime(&at.naive_utc())
            .format("%Y-%m-%dT%H:%M")
            .to_string(),
        _ => String::new(),
    }
}

fn fields(provider: &str, calendar: &str, title: &str, start: &str, end: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"provider\" value=\"{provider}\">\
         <input type=\"hidden\" name=\"calendar\" value=\"{}\">\
         <label>Title <input name=\"title\" value=\"{}\" required></label> \
         <label>Start <input type=\"datetime-local\" name=\"start\" value=\"{start}\" required></label> \
         <label>End <input type=\"datetime-local\" name=\"end\" value=\"{end}\" required></label> ",
        escape(calendar),
        escape(title)
    )
}

fn page(shared: &Shared, problem: Option<&str>) -> Reply {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Fake calendars</title><style>\
         body{font:16px system-ui;margin:2rem;max-width:70rem}section{border-top:1px solid #aaa}\
         form{margin:.4rem 0}</style></head><body><main><h1>Fake calendars</h1>\
         <p>What you do here is what the user does in the external calendar. \
         <a href=\"/\">Refresh</a> · <a href=\"/_control/log\">Request log</a></p>",
    );
    if let Some(problem) = problem {
        out += &format!("<p role=\"alert\"><strong>{}</strong></p>", escape(problem));
    }
    for provider in [Provider::Google, Provider::Microsoft] {
        let name = provider.name();
        out += &format!("<h2>{name}</h2>");
        let calendars = shared.lock().describe_calendars(provider);
        for calendar in &calendars {
            let text = |key: &str| calendar[key].as_str().unwrap_or_default();
            let (id, zone) = (text("id"), text("timeZone"));
            out += &format!(
                "<section><h3>{} — {} ({zone})</h3>",
                escape(text("account")),
                escape(text("name"))
            );
            for event in control::list_events(shared, provider, id) {
                let title = event["summary"]
                    .as_str()
                    .or_else(|| event["subject"].as_str());
                let inner = fields(
                    name,
                    id,
                    title.unwrap_or_default(),
                    &local(&event["start"], zone),
                    &local(&event["end"], zone),
                );
                out += &format!(
                    "<form method=\"post\" action=\"/ui/edit\">{inner}\
                     <input type=\"hidden\" name=\"event\" value=\"{}\"><button>Save</button> \
                     <button formaction=\"/ui/delete\" formnovalidate>Delete</button></form>",
                    escape(event["id"].as_str().unwrap_or_default())
                );
            }
            if calendar["canWrite"] == json!(true) {
                out += &format!(
                    "<form method=\"post\" action=\"/ui/add\">{}<button>Add</button></form>",
                    fields(name, id, "", "", "")
                );
            }
            out += "</section>";
        }
    }
    out += "</main></body></html>";
    Reply::html(200, out)
}
