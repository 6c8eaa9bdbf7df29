//! What every OAuth round trip needs: its row and its address on the way out, the `state` parameter, where its secrets
//! are kept, and who may end it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use daybind_domain::ids::{FlowId, ProfileId, TenantId};
use daybind_storage::OauthFlow;
use oauth2::PkceCodeChallenge;
use rand::RngCore;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use url::Url;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::seal::SecretPlace;

/// How long a round trip may take.
pub const LIFE: Duration = Duration::minutes(10);

/// A round trip to begin.
#[derive(Debug)]
pub struct Start<'a> {
    /// Whose.
    pub tenant_id: TenantId,
    /// What for; see [`OauthFlow::purpose`].
    pub purpose: &'a str,
    /// `google` or `microsoft`.
    pub provider: &'a str,
    /// The Microsoft profile it uses, if any.
    pub profile_id: Option<ProfileId>,
    /// Version of that profile, or of the tenant's own client.
    pub version: i64,
    /// Who asks; `None` before sign-in.
    pub actor: Option<&'a Actor>,
    /// The exact redirect URI that is sent.
    pub redirect_uri: String,
}

/// A round trip with its secrets: the row is still to be stored.
#[derive(Debug)]
pub struct Started {
    /// What is kept of it. Nonce, browser, connection and path are the caller's to fill in.
    pub row: OauthFlow,
    state: String,
    challenge: PkceCodeChallenge,
}

/// Makes the row of a round trip: single use, ten minutes, with PKCE (RFC 7636, S256).
///
/// # Errors
/// An internal error when the verifier cannot be sealed.
pub fn start(services: &Services, start: Start<'_>) -> AppResult<Started> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let state = new_state(start.tenant_id);
    let flow_id = FlowId(services.new_id());
    let verifier_sealed = services
        .keyring
        .seal(
            &verifier_place(start.tenant_id, flow_id),
            &SecretString::from(verifier.into_secret()),
        )
        .map_err(internal)?;
    let now = services.now();
    let row = OauthFlow {
        tenant_id: start.tenant_id,
        flow_id,
        state_hash: hash(&state),
        purpose: start.purpose.to_owned(),
        provider: start.provider.to_owned(),
        profile_id: start.profile_id,
        profile_version: Some(start.version),
        user_id: start.actor.map(Actor::user_id),
        session_id: start.actor.map(|actor| actor.session_id),
        connection_id: None,
        verifier_sealed,
        nonce_hash: None,
        browser_hash: None,
        return_to: None,
        redirect_uri: start.redirect_uri,
        created_at: now,
        expires_at: now + LIFE,
    };
    Ok(Started {
        row,
        state,
        challenge,
    })
}

impl Started {
    /// The provider's address with what every authorization code request carries (RFC 6749 section 4.1.1, RFC 7636
    /// section 4.3); the caller adds what is the provider's own.
    ///
    /// # Errors
    /// An internal error when the endpoint is no address.
    pub fn address(&self, authorize: &str, client_id: &str, scope: &str) -> AppResult<Url> {
        let mut url = Url::parse(authorize).map_err(internal)?;
        url.query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", &self.row.redirect_uri)
            .append_pair("scope", scope)
            .append_pair("state", &self.state)
            .append_pair("code_challenge", self.challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }
}

/// Whether the person who came back is the one who began a round trip, in the session they began it in. `false` for one
/// that began before sign-in.
#[must_use]
pub fn is_same_person(row: &OauthFlow, actor: &Actor) -> bool {
    actor.tenant_id == row.tenant_id
        && Some(actor.user_id()) == row.user_id
        && Some(actor.session_id) == row.session_id
}

/// Opens the code verifier of a round trip.
///
/// # Errors
/// An internal error when it does not open.
pub fn verifier(services: &Services, row: &OauthFlow) -> AppResult<SecretString> {
    services
        .keyring
        .open(
            &verifier_place(row.tenant_id, row.flow_id),
            &row.verifier_sealed,
        )
        .map_err(internal)
}

/// A `state` parameter: the tenant, so that it is looked up inside one tenant, and 256 random bits.
#[must_use]
fn new_state(tenant_id: TenantId) -> String {
    let mut raw = format!("{tenant_id}.").into_bytes();
    let mut random = [0_u8; 32];
    rand::rng().fill_bytes(&mut random);
    raw.extend(random);
    URL_SAFE_NO_PAD.encode(raw)
}

/// The tenant a `state` parameter names.
#[must_use]
pub fn state_tenant(state: &str) -> Option<TenantId> {
    let raw = URL_SAFE_NO_PAD.decode(state).ok()?;
    let (tenant, rest) = raw.split_at_checked(36)?;
    let tenant = std::str::from_utf8(tenant).ok()?.parse().ok()?;
    (rest.len() == 33 && rest.first() == Some(&b'.')).then_some(tenant)
}

/// 256 random bits as 43 characters of base64url.
#[must_use]
pub fn random() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256: what is stored of a value that only the browser or the provider keeps.
#[must_use]
pub fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// Where a flow's code verifier is sealed.
#[must_use]
fn verifier_place(tenant_id: TenantId, flow: FlowId) -> SecretPlace {
    SecretPlace {
        tenant_id,
        table: "oauth_flows",
        row: flow.0,
        column: "verifier_sealed",
    }
}

/// What a provider sends a browser back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Which round trip.
    pub state: String,
    /// The code to exchange, or
    pub code: Option<String>,
    /// what went wrong: the standard's word,
    pub error: Option<String>,
    /// and the provider's own text, not for showing.
    pub description: String,
    /// Who answers (RFC 9207).
    pub issuer: Option<String>,
}

