//! M-13, T18: ID tokens that must not be believed, each of them minted here and differing from a good one in one point.
#![expect(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use daybind_fakes::TestKey;
use daybind_services::flow::hash;
use daybind_services::sso::decide::Address;
use daybind_services::sso::token::{Account, Expected, SigningKey, TokenFault, verify};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

const LOGIN: &str = "https://login.example";
const CLIENT: &str = "8f0f6b1c-0000-4000-8000-00000000000a";
const DIRECTORY: Uuid = uuid!("11111111-1111-4111-8111-111111111111");
const OTHER: &str = "33333333-3333-4333-8333-333333333333";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OBJECT: Uuid = uuid!("44444444-4444-4444-8444-444444444444");
const NONCE: &str = "the-nonce";
const NOW: i64 = 1_780_000_000;

fn issuer(directory: impl std::fmt::Display) -> String {
    format!("{LOGIN}/{directory}/v2.0")
}

fn claims() -> Value {
    json!({
        "ver": "2.0", "iss": issuer(DIRECTORY), "aud": CLIENT, "sub": "pairwise", "iat": NOW, "nbf": NOW,
        "exp": NOW + 3600, "tid": DIRECTORY, "oid": OBJECT, "nonce": NONCE, "name": "Tess",
        "preferred_username": "tess@contoso.example", "email": "tess@contoso.example",
    })
}

fn header() -> Value {
    json!({"typ": "JWT", "alg": "RS256", "kid": TestKey::First.kid()})
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value.as_object_mut().unwrap().insert(name.to_owned(), new);
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name).unwrap();
    value
}

fn key(key: TestKey, issuer: Option<String>) -> SigningKey {
    let (n, e) = key.public();
    SigningKey {
        kid: key.kid().to_owned(),
        n,
        e,
        issuer,
    }
}

fn ours() -> Vec<SigningKey> {
    vec![key(TestKey::First, Some(issuer("{tenantid}")))]
}

