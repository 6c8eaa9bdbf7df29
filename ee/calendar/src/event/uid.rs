//! iCalendar UIDs, in the form in which those of both providers are compared.

use serde_json::Value;

/// How Exchange's global object ids begin.
const OBJECT: &str = "040000008200E00074C5B7101A82E008";

/// How the data of a foreign UID begins: "vCal-Uid" and the number one; the UID and a zero follow.
const FOREIGN: &[u8] = b"vCal-Uid\x01\0\0\0";

/// A foreign UID in Exchange's form, see [`uid_of`]; none for Exchange's own.
#[must_use]
pub fn wrapped_uid(uid: &str) -> Option<String> {
    if uid.starts_with(OBJECT) {
        return None;
    }
    let mut data = FOREIGN.to_vec();
    data.extend(uid.bytes());
    data.push(0);
    let length = u32::try_from(data.len()).ok()?.to_le_bytes();
    let bytes = [0; 20].iter().chain(&length).chain(&data);
    let hex: String = bytes.map(|byte| format!("{byte:02X}")).collect();
    Some(format!("{OBJECT}{hex}"))
}

/// The form in which iCalendar UIDs of both providers are compared. Exchange wraps a UID that is not its own into its global
/// object id, and writes the day of an occurrence into it (MS-OXOCAL, PidLidGlobalObjectId: 16 bytes that say so, 4 of the
/// day, 16 more, 4 of length, the data).
pub(super) fn uid_of(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    let upper = text.to_ascii_uppercase();
    if !upper.starts_with(OBJECT) || upper.len() < 80 || !upper.is_ascii() {
        return Some(text.to_owned());
    }
    let data: Option<Vec<u8>> = (80..upper.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(upper.get(at..at + 2)?, 16).ok())
        .collect();
    let foreign = data
        .as_deref()
        .and_then(|data| data.strip_prefix(FOREIGN))
        .and_then(|uid| std::str::from_utf8(uid).ok())
        .map(|uid| uid.trim_end_matches('\0'))
        .filter(|uid| !uid.is_empty());
    Some(foreign.map_or_else(
        || format!("{OBJECT}00000000{}", &upper[40..]),
        str::to_owned,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// W55: one invitation has one UID at both providers: Exchange's own in any case and on any day, a foreign one unwrapped.
    #[test]
    fn uids_of_both_providers_are_one() {
        let class = "040000008200E00074C5B7101A82E008";
        let rest = "0000000000000000000000000000000000000000".to_owned();
        let own = format!("{class}07EA0B1C{}AABB", &rest[..32]);
        let own = format!("{}02000000AABB", &own[..72]);
        let plain = format!("{class}00000000{}02000000AABB", &rest[..32]);
        for text in [own.clone(), own.to_lowercase(), plain.clone()] {
            assert_eq!(uid_of(&json!(text)), Some(plain.clone()));
        }
        let wrapped: String = b"vCal-Uid\x01\0\0\0q1w2@google.com\0"
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let wrapped = format!("{class}00000000{}1C000000{wrapped}", &rest[..32]);
        assert_eq!(wrapped_uid("q1w2@google.com"), Some(wrapped.to_uppercase()));
        assert_eq!(wrapped_uid(&plain), None);
        for text in [wrapped.as_str(), "q1w2@google.com"] {
            assert_eq!(uid_of(&json!(text)).as_deref(), Some("q1w2@google.com"));
        }
        for short in [class, "040000008200E00074C5B7101A82E008é", "x"] {
            assert_eq!(uid_of(&json!(short)).as_deref(), Some(short));
        }
        assert_eq!(uid_of(&json!("")), None);
    }
}
