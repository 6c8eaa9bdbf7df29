//! The ID token: what is checked before anybody is believed (OpenID Connect Core 3.1.3.7, and Entra's own rules).
//!
//! Signature and encoding are `jsonwebtoken`'s work; every claim is checked here against our own clock, because a claim
//! that the library skips when it is absent or oddly typed must be refused.

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use uuid::Uuid;

use super::decide::Address;
use super::signature;
use crate::flow::hash;

/// How far clocks may differ.
pub const SKEW: Duration = Duration::minutes(2);
/// The directory of personal Microsoft accounts.
pub const CONSUMER_DIRECTORY: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);
/// An ID token is a few kilobytes; more is an attack.
const MAX_LENGTH: usize = 32 * 1024;

/// A signing key of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// `kid`
    pub kid: String,
    /// RSA modulus, base64url.
    pub n: String,
    /// RSA exponent, base64url.
    pub e: String,
    /// The issuer Entra binds the key to; may hold `{tenantid}`.
    pub issuer: Option<String>,
}

/// What the token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Our `client_id`.
    pub client_id: &'a str,
    /// The issuer of the profile's directory, tenant substituted.
    pub issuer: &'a str,
    /// That directory.
    pub directory_id: Uuid,
    /// SHA-256 of the nonce we sent.
    pub nonce_hash: &'a [u8],
    /// Now.
    pub now: DateTime<Utc>,
}

/// Who the token speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `tid`
    pub directory_id: Uuid,
    /// `oid`
    pub object_id: Uuid,
    /// What Microsoft shows for the account, for people to read.
    pub name: String,
    /// Its address, if there is one. Finds nobody who then comes in: it can only make a suggestion.
    pub email: Option<String>,
    /// What Microsoft says about the address.
    pub address: Address,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Not three parts of base64url JSON, too long, or claims of the wrong type.
    #[error("malformed")]
    Malformed,
    /// Not RS256.
    #[error("algorithm")]
    Algorithm,
    /// The header asks for something we do not understand (`typ`, `crit`, encryption, compression).
    #[error("header")]
    Header,
    /// No key of that id. Fetching the keys anew may help.
    #[error("unknown key")]
    UnknownKey,
    /// The key is another issuer's.
    #[error("key of another issuer")]
    KeyIssuer,
    /// The signature does not fit.
    #[error("signature")]
    Signature,
    /// `ver` is not 2.0.
    #[error("version")]
    Version,
    /// `tid` is no GUID, or not in the issuer.
    #[error("directory")]
    Directory,
    /// A personal account.
    #[error("personal account")]
    PersonalAccount,
    /// Another directory than the profile's.
    #[error("another directory")]
    WrongDirectory,
    /// `iss`
    #[error("issuer")]
    Issuer,
    /// `aud`
    #[error("audience")]
    Audience,
    /// `azp`
    #[error("authorized party")]
    AuthorizedParty,
    /// `nonce`
    #[error("nonce")]
    Nonce,
    /// `exp`
    #[error("expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("not valid yet")]
    NotYetValid,
    /// `oid` is missing or no GUID.
    #[error("object id")]
    Object,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// `xms_edov` comes as a boolean, a number or text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Number(i64),
    Text(String),
}

impl Flag {
    fn holds(&self) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Number(value) => *value == 1,
            Self::Text(value) => value == "1" || value.eq_ignore_ascii_case("true"),
        }
    }
}

/// A claim given twice is an error of the derive, so no reader can disagree about which one counts.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: OneOrMany,
    azp: Option<String>,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    iat: i64,
    nonce: Option<String>,
    tid: Option<String>,
    oid: Option<String>,
    ver: Option<String>,
    email: Option<String>,
    preferred_username: Option<String>,
    name: Option<String>,
    xms_edov: Option<Flag>,
}

/// The id of the key a token says it is signed with, after its header was checked.
///
/// # Errors
/// [`TokenFault::Malformed`], [`TokenFault::Algorithm`], [`TokenFault::Header`].
pub fn key_id(token: &str) -> Result<String, TokenFault> {
    if token.len() > MAX_LENGTH {
        return Err(TokenFault::Malformed);
    }
    // An algorithm the library has no name for ("none") does not even parse.
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Malformed)?;
    if header.alg != Algorithm::RS256 {
        return Err(TokenFault::Algorithm);
    }
    let typed = header
        .typ
        .as_deref()
        .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if typed || header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(TokenFault::Header);
    }
    // Where the header says keys are to be had (`jku`, `jwk`, `x5u`, `x5c`) is never looked at.
    header
        .kid
        .filter(|kid| !kid.is_empty())
        .ok_or(TokenFault::Header)
}

