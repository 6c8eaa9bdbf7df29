use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use super::*;

fn ring() -> Keyring {
    Keyring::parse(&Keyring::generate()).unwrap()
}

fn place(tenant: u128, table: &'static str, row: u128, column: &'static str) -> SecretPlace {
    SecretPlace {
        tenant_id: TenantId(Uuid::from_u128(tenant)),
        table,
        row: Uuid::from_u128(row),
        column,
    }
}

fn secret() -> SecretString {
    SecretString::from("s3cret")
}

/// M-20, U10 (T28): a value moved to any other tenant, table, row or column never opens, and no answer is given in its
/// stead.
#[test]
fn a_value_opens_only_where_it_was_sealed() {
    let ring = ring();
    let mut places = Vec::new();
    for tenant in [1, 2] {
        for table in ["microsoft_profiles", "oauth_flows"] {
            for row in [1, 2] {
                for column in ["client_secret_sealed", "verifier_sealed"] {
                    places.push(place(tenant, table, row, column));
                }
            }
        }
    }
    for from in &places {
        let sealed = ring.seal(from, &secret()).unwrap();
        assert!(!sealed.contains("s3cret"));
        for to in &places {
            let opened = ring.open(to, &sealed);
            if from == to {
                assert_eq!(opened.unwrap().expose_secret(), "s3cret");
            } else {
                assert!(
                    matches!(opened, Err(SealError::Rejected)),
                    "{from:?} {to:?}"
                );
            }
        }
    }
}

/// M-20 (T30): every flipped bit of a value is noticed, wherever it is.
#[test]
fn every_flipped_bit_is_noticed() {
    let ring = ring();
    let here = place(1, "microsoft_profiles", 1, "client_secret_sealed");
    let sealed = ring.seal(&here, &secret()).unwrap();
    let (head, body) = sealed.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(altered));
        assert!(matches!(ring.open(&here, &text), Err(SealError::Rejected)));
    }
    for at in 0..sealed.len() {
        let mut altered = sealed.clone().into_bytes();
        altered[at] = altered[at].wrapping_add(1) & 0x7f;
        assert!(
            ring.open(&here, &String::from_utf8(altered).unwrap())
                .is_err()
        );
        assert!(ring.open(&here, &sealed[..at]).is_err());
    }
}

/// M-20, U10: another ring opens nothing and says which key is missing.
#[test]
fn a_foreign_ring_opens_nothing() {
    let (ours, theirs) = (ring(), ring());
    let here = place(1, "t", 1, "x_sealed");
    let sealed = ours.seal(&here, &secret()).unwrap();
    match theirs.open(&here, &sealed) {
        Err(SealError::UnknownKey(id)) => assert_eq!(vec![id], ours.ids()),
        other => panic!("{other:?}"),
    }
    let canary = ours.canary().unwrap();
    assert!(ours.check_canary(&canary).unwrap());
    assert!(theirs.check_canary(&canary).is_err());
    // The canary's key is not the key of secrets: neither passes for the other.
    assert!(ours.check_canary(&sealed).is_err());
    assert!(ours.open(&here, &canary).is_err());
}

/// M-20: old keys still open, the newest seals, and a rewrapped value needs the newest only.
#[test]
fn a_ring_rewraps_from_old_to_new() {
    let (old, new) = (Keyring::generate(), Keyring::generate());
    let here = place(1, "t", 1, "x_sealed");
    let sealed = Keyring::parse(&old)
        .unwrap()
        .seal(&here, &secret())
        .unwrap();
    let both = SecretString::from(format!(
        "# newest first, then the old one\n{}\n{}\n",
        new.expose_secret(),
        old.expose_secret()
    ));
    let ring = Keyring::parse(&both).unwrap();
    assert_eq!(ring.open(&here, &sealed).unwrap().expose_secret(), "s3cret");
    let fresh = ring
        .rewrap(here.tenant_id, here.table, here.row, here.column, &sealed)
        .unwrap()
        .unwrap();
    assert!(fresh.starts_with(&ring.current_prefix()));
    assert!(
        ring.rewrap(here.tenant_id, here.table, here.row, here.column, &fresh)
            .unwrap()
            .is_none()
    );
    let alone = Keyring::parse(&new).unwrap();
    assert_eq!(alone.open(&here, &fresh).unwrap().expose_secret(), "s3cret");
    assert!(alone.open(&here, &sealed).is_err());
    assert!(matches!(
        ring.rewrap(here.tenant_id, "elsewhere", here.row, here.column, &sealed),
        Err(SealError::Rejected)
    ));
}

