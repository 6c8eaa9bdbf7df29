//! Microsoft profiles from outside: the whole router of the Community server, forms as a browser without script sends
//! them, a stand-in Microsoft, both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

use daybind_domain::Consumer;
use daybind_domain::ids::ProfileId;
use daybind_fakes::{FakeOptions, FakeProviders, Fault, FaultKind, MicrosoftClient};
use daybind_guards::{Answer, Call, Database, Db, Plan, SECRET, Site};
use daybind_server::{Composition, policy};
use daybind_storage::Binding;

const DIRECTORY: &str = "11111111-1111-4111-8111-111111111111";
const CLIENT: &str = "8f0f6b1c-0000-4000-8000-00000000000a";
const OTHER: &str = "8f0f6b1c-0000-4000-8000-00000000000b";
const WRONG: &str = "Wrong~client.secret_not-the-right-one-2Kx9";
const HERE: &str = "/msp/settings?tab=integrations&category=providers";

macro_rules! on_both {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                crate::$name(crate::Bench::new(daybind_guards::Database::Sqlite).await).await;
            })+
        }
        mod postgres {
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                crate::$name(crate::Bench::new(daybind_guards::Database::Postgres).await).await;
            })+
        }
    };
}

on_both! {
    /// M-19: seen, edited, archived, restored, deleted; a stale edit changes nothing and says who was first.
    a_profile_lives_from_creation_to_deletion,
    /// M-08, W63: what is bound, hidden or not, is neither archived nor deleted, and no button offers it.
    what_is_bound_stays,
    /// M-19, W37: a new secret is proven before it counts, and one click goes back; no secret is ever shown.
    a_secret_is_rolled_over_and_back,
    /// The previous secret is destroyed when its time has come.
    the_previous_secret_ends,
    /// Each failed step says cause and place; what is not known is not claimed.
    verification_says_what_and_where,
    /// Six steps, resumed, sent twice, and every pasted value checked.
    the_walkthrough_checks_what_is_pasted,
    /// Warnings at 60, 30, 14, 7 and 1 days are seen on the list and on the profile.
    an_expiry_is_announced,
}

struct Bench {
    fakes: FakeProviders,
    site: Site,
}

impl Bench {
    async fn new(database: Database) -> Self {
        let fakes = FakeProviders::start(FakeOptions {
            microsoft: MicrosoftClient {
                tenant_id: DIRECTORY.to_owned(),
                client_id: CLIENT.to_owned(),
                client_secret: SECRET.to_owned(),
            },
            ..FakeOptions::default()
        });
        let fakes = fakes.unwrap();
        let site = Site::new(Plan {
            composition: Composition::community(),
            database,
            tables: vec![policy::TABLE],
            env: fakes.env(),
            fill: None,
        })
        .await;
        Self { fakes, site }
    }

    /// Sends a form as the browser itself does, from the page `from`; where it leads.
    async fn submit(&self, path: &str, from: &str, form: &str) -> String {
        let referer = format!("http://127.0.0.1:3000{from}");
        let call = Call::form(path, form)
            .header("accept", "text/html")
            .header("referer", &referer)
            .header("origin", "http://127.0.0.1:3000")
            .cookie(&self.site.own.admin);
        let answer = self.site.send(call).await;
        assert!(answer.status.is_redirection(), "{path} {form}: {answer:?}");
        let target = answer.location();
        target
            .strip_prefix("http://127.0.0.1:3000")
            .unwrap_or(target)
            .to_owned()
    }

    async fn get(&self, path: &str) -> Answer {
        let call = Call::get(path).cookie(&self.site.own.admin);
        self.site.send(call).await
    }

    /// What the page says that the form leads to.
    async fn act(&self, id: &str, form: &str) -> String {
        let from = format!("{HERE}&profile={id}");
        let form = format!("profile_id={id}&{form}");
        let target = self
            .submit("/_fn/change_microsoft_profile", &from, &form)
            .await;
        self.get(&target).await.body
    }

    async fn build(&self, form: &str) -> (String, String) {
        let from = format!("{HERE}&profile=new&panel=1");
        let target = self
            .submit("/_fn/build_microsoft_profile", &from, form)
            .await;
        let body = self.get(&target).await.body;
        (target, body)
    }

