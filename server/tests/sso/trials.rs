//! Test sign-ins of a Microsoft profile: what they prove, what they keep, and that nothing else can be made of them.

use daybind_fakes::{Fault, FaultKind};
use daybind_guards::{Call, Db, SECRET, email, sign_in};
use serde_json::json;

use crate::bench::{Back, Bench, CLIENT, DIRECTORY, FIRST, page, session};

const PROVIDERS: &str = "/msp/settings?tab=integrations&category=providers";
const WORKED: &str = "A real sign-in came back to this redirect URI";
const WAITS: &str = "The sign-in was started and has not come back.";
const AGAIN: &str = "and has not come back.";
/// Whatever a sign-in could leave behind.
const KEPT: [(&str, &str); 5] = [
    ("sessions", "session_id"),
    ("user_identities", "object_id"),
    ("identity_requests", "object_id"),
    ("microsoft_profile_consumer_bindings", "profile_id"),
    ("oauth_flows", "flow_id"),
];

impl Bench {
    async fn profile(&self) -> String {
        self.rows(&self.site.own, "microsoft_profiles", "profile_id")
            .await
            .remove(0)
    }

    /// Sends the form of the verify panel; what is answered.
    async fn begin_test(&self, cookie: &str, form: &str) -> daybind_guards::Answer {
        let call = Call::form("/_fn/change_microsoft_profile", form)
            .header("accept", "text/html")
            .header("origin", "http://127.0.0.1:3000")
            .header("referer", &format!("http://127.0.0.1:3000{PROVIDERS}"))
            .cookie(cookie);
        self.site.send(call).await
    }

    /// Sets out as the administrator; the address at Microsoft.
    async fn set_out(&self, profile: &str) -> String {
        let form = format!("act=test_sign_in&which=msp_sso&profile_id={profile}");
        let answer = self.begin_test(&self.site.own.admin, &form).await;
        assert_eq!(answer.status.as_u16(), 302, "{answer:?}");
        answer.location().to_owned()
    }

    /// Sets out, and says yes at Microsoft.
    async fn test(&self, profile: &str) -> Back {
        let url = self.set_out(profile).await;
        self.consent(&format!("{url}&login_hint={FIRST}"), String::new())
            .await
    }

    async fn verify_page(&self, profile: &str) -> String {
        let path = format!("{PROVIDERS}&profile={profile}&panel=verify");
        let call = Call::get(&path).cookie(&self.site.own.admin);
        self.site.send(call).await.body.replace("<!>", "")
    }

    async fn kept(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for (table, column) in KEPT {
            let mut rows = self.rows(&self.site.own, table, column).await;
            rows.sort();
            all.push(rows);
        }
        all
    }
}

pub async fn a_test_proves_and_keeps_nothing_else(bench: Bench) {
    let (profile, admin) = (bench.profile().await, bench.site.own.admin.clone());
    let before = bench.kept().await;
    assert!(
        bench
            .verify_page(&profile)
            .await
            .contains("Nobody has tested this")
    );
    let url = url::Url::parse(&bench.set_out(&profile).await).unwrap();
    let query: std::collections::BTreeMap<String, String> =
        url.query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["nonce"].len(), 43);
    assert_eq!(query["scope"], "openid profile email");
    assert!(
        query["redirect_uri"].ends_with("/api/auth/callback/azure-ad"),
        "{url}"
    );
    assert!(bench.verify_page(&profile).await.contains(WAITS));
    let back = bench.test(&profile).await;
    let answer = bench.answer(&back, &admin).await;
    assert_eq!(
        answer.location(),
        format!("{PROVIDERS}&profile={profile}&panel=verify&saved=sign_in_tested")
    );
    assert_eq!(session(&answer), "", "nobody is signed in");
    let told = bench.verify_page(&profile).await;
    assert!(told.contains(WORKED) && !told.contains(AGAIN), "{told}");
    // Another one that does not come back takes nothing away from what is known.
    let abandoned = bench.test(&profile).await;
    let told = bench.verify_page(&profile).await;
    assert!(told.contains(WORKED) && told.contains(AGAIN), "{told}");
    bench.arrive(&abandoned, &admin).await;
    let told = bench.verify_page(&profile).await;
    assert!(told.contains(WORKED) && !told.contains(AGAIN), "{told}");
    // The state is used up; a second answer changes nothing.
    assert_eq!(bench.arrive(&back, &admin).await, page("already_used"));
    assert!(bench.verify_page(&profile).await.contains(WORKED));
    bench.sql("DELETE FROM oauth_flows").await;
    assert_eq!(bench.kept().await, before, "{KEPT:?}");
    let actions = bench.rows(&bench.site.own, "audit_log", "action").await;
    for action in ["profile.sign_in_test_begun", "profile.sign_in_tested"] {
        assert!(actions.iter().any(|known| known == action), "{actions:?}");
    }
    // Another secret: what was proven with the old one says nothing about it.
    bench
        .sql(match bench.site.db {
            Db::Sqlite(_) => "UPDATE microsoft_profiles SET secret_added_at = secret_added_at + 1",
            Db::Postgres(_) => {
                "UPDATE microsoft_profiles SET secret_added_at = secret_added_at + interval '1 second'"
            }
        })
        .await;
    assert!(!bench.verify_page(&profile).await.contains(WORKED));
}