/// Checks a token. Signature first: nothing an unsigned token says is looked at.
///
/// # Errors
/// The first check that failed.
pub fn verify(
    token: &str,
    keys: &[SigningKey],
    expected: &Expected<'_>,
) -> Result<Account, TokenFault> {
    let kid = key_id(token)?;
    let named: Vec<_> = keys.iter().filter(|key| key.kid == kid).collect();
    if named.is_empty() {
        return Err(TokenFault::UnknownKey);
    }
    let key = named
        .into_iter()
        .find(|key| key_is_issuers(key, expected))
        .ok_or(TokenFault::KeyIssuer)?;
    let claims = signed_claims(token, key)?;
    check(&claims, expected)
}

/// Entra publishes keys of several issuers side by side; each says whose it is.
fn key_is_issuers(key: &SigningKey, expected: &Expected<'_>) -> bool {
    key.issuer.as_ref().is_none_or(|issuer| {
        issuer.replace("{tenantid}", &expected.directory_id.to_string()) == expected.issuer
    })
}

fn signed_claims(token: &str, key: &SigningKey) -> Result<Claims, TokenFault> {
    signature::install();
    let key =
        DecodingKey::from_rsa_components(&key.n, &key.e).map_err(|_| TokenFault::Signature)?;
    let mut rules = Validation::new(Algorithm::RS256);
    // Checked below, with nothing optional that must be there.
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    jsonwebtoken::decode::<Claims>(token, &key, &rules)
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => TokenFault::Signature,
            jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
            _ => TokenFault::Malformed,
        })
}

fn check(claims: &Claims, expected: &Expected<'_>) -> Result<Account, TokenFault> {
    if claims.ver.as_deref() != Some("2.0") {
        return Err(TokenFault::Version);
    }
    let directory_id = guid(claims.tid.as_deref()).ok_or(TokenFault::Directory)?;
    if directory_id == CONSUMER_DIRECTORY {
        return Err(TokenFault::PersonalAccount);
    }
    if directory_id != expected.directory_id {
        return Err(TokenFault::WrongDirectory);
    }
    if claims.iss != expected.issuer {
        return Err(TokenFault::Issuer);
    }
    audience(claims, expected)?;
    let nonce = claims.nonce.as_deref().ok_or(TokenFault::Nonce)?;
    if !bool::from(hash(nonce).ct_eq(expected.nonce_hash)) {
        return Err(TokenFault::Nonce);
    }
    times(claims, expected.now)?;
    if claims.sub.is_empty() {
        return Err(TokenFault::Malformed);
    }
    let object_id = guid(claims.oid.as_deref())
        .filter(|id| !id.is_nil())
        .ok_or(TokenFault::Object)?;
    Ok(Account {
        directory_id,
        object_id,
        name: display_name(claims),
        email: claims.email.clone(),
        address: match (&claims.email, &claims.xms_edov) {
            (Some(_), Some(flag)) if flag.holds() => Address::Verified,
            (Some(_), Some(_)) => Address::Unverified,
            _ => Address::Unknown,
        },
    })
}

/// `aud` is us. With others beside us, `azp` must say that it was issued to us (OpenID Connect Core 3.1.3.7, 4 and 5).
fn audience(claims: &Claims, expected: &Expected<'_>) -> Result<(), TokenFault> {
    let several = match &claims.aud {
        OneOrMany::One(aud) if aud == expected.client_id => false,
        OneOrMany::Many(all) if all.iter().any(|aud| aud == expected.client_id) => all.len() > 1,
        OneOrMany::One(_) | OneOrMany::Many(_) => return Err(TokenFault::Audience),
    };
    match claims.azp.as_deref() {
        Some(azp) if azp == expected.client_id => Ok(()),
        None if !several => Ok(()),
        _ => Err(TokenFault::AuthorizedParty),
    }
}

fn times(claims: &Claims, now: DateTime<Utc>) -> Result<(), TokenFault> {
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(TokenFault::Malformed);
    if at(claims.exp)? + SKEW <= now {
        return Err(TokenFault::Expired);
    }
    for begin in [claims.nbf, Some(claims.iat)].into_iter().flatten() {
        if at(begin)? - SKEW > now {
            return Err(TokenFault::NotYetValid);
        }
    }
    Ok(())
}

/// A GUID in its one canonical form (case aside): no braces, no missing hyphens, no `urn:uuid:`.
fn guid(text: Option<&str>) -> Option<Uuid> {
    let text = text?;
    let id = Uuid::parse_str(text).ok()?;
    id.to_string().eq_ignore_ascii_case(text).then_some(id)
}

/// For people to read: one line, no control characters, at most 200 characters.
fn display_name(claims: &Claims) -> String {
    [&claims.email, &claims.preferred_username, &claims.name]
        .into_iter()
        .flatten()
        .map(|text| {
            let clean = text.chars().filter(|c| !c.is_control()).take(200);
            clean.collect::<String>().trim().to_owned()
        })
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| "(no name)".to_owned())
}