    /// A new profile; its id.
    async fn profile(&self, name: &str, client_id: &str, secret: &str) -> String {
        let before = self.ids().await;
        let form = format!(
            "display_name={name}&client_id={client_id}&directory_id={DIRECTORY}&client_secret={secret}"
        );
        self.submit("/_fn/create_microsoft_profile", HERE, &form)
            .await;
        let after = self.ids().await;
        after.into_iter().find(|id| !before.contains(id)).unwrap()
    }

    async fn ids(&self) -> Vec<String> {
        self.column("microsoft_profiles", "profile_id").await
    }

    async fn column(&self, table: &str, column: &str) -> Vec<String> {
        self.site.db.values(&self.site.own.id, table, column).await
    }

    async fn version(&self, id: &str) -> String {
        let sql = format!(
            "SELECT CAST(version AS text) FROM microsoft_profiles WHERE tenant_id = '{}' AND profile_id = '{id}'",
            self.site.own.id
        );
        self.site.db.texts(&sql).await.remove(0)
    }

    async fn detail(&self, id: &str) -> String {
        self.get(&format!("{HERE}&profile={id}")).await.body
    }

    /// Binds a consumer behind the services' back.
    async fn plant(&self, id: &str, consumer: Consumer) {
        let tenant_id = self.site.own.id.parse().unwrap();
        let profile_id: ProfileId = id.parse().unwrap();
        let services = &self.site.state.services;
        let mut unit = services.begin(tenant_id).await.unwrap();
        let profile = unit
            .find_profile(tenant_id, profile_id)
            .await
            .unwrap()
            .unwrap();
        let row = Binding {
            tenant_id,
            consumer,
            profile_id,
            updated_by: profile.created_by,
            updated_at: services.now(),
        };
        unit.set_binding(&row).await.unwrap();
        unit.save().await.unwrap();
    }
}

/// A page as it is seen: without the marks that the browser half finds its places by.
fn seen(body: &str) -> String {
    body.replace("<!>", "")
}

fn has(body: &str, text: &str) {
    let body = seen(body);
    assert!(body.contains(text), "“{text}” is missing in {body}");
}

fn lacks(body: &str, text: &str) {
    let body = seen(body);
    assert!(!body.contains(text), "“{text}” stands in {body}");
}

async fn a_profile_lives_from_creation_to_deletion(b: Bench) {
    let id = b.profile("Main%20app", CLIENT, SECRET).await;
    let page = b.detail(&id).await;
    has(&page, "<h1>Main app</h1>");
    has(&page, CLIENT);
    has(&page, "Added by");
    has(&page, "/api/auth/callback/azure-ad");
    has(&page, "Nothing is missing.");
    let edit = |name: &str, version: &str| {
        format!(
            "act=update&version={version}&display_name={name}&client_id={OTHER}&directory_id={DIRECTORY}&secret_expires_on=2027-06-30"
        )
    };
    let said = b.act(&id, &edit("Renamed", "1")).await;
    has(&said, "The changes are saved.");
    has(&said, "<h1>Renamed</h1>");
    has(&said, OTHER);
    // The same page, sent again from a second window that still shows version 1.
    let stale = b.act(&id, &edit("Mine", "1")).await;
    has(&stale, "changed this profile on");
    has(&stale, "You typed: Mine.");
    has(&stale, "<h1>Renamed</h1>");
    let wrong = b
        .act(
            &id,
            "act=update&version=2&display_name=&client_id=abc&directory_id=common",
        )
        .await;
    has(&wrong, "Some fields need another look.");
    has(&wrong, "name no single directory");
    assert_eq!(b.version(&id).await, "2");
    let twin = b.profile("Twin", OTHER, SECRET).await;
    has(
        &b.detail(&twin).await,
        "Another profile has the same Application (client) ID",
    );
    has(&b.act(&id, "act=update&version=2&display_name=twin&client_id=8f0f6b1c-0000-4000-8000-00000000000b&directory_id=11111111-1111-4111-8111-111111111111").await, "Another active profile has this name");
    let archived = b.act(&id, "act=archive&version=2").await;
    has(&archived, "The profile is archived.");
    has(&archived, "Restore profile");
    lacks(&archived, "Save changes");
    has(
        &b.act(&id, "act=restore&version=3").await,
        "The profile is active again.",
    );
    has(
        &b.act(&id, "act=delete&version=4&confirm_name=renamed")
            .await,
        "Type the profile's name exactly",
    );
    has(
        &b.act(&id, "act=delete&version=1&confirm_name=Renamed")
            .await,
        "Reload",
    );
    assert!(b.ids().await.contains(&id));
    has(
        &b.act(&id, "act=delete&version=4&confirm_name=Renamed")
            .await,
        "The profile is deleted",
    );
    assert!(!b.ids().await.contains(&id));
    assert_eq!(
        b.get(&format!("{HERE}&profile={id}")).await.status.as_u16(),
        404
    );
    let actions = b.column("audit_log", "action").await;
    for action in [
        "profile.created",
        "profile.updated",
        "profile.archived",
        "profile.restored",
        "profile.deleted",
    ] {
        assert!(
            actions.iter().any(|known| known == action),
            "{action} in {actions:?}"
        );
    }
    lacks(&b.site.heard(), SECRET);
}

