//! Who is let in, by kind of person.

use daybind_domain::user::{Role, UserType, allows};
use daybind_server::policy::{Access, Endpoint, Kind};

use crate::call::Answer;
use crate::seed::Tenant;
use crate::site::Site;

fn rights(access: Access, user_type: UserType, role: Role) -> bool {
    match access {
        Access::Everyone => true,
        Access::Staff => user_type == UserType::Internal,
        Access::May(permission) => allows(user_type, role, permission),
    }
}

async fn ask(
    site: &Site,
    endpoint: &Endpoint,
    tenant: &Tenant,
    cookie: &str,
    nth: usize,
) -> Answer {
    let call = site.example(endpoint, tenant, nth).await;
    site.send(call.cookie(cookie)).await
}

fn is(answer: &Answer, endpoint: &Endpoint, status: u16, who: &str) {
    assert_eq!(
        answer.status.as_u16(),
        status,
        "{who} at {:?} {}: {answer:?}",
        endpoint.kind,
        endpoint.path
    );
}

/// M-05: a client-portal user gets 403 from every action and 404 from every page, whether or not the ids in it exist,
/// and changes nothing; without a session every action answers 401 and every page leads to sign-in.
pub async fn only_staff_is_let_in(site: &Site) {
    let before = site.db.rows(&site.own.id).await;
    let mut actions = 0;
    for endpoint in site
        .endpoints
        .iter()
        .filter(|e| e.access != Access::Everyone)
    {
        let out = ask(site, endpoint, &site.own, "", 0).await;
        let client = ask(site, endpoint, &site.own, &site.own.client, 0).await;
        let client_elsewhere = ask(site, endpoint, &site.foreign, &site.own.client, 0).await;
        if matches!(endpoint.kind, Kind::Page | Kind::Again | Kind::Callback) {
            is(&out, endpoint, 303, "signed out");
            assert!(out.location().starts_with("/auth/msp/signin"), "{out:?}");
            is(&client, endpoint, 404, "a client-portal user");
        } else if endpoint.kind == Kind::Stream {
            for (who, refused) in [("signed out", &out), ("a client-portal user", &client)] {
                is(refused, endpoint, 200, who);
                assert_eq!(refused.body, "data: over\n\n", "{who}");
            }
        } else {
            actions += 1;
            is(&out, endpoint, 401, "signed out");
            // What Community does not offer is refused to everybody in the same words.
            let status = if site.refuses(endpoint) { 501 } else { 403 };
            is(&client, endpoint, status, "a client-portal user");
        }
        assert_eq!(
            client.comparable(),
            client_elsewhere.comparable(),
            "a refusal tells nothing about what exists"
        );
    }
    assert!(actions >= 10, "{actions} actions tried");
    assert_eq!(before, site.db.rows(&site.own.id).await, "nothing changed");
}

/// M-05: every person of the MSP is let in where the policy table says so, and nowhere else.
pub async fn permissions_are_as_declared(site: &Site) {
    for (n, endpoint) in site.endpoints.iter().enumerate() {
        if matches!(endpoint.access, Access::Everyone) {
            continue;
        }
        for (who, cookie, role) in [
            ("a technician", &site.own.technician, Role::Technician),
            ("an administrator", &site.own.admin, Role::Admin),
        ] {
            let answer = ask(site, endpoint, &site.own, cookie, n).await;
            if site.refuses(endpoint) {
                is(&answer, endpoint, 501, who);
            } else if rights(endpoint.access, UserType::Internal, role) {
                assert!(
                    !matches!(answer.status.as_u16(), 401 | 403)
                        && !answer.location().starts_with("/auth/msp/signin"),
                    "{who} may call {}: {answer:?}",
                    endpoint.path
                );
                assert!(
                    !matches!(endpoint.kind, Kind::Page | Kind::Again)
                        || answer.status.as_u16() < 400,
                    "{who} may see {}: {answer:?}",
                    endpoint.path
                );
            } else {
                is(&answer, endpoint, 403, who);
            }
        }
    }
}
