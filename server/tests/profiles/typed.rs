//! What was typed into a form that is refused, in a browser that sends forms itself.

use daybind_guards::{Call, SECRET};

use crate::bench::{Bench, CLIENT, HERE, OTHER, has, lacks};

const CHANGE: &str = "/_fn/change_microsoft_profile";
const BUILD: &str = "/_fn/build_microsoft_profile";
const TYPED: &str = "Typed~secret-that.is_refused";

pub async fn a_refused_form_keeps_what_was_typed(b: Bench) {
    let id = b.profile("Main", CLIENT, SECRET).await;
    let page = format!("{HERE}&profile={id}");
    let before = b.site.db.rows(&b.site.own.id).await;
    let form = format!(
        "act=update&profile_id={id}&version=1&display_name=Half+%22done%22&client_id=not-a-guid&directory_id=common&secret_expires_on=2027-02-03"
    );
    let shown = b.refused(CHANGE, &page, &form).await;
    has(&shown, "Some fields need another look.");
    has(&shown, "value=\"Half &quot;done&quot;\"");
    has(&shown, "value=\"not-a-guid\"");
    has(&shown, "value=\"common\"");
    has(&shown, "value=\"2027-02-03\"");
    has(&shown, ">Main</h1>");
    assert_eq!(
        before,
        b.site.db.rows(&b.site.own.id).await,
        "nothing stored"
    );
    // The same address read again (reloaded without the form, or shared) shows what is stored.
    let target = b.submit(CHANGE, &page, &form).await;
    let read = b.get(&target).await.body;
    has(&read, "Some fields need another look.");
    lacks(&read, "not-a-guid");
    // A secret is not shown again; its date is.
    let form = format!(
        "act=stage&profile_id={id}&client_secret={TYPED}%20with%20blanks&secret_expires_on=2027-04-05"
    );
    let shown = b
        .refused(CHANGE, &format!("{page}&panel=rotate"), &form)
        .await;
    has(&shown, "value=\"2027-04-05\"");
    lacks(&shown, TYPED);
    // The list's own form, whose page is alive in the browser, too.
    let form = format!(
        "display_name=Second&client_id=wrong&directory_id=contoso.example&client_secret={TYPED}"
    );
    let shown = b
        .refused(
            "/_fn/create_microsoft_profile",
            &format!("{HERE}&profile=new"),
            &form,
        )
        .await;
    has(&shown, "value=\"Second\"");
    has(&shown, "value=\"wrong\"");
    has(&shown, "value=\"contoso.example\"");
    lacks(&shown, TYPED);
    assert_eq!(
        before,
        b.site.db.rows(&b.site.own.id).await,
        "nothing stored"
    );
}

pub async fn a_stale_form_shows_what_is_stored(b: Bench) {
    let id = b.profile("Main", CLIENT, SECRET).await;
    let page = format!("{HERE}&profile={id}");
    let edit = |name: &str, client: &str| {
        format!(
            "act=update&profile_id={id}&version=1&display_name={name}&client_id={client}&directory_id=contoso.example"
        )
    };
    b.submit(CHANGE, &page, &edit("Main", OTHER)).await;
    // Sent again as it was, this form would take the other one's id back.
    let shown = b.refused(CHANGE, &page, &edit("Mine", CLIENT)).await;
    has(&shown, "You typed: Mine.");
    has(&shown, "value=\"Main\"");
    has(&shown, &format!("value=\"{OTHER}\""));
    lacks(&shown, &format!("value=\"{CLIENT}\""));
}

pub async fn a_refused_step_keeps_what_was_typed(b: Bench) {
    let step = |number: u8| format!("{HERE}&profile=new&panel={number}");
    b.submit(BUILD, &step(1), "act=choose&consumers%5B%5D=msp_sso")
        .await;
    b.submit(BUILD, &step(2), "act=name&display_name=Walked")
        .await;
    let uri = "http%3A%2F%2F127.0.0.1%3A3000%2Fapi%2Fauth%2Fcallback%2Fazure-ad";
    b.submit(BUILD, &step(3), &format!("act=uris&entered%5B%5D={uri}"))
        .await;
    let form = format!(
        "act=ids&overview=Directory+%28tenant%29+ID%0Anonsense+%3C%2Ftextarea%3E&client_id={OTHER}&directory_id=organizations"
    );
    let shown = b.refused(BUILD, &step(4), &form).await;
    has(&shown, "nonsense &lt;/textarea&gt;");
    has(&shown, &format!("value=\"{OTHER}\""));
    has(&shown, "value=\"organizations\"");
    // Boxes: what was ticked is ticked, and what was not is not, whatever an earlier answer said.
    let shown = b
        .refused(BUILD, &step(1), "act=choose&consumers%5B%5D=nonsense")
        .await;
    lacks(&shown, "value=\"msp_sso\" checked");
}

pub async fn a_refused_entry_keeps_what_was_typed(b: Bench) {
    let people = b.column("users", "user_id").await;
    let form = format!(
        "entry_id=&version=0&title=&start=2026-11-02T10%3A00&end=2026-11-02T09%3A00&location=Room+7&notes=line+%3Cb%3E&shows=free&private=true&assignees%5B%5D={}",
        people[1]
    );
    let shown = b
        .refused("/_fn/save_schedule_entry", "/msp/schedule?entry=new", &form)
        .await;
    has(&shown, "value=\"Room 7\"");
    has(&shown, "line &lt;b&gt;");
    has(&shown, "value=\"2026-11-02T09:00\"");
    has(&shown, "value=\"free\" selected");
    has(&shown, "name=\"private\" value=\"true\" checked");
    has(&shown, &format!("value=\"{}\" checked", people[1]));
    lacks(&shown, &format!("value=\"{}\" checked", people[0]));
}

pub async fn a_page_posted_to_is_only_read(b: Bench) {
    let before = b.site.db.rows(&b.site.own.id).await;
    let writes = b.site.writes.get();
    let form = format!("display_name=Kept&client_secret={TYPED}");
    let call =
        || Call::form(&format!("{HERE}&__path=x&__err=x"), &form).header("accept", "text/html");
    let out = b.site.send(call()).await;
    assert_eq!(out.status.as_u16(), 303, "{out:?}");
    assert!(out.location().starts_with("/auth/msp/signin"), "{out:?}");
    let client = b.site.send(call().cookie(&b.site.own.client)).await;
    assert_eq!(client.status.as_u16(), 404, "{client:?}");
    let forged = call()
        .header("sec-fetch-site", "cross-site")
        .cookie(&b.site.own.admin);
    let forged = b.site.send(forged).await;
    assert_eq!(forged.status.as_u16(), 403, "{forged:?}");
    // No failure that belongs to a form of the page: it shows what it shows when read.
    let shown = b.site.send(call().cookie(&b.site.own.admin)).await;
    assert_eq!(shown.status.as_u16(), 200, "{shown:?}");
    lacks(&shown.body, "Kept");
    lacks(&shown.body, TYPED);
    assert_eq!(writes, b.site.writes.get());
    assert_eq!(before, b.site.db.rows(&b.site.own.id).await);
}