async fn what_is_bound_stays(b: Bench) {
    for (consumer, reason) in [
        (Consumer::MspSso, "It is in use by MSP SSO."),
        (Consumer::Calendar, "also in use by an Enterprise feature"),
    ] {
        let id = b.profile(consumer.as_str(), CLIENT, SECRET).await;
        b.plant(&id, consumer).await;
        let page = b.detail(&id).await;
        has(&page, reason);
        lacks(&page, "Archive profile");
        lacks(&page, "Delete profile");
        let version = b.version(&id).await;
        has(
            &b.act(&id, &format!("act=archive&version={version}")).await,
            "cannot be archived",
        );
        let delete = format!(
            "act=delete&version={version}&confirm_name={}",
            consumer.as_str()
        );
        has(&b.act(&id, &delete).await, "cannot be deleted");
        assert!(b.ids().await.contains(&id));
        assert_eq!(b.version(&id).await, version);
    }
}

async fn a_secret_is_rolled_over_and_back(b: Bench) {
    let id = b.profile("Rollover", CLIENT, WRONG).await;
    // The Secret ID, and a value Microsoft does not know: nothing is stored.
    has(
        &b.act(&id, &format!("act=stage&client_secret={CLIENT}"))
            .await,
        "looks like the Secret ID",
    );
    let refused = b
        .act(
            &id,
            "act=stage&client_secret=Another~wrong.value_1234567890",
        )
        .await;
    has(
        &refused,
        "Often the Secret ID was pasted instead of the Value.",
    );
    assert!(
        b.column("microsoft_profile_secrets", "slot")
            .await
            .is_empty()
    );
    // The right one waits; nothing has changed for any service.
    let stage = format!("act=stage&client_secret={SECRET}&secret_expires_on=2030-01-31");
    let staged = b.act(&id, &stage).await;
    has(&staged, "New secret, not in use yet");
    has(&staged, "Microsoft accepted it on");
    assert_eq!(b.version(&id).await, "1");
    has(
        &b.act(&id, "act=verify").await,
        "The client secret is wrong.",
    );
    let switched = b.act(&id, "act=switch&version=1&overlap_hours=24").await;
    has(&switched, "Go back to the previous secret");
    has(&switched, "It is destroyed on");
    has(&b.act(&id, "act=verify").await, "Microsoft issued a token");
    let back = b.act(&id, "act=switch_back&version=2").await;
    has(&back, "The previous secret is in use again.");
    has(&back, "New secret, not in use yet");
    has(
        &b.act(&id, "act=verify").await,
        "The client secret is wrong.",
    );
    // What was in use waits again, proven, and can be switched to again.
    has(
        &b.act(&id, "act=switch&version=3&overlap_hours=1").await,
        "Go back to the previous secret",
    );
    has(
        &b.act(&id, "act=discard&which=previous").await,
        "The secret is destroyed.",
    );
    has(
        &b.act(&id, "act=switch_back&version=4").await,
        "The previous secret has been destroyed.",
    );
    // W37: one place for each value, each sealed for itself.
    let sealed = b.column("microsoft_profiles", "client_secret_sealed").await;
    assert!(sealed.iter().all(|value| !value.contains(SECRET)));
    let heard = b.site.heard();
    lacks(&heard, SECRET);
    lacks(&heard, WRONG);
}