pub async fn a_test_is_no_sign_in(bench: Bench) {
    let (profile, own) = (bench.profile().await, &bench.site.own);
    // The tester's own account is one that could sign in.
    let linked = bench.connect(&own.admin, FIRST).await;
    assert_eq!(bench.arrive(&linked, &own.admin).await, page("connected"));
    let again = sign_in(&bench.site.router, &email("admin", "own")).await;
    let before = bench.tokens();
    for (who, cookie) in [
        ("signed out", ""),
        ("a colleague", own.technician.as_str()),
        ("a client-portal user", own.client.as_str()),
        ("another MSP", bench.site.foreign.admin.as_str()),
        ("another session", again.as_str()),
    ] {
        let back = bench.test(&profile).await;
        let answer = bench.answer(&back, cookie).await;
        assert_eq!(answer.location(), page("wrong_person"), "{who}");
        assert_eq!(session(&answer), "", "{who}");
        assert_eq!(bench.arrive(&back, &own.admin).await, page("already_used"));
    }
    assert_eq!(bench.tokens(), before, "no token request");
    assert!(bench.verify_page(&profile).await.contains(WAITS));
    // And a sign-in is no test: it signs in, and the test still waits.
    let back = bench.sign_in(FIRST).await;
    let answer = bench.answer(&back, &own.admin).await;
    assert_ne!(session(&answer), "");
    let outcomes = bench.rows(own, "microsoft_profile_checks", "outcome").await;
    assert_eq!(outcomes, ["waiting"]);
}

pub async fn a_test_that_fails_says_why(bench: Bench) {
    let (profile, admin) = (bench.profile().await, bench.site.own.admin.clone());
    // What Microsoft says instead of a code.
    for (said, words) in [
        (
            "error=access_denied&error_description=AADSTS65004%3A+declined",
            "The person declined the request.",
        ),
        (
            "error=consent_required&error_description=AADSTS90094%3A+x",
            "Consent is missing",
        ),
        ("error=server_error", "so nothing is known"),
        (
            "error=%3Cscript%3Ealert&error_description=%3Cscript%3Ealert",
            "Microsoft refused the request.",
        ),
        ("code=made-up", "Microsoft did not accept the answer"),
    ] {
        let url = url::Url::parse(&bench.set_out(&profile).await).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state");
        let back = Back {
            path: format!(
                "/api/auth/callback/azure-ad?{said}&state={}",
                state.unwrap().1
            ),
            cookie: String::new(),
        };
        assert!(bench.arrive(&back, &admin).await.starts_with(PROVIDERS));
        let told = bench.verify_page(&profile).await;
        assert!(told.contains(words), "{said}: {told}");
        assert!(!told.contains("<script>alert"), "{told}");
    }
    // Another issuer (RFC 9207).
    let mut back = bench.test(&profile).await;
    back.path.push_str("&iss=https%3A%2F%2Fevil.example");
    bench.arrive(&back, &admin).await;
    let told = bench.verify_page(&profile).await;
    assert!(told.contains("was not made by the profile"), "{told}");
    // Too late.
    let back = bench.test(&profile).await;
    bench
        .sql(match bench.site.db {
            Db::Sqlite(_) => "UPDATE oauth_flows SET expires_at = expires_at - 601000000",
            Db::Postgres(_) => {
                "UPDATE oauth_flows SET expires_at = expires_at - interval '601 seconds'"
            }
        })
        .await;
    bench.arrive(&back, &admin).await;
    let told = bench.verify_page(&profile).await;
    assert!(told.contains("more than ten minutes"), "{told}");
    // Microsoft's token endpoint is away.
    let back = bench.test(&profile).await;
    bench.fakes.arm(Fault::new(
        "microsoft.token",
        5,
        FaultKind::Status {
            status: 503,
            retry_after: None,
            reason: None,
        },
    ));
    bench.arrive(&back, &admin).await;
    bench.fakes.clear_faults();
    let told = bench.verify_page(&profile).await;
    assert!(told.contains("so nothing is known"), "{told}");
    // The profile is changed while the browser is away.
    let back = bench.test(&profile).await;
    bench
        .sql("UPDATE microsoft_profiles SET version = version + 1")
        .await;
    bench.arrive(&back, &admin).await;
    let told = bench.verify_page(&profile).await;
    assert!(
        told.contains("was changed while the sign-in was under way"),
        "{told}"
    );
    // And then it works.
    let back = bench.test(&profile).await;
    bench.arrive(&back, &admin).await;
    assert!(bench.verify_page(&profile).await.contains(WORKED));
}

