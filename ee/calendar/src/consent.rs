//! Which connections a consent is for. Pure.
//!
//! A person may have several connections to one account, each to one of its calendars and each with tokens of its own. What
//! ends the access of one ends that of the others as a rule, so one consent heals all that wait for it.

use daybind_domain::ids::UserId;
use daybind_ee_storage::Connection;
use uuid::Uuid;

use crate::callback::Refusal;
use crate::import::is_imported;
use crate::oauth::{TWICE, is_ending};

/// What the browser was sent away for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// By whom.
    pub user_id: UserId,
    /// `google` or `microsoft`.
    pub provider: &'a str,
    /// The connection to be reconnected; none to connect a calendar.
    pub connection: Option<Uuid>,
    /// That one was brought over, and the account has shown that it is its own.
    pub adopted: bool,
}

/// Where the tokens go.
#[derive(Debug, PartialEq)]
pub(crate) struct Chosen {
    /// The connection the browser comes back to; none for a new one.
    pub row: Option<Connection>,
    /// The person's other connections to the account that wait for a consent.
    pub along: Vec<Connection>,
}

/// Whether a consent is what the connection waits for.
fn waits(row: &Connection) -> bool {
    match row.status.as_str() {
        // One that was brought over has to show first that the account is its own; one whose calendar is another
        // connection's would keep the others from what they wait for.
        "needs_reconnect" => !is_imported(row) && row.status_reason.as_deref() != Some(TWICE),
        "error" => row.status_reason.as_deref() == Some("refused"),
        _ => false,
    }
}

/// Decides, of all connections of the tenant.
///
/// Connecting an account that is connected already adds a connection, unless one waits: for a consent (then it is given that)
/// or for its calendar (then it is taken up again). An account is one person's.
///
/// # Errors
/// `invalid_state` when the connection to be reconnected is gone; `different_account` when the consent is another account's;
/// `already_connected` when the account is somebody else's; `still_ending` while the account's last connection is being
/// ended, since the end of its grant may end this one too.
pub(crate) fn choose(
    all: &[Connection],
    asked: Asked<'_>,
    account_id: &str,
) -> Result<Chosen, Refusal> {
    let mine = |row: &&Connection| row.user_id == asked.user_id && !is_ending(row);
    let wanted = match asked.connection {
        Some(wanted) => {
            let mut own = all.iter().filter(mine);
            let row = own.find(|row| row.connection_id.0 == wanted);
            let row = row.ok_or("invalid_state")?;
            // Another account's calendar is another calendar: its events say nothing about these entries.
            if row.account_id != account_id && !asked.adopted {
                return Err("different_account");
            }
            Some(row)
        }
        None => None,
    };
    let same: Vec<&Connection> = all
        .iter()
        .filter(|row| row.provider == asked.provider && row.account_id == account_id)
        .collect();
    if same.iter().any(|row| row.user_id != asked.user_id) {
        return Err("already_connected");
    }
    let own: Vec<&Connection> = same.iter().copied().filter(mine).collect();
    if wanted.is_none() && own.is_empty() && !same.is_empty() {
        return Err("still_ending");
    }
    let row = wanted
        .or_else(|| own.iter().copied().find(|row| row.status == "configuring"))
        .or_else(|| own.iter().copied().find(|row| waits(row)));
    let along = own
        .into_iter()
        .filter(|other| {
            waits(other) && row.is_none_or(|row| row.connection_id != other.connection_id)
        })
        .cloned()
        .collect();
    Ok(Chosen {
        row: row.cloned(),
        along,
    })
}

#[cfg(test)]
#[path = "consent_tests.rs"]
mod tests;