async fn the_previous_secret_ends(b: Bench) {
    let id = b.profile("Overlap", CLIENT, WRONG).await;
    b.act(&id, &format!("act=stage&client_secret={SECRET}"))
        .await;
    b.act(&id, "act=switch&version=1&overlap_hours=1").await;
    let earlier = match b.site.db {
        Db::Sqlite(_) => "destroy_at - 3600000000",
        Db::Postgres(_) => "destroy_at - interval '1 hour'",
    };
    b.site
        .db
        .texts(&format!(
            "UPDATE microsoft_profile_secrets SET destroy_at = {earlier} WHERE slot = 'previous'"
        ))
        .await;
    // The job may be late; the promise is not.
    has(
        &b.act(&id, "act=switch_back&version=2").await,
        "The previous secret has been destroyed.",
    );
    lacks(&b.detail(&id).await, "Go back to the previous secret");
    let services = &b.site.state.services;
    let job = daybind_storage::ClaimedJob {
        tenant_id: b.site.own.id.parse().unwrap(),
        job_id: services.new_id().into(),
        kind: daybind_services::profiles::secrets::DESTROY.to_owned(),
        key: id.clone(),
        payload: serde_json::Value::Null,
        attempt: 1,
        max_attempts: 20,
        lease_token: services.new_id(),
        poked: 0,
    };
    let end = daybind_services::upkeep::run(services, &job).await;
    assert!(
        matches!(end, Some(daybind_storage::FinishJob::Done)),
        "{end:?}"
    );
    assert!(
        b.column("microsoft_profile_secrets", "slot")
            .await
            .is_empty()
    );
    let actions = b.column("audit_log", "action").await;
    assert!(
        actions
            .iter()
            .any(|action| action == "profile.secret_destroyed")
    );
}

async fn verification_says_what_and_where(b: Bench) {
    let id = b.profile("Verify", CLIENT, WRONG).await;
    has(
        &b.detail(&id).await,
        "Nobody has tested this with the current ids and secret.",
    );
    let wrong = b.act(&id, "act=verify").await;
    has(&wrong, "Microsoft knows this directory");
    has(&wrong, "The client secret is wrong.");
    has(&wrong, "Certificates &amp; secrets");
    has(&wrong, "AADSTS7000215");
    has(&wrong, "Correlation ID");
    let good = b.profile("Good", CLIENT, SECRET).await;
    let proven = b.act(&good, "act=verify").await;
    has(&proven, "Microsoft issued a token");
    has(&proven, "Test sign-in for MSP SSO");
    // Microsoft is away: what was known stays known, with the time of the vain attempt.
    b.fakes.arm(Fault::new(
        "microsoft.*",
        20,
        FaultKind::Status {
            status: 503,
            retry_after: None,
            reason: None,
        },
    ));
    has(
        &b.act(&good, "act=verify").await,
        "this is the last known result",
    );
    let fresh = b.profile("Fresh", OTHER, SECRET).await;
    has(&b.act(&fresh, "act=verify").await, "so nothing is known");
    // Other ids: what was proven about the old ones says nothing about them.
    let edit = format!(
        "act=update&version=1&display_name=Good&client_id={OTHER}&directory_id={DIRECTORY}"
    );
    lacks(&b.act(&good, &edit).await, "Microsoft issued a token");
    let told = b
        .get(&format!(
            "{HERE}&profile={good}&panel=verify&number=AADSTS50011"
        ))
        .await;
    has(&told.body, "The redirect URI is not registered.");
    let odd = b
        .get(&format!(
            "{HERE}&profile={good}&panel=verify&number=%3Cscript%3E"
        ))
        .await;
    has(&odd.body, "Enter the number from Microsoft");
    lacks(&odd.body, "<script>\"");
}