fn check(token: &str, keys: &[SigningKey]) -> Result<Account, TokenFault> {
    let issuer = issuer(DIRECTORY);
    let nonce_hash = hash(NONCE);
    let expected = Expected {
        client_id: CLIENT,
        issuer: &issuer,
        directory_id: DIRECTORY,
        nonce_hash: &nonce_hash,
        now: DateTime::<Utc>::from_timestamp(NOW, 0).unwrap(),
    };
    verify(token, keys, &expected)
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn a_good_token_is_believed_and_says_who() {
    for header in [
        header(),
        without(header(), "typ"),
        with(header(), "typ", json!("jwt")),
        // Where the token says its keys are is not looked at.
        with(header(), "jku", json!("https://evil.example/keys")),
        with(header(), "x5u", json!("https://evil.example/x5u")),
    ] {
        let account = check(&TestKey::First.sign(&header, &claims()), &ours()).unwrap();
        assert_eq!(
            (account.directory_id, account.object_id),
            (DIRECTORY, OBJECT)
        );
        assert_eq!(account.name, "tess@contoso.example");
        assert_eq!(account.address, Address::Unknown);
    }
    let believed = |claims: Value| check(&TestKey::First.sign(&header(), &claims), &ours());
    for good in [
        with(claims(), "exp", json!(NOW - 119)),
        with(claims(), "nbf", json!(NOW + 120)),
        with(claims(), "iat", json!(NOW + 120)),
        without(claims(), "nbf"),
        with(claims(), "aud", json!([CLIENT])),
        with(claims(), "azp", json!(CLIENT)),
        with(
            with(claims(), "aud", json!([CLIENT, "other"])),
            "azp",
            json!(CLIENT),
        ),
        with(claims(), "oid", json!(OBJECT.to_string().to_uppercase())),
        without(
            without(without(claims(), "email"), "name"),
            "preferred_username",
        ),
    ] {
        assert!(believed(good.clone()).is_ok(), "{good}");
    }
}

/// T16, W35: only Microsoft's own word, in one of its encodings, makes an address verified; and none changes who it is.
#[test]
fn an_address_is_verified_by_microsoft_or_not_at_all() {
    for (flag, address) in [
        (json!(true), Address::Verified),
        (json!(1), Address::Verified),
        (json!("1"), Address::Verified),
        (json!("true"), Address::Verified),
        (json!(false), Address::Unverified),
        (json!(0), Address::Unverified),
        (json!("0"), Address::Unverified),
        (json!("yes"), Address::Unverified),
        (json!(""), Address::Unverified),
    ] {
        let claims = with(claims(), "xms_edov", flag.clone());
        let account = check(&TestKey::First.sign(&header(), &claims), &ours()).unwrap();
        assert_eq!(account.address, address, "{flag}");
        assert_eq!(
            (account.directory_id, account.object_id),
            (DIRECTORY, OBJECT)
        );
    }
    // Without an address there is nothing to verify.
    let claims = with(without(claims(), "email"), "xms_edov", json!(true));
    let account = check(&TestKey::First.sign(&header(), &claims), &ours()).unwrap();
    assert_eq!(account.address, Address::Unknown);
}

/// Tokens that are signed as they should be and say one wrong thing.
fn wrong_claims() -> Vec<(&'static str, Value, TokenFault)> {
    use TokenFault as F;
    let at = |name: &str, value: Value| with(claims(), name, value);
    let foreign =
        |directory: &str| with(at("tid", json!(directory)), "iss", json!(issuer(directory)));
    vec![
        ("a v1.0 token", at("ver", json!("1.0")), F::Version),
        ("no version", without(claims(), "ver"), F::Version),
        (
            "a version that is a number",
            at("ver", json!(2.0)),
            F::Malformed,
        ),
        ("no directory", without(claims(), "tid"), F::Directory),
        (
            "a directory that is a domain",
            at("tid", json!("contoso.example")),
            F::Directory,
        ),
        (
            "a directory in braces",
            at("tid", json!(format!("{{{DIRECTORY}}}"))),
            F::Directory,
        ),
        (
            "a directory without hyphens",
            at("tid", json!(DIRECTORY.simple().to_string())),
            F::Directory,
        ),
        (
            "a directory with a space",
            at("tid", json!(format!("{DIRECTORY} "))),
            F::Directory,
        ),
        (
            "the placeholder",
            at("tid", json!("{tenantid}")),
            F::Directory,
        ),
        (
            "another directory in full",
            foreign(OTHER),
            F::WrongDirectory,
        ),
        (
            "another directory, our issuer",
            at("tid", json!(OTHER)),
            F::WrongDirectory,
        ),
        ("a personal account", foreign(CONSUMERS), F::PersonalAccount),
        (
            "a personal account, our issuer",
            at("tid", json!(CONSUMERS)),
            F::PersonalAccount,
        ),
        ("another issuer", at("iss", json!(issuer(OTHER))), F::Issuer),
        (
            "the issuer of all directories",
            at("iss", json!(issuer("{tenantid}"))),
            F::Issuer,
        ),
        (
            "the issuer with a slash",
            at("iss", json!(format!("{}/", issuer(DIRECTORY)))),
            F::Issuer,
        ),
        (
            "the v1.0 issuer",
            at(
                "iss",
                json!(format!("https://sts.windows.net/{DIRECTORY}/")),
            ),
            F::Issuer,
        ),
        (
            "the issuer over http",
            at("iss", json!(issuer(DIRECTORY).replace("https", "http"))),
            F::Issuer,
        ),
        (
            "the issuer in capitals",
            at("iss", json!(issuer(DIRECTORY).to_uppercase())),
            F::Issuer,
        ),
        (
            "an issuer that begins like ours",
            at("iss", json!(format!("{}.evil", issuer(DIRECTORY)))),
            F::Issuer,
        ),
        ("no issuer", without(claims(), "iss"), F::Malformed),
        (
            "several issuers",
            at("iss", json!([issuer(DIRECTORY)])),
            F::Malformed,
        ),
        ("another application", at("aud", json!(OTHER)), F::Audience),
        (
            "an application that begins like ours",
            at("aud", json!(format!("{CLIENT}0"))),
            F::Audience,
        ),
        ("no audience", without(claims(), "aud"), F::Malformed),
        ("an empty audience", at("aud", json!([])), F::Audience),
        (
            "only others in the audience",
            at("aud", json!(["a", "b"])),
            F::Audience,
        ),
        (
            "others beside us, issued to nobody",
            at("aud", json!([CLIENT, "b"])),
            F::AuthorizedParty,
        ),
        (
            "others beside us, issued to another",
            with(at("aud", json!([CLIENT, "b"])), "azp", json!("b")),
            F::AuthorizedParty,
        ),
        (
            "issued to another",
            at("azp", json!("b")),
            F::AuthorizedParty,
        ),
        ("another nonce", at("nonce", json!("another")), F::Nonce),
        ("an empty nonce", at("nonce", json!("")), F::Nonce),
        ("no nonce", without(claims(), "nonce"), F::Nonce),
        (
            "the hash of the nonce",
            at("nonce", json!(URL_SAFE_NO_PAD.encode(hash(NONCE)))),
            F::Nonce,
        ),
        (
            "expired by two minutes",
            at("exp", json!(NOW - 120)),
            F::Expired,
        ),
        ("expired for long", at("exp", json!(0)), F::Expired),
        ("no expiry", without(claims(), "exp"), F::Malformed),
        (
            "an expiry that is text",
            at("exp", json!("4102444800")),
            F::Malformed,
        ),
        (
            "an expiry that is a fraction",
            at("exp", json!(4_102_444_800.5)),
            F::Malformed,
        ),
        (
            "an expiry beyond all calendars",
            at("exp", json!(i64::MAX)),
            F::Malformed,
        ),
        (
            "valid in 121 seconds",
            at("nbf", json!(NOW + 121)),
            F::NotYetValid,
        ),
        (
            "issued in 121 seconds",
            at("iat", json!(NOW + 121)),
            F::NotYetValid,
        ),
        ("never issued", without(claims(), "iat"), F::Malformed),
        ("no object id", without(claims(), "oid"), F::Object),
        (
            "an object id that is a name",
            at("oid", json!("tess@contoso.example")),
            F::Object,
        ),
        (
            "the nil object id",
            at("oid", json!(Uuid::nil())),
            F::Object,
        ),
        (
            "an object id in braces",
            at("oid", json!(format!("{{{OBJECT}}}"))),
            F::Object,
        ),
        (
            "an object id that is a number",
            at("oid", json!(7)),
            F::Malformed,
        ),
        ("no subject", without(claims(), "sub"), F::Malformed),
        ("an empty subject", at("sub", json!("")), F::Malformed),
        ("claims that are a list", json!([claims()]), F::Malformed),
    ]
}

/// Tokens whose envelope is wrong.
fn wrong_envelopes() -> Vec<(&'static str, String, TokenFault)> {
    use TokenFault as F;
    let good = TestKey::First.sign(&header(), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let signed = |header: Value| TestKey::First.sign(&header, &claims());
    let twice = claims()
        .to_string()
        .replacen('{', &format!("{{\"tid\":\"{OTHER}\","), 1);
    let flipped = {
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let other_body = encode(&with(claims(), "oid", json!(OTHER)).to_string());
    let unsigned = |alg: &str| encode(&with(header(), "alg", json!(alg)).to_string());
    let own_key = {
        let (n, e) = TestKey::Second.public();
        let jwk = json!({"kty": "RSA", "n": n, "e": e});
        TestKey::Second.sign(&with(header(), "jwk", jwk), &claims())
    };
    vec![
        ("nothing", String::new(), F::Malformed),
        ("no dots", "abc".to_owned(), F::Malformed),
        ("two parts", format!("{head}.{body}"), F::Malformed),
        ("four parts", format!("{good}.{signature}"), F::Malformed),
        (
            "encrypted",
            format!("{head}.{body}.{signature}.a.b"),
            F::Malformed,
        ),
        ("a space in front", format!(" {good}"), F::Malformed),
        (
            "padded base64",
            format!("{head}=.{body}.{signature}"),
            F::Malformed,
        ),
        (
            "too long",
            format!("{head}.{}.{signature}", "A".repeat(40_000)),
            F::Malformed,
        ),
        (
            "alg none, no signature",
            format!("{}.{body}.", unsigned("none")),
            F::Malformed,
        ),
        (
            "alg None, old signature",
            format!("{}.{body}.{signature}", unsigned("None")),
            F::Malformed,
        ),
        ("no alg", signed(without(header(), "alg")), F::Malformed),
        (
            "HS256 with the public key",
            signed(with(header(), "alg", json!("HS256"))),
            F::Algorithm,
        ),
        (
            "RS384",
            signed(with(header(), "alg", json!("RS384"))),
            F::Algorithm,
        ),
        (
            "RS512",
            signed(with(header(), "alg", json!("RS512"))),
            F::Algorithm,
        ),
        (
            "PS256",
            signed(with(header(), "alg", json!("PS256"))),
            F::Algorithm,
        ),
        (
            "ES256",
            signed(with(header(), "alg", json!("ES256"))),
            F::Algorithm,
        ),
        (
            "EdDSA",
            signed(with(header(), "alg", json!("EdDSA"))),
            F::Algorithm,
        ),
        (
            "an access token",
            signed(with(header(), "typ", json!("at+jwt"))),
            F::Header,
        ),
        (
            "extensions we do not know",
            signed(with(header(), "crit", json!(["b64"]))),
            F::Header,
        ),
        (
            "compressed",
            signed(with(header(), "zip", json!("DEF"))),
            F::Header,
        ),
        ("no key id", signed(without(header(), "kid")), F::Header),
        (
            "an empty key id",
            signed(with(header(), "kid", json!(""))),
            F::Header,
        ),
        (
            "an unknown key id",
            signed(with(header(), "kid", json!("../fake-key-1"))),
            F::UnknownKey,
        ),
        ("no signature", format!("{head}.{body}."), F::Signature),
        (
            "a flipped bit",
            format!("{head}.{body}.{flipped}"),
            F::Signature,
        ),
        (
            "other claims under the old signature",
            format!("{head}.{other_body}.{signature}"),
            F::Signature,
        ),
        (
            "another key under our key's id",
            TestKey::Second.sign(&header(), &claims()),
            F::Signature,
        ),
        ("its own key in the header", own_key, F::Signature),
        (
            "claims that are no JSON",
            TestKey::First.sign_text(&format!("{head}.{}", encode("hello"))),
            F::Malformed,
        ),
        (
            "a claim given twice",
            TestKey::First.sign_text(&format!("{head}.{}", encode(&twice))),
            F::Malformed,
        ),
    ]
}

/// M-13, T18, W35: more than 40 forged, foreign, stale or odd tokens; each is refused for its own reason.
#[test]
fn no_other_token_is_believed() {
    let mut count = 0;
    for (what, claims, fault) in wrong_claims() {
        let token = TestKey::First.sign(&header(), &claims);
        assert_eq!(check(&token, &ours()), Err(fault), "{what}");
        count += 1;
    }
    for (what, token, fault) in wrong_envelopes() {
        assert_eq!(check(&token, &ours()), Err(fault), "{what}");
        count += 1;
    }
    assert!(count >= 40, "{count}");
}

/// T18: a key counts for the issuer it is published for, and for no other.
#[test]
fn a_key_of_another_issuer_does_not_sign_for_ours() {
    let good = TestKey::First.sign(&header(), &claims());
    for (whose, fits) in [
        (None, true),
        (Some(issuer(DIRECTORY)), true),
        (Some(issuer("{tenantid}")), true),
        (Some(issuer(CONSUMERS)), false),
        (Some(issuer(OTHER)), false),
        (
            Some(format!("https://evil.example/{DIRECTORY}/v2.0")),
            false,
        ),
        (Some(String::new()), false),
    ] {
        let keys = [key(TestKey::First, whose.clone())];
        let wanted = if fits {
            Ok(())
        } else {
            Err(TokenFault::KeyIssuer)
        };
        assert_eq!(check(&good, &keys).map(|_| ()), wanted, "{whose:?}");
    }
    assert_eq!(check(&good, &[]), Err(TokenFault::UnknownKey));
    // Entra publishes one key id for several issuers; ours is found among them.
    let both = [
        key(TestKey::First, Some(issuer(CONSUMERS))),
        key(TestKey::First, Some(issuer(DIRECTORY))),
    ];
    assert!(check(&good, &both).is_ok());
}