/// An ID token is believed by a test exactly when a sign-in believes it.
pub async fn a_test_believes_no_faulty_token(bench: Bench) {
    const NOT_OURS: &str = "was not made by the profile";
    let (profile, admin) = (bench.profile().await, bench.site.own.admin.clone());
    let before = bench.kept().await;
    for (claims, words) in [
        (json!({ "nonce": "another" }), NOT_OURS),
        (json!({ "nonce": null }), NOT_OURS),
        (
            json!({ "aud": "99999999-9999-4999-8999-999999999999" }),
            NOT_OURS,
        ),
        (json!({ "iss": "https://login.example/v2.0" }), NOT_OURS),
        (json!({ "exp": 1 }), NOT_OURS),
        (json!({ "nbf": 32_503_680_000_i64 }), NOT_OURS),
        (json!({ "oid": null }), NOT_OURS),
        (
            json!({ "tid": "99999999-9999-4999-8999-999999999999" }),
            "belongs to another directory",
        ),
        (
            json!({ "tid": "9188040d-6c67-4c5b-b112-36a304b66dad" }),
            "A personal Microsoft account signed in",
        ),
    ] {
        bench.fakes.set_claims(claims.clone());
        let back = bench.test(&profile).await;
        let answer = bench.answer(&back, &admin).await;
        assert_eq!(session(&answer), "", "{claims}");
        let told = bench.verify_page(&profile).await;
        assert!(told.contains(words), "{claims}: {told}");
        assert!(!told.contains(WORKED), "{claims}");
    }
    bench.fakes.set_claims(json!({}));
    bench.sql("DELETE FROM oauth_flows").await;
    assert_eq!(bench.kept().await, before, "{KEPT:?}");
}

pub async fn a_test_is_begun_by_administrators_for_what_is_there(bench: Bench) {
    let (profile, own) = (bench.profile().await, &bench.site.own);
    let before = bench.kept().await;
    let form = |consumer: &str| format!("act=test_sign_in&which={consumer}&profile_id={profile}");
    for (cookie, form) in [
        (own.technician.as_str(), form("msp_sso")),
        (own.client.as_str(), form("msp_sso")),
        (bench.site.foreign.admin.as_str(), form("msp_sso")),
        ("", form("msp_sso")),
        (own.admin.as_str(), form("calendar")),
        (own.admin.as_str(), form("email")),
        (own.admin.as_str(), form("")),
        (own.admin.as_str(), form("msp_sso%00")),
    ] {
        let answer = bench.begin_test(cookie, &form).await;
        assert!(
            !answer.location().contains("/oauth2/"),
            "{form}: {answer:?}"
        );
    }
    // An archived profile, and one that waits for its secret.
    let other = {
        let create = bench.site.endpoint("/_fn/create_microsoft_profile");
        let fields = format!(
            "display_name=Archived&client_id={CLIENT}&directory_id={DIRECTORY}&client_secret={SECRET}"
        );
        let known = bench.rows(own, "microsoft_profiles", "profile_id").await;
        daybind_guards::made(&bench.site, bench.site.call(&create, &fields), own).await;
        let all = bench.rows(own, "microsoft_profiles", "profile_id").await;
        all.into_iter().find(|id| !known.contains(id)).unwrap()
    };
    for change in ["client_secret_sealed = NULL", "archived_at = created_at"] {
        bench
            .sql(&format!(
                "UPDATE microsoft_profiles SET {change} WHERE profile_id = '{other}'"
            ))
            .await;
        let form = format!("act=test_sign_in&which=msp_sso&profile_id={other}");
        let answer = bench.begin_test(&own.admin, &form).await;
        assert!(!answer.location().contains("/oauth2/"), "{answer:?}");
        let page = bench.verify_page(&other).await;
        assert!(!page.contains("value=\"test_sign_in\""), "{page}");
    }
    assert!(
        bench
            .verify_page(&profile)
            .await
            .contains("value=\"test_sign_in\"")
    );
    assert_eq!(bench.kept().await, before, "{KEPT:?}");
}