async fn the_walkthrough_checks_what_is_pasted(b: Bench) {
    // A step that the answers do not lead to is not opened.
    let far = b.get(&format!("{HERE}&profile=new&panel=6")).await.body;
    has(&far, "New profile: Register the app");
    has(&b.build("act=choose").await.1, "Choose at least one use.");
    let (target, _) = b.build("act=choose&consumers%5B%5D=msp_sso").await;
    assert!(target.ends_with("panel=2"), "{target}");
    // Community has no other use to choose.
    has(
        &b.build("act=choose&consumers%5B%5D=calendar").await.1,
        "Choose at least one use.",
    );
    let (target, uris) = b.build("act=name&display_name=Walked").await;
    assert!(target.ends_with("panel=3"), "{target}");
    has(&uris, "http://127.0.0.1:3000/api/auth/callback/azure-ad");
    has(
        &b.build("act=uris").await.1,
        "What you have ticked is saved.",
    );
    let entered =
        "act=uris&entered%5B%5D=http%3A%2F%2F127.0.0.1%3A3000%2Fapi%2Fauth%2Fcallback%2Fazure-ad";
    assert!(b.build(entered).await.0.ends_with("panel=4"));
    // The same id twice, a directory Microsoft does not know, then the block from Overview.
    has(
        &b.build(&format!("act=ids&client_id={CLIENT}&directory_id={CLIENT}"))
            .await
            .1,
        "Both fields hold the same id.",
    );
    has(
        &b.build("act=ids&overview=nothing").await.1,
        "No ids were found in it.",
    );
    let (_, unknown) = b
        .build(&format!(
            "act=ids&client_id={CLIENT}&directory_id=99999999-9999-4999-8999-999999999999"
        ))
        .await;
    has(&unknown, "There is no");
    let block = format!(
        "act=ids&overview=Display%20name%0AWalked%0AApplication%20(client)%20ID%0A{CLIENT}%0AObject%20ID%0A{OTHER}%0ADirectory%20(tenant)%20ID%0A{DIRECTORY}"
    );
    let (target, secret) = b.build(&block).await;
    assert!(target.ends_with("panel=5"), "{target}");
    has(&secret, "Microsoft knows the directory");
    // Another day: it goes on where it was.
    has(
        &b.get(&format!("{HERE}&profile=new&panel=next")).await.body,
        "New profile: Client secret",
    );
    has(
        &b.build(&format!("act=secret&client_secret={OTHER}"))
            .await
            .1,
        "looks like the Secret ID",
    );
    let bound = b.column("microsoft_profile_consumer_bindings", "profile_id");
    let bound = bound.await;
    let before = b.ids().await.len();
    let send = format!("act=secret&client_secret={SECRET}&secret_expires_on=2030-01-31");
    let (target, done) = b.build(&send).await;
    assert!(target.ends_with("panel=6"), "{target}");
    has(&done, "Review and use it for MSP SSO");
    b.build(&send).await;
    assert_eq!(b.ids().await.len(), before + 1, "sent twice, made once");
    let after = b.column("microsoft_profile_consumer_bindings", "profile_id");
    assert_eq!(
        bound,
        after.await,
        "the walkthrough binds nothing by itself"
    );
    assert_eq!(b.build("act=close").await.0, HERE);
    assert!(
        b.column("microsoft_profile_drafts", "user_id")
            .await
            .is_empty()
    );
    lacks(&b.site.heard(), SECRET);
}

async fn an_expiry_is_announced(b: Bench) {
    let id = b.profile("Expiring", CLIENT, SECRET).await;
    let today = b.site.state.services.now().date_naive();
    for (version, days, words) in [
        (1, 90, "Expires in 90 days"),
        (2, 60, "Expires in 60 days"),
        (3, 7, "Expires in 7 days"),
        (4, 1, "Expires tomorrow"),
        (5, -1, "Expired yesterday"),
    ] {
        let day = today + chrono::TimeDelta::days(days);
        let page = b
            .act(&id, &format!("act=update&version={version}&display_name=Expiring&client_id={CLIENT}&directory_id={DIRECTORY}&secret_expires_on={day}"))
            .await;
        has(&page, words);
        assert_eq!(page.contains("needs a successor"), days <= 60, "{days}");
        has(&b.get(HERE).await.body, words);
    }
}