/// Reads the query of the way back. A parameter given twice has two readers disagree, so it is refused (RFC 6749
/// section 3.1), and so is an answer with both a code and an error, or neither.
#[must_use]
pub fn returned(query: &str) -> Option<Returned> {
    let find = |wanted: &str| {
        let mut all = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, value)| name == wanted && !value.is_empty());
        let first = all.next().map(|(_, value)| value.into_owned());
        all.next().is_none().then_some(first)
    };
    let (code, error) = (find("code")?, find("error")?);
    if code.is_some() == error.is_some() {
        return None;
    }
    Some(Returned {
        state: find("state")??,
        code,
        error,
        description: find("error_description")?.unwrap_or_default(),
        issuer: find("iss")?,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use daybind_domain::ids::{SessionId, UserId};
    use daybind_domain::user::{Role, UserType};
    use daybind_storage::User;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_state_names_its_tenant_and_is_never_the_same() {
        let tenant = TenantId(uuid::Uuid::now_v7());
        let state = new_state(tenant);
        assert_eq!(state_tenant(&state), Some(tenant));
        assert_ne!(state, new_state(tenant));
        assert_eq!(state_tenant("abc"), None);
        assert_eq!(
            state_tenant(&URL_SAFE_NO_PAD.encode(format!("{tenant}.short"))),
            None
        );
    }

    #[test]
    fn random_values_have_256_bits_and_are_never_the_same() {
        let (one, other) = (random(), random());
        assert_ne!(one, other);
        assert_eq!(URL_SAFE_NO_PAD.decode(one).unwrap().len(), 32);
    }

    fn actor(tenant: u128, user: u128, session: u128) -> Actor {
        Actor {
            tenant_id: TenantId(Uuid::from_u128(tenant)),
            user: User {
                tenant_id: TenantId(Uuid::from_u128(tenant)),
                user_id: UserId(Uuid::from_u128(user)),
                email: String::new(),
                display_name: String::new(),
                user_type: UserType::Internal,
                role: Role::Admin,
                is_active: true,
                time_zone: "UTC".to_owned(),
            },
            session_id: SessionId(Uuid::from_u128(session)),
            request_id: None,
        }
    }

    fn row(begun_by: Option<&Actor>) -> OauthFlow {
        OauthFlow {
            tenant_id: TenantId(Uuid::from_u128(1)),
            flow_id: FlowId(Uuid::from_u128(4)),
            state_hash: Vec::new(),
            purpose: String::new(),
            provider: String::new(),
            profile_id: None,
            profile_version: None,
            user_id: begun_by.map(Actor::user_id),
            session_id: begun_by.map(|actor| actor.session_id),
            connection_id: None,
            verifier_sealed: String::new(),
            nonce_hash: None,
            browser_hash: None,
            return_to: None,
            redirect_uri: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH + LIFE,
        }
    }

    /// M-12, U2: every way of being somebody else, one difference at a time.
    #[test]
    fn only_who_began_it_ends_it() {
        let own = actor(1, 2, 3);
        assert!(is_same_person(&row(Some(&own)), &own));
        for (what, other) in [
            ("another MSP", actor(9, 2, 3)),
            ("another person", actor(1, 9, 3)),
            ("another session", actor(1, 2, 9)),
            ("nothing the same", actor(9, 9, 9)),
        ] {
            assert!(!is_same_person(&row(Some(&own)), &other), "{what}");
        }
        assert!(
            !is_same_person(&row(None), &own),
            "it began before sign-in: nobody"
        );
    }

    #[test]
    fn a_query_is_read_once_or_not_at_all() {
        assert!(returned("state=s&code=c").is_some());
        assert!(returned("state=s&error=access_denied&error_description=x").is_some());
        for wrong in [
            "",
            "state=s",
            "code=c",
            "state=&code=c",
            "state=s&code=",
            "state=s&state=t&code=c",
            "state=s&code=c&code=d",
            "state=s&code=c&error=e",
            "state=s&code=c&iss=a&iss=b",
            "state[]=s&code=c",
            "State=s&Code=c",
        ] {
            assert!(returned(wrong).is_none(), "{wrong}");
        }
    }
}