/// M-43: what 0.1.0 sealed (under the master key itself) opens, and is rewritten to the present form.
#[test]
fn what_the_first_release_sealed_still_opens() {
    let key = SecretString::from("AadcM5kQ/kKHa9AvVcga5AKoXTSaEf9DiGzRMFbJG+U=");
    let ring = Keyring::parse(&key).unwrap();
    let here = SecretPlace {
        tenant_id: TenantId(Uuid::from_u128(1)),
        table: "microsoft_profiles",
        row: Uuid::from_u128(2),
        column: "client_secret_sealed",
    };
    let sealed = first_release(&key, &here);
    assert_eq!(
        ring.open(&here, &sealed).unwrap().expose_secret(),
        "from 0.1.0"
    );
    let fresh = ring
        .rewrap(here.tenant_id, here.table, here.row, here.column, &sealed)
        .unwrap()
        .unwrap();
    assert!(fresh.starts_with("v2."));
    assert_eq!(
        ring.open(&here, &fresh).unwrap().expose_secret(),
        "from 0.1.0"
    );
}

/// Seals exactly as 0.1.0 did.
fn first_release(key: &SecretString, here: &SecretPlace) -> String {
    use base64::engine::general_purpose::STANDARD;
    use chacha20poly1305::aead::{Aead as _, Payload};
    use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
    let bytes = STANDARD.decode(key.expose_secret()).unwrap();
    let aad = format!(
        "daybind.v1|{}|{}|{}|{}",
        here.tenant_id, here.table, here.row, here.column
    );
    let nonce = [7_u8; 24];
    let text = XChaCha20Poly1305::new_from_slice(&bytes)
        .unwrap()
        .encrypt(
            XNonce::from_slice(&nonce),
            Payload {
                msg: b"from 0.1.0",
                aad: aad.as_bytes(),
            },
        )
        .unwrap();
    let id = Keyring::parse(key).unwrap().ids().remove(0);
    format!(
        "v1.{id}.{}",
        URL_SAFE_NO_PAD.encode([nonce.to_vec(), text].concat())
    )
}

/// A running server takes up a rotated key file by itself: at once when it meets a value under the new key.
#[test]
fn a_changed_key_file_is_taken_up_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let (old, new) = (Keyring::generate(), Keyring::generate());
    std::fs::write(&path, old.expose_secret()).unwrap();
    let running = Keyring::from_file(&path).unwrap();
    let here = place(1, "t", 1, "x_sealed");
    let before = running.seal(&here, &secret()).unwrap();
    let both = format!("{}\n{}", new.expose_secret(), old.expose_secret());
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(&path, &both).unwrap();
    let rotated = Keyring::parse(&SecretString::from(both)).unwrap();
    let after = rotated.seal(&here, &secret()).unwrap();
    assert_eq!(
        running.open(&here, &after).unwrap().expose_secret(),
        "s3cret"
    );
    assert_eq!(
        running.open(&here, &before).unwrap().expose_secret(),
        "s3cret"
    );
    assert_eq!(running.ids(), rotated.ids());
    // A file that became unusable changes nothing.
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(&path, "broken").unwrap();
    assert!(
        running
            .open(&here, &ring().seal(&here, &secret()).unwrap())
            .is_err()
    );
    assert_eq!(running.ids(), rotated.ids());
}

#[test]
fn a_key_given_twice_is_refused() {
    let key = Keyring::generate();
    let twice = SecretString::from(format!("{0},{0}", key.expose_secret()));
    assert!(Keyring::parse(&twice).is_err());
}
