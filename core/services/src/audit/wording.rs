//! What the log's actions, fields and coded values are called in the reader's language. The log itself holds codes.

use daybind_domain::cloud::Cloud;
use daybind_words::t;

/// The names an edition has for what its log holds; each `None` for what it does not know, which is then shown as stored.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    /// An action (`profile.created`).
    pub action: fn(&str) -> Option<&'static str>,
    /// A field of the detail (`client_id`).
    pub field: fn(&str) -> Option<&'static str>,
    /// A value of that field, where values are codes (`which`, `previous`).
    pub value: fn(&str, &str) -> Option<&'static str>,
}

/// Of what the Community edition does itself, and of what it shows of a time when Enterprise ran.
pub const COMMUNITY: Wording = Wording {
    action,
    field,
    value,
};

impl Wording {
    /// What of a row has no name: the action, or fields of its detail. Fields below others count once, as pages show them.
    pub(super) fn unnamed(&self, action: &str, detail: &serde_json::Value) -> Option<String> {
        if (self.action)(action).is_none() {
            return Some(action.to_owned());
        }
        let fields = detail.as_object()?;
        for (name, value) in fields {
            if !matches!(name.as_str(), "before" | "after") {
                if (self.field)(name).is_none() {
                    return Some(name.clone());
                }
                continue;
            }
            let mut below = value.as_object().into_iter().flat_map(|below| below.keys());
            if let Some(name) = below.find(|name| (self.field)(name).is_none()) {
                return Some(name.clone());
            }
        }
        None
    }
}

fn action(code: &str) -> Option<&'static str> {
    let text = match code {
        "binding.cleared" => t!("Binding cleared"),
        "binding.imported" => t!("Binding imported"),
        "binding.set" => t!("Binding set"),
        "binding.undone" => t!("Binding change undone"),
        "login_domain.added" => t!("Login domain added"),
        "login_domain.checked" => t!("Login domain checked"),
        "login_domain.imported" => t!("Login domain imported"),
        "login_domain.removed" => t!("Login domain removed"),
        "login_domain.renewed" => t!("Login domain's DNS record renewed"),
        "login_domain.requested" => t!("Login domain requested"),
        "login_domain.revoked" => t!("Login domain revoked"),
        "master_key.rotated" => t!("Master key changed"),
        "password.changed" => t!("Password changed"),
        "password.set" => t!("Password set by the operator"),
        "profile.archived" => t!("Profile archived"),
        "profile.created" => t!("Profile created"),
        "profile.deleted" => t!("Profile deleted"),
        "profile.imported" => t!("Profile imported"),
        "profile.restored" => t!("Profile restored"),
        "profile.secret_destroyed" => t!("Client secret destroyed"),
        "profile.secret_staged" => t!("Next client secret entered"),
        "profile.secret_switched" => t!("Next client secret taken into use"),
        "profile.secret_switched_back" => t!("Previous client secret taken back"),
        "profile.secret_verified" => t!("Next client secret verified"),
        "profile.sign_in_test_begun" => t!("Test sign-in begun"),
        "profile.sign_in_tested" => t!("Test sign-in done"),
        "profile.updated" => t!("Profile changed"),
        "profile.verified" => t!("Profile verified"),
        "session.closed" => t!("Signed out"),
        "session.opened" => t!("Signed in"),
        "session.replaced" => t!("Session replaced by a new one"),
        "session.revoked" => t!("Session ended"),
        "sign_in.approved" => t!("Microsoft account let in"),
        "sign_in.connected" => t!("Microsoft account connected"),
        "sign_in.declined" => t!("Microsoft account declined"),
        "sign_in.disconnected" => t!("Microsoft account disconnected"),
        "sign_in.passwords" => t!("Sign-in with passwords changed"),
        "sign_in.requested" => t!("Microsoft account asked to come in"),
        "tenant.created" => t!("MSP created"),
        "tenant.imported" => t!("MSP imported"),
        "user.created" => t!("Person created"),
        "user.imported" => t!("Person imported"),
        _ => return None,
    };
    Some(text)
}

fn field(code: &str) -> Option<&'static str> {
    let text = match code {
        "account" => t!("Account"),
        "address" => t!("Address"),
        "archived" => t!("Archived"),
        "by" => t!("By way of"),
        "challenge" => t!("DNS record"),
        "client_id" => t!("Application (client) ID"),
        "client_secret" => t!("Client secret"),
        "cloud" => t!("Cloud"),
        "consumer" => t!("Consumer"),
        "directory_id" => t!("Directory (tenant) ID"),
        "display_name" | "name" => t!("Name"),
        "dns" => t!("DNS"),
        "email" => t!("Email address"),
        "impact" => t!("Impact"),
        "method" => t!("Method"),
        "must_reconnect" => t!("Must reconnect"),
        "password" => t!("Password"),
        "people" => t!("People"),
        "person" | "user" => t!("Person"),
        "previous_kept_hours" => t!("Hours the previous one stays"),
        "profile" => t!("Profile"),
        "profile_id" => t!("Profile's ID"),
        "proof" => t!("Proof"),
        "provider" => t!("Provider"),
        "reason" => t!("Reason"),
        "result" => t!("Result"),
        "results" => t!("Results"),
        "rewritten" => t!("Secrets sealed anew"),
        "role" => t!("Role"),
        "secret_expires_on" => t!("Secret expires on"),
        "sessions_ended" => t!("Sessions ended"),
        "suggested" => t!("Suggested person"),
        "credentials" => t!("Credentials"),
        "tenant" => t!("Directory"),
        "time_zone" => t!("Time zone"),
        "verified" => t!("Verified"),
        "which" => t!("Which"),
        _ => return None,
    };
    Some(text)
}

fn value(field: &str, code: &str) -> Option<&'static str> {
    let text = match (field, code) {
        (_, "true") => t!("yes"),
        (_, "false") => t!("no"),
        ("client_secret" | "password" | "challenge", "changed") => t!("secret" => "changed"),
        ("client_secret", "changed_back") => t!("secret" => "changed back"),
        ("client_secret", "destroyed") => t!("secret" => "destroyed"),
        ("client_secret", "kept") => t!("secret" => "kept"),
        ("client_secret", "missing") => t!("secret" => "missing"),
        ("client_secret", "staged") => t!("secret" => "entered"),
        ("client_secret", "verified") => t!("secret" => "verified"),
        ("which", "next") => t!("secret" => "the next one"),
        ("which", "previous") => t!("secret" => "the previous one"),
        ("by", "command_line") => t!("command line"),
        ("method", "password") => t!("password"),
        ("impact", "unknown") => t!("not known"),
        ("role", "admin") => t!("administrator"),
        ("role", "technician") => t!("technician"),
        ("cloud", code) => return Cloud::parse(code).map(Cloud::label),
        // What a login domain was and is stands alone.
        ("", "advisory") => t!("domain" => "advisory"),
        ("", "pending") => t!("domain" => "pending"),
        ("", "verified") => t!("domain" => "verified"),
        ("", "rejected") => t!("domain" => "rejected"),
        ("", "revoked") => t!("domain" => "revoked"),
        ("tenant" | "credentials" | "result", "passed") => t!("passed"),
        ("result", "waiting") => t!("waiting"),
        ("proof", "signed_in") => t!("signed in to both at once"),
        ("proof", "approved") => t!("an administrator let it in"),
        ("dns", "lost") => t!("the record is gone and somebody else proved the domain"),
        _ => return None,
    };
    Some(text)
}
